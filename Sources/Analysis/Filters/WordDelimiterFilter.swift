// word_delimiter_graph and word_delimiter: cuts a token at what is neither letter nor digit, where case changes
// and between letters and digits, and joins the parts again as asked.
//
//     Wi-Fi-802n   parts wi|fi|802|n; catenate_words wifi; catenate_all wifi802n; preserve_original
//
// A joined part starts at the first part's position and spans them all (position length); the plain
// word_delimiter keeps the positions and says 1.

import CIsothermICU

struct WordDelimiterFilter: TokenFilter {
    struct Options: Sendable {
        var wordParts = true, numberParts = true
        var catenateWords = false, catenateNumbers = false, catenateAll = false
        var preserveOriginal = false
        var splitOnCaseChange = true, splitOnNumerics = true
        var stemPossessive = true
        var adjustOffsets = true
        var ignoreKeywords = false
        var isGraph = true
    }

    let options: Options
    let protected: TermSet
    /// Characters whose class the caller set (type_table).
    let types: [UInt32: UInt8]

    private static let lower: UInt8 = 1, upper: UInt8 = 2, digit: UInt8 = 4, delimiter: UInt8 = 8
    private static let letter: UInt8 = 3

    static func make(_ d: Definition, graph: Bool) throws(AnalysisError) -> WordDelimiterFilter {
        var o = Options()
        o.wordParts = try d.bool("generate_word_parts", true)
        o.numberParts = try d.bool("generate_number_parts", true)
        o.catenateWords = try d.bool("catenate_words", false)
        o.catenateNumbers = try d.bool("catenate_numbers", false)
        o.catenateAll = try d.bool("catenate_all", false)
        o.preserveOriginal = try d.bool("preserve_original", false)
        o.splitOnCaseChange = try d.bool("split_on_case_change", true)
        o.splitOnNumerics = try d.bool("split_on_numerics", true)
        o.stemPossessive = try d.bool("stem_english_possessive", true)
        o.adjustOffsets = try d.bool("adjust_offsets", true)
        o.ignoreKeywords = try d.bool("ignore_keywords", false)
        o.isGraph = graph
        var types: [UInt32: UInt8] = [:]
        for rule in try d.lines("type_table") ?? [] {
            guard let (left, right) = splitOnce(rule, "=>"), let scalar = unescaped(trimmed(left)).unicodeScalars.first else { throw AnalysisError("Invalid Mapping Rule : [\(rule)]") }
            switch trimmed(right) {
            case "LOWER": types[scalar.value] = lower
            case "UPPER": types[scalar.value] = upper
            case "ALPHA": types[scalar.value] = letter
            case "DIGIT": types[scalar.value] = digit
            case "ALPHANUM": types[scalar.value] = letter | digit
            case "SUBWORD_DELIM": types[scalar.value] = delimiter
            default: throw AnalysisError("Invalid Mapping Rule : [\(rule)]. Illegal type.")
            }
        }
        return WordDelimiterFilter(options: o, protected: TermSet(try d.strings("protected_words") ?? []), types: types)
    }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var shift: Int32 = 0
        for t in 0..<tokens.count {
            var a = tokens.attributes(t)
            let term = Array(tokens.terms[tokens.range(t)])
            a.position &+= shift
            if (options.ignoreKeywords && a.isKeyword) || protected.contains(term.span) {
                scratch.append(term, a)
                continue
            }
            guard let split = split(term) else {
                scratch.append(term, a)
                continue
            }
            if split.parts.isEmpty {
                if options.preserveOriginal { scratch.append(term, a) }
                continue
            }
            let pieces = pieces(split.parts, term, single: split.isSingle)
            let width = pieces.map(\.last).max() ?? 1
            let exact = Int(a.end - a.start) == term.count && options.adjustOffsets
            for piece in pieces {
                var b = a
                b.position &+= piece.first
                b.positionLength = options.isGraph ? piece.last &- piece.first : 1
                if exact {
                    b.start = a.start &+ Int32(clamping: piece.bytes.lowerBound)
                    b.end = a.start &+ Int32(clamping: piece.bytes.upperBound)
                }
                scratch.append(piece.term, b)
            }
            guard scratch.count < AnalysisBounds.tokensMax else { throw AnalysisError("the text makes too many word parts") }
            shift &+= max(0, width &- 1)
        }
        scratch.positionCount = tokens.positionCount &+ shift
        swap(&tokens, &scratch)
    }

    // MARK: -

    private typealias Part = (bytes: Range<Int>, type: UInt8)
    private typealias Piece = (term: [UInt8], first: Int32, last: Int32, bytes: Range<Int>)

    private func type(of c: UInt32) -> UInt8 {
        if !types.isEmpty, let own = types[c] { return own }
        if c < 0x80 {
            if c &- 0x61 < 26 { return Self.lower }
            if c &- 0x41 < 26 { return Self.upper }
            return c &- 0x30 < 10 ? Self.digit : Self.delimiter
        }
        let flags = isotherm_scalar_class(c)
        if flags & UInt16(ISOTHERM_IS_UPPER) != 0 { return Self.upper }
        if flags & UInt16(ISOTHERM_IS_LETTER) != 0 { return isotherm_to_upper(c) != c ? Self.lower : Self.letter }
        if flags & UInt16(ISOTHERM_IS_DIGIT) != 0 { return Self.digit }
        let mark = flags & UInt16(ISOTHERM_WB_MASK) == UInt16(ISOTHERM_WB_EXTEND)
        return mark ? Self.letter : Self.delimiter
    }

    /// The parts of a term; nil when it is one part from end to end.
    private func split(_ term: [UInt8]) -> (parts: [Part], isSingle: Bool)? {
        var scalars: [(type: UInt8, at: Int, c: UInt32)] = []
        var i = 0
        while i < term.count {
            let (c, n) = decodeScalar(term.span, i)
            scalars.append((type(of: c), i, c))
            i += n
        }
        let end = scalars.count
        func at(_ k: Int) -> Int { k < end ? scalars[k].at : term.count }
        var first = 0, bound = end
        while first < bound && scalars[first].type & Self.delimiter != 0 { first += 1 }
        while bound > first && scalars[bound - 1].type & Self.delimiter != 0 { bound -= 1 }
        func isPossessive(_ k: Int, _ limit: Int) -> Bool {
            options.stemPossessive && k > 2 && scalars[k - 2].c == 0x27 && scalars[k - 1].c | 0x20 == 0x73 && scalars[k - 3].type & Self.letter != 0
                && (k == limit || scalars[k].type & Self.delimiter != 0)
        }
        let hadFinal = isPossessive(bound, bound)
        if hadFinal { bound -= 2 }
        var parts: [Part] = []
        var k = first
        while k < bound {
            if scalars[k].type & Self.delimiter != 0 {
                k += 1
                continue
            }
            let start = k
            var last = scalars[k].type, seen = last
            k += 1
            while k < bound, scalars[k].type & Self.delimiter == 0, !isBreak(last, scalars[k].type) {
                last = scalars[k].type
                seen |= last
                k += 1
            }
            parts.append((at(start)..<at(k), scalars[start].type & Self.letter != 0 ? Self.letter : Self.digit))
            if k + 2 <= bound, isPossessive(k + 2, bound) { k += 2 }
        }
        if parts.count == 1 && parts[0].bytes == 0..<term.count { return nil }
        return (parts, parts.count == 1 && parts[0].bytes.lowerBound == at(first) && parts[0].bytes.upperBound == at(bound))
    }

    private func isBreak(_ last: UInt8, _ type: UInt8) -> Bool {
        if type & last != 0 { return false }
        let wasLetter = last & Self.letter != 0, isLetter = type & Self.letter != 0
        if !options.splitOnCaseChange && wasLetter && isLetter { return false }
        if last & Self.upper != 0 && isLetter { return false }
        if !options.splitOnNumerics && ((wasLetter && type & Self.digit != 0) || (last & Self.digit != 0 && isLetter)) { return false }
        return true
    }

    private func generates(_ type: UInt8) -> Bool { type == Self.digit ? options.numberParts : options.wordParts }
    private func catenates(_ type: UInt8) -> Bool { type == Self.digit ? options.catenateNumbers : options.catenateWords }

    private func pieces(_ parts: [Part], _ term: [UInt8], single: Bool) -> [Piece] {
        var out: [Piece] = []
        var place: Int32 = 0, lastJoined = 0
        var run: [Part] = [], runStart: Int32 = 0
        func joined(_ parts: [Part]) -> [UInt8] { parts.flatMap { term[$0.bytes] } }
        func flush() {
            guard let first = run.first, let last = run.last else { return }
            lastJoined = run.count
            if run.count != 1 || !generates(first.type) {
                if place == runStart { place &+= 1 }
                out.append((joined(run), runStart, place, first.bytes.lowerBound..<last.bytes.upperBound))
            }
            run = []
        }
        if single {
            out.append((Array(term[parts[0].bytes]), 0, 1, parts[0].bytes))
            place = 1
        } else {
            for part in parts {
                if let first = run.first, first.type != part.type { flush() }
                if catenates(part.type) {
                    if run.isEmpty { runStart = place }
                    run.append(part)
                }
                if generates(part.type) {
                    out.append((Array(term[part.bytes]), place, place &+ 1, part.bytes))
                    place &+= 1
                }
            }
            flush()
            if options.catenateAll, parts.count > lastJoined, let first = parts.first, let last = parts.last {
                if place == 0 { place = 1 }
                if parts.count > 1 || !generates(first.type) {
                    out.append((joined(parts), 0, place, first.bytes.lowerBound..<last.bytes.upperBound))
                }
            }
        }
        if options.preserveOriginal { out.append((term, 0, max(1, place), 0..<term.count)) }
        let order = out.indices.sorted { (out[$0].first, -out[$0].last, $0) < (out[$1].first, -out[$1].last, $1) }
        return order.map { out[$0] }
    }
}
