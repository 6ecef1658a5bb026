// Filters that make more tokens of one: ngram, edge_ngram, pattern_capture, multiplexer; and of several:
// shingle, common_grams, cjk_bigram.

import CIsothermICU

/// ngram and edge_ngram: all grams of a token stand at its position with its offsets.
struct GramFilter: TokenFilter {
    let minGram: Int, maxGram: Int
    let onlyEdges: Bool
    let fromBack: Bool
    let preservesOriginal: Bool

    static func make(_ d: Definition, _ limits: AnalysisLimits, onlyEdges: Bool) throws(AnalysisError) -> GramFilter {
        let minGram = try d.int("min_gram", 1, 1...10_000), maxGram = try d.int("max_gram", 2, 1...10_000)
        guard minGram <= maxGram else { throw AnalysisError("minGram must not be greater than maxGram") }
        if !onlyEdges && maxGram - minGram > limits.ngramDifferenceMax {
            throw AnalysisError(
                "The difference between max_gram and min_gram in NGram Tokenizer must be less than or equal to: [\(limits.ngramDifferenceMax)] but was [\(maxGram - minGram)]. This limit can be set by changing the [index.max_ngram_diff] index level setting.")
        }
        return GramFilter(
            minGram: minGram, maxGram: maxGram, onlyEdges: onlyEdges, fromBack: d.string("side") == "back", preservesOriginal: try d.bool("preserve_original", false))
    }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var borders: [Int] = []
        for t in 0..<tokens.count {
            let r = tokens.range(t), a = tokens.attributes(t)
            borders.removeAll(keepingCapacity: true)
            for i in r where tokens.terms[i] & 0xC0 != 0x80 { borders.append(i) }
            borders.append(r.upperBound)
            let length = borders.count - 1
            for start in 0..<(onlyEdges ? min(1, length) : length) where start + minGram <= length {
                for size in minGram...min(maxGram, length - start) {
                    guard scratch.count < AnalysisBounds.tokensMax else { throw AnalysisError("the text makes more than \(AnalysisBounds.tokensMax) n-grams") }
                    let from = fromBack ? length - size : start
                    scratch.append(tokens.terms[borders[from]..<borders[from + size]], a)
                }
            }
            if preservesOriginal && (length < minGram || length > maxGram) { scratch.append(t, of: tokens) }
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }
}

/// The groups of each match, at the token's position, after the token itself.
struct PatternCaptureFilter: TokenFilter {
    let patterns: [Regex]
    let preservesOriginal: Bool

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        for t in 0..<tokens.count {
            let term = Array(tokens.terms[tokens.range(t)]), a = tokens.attributes(t)
            var found: [Range<Int>] = []
            for regex in patterns {
                try regex.matches(in: term.span) { match in
                    for g in (regex.groupCount == 0 ? 0 : 1)...max(0, regex.groupCount) {
                        if let r = match.group(g), !r.isEmpty, !(preservesOriginal && r == 0..<term.count) { found.append(r) }
                    }
                    return found.count < 100_000
                }
            }
            if preservesOriginal || found.isEmpty { scratch.append(term, a) }
            for r in found.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) { scratch.append(term[r], a) }
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }
}

/// Runs of neighbouring tokens joined: "quick brown", "quick brown fox".
struct ShingleFilter: TokenFilter {
    let minSize: Int, maxSize: Int
    let outputsUnigrams: Bool
    let outputsUnigramsIfAlone: Bool
    let separator: [UInt8]
    /// Stands where a token was dropped.
    let filler: [UInt8]

