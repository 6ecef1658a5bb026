// The tokens of one text, in flat arrays: what every tokenizer fills, every filter rewrites and the
// write buffer reads. Reused from text to text, so analysis allocates nothing per token.
//
// Invariants
//     1  `positions` never falls; tokens of one position are synonyms of each other.
//     2  Token i's term is terms[termEnds[i - 1]..<termEnds[i]], valid UTF-8.
//     3  Offsets are in bytes of the original UTF-8 text (before character filters), on scalar borders.
//     4  `keywords` is empty (no token is one) or has an entry for every token.

public struct TokenBuffer: Sendable {
    public var terms: [UInt8] = []
    public var termEnds: [Int32] = []
    /// The first token of a text has position 0, unless tokens before it were dropped (a stop word leaves a gap).
    public var positions: [Int32] = []
    /// How many positions a token spans; 1 but for graphs (multi-word synonyms, word_delimiter_graph).
    public var positionLengths: [Int32] = []
    public var startOffsets: [Int32] = []
    public var endOffsets: [Int32] = []
    public var types: [TokenType] = []
    /// Tokens that stemmers leave alone (keyword_marker, keyword_repeat).
    public var keywords: [Bool] = []
    /// Positions in the whole text, trailing gaps included: the next value of a field goes on from here
    /// (plus position_increment_gap).
    public var positionCount: Int32 = 0

    public init() {}

    public var count: Int { termEnds.count }

    /// Empties, keeping the memory.
    public mutating func removeAll() {
        terms.removeAll(keepingCapacity: true)
        termEnds.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        positionLengths.removeAll(keepingCapacity: true)
        startOffsets.removeAll(keepingCapacity: true)
        endOffsets.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        keywords.removeAll(keepingCapacity: true)
        positionCount = 0
    }

    /// Where token i's bytes lie in `terms`.
    @inlinable
    public func range(_ i: Int) -> Range<Int> { (i == 0 ? 0 : Int(termEnds[i - 1]))..<Int(termEnds[i]) }

    public func term(_ i: Int) -> String { String(decoding: terms[range(i)], as: UTF8.self) }
}

/// Elasticsearch's names, as `_analyze` shows them.
public enum TokenType: UInt8, Sendable {
    case word, alphanum, num, ideographic, hiragana, katakana, hangul, southeastAsian, emoji, synonym, shingle, email, url
    case single, double, gram, fingerprint, apostrophe, acronym, company, host

    public var name: String {
        switch self {
        case .word: "word"
        case .alphanum: "<ALPHANUM>"
        case .num: "<NUM>"
        case .ideographic: "<IDEOGRAPHIC>"
        case .hiragana: "<HIRAGANA>"
        case .katakana: "<KATAKANA>"
        case .hangul: "<HANGUL>"
        case .southeastAsian: "<SOUTHEAST_ASIAN>"
        case .emoji: "<EMOJI>"
        case .synonym: "SYNONYM"
        case .shingle: "shingle"
        case .email: "<EMAIL>"
        case .url: "<URL>"
        case .single: "<SINGLE>"
        case .double: "<DOUBLE>"
        case .gram: "gram"
        case .fingerprint: "fingerprint"
        case .apostrophe: "<APOSTROPHE>"
        case .acronym: "<ACRONYM>"
        case .company: "<COMPANY>"
        case .host: "<HOST>"
        }
    }
}

// MARK: - For tokenizers and filters

/// All of a token but its term.
struct TokenAttributes {
    var position: Int32 = 0
    var positionLength: Int32 = 1
    var start: Int32 = 0
    var end: Int32 = 0
    var type: TokenType = .word
    var isKeyword = false
}

extension TokenBuffer {
    @inline(__always)
    func attributes(_ i: Int) -> TokenAttributes {
        TokenAttributes(
            position: positions[i], positionLength: positionLengths[i], start: startOffsets[i], end: endOffsets[i], type: types[i],
            isKeyword: keywords.isEmpty ? false : keywords[i])
    }

    /// Makes a token of the bytes appended to `terms` since the last one.
    @inline(__always)
    mutating func finish(_ a: TokenAttributes) {
        if a.isKeyword || !keywords.isEmpty {
            while keywords.count < termEnds.count { keywords.append(false) }
            keywords.append(a.isKeyword)
        }
        termEnds.append(Int32(clamping: terms.count))
        positions.append(a.position)
        positionLengths.append(a.positionLength)
        startOffsets.append(a.start)
        endOffsets.append(a.end)
        types.append(a.type)
    }

    mutating func append(_ term: some Collection<UInt8>, _ a: TokenAttributes) {
        terms.append(contentsOf: term)
        finish(a)
    }

    /// Token i of another buffer.
    mutating func append(_ i: Int, of other: TokenBuffer) {
        terms.append(contentsOf: other.terms[other.range(i)])
        finish(other.attributes(i))
    }

    /// Keeps the tokens for which `keep` says so; the others leave gaps in the positions.
    @inline(__always)
    mutating func filter(_ keep: (_ index: Int, _ term: Span<UInt8>) -> Bool) {
        var stays: [Bool] = []
        stays.reserveCapacity(count)
        var start = 0, kept = 0
        for i in 0..<count {
            let end = Int(termEnds[i])
            let stay = keep(i, terms.span.extracting(start..<end))
            stays.append(stay)
            if stay { kept += 1 }
            start = end
        }
        if kept < count { compact(stays, kept) }
    }

    private mutating func compact(_ stays: [Bool], _ kept: Int) {
        var from = 0, to = 0
        // A local: its uniqueness is checked once and not per token.
        var ends: [Int32] = []
        swap(&ends, &termEnds)
        // Safe: `to` never passes `from`, and both stay within the terms; `ends` has an entry per token.
        unsafe terms.withUnsafeMutableBufferPointer { bytes in
            unsafe ends.withUnsafeMutableBufferPointer { ends in
                for i in 0..<min(stays.count, ends.count) {
                    let end = unsafe Int(ends[i])
                    if stays[i] {
                        if to == from { to = end } else {
                            for k in from..<end {
                                unsafe bytes[to] = bytes[k]
                                to &+= 1
                            }
                        }
                        unsafe ends[i] = Int32(truncatingIfNeeded: to)
                    }
                    from = end
                }
            }
        }
        swap(&ends, &termEnds)
        terms.removeLast(terms.count - to)
        Self.compact(&termEnds, stays, kept)
        Self.compact(&positions, stays, kept)
        Self.compact(&positionLengths, stays, kept)
        Self.compact(&startOffsets, stays, kept)
        Self.compact(&endOffsets, stays, kept)
        Self.compact(&types, stays, kept)
        if !keywords.isEmpty { Self.compact(&keywords, stays, kept) }
    }

    @inline(__always)
    private static func compact<T>(_ values: inout [T], _ stays: [Bool], _ kept: Int) {
        guard values.count == stays.count else { return }
        // Safe: `to` never passes `i`, which is below the count.
        unsafe values.withUnsafeMutableBufferPointer { p in
            var to = 0
            for i in 0..<stays.count where stays[i] {
                unsafe p[to] = p[i]
                to &+= 1
            }
        }
        values.removeLast(values.count - kept)
    }
}
