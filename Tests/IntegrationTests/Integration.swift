import Testing

/// Everything here starts servers and processes, so it runs one test at a time.
@Suite(.serialized) enum Integration {}

/// Expects every one of some words in a text.
func expectWords(_ text: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    for word in words where !text.contains(word) {
        Issue.record("'\(word)' is not in:\n\(text)", sourceLocation: sourceLocation)
    }
}
