// _analyze: what an analyzer, a normalizer or a chain given in the request makes of texts, stage by stage.
// Offsets are in UTF-16 code units, as Elasticsearch's clients expect them.

/// What to analyze with; the first that is set counts.
package struct AnalyzeRequest: Sendable {
    package enum Component: Sendable {
        case named(String)
        /// An inline definition: an object with a "type".
        case inline(AnalysisSetting)
    }
    package var analyzer: String?
    package var normalizer: String?
    package var tokenizer: Component?
    package var filters: [Component] = []
    package var characterFilters: [Component] = []
    /// Every stage, not only the result.
    package var explain = false
    package init() {}
}

package struct AnalyzedToken: Sendable, Equatable {
    package var term: String
    package var start: Int
    package var end: Int
    package var type: String
    package var position: Int
    package var positionLength: Int
    package var isKeyword: Bool
    /// The term in UTF-8, as explain shows it: "[66 6f 6f]".
    package var bytes: String { "[" + term.utf8.map { String($0, radix: 16) }.joined(separator: " ") + "]" }
}

package struct AnalyzeResult: Sendable {
    package struct Stage: Sendable {
        package var name: String
        package var tokens: [AnalyzedToken]
    }
    package var tokens: [AnalyzedToken] = []
    /// True when the answer shows char filters, tokenizer and filters; else `tokens` under the analyzer's name.
    package var isCustom = false
    package var analyzerName: String?
    package var characterFilters: [(name: String, texts: [String])] = []
    package var tokenizer: Stage?
    package var filters: [Stage] = []
}

extension AnalysisRegistry {
    /// - Parameter analyzer: used when the request names nothing (a field's analyzer); nil for the index's default.
    package func explain(_ request: AnalyzeRequest, texts: [String], analyzer fallback: (any Analyzer)? = nil) throws(AnalysisError) -> AnalyzeResult {
        let chosen = try analyzer(for: request, fallback)
        guard let chain = chosen.chain as? AnalysisChain else { throw AnalysisError("analyzer [\(chosen.chain.name)] cannot be explained") }
        var result = AnalyzeResult()
        result.isCustom = chosen.isCustom
        result.analyzerName = chain.name
        var run = ExplainRun(tokensMax: limits.analyzeTokensMax)
        for (n, text) in texts.enumerated() {
            try run.add(text, chain, isFirst: n == 0, stages: request.explain && chosen.isCustom)
        }
        result.tokens = run.final
        if request.explain && chosen.isCustom {
            result.characterFilters = zip(chain.characterFilters, run.texts).map { ($0.name, $1) }
            result.tokenizer = AnalyzeResult.Stage(name: chain.tokenizer.name, tokens: run.stages.first ?? [])
            result.filters = zip(chain.filters, run.stages.dropFirst()).map { AnalyzeResult.Stage(name: $0.name, tokens: $1) }
        }
        return result
    }

    private func analyzer(for request: AnalyzeRequest, _ fallback: (any Analyzer)?) throws(AnalysisError) -> (chain: any Analyzer, isCustom: Bool) {
        if let name = request.analyzer {
            guard let found = analyzer(named: name) else {
                if ChainBuilder.unsupportedAnalyzers.contains(name) { _ = try builder.analyzer(Definition(name: name, type: name)) }
                throw AnalysisError("failed to find analyzer [\(name)]")
            }
            return (found, (found as? AnalysisChain)?.isCustom ?? false)
        }
        if let name = request.normalizer {
            guard let found = normalizer(named: name) else { throw AnalysisError("failed to find normalizer [\(name)]") }
            return (found, true)
        }
        if let tokenizer = request.tokenizer { return (try adHoc(tokenizer, request), true) }
        if !request.filters.isEmpty || !request.characterFilters.isEmpty { return (try adHoc(nil, request), true) }
        let found = fallback ?? defaultAnalyzer
        return (found, (found as? AnalysisChain)?.isCustom ?? false)
    }

    /// A chain of the request's parts; without a tokenizer it is a normalizer's.
    private func adHoc(_ tokenizer: AnalyzeRequest.Component?, _ request: AnalyzeRequest) throws(AnalysisError) -> AnalysisChain {
        let builder = builder
        var preceding = ChainBuilder.Preceding(characterFilters: [], tokenizer: Named(name: "keyword", component: KeywordTokenizer()), filters: [])
        let isNormalizer = tokenizer == nil
        switch tokenizer {
        case nil: break
        case .named(let name)?:
            guard builder.tokenizers[name] != nil || ChainBuilder.tokenizerTable[name] != nil else { throw AnalysisError("failed to find global tokenizer under [\(name)]") }
            preceding.tokenizer = try builder.namedTokenizer(name, in: "")
        case .inline(let setting)?:
            let d = try inline(setting, "tokenizer")
            preceding.tokenizer = Named(name: d.name, component: try builder.tokenizer(d))
        }
        for part in request.characterFilters {
            let filter: Named<any CharacterFilter>
            switch part {
            case .named(let name):
                guard builder.characterFilters[name] != nil || ChainBuilder.characterFilterTable[name] != nil else { throw AnalysisError("failed to find global char_filter under [\(name)]") }
                filter = try builder.namedCharacterFilter(name, in: "")
            case .inline(let setting):
                let d = try inline(setting, "char_filter")
                filter = Named(name: d.name, component: try builder.characterFilter(d))
            }
            if isNormalizer && !filter.component.isNormalizing { throw AnalysisError("Custom normalizer may not use char filter [\(filter.name)]") }
            preceding.characterFilters.append(filter)
        }
        for part in request.filters {
            let filter: Named<any TokenFilter>
            switch part {
            case .named(let name):
                guard builder.filters[name] != nil || ChainBuilder.filterTable[name] != nil || ChainBuilder.needsChain(name) else { throw AnalysisError("failed to find global filter under [\(name)]") }
                filter = try builder.namedFilter(name, in: "", after: preceding)
            case .inline(let setting):
                let d = try inline(setting, "filter")
                filter = Named(name: d.name, component: try builder.filter(d, after: preceding))
            }
            if isNormalizer && !filter.component.isNormalizing { throw AnalysisError("Custom normalizer may not use filter [\(filter.name)]") }
            preceding.filters.append(filter)
        }
        return AnalysisChain(
            name: "__custom__", characterFilters: preceding.characterFilters, tokenizer: preceding.tokenizer, filters: preceding.filters, isCustom: true)
    }

