/// Strings and byte strings.
extension RandomExpressions {
    /// A count that PostgreSQL takes, whose counts are int4.
    mutating func count(_ depth: Int) -> Twin {
        if roll(2) == 0 {
            let value = pick(["-3", "-1", "0", "1", "2", "5", "9"])
            return Twin(value, value)
        }
        return Twin("((@) % 7)", theirs: "((@) % 7)::int4", [expression(.int64, depth: min(depth, 1))])
    }

    mutating func string(_ depth: Int) -> Twin {
        switch roll(26) {
        case 0, 1:
            return Twin(grouped("@ || @"), [expression(.string, depth: depth), expression(.string, depth: depth)])
        case 2: return Twin("\(pick(["lower", "upper", "trim"]))(@)", [expression(.string, depth: depth)])
        case 3:
            let (start, length) = (pick(["-1", "0", "1", "2", "5"]), pick(["-1", "0", "1", "2", "2147483647"]))
            return Twin("substring(@, \(start), \(length))", [expression(.string, depth: depth)])
        case 4: return Twin("substring(@, \(pick(["-1", "2", "3"])))", [expression(.string, depth: depth)])
        case 5:
            return Twin("replace(@, @, @)", [expression(.string, depth: depth), leaf(.string), leaf(.string)])
        case 6: return Twin("cast(@ as string)", theirs: "cast(@ as text)", [expression(.int64, depth: depth)])
        case 7: return Twin("(@)::text", [expression(.bool, depth: depth)])
        case 8: return Twin("\(pick(["left", "right"]))(@, @)", [expression(.string, depth: depth), count(depth)])
        case 9:
            let name = pick(["btrim", "ltrim", "rtrim"])
            return Twin("\(name)(@\(pick(["", ", ' a'", ", 'é日'", ", ''"])))", [expression(.string, depth: depth)])
        case 10:
            let (side, characters) = (pick(["both ", "leading ", "trailing ", ""]), pick(["'a'", "'ab '", "' '"]))
            return Twin("trim(\(side)\(characters) from @)", [expression(.string, depth: depth)])
        case 11:
            return Twin("trim(\(pick(["leading", "trailing", "both"])) from @)", [expression(.string, depth: depth)])
        case 12:
            let parts = [expression(.string, depth: depth), leaf(.string), count(depth)]
            return Twin("split_part(@, @, @)", parts)
        case 13:
            let kinds = (0..<2).map { _ in pick(Kind.ofColumns) }
            let parts = [expression(.string, depth: depth)] + kinds.map { expression($0, depth: min(depth, 1)) }
            return Twin("concat(@, @, @)", parts)
        case 14:
            let kinds = (0..<2).map { _ in pick(Kind.ofColumns) }
            let parts = [expression(.string, depth: depth)] + kinds.map { expression($0, depth: min(depth, 1)) }
            return Twin("concat_ws(@, @, @)", parts)
        case 15: return Twin("repeat(@, @)", [expression(.string, depth: min(depth, 1)), count(depth)])
        case 16: return Twin("reverse(@)", [expression(.string, depth: depth)])
        case 17:
            let form = "\(pick(["lpad", "rpad"]))(@, @\(pick(["", ", 'ab'", ", '日é'", ", ''"])))"
            return Twin(form, [expression(.string, depth: depth), count(depth)])
        case 18:
            let kind = pick([Kind.int64, .bool, .float64, .timestamp])
            return Twin(grouped("@ || @"), [expression(.string, depth: depth), expression(kind, depth: min(depth, 1))])
        case 19, 20: return Twin("(@)::text", [expression(pick([.float32, .float64]), depth: depth)])
        case 21: return Twin("cast(@ as text)", [expression(pick([.timestamp, .wall]), depth: depth)])
        case 22: return Twin("(@)::text", [expression(.bytes, depth: depth)])
        case 23:
            let (start, length) = (pick(["-1", "0", "1", "2"]), pick(["0", "1", "3"]))
            return Twin("substring(@ from \(start) for \(length))", [expression(.string, depth: depth)])
        case 24:
            return Twin(
                "substring(@ \(pick(["for 2", "from 2", "from -1", "for 0"])))",
                [expression(.string, depth: depth)]
            )
        default: return leaf(.string)
        }
    }

    mutating func bytes(_ depth: Int) -> Twin {
        switch roll(4) {
        case 0: return Twin(grouped("@ || @"), [expression(.bytes, depth: depth), expression(.bytes, depth: depth)])
        case 1: return Twin("cast(@ as bytes)", theirs: "cast(@ as bytea)", [expression(.string, depth: depth)])
        default: return leaf(.bytes)
        }
    }
}
