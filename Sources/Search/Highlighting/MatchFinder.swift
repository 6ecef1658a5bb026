// Finds what a query looks for among a field's tokens: terms, patterns of terms, and phrases. A phrase is one
// match from its first token to its last (require_field_match), or marks its tokens one by one.

internal import Analysis

/// A stretch of the text and what was found there; equal keys are one term to the scoring.
struct HighlightMatch {
    var start: Int
    var end: Int
    var key: [UInt8]
    /// How often the key occurs in the whole text.
    var frequency = 1
}

struct MatchFinder {
    private let terms: QueryTerms.Field
    private let joinsPhrases: Bool
    private let phraseTerms: Set<[UInt8]>
    private var matches: [HighlightMatch] = []
    private var tokens = TokenBuffer()
    /// Terms tried against the patterns before, and the outcome.
    private var known: [[UInt8]: Bool] = [:]

    init(_ terms: QueryTerms.Field, joinsPhrases: Bool) {
        self.terms = terms
        self.joinsPhrases = joinsPhrases
        phraseTerms = Set(terms.phrases.flatMap { $0.places.flatMap { $0.terms } })
    }

    /// By place, with frequencies.
    var sortedMatches: [HighlightMatch] {
        var frequencies: [[UInt8]: Int] = [:]
        for match in matches { frequencies[match.key, default: 0] += 1 }
        var out = matches
        for i in out.indices { out[i].frequency = frequencies[out[i].key] ?? 1 }
        return out.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    }

    /// - Parameter limit: units of the whole text past which nothing is looked for.
    mutating func add(_ text: HighlightText, value: Int, analyzer: (any Analyzer)?, limit: Int) throws(SearchError) {
        let bytes = text.values[value]
        if let analyzer {
            do { try analyzer.analyze(bytes.span, into: &tokens) } catch { throw SearchError("illegal_argument_exception", error.reason) }
        }
        // A keyword without a normalizer is one term.
        let count = analyzer == nil ? 1 : tokens.count
        func term(_ i: Int) -> [UInt8] { analyzer == nil ? bytes : Array(tokens.terms[tokens.range(i)]) }
        func units(_ i: Int) -> Range<Int> {
            analyzer == nil ? text.range(of: value) : text.unit(Int(tokens.startOffsets[i]), of: value)..<text.unit(Int(tokens.endOffsets[i]), of: value)
        }
        var places: [[UInt8]: [(position: Int, token: Int)]] = [:]
        for i in 0..<count {
            let word = term(i), range = units(i)
            guard range.upperBound <= limit, !range.isEmpty else { continue }
            if phraseTerms.contains(word) { places[word, default: []].append((analyzer == nil ? 0 : Int(tokens.positions[i]), i)) }
            if matchesAlone(word) { matches.append(HighlightMatch(start: range.lowerBound, end: range.upperBound, key: word)) }
        }
        for phrase in terms.phrases {
            for occurrence in Self.occurrences(of: phrase, places) {
                let ranges = occurrence.map(units)
                guard let first = ranges.map(\.lowerBound).min(), let last = ranges.map(\.upperBound).max() else { continue }
                if joinsPhrases {
                    matches.append(HighlightMatch(start: first, end: last, key: phrase.places.flatMap { ($0.terms.first ?? []) + [0x20] }))
                } else {
                    for (token, range) in zip(occurrence, ranges) { matches.append(HighlightMatch(start: range.lowerBound, end: range.upperBound, key: term(token))) }
                }
            }
        }
    }

    // MARK: -

    private mutating func matchesAlone(_ term: [UInt8]) -> Bool {
        if terms.terms.contains(term) { return true }
        if terms.patterns.isEmpty { return false }
        if let outcome = known[term] { return outcome }
        let outcome = terms.patterns.contains { $0.matches(term) }
        if known.count < 100_000 { known[term] = outcome }
        return outcome
    }

    /// The tokens of each occurrence, in the order of the phrase's places. Every occurrence of the first place is
    /// tried once, the others taken as near to it as they stand: at most slop apart in all.
    private static func occurrences(of phrase: QueryTerms.Phrase, _ places: [[UInt8]: [(position: Int, token: Int)]]) -> [[Int]] {
        // Positions less the place's own: equal for an exact phrase.
        let shifted = phrase.places.map { place in
            place.terms.flatMap { places[$0] ?? [] }.map { (at: $0.position - place.position, token: $0.token) }.sorted { $0.at < $1.at }
        }
        guard let first = shifted.first, shifted.allSatisfy({ !$0.isEmpty }) else { return [] }
        var found: [[Int]] = []
        var usedBefore = Set<Int>()
        next: for start in first {
            var chosen = [start.token], low = start.at, high = start.at
            for candidates in shifted.dropFirst() {
                var best: (at: Int, token: Int)?
                var i = lowerBound(candidates, start.at - phrase.slop)
                while i < candidates.count, candidates[i].at <= start.at + phrase.slop {
                    let c = candidates[i]
                    if !chosen.contains(c.token), best.map({ abs(c.at - start.at) < abs($0.at - start.at) }) ?? true { best = c }
                    i += 1
                }
                guard let best else { continue next }
                chosen.append(best.token)
                low = min(low, best.at)
                high = max(high, best.at)
                if high - low > phrase.slop { continue next }
            }
            if usedBefore.isDisjoint(with: chosen) || phrase.slop == 0 { found.append(chosen) }
            usedBefore.formUnion(chosen)
        }
        return found
    }

    private static func lowerBound(_ candidates: [(at: Int, token: Int)], _ at: Int) -> Int {
        var low = 0, high = candidates.count
        while low < high {
            let middle = (low + high) / 2
            if candidates[middle].at < at { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
