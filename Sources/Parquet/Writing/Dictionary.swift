// The distinct values of a column chunk and each value's number among them, in the order of first sight; or nil where a dictionary would
// not pay. Open addressing over numbers; 8-byte and shorter values are compared as integers, others by hash and bytes.

internal import Bytes
internal import Glibc

struct ValueDictionary {
    /// For each value its number in the dictionary.
    private(set) var numbers: [UInt32] = []
    /// For each entry of the dictionary, the number of a value that is equal to it.
    private(set) var firsts: [Int] = []
    /// Of the entries in PLAIN form.
    private(set) var byteCount = 0

    /// - Returns: nil when the entries would pass `bytesMax` or save too little.
    init?(_ values: ColumnValues, bytesMax: Int) {
        let n = values.valueCount, width = values.leaf.type.width, variable = values.leaf.type.physical == .byteArray
        guard n > 1, values.leaf.type.physical != .boolean else { return nil }
        var table = [UInt32](repeating: 0, count: 1024), mask = 1023
        var hashes: [UInt64] = []
        var complete = true
        numbers.reserveCapacity(n)
        unsafe values.plain.withUnsafeBytes { bytes in
            for i in 0..<n {
                // Safe: value i lies in `plain` at this range (ColumnValues, invariant 2).
                let start = variable ? (i == 0 ? 0 : values.ends[i - 1]) + 4 : i * width
                let count = variable ? values.ends[i] - start : width
                let hash: UInt64
                if count == 8 {
                    hash = Hash64.of(unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                } else if count == 4 {
                    hash = Hash64.of(UInt64(unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
                } else {
                    hash = unsafe Hash64.of(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
                }
                var slot = Int(truncatingIfNeeded: hash) & mask
                while true {
                    let number = table[slot]
                    if number == 0 {
                        firsts.append(i)
                        hashes.append(hash)
                        byteCount += count + (variable ? 4 : 0)
                        table[slot] = UInt32(firsts.count)
                        numbers.append(UInt32(firsts.count - 1))
                        break
                    }
                    let other = Int(number - 1)
                    if hashes[other] == hash {
                        let first = values.range(firsts[other])
                        if first.count == count, unsafe memcmp(bytes.baseAddress! + first.lowerBound, bytes.baseAddress! + start, count) == 0 {
                            numbers.append(number - 1)
                            break
                        }
                    }
                    slot = (slot + 1) & mask
                }
                if firsts.count * 2 > table.count { (table, mask) = Self.grown(hashes) }
                // Mostly distinct values so far: they will not begin to repeat.
                if byteCount > bytesMax || (i == 4095 && firsts.count > 3500) {
                    complete = false
                    break
                }
            }
        }
        let bits = HybridEncoding.bits(for: firsts.count - 1)
        guard complete, byteCount + n * bits / 8 < values.plain.count - values.plain.count / 8 else { return nil }
    }

    private static func grown(_ hashes: [UInt64]) -> ([UInt32], Int) {
        var size = 1024
        while size < hashes.count * 4 { size *= 2 }
        var table = [UInt32](repeating: 0, count: size)
        for (i, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while table[slot] != 0 { slot = (slot + 1) & (size - 1) }
            table[slot] = UInt32(i + 1)
        }
        return (table, size - 1)
    }
}