    static func make(_ d: Definition, _ limits: AnalysisLimits) throws(AnalysisError) -> ShingleFilter {
        let minSize = try d.int("min_shingle_size", 2, 2...1000), maxSize = try d.int("max_shingle_size", 2, 2...1000)
        let unigrams = try d.bool("output_unigrams", true)
        guard minSize <= maxSize else { throw AnalysisError("min_shingle_size must be smaller than or equal to max_shingle_size") }
        let difference = maxSize - minSize + (unigrams ? 1 : 0)
        guard difference <= limits.shingleDifferenceMax else {
            throw AnalysisError(
                "In Shingle TokenFilter the difference between max_shingle_size and min_shingle_size (and +1 if outputting unigrams) must be less than or equal to: [\(limits.shingleDifferenceMax)] but was [\(difference)]. This limit can be set by changing the [index.max_shingle_diff] index level setting.")
        }
        return ShingleFilter(
            minSize: minSize, maxSize: maxSize, outputsUnigrams: unigrams, outputsUnigramsIfAlone: try d.bool("output_unigrams_if_no_shingles", false),
            separator: Array((d.string("token_separator") ?? " ").utf8), filler: Array((d.string("filler_token") ?? "_").utf8))
    }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        // One slot per position: a token, or a gap (-1). Synonyms at a position after the first are not joined.
        var slots: [Int] = []
        for t in 0..<tokens.count {
            let position = Int(tokens.positions[t])
            guard position < AnalysisBounds.tokensMax else { break }
            if position < slots.count { continue }
            while slots.count < position { slots.append(-1) }
            slots.append(t)
        }
        let trailing = min(Int(tokens.positionCount) - slots.count, maxSize - 1)
        for _ in 0..<max(0, trailing) { slots.append(-1) }
        let alone = outputsUnigramsIfAlone && slots.count < minSize
        for start in 0..<slots.count {
            var a = slots[start] >= 0 ? tokens.attributes(slots[start]) : gapAttributes(slots, start, tokens)
            a.position = Int32(truncatingIfNeeded: start)
            if slots[start] >= 0 && (outputsUnigrams || alone) { scratch.append(slots[start], of: tokens) }
            guard start + minSize <= slots.count else { continue }
            for size in minSize...min(maxSize, slots.count - start) {
                let run = slots[start..<(start + size)]
                guard run.contains(where: { $0 >= 0 }) else { continue }
                guard scratch.terms.count < AnalysisBounds.textBytesMax, scratch.count < AnalysisBounds.tokensMax else { throw AnalysisError("the text makes too many shingles") }
                var first = true
                for slot in run {
                    if !first { scratch.terms.append(contentsOf: separator) }
                    first = false
                    scratch.terms.append(contentsOf: slot >= 0 ? tokens.terms[tokens.range(slot)] : filler[...])
                }
                var joined = a
                joined.type = .shingle
                joined.positionLength = outputsUnigrams ? Int32(truncatingIfNeeded: size) : Int32(truncatingIfNeeded: size - minSize + 1)
                if let last = run.last(where: { $0 >= 0 }) { joined.end = tokens.endOffsets[last] }
                scratch.finish(joined)
            }
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }

    private func gapAttributes(_ slots: [Int], _ start: Int, _ tokens: TokenBuffer) -> TokenAttributes {
        guard let next = slots[start...].first(where: { $0 >= 0 }) else { return TokenAttributes(type: .shingle) }
        return tokens.attributes(next)
    }
}

/// Pairs with common words: "the_quick" beside "quick". In query mode the single words go where a pair says it.
struct CommonGramsFilter: TokenFilter {
    let words: TermSet
    let queryMode: Bool

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        let common = (0..<tokens.count).map { words.contains(tokens.terms.span.extracting(tokens.range($0))) }
        var joinedBefore = false
        for t in 0..<tokens.count {
            let pairs = t + 1 < tokens.count && (common[t] || common[t + 1])
            if !queryMode || (!pairs && !joinedBefore) { scratch.append(t, of: tokens) }
            if pairs {
                var a = tokens.attributes(t)
                (a.end, a.positionLength, a.type) = (tokens.endOffsets[t + 1], queryMode ? 1 : 2, .gram)
                scratch.terms.append(contentsOf: tokens.terms[tokens.range(t)])
                scratch.terms.append(UInt8(ascii: "_"))
                scratch.append(tokens.terms[tokens.range(t + 1)], a)
            }
            joinedBefore = pairs
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }
}

