// Postings being collected in memory, before they become a segment: term hash -> a stream of bytes in
// pooled slices. Terms of all fields share one open-addressing table, one arena of bytes and one pool.
//
// A term's stream, per occurrence (varints):
//
//     first of a document    gap to the document before << 1 | 1 (the first document: its number), then the
//                            position, when positions are kept
//     again in the document  difference of positions << 1 (0 when positions are not kept)
//     docs only              gap << 1 | 1
//
// So one occurrence touches one slot, one term record (short terms stand in it) and one place in the pool: three cache
// misses. Tokens are taken 32 at a time, each step for all of them before the next, so that the misses overlap.
//
// Invariants
//     1  Documents arrive in rising order; a term's stream is in document order.
//     2  Addresses in the pool are 32 bits: the owner flushes long before 4 GiB (`memoryBytes`).

package import Analysis
package import Bytes
package import Mappings
package import Segments
package import Storage

package final class InvertedBuffer {
    var core = InvertedCore()

    package init() {}

    /// Bytes held, for the flush trigger.
    package var memoryBytes: Int { core.memoryBytes }

    package var termCount: Int { core.termCount }

    /// Adds a text's tokens. Documents arrive in rising order. A second call for the same (field, doc) goes on
    /// where the first ended: positions from its positionCount + `gap`, lengths add up.
    /// - Parameter field: an id of the caller's for as long as this buffer lives, dense from 0.
    package func add(
        tokens: borrowing TokenBuffer, field: UInt32, options: FieldType.IndexOptions, norms: Bool, doc: DocID, gap: Int32 = 100
    ) {
        let count = tokens.count
        guard count > 0 else { return core.skip(field: field, options: options, norms: norms, doc: doc, positionCount: tokens.positionCount, gap: gap) }
        unsafe tokens.terms.withUnsafeBufferPointer { terms in
            unsafe tokens.termEnds.withUnsafeBufferPointer { ends in
                unsafe tokens.positions.withUnsafeBufferPointer { positions in
                    // Safe: the three are of one token buffer: as many positions as ends, and the last end is the
                    // number of bytes (TokenBuffer, invariant 2); `add` checks both.
                    unsafe core.add(
                        terms: terms, ends: ends, positions: positions, positionCount: tokens.positionCount,
                        field: field, options: options, norms: norms, doc: doc, gap: gap)
                }
            }
        }
    }

    /// Adds one term without frequency, position or norm; the same (field, term, doc) counts once.
    package func add(term: ArraySlice<UInt8>, field: UInt32, doc: DocID) {
        unsafe term.withUnsafeBufferPointer { unsafe core.add(term: $0, field: field, doc: doc) }
    }
}

/// What is known of one field while it is being collected.
struct BufferedField {
    var options: FieldType.IndexOptions = .docs
    var hasNorms = false
    var isUsed = false
    /// Documents with at least one posting, and their lengths.
    var docs: [UInt32] = []
    var lengths: [Int32] = []
    /// Where the next value of the same document starts.
    var lastDoc: UInt32 = .max
    var nextPosition: Int32 = 0
}

/// One term: 64 bytes, a cache line.
struct BufferedTerm {
    var field: UInt32
    /// In the arena.
    var start: UInt32
    var count: UInt32
    var hash: UInt32
    var lastDoc: UInt32 = .max
    var lastPosition: Int32 = 0
    var docFreq: UInt32 = 0
    var totalTermFreq: UInt32 = 0
    /// First slice; where the next byte goes; where the slice ends (its link stands there).
    var head: UInt32
    var cursor: UInt32
    var limit: UInt32
    var level: UInt32 = 0
    /// The first 16 bytes, zeros behind a shorter one.
    var prefix: TermPrefix
}

/// Up to 16 bytes of a term, which is all of most terms.
struct TermPrefix: Equatable {
    var low: UInt64 = 0
    var high: UInt64 = 0
}

@safe struct InvertedCore: ~Copyable {
    /// hash << 32 | term + 1; 0 is empty.
    private var slots: UnsafeMutablePointer<UInt64>
    private var slotMask: Int
    private var terms: UnsafeMutablePointer<BufferedTerm>
    private var termCapacity: Int
    private(set) var termCount = 0
    private var arena: UnsafeMutablePointer<UInt8>
    private var arenaCapacity: Int
    private var arenaCount = 0
    var pool = SlicePool()
    private(set) var fields: [BufferedField] = []
    private var fieldBytes = 0
    /// One of each for the tokens that are in work together.
    private let keys: UnsafeMutablePointer<TermKey>
    private let found: UnsafeMutablePointer<Int32>
    private static let togetherMax = 32
    /// Keeps the loads that only warm the cache.
    private var warmed: UInt8 = 0

