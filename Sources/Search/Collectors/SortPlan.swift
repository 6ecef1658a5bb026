// Sort keys bound to fields. Within a segment every key is an Int64 that rises in the order asked for, so
// comparing two documents compares integers; across segments, where ordinals of keywords mean different
// terms, the values themselves are compared.

internal import Bytes
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

struct SortPlan {
    enum Target {
        case score
        /// By index, segment and document: the order of insertion, but for merges.
        case doc
        case field(FieldBinding)
    }

    struct Key {
        let target: Target
        let ascending: Bool
        let missing: SortKey.Missing
        let mode: SortKey.Mode
        let format: DateFormat?
        /// What a number field without value sorts by, in the column's encoding.
        let missingNumber: Int64
        let missingTerm: [UInt8]?

        var isKeyword: Bool { if case .field(let b) = target, b.source == .keywords { true } else { false } }
        var missingFirst: Bool { missing == .first }
    }

    let keys: [Key]
    /// Encoded numbers, terms: one for each key; nil without search_after.
    let after: [SortValue]?
    /// Documents of the segments before, for `.doc`.
    let docBases: [[Int]]

    init(_ sort: [SortKey], snapshots: [IndexSnapshot], after: [JSONValue]?, now: Int64) throws(QueryError) {
        var keys: [Key] = []
        for s in sort { keys.append(try Self.bind(s, snapshots, now)) }
        self.keys = keys
        var bases: [[Int]] = [], n = 0
        for snapshot in snapshots {
            bases.append([])
            for view in snapshot.segments {
                bases[bases.count - 1].append(n)
                n += view.docCount
            }
        }
        docBases = bases
        guard let after else {
            self.after = nil
            return
        }
        guard after.count == keys.count else {
            throw QueryError("illegal_argument_exception", "search_after has \(after.count) value(s) but sort has \(keys.count).")
        }
        var values: [SortValue] = []
        for (json, key) in zip(after, keys) { values.append(try Self.cursor(json, key, now)) }
        self.after = values
    }

