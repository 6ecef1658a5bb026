// Smallest and largest values by the order of their column (parquet.thrift, ColumnOrder), as statistics and the page index hold them.

internal import Glibc

/// How values of a column compare.
package enum ValueOrder: Sendable {
    case boolean, int32, int64, double, bytes, signedBytes
    /// Not by the rules of TYPE_ORDER, or by rules we do not know: no statistics.
    case none

    init(_ type: ColumnType) {
        switch (type.physical, type.logical) {
        case (_, .integer(_, false)?), (_, .other?): self = .none
        case (.boolean, _): self = .boolean
        case (.int32, _): self = .int32
        case (.int64, _): self = .int64
        case (.double, _): self = .double
        case (.byteArray, .decimal?), (.fixedLengthByteArray, .decimal?): self = .signedBytes
        case (.byteArray, _), (.fixedLengthByteArray, _): self = .bytes
        case (.int96, _), (.float, _): self = .none
        }
    }

    /// Whether value `a` is before `b`, both in the form of statistics: PLAIN without the length.
    package func less(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        func number(_ x: some Collection<UInt8>) -> UInt64 { x.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        switch self {
        case .int32: return Int32(truncatingIfNeeded: number(a)) < Int32(truncatingIfNeeded: number(b))
        case .int64: return Int64(bitPattern: number(a)) < Int64(bitPattern: number(b))
        case .double: return Double(bitPattern: number(a)) < Double(bitPattern: number(b))
        case .boolean, .bytes, .none: return a.lexicographicallyPrecedes(b)
        case .signedBytes:
            let (m, n) = (Int8(bitPattern: a.first ?? 0), Int8(bitPattern: b.first ?? 0))
            if (m < 0) != (n < 0) { return m < 0 }
            guard a.count != b.count else { return a.lexicographicallyPrecedes(b) }
            let width = max(a.count, b.count), sign: UInt8 = m < 0 ? 0xFF : 0
            return (Array(repeating: sign, count: width - a.count) + a).lexicographicallyPrecedes(Array(repeating: sign, count: width - b.count) + b)
        }
    }
}

extension ColumnValues {
    /// The numbers of a smallest and a largest of the values `numbers`; NaN is passed over. Nil where there is none.
    func extremes(_ numbers: some Sequence<Int>, order: ValueOrder) -> (min: Int, max: Int)? {
        // Safe: `numbers` are below valueCount, so the loads stay within `plain`.
        unsafe plain.withUnsafeBytes { bytes in
            switch order {
            case .boolean: return extremes(numbers) { unsafe bytes[$0] }
            case .int32: return extremes(numbers) { unsafe bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
            case .int64: return extremes(numbers) { unsafe bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }
            case .double:
                let real = numbers.lazy.filter { unsafe !bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self).isNaN }
                return extremes(real) { unsafe bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
            case .bytes: return unsafe extremes(numbers, in: bytes, signed: false)
            case .signedBytes: return unsafe extremes(numbers, in: bytes, signed: true)
            case .none: return nil
            }
        }
    }

    /// A value in the form of statistics.
    func statistic(_ i: Int) -> [UInt8] { Array(plain[range(i)]) }

    // MARK: -

    @inline(__always)
    private func extremes<T: Comparable>(_ numbers: some Sequence<Int>, _ value: (Int) -> T) -> (min: Int, max: Int)? {
        var found: (min: Int, max: Int)?, low: T?, high: T?
        for i in numbers {
            let v = value(i)
            if let l = low, let h = high {
                if v < l { (low, found!.min) = (v, i) }  // never nil: set with low
                if v > h { (high, found!.max) = (v, i) }
            } else {
                (low, high, found) = (v, v, (i, i))
            }
        }
        return found
    }

    private func extremes(_ numbers: some Sequence<Int>, in bytes: UnsafeRawBufferPointer, signed: Bool) -> (min: Int, max: Int)? {
        // Safe: `range` gives places within `plain`.
        func compare(_ a: Range<Int>, _ b: Range<Int>) -> Int32 {
            if signed, !a.isEmpty, !b.isEmpty {
                let (m, n) = unsafe (Int8(bitPattern: bytes[a.lowerBound]), Int8(bitPattern: bytes[b.lowerBound]))
                if m != n { return m < n ? -1 : 1 }
            }
            let order = unsafe memoryOrder(bytes, a.lowerBound, b.lowerBound, Swift.min(a.count, b.count))
            return order != 0 ? order : Int32(clamping: a.count - b.count)
        }
        var found: (min: Int, max: Int)?, low = 0..<0, high = 0..<0
        for i in numbers {
            let r = range(i)
            if found == nil {
                (found, low, high) = ((i, i), r, r)
            } else if compare(r, low) < 0 {
                (low, found!.min) = (r, i)  // not nil, just checked
            } else if compare(r, high) > 0 {
                (high, found!.max) = (r, i)
            }
        }
        return found
    }
}

/// memcmp of two places of one buffer.
private func memoryOrder(_ bytes: UnsafeRawBufferPointer, _ a: Int, _ b: Int, _ n: Int) -> Int32 {
    if n == 0 { return 0 }
    // Safe: the caller's ranges lie within `bytes`.
    let base = unsafe bytes.baseAddress!
    return unsafe memcmp(base + a, base + b, n)
}

/// Shorter bounds for long values: not below (`max`) or above (`min`) any value they stand for.
enum BoundTruncation {
    static let bytesMax = 64

    static func min(_ value: [UInt8], text: Bool) -> [UInt8] {
        value.count <= bytesMax ? value : Array(value[..<cut(value, text: text)])
    }

    /// Nil where no shorter bound exists.
    static func max(_ value: [UInt8], text: Bool) -> [UInt8]? {
        if value.count <= bytesMax { return value }
        var bound = Array(value[..<cut(value, text: text)])
        if !text {
            while let last = bound.popLast() { if last < 255 { return bound + [last + 1] } }
            return nil
        }
        // The last scalar is raised by one, surrogates stepped over; one that is the highest goes, and the one before is raised.
        var scalars = Array(String(decoding: bound, as: UTF8.self).unicodeScalars)
        while let last = scalars.popLast() {
            guard let next = Unicode.Scalar(last.value == 0xD7FF ? 0xE000 : last.value + 1) else { continue }
            bound = []
            for scalar in scalars + [next] { bound.append(contentsOf: Array(String(Character(scalar)).utf8)) }
            return bound
        }
        return nil
    }

    private static func cut(_ value: [UInt8], text: Bool) -> Int {
        var at = bytesMax
        if text { while at > 0, value[at] & 0xC0 == 0x80 { at -= 1 } }
        return at
    }
}
