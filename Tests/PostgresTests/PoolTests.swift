import Testing

@testable import Postgres

@Suite struct PoolStateTests {
    @Test func waitersAreServedInOrder() {
        var state = PoolState(size: 2)
        #expect(state.admit(1) == .run(0))
        #expect(state.admit(2) == .run(1))
        #expect(state.admit(3) == .wait)
        #expect(state.admit(4) == .wait)
        #expect(state.admit(5) == .wait)
        #expect(state.cancel(4) == true)
        #expect(state.cancel(4) == false)
        #expect(state.cancel(1) == false)
        #expect(state.release(1) == .handOver(1, to: 3))
        #expect(state.release(0) == .handOver(0, to: 5))
        #expect(state.release(1) == .park)
        #expect(state.runningCount == 1)
        #expect(state.admit(6) == .run(1))
    }

    @Test func shutdownTurnsWaitersAwayAndWaitsForTheRest() {
        var state = PoolState(size: 1)
        #expect(state.admit(1) == .run(0))
        #expect(state.admit(2) == .wait)
        #expect(state.shutDown() == [2])
        #expect(state.admit(3) == .refuse)
        #expect(state.release(0) == .finished)
    }

    @Test func randomUseNeverLosesASlot() {
        var random = SystemRandomNumberGenerator()
        var state = PoolState(size: 3)
        var queue: [PoolState.Waiter] = []
        var busy: Set<PoolState.Slot> = []
        for _ in 0..<5000 {
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let waiter = state.newWaiter()
                switch state.admit(waiter) {
                case .run(let slot):
                    let isFree = busy.insert(slot).inserted
                    #expect(queue.isEmpty && isFree)
                case .wait:
                    #expect(busy.count == 3)
                    queue.append(waiter)
                case .refuse: Issue.record("not shut down")
                }
            case 1:
                guard let slot = busy.randomElement(using: &random) else { continue }
                switch state.release(slot) {
                case .handOver(let same, let waiter):
                    #expect(same == slot)
                    let next = queue.removeFirst()
                    #expect(waiter == next)
                case .park:
                    #expect(queue.isEmpty)
                    busy.remove(slot)
                case .finished: Issue.record("not shut down")
                }
            default:
                guard let waiter = queue.randomElement(using: &random) else { continue }
                #expect(state.cancel(waiter) == true)
                queue.removeAll { $0 == waiter }
            }
            #expect(state.waitingCount == queue.count && state.runningCount == busy.count)
        }
    }
}

@Suite struct PoolTests {
    private func pool(_ size: Int) throws -> (ConnectionPool, String) {
        let target = try TemporaryCluster.shared().makeDatabase()
        return (ConnectionPool(target: target, size: size), target)
    }

    private func wait(until condition: () throws -> Bool) async throws {
        for _ in 0..<2000 {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("the condition was not met in 10 s")
    }

    @Test func neverMoreConnectionsThanItsSize() async throws {
        let (pool, _) = try pool(3)
        let running = Shared((now: 0, most: 0))
        let processes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<30 {
                group.addTask {
                    try await pool.withConnection { connection in
                        running.update {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        _ = try connection.query("select pg_sleep(0.005)::text")
                        running.update { $0.now -= 1 }
                        return connection.backendProcess
                    }
                }
            }
            return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
        }
        #expect(running.value.most <= 3)
        #expect(processes.count <= 3)
        await pool.shutdown()
        await #expect(throws: PostgresError.self) { try await pool.withConnection { _ in } }
    }

    @Test func firstComeFirstServedAndCancellationLeavesTheQueue() async throws {
        let (pool, target) = try pool(1)
        // The lock keeps the only connection busy until everybody has queued.
        let blocker = try Connection(target)
        try blocker.execute("select pg_advisory_lock(1)")
        let order = Shared<[Int]>([])
        let holder = Task { try await pool.withConnection { try $0.execute("select pg_advisory_lock(1)") } }
        let blocked = """
            select 1 from pg_locks join pg_database d on d.oid = database
            where not granted and datname = current_database()
            """
        try await wait { try blocker.query(blocked).count == 1 }
        var waiters: [Task<Void, any Error>] = []
        for number in 0..<6 {
            waiters.append(Task { try await pool.withConnection { _ in order.update { $0.append(number) } } })
            try await wait { pool.waitingCount == number + 1 }
        }
        waiters[2].cancel()
        try await wait { pool.waitingCount == 5 }
        await #expect(throws: CancellationError.self) { try await waiters[2].value }
        try blocker.execute("select pg_advisory_unlock(1)")
        _ = try await holder.value
        for (number, waiter) in waiters.enumerated() where number != 2 { try await waiter.value }
        #expect(order.value == [0, 1, 3, 4, 5])
        await pool.shutdown()
    }

    @Test func aTerminatedConnectionIsReplaced() async throws {
        let (pool, target) = try pool(1)
        let killer = try Connection(target)
        let first = try await pool.withConnection { $0.backendProcess }
        try killer.execute("select pg_terminate_backend($1::int4, 10000)", [.int64(Int64(first))])
        let second = try await pool.withConnection { connection in
            _ = try connection.query("select 1")
            return connection.backendProcess
        }
        #expect(first != second)
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withConnection { connection in
                try connection.execute("select pg_terminate_backend(pg_backend_pid())")
            }
        }
        #expect(error?.code == .connectionFailed)
        #expect(try await pool.withConnection { try $0.query("select 1").only().int64(0) } == 1)
        await pool.shutdown()
    }

    @Test func aConnectionIsHandedOnClean() async throws {
        let (pool, _) = try pool(1)
        try await pool.withConnection { connection in
            try connection.listen(to: "c")
            try connection.script("begin; create table left_behind ()")
        }
        let (listening, found) = try await pool.withConnection { connection in
            (
                try connection.query("select pg_listening_channels()").count,
                try connection.query("select 1 from pg_class where relname = 'left_behind'").count
            )
        }
        #expect(listening == 0)
        #expect(found == 0)
        await pool.shutdown()
    }

    @Test func anAbsentServerIsAClearError() async throws {
        let pool = ConnectionPool(target: "host=/nonexistent dbname=x", size: 2)
        let error = await #expect(throws: PostgresError.self) { try await pool.withConnection { _ in } }
        #expect(error?.code == .connectionFailed)
        await pool.shutdown()
    }
}