    private func inline(_ setting: AnalysisSetting, _ section: String) throws(AnalysisError) -> Definition {
        guard case .object(let members) = setting else { throw AnalysisError("[\(section)] must be a name or an object with a [type]") }
        guard let type = members["type"]?.text else { throw AnalysisError("Missing [type] setting for anonymous \(section): {}") }
        return Definition(name: "__anonymous__" + type, type: type, members: members)
    }
}

// MARK: -

/// Texts analyzed one after another, as the values of one field.
private struct ExplainRun {
    let tokensMax: Int
    var final: [AnalyzedToken] = []
    /// The tokenizer's tokens, then each filter's.
    var stages: [[AnalyzedToken]] = []
    /// Per char filter the text of each value.
    var texts: [[String]] = []
    private var position: [Int: Int] = [:]
    private var offset = 0

    init(tokensMax: Int) { self.tokensMax = tokensMax }

    mutating func add(_ text: String, _ chain: AnalysisChain, isFirst: Bool, stages wantsStages: Bool) throws(AnalysisError) {
        let utf8 = Array(text.utf8)
        let units = UTF16Offsets(utf8)
        var mapped = MappedText(bytes: utf8)
        for (n, filter) in chain.characterFilters.enumerated() {
            try filter.component.apply(to: &mapped)
            if wantsStages {
                if texts.count <= n { texts.append([]) }
                texts[n].append(String(decoding: mapped.bytes, as: UTF8.self))
            }
        }
        var tokens = TokenBuffer(), scratch = TokenBuffer()
        try chain.tokenizer.component.tokenize(mapped.bytes.span, into: &tokens)
        for i in 0..<tokens.count {
            tokens.startOffsets[i] = mapped.original(tokens.startOffsets[i])
            tokens.endOffsets[i] = max(tokens.startOffsets[i], mapped.original(tokens.endOffsets[i]))
        }
        if wantsStages { try record(tokens, 0, units, chain) }
        for (n, filter) in chain.filters.enumerated() {
            scratch.removeAll()
            try filter.component.apply(to: &tokens, scratch: &scratch)
            if wantsStages { try record(tokens, n + 1, units, chain) }
        }
        try record(tokens, -1, units, chain)
        offset += units.count + 1
    }

    private mutating func record(_ tokens: TokenBuffer, _ stage: Int, _ units: UTF16Offsets, _ chain: AnalysisChain) throws(AnalysisError) {
        let base = position[stage] ?? 0
        var made: [AnalyzedToken] = []
        for i in 0..<tokens.count {
            let a = tokens.attributes(i)
            made.append(AnalyzedToken(
                term: tokens.term(i), start: offset + units.at(Int(a.start)), end: offset + units.at(Int(a.end)), type: a.type.name,
                position: base + Int(a.position), positionLength: Int(a.positionLength), isKeyword: a.isKeyword))
        }
        position[stage] = base + Int(tokens.positionCount) + chain.positionIncrementGap
        let before: Int
        if stage < 0 {
            final += made
            before = final.count
        } else {
            while stages.count <= stage { stages.append([]) }
            stages[stage] += made
            before = stages[stage].count
        }
        guard before <= tokensMax else {
            throw AnalysisError(
                "The number of tokens produced by calling _analyze has exceeded the allowed maximum of [\(tokensMax)]. This limit can be set by changing the [index.analyze.max_token_count] index level setting.")
        }
    }
}

/// From byte offsets to UTF-16 offsets of one text.
package struct UTF16Offsets: Sendable {
    private var table: [Int32]?
    private let byteCount: Int

    package init(_ utf8: [UInt8]) {
        byteCount = utf8.count
        guard !isASCII(utf8.span) else { return }
        var table: [Int32] = []
        table.reserveCapacity(utf8.count + 1)
        var units: Int32 = 0
        for b in utf8 {
            table.append(units)
            if b < 0x80 || b & 0xC0 == 0x80 { if b < 0x80 { units += 1 } } else { units += b >= 0xF0 ? 2 : 1 }
        }
        table.append(units)
        // Inside a scalar the count of its start holds.
        for i in 0..<utf8.count where utf8[i] & 0xC0 == 0x80 && i > 0 { table[i] = table[i - 1] }
        self.table = table
    }

    package var count: Int { at(byteCount) }
    package func at(_ byte: Int) -> Int { table.map { Int($0[max(0, min(byte, byteCount))]) } ?? max(0, min(byte, byteCount)) }
}
