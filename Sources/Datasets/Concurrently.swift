/// Applies `operation` to every element, a few at a time, and returns the results in the elements' order.
///
/// The first error ends it and cancels the rest.
func concurrently<Element: Sendable, Result: Sendable>(
    _ elements: [Element],
    width: Int = 16,
    _ operation: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results = [Result?](repeating: nil, count: elements.count)
        var next = 0
        func add() {
            let position = next
            let element = elements[position]
            group.addTask { (position, try await operation(element)) }
            next += 1
        }
        while next < min(width, elements.count) { add() }
        while let (position, result) = try await group.next() {
            results[position] = result
            if next < elements.count { add() }
        }
        return results.compactMap { $0 }
    }
}
