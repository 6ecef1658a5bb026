// Numbers between text and binary: reading is exact (nearest double), writing is shortest round-trip in
// the shape of Java's Double.toString, which is what Elasticsearch prints: 1.0, 0.001, 1.0E10, 1.234E-5.

package enum JSONNumber {
    /// The nearest double to a number in JSON's grammar; infinite when out of range.
    package static func double(_ text: RawSpan) -> Double {
        if let fast = clinger(text) { return fast }
        return Double(String(copying: text)) ?? 0
    }

    /// Exact when digits fit in 53 bits and the power of ten in 10^22 (Clinger, "How to read floating point
    /// numbers accurately", 1990); nil otherwise.
    private static func clinger(_ text: RawSpan) -> Double? {
        var mantissa: UInt64 = 0, exponent = 0, digits = 0, i = 0
        let n = text.byteCount
        var negative = false, seenPoint = false
        if n > 0, text.byte(0) == 0x2D { (negative, i) = (true, 1) }
        while i < n {
            let c = text.byte(i)
            if c &- 0x30 < 10 {
                digits &+= 1
                if digits > 19 { return nil }
                mantissa = mantissa &* 10 &+ UInt64(c &- 0x30)
                if seenPoint { exponent &-= 1 }
            } else if c == 0x2E, !seenPoint {
                seenPoint = true
            } else {
                break
            }
            i &+= 1
        }
        if i < n {
            guard text.byte(i) | 0x20 == 0x65 else { return nil }
            i &+= 1
            var sign = 1, written = 0
            if i < n, text.byte(i) == 0x2D || text.byte(i) == 0x2B { (sign, i) = (text.byte(i) == 0x2D ? -1 : 1, i &+ 1) }
            guard n &- i <= 4, i < n else { return nil }
            while i < n {
                guard text.byte(i) &- 0x30 < 10 else { return nil }
                written = written &* 10 &+ Int(text.byte(i) &- 0x30)
                i &+= 1
            }
            exponent &+= sign &* written
        }
        guard digits > 0, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 else { return nil }
        let value = exponent < 0 ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
        return negative ? -value : value
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    package static func append(_ value: Int64, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &bytes)
    }

    package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        if value < 10 { return bytes.append(0x30 &+ UInt8(truncatingIfNeeded: value)) }
        let start = bytes.count
        var rest = value
        repeat {
            let (q, r) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(0x30 &+ UInt8(truncatingIfNeeded: r))
            rest = q
        } while rest > 0
        var (low, high) = (start, bytes.count - 1)
        while low < high {
            bytes.swapAt(low, high)
            (low, high) = (low + 1, high - 1)
        }
    }

    /// As Java prints it. JSON has no infinity or NaN: those are written as strings, as Elasticsearch does.
    package static func append(_ value: Double, to bytes: inout [UInt8]) {
        if let whole = Int64(exactly: value), whole.magnitude < 10_000_000, whole != 0 {
            append(whole, to: &bytes)
            bytes.append(contentsOf: [0x2E, 0x30])
            return
        }
        appendShortest(value.description, isFinite: value.isFinite, plain: value == 0 || (value.magnitude >= 1e-3 && value.magnitude < 1e7), to: &bytes)
    }

    /// As Java's Float.toString: the shortest digits that read back as the same float.
    package static func append(_ value: Float, to bytes: inout [UInt8]) {
        appendShortest(value.description, isFinite: value.isFinite, plain: value == 0 || (value.magnitude >= 1e-3 && value.magnitude < 1e7), to: &bytes)
    }

    package static func string(_ value: Double) -> String {
        var bytes: [UInt8] = []
        append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: -

    /// Takes digits and exponent out of Swift's description, which is shortest too, and lays them out anew.
    private static func appendShortest(_ description: String, isFinite: Bool, plain: Bool, to bytes: inout [UInt8]) {
        guard isFinite else {
            let name = description == "inf" ? "Infinity" : description == "-inf" ? "-Infinity" : "NaN"
            bytes.append(contentsOf: "\"\(name)\"".utf8)
            return
        }
        var digits: [UInt8] = [], pointAt: Int?, exponent = 0
        digits.reserveCapacity(24)
        var utf8 = description.utf8[...]
        if utf8.first == UInt8(ascii: "-") {
            bytes.append(UInt8(ascii: "-"))
            utf8 = utf8.dropFirst()
        }
        while let c = utf8.popFirst() {
            if c == UInt8(ascii: ".") { pointAt = digits.count } else if c | 0x20 == UInt8(ascii: "e") {
                exponent = Int(String(utf8.first == UInt8(ascii: "+") ? utf8.dropFirst() : utf8) ?? "0") ?? 0
                break
            } else {
                digits.append(c)
            }
        }
        // value = 0.d1d2d3... * 10^point
        var point = (pointAt ?? digits.count) + exponent
        let zeros = digits.prefix { $0 == 0x30 }.count
        digits.removeFirst(min(zeros, digits.count - 1))
        if zeros > 0 { point -= zeros }
        while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
        if digits == [0x30] { point = 1 }

        if plain {
            if point <= 0 {
                bytes.append(contentsOf: [0x30, 0x2E])
                bytes.append(contentsOf: repeatElement(0x30, count: -point))
                bytes.append(contentsOf: digits)
            } else {
                for k in 0..<max(point, digits.count) {
                    if k == point { bytes.append(0x2E) }
                    bytes.append(k < digits.count ? digits[k] : 0x30)
                }
                if point >= digits.count { bytes.append(contentsOf: [0x2E, 0x30]) }
            }
        } else {
            bytes.append(digits[0])
            bytes.append(0x2E)
            if digits.count == 1 { bytes.append(0x30) } else { bytes.append(contentsOf: digits[1...]) }
            bytes.append(UInt8(ascii: "E"))
            append(Int64(point - 1), to: &bytes)
        }
    }
}
