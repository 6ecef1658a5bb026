// JSON scalars as values of the numeric kinds: what each kind takes, how strings and fractions are coerced, and
// the encodings that `SortableDouble` lists.

internal import JSON

enum NumberReading {
    /// Nil for an empty string that coercion reads as no value.
    @inline(__always)
    static func encoded(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType) throws(ValueError) -> Int64? {
        if text.kind(node) == .integer {
            let value = text.tape.integer(node, in: text.bytes)
            switch type.kind {
            case .long: return value
            case .integer where Int32(exactly: value) != nil: return value
            case .short where Int16(exactly: value) != nil: return value
            case .byte where Int8(exactly: value) != nil: return value
            case .double, .float, .halfFloat, .scaledFloat: return try floating(Double(value), type)
            default: break
            }
        } else if text.kind(node) == .number, !isWhole(type.kind) {
            return try floating(text.tape.double(node, in: text.bytes), type)
        }
        return try slowly(text, node, type)
    }

    private static func slowly(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType) throws(ValueError) -> Int64? {
        var shown = text.string(node)
        switch text.kind(node) {
        case .true, .false: throw ValueError("Current token (VALUE_\(shown.uppercased())) not numeric, can not use numeric value accessors")
        case .string, .escapedString:
            guard type.coerce || !isWhole(type.kind) else { throw ValueError("Integer value passed as String") }
            shown = trimmed(shown)
            if shown.isEmpty {
                if type.coerce { return nil }
                throw ValueError("empty String")
            }
        default: break
        }
        switch type.kind {
        case .long, .integer, .short, .byte: return try whole(shown, type)
        case .unsignedLong: return try unsigned(shown, type)
        default:
            guard let number = Double(shown) else { throw ValueError("For input string: \"\(shown)\"") }
            return try floating(number, type)
        }
    }

    private static func isWhole(_ kind: FieldType.Kind) -> Bool {
        switch kind {
        case .long, .integer, .short, .byte, .unsignedLong: true
        default: false
        }
    }

    private static func trimmed(_ text: String) -> String {
        var utf8 = text.utf8[...]
        while let c = utf8.first, c <= 0x20 { utf8 = utf8.dropFirst() }
        while let c = utf8.last, c <= 0x20 { utf8 = utf8.dropLast() }
        return String(Substring(utf8))
    }

    private static func whole(_ shown: String, _ type: FieldType) throws(ValueError) -> Int64 {
        let (article, range): (String, ClosedRange<Int64>) =
            switch type.kind {
            case .integer: ("an integer", Int64(Int32.min)...Int64(Int32.max))
            case .short: ("a short", Int64(Int16.min)...Int64(Int16.max))
            case .byte: ("a byte", Int64(Int8.min)...Int64(Int8.max))
            default: ("a long", Int64.min...Int64.max)
            }
        let outOfRange = ValueError("Value [\(shown)] is out of range for \(article)")
        if let value = Int64(shown) {
            guard range.contains(value) else { throw outOfRange }
            return value
        }
        guard let number = Double(shown), !number.isNaN else { throw ValueError("For input string: \"\(shown)\"") }
        guard number.isFinite, abs(number) < 0x1p63 else { throw outOfRange }
        guard type.coerce || number == number.rounded(.towardZero) else { throw ValueError("Value [\(shown)] has a decimal part") }
        let value = Int64(number)
        guard range.contains(value) else { throw outOfRange }
        return value
    }

    private static func unsigned(_ shown: String, _ type: FieldType) throws(ValueError) -> Int64 {
        let value: UInt64
        if let exact = UInt64(shown) { value = exact } else {
            guard let number = Double(shown), !number.isNaN else { throw ValueError("For input string: \"\(shown)\"") }
            guard number >= 0, number < 0x1p64, number == number.rounded(.towardZero) else {
                throw ValueError("Value [\(shown)] is out of range for unsigned long")
            }
            value = UInt64(number)
        }
        return Int64(bitPattern: value ^ 1 << 63)
    }

    private static func floating(_ number: Double, _ type: FieldType) throws(ValueError) -> Int64 {
        let stored: Double
        switch type.kind {
        case .float: stored = Double(Float(number))
        case .halfFloat: stored = Double(HalfFloat.round(Float(number)))
        default: stored = number
        }
        guard stored.isFinite else { throw ValueError("[\(type.kind.rawValue)] supports only finite values, but got [\(special(stored))]") }
        guard type.kind == .scaledFloat else { return SortableDouble.encode(stored) }
        // Java's Math.round: half up, clamped to the ends of a long.
        let scaled = (stored * type.scalingFactor + 0.5).rounded(.down)
        return scaled >= 0x1p63 ? .max : scaled < -0x1p63 ? .min : Int64(scaled)
    }

    private static func special(_ value: Double) -> String { value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity" }
}

/// IEEE 754 binary16, to nearest even, without the type: it is not on every platform.
package enum HalfFloat {
    package static func round(_ value: Float) -> Float {
        guard value.isFinite else { return value }
        let magnitude = abs(value)
        if magnitude >= 65_520 { return value < 0 ? -.infinity : .infinity }
        // Eleven bits of significand; below 2^-14 steps are 2^-24.
        let exponent = max(magnitude == 0 ? -14 : Int(magnitude.exponent), -14)
        let step = Float(sign: .plus, exponent: exponent - 10, significand: 1)
        return (value / step).rounded(.toNearestOrEven) * step
    }
}
