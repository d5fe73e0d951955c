import Columns

/// Functions that cut, pad and join strings. Positions and lengths count code points.
extension Kernel {
    /// `trim`, `ltrim`, `rtrim`: of spaces, or of any character of the second operand.
    func trim(_ function: Function, _ operands: [Vector]) -> Vector {
        let input = operands[0].text
        let atStart = function != .trimEnd
        let atEnd = function != .trimStart
        let count = operands.count == 1 ? count(operands[0]) : rows
        let characters = operands.count == 2 ? operands[1].text : nil
        let space: [UInt8] = [UInt8(ascii: " ")]
        let result = texts(count) { output, row in
            let set = characters?.slice(row) ?? space[...]
            var rest = input.slice(row)
            while atStart, !rest.isEmpty {
                let end = Self.next(rest, rest.startIndex)
                guard Self.contains(set, rest[..<end]) else { break }
                rest = rest[end...]
            }
            while atEnd, !rest.isEmpty {
                var start = rest.endIndex - 1
                while start > rest.startIndex, !Self.isLeading(rest[start]) { start -= 1 }
                guard Self.contains(set, rest[start...]) else { break }
                rest = rest[..<start]
            }
            output.append(rest)
        }
        return Vector(.text(result), isConstant: false, .strict(operands, rows: rows))
    }

    /// The end of the code point that starts at a place.
    private static func next(_ text: ArraySlice<UInt8>, _ start: Int) -> Int {
        var place = start + 1
        while place < text.endIndex, !isLeading(text[place]) { place += 1 }
        return place
    }

    private static func contains(_ set: ArraySlice<UInt8>, _ character: ArraySlice<UInt8>) -> Bool {
        var place = set.startIndex
        while place < set.endIndex {
            let end = next(set, place)
            if set[place..<end].elementsEqual(character) { return true }
            place = end
        }
        return false
    }

    /// `left` and `right`: that many characters, or all but that many where the count is negative.
    func end(_ function: Function, _ operand: Vector, _ count: Vector) -> Vector {
        let (input, counts) = (operand.text, count.int64)
        let isLeft = function == .left
        let result = texts(rows) { output, row in
            let text = input.slice(row)
            let count = counts[row]
            let length = Int64(Self.length(text))
            let magnitude = count == .min ? .max : abs(count)
            let kept = count >= 0 ? min(magnitude, length) : max(0, length - magnitude)
            output.append(Self.characters(text, isLeft ? 0..<kept : length - kept..<length))
        }
        return Vector(.text(result), isConstant: false, .strict([operand, count], rows: rows))
    }

    /// `split_part(text, delimiter, n)`: field n from the start, or from the end where it is negative; 0 is undefined.
    func splitPart(_ operands: [Vector]) -> Vector {
        var validity = Validity.strict(operands, rows: rows)
        let (input, delimiter, number) = (operands[0].text, operands[1].text, operands[2].int64)
        let result = texts(rows, &validity) { output, row in
            let number = number[row]
            if number == 0 { return false }
            let (text, mark) = (input.slice(row), delimiter.slice(row))
            let marks = mark.isEmpty ? [] : Self.places(of: mark, in: text)
            let fields = Int64(marks.count) + 1
            let field = number > 0 ? number : (number < -fields ? 0 : fields + number + 1)
            guard field >= 1, field <= fields else { return true }
            let index = Int(field) - 1
            let start = index == 0 ? text.startIndex : marks[index - 1] + mark.count
            output.append(text[start..<(index == marks.count ? text.endIndex : marks[index])])
            return true
        }
        return Vector(.text(result), isConstant: false, validity)
    }

    /// Where a text that is not empty occurs, from the left and without overlaps.
    private static func places(of wanted: ArraySlice<UInt8>, in text: ArraySlice<UInt8>) -> [Int] {
        var places: [Int] = []
        var place = text.startIndex
        while place + wanted.count <= text.endIndex {
            if text[place] == wanted.first, text[place...].starts(with: wanted) {
                places.append(place)
                place += wanted.count
            } else {
                place += 1
            }
        }
        return places
    }

