// Signed 64-bit integers in blocks of 4,096, each block as distances from its smallest value (frame of
// reference), bit-packed: the numbers of columns, versions and sequence numbers. Read at random in O(1).
//
//     gcd        varint           all distances from `least` are multiples of it; 0 when all values are equal
//     least      signed varint
//     if gcd > 0, for each block
//       low      varint           (smallest - least) / gcd
//       span     varint           (largest - smallest) / gcd: its bit length is the block's width
//     then each block's values, (value - smallest) / gcd, packed, starting on a byte
//
// Invariants
//     1  Values that are all equal take no bytes past the head.
//     2  A block's bounds are those of its values: they are the zone map of range scans. Bytes that break
//        this may give wrong bounds, never reads outside.

package import Bytes
package import Storage

package struct BlockPacked: @unchecked Sendable {
    package static let blockSize = 4096
    static let blockShift = 12

    package struct Block: Sendable {
        package let values: PackedInts
        /// The smallest and the largest value.
        package let low: Int64, high: Int64
    }

    package let count: Int
    package let gcd: Int64
    package let blocks: [Block]
    /// Of all values; (0, 0) when there is none.
    package let low: Int64, high: Int64
    /// Keeps the mapped bytes alive.
    let owner: Section?
    /// Of blocks that were made in memory: keeps their bytes alive.
    let made: [Int: BlockBytes]

    /// - Precondition: 0 <= i < count.
    @inline(__always)
    package subscript(i: Int) -> Int64 {
        let block = blocks[i >> Self.blockShift]
        return block.low &+ gcd &* Int64(bitPattern: block.values[i & (Self.blockSize - 1)])
    }

    // MARK: Bytes

    package static func encode(_ values: [Int64], to out: inout ByteWriter) {
        guard let first = values.first else { return }
        var least = first, divisor: UInt64 = 0
        for v in values where v < least { least = v }
        for v in values where divisor != 1 { divisor = greatestCommonDivisor(divisor, UInt64(bitPattern: v &- least)) }
        out.varint(divisor)
        out.signedVarint(least)
        if divisor == 0 { return }
        var bounds: [(low: UInt64, span: UInt64)] = []
        for start in stride(from: 0, to: values.count, by: blockSize) {
            var low = UInt64.max, high: UInt64 = 0
            for v in values[start..<min(start + blockSize, values.count)] {
                let distance = UInt64(bitPattern: v &- least)
                if distance < low { low = distance }
                if distance > high { high = distance }
            }
            bounds.append((low / divisor, high / divisor - low / divisor))
            out.varint(low / divisor)
            out.varint(high / divisor - low / divisor)
        }
        for (b, bound) in bounds.enumerated() {
            var packer = BitPacker(width: PackedInts.width(max: bound.span))
            let from = least &+ Int64(bitPattern: bound.low &* divisor)
            for v in values[b * blockSize..<min((b + 1) * blockSize, values.count)] {
                let distance = UInt64(bitPattern: v &- from)
                packer.append(divisor == 1 ? distance : distance / divisor, to: &out.bytes)
            }
            packer.finish(&out.bytes)
        }
    }

    /// - Parameters:
    ///   - r: over `section`'s bytes from `start` on.
    ///   - start: where the reader's offset 0 lies in the section. 8 bytes past the values must be readable.
    package init(_ r: inout ByteReader, section: Section, start: Int, count: Int) throws(Corruption) {
        self.count = count
        owner = section
        made = [:]
        if count == 0 {
            (gcd, blocks, low, high) = (1, [], 0, 0)
            return
        }
        let divisor = try r.varint(), least = try r.signedVarint()
        let blockCount = (count + Self.blockSize - 1) / Self.blockSize
        gcd = Int64(bitPattern: divisor)
        var bounds: [(low: UInt64, span: UInt64)] = []
        if divisor == 0 { bounds = [(UInt64, UInt64)](repeating: (0, 0), count: blockCount) } else {
            guard blockCount <= r.remaining / 2 else { throw Corruption("truncated", at: r.offset) }
            bounds.reserveCapacity(blockCount)
            for _ in 0..<blockCount { bounds.append((try r.varint(), try r.varint())) }
        }
        var blocks: [Block] = [], lowest = Int64.max, highest = Int64.min
        blocks.reserveCapacity(blockCount)
        for (b, bound) in bounds.enumerated() {
            let n = min(Self.blockSize, count - b * Self.blockSize)
            let width = PackedInts.width(max: bound.span), size = PackedInts.byteCount(count: n, width: width)
            guard size <= r.remaining, start + r.offset <= section.count else { throw Corruption("truncated", at: r.offset) }
            // Safe: the bytes lie in the mapped section, which `owner` keeps; PackedInts checks their length.
            guard let values = unsafe PackedInts(UnsafeRawBufferPointer(rebasing: section.unsafeBytes[(start + r.offset)...]), count: n, width: width) else {
                throw Corruption("packed values past the end", at: r.offset)
            }
            let low = least &+ Int64(bitPattern: bound.low &* divisor)
            let high = low &+ Int64(bitPattern: bound.span &* divisor)
            guard low <= high else { throw Corruption("impossible bounds", at: r.offset) }
            blocks.append(Block(values: values, low: low, high: high))
            lowest = min(lowest, low)
            highest = max(highest, high)
            r.offset += size
        }
        (self.blocks, low, high) = (blocks, lowest, highest)
    }
}

