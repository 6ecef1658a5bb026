// The best k (score, document) pairs so far: a binary heap of 64-bit keys that order as (score, then lower
// document) do, so one comparison decides.

internal import Segments

@safe struct TopHeap: ~Copyable {
    private let keys: UnsafeMutablePointer<UInt64>
    private(set) var count = 0
    let capacity: Int
    /// A document must score above this.
    private(set) var threshold: Float

    init(_ capacity: Int, threshold: Float) {
        self.capacity = capacity
        self.threshold = threshold
        unsafe keys = .allocate(capacity: max(1, capacity))
    }

    deinit { unsafe keys.deallocate() }

    var isFull: Bool { count == capacity }

    /// - Precondition: capacity > 0. Documents of equal score arrive in rising order or are told apart by the key.
    @inline(__always)
    mutating func insert(_ doc: UInt32, _ score: Float) {
        if !(score > threshold) { return }
        let key = Self.key(doc, score)
        if count < capacity {
            var i = count
            count += 1
            while i > 0 {
                let parent = (i - 1) >> 1
                if unsafe keys[parent] <= key { break }
                unsafe keys[i] = unsafe keys[parent]
                i = parent
            }
            unsafe keys[i] = key
            if count == capacity { threshold = unsafe max(threshold, Self.score(keys[0])) }
            return
        }
        if unsafe key <= keys[0] { return }
        replaceLeast(key)
        threshold = unsafe max(threshold, Self.score(keys[0]))
    }

    private mutating func replaceLeast(_ key: UInt64) {
        var i = 0
        while true {
            var child = 2 * i + 1
            if child >= count { break }
            if child + 1 < count, unsafe keys[child + 1] < keys[child] { child += 1 }
            if unsafe keys[child] >= key { break }
            unsafe keys[i] = unsafe keys[child]
            i = child
        }
        unsafe keys[i] = key
    }

    /// Best first.
    func sorted() -> [(doc: DocID, score: Float)] {
        (0..<count).map { unsafe keys[$0] }.sorted(by: >).map { (~UInt32(truncatingIfNeeded: $0), Self.score($0)) }
    }

    @inline(__always)
    private static func key(_ doc: UInt32, _ score: Float) -> UInt64 {
        // -0 and 0 are one score.
        let bits = (score + 0).bitPattern
        let sortable = bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
        return UInt64(sortable) << 32 | UInt64(~doc)
    }

    @inline(__always)
    private static func score(_ key: UInt64) -> Float {
        let sortable = UInt32(truncatingIfNeeded: key >> 32)
        return Float(bitPattern: sortable >> 31 == 1 ? sortable & 0x7FFF_FFFF : ~sortable)
    }
}
