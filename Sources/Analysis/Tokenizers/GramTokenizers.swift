// ngram and edge_ngram: pieces of min to max characters from every place, or from the start, of each run of
// token characters. Lengths are counted in code points, as Lucene does.

struct GramTokenizer: Tokenizer {
    let minGram: Int, maxGram: Int
    let onlyEdges: Bool
    /// Nil: every character belongs to a token.
    let tokenCharacters: CharacterGroup?

    static func make(_ d: Definition, _ limits: AnalysisLimits, onlyEdges: Bool) throws(AnalysisError) -> GramTokenizer {
        let minGram = try d.int("min_gram", 1, 1...10_000), maxGram = try d.int("max_gram", 2, 1...10_000)
        guard minGram <= maxGram else { throw AnalysisError("minGram must not be greater than maxGram") }
        if !onlyEdges && maxGram - minGram > limits.ngramDifferenceMax {
            throw AnalysisError(
                "The difference between max_gram and min_gram in NGram Tokenizer must be less than or equal to: [\(limits.ngramDifferenceMax)] but was [\(maxGram - minGram)]. This limit can be set by changing the [index.max_ngram_diff] index level setting.")
        }
        var group: CharacterGroup?
        for name in try d.strings("token_chars") ?? [] {
            var g = group ?? CharacterGroup()
            if name == "custom" {
                guard let own = d.string("custom_token_chars") else { throw AnalysisError("Token type: 'custom' requires setting [custom_token_chars]") }
                for scalar in own.unicodeScalars { g.add(scalar: scalar.value) }
            } else if !g.add(named: name.lowercased()) {
                throw AnalysisError("Unknown token type: '\(name.lowercased())', must be one of [symbol, private_use, paragraph_separator, start_punctuation, unassigned, enclosing_mark, connector_punctuation, letter_number, other_number, math_symbol, lowercase_letter, space_separator, surrogate, initial_quote_punctuation, decimal_digit_number, digit, other_punctuation, dash_punctuation, currency_symbol, non_spacing_mark, format, modifier_letter, control, uppercase_letter, other_symbol, end_punctuation, modifier_symbol, other_letter, line_separator, titlecase_letter, letter, punctuation, combining_spacing_mark, final_quote_punctuation, whitespace, custom]")
            }
            group = g
        }
        return GramTokenizer(minGram: minGram, maxGram: maxGram, onlyEdges: onlyEdges, tokenCharacters: group)
    }

    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        var a = TokenAttributes(type: .word)
        var i = 0
        var borders: [Int] = []
        while i < text.count {
            borders.removeAll(keepingCapacity: true)
            while i < text.count {
                let (c, n) = decodeScalar(text, i)
                if let tokenCharacters, !tokenCharacters.contains(c) {
                    if borders.isEmpty { i += n; continue } else { break }
                }
                borders.append(i)
                i += n
            }
            borders.append(i)
            let length = borders.count - 1
            for start in 0..<(onlyEdges ? min(1, length) : length) {
                guard start + minGram <= length else { break }
                for size in minGram...min(maxGram, length - start) {
                    guard tokens.count < AnalysisBounds.tokensMax else { throw AnalysisError("the text makes more than \(AnalysisBounds.tokensMax) n-grams") }
                    let r = borders[start]..<borders[start + size]
                    (a.start, a.end) = (Int32(clamping: r.lowerBound), Int32(clamping: r.upperBound))
                    tokens.terms.append(span: text.extracting(r))
                    tokens.finish(a)
                    a.position &+= 1
                }
            }
        }
        tokens.positionCount = a.position
    }
}
