// Drops a possessive 's at the end of a term: with ', the right single quotation mark or the fullwidth apostrophe.

struct PossessiveFilter: TokenFilter {
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        guard Self.mayApply(tokens.terms.span) else { return }
        tokens.rewriteTerms(&scratch) { term, out in
            out.append(span: term.extracting(0..<Self.stemLength(term)))
        }
    }

    /// Most texts have no apostrophe at all.
    private static func mayApply(_ terms: Span<UInt8>) -> Bool {
        for i in 0..<terms.count where terms[i] == 0x27 || terms[i] >= 0xE2 { return true }
        return false
    }

    private static func stemLength(_ term: Span<UInt8>) -> Int {
        let n = term.count
        guard n >= 2, term[n - 1] | 0x20 == 0x73 else { return n }
        if term[n - 2] == 0x27 { return n - 2 }
        guard n >= 4 else { return n }
        let mark = (term[n - 4], term[n - 3], term[n - 2])
        return mark == (0xE2, 0x80, 0x99) || mark == (0xEF, 0xBC, 0x87) ? n - 4 : n
    }
}