extension BlockPacked {
    /// The values packed in memory, with divisor 1.
    /// - Parameter owner: what else the column reads from.
    init(_ values: [Int64], owner: Section?) {
        var blocks: [Block] = [], made: [Int: BlockBytes] = [:]
        for start in stride(from: 0, to: values.count, by: Self.blockSize) {
            let (block, bytes) = Self.pack(values[start..<min(start + Self.blockSize, values.count)])
            made[blocks.count] = bytes
            blocks.append(block)
        }
        self.init(count: values.count, blocks: blocks, owner: owner, made: made)
    }

    /// With other values in some places: their blocks are made anew, the others shared.
    /// - Precondition: the divisor is 1; places rise below `count`.
    func replacing(_ changes: [(place: Int, value: Int64)]) -> BlockPacked {
        var blocks = blocks, made = made, i = 0
        while i < changes.count {
            let b = changes[i].place >> Self.blockShift, first = b << Self.blockShift, old = blocks[b]
            var values = (0..<old.values.count).map { old.low &+ Int64(bitPattern: old.values[$0]) }
            while i < changes.count, changes[i].place >> Self.blockShift == b {
                values[changes[i].place - first] = changes[i].value
                i += 1
            }
            (blocks[b], made[b]) = Self.pack(values[...])
        }
        return BlockPacked(count: count, blocks: blocks, owner: owner, made: made)
    }

    private init(count: Int, blocks: [Block], owner: Section?, made: [Int: BlockBytes]) {
        (self.count, self.blocks, self.owner, self.made, gcd) = (count, blocks, owner, made, 1)
        low = blocks.reduce(blocks.isEmpty ? 0 : Int64.max) { min($0, $1.low) }
        high = blocks.reduce(blocks.isEmpty ? 0 : Int64.min) { max($0, $1.high) }
    }

    /// - Precondition: 1 to 4,096 values.
    private static func pack(_ values: ArraySlice<Int64>) -> (Block, BlockBytes) {
        var low = Int64.max, high = Int64.min
        for v in values {
            low = min(low, v)
            high = max(high, v)
        }
        var packer = BitPacker(width: PackedInts.width(max: UInt64(bitPattern: high &- low))), bytes: [UInt8] = []
        for v in values { packer.append(UInt64(bitPattern: v &- low), to: &bytes) }
        packer.finish(&bytes)
        let kept = BlockBytes(bytes, values: values.count, width: PackedInts.width(max: UInt64(bitPattern: high &- low)))
        return (Block(values: kept.values, low: low, high: high), kept)
    }
}

/// The packed values of one block in memory of its own.
@safe final class BlockBytes: @unchecked Sendable {
    // Safe: made here with the 8 bytes of padding that PackedInts wants, never written again, freed with the last column that has the block.
    private let memory: UnsafeMutableRawBufferPointer
    let values: PackedInts

    init(_ packed: [UInt8], values count: Int, width: Int) {
        unsafe memory = .allocate(byteCount: packed.count + 8, alignment: 8)
        unsafe memory.copyBytes(from: packed + [UInt8](repeating: 0, count: 8))
        guard let values = unsafe PackedInts(UnsafeRawBufferPointer(memory), count: count, width: width) else {
            preconditionFailure("a block was packed in another width than its own")
        }
        self.values = values
    }

    deinit { unsafe memory.deallocate() }
}

/// 0 counts as a multiple of everything.
func greatestCommonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}
