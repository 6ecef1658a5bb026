// The tokens of one text, in flat arrays: what every tokenizer fills, every filter rewrites and the
// write buffer reads. Reused from text to text, so analysis allocates nothing per token.
//
// Invariants
//     1  `positions` never falls; tokens of one position are synonyms of each other.
//     2  Token i's term is terms[termEnds[i - 1]..<termEnds[i]], valid UTF-8.
//     3  Offsets are in bytes of the original UTF-8 text (before character filters), on scalar borders.

package struct TokenBuffer: Sendable {
    package var terms: [UInt8] = []
    package var termEnds: [Int32] = []
    /// The first token of a text has position 0, unless tokens before it were dropped (a stop word leaves a gap).
    package var positions: [Int32] = []
    /// How many positions a token spans; 1 but for graphs (multi-word synonyms, word_delimiter_graph).
    package var positionLengths: [Int32] = []
    package var startOffsets: [Int32] = []
    package var endOffsets: [Int32] = []
    package var types: [TokenType] = []
    /// Positions in the whole text, trailing gaps included: the next value of a field goes on from here
    /// (plus position_increment_gap).
    package var positionCount: Int32 = 0

    package init() {}

    package var count: Int { termEnds.count }

    /// Empties, keeping the memory.
    package mutating func removeAll() {
        terms.removeAll(keepingCapacity: true)
        termEnds.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        positionLengths.removeAll(keepingCapacity: true)
        startOffsets.removeAll(keepingCapacity: true)
        endOffsets.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        positionCount = 0
    }

    /// Where token i's bytes lie in `terms`.
    @inlinable
    package func range(_ i: Int) -> Range<Int> { (i == 0 ? 0 : Int(termEnds[i - 1]))..<Int(termEnds[i]) }

    package func term(_ i: Int) -> String { String(decoding: terms[range(i)], as: UTF8.self) }
}

/// Elasticsearch's names, as `_analyze` shows them.
package enum TokenType: UInt8, Sendable {
    case word, alphanum, num, ideographic, hiragana, katakana, hangul, southeastAsian, emoji, synonym, shingle, email, url

    package var name: String {
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
        }
    }
}
