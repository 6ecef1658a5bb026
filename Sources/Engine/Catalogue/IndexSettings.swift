// The settings of an index: read in any of the spellings Elasticsearch accepts (nested, flat, with or without
// "index."), kept flat and as text, checked against one table of names.

internal import Analysis
internal import JSON
internal import Mappings
internal import Search

struct IndexSettings: Sendable, Equatable {
    /// "index.refresh_interval" -> "1s"; lists are kept as arrays of text. Sorted by name.
    private(set) var values: [String: JSONValue]

    /// Settings that can only be given at creation, and ones that can be changed; a name ending in "." stands for all below it.
    static let fixed = [
        "number_of_shards", "codec", "routing_partition_size", "sort.", "analysis.", "similarity.", "mapping.coerce", "mapping.ignore_malformed",
        "soft_deletes.", "store.", "shard.", "number_of_routing_shards", "load_fixed_bitset_filters_eagerly", "mode", "mapping.source.",
    ]
    static let dynamic = [
        "number_of_replicas", "auto_expand_replicas", "refresh_interval", "max_result_window", "max_inner_result_window", "max_rescore_window",
        "max_docvalue_fields_search", "max_script_fields", "max_ngram_diff", "max_shingle_diff", "max_refresh_listeners", "max_terms_count",
        "max_regex_length", "analyze.max_token_count", "highlight.", "query.", "gc_deletes", "blocks.", "hidden", "merge.", "search.", "indexing.",
        "routing.", "lifecycle.", "priority", "default_pipeline", "final_pipeline", "requests.", "translog.", "mapping.", "unassigned.",
        "flush_after_merge", "max_adjacency_matrix_filters", "max_slices_per_scroll", "warmer.", "write.", "verified_before_close", "allocation.",
    ]
    /// Set by the node; given ones are ignored (a body copied from GET).
    static let private_ = ["uuid", "creation_date", "provided_name", "version.", "resize.", "creation_date_string"]

    init() { values = ["index.number_of_shards": "1", "index.number_of_replicas": "1"] }

    /// - Throws: illegal_argument_exception for unknown names and impossible values.
    init(creating given: JSONObject) throws(EngineError) {
        self.init()
        for (name, value) in try Self.flatten(given) {
            if Self.matches(name, Self.private_) { continue }
            guard Self.matches(name, Self.fixed) || Self.matches(name, Self.dynamic) else { throw Self.unknown(name) }
            if value.isNull { continue }
            values[name] = value
        }
        try check()
    }

    /// From index.json: what was accepted once is not judged again.
    init(stored: JSONObject) {
        values = [:]
        for (name, value) in stored { values[name] = value }
    }

    /// With changes made; null restores the default.
    func changed(_ given: JSONObject, index: String) throws(EngineError) -> IndexSettings {
        var next = self, wrong: [String] = []
        for (name, value) in try Self.flatten(given) {
            if Self.matches(name, Self.private_) || Self.matches(name, Self.fixed) && !Self.matches(name, Self.dynamic) {
                wrong.append(name)
                continue
            }
            guard Self.matches(name, Self.dynamic) else { throw Self.unknown(name) }
            next.values[name] = value.isNull ? IndexSettings().values[name] : value
        }
        if !wrong.isEmpty {
            throw .illegalArgument(
                "Can't update non dynamic settings [[\(wrong.sorted().joined(separator: ", "))]] for open indices [[\(index)]]; make a new index with them")
        }
        try next.check()
        return next
    }

