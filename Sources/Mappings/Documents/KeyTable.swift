// From a key's bytes to what the mapping has for it, for the objects at one path. Documents repeat their shape:
// the i-th member is looked for where the i-th of the last such object was, and hashed only when that fails.

internal import JSON

/// What a member of an object is.
enum KeyTarget: Sendable {
    /// Of the parser's `leaves`.
    case field(Int)
    /// Of the parser's `tables`.
    case object(Int)
    /// Unmapped, and `dynamic` says to leave it; or below a disabled object.
    case ignored
    /// Unmapped; its first value decides what it becomes.
    case new
    case strict
    case metadata
    /// A dotted name that is no path.
    case wrong
    /// A dotted name that goes through a field.
    case blocked
}

struct KeyTable: Sendable {
    struct Key: Sendable {
        fileprivate let start: Int
        fileprivate let count: Int
        fileprivate let hash: UInt64
        /// Of the object that had the key last: seeing it again means a duplicate.
        var stamp: UInt64 = 0
        var target: KeyTarget
    }

    /// "" at the root.
    let path: String
    var keys: [Key] = []
    private var bytes: [UInt8] = []
    /// Open addressing, a power of two, at most half full; -1: free.
    private var index: [Int32]
    private var shape: [Int32] = []

    init(path: String) {
        self.path = path
        index = [Int32](repeating: -1, count: 16)
    }

    /// Nil when the key is new: `insert` it.
    /// - Parameter position: of the member in its object.
    @inline(__always) mutating func find(_ key: RawSpan, at position: Int) -> Int? {
        if position < shape.count {
            let guess = Int(shape[position])
            if equals(guess, key) { return guess }
        }
        return findByHash(key, at: position)
    }

    private mutating func findByHash(_ key: RawSpan, at position: Int) -> Int? {
        let h = Self.hash(key), mask = index.count &- 1
        var i = Int(truncatingIfNeeded: h) & mask
        while index[i] >= 0 {
            let candidate = Int(index[i])
            if keys[candidate].hash == h, equals(candidate, key) {
                remember(candidate, at: position)
                return candidate
            }
            i = (i &+ 1) & mask
        }
        return nil
    }

    mutating func insert(_ key: RawSpan, _ target: KeyTarget, at position: Int) -> Int {
        let new = keys.count
        keys.append(Key(start: bytes.count, count: key.byteCount, hash: Self.hash(key), target: target))
        for i in 0..<key.byteCount { bytes.append(key.byte(i)) }
        if keys.count * 2 > index.count {
            index = [Int32](repeating: -1, count: index.count * 2)
            for i in keys.indices { place(i) }
        } else {
            place(new)
        }
        remember(new, at: position)
        return new
    }

    // MARK: -

    private mutating func remember(_ key: Int, at position: Int) {
        // Objects used as dictionaries have no shape worth keeping.
        guard position < 4_096 else { return }
        while shape.count <= position { shape.append(Int32(truncatingIfNeeded: key)) }
        shape[position] = Int32(truncatingIfNeeded: key)
    }

    private mutating func place(_ key: Int) {
        let mask = index.count &- 1
        var i = Int(truncatingIfNeeded: keys[key].hash) & mask
        while index[i] >= 0 { i = (i &+ 1) & mask }
        index[i] = Int32(truncatingIfNeeded: key)
    }

    @inline(__always) private func equals(_ slot: Int, _ key: RawSpan) -> Bool {
        let count = keys[slot].count
        guard count == key.byteCount else { return false }
        // Safe: `UInt8` has no padding.
        return unsafe bytes.span.bytes.extracting(keys[slot].start..<keys[slot].start &+ count).equals(key)
    }

    /// Eight bytes at a time, multiplied and folded; for tables, not for adversaries: probes are bounded by the keys.
    private static func hash(_ key: RawSpan) -> UInt64 {
        var h = UInt64(truncatingIfNeeded: key.byteCount) &* 0x9E37_79B9_7F4A_7C15
        var i = 0
        while i < key.byteCount {
            var word: UInt64 = 0
            for k in i..<min(i &+ 8, key.byteCount) { word = word << 8 | UInt64(key.byte(k)) }
            h = (h ^ word) &* 0xFF51_AFD7_ED55_8CCD
            h ^= h >> 32
            i &+= 8
        }
        return h
    }
}
