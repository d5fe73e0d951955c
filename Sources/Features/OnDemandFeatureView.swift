import Columns
import Expressions

/// Features computed when they are asked for, from values that the request carries and from features of other views.
///
/// In a training set those values are columns of the spine, and its `event_timestamp` is the request's time: the same
/// expressions run on the same columns on both sides. Nothing of it is stored, so it may use fitted bins: `bin(x, name)`
/// has the edges that the lock pins.
public struct OnDemandFeatureView: Hashable, Sendable {
    public var name: String
    /// Values sent with each request.
    public var request: [Field]
    /// Features of other views, each under its output name; their origins are plain features.
    public var inputs: [ServiceFeature]
    public var features: [Feature]

    /// The column that holds the time of the request, or of the spine row.
    public static let timestampColumn = Spine.timestampColumn

    public init(name: String, request: [Field], inputs: [ServiceFeature] = [], features: [Feature]) {
        self.name = name
        self.request = request
        self.inputs = inputs
        self.features = features
    }

    /// The discretizers that its expressions name, in order of first mention.
    var discretizers: [String] {
        var names: [String] = []
        for feature in features {
            // What is no expression is refused when it is typed.
            guard let mentioned = try? ExpressionNames(in: feature.text, functions: [Self.binFunction]) else {
                continue
            }
            for external in mentioned.externals where !names.contains(external.argument) {
                names.append(external.argument)
            }
        }
        return names
    }

    static let binFunction = "bin"
}
