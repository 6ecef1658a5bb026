// Filters that drop tokens and leave gaps in the positions: stop, length, keep, keep_types, limit, unique,
// remove_duplicates, fingerprint.

struct StopFilter: TokenFilter {
    let words: TermSet
    /// False keeps a stop word that ends the text: it may be the start of one being typed.
    var removesTrailing = true

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        let last = tokens.count - 1
        tokens.filter { i, term in !words.contains(term) || (!removesTrailing && i == last) }
    }
}

/// keep: only the listed words (or, excluded, all others).
struct KeepWordsFilter: TokenFilter {
    let words: TermSet
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.filter { _, term in words.contains(term) }
    }
}

struct KeepTypesFilter: TokenFilter {
    let types: Set<String>
    let keeps: Bool
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        let kept = tokens.types
        tokens.filter { i, _ in types.contains(kept[i].name) == keeps }
    }
}

/// length, in UTF-16 code units as Lucene counts.
struct LengthFilter: TokenFilter {
    let min: Int, max: Int
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.filter { _, term in
            let n = utf16Length(term)
            return n >= min && n <= max
        }
    }
}

/// limit: the first `max` tokens.
struct LimitFilter: TokenFilter {
    let max: Int
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        guard tokens.count > max else { return }
        tokens.filter { i, _ in i < max }
        tokens.positionCount = tokens.positions.last.map { $0 &+ 1 } ?? 0
    }
}

/// unique: each term once per text, or once per position.
struct UniqueFilter: TokenFilter {
    let onlyOnSamePosition: Bool
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var seen = Set<[UInt8]>()
        let positions = tokens.positions
        tokens.filter { i, term in
            if onlyOnSamePosition && (i == 0 || positions[i] != positions[i - 1]) { seen.removeAll(keepingCapacity: true) }
            return seen.insert(Array(copying: term)).inserted
        }
    }
}

/// The distinct terms, sorted (by UTF-16 as Java sorts; equal to code points below the surrogates) and joined.
struct FingerprintFilter: TokenFilter {
    let separator: String
    /// In UTF-16 code units; a longer fingerprint is dropped.
    let outputMax: Int
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        guard tokens.count > 0 else { return }
        var terms = Set<[UInt8]>()
        for i in 0..<tokens.count { terms.insert(Array(tokens.terms[tokens.range(i)])) }
        let joined = Array(terms.sorted { $0.lexicographicallyPrecedes($1) }.joined(separator: Array(separator.utf8)))
        let end = tokens.endOffsets.max() ?? 0
        tokens.removeAll()
        guard utf16Length(joined.span) <= outputMax else { return }
        tokens.append(joined, TokenAttributes(end: end, type: .fingerprint))
        tokens.positionCount = 1
    }
}
