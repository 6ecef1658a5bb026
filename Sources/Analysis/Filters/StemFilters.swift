// Stemmers and what steers them: snowball, stemmer, keyword_marker, keyword_repeat, stemmer_override.

import CIsothermStemmer

/// A Snowball algorithm of libstemmer.
final class SnowballFilter: TokenFilter {
    private let algorithm: String
    private let pool = Pool<Handle>()

    init(_ algorithm: String, in name: String) throws(AnalysisError) {
        self.algorithm = algorithm
        guard let handle = Handle(algorithm) else { throw AnalysisError("Invalid stemmer class specified: \(algorithm) (of [\(name)])") }
        pool.give(handle)
    }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        guard let handle = pool.take() ?? Handle(algorithm) else { throw AnalysisError("no memory for the stemmer [\(algorithm)]") }
        tokens.rewriteTerms(&scratch, keepingKeywords: true) { term, out in
            handle.cache.append(term, to: &out) { term, out in
                // Safe: libstemmer reads term.count bytes; its result lives until its next call.
                unsafe term.withUnsafeBufferPointer { p in
                    guard p.count < 10_000, let stem = unsafe sb_stemmer_stem(handle.stemmer, p.baseAddress, Int32(truncatingIfNeeded: p.count)) else {
                        unsafe out.append(contentsOf: p)
                        return
                    }
                    let length = unsafe Int(sb_stemmer_length(handle.stemmer))
                    unsafe out.append(contentsOf: UnsafeBufferPointer(start: stem, count: max(0, length)))
                }
            }
        }
        pool.give(handle)
    }

    @safe private final class Handle {
        let stemmer: OpaquePointer
        var cache = StemCache()
        init?(_ algorithm: String) {
            guard let made = unsafe sb_stemmer_new(algorithm, "UTF_8") else { return nil }
            unsafe stemmer = made
        }
        deinit { unsafe sb_stemmer_delete(stemmer) }
    }
}

/// A stemmer that works on the scalars of one word: the light stemmers in Languages/.
struct ScalarStemFilter: TokenFilter {
    let stem: @Sendable (inout [Unicode.Scalar]) -> Void

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var word: [Unicode.Scalar] = []
        tokens.rewriteTerms(&scratch, keepingKeywords: true) { term, out in
            word.removeAll(keepingCapacity: true)
            var i = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                word.append(Unicode.Scalar(c) ?? "\u{FFFD}")
                i += n
            }
            stem(&word)
            for c in word { out.append(scalar: c.value) }
        }
    }
}

/// Marks the tokens that stemmers leave alone.
struct KeywordMarkerFilter: TokenFilter {
    let words: TermSet
    let regex: Regex?

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        while tokens.keywords.count < tokens.count { tokens.keywords.append(false) }
        for i in 0..<tokens.count {
            let r = tokens.range(i)
            if words.contains(tokens.terms.span.extracting(r)) { tokens.keywords[i] = true }
            guard let regex else { continue }
            var whole = false
            let term = Array(tokens.terms[r])
            try regex.matches(in: term.span) { match in
                whole = whole || match.range == 0..<term.count
                return !whole
            }
            if whole { tokens.keywords[i] = true }
        }
    }
}

/// Every token twice: as a keyword, and to be stemmed.
struct KeywordRepeatFilter: TokenFilter {
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        for i in 0..<tokens.count {
            var a = tokens.attributes(i)
            a.isKeyword = true
            scratch.append(tokens.terms[tokens.range(i)], a)
            a.isKeyword = false
            scratch.append(tokens.terms[tokens.range(i)], a)
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }
}

/// Gives listed words a stem of their own and keeps the stemmers off it.
struct StemmerOverrideFilter: TokenFilter {
    let rules: [[UInt8]: [UInt8]]

    init(rules lines: [String], in name: String) throws(AnalysisError) {
        var rules: [[UInt8]: [UInt8]] = [:]
        for line in lines where !trimmed(line).isEmpty {
            let sides = splitOnce(line, "=>")
            guard let sides else { throw AnalysisError("Invalid Keyword override Rule:\(line)") }
            for word in sides.0.split(separator: ",") { rules[Array(trimmed(String(word)).utf8)] = Array(trimmed(sides.1).utf8) }
        }
        self.rules = rules
    }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        for i in 0..<tokens.count {
            var a = tokens.attributes(i)
            let term = tokens.terms[tokens.range(i)]
            if !a.isKeyword, let stem = rules[Array(term)] {
                a.isKeyword = true
                scratch.append(stem, a)
            } else {
                scratch.append(term, a)
            }
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }
}

func splitOnce(_ text: String, _ separator: String) -> (String, String)? {
    let bytes = Array(text.utf8), mark = Array(separator.utf8)
    guard bytes.count >= mark.count else { return nil }
    for i in 0...(bytes.count - mark.count) where Array(bytes[i..<(i + mark.count)]) == mark {
        return (String(decoding: bytes[..<i], as: UTF8.self), String(decoding: bytes[(i + mark.count)...], as: UTF8.self))
    }
    return nil
}
