import CPostgres

extension Connection {
    private enum Step {
        case prepare(StatementCache.Key, name: String)
        case execute(index: Int)
    }

    /// Runs several statements in one round trip and returns their rows.
    ///
    /// Outside a transaction the statements form one: when one fails, none has happened. The error is that of the first
    /// statement that failed and carries its text.
    public func pipeline(_ statements: [(String, [Parameter])]) throws(PostgresError) -> [Rows] {
        let prepared = try encode(statements)
        guard !prepared.isEmpty else { return [] }
        let mayRetry = !isInTransaction
        try probe?("pipeline", .before)
        do throws(PostgresError) {
            let rows = try runPipeline(prepared)
            try probe?("pipeline", .after)
            return rows
        } catch {
            guard error.saysStatementIsStale else { throw error }
            for statement in prepared { self.statements.forget(statement.key) }
            guard mayRetry else { throw error }
        }
        return try runPipeline(prepared)
    }

    private typealias Encoded = (key: StatementCache.Key, buffer: ParameterBuffer)

    private func encode(_ statements: [(String, [Parameter])]) throws(PostgresError) -> [Encoded] {
        var encoded: [Encoded] = []
        encoded.reserveCapacity(statements.count)
        for (sql, parameters) in statements {
            try checkCanRun(sql)
            let buffer = try ParameterBuffer(parameters)
            encoded.append((StatementCache.Key(sql: sql, types: buffer.types), buffer))
        }
        return encoded
    }

    private func runPipeline(_ encoded: [Encoded]) throws(PostgresError) -> [Rows] {
        guard PQenterPipelineMode(pointer) == 1 else { throw localFailure("pipeline") }
        var failure: PostgresError?
        var steps: [Step] = []
        do throws(PostgresError) {
            try send(encoded, &steps)
        } catch {
            failure = error
        }
        var rows: [Rows] = []
        if PQpipelineSync(pointer) == 1 {
            for step in steps where !isUnusable {
                receive(step, encoded, &rows, &failure)
            }
            receiveSync()
        } else {
            isUnusable = true
        }
        if isUnusable || PQexitPipelineMode(pointer) != 1 {
            failure = failure ?? localFailure("pipeline")
            isUnusable = true
        }
        if let failure { throw failure }
        try evictStatements()
        return rows
    }

    private func send(_ encoded: [Encoded], _ steps: inout [Step]) throws(PostgresError) {
        var names: [StatementCache.Key: String] = [:]
        for (index, statement) in encoded.enumerated() {
            let key = statement.key
            let name: String
            if let known = names[key] ?? statements.name(for: key) {
                name = known
            } else {
                name = statements.newName()
                guard PQsendPrepare(pointer, name, key.sql, Int32(key.types.count), key.types) == 1 else {
                    throw localFailure(key.sql)
                }
                steps.append(.prepare(key, name: name))
            }
            names[key] = name
            let sent = statement.buffer.withPointers { count, values, lengths, formats in
                PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
            }
            guard sent == 1 else { throw localFailure(key.sql) }
            steps.append(.execute(index: index))
        }
    }

    /// Takes the results of one step; after the first failure the server skips the rest.
    private func receive(
        _ step: Step,
        _ encoded: [Encoded],
        _ rows: inout [Rows],
        _ failure: inout PostgresError?
    ) {
        while let result = PQgetResult(pointer) {
            if PQresultStatus(result) == PGRES_PIPELINE_ABORTED {
                PQclear(result)
                continue
            }
            do throws(PostgresError) {
                switch step {
                case .prepare(let key, let name):
                    _ = try checked(result, key.sql)
                    statements.insert(name, for: key)
                case .execute(let index):
                    rows.append(Rows(try checked(result, encoded[index].key.sql)))
                }
            } catch {
                failure = failure ?? error
                if isUnusable { return }
            }
        }
        if PQstatus(pointer) != CONNECTION_OK { isUnusable = true }
    }

    private func receiveSync() {
        guard !isUnusable else { return }
        guard let result = PQgetResult(pointer) else {
            isUnusable = true
            return
        }
        if PQresultStatus(result) != PGRES_PIPELINE_SYNC { isUnusable = true }
        PQclear(result)
    }
}
