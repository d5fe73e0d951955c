import Catalog
import Datasets
import Features
import Formats
import Glibc
import Hummingbird
import Objects
import Postgres
import S3Objects
import Wire

/// A request that is wrong in itself.
struct RequestError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension Problem {
    /// The one place where errors become status codes.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as CatalogError:
            switch error.code {
            case .notFound: self.init(type: "not-found", title: "Not found", status: 404, detail: error.message)
            case .conflict: self.init(type: "conflict", title: "Conflict", status: 409, detail: error.message)
            case .inUse: self.init(type: "in-use", title: "In use", status: 409, detail: error.message)
            case .erased: self.init(type: "erased", title: "Erased", status: 410, detail: error.message)
            case .invalid: self.init(type: "invalid", title: "Invalid request", status: 422, detail: error.message)
            }
        case is DefinitionError, is ValueError, is JSONError, is RequestError, is LockError, is SnapshotError:
            self.init(type: "invalid", title: "Invalid request", status: 422, detail: "\(error)")
        case let error as DecodingError:
            self.init(type: "invalid", title: "Invalid request", status: 422, detail: Self.text(error))
        case let error as ObjectError:
            switch error {
            case .missing:
                self.init(type: "missing-object", title: "Missing object", status: 404, detail: "\(error)")
            case .system(_, _, let code) where code == ENOSPC || code == EDQUOT:
                self.init(type: "storage-full", title: "Storage full", status: 507, detail: "\(error)")
            case .system, .late: self.init(type: "storage", title: "Storage failed", status: 500, detail: "\(error)")
            case .corrupt, .damagedFrame, .changedWhileRead, .notAFile:
                self.init(type: "corrupt-object", title: "Corrupt object", status: 500, detail: "\(error)")
            }
        case let error as PackError:
            if case .missing = error {
                self.init(type: "missing-object", title: "Missing object", status: 404, detail: "\(error)")
            } else {
                self.init(type: "corrupt-object", title: "Corrupt object", status: 500, detail: "\(error)")
            }
        case is S3Error:
            self.init(type: "storage-unreachable", title: "Storage unreachable", status: 503, detail: "\(error)")
        case let error as PostgresError where error.code == .connectionFailed:
            self.init(type: "database-unreachable", title: "Database unreachable", status: 503, detail: "\(error)")
        case let error as HTTPError:
            self.init(
                type: error.status == .notFound ? "not-found" : "http",
                title: error.status.reasonPhrase,
                status: error.status.code,
                detail: error.body ?? "there is no such route"
            )
        default: self.init(type: "internal", title: "Internal error", status: 500, detail: "\(error)")
        }
    }

    /// What a message lacks or has wrong, in words.
    private static func text(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the request" : "'\(path.map(\.stringValue).joined(separator: "."))'"
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath)) has no '\(key.stringValue)'"
        case .typeMismatch(let type, let context): "\(place(context.codingPath)) is not a \(type)"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) is null, and a value is needed"
        case .dataCorrupted(let context): "\(place(context.codingPath)): \(context.debugDescription)"
        @unknown default: "the request cannot be read"
        }
    }
}