    init() {
        unsafe keys = .allocate(capacity: Self.togetherMax)
        unsafe keys.initialize(repeating: TermKey(), count: Self.togetherMax)
        unsafe found = .allocate(capacity: Self.togetherMax)
        unsafe found.initialize(repeating: 0, count: Self.togetherMax)
        slotMask = (1 << 14) - 1
        unsafe slots = .allocate(capacity: slotMask + 1)
        unsafe slots.initialize(repeating: 0, count: slotMask + 1)
        termCapacity = 1 << 12
        unsafe terms = .allocate(capacity: termCapacity)
        arenaCapacity = 1 << 16
        unsafe arena = .allocate(capacity: arenaCapacity)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe terms.deallocate()
        unsafe arena.deallocate()
        unsafe keys.deallocate()
        unsafe found.deallocate()
    }

    var memoryBytes: Int { 8 * (slotMask + 1) + 64 * termCapacity + arenaCapacity + pool.memoryBytes + fieldBytes }

    func term(_ i: Int) -> BufferedTerm { unsafe terms[i] }
    func bytes(of term: BufferedTerm) -> UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: arena + Int(term.start), count: Int(term.count)) }

    /// A value without tokens still moves the next value's positions.
    mutating func skip(field: UInt32, options: FieldType.IndexOptions, norms: Bool, doc: DocID, positionCount: Int32, gap: Int32) {
        let f = useField(field, options, norms)
        if fields[f].lastDoc != doc {
            fields[f].lastDoc = doc
            fields[f].nextPosition = 0
        } else {
            fields[f].nextPosition = fields[f].nextPosition &+ gap
        }
        fields[f].nextPosition = fields[f].nextPosition &+ positionCount
    }

    mutating func add(
        terms text: UnsafeBufferPointer<UInt8>, ends: UnsafeBufferPointer<Int32>, positions: UnsafeBufferPointer<Int32>, positionCount: Int32,
        field: UInt32, options: FieldType.IndexOptions, norms: Bool, doc: DocID, gap: Int32
    ) {
        unsafe precondition(positions.count == ends.count && Int(ends.last ?? 0) <= text.count, "token buffer's arrays differ")
        let f = useField(field, options, norms)
        let isAgain = fields[f].lastDoc == doc
        let base = isAgain ? fields[f].nextPosition &+ gap : 0
        let keepsFrequencies = options >= .frequencies, keepsPositions = options >= .positions
        var length: Int32 = 0
        var previous: Int32 = -1
        var first = 0
        while first < ends.count {
            let count = min(Self.togetherMax, ends.count - first)
            unsafe look(up: UnsafeBufferPointer(rebasing: ends[first..<first + count]), from: first == 0 ? 0 : Int(ends[first - 1]), text, field)
            for i in 0..<count {
                let position = unsafe positions[first + i]
                // discountOverlaps: synonyms at one position count once.
                if position != previous { length &+= 1 }
                previous = position
                let key = unsafe keys[i]
                guard key.count <= TermLimits.bytesMax, key.count >= 0 else { continue }
                var id = unsafe Int(found[i])
                if id < 0 { id = unsafe find(key, UnsafeBufferPointer(rebasing: text[key.start..<key.start + key.count]), field) }
                if keepsFrequencies {
                    append(id, doc, keepsPositions ? base &+ position : 0, keepsPositions)
                } else {
                    appendOnce(id, doc)
                }
            }
            first += count
        }
        if isAgain, fields[f].docs.last == doc {
            fields[f].lengths[fields[f].lengths.count - 1] &+= length
        } else {
            fields[f].docs.append(doc)
            fields[f].lengths.append(length)
            fieldBytes += 8
        }
        fields[f].lastDoc = doc
        fields[f].nextPosition = base &+ positionCount
    }

    mutating func add(term: UnsafeBufferPointer<UInt8>, field: UInt32, doc: DocID) {
        guard term.count <= TermLimits.bytesMax else { return }
        let f = useField(field, .docs, false)
        unsafe appendOnce(find(TermKey(term, 0, term.count, field), term, field), doc)
        if fields[f].docs.last != doc {
            fields[f].docs.append(doc)
            fieldBytes += 4
        }
    }

    // MARK: - Occurrences

    @inline(__always)
    private mutating func append(_ id: Int, _ doc: UInt32, _ position: Int32, _ keepsPositions: Bool) {
        let term = unsafe terms + id
        unsafe term.pointee.totalTermFreq &+= 1
        if unsafe term.pointee.lastDoc == doc {
            let delta = unsafe position &- term.pointee.lastPosition
            unsafe pool.varint(UInt32(bitPattern: delta) << 1, term)
        } else {
            unsafe startDoc(term, doc)
            if keepsPositions { unsafe pool.varint(UInt32(bitPattern: position), term) }
        }
        unsafe term.pointee.lastPosition = position
    }

    @inline(__always)
    private mutating func appendOnce(_ id: Int, _ doc: UInt32) {
        let term = unsafe terms + id
        if unsafe term.pointee.lastDoc == doc { return }
        unsafe term.pointee.totalTermFreq &+= 1
        unsafe startDoc(term, doc)
    }

    @inline(__always)
    private mutating func startDoc(_ term: UnsafeMutablePointer<BufferedTerm>, _ doc: UInt32) {
        let gap = unsafe term.pointee.docFreq == 0 ? doc : doc &- term.pointee.lastDoc
        unsafe pool.varint(gap << 1 | 1, term)
        unsafe term.pointee.lastDoc = doc
        unsafe term.pointee.docFreq &+= 1
    }

    // MARK: - Terms

    /// Fills `keys` and `found` for up to 32 tokens; -1 where a token must be looked for.
    private mutating func look(up ends: UnsafeBufferPointer<Int32>, from begin: Int, _ text: UnsafeBufferPointer<UInt8>, _ field: UInt32) {
        var start = begin
        for i in 0..<ends.count {
            let end = unsafe Int(ends[i])
            let key = unsafe TermKey(text, start, end - start, field)
            unsafe keys[i] = key
            unsafe found[i] = Int32(truncatingIfNeeded: slots[Int(key.hash) & slotMask] & 0xFFFF_FFFF) &- 1
            start = max(start, end)
        }
        var warm: UInt8 = 0
        for i in 0..<ends.count {
            let id = unsafe Int(found[i])
            guard id >= 0 else { continue }
            if unsafe isTerm(id, keys[i], text, field) {
                // Without this load the append would wait for each stream in turn. Measured for all steps together: 25 % of a load's processor time before, 20 % after.
                unsafe warm ^= pool.pointer(terms[id].cursor &- 1).pointee
            } else {
                unsafe found[i] = -1
            }
        }
        warmed = warm
    }

    @inline(__always)
    private func isTerm(_ id: Int, _ key: TermKey, _ text: UnsafeBufferPointer<UInt8>, _ field: UInt32) -> Bool {
        let term = unsafe terms + id
        return unsafe term.pointee.hash == key.hash && term.pointee.field == field && Int(term.pointee.count) == key.count && term.pointee.prefix == key.prefix
            && (key.count <= 16 || equal(arena + Int(term.pointee.start), UnsafeBufferPointer(rebasing: text[key.start..<key.start + key.count])))
    }

    @inline(__always)
    private mutating func find(_ key: TermKey, _ bytes: UnsafeBufferPointer<UInt8>, _ field: UInt32) -> Int {
        var slot = Int(key.hash) & slotMask
        var own = key
        own.start = 0
        while true {
            let entry = unsafe slots[slot]
            if entry == 0 { return unsafe insert(bytes, field, key, slot) }
            if UInt32(truncatingIfNeeded: entry >> 32) == key.hash {
                let id = Int(entry & 0xFFFF_FFFF) - 1
                if unsafe isTerm(id, own, bytes, field) { return id }
            }
            slot = (slot + 1) & slotMask
        }
    }

    @inline(never)
    private mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, _ field: UInt32, _ key: TermKey, _ slot: Int) -> Int {
        if termCount == termCapacity { growTerms() }
        if arenaCount + bytes.count > arenaCapacity { growArena(bytes.count) }
        let id = termCount
        if let from = bytes.baseAddress { unsafe (arena + arenaCount).update(from: from, count: bytes.count) }
        let (head, limit) = pool.newSlice(level: 0)
        unsafe (terms + id).initialize(to: BufferedTerm(
            field: field, start: UInt32(truncatingIfNeeded: arenaCount), count: UInt32(truncatingIfNeeded: bytes.count), hash: key.hash,
            head: head, cursor: head, limit: limit, prefix: key.prefix))
        arenaCount += bytes.count
        termCount += 1
        unsafe slots[slot] = UInt64(key.hash) << 32 | UInt64(termCount)
        if termCount * 2 > slotMask { growSlots() }
        return id
    }

    private mutating func growTerms() {
        let new = UnsafeMutablePointer<BufferedTerm>.allocate(capacity: 2 * termCapacity)
        unsafe new.moveInitialize(from: terms, count: termCount)
        unsafe terms.deallocate()
        unsafe terms = unsafe new
        termCapacity *= 2
    }

    private mutating func growArena(_ more: Int) {
        let capacity = max(2 * arenaCapacity, arenaCount + more)
        let new = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        unsafe new.update(from: arena, count: arenaCount)
        unsafe arena.deallocate()
        unsafe arena = unsafe new
        arenaCapacity = capacity
    }

    private mutating func growSlots() {
        let old = unsafe slots, oldCount = slotMask + 1
        slotMask = 2 * oldCount - 1
        unsafe slots = .allocate(capacity: slotMask + 1)
        unsafe slots.initialize(repeating: 0, count: slotMask + 1)
        for i in 0..<oldCount where unsafe old[i] != 0 {
            var slot = unsafe Int(old[i] >> 32) & slotMask
            while unsafe slots[slot] != 0 { slot = (slot + 1) & slotMask }
            unsafe slots[slot] = unsafe old[i]
        }
        unsafe old.deallocate()
    }

    private mutating func useField(_ field: UInt32, _ options: FieldType.IndexOptions, _ norms: Bool) -> Int {
        let f = Int(field)
        while fields.count <= f {
            fields.append(BufferedField())
            fieldBytes += MemoryLayout<BufferedField>.stride
        }
        if !fields[f].isUsed {
            fields[f].isUsed = true
            fields[f].options = options
            fields[f].hasNorms = norms
        }
        return f
    }
}

