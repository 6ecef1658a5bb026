// Wildcard and regular expression patterns as Elasticsearch writes them, compiled to byte automata.
//
//     wildcard   * any run, ? any one character, \ takes the next literally
//     regexp     | ? + * {n,m} . [a-z] [^a-z] ( ) "literal" \x, and Lucene's & ~ # @ < > operators less < >, & and ~
//
// Sources: Elasticsearch reference, "Wildcard query" and "Regular expression syntax".

package import QueryDSL

package enum TermPattern {
    /// Longest pattern taken; Elasticsearch's `index.max_regex_length`.
    static let lengthMax = 1000

    package static func wildcard(_ pattern: String, ignoresCase: Bool = false) throws(QueryError) -> ByteAutomaton {
        try checkLength(pattern, "wildcard")
        var builder = AutomatonBuilder(ignoresCase: ignoresCase)
        var whole = try builder.empty()
        var prefix: [UInt8]? = ignoresCase ? nil : []
        var literal: [UInt8] = []
        var escaped = false
        for scalar in pattern.unicodeScalars {
            let piece: AutomatonBuilder.Fragment
            if !escaped, scalar == "\\" {
                escaped = true
                continue
            }
            if !escaped, scalar == "*" {
                let any = try builder.anyCharacter()
                piece = try builder.repeated(any, atLeastOnce: false)
                if prefix != nil { (literal, prefix) = (prefix ?? [], nil) }
            } else if !escaped, scalar == "?" {
                piece = try builder.anyCharacter()
                if prefix != nil { (literal, prefix) = (prefix ?? [], nil) }
            } else {
                piece = try builder.character(scalar)
                prefix? += Array(String(scalar).utf8)
            }
            escaped = false
            whole = builder.concatenate(whole, piece)
        }
        if escaped { whole = builder.concatenate(whole, try builder.character("\\")) }
        return ByteAutomaton(builder, whole, prefix: prefix ?? literal)
    }

    package static func regexp(_ pattern: String, ignoresCase: Bool = false) throws(QueryError) -> ByteAutomaton {
        try checkLength(pattern, "regexp")
        var parser = RegexpParser(pattern, ignoresCase: ignoresCase)
        let whole = try parser.parse()
        return ByteAutomaton(parser.builder, whole, prefix: ignoresCase ? [] : parser.literalPrefix)
    }

    /// A prefix in any case.
    package static func prefix(_ text: String, ignoresCase: Bool) throws(QueryError) -> ByteAutomaton {
        try checkLength(text, "prefix")
        var builder = AutomatonBuilder(ignoresCase: ignoresCase)
        var whole = try builder.empty()
        for scalar in text.unicodeScalars { whole = builder.concatenate(whole, try builder.character(scalar)) }
        let any = try builder.anyCharacter()
        whole = builder.concatenate(whole, try builder.repeated(any, atLeastOnce: false))
        return ByteAutomaton(builder, whole, prefix: ignoresCase ? [] : Array(text.utf8))
    }

    /// A whole term in any case.
    package static func literal(_ text: String, ignoresCase: Bool) throws(QueryError) -> ByteAutomaton {
        try checkLength(text, "term")
        var builder = AutomatonBuilder(ignoresCase: ignoresCase)
        var whole = try builder.empty()
        for scalar in text.unicodeScalars { whole = builder.concatenate(whole, try builder.character(scalar)) }
        return ByteAutomaton(builder, whole, prefix: ignoresCase ? [] : Array(text.utf8))
    }

    private static func checkLength(_ pattern: String, _ kind: String) throws(QueryError) {
        guard pattern.utf8.count <= lengthMax else {
            throw QueryError("illegal_argument_exception",
                "The length of regex [\(pattern.utf8.count)] used in the \(kind) query has exceeded the allowed maximum of [\(lengthMax)]. This maximum can be set by changing the [index.max_regex_length] index level setting.")
        }
    }
}

