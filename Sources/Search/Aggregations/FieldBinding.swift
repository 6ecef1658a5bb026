// A field name bound to mappings and columns: what its numbers mean, how they are written, and where they lie
// in each segment. For aggregations and sorting.
//
// Indexes may map one name differently. Numbers are read by each index's own mapping (BoundNumbers) and compared as
// doubles, as Elasticsearch reduces a long and a double; dates of both resolutions as milliseconds.

internal import Bytes
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

struct FieldBinding {
    enum Source: Equatable {
        /// No index searched maps the field: it has no values.
        case unmapped
        case numbers(NumberMeaning)
        case keywords
    }

    /// As asked for.
    let name: String
    let type: FieldType?
    let source: Source
    let isDate: Bool

    /// - Throws: for text fields, which have no columns.
    init(_ name: String, snapshots: [IndexSnapshot]) throws(QueryError) {
        self.name = name
        let types = snapshots.compactMap { $0.mapping.field(name) }
        let type = Self.common(types)
        self.type = type
        guard let type else {
            (source, isDate) = (.unmapped, false)
            return
        }
        if !type.docValues || type.kind == .text {
            if type.kind == .text {
                throw QueryError(
                    "illegal_argument_exception",
                    "Fielddata is disabled on [\(name)]. Text fields are not optimised for operations that require per-document field data like "
                        + "aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead.")
            }
            if [.object, .nested, .binary].contains(type.kind) {
                (source, isDate) = (.unmapped, false)
                return
            }
            throw QueryError("illegal_argument_exception", "Can't load fielddata on [\(name)] because fielddata is unsupported on fields of type [\(type.kind.rawValue)]. Use doc values instead.")
        }
        isDate = type.kind == .date || type.kind == .dateNanos
        if let meaning = NumberMeaning(type) {
            let agree = types.allSatisfy { NumberMeaning($0).map { $0 == meaning } ?? true }
            let areDates = types.allSatisfy { $0.kind == .date || $0.kind == .dateNanos }
            source = .numbers(agree || areDates ? meaning : .double)
        } else {
            switch type.kind {
            case .keyword, .constantKeyword, .wildcard, .ip, .flattened: source = .keywords
            default: source = .unmapped
            }
        }
    }

    /// The first of the types, but that a double stands for all numbers, and milliseconds for all dates.
    private static func common(_ types: [FieldType]) -> FieldType? {
        guard let first = types.first, types.count > 1, NumberMeaning(first) != nil else { return types.first }
        if types.allSatisfy({ $0.kind == first.kind }) { return first }
        let rank: [FieldType.Kind] = [.double, .float, .halfFloat, .date, .long, .integer, .short, .byte, .unsignedLong, .scaledFloat]
        for kind in rank { if let type = types.first(where: { $0.kind == kind }) { return type } }
        return first
    }

    var isNumeric: Bool { if case .numbers = source { true } else { false } }
    var meaning: NumberMeaning { if case .numbers(let meaning) = source { meaning } else { .integer } }
    /// Values are whole: keys are written without a fraction.
    var isWhole: Bool { meaning == .integer || meaning == .unsigned || type?.kind == .dateNanos }

    // MARK: Columns

    struct Columns {
        var numbers: BoundNumbers?
        var keywords: KeywordColumn?
        var presence: Presence? { numbers?.column.presence ?? keywords?.presence }
    }

    func columns(in view: SegmentView, mapping: Mapping) throws(StorageError) -> Columns {
        guard source != .unmapped, let own = mapping.field(name), let ordinal = view.segment.fields.ordinal(of: own.path) else { return Columns() }
        switch source {
        case .numbers(let meaning):
            guard let kind = NumberMeaning(own), let column = try view.segment.columns.numbers(ordinal) else { return Columns() }
            return Columns(numbers: BoundNumbers(column: column, own: kind, meaning: meaning), keywords: nil)
        default: return Columns(numbers: nil, keywords: try view.segment.columns.keywords(ordinal))
        }
    }

    // MARK: Values

