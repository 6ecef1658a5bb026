// Filters that drop tokens and leave gaps in the positions: stop, length, keep_words, limit, unique.

struct StopFilter: TokenFilter {
    let words: TermSet
    /// False keeps a stop word that ends the text: it may be the start of one being typed.
    var removesTrailing = true

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        let last = tokens.count - 1
        tokens.filter { i, term in !words.contains(term) || (!removesTrailing && i == last) }
    }
}