/// Recursive descent over alternatives, sequences, repetitions and atoms; depth bounded by `depthMax`.
private struct RegexpParser {
    var builder: AutomatonBuilder
    private let scalars: [Unicode.Scalar]
    private var i = 0
    private var depth = 0
    private static let depthMax = 50, repetitionsMax = 1000

    init(_ pattern: String, ignoresCase: Bool) {
        builder = AutomatonBuilder(ignoresCase: ignoresCase)
        scalars = Array(pattern.unicodeScalars)
    }

    /// The plain characters that the pattern begins with.
    var literalPrefix: [UInt8] {
        guard !scalars.contains("|") else { return [] }
        var result: [UInt8] = []
        for (k, scalar) in scalars.enumerated() {
            if "?*+{}.[]()\"\\#@&<>~".unicodeScalars.contains(scalar) { break }
            if k + 1 < scalars.count, "?*{".unicodeScalars.contains(scalars[k + 1]) { break }
            result += Array(String(scalar).utf8)
        }
        return result
    }

    mutating func parse() throws(QueryError) -> AutomatonBuilder.Fragment {
        let whole = try alternatives()
        guard i == scalars.count else { throw wrong("end-of-string expected") }
        return whole
    }

    private mutating func alternatives() throws(QueryError) -> AutomatonBuilder.Fragment {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw wrong("nested deeper than \(Self.depthMax)") }
        var result = try sequence()
        while take("|") { result = try builder.either(result, try sequence()) }
        return result
    }

    private mutating func sequence() throws(QueryError) -> AutomatonBuilder.Fragment {
        var result = try builder.empty()
        while i < scalars.count, scalars[i] != "|", scalars[i] != ")" {
            result = builder.concatenate(result, try repetition())
        }
        return result
    }

    private mutating func repetition() throws(QueryError) -> AutomatonBuilder.Fragment {
        let from = i
        var result = try atom()
        var again = 0
        while i < scalars.count {
            again += 1
            guard again <= Self.depthMax else { throw wrong("too many repetition operators") }
            if take("?") {
                result = try optional(result)
            } else if take("*") {
                result = try builder.repeated(result, atLeastOnce: false)
            } else if take("+") {
                result = try builder.repeated(result, atLeastOnce: true)
            } else if take("{") {
                let (low, high) = try bounds()
                result = try counted(from: from, to: i, low: low, high: high)
            } else { break }
        }
        return result
    }

    private mutating func optional(_ a: AutomatonBuilder.Fragment) throws(QueryError) -> AutomatonBuilder.Fragment {
        try builder.either(a, try builder.empty())
    }

    /// Builds the atom at `from` anew for every repetition, since fragments are not copied.
    private mutating func counted(from: Int, to: Int, low: Int, high: Int?) throws(QueryError) -> AutomatonBuilder.Fragment {
        var result = try builder.empty()
        for _ in 0..<low { result = builder.concatenate(result, try again(from)) }
        if let high {
            var tail = try builder.empty()
            for _ in 0..<max(0, high - low) {
                let one = try again(from)
                tail = try optional(builder.concatenate(one, tail))
            }
            result = builder.concatenate(result, tail)
        } else {
            let one = try again(from)
            result = builder.concatenate(result, try builder.repeated(one, atLeastOnce: false))
        }
        i = to
        return result
    }

    private mutating func again(_ from: Int) throws(QueryError) -> AutomatonBuilder.Fragment {
        i = from
        return try atom()
    }

    private mutating func bounds() throws(QueryError) -> (Int, Int?) {
        let low = number()
        guard let low else { throw wrong("integer expected") }
        var high: Int? = low
        if take(",") { high = i < scalars.count && scalars[i] == "}" ? nil : number() }
        guard take("}") else { throw wrong("expected '}'") }
        guard low <= Self.repetitionsMax, (high ?? 0) <= Self.repetitionsMax, high ?? low >= low else { throw wrong("illegal repetition range") }
        return (low, high)
    }

    private mutating func number() -> Int? {
        var digits = ""
        while i < scalars.count, ("0"..."9").contains(scalars[i]), digits.count < 9 {
            digits.unicodeScalars.append(scalars[i])
            i += 1
        }
        return Int(digits)
    }

    private mutating func atom() throws(QueryError) -> AutomatonBuilder.Fragment {
        guard i < scalars.count else { throw wrong("unexpected end-of-string") }
        let scalar = scalars[i]
        i += 1
        switch scalar {
        case ".": return try builder.anyCharacter()
        case "@":
            let any = try builder.anyCharacter()
            return try builder.repeated(any, atLeastOnce: false)
        case "#": return try builder.never()
        case "(":
            if take(")") { return try builder.empty() }
            let inner = try alternatives()
            guard take(")") else { throw wrong("expected ')'") }
            return inner
        case "[": return try characterClass()
        case "\"":
            var whole = try builder.empty()
            while i < scalars.count, scalars[i] != "\"" {
                whole = builder.concatenate(whole, try builder.character(scalars[i]))
                i += 1
            }
            guard take("\"") else { throw wrong("expected '\"'") }
            return whole
        case "\\":
            guard i < scalars.count else { throw wrong("unexpected end-of-string") }
            i += 1
            return try escaped(scalars[i - 1])
        case "&", "~", "<", ">": throw wrong("the operator '\(scalar)' is not supported: put a backslash before it to search for the character")
        case "*", "+", "?", "{": throw wrong("nothing to repeat")
        default: return try builder.character(scalar)
        }
    }

    private mutating func escaped(_ scalar: Unicode.Scalar) throws(QueryError) -> AutomatonBuilder.Fragment {
        if let (ranges, negated) = Self.classes(scalar) { return try builder.anyOf(ranges, negated: negated) }
        return try builder.character(scalar)
    }

    private static func classes(_ scalar: Unicode.Scalar) -> ([ClosedRange<UInt32>], Bool)? {
        let digits: [ClosedRange<UInt32>] = [0x30...0x39], spaces: [ClosedRange<UInt32>] = [0x20...0x20, 0x09...0x0A, 0x0D...0x0D]
        let words = digits + [0x41...0x5A, 0x61...0x7A, 0x5F...0x5F]
        switch scalar {
        case "d": return (digits, false)
        case "D": return (digits, true)
        case "s": return (spaces, false)
        case "S": return (spaces, true)
        case "w": return (words, false)
        case "W": return (words, true)
        default: return nil
        }
    }

    private mutating func characterClass() throws(QueryError) -> AutomatonBuilder.Fragment {
        let negated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while i < scalars.count, scalars[i] != "]" {
            if scalars[i] == "\\", i + 1 < scalars.count, let (more, isNegated) = Self.classes(scalars[i + 1]), !isNegated {
                ranges += more
                i += 2
                continue
            }
            let low = try classCharacter()
            if i + 1 < scalars.count, scalars[i] == "-", scalars[i + 1] != "]" {
                i += 1
                let high = try classCharacter()
                guard low <= high else { throw wrong("interval is reversed") }
                ranges.append(low...high)
            } else { ranges.append(low...low) }
        }
        guard take("]") else { throw wrong("expected ']'") }
        return try builder.anyOf(ranges, negated: negated)
    }

    private mutating func classCharacter() throws(QueryError) -> UInt32 {
        if take("\\"), i >= scalars.count { throw wrong("unexpected end-of-string") }
        i += 1
        return scalars[i - 1].value
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard i < scalars.count, scalars[i] == scalar else { return false }
        i += 1
        return true
    }

    private func wrong(_ what: String) -> QueryError {
        QueryError("illegal_argument_exception", "\(what) at position \(i) of the regular expression")
    }
}
