import Columns
import Kernels

/// A view as a service reads it: by its own join keys, or by columns of the request that are called otherwise.
public struct ViewUse: Sendable {
    public let plan: ViewPlan
    /// The request's columns that hold the view's join keys, in the order of those.
    public let keys: [Field]

    /// - Parameter renamed: for join keys of the view, the request's columns.
    init(_ plan: ViewPlan, renamed: [String: String]) throws(DefinitionError) {
        for name in renamed.keys.sorted() where !plan.joinKeys.contains(where: { $0.name == name }) {
            let names = plan.joinKeys.map(\.name)
            throw DefinitionError(
                place: "feature view '\(plan.view.name)'",
                message: "it has no join key '\(name)'\(suggestion(for: name, among: names))"
                    + (names.isEmpty ? "; it has none" : " (it has \(names.joined(separator: ", ")))")
            )
        }
        self.plan = plan
        self.keys = plan.joinKeys.map { Field(renamed[$0.name] ?? $0.name, $0.type) }
    }

    /// The view's encoded keys of rows of a request, which hold them by name.
    public func keys(_ rows: RecordBatch) -> KeyColumn { plan.keys(rows, columns: keys.map(\.name)) }
}