    /// A value as a request writes it, in the column's encoding.
    func encode(_ json: JSONValue, format: DateFormat?, now: Int64, zone: TimeZoneRule = .utc, roundUp: Bool = false) throws(QueryError) -> Int64 {
        if isDate { return try milliseconds(json, format: format, now: now, zone: zone, roundUp: roundUp) &* (type?.kind == .dateNanos ? 1_000_000 : 1) }
        if type?.kind == .boolean {
            switch json {
            case .bool(let b): return b ? 1 : 0
            case .string("true"): return 1
            case .string("false"), .string(""): return 0
            default: break
            }
        }
        if meaning == .integer, let whole = json.integer ?? json.string.flatMap({ Int64($0) }) { return whole }
        guard let number = json.number ?? json.string.flatMap({ Double($0) }), !number.isNaN else {
            throw QueryError("number_format_exception", "For input string: \"\(json.string ?? "")\". Field [\(name)] takes numbers.")
        }
        switch meaning {
        case .integer: return number >= 9.2e18 ? .max : number <= -9.2e18 ? .min : Int64(number)
        case .double: return OrderedDouble.encode(number)
        case .scaled(let factor):
            let scaled = (number * factor).rounded()
            return scaled >= 9.2e18 ? .max : scaled <= -9.2e18 ? .min : Int64(scaled)
        case .unsigned:
            let bits: UInt64 = json.integer.map { $0 < 0 ? 0 : UInt64($0) } ?? json.string.flatMap { UInt64($0) } ?? (number <= 0 ? 0 : number >= 1.8e19 ? .max : UInt64(number))
            return Int64(bitPattern: bits ^ (1 << 63))
        }
    }

    /// As Elasticsearch writes an encoded value: whole numbers, or doubles.
    func json(_ value: Int64) -> JSONValue {
        switch meaning {
        case .integer: return .integer(value)
        case .unsigned:
            let bits = UInt64(bitPattern: value) ^ (1 << 63)
            return bits <= UInt64(Int64.max) ? .integer(Int64(bits)) : .number(Double(bits))
        case .scaled where type?.kind == .dateNanos: return .integer(value / 1_000_000)
        default: return .number(meaning.double(value))
        }
    }

    /// The format of dates: the request's, else the mapping's, else Elasticsearch's default.
    func dateFormat(_ format: String?) throws(QueryError) -> DateFormat {
        guard let pattern = format ?? type?.format else { return .standard }
        do { return try DateFormat(pattern) } catch { throw QueryError(error.type, error.reason) }
    }

    func milliseconds(_ json: JSONValue, format: DateFormat?, now: Int64, zone: TimeZoneRule, roundUp: Bool) throws(QueryError) -> Int64 {
        switch json {
        case .integer(let v): return v
        case .number(let v): return v.magnitude < 9e18 ? Int64(v) : v < 0 ? .min : .max
        case .string(let text):
            let own = try dateFormat(nil)
            do { return try DateMath.milliseconds(text, format: format ?? own, now: now, roundUp: roundUp, zone: zone) } catch {
                throw QueryError(error.type, error.reason)
            }
        default: throw QueryError("parsing_exception", "a date is a string or a number of milliseconds")
        }
    }
}

/// A segment's numbers, read as the whole search reads the field: those of an index that maps it otherwise are converted.
struct BoundNumbers {
    let column: NumberColumn
    /// Of the column's index.
    let own: NumberMeaning
    /// Of the search.
    let meaning: NumberMeaning

    var min: Int64 { converted(column.min) }
    var max: Int64 { converted(column.max) }

    /// As `NumberColumn.gather`, in the search's encoding.
    func gather(_ docs: UnsafeBufferPointer<DocID>, into batch: ValueBatch) {
        unsafe column.gather(docs, into: batch)
        if own == meaning { return }
        let values = unsafe batch.values
        for i in 0..<batch.count { unsafe values[i] = converted(values[i]) }
    }

    func gatherDoubles(_ docs: UnsafeBufferPointer<DocID>, into batch: ValueBatch) { unsafe column.gatherDoubles(docs, own, into: batch) }