/// Overlapping pairs of Han, Hiragana, Katakana and Hangul characters; a character alone stays as it is.
struct CJKBigramFilter: TokenFilter {
    let scripts: Set<TokenType>
    let outputsUnigrams: Bool

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var position: Int32 = -1
        var t = 0
        while t < tokens.count {
            guard scripts.contains(tokens.types[t]) else {
                position &+= t == 0 ? tokens.positions[0] &+ 1 : max(0, tokens.positions[t] &- tokens.positions[t - 1])
                var a = tokens.attributes(t)
                a.position = position
                scratch.append(tokens.terms[tokens.range(t)], a)
                t += 1
                continue
            }
            let gap = t == 0 ? tokens.positions[0] : max(0, tokens.positions[t] &- tokens.positions[t - 1] &- 1)
            // The characters of neighbouring tokens, each with its place in the text.
            var pieces: [(bytes: Range<Int>, start: Int32, end: Int32, type: TokenType)] = []
            let first = t
            while t < tokens.count, scripts.contains(tokens.types[t]), t == first || tokens.endOffsets[t - 1] == tokens.startOffsets[t] {
                let r = tokens.range(t)
                var i = r.lowerBound
                while i < r.upperBound {
                    var n = decodeScalar(tokens.terms.span, i).length
                    while i + n < r.upperBound, r.count == Int(tokens.endOffsets[t] - tokens.startOffsets[t]),
                        isotherm_scalar_class(decodeScalar(tokens.terms.span, i + n).scalar) & 31 == 4 { n += decodeScalar(tokens.terms.span, i + n).length }
                    let same = r.count == Int(tokens.endOffsets[t] - tokens.startOffsets[t])
                    let start = same ? tokens.startOffsets[t] &+ Int32(truncatingIfNeeded: i - r.lowerBound) : tokens.startOffsets[t]
                    pieces.append((i..<(i + n), start, same ? start &+ Int32(truncatingIfNeeded: n) : tokens.endOffsets[t], tokens.types[t]))
                    i += n
                }
                t += 1
            }
            position &+= gap
            for k in 0..<pieces.count {
                let alone = pieces.count == 1
                if outputsUnigrams || alone {
                    position &+= 1
                    scratch.append(tokens.terms[pieces[k].bytes], TokenAttributes(position: position, start: pieces[k].start, end: pieces[k].end, type: .single))
                }
                if k + 1 < pieces.count {
                    if !outputsUnigrams { position &+= 1 }
                    scratch.terms.append(contentsOf: tokens.terms[pieces[k].bytes])
                    scratch.append(tokens.terms[pieces[k + 1].bytes], TokenAttributes(
                        position: position, positionLength: outputsUnigrams ? 2 : 1, start: pieces[k].start, end: pieces[k + 1].end, type: .double))
                }
            }
        }
        scratch.positionCount = position &+ 1
        swap(&tokens, &scratch)
    }
}

/// Every token through several chains of filters, the results at its position, equal ones once.
struct MultiplexerFilter: TokenFilter {
    let chains: [[any TokenFilter]]

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var one = TokenBuffer(), spare = TokenBuffer()
        for t in 0..<tokens.count {
            var seen = Set<[UInt8]>()
            for chain in chains {
                one.removeAll()
                one.append(t, of: tokens)
                for filter in chain {
                    spare.removeAll()
                    try filter.apply(to: &one, scratch: &spare)
                }
                for k in 0..<one.count where seen.insert(Array(one.terms[one.range(k)])).inserted {
                    var a = one.attributes(k)
                    a.position = tokens.positions[t]
                    scratch.append(one.terms[one.range(k)], a)
                }
            }
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }
}
