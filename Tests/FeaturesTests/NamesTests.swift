import Expressions
import Features
import Testing

@Suite struct TimeSpanTests {
    @Test(arguments: [
        ("0s", 0, "0s"), ("90s", 90_000_000, "1m30s"), ("10m", 600_000_000, "10m"), ("3h", 10_800_000_000, "3h"),
        ("7d", 604_800_000_000, "7d"), ("1h30m", 5_400_000_000, "1h30m"), ("30m1h", 5_400_000_000, "1h30m"),
        ("1h1h", 7_200_000_000, "2h"), ("24h", 86_400_000_000, "1d"), ("5ms", 5000, "5ms"), ("5us", 5, "5us"),
        ("1d2h3m4s5ms6us", 93_784_005_006, "1d2h3m4s5ms6us"), ("007s", 7_000_000, "7s"),
        ("9223372036854775807us", Int64.max, "106751991d4h54s775ms807us"),
    ]) func reads(text: String, microseconds: Int64, shortest: String) {
        #expect(TimeSpan(text)?.microseconds == microseconds)
        #expect(TimeSpan(microseconds: microseconds).description == shortest)
        #expect(TimeSpan(shortest)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "3", "h", "-3h", "+3h", "3 h", " 3h", "3h ", "3H", "3w", "3min", "1.5h", "3h30", "h3", "3hm", "٣h", "3h,4m",
        "9223372036854775808us", "106751992d", "106751991d5h", "99999999999999999999s",
    ]) func refuses(text: String) {
        #expect(TimeSpan(text) == nil)
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func roundTrips(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let span = TimeSpan(microseconds: Int64(random.next() >> UInt64.random(in: 1..<64, using: &random)))
        #expect(TimeSpan(span.description) == span)
        #expect(TimeSpan(microseconds: 5) < TimeSpan(microseconds: 6))
    }
}

@Suite struct ReferenceTests {
    @Test(arguments: ["a", "_", "Z9", "seat.row-2", "a_b", String(repeating: "a", count: 200)]) func names(text: String)
    {
        #expect(isName(text))
    }

    @Test(arguments: [
        "", "1a", "-a", ".a", "a b", "a@1", "a:b", "é", "a\u{301}", "a/b", "a\0", "[", "`", "{", "a'", "a\n",
        String(repeating: "a", count: 201),
    ]) func notNames(text: String) {
        #expect(!isName(text))
    }

    @Test func versions() {
        #expect(VersionReference("weather") == VersionReference(name: "weather"))
        #expect(VersionReference("weather@3") == VersionReference(name: "weather", number: 3))
        #expect(VersionReference("weather@3")?.description == "weather@3")
        #expect(VersionReference("weather")?.description == "weather")
        for text in ["", "@1", "a@", "a@0", "a@-1", "a@+1", "a@1@2", "a@x", "a@1.0", "a @1", "a@9223372036854775808"] {
            #expect(VersionReference(text) == nil, "\(text)")
        }
    }

    @Test func features() {
        #expect(FeatureReference("a:b") == FeatureReference(view: "a", feature: "b"))
        #expect(FeatureReference("a:b")?.description == "a:b")
        for text in ["", "a", "a:", ":b", "a:b:c", "a:1", "a@1:b", "a: b"] {
            #expect(FeatureReference(text) == nil, "\(text)")
        }
    }

    @Test func kindsHaveWords() {
        for kind in Kind.allCases { #expect(Kind(word: kind.rawValue) == kind) }
        #expect(Kind(word: "Feature-Views") == .view)
        #expect(Kind(word: "datasets") == .snapshot)
        #expect(Kind(word: "thing") == nil)
    }

    @Test func theClosestNameIsSuggested() {
        let names = ["wind_speed", "wind_gust", "visib"]
        #expect(closest(to: "wind_sped", among: names) == "wind_speed")
        #expect(closest(to: "VISIB", among: names) == "visib")
        #expect(closest(to: "temperature", among: names) == nil)
        #expect(closest(to: "a", among: [String]()) == nil)
        #expect(suggestion(for: "visbi", among: names) == "")
        #expect(suggestion(for: "visi", among: names) == "; did you mean 'visib'?")
        #expect(closest(to: "ab", among: ["ac", "aa"]) == "aa")
    }

    @Test func statusesHaveFeastNames() {
        for status in FeatureStatus.allCases { #expect(FeatureStatus(text: status.text) == status) }
        #expect(FeatureStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
        #expect(FeatureStatus(text: "present") == nil)
    }
}
