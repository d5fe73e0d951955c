import Columns
import Expressions
import Features
import Formats
import Testing
import TimeZones

/// What the catalog stores of a definition reads back as the same definition.
@Suite struct DefinitionWriterTests {
    private static let types: [DataType] = [
        .bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 3),
    ]

    private struct Draw {
        var random: SeededGenerator

        mutating func flip() -> Bool { Bool.random(using: &random) }

        mutating func count(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

        /// A name; words that YAML reads as something else are among them.
        mutating func name(_ suffix: Int = 0) -> String {
            let stem = ["null", "true", "no", "y", "a", "_", "wind.speed", "X-1", "e5", "kind", "bins2"]
                .randomElement(using: &random)
            return (stem ?? "a") + (suffix > 0 ? "_\(suffix)" : "")
        }

        mutating func text() -> String {
            let parts = [
                "a", " ", "\n", "\t", "'", "\"", "\\", ": ", " #", "- ", "null", "~", "1", "é", "𝄞", "{", "]", "%", "@",
                "\r",
                "<", "|", ">", "\u{0}", "\u{1F}", "",
            ]
            return (0..<count(0...5)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
        }

        mutating func type() -> DataType { types.randomElement(using: &random) ?? .bool }

        mutating func fields() -> [Field] { (1...count(1...4)).map { Field(name($0), type()) } }

        mutating func span() -> TimeSpan {
            TimeSpan(microseconds: Int64(random.next() >> UInt64.random(in: 1..<60, using: &random)) | 1)
        }

        mutating func reference() -> FeatureReference { FeatureReference(view: "v_" + name(), feature: name()) }

        mutating func definition() -> Definition {
            switch count(0...5) {
            case 0:
                return .entity(Entity(name: name(), joinKeys: fields().filter(\.type.isKey) + [Field("last", .int64)]))
            case 1:
                var source = Source(
                    name: name(),
                    columns: fields(),
                    eventTime: flip() ? .column(name()) : .expression(text())
                )
                switch count(0...2) {
                case 0: source.knownAt = name()
                case 1: source.availableAfter = span()
                default: break
                }
                if flip(), case .column(let column) = source.eventTime {
                    source.timeZones[column] = try? TimeZoneRules.named("America/New_York")
                }
                if flip(), let column = source.knownAt, source.timeZones[column] == nil {
                    source.timeZones[column] = try? TimeZoneRules.named("Asia/Kolkata")
                }
                if flip() { source.filter = text() }
                source.nullValues = (0..<count(0...3)).map { _ in text() }
                return .source(source)
            case 2:
                return .view(
                    FeatureView(
                        name: "v_" + name(),
                        entities: (0..<count(0...2)).map { _ in name() },
                        source: name(),
                        ttl: flip() ? span() : nil,
                        features: (1...count(1...4)).map {
                            Feature(name: name($0), type: type(), expression: flip() ? text() : nil)
                        }
                    )
                )
            case 3:
                let method: Discretizer.Method =
                    switch count(0...2) {
                    case 0: .quantile(bins: count(2...65_536))
                    case 1: .uniform(bins: count(2...65_536))
                    default: .explicit(edges: edges())
                    }
                return .discretizer(Discretizer(name: name(), input: reference(), method: method))
            case 4:
                return .space(
                    EmbeddingSpace(
                        name: name(),
                        dimension: count(1...65_536),
                        metric: ["cosine", "dot", "euclidean"].randomElement(using: &random) ?? "dot",
                        producer: text()
                    )
                )
            default:
                return .service(
                    FeatureService(name: name(), features: (1...count(1...4)).map { _ in serviceFeature() })
                )
            }
        }

        mutating func edges() -> [Double] {
            let values =
                (0..<count(0...6)).map { _ in Double(bitPattern: random.next()) } + [0.1, 1e22, .leastNonzeroMagnitude]
            return Set(values.filter { $0.isFinite && $0 != 0 }).sorted()
        }

        mutating func serviceFeature() -> ServiceFeature {
            let origin: ServiceFeature.Origin =
                switch count(0...3) {
                case 0: .feature(reference())
                case 1: .bins(input: reference(), discretizer: name())
                case 2: .embedding(space: name(), key: .joinKey(name()))
                default: .embedding(space: name(), key: .feature(reference()))
                }
            var feature = ServiceFeature(origin, alias: flip() ? name() : nil)
            if case .embedding(_, .joinKey) = origin { return feature }
            for key in (0..<count(0...2)).map({ name($0) }) { feature.keys[key] = "dest_" + name() }
            return feature
        }
    }

    @Test(arguments: 0..<300 as Range<UInt64>) func readsBack(seed: UInt64) throws {
        var draw = Draw(random: SeededGenerator(seed: seed))
        let definition = draw.definition()
        let read = try DefinitionReader.read(definition.json.text, file: "stored.json")
        #expect(read.map(\.definition) == [definition], "\(definition.json.text)")
        #expect(read.first?.definition.json.encoded() == definition.json.encoded())
    }

    /// YAML takes some characters that JSON leaves bare for line breaks, or refuses them.
    @Test(arguments: ["\u{7F}", "\u{85}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFF}", "\u{9F}"])
    func readsBackWhatYAMLWouldChange(character: String) throws {
        let feature = Feature(name: "f", type: .bool, expression: "code = 'a\(character)b'")
        let definition = Definition.view(FeatureView(name: "v", entities: [], source: "s", features: [feature]))
        let read = try DefinitionReader.read(definition.json.text, file: "stored.json")
        guard case .view(let view)? = read.first?.definition else {
            Issue.record("not read as a view")
            return
        }
        #expect(view.features[0].expression.map { Array($0.utf8) } == feature.expression.map { Array($0.utf8) })
    }
}
