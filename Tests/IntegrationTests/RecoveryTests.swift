import Catalog
import Formats
import Lockstep
import Objects
import Postgres
import Testing
import Wire

extension Integration {
    @Suite struct RecoveryTests {
        private func startWorker(_ fixture: ServiceFixture) async throws -> RunningProgram {
            let worker = try RunningProgram(
                ["serve", "--port", "\(try ServiceFixture.freePort())", "--project", FeatureRepository.project],
                in: fixture.repository.directory,
                environment: ["DATABASE_URL": fixture.database, "OBJECT_STORE": fixture.objects]
            )
            try await worker.waitForOutput("lockstep serve: http://")
            return worker
        }

        /// Waits until the database says so.
        private func wait(until what: String, _ fixture: ServiceFixture, is value: Int64) async throws {
            let connection = try fixture.connect()
            for _ in 0..<1500 {
                if try connection.query("select (\(what))::bigint").only().int64(0) == value { return }
                try await Task.sleep(for: .milliseconds(10))
            }
            Issue.record("waited in vain for \(what) to be \(value)")
        }

        @Test func anIngestKilledInTheMiddleIsTakenUpAgainAndCommitsOnce() async throws {
            try await ServiceFixture.run(worksJobs: false) { fixture in
                let repository = fixture.repository
                let data = GeneratedData(seed: 31)
                try repository.writeDefinitions()
                try repository.write(data)
                try await repository.lockstep("apply")
                let before = try fixture.rowCounts()
                let store = RemoteObjectStore(client: fixture.client, cache: repository.path(".lockstep/cache"))
                let file = try await store.putFile(at: repository.path("data/trips.csv"), encoding: .lz4)
                let request = JobRequest.ingest(
                    JobRequest.Ingest(
                        source: "trips",
                        inputs: [JobRequest.Ingest.Input(name: "data/trips.csv", object: "\(file.digest)")]
                    )
                )
                let job = try await fixture.client.post(
                    fixture.client.projectPath("jobs"),
                    request,
                    as: JobStatus.self
                )
                #expect(job.state == "queued")

                // The worker is held at the moment it would record its segment, and dies there.
                let barrier = try fixture.connect()
                try barrier.script("begin; lock table segments in share mode")
                let first = try await startWorker(fixture)
                let waiting = """
                    select count(*) from pg_locks l join pg_database d on d.oid = l.database
                    where not l.granted and d.datname = current_database()
                    """
                try await wait(until: waiting, fixture, is: 1)
                first.kill()
                try barrier.script("rollback")
                try await wait(until: waiting, fixture, is: 0)
                try await wait(
                    until: """
                        select count(*) from pg_stat_activity where datname = current_database()
                        and state = 'idle in transaction'
                        """,
                    fixture,
                    is: 0
                )
                #expect(try fixture.rowCounts() == before)
                #expect(try fixture.count("jobs where state = 'running'") == 1)

                // Until the lease lapses the job is the dead worker's; then another takes it up.
                let second = try await startWorker(fixture)
                try await Task.sleep(for: .milliseconds(300))
                #expect(try fixture.count("jobs where attempts = 1 and state = 'running'") == 1)
                try fixture.connect().execute("update jobs set lease_until = now() - interval '1 second'")
                try await wait(until: "select count(*) from jobs where state = 'done'", fixture, is: 1)
                #expect(try fixture.count("jobs where attempts = 2 and error is null") == 1)
                let segment = try fixture.connect().query("select row_count from segments").only()
                #expect(try segment.int64(0) == Int64(data.trips.count))
                #expect(try fixture.countVersions("segment") == 1)
                let counts = try fixture.rowCounts()
                let again = try await repository.lockstep("ingest", "trips", "data/trips.csv")
                expectWords(again, "already in segment trips@1", "nothing changed")
                #expect(try fixture.rowCounts() == counts)
                second.kill()
            }
        }

        @Test func aJobThatKillsItsWorkersIsFailedInTheEnd() async throws {
            try await ServiceFixture.run(worksJobs: false) { fixture in
                try fixture.repository.writeDefinitions()
                try await fixture.repository.lockstep("apply")
                let job = try await fixture.client.post(
                    fixture.client.projectPath("jobs"),
                    JobRequest.fit(JobRequest.Fit(discretizer: "wind_bins")),
                    as: JobStatus.self
                )
                let pool = ConnectionPool(target: fixture.database, size: 1)
                let catalog = Catalog(pool: pool)
                for attempt in 1...3 {
                    let claimed = try await catalog.claimJob()
                    #expect(claimed?.id == job.id && claimed?.attempts == Int64(attempt))
                    #expect(try await catalog.claimJob() == nil)
                    try fixture.connect().execute("update jobs set lease_until = now() - interval '1 second'")
                }
                #expect(try await catalog.claimJob() == nil)
                await pool.shutdown()
                let status = try await fixture.client.get(
                    fixture.client.projectPath("jobs/\(job.id)"),
                    as: JobStatus.self
                )
                #expect(status.state == "failed")
                expectWords(status.error ?? "", "its worker died 3 times", "start it again")
            }
        }
    }
}