/// Lucene's bound; longer terms are left out (the mapping refuses keywords beyond it earlier).
enum TermLimits { static let bytesMax = 32_766 }

// MARK: - Hashing

/// A token on its way into the table: where it stands in the text, and what tells it from others.
private struct TermKey {
    var start = 0
    var count = 0
    var prefix = TermPrefix()
    var hash: UInt32 = 0

    init() {}

    /// Multiply and fold, eight bytes at a time. A token that the text does not hold whole has count -1.
    @inline(__always)
    init(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int, _ field: UInt32) {
        guard let base = text.baseAddress, count >= 0, start >= 0, start + count <= text.count else {
            self.start = start
            self.count = count == 0 ? 0 : -1
            hash = unsafe TermKey.hash(prefix, nil, 0, field)
            return
        }
        let p = unsafe UnsafeRawPointer(base) + start
        (self.start, self.count) = (start, count)
        if start + 16 <= text.count {
            // Safe: 16 bytes from here are in the text; those beyond the token are masked away.
            let low = unsafe p.loadUnaligned(as: UInt64.self), high = unsafe p.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            prefix.low = count >= 8 ? low : low & ((1 << (8 * UInt64(count))) &- 1)
            prefix.high = count >= 16 ? high : count <= 8 ? 0 : high & ((1 << (8 * UInt64(count - 8))) &- 1)
        } else {
            for i in 0..<min(count, 16) {
                let byte = unsafe UInt64(p.load(fromByteOffset: i, as: UInt8.self))
                if i < 8 { prefix.low |= byte << (8 * UInt64(i)) } else { prefix.high |= byte << (8 * UInt64(i - 8)) }
            }
        }
        hash = unsafe TermKey.hash(prefix, p, count, field)
    }

