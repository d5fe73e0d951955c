import Objects
import S3Objects

extension ServiceConfiguration {
    /// The object store that ``objects`` names.
    ///
    /// - Throws: `S3ConfigurationError` when it, or the environment, does not say all of an S3 store.
    func openObjects() throws -> any ManagedObjectStore {
        guard S3Configuration.isLocation(objects) else { return LocalObjectStore(directory: objects) }
        var configuration = try S3Configuration(location: objects, environment: environment)
        configuration.cache = cacheDirectory
        return S3ObjectStore(configuration)
    }

    /// Where uploads wait until they are whole: in a local store beside what it is writing itself.
    var spoolDirectory: String {
        (S3Configuration.isLocation(objects) ? cacheDirectory : objects) + "/tmp"
    }

    /// `OBJECT_CACHE`, else a directory of the user's cache.
    private var cacheDirectory: String {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        return value("OBJECT_CACHE")
            ?? (value("XDG_CACHE_HOME") ?? value("HOME").map { $0 + "/.cache" } ?? "/tmp") + "/lockstep/objects"
    }
}
