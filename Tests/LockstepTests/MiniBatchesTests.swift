import Columns
import Features
import Formats
import Kernels
import Lockstep
import Testing

@Suite struct MiniBatchesTests {
    private let workspace: Workspace

    init() throws { workspace = try Workspace() }

    /// A training set of `count` rows whose column `n` counts them.
    private func set(_ count: Int64) throws -> TrainingSet {
        let lock = Lock(project: "p", service: VersionReference(name: "s", number: 1), pins: [])
        let path = workspace.path("rows\(count).parquet")
        let rows = RecordBatch(["n": .int64(PrimitiveColumn((0..<count).map { $0 }))])
        try writeTable(rows, to: path, parquet: ParquetOptions(metadata: [("lockstep.lock", "\(lock.digest)")]))
        return try TrainingSet.open(path: path, lock: lock)
    }

    private func order(_ batches: MiniBatches) -> [Int64] {
        batches.flatMap { batch -> [Int64] in
            guard case .int64(let column)? = batch["n"] else { return [] }
            return column.values
        }
    }

    /// Orders reckoned by another program from the published generator and shuffle.
    @Test func ordersAreTheSameEverywhere() throws {
        let set = try set(10)
        #expect(order(set.miniBatches(size: 4, seed: 0)) == [6, 3, 2, 9, 8, 1, 4, 7, 0, 5])
        #expect(order(set.miniBatches(size: 4, seed: 42)) == [0, 9, 5, 8, 6, 4, 7, 2, 1, 3])
        #expect(order(set.miniBatches(size: 4, seed: .max)) == [3, 4, 2, 7, 5, 0, 8, 1, 9, 6])
        #expect(order(set.miniBatches(size: 1, seed: 7, rows: [9, 1, 5, 5])) == [1, 5, 9, 5])
    }

    @Test(arguments: [0, 1, 2, 63, 64, 200] as [Int64]) func everyRowComesOnce(count: Int64) throws {
        let set = try set(count)
        for size in [1, 7, 64, 1000] {
            let batches = set.miniBatches(size: size, seed: 5)
            let sizes = batches.map(\.rowCount)
            #expect(sizes.dropLast().allSatisfy { $0 == size })
            #expect(sizes.last.map { $0 > 0 && $0 <= size } ?? (count == 0))
            #expect(order(batches).sorted() == (0..<count).map { $0 })
            // The size cuts the order and does not change it, and a second pass is the first again.
            #expect(order(batches) == order(set.miniBatches(size: 3, seed: 5)))
            #expect(order(batches) == order(batches))
        }
    }

    @Test func seedsDiffer() throws {
        let set = try set(50)
        let orders = (0..<20).map { order(set.miniBatches(size: 50, seed: $0)) }
        #expect(Set(orders).count == 20)
    }

    @Test func chosenRowsAlone() throws {
        let set = try set(100)
        let chosen = stride(from: 0, to: 100, by: 3).map { $0 }
        #expect(order(set.miniBatches(size: 8, seed: 1, rows: chosen)).sorted() == chosen.map { Int64($0) })
        #expect(order(set.miniBatches(size: 8, seed: 1, rows: [])) == [])
    }
}