    /// One value as a response shows it.
    func json(_ value: SortValue, _ i: Int) -> JSONValue {
        switch value {
        case .null: return .null
        case .string(let bytes): return .string(String(decoding: bytes, as: UTF8.self))
        case .double(let v): return number(v, asFloat: false)
        case .integer(let v):
            switch keys[i].target {
            case .score: return number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: v))), asFloat: true)
            case .doc: return .integer(v)
            case .field(let binding):
                if binding.isDate {
                    if let format = keys[i].format, v != keys[i].missingNumber || (v != .min && v != .max) {
                        return .string(format.string(binding.type?.kind == .dateNanos ? v / 1_000_000 : v))
                    }
                    return .integer(v)
                }
                if binding.isWhole { return binding.json(v) }
                return number(binding.meaning.double(v), asFloat: binding.type?.kind == .float || binding.type?.kind == .halfFloat)
            }
        }
    }

    private func number(_ v: Double, asFloat: Bool) -> JSONValue {
        if v.isNaN { return "NaN" }
        if v.isInfinite { return v > 0 ? "Infinity" : "-Infinity" }
        return .number(asFloat ? Double("\(Float(v))") ?? v : v)
    }

    /// Whether `a` comes before `b`, by value: for hits of different segments. Ties: index, segment, document.
    func precedes(_ a: SortedHit, _ b: SortedHit) -> Bool {
        for (i, key) in keys.enumerated() {
            let order = compare(a.sort[i], b.sort[i], key)
            if order != 0 { return order < 0 }
        }
        return (a.snapshot, a.segment, a.doc) < (b.snapshot, b.segment, b.doc)
    }

    private func compare(_ a: SortValue, _ b: SortValue, _ key: Key) -> Int {
        func sign(_ less: Bool) -> Int { less == key.ascending ? -1 : 1 }
        switch (a, b) {
        case (.null, .null): return 0
        case (.null, _): return key.missingFirst ? -1 : 1
        case (_, .null): return key.missingFirst ? 1 : -1
        case (.string(let x), .string(let y)): return x == y ? 0 : sign(x.lexicographicallyPrecedes(y))
        case (.integer(let x), .integer(let y)):
            if case .score = key.target {
                let (p, q) = (Float(bitPattern: UInt32(truncatingIfNeeded: x)), Float(bitPattern: UInt32(truncatingIfNeeded: y)))
                return p == q ? 0 : sign(p < q)
            }
            return x == y ? 0 : sign(x < y)
        default:
            // Fields of different types in different indexes.
            let (x, y) = (number(a, key), number(b, key))
            return x == y ? 0 : sign(x < y)
        }
    }

    private func number(_ v: SortValue, _ key: Key) -> Double {
        switch v {
        case .double(let d): return d
        case .integer(let i): if case .field(let binding) = key.target { return binding.meaning.double(i) } else { return Double(i) }
        default: return .infinity
        }
    }

    // MARK: -

    private static func bind(_ sort: SortKey, _ snapshots: [IndexSnapshot], _ now: Int64) throws(QueryError) -> Key {
        func key(_ target: Target, _ mode: SortKey.Mode, format: DateFormat? = nil, number: Int64 = 0, term: [UInt8]? = nil) -> Key {
            Key(target: target, ascending: sort.ascending, missing: sort.missing, mode: mode, format: format, missingNumber: number, missingTerm: term)
        }
        let mode = sort.mode ?? (sort.ascending ? .min : .max)
        switch sort.target {
        case .score: return key(.score, mode)
        case .doc: return key(.doc, mode)
        case .field(let name):
            let binding = try FieldBinding(name, snapshots: snapshots)
            if binding.source == .unmapped, sort.unmappedType == nil {
                throw QueryError("query_shard_exception", "No mapping found for [\(name)] in order to sort on. Give unmapped_type to sort anyway.")
            }
            if binding.source == .keywords, let given = sort.mode, given != .min, given != .max {
                throw QueryError("illegal_argument_exception", "Mode [\(given.rawValue)] is not supported on string field [\(name)]. Use min or max.")
            }
            let format = binding.isDate ? try sort.format.map { _ throws(QueryError) in try binding.dateFormat(sort.format) } : nil
            let high = sort.ascending == (sort.missing != .first)
            var number = high ? Int64.max : .min
            if binding.meaning == .double { number = OrderedDouble.encode(high ? .infinity : -.infinity) }
            var term: [UInt8]?
            if case .value(let json) = sort.missing {
                if binding.source == .keywords { term = Array(plainText(json).utf8) } else { number = try binding.encode(json, format: format, now: now) }
            }
            return key(.field(binding), mode, format: format, number: number, term: term)
        }
    }

    private static func cursor(_ json: JSONValue, _ key: Key, _ now: Int64) throws(QueryError) -> SortValue {
        switch key.target {
        case .score:
            guard let score = json.number ?? json.string.flatMap({ Double($0) }) else { throw bad(json, "_score") }
            return .integer(Int64(Float(score).bitPattern))
        case .doc:
            guard let doc = json.integer else { throw bad(json, "_doc") }
            return .integer(doc)
        case .field(let binding):
            if json.isNull { return binding.source == .keywords ? .null : .integer(key.missingNumber) }
            if binding.source == .keywords { return .string(Array(plainText(json).utf8)) }
            if binding.meaning == .double, let text = json.string {
                if text == "Infinity" { return .integer(OrderedDouble.encode(.infinity)) }
                if text == "-Infinity" { return .integer(OrderedDouble.encode(-.infinity)) }
            }
            let value = try binding.encode(json, format: key.format, now: now)
            // A float came back as its shortest decimal.
            if binding.type?.kind == .float || binding.type?.kind == .halfFloat { return .integer(OrderedDouble.encode(Double(Float(OrderedDouble.decode(value))))) }
            return .integer(value)
        }
    }

    private static func bad(_ json: JSONValue, _ name: String) -> QueryError {
        QueryError("illegal_argument_exception", "Failed to parse search_after value for field [\(name)].")
    }
}
