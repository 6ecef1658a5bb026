// The set of bits against a plain Set.

import Bytes
import IsothermTesting
import Testing

@Suite("Bit set")
struct BitSetTests {
    @Test("cardinality, members and the next member are those of a plain set", arguments: UInt64(0)..<50)
    func members(seed: UInt64) {
        var random = Seeded(seed)
        let count = Int.random(in: 0...1000, using: &random)
        var set = BitSet(count: count), naive = Set<Int>()
        for _ in 0..<Int.random(in: 0...500, using: &random) where count > 0 {
            let i = Int.random(in: 0..<count, using: &random)
            if Bool.random(using: &random) {
                set.insert(i)
                naive.insert(i)
            } else {
                set.remove(i)
                naive.remove(i)
            }
        }
        var listed: [Int] = []
        set.forEach { listed.append($0) }
        #expect(set.cardinality() == naive.count)
        #expect(set.cardinality() == set.words.reduce(0) { $0 + $1.nonzeroBitCount })
        #expect(listed == naive.sorted())
        for i in 0..<count { #expect(set[i] == naive.contains(i)) }
        #expect(BitSet(count: count, all: true).cardinality() == count)
    }
}
