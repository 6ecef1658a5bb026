// The analyzer everybody uses: character filters, a tokenizer, token filters, run one after another over
// the whole text. Scratch buffers are pooled, so that a chain may be used from every thread at once.

import Synchronization

package final class AnalysisChain: Analyzer {
    package let name: String
    package let positionIncrementGap: Int
    let characterFilters: [Named<any CharacterFilter>]
    let tokenizer: Named<any Tokenizer>
    let filters: [Named<any TokenFilter>]
    /// True for what Elasticsearch calls a custom analyzer: explain then shows every stage.
    let isCustom: Bool
    private let scratch = Pool<TokenBuffer>()

    init(
        name: String, positionIncrementGap: Int = 100, characterFilters: [Named<any CharacterFilter>] = [], tokenizer: Named<any Tokenizer>,
        filters: [Named<any TokenFilter>], isCustom: Bool = false
    ) {
        self.name = name
        self.positionIncrementGap = positionIncrementGap
        self.characterFilters = characterFilters
        self.tokenizer = tokenizer
        self.filters = filters
        self.isCustom = isCustom
    }

    package func analyze(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        tokens.removeAll()
        guard text.count <= AnalysisBounds.textBytesMax else { throw AnalysisError("a text of \(text.count) bytes is longer than the \(AnalysisBounds.textBytesMax) that can be analyzed") }
        if characterFilters.isEmpty && isValidUTF8(text) {
            try tokenizer.component.tokenize(text, into: &tokens)
        } else {
            let mapped = try filtered(text)
            try tokenizer.component.tokenize(mapped.bytes.span, into: &tokens)
            for i in 0..<tokens.count {
                tokens.startOffsets[i] = mapped.original(tokens.startOffsets[i])
                tokens.endOffsets[i] = max(tokens.startOffsets[i], mapped.original(tokens.endOffsets[i]))
            }
        }
        guard !filters.isEmpty else { return }
        var spare = scratch.take() ?? TokenBuffer()
        for filter in filters {
            spare.removeAll()
            try filter.component.apply(to: &tokens, scratch: &spare)
            guard tokens.count <= AnalysisBounds.tokensMax else { throw AnalysisError("the text makes more than \(AnalysisBounds.tokensMax) tokens after filter [\(filter.name)]") }
        }
        scratch.give(spare)
    }

    package func normalize(_ text: Span<UInt8>, into term: inout [UInt8]) throws(AnalysisError) {
        var mapped = isValidUTF8(text) ? MappedText(bytes: copy(text)) : repaired(text)
        for filter in characterFilters where filter.component.isNormalizing { try filter.component.apply(to: &mapped) }
        term.removeAll(keepingCapacity: true)
        guard filters.contains(where: { $0.component.isNormalizing }) else {
            term.append(contentsOf: mapped.bytes)
            return
        }
        var tokens = TokenBuffer(), spare = TokenBuffer()
        tokens.append(mapped.bytes, TokenAttributes(end: Int32(clamping: text.count)))
        for filter in filters where filter.component.isNormalizing {
            spare.removeAll()
            try filter.component.apply(to: &tokens, scratch: &spare)
        }
        if tokens.count > 0 { term.append(contentsOf: tokens.terms[tokens.range(0)]) }
    }

    func filtered(_ text: Span<UInt8>) throws(AnalysisError) -> MappedText {
        var mapped = isValidUTF8(text) ? MappedText(bytes: copy(text)) : repaired(text)
        for filter in characterFilters {
            try filter.component.apply(to: &mapped)
            guard mapped.bytes.count <= AnalysisBounds.textBytesMax else { throw AnalysisError("char filter [\(filter.name)] makes the text longer than \(AnalysisBounds.textBytesMax) bytes") }
        }
        return mapped
    }
}

// MARK: -

private func copy(_ text: Span<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.append(span: text)
    return out
}
