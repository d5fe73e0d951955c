import Features
import Objects
import Testing

@Suite struct ResolverTests {
    private func error(_ part: String, _ replacement: String) throws -> String {
        let text = try Sample.replacing(part, replacement)
        return (#expect(throws: DefinitionError.self) { try Sample.resolve(text) })?.description ?? ""
    }

    @Test func everythingStandsAfterWhatItUses() throws {
        var generator = SeededGenerator(seed: 3)
        let documents = try DefinitionReader.read(Sample.yaml, file: "f.yaml")
        let expected = Set(try Resolver.resolve(documents))
        for _ in 0..<20 {
            let resolved = try Resolver.resolve(documents.shuffled(using: &generator))
            #expect(Set(resolved) == expected)
            for (position, definition) in resolved.enumerated() {
                let before = Set(resolved[..<position].map(\.name))
                #expect(definition.uses.allSatisfy { before.contains($0.target) })
            }
        }
    }

    @Test func whatIsRegisteredNeedsNoDocument() throws {
        let all = try Sample.resolve()
        let documents = try DefinitionReader.read(Sample.yaml, file: "f.yaml")
        for document in documents {
            let resolved = try Resolver.resolve([document], registered: all)
            #expect(resolved.count == 1)
            #expect(all.contains(resolved[0]))
        }
    }

    @Test func aNameIsDefinedOnce() throws {
        let documents = try DefinitionReader.read(Sample.yaml + "\n---\n" + Sample.yaml, file: "f.yaml")
        let found = #expect(throws: DefinitionError.self) { try Resolver.resolve(documents) }
        #expect(found?.description == "f.yaml:47: entity 'airport' is already defined at f.yaml:1")
        // A space and an entity may share a name.
        #expect(throws: Never.self) {
            try Sample.resolve(
                Sample.replacing("name: routes", "name: airport").split(separator: "space: routes").joined(
                    separator: "space: airport"
                )
            )
        }
    }

    @Test func aReferenceToNothingSaysWhatWasMeant() throws {
        #expect(
            try error("source: weather", "source: wether")
                == "features.yaml:16: view 'airport_weather' refers to source 'wether', which is not defined; "
                + "did you mean 'weather'?"
        )
        #expect(
            try error("entities: [airport]", "entities: [plane]")
                == "features.yaml:16: view 'airport_weather' refers to entity 'plane', which is not defined"
        )
        #expect(
            try error("input: airport_weather:wind\n", "input: airport_weather:wnd\n")
                == "features.yaml:27: discretizer 'wind_bins': feature view 'airport_weather' has no feature 'wnd'; "
                + "did you mean 'wind'?"
        )
        #expect(
            try error("[wind, {", "[wnd, {")
                == "features.yaml:39: feature service 'delay_model': feature view 'airport_weather' has no feature 'wnd'; "
                + "did you mean 'wind'? (it has wind, is_foul, code, n)"
        )
    }

    @Test func expressionFaultsPointAtTheirPlace() throws {
        #expect(
            try error("visib < 3 or", "visb < 3 or").hasPrefix(
                "features.yaml:16: feature 'airport_weather:is_foul': "
            )
        )
        #expect(try error("visib < 3 or", "visb < 3 or").hasSuffix("\n  visb < 3 or wind > 0.5\n  ^"))
        #expect(try error("visib < 3 or", "visib < 3 or or").hasSuffix("\n               ^"))
        #expect(
            try error("type: bool, expression", "type: int64, expression")
                == "features.yaml:16: feature 'airport_weather:is_foul': the expression is bool, declared int64; "
                + "write cast(… as int64), or declare it bool\n  visib < 3 or wind > 0.5\n            ^"
        )
        #expect(
            try error("filter: visib is not null", "filter: visib").hasPrefix(
                "features.yaml:8: source 'weather': filter: "
            )
        )
        #expect(
            try error("event_time: { column: time_hour }", "event_time: { expression: visib }").hasPrefix(
                "features.yaml:8: source 'weather': event_time: "
            )
        )
    }

    @Test func typesAreChecked() throws {
        #expect(
            try error("event_time: { column: time_hour }", "event_time: { column: wind }")
                == "features.yaml:8: source 'weather': event_time column 'wind' is float64, expected timestamp; "
                + "declare it as timestamp or use an expression"
        )
        #expect(
            try error("event_time: { column: time_hour }", "event_time: { column: time_hou }")
                == "features.yaml:8: source 'weather': event_time names column 'time_hou', which the source does not have; "
                + "did you mean 'time_hour'?"
        )
        #expect(
            try error("n: int64 }", "__n: int64 }")
                == "features.yaml:8: source 'weather': column '__n' begins with '__', which is reserved"
        )
        #expect(
            try error("join_keys: { origin: string }", "join_keys: { origin: int64 }")
                == "features.yaml:16: feature view 'airport_weather': join key 'origin' is int64, "
                + "column 'origin' of source 'weather' is string; make them equal"
        )
        #expect(
            try error("join_keys: { origin: string }", "join_keys: { dest: string }")
                == "features.yaml:16: feature view 'airport_weather': source 'weather' has no column 'dest' for the join key; "
                + "add it to the source"
        )
        #expect(
            try error("join_keys: { origin: string }", "join_keys: { wind: float64 }")
                == "features.yaml:6:12: join key 'wind' is float64; a key is bool, int64, string, bytes or timestamp"
        )
        #expect(
            try error("input: airport_weather:wind\n", "input: airport_weather:code\n")
                == "features.yaml:27: discretizer 'wind_bins': its input airport_weather:code is string, "
                + "expected int64, float32 or float64"
        )
    }

    /// A vector cannot be a key: the fault is found where the view is defined, not where rows are joined.
    @Test func aVectorIsNotAJoinKey() throws {
        let text = try Sample.replacing("join_keys: { origin: string }", "join_keys: { origin: 'vector<float32, 2>' }")
            .replacing("columns: { origin: string,", with: "columns: { origin: 'vector<float32, 2>',")
        #expect(throws: DefinitionError.self) { try Sample.resolve(text) }
    }

    @Test func entitiesOfAViewShareNoKey() throws {
        #expect(
            try error("entities: [airport]", "entities: [airport, airport]")
                == "features.yaml:16: feature view 'airport_weather': two of its entities have the join key 'origin'"
        )
    }
}

extension String {
    fileprivate func replacing(_ part: String, with replacement: String) -> String {
        firstRange(of: part).map { self[..<$0.lowerBound] + replacement + self[$0.upperBound...] } ?? self
    }
}
