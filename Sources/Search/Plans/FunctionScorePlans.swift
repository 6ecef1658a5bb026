// function_score: values of the document into the score. Computed in double and cast once, as Elasticsearch does.
//
//     gauss    exp(0.5 d^2 / (0.5 scale^2 / ln decay))      d = max(0, |value - origin| - offset)
//     exp      exp(d ln decay / scale)
//     linear   max(0, (s - d) / s), s = scale / (1 - decay)
//
// Departures: a document without the value of field_value_factor counts as 1 where Elasticsearch fails the whole
// search; a negative or undefined result counts as 0.

internal import Bytes
import Glibc
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

/// A function of one document: nil where its filter does not match.
typealias DocumentFunction = @Sendable (DocID) -> Double

/// A function bound to the index, not yet to a segment.
struct BoundFunction: Sendable {
    var filter: Plan?
    var weight: Float?
    var description: String
    var make: @Sendable (SegmentView) throws(StorageError) -> DocumentFunction
}

extension QueryBinder {
    func bindFunctionScore(_ f: Query.FunctionScore, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        let inner = try bind(f.query, boost: boost, scored: scored)
        guard scored || f.minScore != nil, !inner.isNone else { return inner }
        var functions: [BoundFunction] = []
        for item in f.functions {
            var bound = try function(item)
            bound.filter = try item.filter.map { q throws(SearchError) in try self.bind(q, boost: 1, scored: false) }
            functions.append(bound)
        }
        let combination = FunctionCombination(functions: functions, scoreMode: f.scoreMode, boostMode: f.boostMode, maxBoost: f.maxBoost)
        var plan = FunctionPlan(inner: inner, scorer: { view throws(StorageError) in try combination.scorer(view) },
            minScore: f.minScore, description: combination.description)
        plan.combination = combination
        return .function(plan)
    }

    // MARK: -

    private func function(_ item: Query.FunctionScore.Item) throws(SearchError) -> BoundFunction {
        switch item.function {
        case .weight: return BoundFunction(weight: item.weight, description: "constant score 1.0 - no function provided") { _ in { _ in 1 } }
        case .fieldValueFactor(let field, let factor, let modifier, let missing):
            return try fieldValue(item, field, factor, modifier, missing)
        case .decay(let shape, let field, let origin, let scale, let offset, let decay, let mode):
            return try self.decay(item, shape, field, origin, scale, offset, decay, mode)
        case .random(let seed, let field): return try random(item, seed ?? builder.now, field)
        }
    }

    private func fieldValue(
        _ item: Query.FunctionScore.Item, _ field: String, _ factor: Double, _ modifier: Query.FunctionScore.Modifier, _ missing: Double?
    ) throws(SearchError) -> BoundFunction {
        guard let type = mapping.field(field) else {
            guard let missing else { throw SearchError("query_shard_exception", "Unable to find a field mapper for field [\(field)]. No 'missing' value defined.") }
            return BoundFunction(weight: item.weight, description: "field value function: \(field) is not mapped") { _ in { _ in modifier.apply(missing * factor) } }
        }
        let read = try values(type, "field_value_factor")
        let path = type.path
        let name = modifier == .none ? "none" : modifier.rawValue
        let text = "field value function: \(name)(doc['\(field)'].value\(missing.map { "?:\($0)" } ?? "") * factor=\(Float(factor)))"
        return BoundFunction(weight: item.weight, description: text) { view throws(StorageError) in
            let column = try view.segment.fields[path].flatMap { i throws(StorageError) in try view.segment.columns.numbers(i.ordinal) }
            return { doc in
                guard let value = column?.value(of: doc).map(read) ?? missing else { return 1 }
                return modifier.apply(value * factor)
            }
        }
    }

