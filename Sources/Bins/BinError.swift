import Columns

/// Why bins could not be made or applied.
public enum BinError: Error, Hashable, CustomStringConvertible {
    case edgeNotFinite(position: Int, Double)
    case edgesNotIncreasing(position: Int, Double, previous: Double)
    case binCountOutOfRange(Int)
    case unsupportedType(DataType)
    case noFiniteValues(rows: Int)

    public var description: String {
        switch self {
        case .edgeNotFinite(let position, let edge):
            "bin edge \(position) is \(edge), and edges are finite; leave it out, as the end bins reach to infinity"
        case .edgesNotIncreasing(let position, let edge, let previous):
            "bin edge \(position) is \(edge), not above \(previous) before it; sort the edges and remove duplicates "
                + "(-0.0 counts as 0.0)"
        case .binCountOutOfRange(let bins):
            "\(bins) bins were asked for, and a method makes 1 to \(BinFitter.maximumBins); change the bin count"
        case .unsupportedType(let type):
            "bins take float64, float32 or int64, found \(type); cast the input of the discretizer"
        case .noFiniteValues(let rows):
            "none of \(rows) rows has a finite value to fit bins to; fit from a snapshot that has some, or give the "
                + "edges with the method 'explicit'"
        }
    }
}
