// Values as a query writes them, in the encoding of the field's kind (see SortableDouble): single values and
// the bounds of ranges. A bound that lies between two values moves inwards; one beyond all values empties the range.

internal import JSON
internal import Mappings
internal import QueryDSL

struct ValueEncoding {
    let type: FieldType
    /// Milliseconds since 1970.
    let now: Int64
    var format: String?
    var timeZone: String?

    init(_ type: FieldType, now: Int64) { (self.type, self.now) = (type, now) }

    enum Bound { case lower(included: Bool), upper(included: Bool) }

    /// The values that equal a term's value; nil when none can (1.5 in an integer field).
    func exact(_ value: JSONValue) throws(SearchError) -> ClosedRange<Int64>? {
        switch type.kind {
        case .date, .dateNanos:
            let low = try date(value, roundUp: false), high = try date(value, roundUp: true)
            return low <= high ? low...high : nil
        case .boolean: return try boolean(value).map { $0...$0 }
        case .unsignedLong:
            guard let bits = try unsigned(value, roundUp: false), try unsigned(value, roundUp: true) == bits else { return nil }
            return Self.flip(bits)...Self.flip(bits)
        case .double: return try at(SortableDouble.encode(number(value)))
        case .float, .halfFloat: return at(SortableDouble.encode(Double(try single(value))))
        case .scaledFloat: return clamp((try number(value) * type.scalingFactor).rounded()).map { $0...$0 }
        default:
            if let integer = value.integer ?? value.string.flatMap({ Int64($0) }) { return integer...integer }
            return Int64(exactly: try number(value)).map { $0...$0 }
        }
    }

    /// The outermost value within a bound; nil when no value is.
    func bound(_ value: JSONValue, _ bound: Bound) throws(SearchError) -> Int64? {
        switch type.kind {
        case .date, .dateNanos: return try dateBound(value, bound)
        case .boolean: return try boolean(value).flatMap { Self.step($0, bound) }
        case .unsignedLong: return try unsignedBound(value, bound)
        case .double: return Self.step(SortableDouble.encode(try number(value)), bound)
        case .float, .halfFloat:
            let f = try single(value)
            switch bound {
            case .lower(let included): return SortableDouble.encode(Double(included ? f : f.nextUp))
            case .upper(let included): return SortableDouble.encode(Double(included ? f : f.nextDown))
            }
        case .scaledFloat: return scaledBound(try number(value) * type.scalingFactor, bound)
        default:
            if let integer = value.integer ?? value.string.flatMap({ Int64($0) }) { return Self.step(integer, bound) }
            return integerBound(try number(value), bound)
        }
    }

    // MARK: -

    private func at(_ code: Int64) -> ClosedRange<Int64>? { code...code }

    /// The next value inwards when the bound itself is left out.
    private static func step(_ code: Int64, _ bound: Bound) -> Int64? {
        switch bound {
        case .lower(included: true), .upper(included: true): return code
        case .lower: return code == .max ? nil : code + 1
        case .upper: return code == .min ? nil : code - 1
        }
    }

    private func integerBound(_ d: Double, _ bound: Bound) -> Int64? {
        if d.isNaN { return nil }
        if let whole = Int64(exactly: d) { return Self.step(whole, bound) }
        switch bound {
        case .lower: return d > 0x1p63 ? nil : d < -0x1p63 ? .min : Int64(exactly: d.rounded(.up))
        case .upper: return d < -0x1p63 ? nil : d > 0x1p63 ? .max : Int64(exactly: d.rounded(.down)) ?? .max
        }
    }

    private func scaledBound(_ scaled: Double, _ bound: Bound) -> Int64? {
        if scaled.isNaN { return nil }
        switch bound {
        case .lower(let included):
            let d = (included ? scaled : scaled.nextUp).rounded(.up)
            return d >= 0x1p63 ? nil : d < -0x1p63 ? .min : Int64(exactly: d)
        case .upper(let included):
            let d = (included ? scaled : scaled.nextDown).rounded(.down)
            return d < -0x1p63 ? nil : d >= 0x1p63 ? .max : Int64(exactly: d)
        }
    }

    /// As the field stores it: rounded to single or half precision.
    private func single(_ value: JSONValue) throws(SearchError) -> Float {
        let f = Float(try number(value))
        return type.kind == .halfFloat ? HalfFloat.round(f) : f
    }

    private func clamp(_ d: Double) -> Int64? { Int64(exactly: d) }

    private static func flip(_ bits: UInt64) -> Int64 { Int64(bitPattern: bits ^ (1 << 63)) }

    private func unsigned(_ value: JSONValue, roundUp: Bool) throws(SearchError) -> UInt64? {
        if let whole = value.integer { return whole < 0 ? nil : UInt64(whole) }
        if let text = value.string, let whole = UInt64(text) { return whole }
        let d = try number(value)
        return UInt64(exactly: d.rounded(roundUp ? .up : .down))
    }

    private func unsignedBound(_ value: JSONValue, _ bound: Bound) throws(SearchError) -> Int64? {
        let d = value.string.flatMap { UInt64($0) } == nil ? try number(value) : 0
        switch bound {
        case .lower(let included):
            if d < 0 { return .min }
            guard let bits = try unsigned(value, roundUp: true) else { return nil }
            return d.rounded() == d ? Self.step(Self.flip(bits), .lower(included: included)) : Self.flip(bits)
        case .upper(let included):
            if d < 0 { return nil }
            guard let bits = try unsigned(value, roundUp: false) else { return .max }
            return d.rounded() == d ? Self.step(Self.flip(bits), .upper(included: included)) : Self.flip(bits)
        }
    }

    private func number(_ value: JSONValue) throws(SearchError) -> Double {
        if let number = value.number { return number }
        if let text = value.string, let number = Double(text.filter { $0 != " " }), number.isFinite { return number }
        throw SearchError("query_shard_exception", "failed to create query: For input string: \"\(value.queryText)\"")
    }

    private func boolean(_ value: JSONValue) throws(SearchError) -> Int64? {
        switch value {
        case .bool(let b): return b ? 1 : 0
        case .string("true"): return 1
        case .string("false"), .string(""): return 0
        default:
            throw SearchError("query_shard_exception", "failed to create query: Can't parse boolean value [\(value.queryText)], expected [true] or [false]")
        }
    }

    /// A bound left out excludes the whole of what the text spans: `gt: "2024"` begins with 2025.
    private func dateBound(_ value: JSONValue, _ bound: Bound) throws(SearchError) -> Int64? {
        switch bound {
        case .lower(let included):
            let at = try date(value, roundUp: !included)
            return included ? at : at == .max ? nil : at + 1
        case .upper(let included):
            let at = try date(value, roundUp: included)
            return included ? at : at == .min ? nil : at - 1
        }
    }

    func date(_ value: JSONValue, roundUp: Bool) throws(SearchError) -> Int64 {
        do {
            let pattern = format ?? type.format
            let format = try pattern.map { p throws(MappingError) in try DateFormat(p) } ?? .standard
            let zone = try timeZone.map { id throws(MappingError) in try TimeZoneRule(id) } ?? .utc
            return try DateMath.milliseconds(value.queryText, format: format, now: now, roundUp: roundUp, zone: zone)
        } catch {
            throw SearchError("parse_exception", error.reason)
        }
    }
}