    var object: JSONObject { JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }) }

    func text(_ name: String) -> String? { values["index." + name]?.string }

    // MARK: - What they mean

    /// Milliseconds; nil for never.
    func refreshMilliseconds() throws(EngineError) -> Int64? {
        guard let text = text("refresh_interval") else { return 1000 }
        let milliseconds = try Self.duration(text, "index.refresh_interval")
        return milliseconds <= 0 ? nil : max(10, milliseconds)
    }

    func apply(to shard: inout ShardSettings) throws(EngineError) {
        shard.refreshMilliseconds = try refreshMilliseconds()
        if let text = text("translog.durability") {
            guard let durability = ShardSettings.Durability(rawValue: text.lowercased()) else {
                throw .illegalArgument("No enum constant for [index.translog.durability]: [\(text)]; give request or async")
            }
            shard.durability = durability
        }
        if let text = text("translog.flush_threshold_size") { shard.flushBytes = max(1 << 16, try Self.bytes(text, "index.translog.flush_threshold_size")) }
    }

    func searchSettings() throws(EngineError) -> SearchSettings {
        var s = SearchSettings()
        s.resultWindowMax = try integer("max_result_window", s.resultWindowMax, 1...Int(Int32.max))
        s.termsMax = try integer("max_terms_count", s.termsMax, 1...Int(Int32.max))
        switch values["index.query.default_field"] {
        case .string(let one): s.defaultFields = one.split(separator: ",").map(String.init)
        case .array(let many): s.defaultFields = many.compactMap(\.string)
        default: break
        }
        if let text = text("similarity.default.k1"), let k1 = Float(text), k1.isFinite, k1 >= 0 { s.k1 = k1 }
        if let text = text("similarity.default.b"), let b = Float(text), b.isFinite, (0...1).contains(b) { s.b = b }
        return s
    }

    func mappingLimits() throws(EngineError) -> MappingLimits {
        do throws(MappingError) { return try MappingLimits(settings: object) } catch { throw EngineError(error) }
    }

    /// The index's own analyzers over the built-in ones.
    func analysis() throws(EngineError) -> AnalysisRegistry {
        do throws(AnalysisError) { return try AnalysisRegistry(indexSettings: object) } catch { throw .illegalArgument(error.reason) }
    }

    // MARK: -

    private func check() throws(EngineError) {
        _ = try integer("number_of_shards", 1, 1...1024)
        _ = try integer("number_of_replicas", 1, 0...Int(Int32.max))
        _ = try searchSettings()
        var shard = ShardSettings()
        try apply(to: &shard)
        _ = try mappingLimits()
    }

    private func integer(_ name: String, _ fallback: Int, _ range: ClosedRange<Int>) throws(EngineError) -> Int {
        guard let text = text(name) else { return fallback }
        guard let value = Int(text) else { throw .illegalArgument("Failed to parse value [\(text)] for setting [index.\(name)]: give an integer") }
        guard value >= range.lowerBound else { throw .illegalArgument("Failed to parse value [\(text)] for setting [index.\(name)] must be >= \(range.lowerBound)") }
        guard value <= range.upperBound else { throw .illegalArgument("Failed to parse value [\(text)] for setting [index.\(name)] must be <= \(range.upperBound)") }
        return value
    }

    private static func unknown(_ name: String) -> EngineError {
        .illegalArgument(
            "unknown setting [\(name)] please check that any required plugins are installed, or check the breaking changes documentation for removed settings")
    }

    private static func matches(_ name: String, _ table: [String]) -> Bool {
        let short = name.dropFirst("index.".count)
        return table.contains { entry in entry.hasSuffix(".") ? short.hasPrefix(entry) : short == entry[...] }
    }

    private static func flatten(_ object: JSONObject) throws(EngineError) -> [(String, JSONValue)] {
        var out: [(String, JSONValue)] = []
        func visit(_ prefix: String, _ value: JSONValue, _ depth: Int) throws(EngineError) {
            if depth > 20 { throw .illegalArgument("settings are nested too deep") }
            switch value {
            case .object(let members): for (key, inner) in members { try visit(prefix.isEmpty ? key : prefix + "." + key, inner, depth + 1) }
            case .array(let items): out.append((named(prefix), .array(items.compactMap { item in scalar(item).map { .string($0) } })))
            case .null: out.append((named(prefix), .null))
            default: out.append((named(prefix), .string(scalar(value) ?? "")))
            }
        }
        try visit("", .object(object), 0)
        return out
    }

    private static func named(_ name: String) -> String { name.hasPrefix("index.") ? name : "index." + name }

    private static func scalar(_ value: JSONValue) -> String? {
        switch value {
        case .string(let s): s
        case .integer(let i): String(i)
        case .number(let d): Int64(exactly: d).map { String($0) } ?? String(d)
        case .bool(let b): String(b)
        default: nil
        }
    }

    /// "1s", "500ms", "-1", "2m": milliseconds.
    private static func duration(_ text: String, _ name: String) throws(EngineError) -> Int64 {
        if text == "-1" { return -1 }
        if text == "0" { return 0 }
        for (suffix, factor) in [("ms", Int64(1)), ("micros", 0), ("nanos", 0), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)] {
            guard text.hasSuffix(suffix), let n = Double(text.dropLast(suffix.count)), n.isFinite else { continue }
            return Int64(exactly: (n * Double(factor)).rounded()) ?? .max
        }
        throw .illegalArgument("failed to parse setting [\(name)] with value [\(text)] as a time value: unit is missing or unrecognized; write for example 1s or 500ms")
    }

    private static func bytes(_ text: String, _ name: String) throws(EngineError) -> Int {
        let lower = text.lowercased()
        for (suffix, shift) in [("kb", 10), ("mb", 20), ("gb", 30), ("tb", 40), ("k", 10), ("m", 20), ("g", 30), ("b", 0)] {
            guard lower.hasSuffix(suffix), let n = Double(lower.dropLast(suffix.count)), n >= 0, n < 1e9 else { continue }
            return Int(exactly: (n * Double(1 << shift)).rounded()) ?? .max
        }
        throw .illegalArgument("failed to parse setting [\(name)] with value [\(text)] as a size in bytes: unit is missing or unrecognized; write for example 512mb")
    }
}
