// The built-in lists of stop words, named as Elasticsearch names them ("_english_").

enum StopWords {
    static func named(_ name: String) -> [String]? {
        lists[name].map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    }

    private static let lists: [String: String] = [
        // Lucene's EnglishAnalyzer: 33 words.
        "_english_": """
            a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with
            """,
    ]
}
