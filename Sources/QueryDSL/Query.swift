// A query as a tree of values: what was asked, before any index is known. Parsed from Elasticsearch's JSON
// (QueryParser.swift), bound to an index by Search/Plans.

package import JSON

package struct Query: Sendable, Equatable {
    package var kind: Kind
    package var boost: Float
    /// `_name`: listed in `matched_queries` of the hits that match this clause.
    package var name: String?

    package init(_ kind: Kind, boost: Float = 1, name: String? = nil) { (self.kind, self.boost, self.name) = (kind, boost, name) }

    package indirect enum Kind: Sendable, Equatable {
        case matchAll
        case matchNone
        case match(Match)
        case multiMatch(MultiMatch)
        case matchPhrase(Phrase)
        case matchPhrasePrefix(Phrase)
        case matchBoolPrefix(Match)
        case bool(Bool)
        case term(field: String, value: JSONValue, caseInsensitive: Swift.Bool)
        case terms(field: String, values: [JSONValue])
        case range(Range)
        case prefix(field: String, value: String, caseInsensitive: Swift.Bool)
        case wildcard(field: String, pattern: String, caseInsensitive: Swift.Bool)
        case regexp(field: String, pattern: String, caseInsensitive: Swift.Bool)
        case fuzzy(field: String, value: String, fuzziness: Fuzziness, prefixLength: Int, maxExpansions: Int, transpositions: Swift.Bool)
        case exists(field: String)
        case ids([String])
        case constantScore(Query)
        case disMax([Query], tieBreaker: Float)
        case boosting(positive: Query, negative: Query, negativeBoost: Float)
        case functionScore(FunctionScore)
        case simpleQueryString(SimpleQueryString)
        case nested(path: String, query: Query)
    }

    package enum Operator: Sendable, Equatable { case or, and }

    package enum Fuzziness: Sendable, Equatable {
        case edits(Int)
        /// 0 edits below `low` code points, 1 below `high`, else 2. Elasticsearch's AUTO is (3, 6).
        case auto(low: Int, high: Int)
        package static let auto = Fuzziness.auto(low: 3, high: 6)
    }

    package enum ZeroTerms: Sendable, Equatable { case none, all }

    package struct Match: Sendable, Equatable {
        package var field: String
        package var text: JSONValue
        package var op: Operator = .or
        /// As written: "2", "-25%", "3<90%". Parsed by `MinimumShouldMatch`.
        package var minimumShouldMatch: String?
        package var fuzziness: Fuzziness?
        package var prefixLength = 0
        package var maxExpansions = 50
        package var transpositions = true
        package var analyzer: String?
        package var zeroTerms: ZeroTerms = .none
        package var lenient = false
        package var autoGenerateSynonymsPhraseQuery = true
        package init(field: String, text: JSONValue) { (self.field, self.text) = (field, text) }
    }

    package struct Phrase: Sendable, Equatable {
        package var field: String
        package var text: JSONValue
        package var slop = 0
        package var analyzer: String?
        package var zeroTerms: ZeroTerms = .none
        /// match_phrase_prefix only.
        package var maxExpansions = 50
        package init(field: String, text: JSONValue) { (self.field, self.text) = (field, text) }
    }

    package struct MultiMatch: Sendable, Equatable {
        package enum Style: Sendable, Equatable { case bestFields, mostFields, crossFields, phrase, phrasePrefix, boolPrefix }
        /// Names or patterns with `*`, each with its boost; empty for all text and keyword fields.
        package var fields: [(name: String, boost: Float)]
        package var text: JSONValue
        package var style: Style = .bestFields
        package var op: Operator = .or
        package var minimumShouldMatch: String?
        package var fuzziness: Fuzziness?
        package var prefixLength = 0
        package var maxExpansions = 50
        package var transpositions = true
        package var tieBreaker: Float?
        package var slop = 0
        package var analyzer: String?
        package var zeroTerms: ZeroTerms = .none
        package var lenient = false
        package init(fields: [(name: String, boost: Float)], text: JSONValue) { (self.fields, self.text) = (fields, text) }
        package static func == (a: MultiMatch, b: MultiMatch) -> Swift.Bool {
            a.fields.elementsEqual(b.fields, by: ==) && a.text == b.text && a.style == b.style && a.op == b.op
                && a.minimumShouldMatch == b.minimumShouldMatch && a.fuzziness == b.fuzziness && a.prefixLength == b.prefixLength
                && a.maxExpansions == b.maxExpansions && a.transpositions == b.transpositions && a.tieBreaker == b.tieBreaker
                && a.slop == b.slop && a.analyzer == b.analyzer && a.zeroTerms == b.zeroTerms && a.lenient == b.lenient
        }
    }

    package struct Bool: Sendable, Equatable {
        package var must: [Query] = [], should: [Query] = [], filter: [Query] = [], mustNot: [Query] = []
        package var minimumShouldMatch: String?
        package init() {}
    }

    package struct Range: Sendable, Equatable {
        package var field: String
        package var lower: JSONValue?
        package var includesLower = true
        package var upper: JSONValue?
        package var includesUpper = true
        package var format: String?
        package var timeZone: String?
        package init(field: String) { self.field = field }
    }

    package struct FunctionScore: Sendable, Equatable {
        package enum ScoreMode: Sendable, Equatable { case multiply, sum, avg, first, max, min }
        package enum BoostMode: Sendable, Equatable { case multiply, replace, sum, avg, max, min }
        package enum Modifier: String, Sendable, Equatable { case none, log, log1p, log2p, ln, ln1p, ln2p, square, sqrt, reciprocal }
        package enum Decay: String, Sendable, Equatable { case gauss, exp, linear }
        package enum Function: Sendable, Equatable {
            case weight
            case fieldValueFactor(field: String, factor: Double, modifier: Modifier, missing: Double?)
            case decay(Decay, field: String, origin: JSONValue?, scale: JSONValue, offset: JSONValue?, decay: Double, multiValueMode: String)
            case random(seed: Int64?, field: String?)
        }
        package struct Item: Sendable, Equatable {
            package var filter: Query?
            package var function: Function
            package var weight: Float?
            package init(filter: Query?, function: Function, weight: Float?) {
                (self.filter, self.function, self.weight) = (filter, function, weight)
            }
        }
        package var query: Query
        package var functions: [Item]
        package var scoreMode: ScoreMode = .multiply
        package var boostMode: BoostMode = .multiply
        package var maxBoost: Float = .greatestFiniteMagnitude
        package var minScore: Float?
        package init(query: Query, functions: [Item]) { (self.query, self.functions) = (query, functions) }
    }

    package struct SimpleQueryString: Sendable, Equatable {
        package var text: String
        package var fields: [(name: String, boost: Float)]
        package var defaultOperator: Operator = .or
        package var minimumShouldMatch: String?
        package var analyzer: String?
        package var lenient = false
        package var analyzeWildcard = false
        package var fuzzyPrefixLength = 0
        package var fuzzyMaxExpansions = 50
        package var fuzzyTranspositions = true
        /// Operators that are recognised; nil for all. Names as in `flags`: "AND", "PHRASE", "PREFIX", ...
        package var flags: Set<String>?
        package init(text: String, fields: [(name: String, boost: Float)]) { (self.text, self.fields) = (text, fields) }
        package static func == (a: SimpleQueryString, b: SimpleQueryString) -> Swift.Bool {
            a.text == b.text && a.fields.elementsEqual(b.fields, by: ==) && a.defaultOperator == b.defaultOperator
                && a.minimumShouldMatch == b.minimumShouldMatch && a.analyzer == b.analyzer && a.lenient == b.lenient
                && a.flags == b.flags
        }
    }
}
