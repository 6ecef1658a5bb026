// The analyzers and normalizers of one index by name: its own, made from settings, over the built-in ones.
//
//     settings "analysis": { analyzer, normalizer, tokenizer, filter, char_filter }  each name -> definition
//
// A name is looked for in the index's own definitions first and then in the tables of built-in components
// (AnalysisRegistry+Tokenizers, +Filters, +CharacterFilters, +Analyzers): to add one, add a row there.
// Own definitions are all made at once, so a wrong one is refused when the index is created and not when the
// first document arrives. Immutable afterwards, but for a cache of built-in analyzers.

import Synchronization

package final class AnalysisRegistry: Sendable {
    /// Only the built-in names.
    package static let builtIn = AnalysisRegistry()

    let limits: AnalysisLimits
    let tokenizerDefinitions: [String: Definition]
    let filterDefinitions: [String: Definition]
    let characterFilterDefinitions: [String: Definition]
    private let analyzers: [String: any Analyzer]
    private let normalizers: [String: any Analyzer]
    /// Guards the built-in analyzers and normalizers made so far.
    private let made = Mutex<[String: any Analyzer]>([:])

    private init() {
        limits = AnalysisLimits()
        (tokenizerDefinitions, filterDefinitions, characterFilterDefinitions) = ([:], [:], [:])
        (analyzers, normalizers) = ([:], [:])
    }

    /// - Parameter settings: the object under `index.analysis`; nil or empty for the built-in names alone.
    /// - Throws: `AnalysisError` with Elasticsearch's words (illegal_argument_exception) for a wrong definition.
    package init(settings: AnalysisSetting?, limits: AnalysisLimits = AnalysisLimits()) throws(AnalysisError) {
        self.limits = limits
        tokenizerDefinitions = try Self.definitions(settings, "tokenizer")
        filterDefinitions = try Self.definitions(settings, "filter")
        characterFilterDefinitions = try Self.definitions(settings, "char_filter")
        let builder = ChainBuilder(
            limits: limits, tokenizers: tokenizerDefinitions, filters: filterDefinitions, characterFilters: characterFilterDefinitions)
        for definition in tokenizerDefinitions.values { _ = try builder.tokenizer(definition) }
        for definition in characterFilterDefinitions.values { _ = try builder.characterFilter(definition) }
        for definition in filterDefinitions.values where !ChainBuilder.needsChain(definition.type) { _ = try builder.filter(definition, after: nil) }
        var analyzers: [String: any Analyzer] = [:], normalizers: [String: any Analyzer] = [:]
        for (name, definition) in try Self.definitions(settings, "analyzer", typeDefault: "custom") {
            guard !name.hasPrefix("_") else { throw AnalysisError("analyzer name must not start with '_'. got \"\(name)\"") }
            analyzers[name] = try builder.analyzer(definition)
        }
        for (name, definition) in try Self.definitions(settings, "normalizer", typeDefault: "custom") {
            normalizers[name] = try builder.normalizer(definition)
        }
        self.analyzers = analyzers
        self.normalizers = normalizers
    }

    /// The index's analyzer of that name, or the built-in one; nil when there is neither.
    package func analyzer(named name: String) -> (any Analyzer)? {
        if let own = analyzers[name] { return own }
        if let known = made.withLock({ $0[name] }) { return known }
        guard let built = try? builder.analyzer(Definition(name: name, type: name)), name != "custom" else { return nil }
        made.withLock { $0[name] = built }
        return built
    }

    /// The index's normalizer of that name, or the built-in `lowercase`.
    package func normalizer(named name: String) -> (any Analyzer)? {
        if let own = normalizers[name] { return own }
        guard name == "lowercase" else { return nil }
        let key = "normalizer " + name
        if let known = made.withLock({ $0[key] }) { return known }
        guard let built = try? builder.normalizer(Definition(name: name, type: "lowercase")) else { return nil }
        made.withLock { $0[key] = built }
        return built
    }

    /// For text fields that name none: the analyzer called `default`, else `standard`.
    package var defaultAnalyzer: any Analyzer { analyzers["default"] ?? analyzer(named: "standard") ?? Self.plain }
    /// For queries: `default_search`, else nil (the field's own analyzer).
    package var defaultSearchAnalyzer: (any Analyzer)? { analyzers["default_search"] }
    /// Names of the index's own analyzers, sorted.
    package var ownAnalyzerNames: [String] { analyzers.keys.sorted() }

    // MARK: -

    var builder: ChainBuilder {
        ChainBuilder(limits: limits, tokenizers: tokenizerDefinitions, filters: filterDefinitions, characterFilters: characterFilterDefinitions)
    }

    private static let plain = AnalysisChain(name: "standard", tokenizer: Named(name: "standard", component: StandardTokenizer()), filters: [])

    private static func definitions(
        _ settings: AnalysisSetting?, _ section: String, typeDefault: String? = nil
    ) throws(AnalysisError) -> [String: Definition] {
        guard let part = settings?[section] else { return [:] }
        guard case .object(let entries) = part else { throw AnalysisError("[analysis.\(section)] must be an object of named definitions") }
        var out: [String: Definition] = [:]
        for (name, entry) in entries {
            out[name] = try definition(name, entry, section, typeDefault: typeDefault)
        }
        return out
    }

    static func definition(_ name: String, _ entry: AnalysisSetting, _ section: String, typeDefault: String? = nil) throws(AnalysisError) -> Definition {
        guard case .object(let members) = entry else { throw AnalysisError("[\(section)] [\(name)] must be an object, as {\"type\": ...}") }
        if let type = members["type"]?.text { return Definition(name: name, type: type, members: members) }
        switch section {
        case "analyzer":
            guard members["tokenizer"] != nil else { throw AnalysisError("analyzer [\(name)] must specify either an analyzer type, or a tokenizer") }
            return Definition(name: name, type: "custom", members: members)
        case "normalizer": return Definition(name: name, type: "custom", members: members)
        case "tokenizer": throw AnalysisError("tokenizer [\(name)] must specify either an analyzer type, or a tokenizer")
        default: throw AnalysisError("\(section == "filter" ? "token filter" : section) [\(name)] must specify either an analyzer type, or a tokenizer")
        }
    }
}

/// The bounds an index may set (index.max_ngram_diff, ...).
package struct AnalysisLimits: Sendable, Equatable {
    package var ngramDifferenceMax = 1
    package var shingleDifferenceMax = 3
    /// index.analyze.max_token_count
    package var analyzeTokensMax = 10_000
    package init() {}
}
