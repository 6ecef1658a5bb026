// The entries of one column in memory, as the writer gathers them and the reader hands them out.
//
// Values lie in PLAIN form one behind the other (Encodings.md, "Plain"), so a page of PLAIN values is a copy of a slice: little-endian
// numbers, fixed bytes, and BYTE_ARRAY as a 4-byte length and the bytes. Only BOOLEAN differs: a byte each here, a bit each in a page.
//
// Invariants
//     1  `definitions` and `repetitions` are empty, or hold one level an entry; empty means all 0 or, for definitions, all the highest.
//     2  For BYTE_ARRAY `ends[i]` is the end of value i in `plain`; else `ends` is empty and value i lies at i * width.

package struct ColumnValues: Sendable {
    package let leaf: ParquetSchema.Leaf
    /// Entries: values and nulls, empty lists too.
    package internal(set) var entryCount = 0
    /// Values that are there.
    package internal(set) var valueCount = 0
    package internal(set) var definitions: [UInt8] = []
    package internal(set) var repetitions: [UInt8] = []
    var plain: [UInt8] = []
    var ends: [Int] = []

    package init(_ leaf: ParquetSchema.Leaf) { self.leaf = leaf }

    package var rowCount: Int { leaf.maxRepetition == 0 ? entryCount : repetitions.reduce(0) { $0 + ($1 == 0 ? 1 : 0) } }

    package var byteCount: Int { plain.count + definitions.count + repetitions.count + ends.count * 8 }

    /// Forgets the entries, keeps the memory.
    mutating func removeAll() {
        (entryCount, valueCount) = (0, 0)
        definitions.removeAll(keepingCapacity: true)
        repetitions.removeAll(keepingCapacity: true)
        plain.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}

// Values by number, 0 ..< valueCount. Nothing is copied for numbers.
extension ColumnValues {
    package func bool(_ i: Int) -> Bool { plain[i] != 0 }
    package func int32(_ i: Int) -> Int32 { Int32(truncatingIfNeeded: load(i, 4)) }
    package func int64(_ i: Int) -> Int64 { Int64(bitPattern: load(i, 8)) }
    package func double(_ i: Int) -> Double { Double(bitPattern: load(i, 8)) }
    package func bytes(_ i: Int) -> ArraySlice<UInt8> { plain[range(i)] }
    package func string(_ i: Int) -> String { String(decoding: plain[range(i)], as: UTF8.self) }

    /// The unscaled number of a decimal of at most 8 bytes.
    package func decimal(_ i: Int) -> Int64 {
        var value: Int64 = 0
        for (k, byte) in plain[range(i)].enumerated() { value = k == 0 ? Int64(Int8(bitPattern: byte)) : value << 8 | Int64(byte) }
        return value
    }

    /// Where the bytes of value i lie in `plain`, without the length.
    func range(_ i: Int) -> Range<Int> {
        if leaf.type.physical == .byteArray { return (i == 0 ? 0 : ends[i - 1]) + 4..<ends[i] }
        let width = leaf.type.width
        return i * width..<(i + 1) * width
    }

    private func load(_ i: Int, _ width: Int) -> UInt64 {
        precondition(width == leaf.type.width && i >= 0 && i < valueCount, "a value of another type, or none")
        var value: UInt64 = 0
        for k in 0..<width { value |= UInt64(plain[i * width + k]) << UInt64(8 * k) }
        return value
    }
}
