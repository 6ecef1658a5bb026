// Tokenizers that look at one character at a time: whitespace, letter, lowercase, char_group; and keyword,
// which looks at none.

import CIsothermICU

/// The whole text as one token; none when it is empty.
struct KeywordTokenizer: Tokenizer {
    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        guard text.count > 0 else { return }
        tokens.terms.append(span: text)
        tokens.finish(TokenAttributes(end: Int32(clamping: text.count), type: .word))
        tokens.positionCount = 1
    }
}

/// Runs of the characters for which `isTokenCharacter` says so (Lucene's CharTokenizer).
struct CharacterTokenizer: Tokenizer {
    enum Kind: Sendable { case whitespace, letter, group(CharacterGroup) }
    let kind: Kind
    var lowercases = false
    /// In UTF-16 code units; longer runs are cut.
    var maxTokenLength = 255

    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        var i = 0, a = TokenAttributes(type: .word)
        while i < text.count {
            let (c, n) = decodeScalar(text, i)
            guard belongs(c) else {
                i += n
                continue
            }
            let start = i
            var units = 0
            while i < text.count {
                let (c, n) = decodeScalar(text, i)
                guard belongs(c) else { break }
                let width = c >= 0x10000 ? 2 : 1
                if units > 0 && units + width > maxTokenLength { break }
                units += width
                tokens.terms.append(scalar: lowercases ? isotherm_to_lower(c) : c)
                i += n
            }
            (a.start, a.end) = (Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: i))
            tokens.finish(a)
            a.position &+= 1
        }
        tokens.positionCount = a.position
    }

    @inline(__always)
    private func belongs(_ c: UInt32) -> Bool {
        switch kind {
        case .whitespace:
            c < 0x80 ? !(c == 0x20 || (0x9...0xD).contains(c) || (0x1C...0x1F).contains(c)) : isotherm_scalar_class(c) & UInt16(ISOTHERM_IS_WHITESPACE) == 0
        case .letter:
            c < 0x80 ? (c | 0x20) &- 0x61 < 26 : isotherm_scalar_class(c) & UInt16(ISOTHERM_IS_LETTER) != 0
        case .group(let group): !group.contains(c)
        }
    }
}

/// Characters and classes of characters, as char_group and the n-gram tokenizers name them.
struct CharacterGroup: Sendable {
    private(set) var flags: UInt16 = 0
    private(set) var scalars: Set<UInt32> = []

    func contains(_ c: UInt32) -> Bool { isotherm_scalar_class(c) & flags != 0 || scalars.contains(c) }

    /// False when the name is unknown.
    mutating func add(named name: String) -> Bool {
        switch name {
        case "letter": flags |= UInt16(ISOTHERM_IS_LETTER)
        case "digit": flags |= UInt16(ISOTHERM_IS_DIGIT)
        case "whitespace": flags |= UInt16(ISOTHERM_IS_WHITESPACE)
        case "punctuation": flags |= UInt16(ISOTHERM_IS_PUNCTUATION)
        case "symbol": flags |= UInt16(ISOTHERM_IS_SYMBOL)
        default: return false
        }
        return true
    }

    mutating func add(scalar: UInt32) { scalars.insert(scalar) }
}
