// Which parameters a field of each kind takes, their defaults, and which of them may change later. To teach
// the mapping a parameter, add a row.

internal import JSON

struct FieldParameter: Sendable {
    enum Shape: Sendable {
        case bool, integer, number, string, any, object
        case oneOf([String])
        case analyzer, normalizer, dateFormat
    }
    let name: String
    let shape: Shape
    /// What stands for its absence; definitions equal to it are not shown. Nil: absence itself.
    var fallback: JSONValue?
    /// May be changed by a later mapping.
    var updatable = false

    static func bool(_ name: String, _ fallback: Bool, updatable: Bool = false) -> FieldParameter {
        FieldParameter(name: name, shape: .bool, fallback: .bool(fallback), updatable: updatable)
    }
}

extension FieldType.Kind {
    /// Elasticsearch's types that Isotherm does not have.
    static let unsupported: Set<String> = [
        "geo_point", "geo_shape", "point", "shape", "join", "percolator", "rank_feature", "rank_features", "dense_vector", "sparse_vector",
        "search_as_you_type", "completion", "token_count", "murmur3", "annotated-text", "integer_range", "float_range", "long_range",
        "double_range", "date_range", "ip_range", "histogram", "aggregate_metric_double", "version", "match_only_text", "semantic_text",
        "counted_keyword", "passthrough",
    ]

    static let supportedNames = [
        "text", "keyword", "constant_keyword", "wildcard", "long", "integer", "short", "byte", "unsigned_long", "double", "float", "half_float",
        "scaled_float", "boolean", "date", "date_nanos", "ip", "object", "nested", "flattened", "alias", "binary",
    ]

    /// Elasticsearch's name.
    package var name: String { rawValue }

    var isNumeric: Bool {
        switch self {
        case .long, .integer, .short, .byte, .unsignedLong, .double, .float, .halfFloat, .scaledFloat: true
        default: false
        }
    }

    var parameters: [FieldParameter] {
        switch self {
        case .text: Self.textParameters
        case .keyword: Self.keywordParameters
        case .constantKeyword: Self.common + [FieldParameter(name: "value", shape: .any, updatable: true)]
        case .wildcard: Self.common + [Self.ignoreAbove, Self.nullValue]
        case .long, .integer, .short, .byte, .double, .float, .halfFloat: Self.numberParameters
        case .unsignedLong: Self.numberParameters
        case .scaledFloat: Self.numberParameters + [FieldParameter(name: "scaling_factor", shape: .number, updatable: true)]
        case .boolean: Self.common + Self.stored + [Self.updatableColumn, Self.nullValue, Self.ignoreMalformed]
        case .date, .dateNanos: Self.dateParameters
        case .ip: Self.common + Self.stored + [Self.nullValue, Self.ignoreMalformed, Self.dimension]
        case .flattened: Self.flattenedParameters
        case .alias: [FieldParameter(name: "path", shape: .string)]
        case .binary: Self.common + [.bool("store", false), .bool("doc_values", false)]
        case .object, .nested: []
        }
    }

    private static let common = [FieldParameter(name: "meta", shape: .object, updatable: true)]
    private static let stored = [FieldParameter.bool("index", true), .bool("doc_values", true), .bool("store", false)]
    /// Isotherm's own: the column's values may change without the document being written anew.
    private static let updatableColumn = FieldParameter.bool("updatable", false)
    private static let nullValue = FieldParameter(name: "null_value", shape: .any)
    private static let ignoreAbove = FieldParameter(name: "ignore_above", shape: .integer, fallback: 2_147_483_647, updatable: true)
    private static let ignoreMalformed = FieldParameter.bool("ignore_malformed", false, updatable: true)
    private static let dimension = FieldParameter.bool("time_series_dimension", false)
    private static let similarity = FieldParameter(name: "similarity", shape: .oneOf(["BM25"]), fallback: "BM25")
    private static let globalOrdinals = FieldParameter.bool("eager_global_ordinals", false, updatable: true)

    private static let textParameters = common + [
        .bool("index", true), .bool("store", false), .bool("norms", true, updatable: true),
        FieldParameter(name: "index_options", shape: .oneOf(["docs", "freqs", "positions", "offsets"]), fallback: "positions"),
        FieldParameter(name: "analyzer", shape: .analyzer, fallback: "default"),
        FieldParameter(name: "search_analyzer", shape: .analyzer, updatable: true),
        FieldParameter(name: "search_quote_analyzer", shape: .analyzer, updatable: true),
        similarity, .bool("fielddata", false, updatable: true), FieldParameter(name: "fielddata_frequency_filter", shape: .object, updatable: true),
        globalOrdinals, .bool("index_phrases", false), FieldParameter(name: "index_prefixes", shape: .object),
        FieldParameter(name: "position_increment_gap", shape: .integer, fallback: 100),
        FieldParameter(
            name: "term_vector",
            shape: .oneOf(["no", "yes", "with_positions", "with_offsets", "with_positions_offsets", "with_positions_payloads", "with_positions_offsets_payloads"]),
            fallback: "no"),
    ]

    private static let keywordParameters = common + stored + [
        nullValue, ignoreAbove, globalOrdinals, .bool("norms", false, updatable: true),
        FieldParameter(name: "index_options", shape: .oneOf(["docs", "freqs"]), fallback: "docs"),
        FieldParameter(name: "normalizer", shape: .normalizer), similarity, .bool("split_queries_on_whitespace", false, updatable: true), dimension,
    ]

    private static let numberParameters = common + stored + [
        updatableColumn,
        nullValue, ignoreMalformed, .bool("coerce", true, updatable: true), dimension,
        FieldParameter(name: "time_series_metric", shape: .oneOf(["gauge", "counter"])),
    ]

    private static let dateParameters = common + stored + [
        updatableColumn, nullValue, ignoreMalformed, FieldParameter(name: "locale", shape: .string, fallback: ""),
        FieldParameter(name: "format", shape: .dateFormat, fallback: "strict_date_optional_time||epoch_millis"),
    ]

    private static let flattenedParameters = common + [
        .bool("index", true), .bool("doc_values", true), nullValue, ignoreAbove, globalOrdinals, similarity,
        FieldParameter(name: "depth_limit", shape: .integer, fallback: 20, updatable: true),
        FieldParameter(name: "index_options", shape: .oneOf(["docs", "freqs"]), fallback: "docs"),
        .bool("split_queries_on_whitespace", false, updatable: true),
    ]
}
