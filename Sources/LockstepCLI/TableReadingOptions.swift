import ArgumentParser
import Columns
import Formats

/// What a user says of a table file that is read.
struct TableReadingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only these columns, in this order; a name with a comma in quotes.", valueName: "a,b,…"))
    var columns: String?
    @Option(help: ArgumentHelp("What timestamps without a time zone are the clock of.", valueName: "zone"))
    var timezone: String?
    @Option(help: "The character between the cells of a CSV file; a comma, or a tab in .tsv, where left out.")
    var delimiter: String?
    @Option(
        help: ArgumentHelp("A spelling of null in a CSV file, such as NA; may be given again.", valueName: "spelling")
    )
    var null: [String] = []

    func names() throws -> [String]? { try columns.map { try ColumnNames($0).names } }

    func csvOptions(path: String) throws -> CSVOptions {
        var options = CSVOptions(path: path)
        options.nullSpellings = null
        if let timezone { options.naiveTimestamps = try NaiveTimestamps(zone: timezone) }
        if let delimiter {
            let text = delimiter == "\\t" || delimiter == "tab" ? "\t" : delimiter
            guard let byte = text.utf8.first, text.utf8.count == 1 else {
                throw UsageError("--delimiter '\(delimiter)' is not one ASCII character; write , or ; or tab")
            }
            options.delimiter = byte
        }
        return options
    }
}

/// Column names as they stand in an option: `a,b`, a name that holds a comma or a quote being quoted as in CSV.
struct ColumnNames {
    let names: [String]

    init(_ text: String) throws {
        names = try splitList(text)
        guard !names.contains("") else { throw UsageError("'\(text)' has an empty column name; write a,b") }
    }
}

/// Column types as they stand in an option: `a=int64,v=vector<float32, 3>`.
struct ColumnTypes {
    private(set) var byName: [String: DataType] = [:]

    init(_ text: String) throws {
        for item in text.isEmpty ? [] : try splitList(text) {
            guard let equals = item.lastIndex(of: "="), equals > item.startIndex else {
                throw UsageError("'\(item)' is not name=type, as in age=int64")
            }
            let name = String(item[..<equals])
            let spelling = item[item.index(after: equals)...]
            guard let type = DataType(spelling) else {
                throw UsageError("'\(spelling)' of column '\(name)' is not a type; use one of \(DataType.spellings)")
            }
            guard byName.updateValue(type, forKey: name) == nil else {
                throw UsageError("--types names column '\(name)' twice")
            }
        }
    }
}

/// The items between commas; commas in quotes and in angle brackets are part of an item, and a doubled quote is a quote.
private func splitList(_ text: String) throws -> [String] {
    var items = [""]
    var isQuoted = false
    var depth = 0
    var characters = text.makeIterator()
    var next = characters.next()
    while let character = next {
        next = characters.next()
        switch character {
        case "\"" where isQuoted && next == "\"":
            items[items.count - 1].append("\"")
            next = characters.next()
        case "\"": isQuoted.toggle()
        case "," where !isQuoted && depth == 0: items.append("")
        default:
            if !isQuoted { depth = max(0, depth + (character == "<" ? 1 : character == ">" ? -1 : 0)) }
            items[items.count - 1].append(character)
        }
    }
    guard !isQuoted else { throw UsageError("'\(text)' has a quote that does not end") }
    return items
}