    private func decay(
        _ item: Query.FunctionScore.Item, _ shape: Query.FunctionScore.Decay, _ field: String, _ origin: JSONValue?, _ scale: JSONValue,
        _ offset: JSONValue?, _ decay: Double, _ mode: String
    ) throws(SearchError) -> BoundFunction {
        guard let type = mapping.field(field) else { throw SearchError("parsing_exception", "unknown field [\(field)]") }
        let read = try values(type, "\(shape.rawValue) decay")
        let isDate = type.kind == .date || type.kind == .dateNanos
        guard decay > 0, decay < 1 else { throw SearchError("illegal_argument_exception", "\(shape.rawValue) : DECAY must be in the range (0..1)") }
        let span = try self.span(scale, isDate: isDate, "scale")
        guard span > 0 else { throw SearchError("illegal_argument_exception", "\(shape.rawValue) : SCALE must be > 0.0.") }
        let free = try offset.map { o throws(SearchError) in try self.span(o, isDate: isDate, "offset") } ?? 0
        guard free >= 0 else { throw SearchError("illegal_argument_exception", "\(shape.rawValue) : OFFSET must be >= 0.0") }
        let center: Double
        if isDate {
            center = Double(try origin.map { o throws(SearchError) in try self.encoding(type).date(o, roundUp: false) } ?? builder.now)
        } else {
            guard let number = origin?.number ?? origin?.string.flatMap({ Double($0) }) else {
                throw SearchError("parse_exception", "both [scale] and [origin] must be set for numeric fields.")
            }
            center = number
        }
        let curve = shape.curve(scale: span, decay: decay), path = type.path
        return BoundFunction(weight: item.weight, description: "Function for field \(field): \(shape.rawValue)") { view throws(StorageError) in
            let column = try view.segment.fields[path].flatMap { i throws(StorageError) in try view.segment.columns.numbers(i.ordinal) }
            return { doc in
                let values = column?.values(of: doc) ?? []
                let distances = values.map { max(0, abs(read($0) - center) - free) }
                return curve(Self.choose(mode, distances))
            }
        }
    }

    private static func choose(_ mode: String, _ distances: [Double]) -> Double {
        guard !distances.isEmpty else { return 0 }
        switch mode.lowercased() {
        case "max": return distances.max() ?? 0
        case "sum": return distances.reduce(0, +)
        case "avg": return distances.reduce(0, +) / Double(distances.count)
        default: return distances.min() ?? 0
        }
    }

    /// The same for the same seed, document and (with `field`) value.
    private func random(_ item: Query.FunctionScore.Item, _ seed: Int64, _ field: String?) throws(SearchError) -> BoundFunction {
        let path = field == "_seq_no" ? nil : field.flatMap { mapping.field($0)?.path }
        if let field, field != "_seq_no", path == nil {
            throw SearchError("illegal_argument_exception", "Field [\(field)] is not mapped on [\(builder.index)] and cannot be used as a source of random numbers.")
        }
        let bySequence = field == "_seq_no"
        return BoundFunction(weight: item.weight, description: "random score function (seed: \(seed), field: \(field ?? "null"))") { view throws(StorageError) in
            let ordinal = path.flatMap { view.segment.fields[$0]?.ordinal }
            let numbers = try ordinal.flatMap { o throws(StorageError) in try view.segment.columns.numbers(o) }
            let keywords = try ordinal.flatMap { o throws(StorageError) in try view.segment.columns.keywords(o) }
            let columns = view.segment.columns, salt = view.segment.file.id.low
            return { doc in
                var value = UInt64(doc) &+ salt
                if bySequence { value = UInt64(bitPattern: (try? columns.sequenceNumber(of: doc)) ?? 0) }
                if let number = numbers?.value(of: doc) { value = UInt64(bitPattern: number) }
                if let keywords, let first = keywords.ordinals(of: doc).first, let term = try? keywords.term(first) {
                    value = term.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
                }
                return Double(mix(value &+ UInt64(bitPattern: seed)) >> 40) / Double(1 << 24)
            }
        }
    }

    /// How to read a column's codes as numbers.
    private func values(_ type: FieldType, _ function: String) throws(SearchError) -> @Sendable (Int64) -> Double {
        guard type.isNumeric else {
            throw SearchError("query_shard_exception", "field [\(type.path)] of type [\(type.kind.rawValue)] is not a number or a date: \(function) needs one")
        }
        guard type.docValues else { throw SearchError("illegal_argument_exception", "Can't load fielddata on [\(type.path)] because fielddata is unsupported on fields of type [\(type.kind.rawValue)] without doc values") }
        return type.columnReader
    }

    /// A distance: a number, or for dates a duration ("10d", "36h").
    private func span(_ value: JSONValue, isDate: Bool, _ what: String) throws(SearchError) -> Double {
        if let number = value.number { return number }
        let text = value.string ?? ""
        if !isDate, let number = Double(text) { return number }
        for (suffix, unit) in [("ms", 1.0), ("micros", 0.001), ("nanos", 1e-6), ("s", 1e3), ("m", 6e4), ("h", 36e5), ("d", 864e5), ("w", 6048e5)] {
            if text.hasSuffix(suffix), let number = Double(text.dropLast(suffix.count)) { return number * unit }
        }
        throw SearchError("parse_exception", "failed to parse [\(what)] [\(text)]: write a number, or for dates a duration such as \"10d\"")
    }
}

