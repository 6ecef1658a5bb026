// Stems of words met before: texts repeat their words, and a look-up costs a fraction of a stemmer.
//
// Direct mapped: 4,096 slots of 64 bytes, a word of at most 30 bytes and its stem; a newer word takes the slot.
//
//     slot: word length, stem length, 31 bytes word, 31 bytes stem

struct StemCache {
    private static let slots = 4096, slotBytes = 64, wordMax = 30
    private var table = [UInt8](repeating: 0, count: slots * slotBytes)

    /// Appends the stem of `word`, from the cache or made by `stem`.
    @inline(__always)
    mutating func append(_ word: Span<UInt8>, to out: inout [UInt8], _ stem: (Span<UInt8>, inout [UInt8]) -> Void) {
        let n = word.count
        guard n <= Self.wordMax else { return stem(word, &out) }
        var h: UInt32 = 2_166_136_261 // FNV-1a
        for i in 0..<n { h = (h ^ UInt32(word[i])) &* 16_777_619 }
        let slot = Int((h ^ h >> 15) & UInt32(Self.slots - 1)) * Self.slotBytes
        // Safe: a slot's 64 bytes lie in the table, words and stems of 30 at most in a slot.
        let hit = unsafe table.withUnsafeBufferPointer { p in
            guard unsafe Int(p[slot]) == n, n > 0 else { return false }
            var k = 0
            while unsafe k < n && p[slot &+ 2 &+ k] == word[k] { k &+= 1 }
            guard k == n else { return false }
            unsafe out.append(contentsOf: p[(slot &+ 33)..<(slot &+ 33 &+ Int(p[slot &+ 1]))])
            return true
        }
        if hit { return }
        let before = out.count
        stem(word, &out)
        let length = out.count - before
        guard length <= Self.wordMax, n > 0 else { return }
        table[slot] = UInt8(truncatingIfNeeded: n)
        table[slot + 1] = UInt8(truncatingIfNeeded: length)
        for k in 0..<n { table[slot + 2 + k] = word[k] }
        for k in 0..<length { table[slot + 33 + k] = out[before + k] }
    }
}
