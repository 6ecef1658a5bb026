// dictionary_decompounder: listed words found inside a longer one, at its position and with its offsets.

struct DecompounderFilter: TokenFilter {
    let words: TermSet
    /// In code points.
    let minWord: Int, minPart: Int, maxPart: Int
    let onlyLongest: Bool

    static func make(_ d: Definition) throws(AnalysisError) -> DecompounderFilter {
        guard let words = try d.strings("word_list") else { throw AnalysisError("word_list must be provided for [\(d.name)], either as a path to a file, or directly") }
        return DecompounderFilter(
            words: TermSet(words, ignoringCase: true), minWord: try d.int("min_word_size", 5, 1...10_000), minPart: try d.int("min_subword_size", 2, 1...10_000),
            maxPart: try d.int("max_subword_size", 15, 1...10_000), onlyLongest: try d.bool("only_longest_match", false))
    }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var borders: [Int] = []
        for t in 0..<tokens.count {
            scratch.append(t, of: tokens)
            let r = tokens.range(t), a = tokens.attributes(t)
            borders.removeAll(keepingCapacity: true)
            for i in r where tokens.terms[i] & 0xC0 != 0x80 { borders.append(i) }
            borders.append(r.upperBound)
            let length = borders.count - 1
            guard length >= minWord else { continue }
            for start in 0..<length where start + minPart <= length {
                var longest: Range<Int>?
                for size in minPart...max(minPart, min(maxPart, length - start)) {
                    let part = borders[start]..<borders[start + size]
                    guard words.contains(tokens.terms.span.extracting(part)) else { continue }
                    if onlyLongest { longest = part } else { scratch.append(tokens.terms[part], a) }
                }
                if let longest { scratch.append(tokens.terms[longest], a) }
            }
            guard scratch.count < AnalysisBounds.tokensMax else { throw AnalysisError("the text makes too many word parts") }
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }
}

/// delimited_payload: what follows the delimiter is dropped (payloads are not kept).
struct DelimitedPayloadFilter: TokenFilter {
    let delimiter: [UInt8]

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        guard let first = delimiter.first else { return }
        tokens.rewriteTerms(&scratch) { term, out in
            var end = 0
            while end < term.count && !(term[end] == first && end > 0) { end += 1 }
            out.append(span: term.extracting(0..<end))
        }
    }
}
