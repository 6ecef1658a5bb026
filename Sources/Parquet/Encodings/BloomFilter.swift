// The split-block bloom filter (BloomFilter.md): blocks of 256 bits as eight 32-bit lanes. The upper half of a value's hash picks the block,
// the lower half a bit in each lane. The hash is XXH64 of the value in PLAIN form without the length.

internal import Bytes

package struct BloomFilter: Sendable {
    /// Eight lanes a block.
    private var lanes: [UInt32]

    /// Sized for a false answer in a hundred or fewer at `distinct` values (10.5 bits each, rounded up to a power of two: readers ask for one).
    package init(distinct: Int) {
        let bytes = max(32, distinct * 21 / 16)
        var size = 32
        while size < bytes, size < 128 << 20 { size *= 2 }
        lanes = Array(repeating: 0, count: size / 4)
    }

    package mutating func insert(_ hash: UInt64) {
        let block = self.block(hash), key = UInt32(truncatingIfNeeded: hash)
        for (i, salt) in Self.salts.enumerated() { lanes[block + i] |= 1 << ((key &* salt) >> 27) }
    }

    /// False: no value of this hash is there. True: perhaps.
    package func contains(_ hash: UInt64) -> Bool {
        let block = self.block(hash), key = UInt32(truncatingIfNeeded: hash)
        for (i, salt) in Self.salts.enumerated() where lanes[block + i] & (1 << ((key &* salt) >> 27)) == 0 { return false }
        return true
    }

    package func contains(_ value: [UInt8]) -> Bool { contains(XXHash64.of(value)) }

    /// BloomFilterHeader and the bits.
    package var serialized: [UInt8] {
        var out = ThriftWriter()
        out.element { out in
            out.i32(1, Int32(clamping: lanes.count * 4))
            for id: Int16 in 2...4 { out.structure(id) { out in out.structure(1) { _ in } } }
        }
        var bytes = out.bytes
        for lane in lanes { for k in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: lane >> UInt32(8 * k))) } }
        return bytes
    }

    package init(serialized bytes: [UInt8]) throws(ParquetError) {
        var reader = ThriftReader(bytes), size = 0, known = true
        try reader.structure { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: size = try reader.count(field, max: 128 << 20)
            case 2, 3, 4:
                try reader.structure(field) { (reader, field) throws(ParquetError) in
                    if field.id != 1 { known = false }
                    try reader.skip(field)
                }
            default: try reader.skip(field)
            }
        }
        guard known else { throw .unsupported("a bloom filter other than split blocks of XXH64") }
        guard size > 0, size % 32 == 0, bytes.count - reader.offset >= size else { throw .damaged("bloom filter shorter than it says", offset: reader.offset) }
        let start = reader.offset
        lanes = (0..<size / 4).map { i in (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + 4 * i + $1]) << UInt32(8 * $1) } }
    }

    // MARK: -

    private static let salts: [UInt32] = [0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31]

    private func block(_ hash: UInt64) -> Int { Int(((hash >> 32) &* UInt64(lanes.count / 8)) >> 32) * 8 }
}
