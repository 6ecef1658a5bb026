// The character filters by Elasticsearch's names: one row each.

extension ChainBuilder {
    typealias MakeCharacterFilter = @Sendable (Definition) throws(AnalysisError) -> any CharacterFilter

    static let characterFilterTable: [String: MakeCharacterFilter] = [:]
}
