// Byte streams that grow at once by the thousand: slices of rising size in pooled blocks of 1 MiB, each slice
// ending in the address of the next (after Lucene's ByteSlicePool, with the slice's end in the term's record
// instead of a mark in the bytes).
//
// Invariants
//     1  An address is block << 20 | offset; a slice never crosses a block.
//     2  A slice of level l has sizes[l] bytes and then 4 for the link.

@safe struct SlicePool: ~Copyable {
    fileprivate var blocks: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>>
    private var blockCapacity = 64
    private var blockCount = 0
    private var used = SlicePool.blockSize
    static let blockShift: UInt32 = 20
    static let blockSize = 1 << 20

    init() { unsafe blocks = .allocate(capacity: blockCapacity) }

    deinit {
        for i in 0..<blockCount { unsafe blocks[i].deallocate() }
        unsafe blocks.deallocate()
    }

    var memoryBytes: Int { blockCount * Self.blockSize }

    @inline(__always)
    static func size(_ level: UInt32) -> Int {
        switch level {
        case 0: 8
        case 1: 20
        case 2: 44
        case 3: 92
        case 4: 188
        case 5: 380
        case 6: 764
        default: 1532
        }
    }

    @inline(__always)
    func pointer(_ address: UInt32) -> UnsafeMutablePointer<UInt8> {
        unsafe blocks[Int(address >> Self.blockShift)] + Int(address & UInt32(Self.blockSize - 1))
    }

    /// - Returns: where it begins and where it ends (before the link).
    mutating func newSlice(level: UInt32) -> (UInt32, UInt32) {
        let size = Self.size(level)
        if used + size + 4 > Self.blockSize { newBlock() }
        let start = UInt32(truncatingIfNeeded: (blockCount - 1) << 20 | used)
        used += size + 4
        return (start, start &+ UInt32(truncatingIfNeeded: size))
    }

    @inline(__always)
    mutating func varint(_ value: UInt32, _ term: UnsafeMutablePointer<BufferedTerm>) {
        var value = value
        while value >= 0x80 {
            unsafe byte(UInt8(truncatingIfNeeded: value) | 0x80, term)
            value >>= 7
        }
        unsafe byte(UInt8(truncatingIfNeeded: value), term)
    }

    @inline(__always)
    private mutating func byte(_ value: UInt8, _ term: UnsafeMutablePointer<BufferedTerm>) {
        if unsafe term.pointee.cursor == term.pointee.limit { unsafe grow(term) }
        unsafe pointer(term.pointee.cursor).pointee = value
        unsafe term.pointee.cursor &+= 1
    }

    @inline(never)
    private mutating func grow(_ term: UnsafeMutablePointer<BufferedTerm>) {
        let level = unsafe min(term.pointee.level + 1, 7)
        let (start, limit) = newSlice(level: level)
        unsafe UnsafeMutableRawPointer(pointer(term.pointee.limit)).storeBytes(of: start, as: UInt32.self)
        unsafe term.pointee.level = level
        unsafe term.pointee.cursor = start
        unsafe term.pointee.limit = limit
    }

    private mutating func newBlock() {
        precondition(blockCount < 4096, "write buffer beyond 4 GiB: flush at memoryBytes")
        if blockCount == blockCapacity {
            let new = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>>.allocate(capacity: 2 * blockCapacity)
            unsafe new.moveInitialize(from: blocks, count: blockCount)
            unsafe blocks.deallocate()
            unsafe blocks = unsafe new
            blockCapacity *= 2
        }
        unsafe (blocks + blockCount).initialize(to: .allocate(capacity: Self.blockSize))
        blockCount += 1
        used = 0
    }
}

/// Reads one term's stream back.
@safe struct SliceReader: ~Copyable {
    private let blocks: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>>
    private var p: UnsafeMutablePointer<UInt8>
    private var left: Int
    private var level: UInt32 = 0
    private var address: UInt32
    private let end: UInt32

    /// Safe while the pool is.
    init(_ pool: borrowing SlicePool, _ term: BufferedTerm) {
        unsafe blocks = unsafe pool.blocks
        address = term.head
        end = term.cursor
        unsafe p = unsafe pool.pointer(term.head)
        left = SlicePool.size(0)
    }

    @inline(__always)
    var isAtEnd: Bool { address == end }

    @inline(__always)
    mutating func byte() -> UInt8 {
        if left == 0 { nextSlice() }
        let value = unsafe p.pointee
        unsafe p += 1
        address &+= 1
        left -= 1
        return value
    }

    @inline(__always)
    mutating func varint() -> UInt32 {
        var value: UInt32 = 0, shift: UInt32 = 0
        while true {
            let b = byte()
            value |= UInt32(b & 0x7F) << shift
            if b < 0x80 { return value }
            shift &+= 7
        }
    }

    @inline(never)
    private mutating func nextSlice() {
        address = unsafe UnsafeRawPointer(p).loadUnaligned(as: UInt32.self)
        level = min(level + 1, 7)
        unsafe p = unsafe blocks[Int(address >> SlicePool.blockShift)] + Int(address & UInt32(SlicePool.blockSize - 1))
        left = SlicePool.size(level)
    }
}
