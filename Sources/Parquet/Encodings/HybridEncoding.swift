// The RLE / bit-packing hybrid of Encodings.md: levels, dictionary numbers and booleans. A run is a varint header and what repeats:
//
//     n << 1       then the value in as few bytes as `bits` needs: it repeats n times
//     g << 1 | 1   then g * bits bytes: 8g values packed from the lowest bit up (the last group filled with zeros)

enum HybridEncoding {
    /// Appends `values`, each below 2^bits.
    static func encode<I: FixedWidthInteger & UnsignedInteger>(_ values: UnsafeBufferPointer<I>, bits: Int, to out: inout [UInt8]) {
        // A repeated run costs a header and a value, and parts the packed run around it: worth it from 8 values on, for narrow ones later.
        let worth = bits <= 2 ? 24 : 8
        var i = 0, packedFrom = 0
        let n = values.count
        while i < n {
            // Safe: i and j are below n.
            let value = unsafe values[i]
            var j = i + 1
            while j < n, unsafe values[j] == value { j += 1 }
            // Packed values before the run come in groups of 8, so the run gives some of its own to fill the last.
            let fill = (8 - (i - packedFrom) % 8) % 8
            if j - i >= worth + fill {
                if i + fill > packedFrom { unsafe pack(UnsafeBufferPointer(rebasing: values[packedFrom..<i + fill]), bits: bits, to: &out) }
                varint(UInt64(j - i - fill) << 1, to: &out)
                for k in 0..<(bits + 7) / 8 { out.append(UInt8(truncatingIfNeeded: UInt32(value) >> UInt32(8 * k))) }
                packedFrom = j
            }
            i = j
        }
        if n > packedFrom { unsafe pack(UnsafeBufferPointer(rebasing: values[packedFrom..<n]), bits: bits, to: &out) }
    }

    /// Reads `count` values of `bits` (0...32) each, appended to `out`; every one at most `max`.
    /// - Returns: the offset behind what was read.
    static func decode(_ bytes: UnsafeRawBufferPointer, from start: Int, bits: Int, count: Int, max: UInt32, _ take: (_ value: UInt32, _ times: Int) -> Void) throws(ParquetError) -> Int {
        var at = start, left = count
        let mask = bits >= 32 ? UInt64(UInt32.max) : (UInt64(1) << UInt64(bits)) - 1
        while left > 0 {
            var header: UInt64 = 0, shift: UInt64 = 0
            while true {
                guard at < bytes.count, shift < 63 else { throw .damaged("run header truncated", offset: at) }
                let b = unsafe bytes[at]
                at += 1
                header |= UInt64(b & 0x7F) << shift
                if b < 0x80 { break }
                shift += 7
            }
            if header & 1 == 0 {
                let width = (bits + 7) / 8
                guard bytes.count - at >= width else { throw .damaged("run truncated", offset: at) }
                var value: UInt32 = 0
                for k in 0..<width { value |= UInt32(unsafe bytes[at + k]) << UInt32(8 * k) }
                at += width
                guard header > 1, value <= max else { throw .damaged("run of a value out of range", offset: at) }
                let times = Int(min(header >> 1, UInt64(left)))
                take(value, times)
                left -= times
            } else {
                let groups = header >> 1
                guard groups > 0 else { throw .damaged("empty run", offset: at) }
                // Writers may leave out the bytes of values nobody counts, so only those of `values` must be there.
                let values = Int(min(groups, UInt64(left + 7) / 8) * 8), counted = min(values, left)
                guard bytes.count - at >= (counted * bits + 7) / 8 else { throw .damaged("packed run truncated", offset: at) }
                var window: UInt64 = 0, filled = 0, byte = at
                for _ in 0..<counted {
                    while filled < bits {
                        window |= UInt64(unsafe bytes[byte]) << UInt64(filled)
                        byte += 1
                        filled += 8
                    }
                    let value = UInt32(truncatingIfNeeded: window & mask)
                    guard value <= max else { throw .damaged("packed value out of range", offset: byte) }
                    take(value, 1)
                    window >>= UInt64(bits)
                    filled -= bits
                }
                left -= counted
                let whole = groups.multipliedReportingOverflow(by: UInt64(bits))
                guard left == 0 || (!whole.overflow && whole.partialValue <= UInt64(bytes.count - at)) else { throw .damaged("packed run truncated", offset: at) }
                at = left == 0 ? min(bytes.count, at + Int(clamping: min(whole.partialValue, UInt64(bytes.count)))) : at + Int(whole.partialValue)
            }
        }
        return at
    }

    /// The bits that hold every number up to `max`.
    static func bits(for max: Int) -> Int { max <= 0 ? 0 : Int.bitWidth - max.leadingZeroBitCount }

    // MARK: -

    private static func pack<I: FixedWidthInteger & UnsignedInteger>(_ values: UnsafeBufferPointer<I>, bits: Int, to out: inout [UInt8]) {
        let groups = (values.count + 7) / 8
        varint(UInt64(groups) << 1 | 1, to: &out)
        let target = out.count + groups * bits
        var window: UInt64 = 0, filled = 0
        for i in 0..<values.count {
            let value = unsafe values[i]
            window |= UInt64(value) << UInt64(filled)
            filled += bits
            while filled >= 8 {
                out.append(UInt8(truncatingIfNeeded: window))
                window >>= 8
                filled -= 8
            }
        }
        while out.count < target {
            out.append(UInt8(truncatingIfNeeded: window))
            window >>= 8
        }
    }

    private static func varint(_ value: UInt64, to out: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        out.append(UInt8(value))
    }
}
