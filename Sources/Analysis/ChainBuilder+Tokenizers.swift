// The tokenizers by Elasticsearch's names: one row each.

extension ChainBuilder {
    typealias MakeTokenizer = @Sendable (Definition, AnalysisLimits) throws(AnalysisError) -> any Tokenizer

    static let tokenizerTable: [String: MakeTokenizer] = [
        "standard": { d, _ throws(AnalysisError) in StandardTokenizer(maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576)) },
        "keyword": { _, _ in KeywordTokenizer() },
        "whitespace": { d, _ throws(AnalysisError) in CharacterTokenizer(kind: .whitespace, maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576)) },
        "letter": { _, _ in CharacterTokenizer(kind: .letter) },
        "lowercase": { _, _ in CharacterTokenizer(kind: .letter, lowercases: true) },
    ]
}
