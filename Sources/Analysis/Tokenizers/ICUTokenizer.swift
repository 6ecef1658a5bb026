// icu_tokenizer and thai: words by ICU's root rules and dictionaries (Thai, Lao, Khmer, Burmese; Chinese and
// Japanese with one). What Elasticsearch's plugin does differently: it keeps Myanmar syllables and tells scripts.

import CIsothermICU

struct ICUTokenizer: Tokenizer {
    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        var a = TokenAttributes()
        var start = 0
        BreakIterator.words.forEach(in: text) { end, status in
            defer { start = end }
            guard status >= 100, let type = Self.type(text, start, end, status) else { return }
            (a.start, a.end, a.type) = (Int32(clamping: start), Int32(clamping: end), type)
            tokens.terms.append(span: text.extracting(start..<end))
            tokens.finish(a)
            a.position &+= 1
        }
        tokens.positionCount = a.position
    }

    private static func type(_ text: Span<UInt8>, _ start: Int, _ end: Int, _ status: Int32) -> TokenType? {
        if status < 200 { return .num }
        let flags = isotherm_scalar_class(decodeScalar(text, start).scalar)
        if flags & UInt16(ISOTHERM_IS_SOUTHEAST_ASIAN) != 0 { return .southeastAsian }
        if flags & UInt16(ISOTHERM_IS_HANGUL) != 0 { return .hangul }
        if status >= 400 { return .ideographic }
        if status >= 300 { return flags & UInt16(ISOTHERM_IS_HIRAGANA) != 0 ? .hiragana : .katakana }
        return .alphanum
    }
}

/// Lucene's ThaiTokenizer: sentences first, then words; whatever holds a letter or digit is a token.
struct ThaiTokenizer: Tokenizer {
    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        var a = TokenAttributes(type: .word)
        var start = 0
        BreakIterator.words.forEach(in: text) { end, _ in
            defer { start = end }
            let first = isotherm_scalar_class(decodeScalar(text, start).scalar)
            guard first & UInt16(ISOTHERM_IS_LETTER | ISOTHERM_IS_DIGIT) != 0 else { return }
            (a.start, a.end) = (Int32(clamping: start), Int32(clamping: end))
            tokens.terms.append(span: text.extracting(start..<end))
            tokens.finish(a)
            a.position &+= 1
        }
        tokens.positionCount = a.position
    }
}
