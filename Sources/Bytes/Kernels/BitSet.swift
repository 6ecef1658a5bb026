// A set of small integers, one bit each: matching documents, live documents, presence.
//
// Invariants
//     1  Bits at and past `count` are 0.

internal import CIsothermKernels

public struct BitSet: Sendable, Equatable {
    /// Bit i of word i / 64. The tail's unused bits are 0.
    public var words: [UInt64]
    /// How many bits there are, set or not.
    public let count: Int

    public init(count: Int, all: Bool = false) {
        self.count = count
        words = [UInt64](repeating: all ? .max : 0, count: (count + 63) / 64)
        if all, count & 63 != 0 { words[words.count - 1] = (1 << UInt64(count & 63)) - 1 }
    }

    @inlinable public subscript(i: Int) -> Bool {
        get { words[i >> 6] >> UInt64(i & 63) & 1 != 0 }
        set { if newValue { words[i >> 6] |= 1 << UInt64(i & 63) } else { words[i >> 6] &= ~(1 << UInt64(i & 63)) } }
    }

    @inlinable public mutating func insert(_ i: Int) { words[i >> 6] |= 1 << UInt64(i & 63) }
    @inlinable public mutating func remove(_ i: Int) { words[i >> 6] &= ~(1 << UInt64(i & 63)) }

    public func cardinality() -> Int {
        // Safe: as many words as the array has, only read.
        unsafe words.withUnsafeBufferPointer { unsafe $0.baseAddress.map { base in unsafe Int(isotherm_popcount(base, words.count)) } ?? 0 }
    }

    /// - Precondition: equal counts.
    public mutating func formIntersection(_ other: BitSet) {
        precondition(count == other.count)
        for i in words.indices { words[i] &= other.words[i] }
    }

    public mutating func formUnion(_ other: BitSet) {
        precondition(count == other.count)
        for i in words.indices { words[i] |= other.words[i] }
    }

    public mutating func subtract(_ other: BitSet) {
        precondition(count == other.count)
        for i in words.indices { words[i] &= ~other.words[i] }
    }

    public mutating func invert() {
        for i in words.indices { words[i] = ~words[i] }
        if count & 63 != 0 { words[words.count - 1] &= (1 << UInt64(count & 63)) - 1 }
    }

    /// Calls `body` with every member, rising.
    @inlinable public func forEach<E: Error>(_ body: (Int) throws(E) -> Void) throws(E) {
        for i in 0..<words.count {
            var w = words[i]
            while w != 0 {
                try body(i << 6 | w.trailingZeroBitCount)
                w &= w &- 1
            }
        }
    }

    /// The first member at or after `i`, nil when there is none.
    @inlinable public func next(from i: Int) -> Int? {
        guard i < count else { return nil }
        var word = i >> 6
        var w = words[word] & (UInt64.max << UInt64(i & 63))
        while w == 0 {
            word += 1
            if word == words.count { return nil }
            w = words[word]
        }
        return word << 6 | w.trailingZeroBitCount
    }
}

// MARK: - Windows

extension BitSet {
    /// Where a walk over the members in windows stands.
    public struct Walk: Sendable {
        @usableFromInline var word = 0
        @usableFromInline var rest: UInt64 = 0
        @inlinable public init() {}
    }

    /// The next members, rising, at most `buffer.count`; 0 at the end. Measured: about 1 ns a member.
    @inlinable
    public func next(_ walk: inout Walk, into buffer: UnsafeMutableBufferPointer<UInt32>) -> Int {
        guard let out = buffer.baseAddress else { return 0 }
        let capacity = buffer.count
        var n = 0, word = walk.word, rest = walk.rest
        unsafe words.withUnsafeBufferPointer { words in
            // `rest` belongs to the word before `word`.
            while true {
                let base = UInt32(truncatingIfNeeded: (word &- 1) << 6)
                while rest != 0, n < capacity {
                    // Safe: n < capacity was just checked.
                    unsafe out[n] = base | UInt32(truncatingIfNeeded: rest.trailingZeroBitCount)
                    rest &= rest &- 1
                    n &+= 1
                }
                if rest != 0 || word >= words.count { break }
                rest = unsafe words[word]
                word &+= 1
            }
        }
        (walk.word, walk.rest) = (word, rest)
        return n
    }

    /// How many are in both. - Precondition: equal counts.
    public func intersectionCount(_ other: BitSet) -> Int {
        precondition(count == other.count)
        var n = 0
        for i in words.indices { n &+= (words[i] & other.words[i]).nonzeroBitCount }
        return n
    }

    /// How many are here and not there. - Precondition: equal counts.
    public func differenceCount(_ other: BitSet) -> Int {
        precondition(count == other.count)
        var n = 0
        for i in words.indices { n &+= (words[i] & ~other.words[i]).nonzeroBitCount }
        return n
    }

    /// How many are in either. - Precondition: equal counts.
    public func unionCount(_ other: BitSet) -> Int {
        precondition(count == other.count)
        var n = 0
        for i in words.indices { n &+= (words[i] | other.words[i]).nonzeroBitCount }
        return n
    }
}