    @inline(__always)
    private static func hash(_ prefix: TermPrefix, _ p: UnsafeRawPointer?, _ count: Int, _ field: UInt32) -> UInt32 {
        let k: UInt64 = 0x9E37_79B9_7F4A_7C15
        var h = (UInt64(field) &+ 1) &* 0xD6E8_FEB8_6659_FD93 ^ UInt64(truncatingIfNeeded: count)
        h = (h ^ prefix.low) &* k
        h ^= h >> 29
        h = (h ^ prefix.high) &* k
        h ^= h >> 32
        if count > 16, let p {
            var i = 16
            while i + 8 <= count {
                h = unsafe (h ^ p.loadUnaligned(fromByteOffset: i, as: UInt64.self)) &* k
                h ^= h >> 29
                i += 8
            }
            var rest: UInt64 = 0
            while i < count {
                rest = unsafe rest << 8 | UInt64(p.load(fromByteOffset: i, as: UInt8.self))
                i += 1
            }
            h = (h ^ rest) &* k
            h ^= h >> 32
        }
        h = h &* k
        return UInt32(truncatingIfNeeded: h >> 32)
    }
}

@inline(__always)
private func equal(_ a: UnsafeMutablePointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let base = b.baseAddress else { return true }
    let p = UnsafeRawPointer(a), q = unsafe UnsafeRawPointer(base)
    var i = 0
    let n = b.count
    while i + 8 <= n {
        if unsafe p.loadUnaligned(fromByteOffset: i, as: UInt64.self) != q.loadUnaligned(fromByteOffset: i, as: UInt64.self) { return false }
        i += 8
    }
    while i < n {
        if unsafe p.load(fromByteOffset: i, as: UInt8.self) != q.load(fromByteOffset: i, as: UInt8.self) { return false }
        i += 1
    }
    return true
}