extension FieldType {
    /// From the code in a column to the number it stands for.
    package var columnReader: @Sendable (Int64) -> Double {
        switch kind {
        case .double, .float, .halfFloat: return { SortableDouble.decode($0) }
        case .scaledFloat:
            let factor = scalingFactor
            return { Double($0) / factor }
        case .unsignedLong: return { Double(UInt64(bitPattern: $0) ^ (1 << 63)) }
        default: return { Double($0) }
        }
    }
}

/// How the functions' values meet each other and the query's score.
struct FunctionCombination: Sendable {
    let functions: [BoundFunction]
    let scoreMode: Query.FunctionScore.ScoreMode
    let boostMode: Query.FunctionScore.BoostMode
    let maxBoost: Float

    var description: String { "function score, score mode [\(scoreMode)], boost mode [\(boostMode)]: " + functions.map(\.description).joined(separator: ", ") }

    func scorer(_ view: SegmentView) throws(StorageError) -> @Sendable (DocID, Float) -> Float {
        var made: [(filter: BitSet?, weight: Float?, value: DocumentFunction)] = []
        for function in functions {
            let filter = try function.filter.map { plan throws(StorageError) in try SegmentScorer(plan: plan, view: view).matches() }
            made.append((filter, function.weight, try function.make(view)))
        }
        let ready = made, (scoreMode, boostMode, maxBoost) = (scoreMode, boostMode, Double(maxBoost))
        return { doc, score in
            var values: [(value: Double, weight: Double)] = []
            for f in ready where f.filter.map({ $0[Int(doc)] }) ?? true {
                values.append((f.value(doc) * Double(f.weight ?? 1), Double(f.weight ?? 1)))
                if scoreMode == .first { break }
            }
            return Self.meet(Double(score), min(Self.combine(values, scoreMode), maxBoost), boostMode)
        }
    }

    static func combine(_ values: [(value: Double, weight: Double)], _ mode: Query.FunctionScore.ScoreMode) -> Double {
        guard let first = values.first else { return 1 }
        switch mode {
        case .first: return first.value
        case .multiply: return values.reduce(1) { $0 * $1.value }
        case .sum: return values.reduce(0) { $0 + $1.value }
        case .max: return values.reduce(-.infinity) { max($0, $1.value) }
        case .min: return values.reduce(.infinity) { min($0, $1.value) }
        case .avg:
            let weight = values.reduce(0) { $0 + $1.weight }
            return weight == 0 ? 1 : values.reduce(0) { $0 + $1.value } / weight
        }
    }

    static func meet(_ score: Double, _ factor: Double, _ mode: Query.FunctionScore.BoostMode) -> Float {
        let result: Double
        switch mode {
        case .multiply: result = score * factor
        case .replace: result = factor
        case .sum: result = score + factor
        case .avg: result = (score + factor) / 2
        case .max: result = max(score, factor)
        case .min: result = min(score, factor)
        }
        return result > 0 ? Float(min(result, Double(Float.greatestFiniteMagnitude))) : 0
    }
}

extension Query.FunctionScore.Modifier {
    func apply(_ x: Double) -> Double {
        switch self {
        case .none: x
        case .log: log10(x)
        case .log1p: log10(x + 1)
        case .log2p: log10(x + 2)
        case .ln: Glibc.log(x)
        case .ln1p: Glibc.log1p(x)
        case .ln2p: Glibc.log1p(x + 1)
        case .square: x * x
        case .sqrt: x.squareRoot()
        case .reciprocal: 1 / x
        }
    }
}

extension Query.FunctionScore.Decay {
    func curve(scale: Double, decay: Double) -> @Sendable (Double) -> Double {
        switch self {
        case .gauss:
            let s = 0.5 * scale * scale / Glibc.log(decay)
            return { Glibc.exp(0.5 * $0 * $0 / s) }
        case .exp:
            let s = Glibc.log(decay) / scale
            return { Glibc.exp(s * $0) }
        case .linear:
            let s = scale / (1 - decay)
            return { max(0, (s - $0) / s) }
        }
    }
}

/// SplitMix64's finalizer.
private func mix(_ x: UInt64) -> UInt64 {
    var z = x &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}