    func forEach(_ body: (DocID, Int64) -> Void) { column.forEach { doc, value in body(doc, converted(value)) } }

    private func converted(_ value: Int64) -> Int64 {
        if own == meaning { return value }
        if meaning == .double { return OrderedDouble.encode(own.double(value)) }
        // Nanoseconds among dates of milliseconds, rounded down before 1970 too.
        guard case .scaled(let factor) = own, meaning == .integer, let unit = Int64(exactly: factor), unit > 0 else { return value }
        return value >= 0 ? value / unit : -1 - (-1 - value) / unit
    }
}

extension NumberMeaning {
    /// Nil for fields that have no numbers.
    init?(_ type: FieldType) {
        switch type.kind {
        case .long, .integer, .short, .byte, .boolean, .date: self = .integer
        case .dateNanos: self = .scaled(1_000_000)
        case .double, .float, .halfFloat: self = .double
        case .scaledFloat: self = .scaled(type.scalingFactor)
        case .unsignedLong: self = .unsigned
        default: return nil
        }
    }
}

/// How a number is written beside its bare value (`key_as_string`, `value_as_string`).
enum ValueFormat {
    case none
    case boolean
    case date(DateFormat, TimeZoneRule)
    /// DecimalFormat patterns such as "0.00", "#,##0.0": fraction digits and grouping only.
    case decimal(DecimalPattern)

    init(_ binding: FieldBinding, format: String?, timeZone: String?) throws(QueryError) {
        if binding.isDate { self = .date(try binding.dateFormat(format), try zone(timeZone)) } else if let format, binding.isNumeric, binding.type?.kind != .boolean {
            self = .decimal(DecimalPattern(format))
        } else { self = binding.type?.kind == .boolean ? .boolean : .none }
    }

    func string(_ value: Double) -> String? {
        switch self {
        case .none: return nil
        case .boolean: return value != 0 ? "true" : "false"
        case .date(let format, let zone): return format.string(value.magnitude < 9e18 ? Int64(value) : 0, zone: zone)
        case .decimal(let pattern): return pattern.string(value)
        }
    }
}

func zone(_ id: String?) throws(QueryError) -> TimeZoneRule {
    guard let id else { return .utc }
    do { return try TimeZoneRule(id) } catch { throw QueryError(error.type, error.reason) }
}

/// The part of java.text.DecimalFormat that shops use: a prefix, grouping, least and most fraction digits, a suffix.
struct DecimalPattern {
    private var prefix = "", suffix = ""
    private var least = 0, most = 0, wholes = 0
    private var grouped = false

    init(_ pattern: String) {
        var seen = false, fraction = false
        for c in pattern {
            switch c {
            case "0", "#":
                seen = true
                if fraction {
                    most += 1
                    if c == "0" { least += 1 }
                } else if c == "0" { wholes += 1 }
            case ",": grouped = true
            case ".": (fraction, seen) = (true, true)
            default: if seen { suffix.append(c) } else { prefix.append(c) }
            }
        }
        most = min(most, 15)
        least = min(least, most)
    }

    func string(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<most { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded(.toNearestOrEven)
        guard scaled < 9e18 else { return "\(value)" }
        var digits = String(Int64(scaled))
        while digits.count <= most { digits = "0" + digits }
        var whole = String(digits.dropLast(most)), fraction = String(digits.suffix(most))
        while fraction.count > least, fraction.last == "0" { fraction.removeLast() }
        if whole == "0", wholes == 0, !fraction.isEmpty { whole = "" }
        while whole.count < wholes { whole = "0" + whole }
        if grouped, whole.count > 3 {
            var out = ""
            for (i, c) in whole.enumerated() {
                if i > 0, (whole.count - i) % 3 == 0 { out.append(",") }
                out.append(c)
            }
            whole = out
        }
        return (value < 0 && scaled != 0 ? "-" : "") + prefix + whole + (fraction.isEmpty ? "" : "." + fraction) + suffix
    }
}