    /// `strpos`: the place of the second operand in the first, counted from 1; 0 where it does not occur.
    func place(_ operand: Vector, _ part: Vector) -> Vector {
        let (input, wanted) = (operand.text, part.text)
        let result = (0..<rows).map { row -> Int64 in
            let (text, wanted) = (input.slice(row), wanted.slice(row))
            if wanted.isEmpty { return 1 }
            var place = text.startIndex
            while place + wanted.count <= text.endIndex {
                if text[place] == wanted.first, text[place...].starts(with: wanted) {
                    return Int64(Self.length(text[..<place])) + 1
                }
                place += 1
            }
            return 0
        }
        return Vector(.int64(result), isConstant: false, .strict([operand, part], rows: rows))
    }

    /// `concat_ws`: the operands that are not null, with the first one between them; null only where that is.
    func join(_ operands: [Vector]) -> Vector {
        let separator = operands[0].text
        let parts = operands.dropFirst().map { (text: $0.text, valid: $0.validMask(rows)) }
        var validity = Validity(valid: operands[0].validMask(rows), invalid: operands[0].invalidMask(rows))
        for operand in operands.dropFirst() {
            guard let mask = operand.invalidMask(rows) else { continue }
            validity.invalid = validity.invalid.map { Masks.or($0, mask) } ?? mask
            validity.valid = validity.valid.map { Masks.andNot($0, mask) } ?? Masks.not(mask)
        }
        let result = texts(rows) { output, row in
            var isFirst = true
            for part in parts where part.valid.map({ Masks.bit($0, row) }) ?? true {
                if !isFirst { output.append(separator.slice(row)) }
                output.append(part.text.slice(row))
                isFirst = false
            }
        }
        return Vector(.text(result), isConstant: false, validity)
    }

    func repeated(_ operand: Vector, _ count: Vector) -> Vector {
        var validity = Validity.strict([operand, count], rows: rows)
        let (input, counts) = (operand.text, count.int64)
        let result = texts(rows, &validity) { output, row in
            let text = input.slice(row)
            let count = counts[row]
            guard count > 0, !text.isEmpty else { return true }
            guard count <= Int64(Self.maximumLength / text.count) else { return false }
            for _ in 0..<count { output.append(text) }
            return true
        }
        return Vector(.text(result), isConstant: false, validity)
    }

    /// `lpad` and `rpad`: a text filled, or cut at its end, to a number of characters.
    func pad(_ function: Function, _ operands: [Vector]) -> Vector {
        var validity = Validity.strict(operands, rows: rows)
        let (input, length, fill) = (operands[0].text, operands[1].int64, operands[2].text)
        let result = texts(rows, &validity) { output, row in
            let wanted = max(length[row], 0)
            let text = input.slice(row)
            let characters = Int64(Self.length(text))
            let kept = wanted < characters ? Self.characters(text, 0..<wanted) : text
            let filling = fill.slice(row)
            if filling.isEmpty || wanted <= characters {
                output.append(kept)
                return true
            }
            // A character has at most four bytes.
            guard wanted <= Int64(Self.maximumLength / 4) else { return false }
            if function == .padEnd { output.append(kept) }
            var missing = wanted - characters
            let whole = Int64(Self.length(filling))
            while missing >= whole {
                output.append(filling)
                missing -= whole
            }
            output.append(Self.characters(filling, 0..<missing))
            if function == .padStart { output.append(kept) }
            return true
        }
        return Vector(.text(result), isConstant: false, validity)
    }

    /// A `like` pattern with another escape character, or with none, written with backslashes (PostgreSQL's
    /// `like_escape`).
    ///
    /// An escape of more than one character is undefined.
    func likeEscape(_ pattern: Vector, _ escape: Vector) -> Vector {
        var validity = Validity.strict([pattern, escape], rows: rows)
        let (patterns, escapes) = (pattern.text, escape.text)
        let backslash = UInt8(ascii: "\\")
        let result = texts(rows, &validity) { output, row in
            let (pattern, escape) = (patterns.slice(row), escapes.slice(row))
            if Self.length(escape) > 1 { return false }
            if escape.first == backslash {
                output.append(pattern)
                return true
            }
            var place = pattern.startIndex
            var isEscaped = false
            while place < pattern.endIndex {
                let end = Self.next(pattern, place)
                let character = pattern[place..<end]
                place = end
                if !isEscaped, !escape.isEmpty, character.elementsEqual(escape) {
                    output.append(backslash)
                    isEscaped = true
                    continue
                }
                if character.first == backslash, !isEscaped { output.append(backslash) }
                output.append(character)
                isEscaped = false
            }
            return true
        }
        return Vector(.text(result), isConstant: false, validity)
    }
}
