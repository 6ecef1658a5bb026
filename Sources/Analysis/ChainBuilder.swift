// Makes components and chains from definitions. A name in a chain is an own definition or a row of a table.

struct ChainBuilder {
    let limits: AnalysisLimits
    let tokenizers: [String: Definition]
    let filters: [String: Definition]
    let characterFilters: [String: Definition]

    /// What a filter is placed behind: synonym rules are analyzed by it.
    struct Preceding {
        var characterFilters: [Named<any CharacterFilter>]
        var tokenizer: Named<any Tokenizer>
        var filters: [Named<any TokenFilter>]
    }

    // MARK: - Components

    func tokenizer(_ definition: Definition) throws(AnalysisError) -> any Tokenizer {
        guard let make = Self.tokenizerTable[definition.type] else {
            throw AnalysisError("Unknown tokenizer type [\(definition.type)] for [\(definition.name)]")
        }
        return try make(definition, limits)
    }

    func filter(_ definition: Definition, after preceding: Preceding?) throws(AnalysisError) -> any TokenFilter {
        if let make = Self.filterTable[definition.type] { return try make(definition, limits) }
        if let make = Self.chainFilterTable[definition.type] { return try make(definition, self, preceding) }
        throw AnalysisError("Unknown filter type [\(definition.type)] for [\(definition.name)]")
    }

    func characterFilter(_ definition: Definition) throws(AnalysisError) -> any CharacterFilter {
        guard let make = Self.characterFilterTable[definition.type] else {
            throw AnalysisError("Unknown char_filter type [\(definition.type)] for [\(definition.name)]")
        }
        return try make(definition)
    }

    static func needsChain(_ type: String) -> Bool { chainFilterTable[type] != nil }

    // MARK: - By name

    func namedTokenizer(_ name: String, in owner: String) throws(AnalysisError) -> Named<any Tokenizer> {
        if let own = tokenizers[name] { return Named(name: name, component: try tokenizer(own)) }
        guard Self.tokenizerTable[name] != nil else { throw AnalysisError("\(owner) failed to find tokenizer under name [\(name)]") }
        return Named(name: name, component: try tokenizer(Definition(name: name, type: name)))
    }

    func namedFilter(_ name: String, in owner: String, after preceding: Preceding?) throws(AnalysisError) -> Named<any TokenFilter> {
        if let own = filters[name] { return Named(name: name, component: try filter(own, after: preceding)) }
        guard Self.filterTable[name] != nil || Self.chainFilterTable[name] != nil else {
            throw AnalysisError("\(owner) failed to find filter under name [\(name)]")
        }
        return Named(name: name, component: try filter(Definition(name: name, type: name), after: preceding))
    }

    func namedCharacterFilter(_ name: String, in owner: String) throws(AnalysisError) -> Named<any CharacterFilter> {
        if let own = characterFilters[name] { return Named(name: name, component: try characterFilter(own)) }
        guard Self.characterFilterTable[name] != nil else { throw AnalysisError("\(owner) failed to find char_filter under name [\(name)]") }
        return Named(name: name, component: try characterFilter(Definition(name: name, type: name)))
    }

    // MARK: - Chains

    func analyzer(_ definition: Definition) throws(AnalysisError) -> any Analyzer {
        if definition.type == "custom" { return try custom(definition) }
        if Self.unsupportedAnalyzers.contains(definition.type) {
            throw AnalysisError("[\(definition.type)] analyzer is not supported for new indices, use a custom analyzer using [standard] tokenizer and [html_strip] char_filter, plus [lowercase] filter")
        }
        guard let make = Self.analyzerTable[definition.type] else {
            throw AnalysisError("Unknown analyzer type [\(definition.type)] for [\(definition.name)]")
        }
        return try make(definition, self)
    }

    private func custom(_ definition: Definition) throws(AnalysisError) -> any Analyzer {
        let owner = "Custom Analyzer [\(definition.name)]"
        guard let tokenizerName = definition.string("tokenizer") else { throw AnalysisError("\(owner) must be configured with a tokenizer") }
        let gap = try definition.int("position_increment_gap", 100)
        var preceding = Preceding(
            characterFilters: [], tokenizer: try namedTokenizer(tokenizerName, in: owner), filters: [])
        for name in try definition.strings("char_filter") ?? [] { preceding.characterFilters.append(try namedCharacterFilter(name, in: owner)) }
        for name in try definition.strings("filter") ?? [] { preceding.filters.append(try namedFilter(name, in: owner, after: preceding)) }
        return AnalysisChain(
            name: definition.name, positionIncrementGap: gap, characterFilters: preceding.characterFilters, tokenizer: preceding.tokenizer,
            filters: preceding.filters, isCustom: true)
    }

    func normalizer(_ definition: Definition) throws(AnalysisError) -> any Analyzer {
        let keyword = Named<any Tokenizer>(name: "keyword", component: KeywordTokenizer())
        if definition.type == "lowercase" {
            return AnalysisChain(name: definition.name, tokenizer: keyword, filters: [Named(name: "lowercase", component: LowercaseFilter())])
        }
        guard definition.type == "custom" else { throw AnalysisError("Unknown normalizer type [\(definition.type)] for [\(definition.name)]") }
        let owner = "Custom normalizer [\(definition.name)]"
        guard definition.string("tokenizer") == nil else { throw AnalysisError("\(owner) cannot configure a tokenizer") }
        var preceding = Preceding(characterFilters: [], tokenizer: keyword, filters: [])
        for name in try definition.strings("char_filter") ?? [] {
            let filter = try namedCharacterFilter(name, in: owner)
            guard filter.component.isNormalizing else { throw AnalysisError("\(owner) may not use char filter [\(name)]") }
            preceding.characterFilters.append(filter)
        }
        for name in try definition.strings("filter") ?? [] {
            let filter = try namedFilter(name, in: owner, after: preceding)
            guard filter.component.isNormalizing else { throw AnalysisError("\(owner) may not use filter [\(name)]") }
            preceding.filters.append(filter)
        }
        return AnalysisChain(
            name: definition.name, positionIncrementGap: 0, characterFilters: preceding.characterFilters, tokenizer: keyword,
            filters: preceding.filters, isCustom: true)
    }
}
