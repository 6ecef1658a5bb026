// Multi-select facets: each facet is counted without its own filter, the hits with all of them.
//
// One pass over the words: with prefix p_i = base & f_0 ... f_i-1 and suffix s_i = f_i+1 ... f_n-1, the set
// without filter i is p_i & s_i. A word costs 3 n operations, whatever n.

package import Bytes

package struct FacetSets: Sendable {
    /// base and all filters.
    package let all: BitSet
    /// For each filter: base and all filters but that one.
    package let without: [BitSet]

    /// - Precondition: equal counts.
    package init(base: BitSet, filters: [BitSet]) {
        let n = filters.count
        if n == 0 {
            (all, without) = (base, [])
            return
        }
        precondition(filters.allSatisfy { $0.count == base.count })
        var all = base, without = [BitSet](repeating: base, count: n)
        var suffixes = [UInt64](repeating: 0, count: n)
        for w in base.words.indices {
            if base.words[w] == 0 { continue }
            var suffix = UInt64.max
            for i in stride(from: n - 1, through: 0, by: -1) {
                suffixes[i] = suffix
                suffix &= filters[i].words[w]
            }
            var prefix = base.words[w]
            for i in 0..<n {
                without[i].words[w] = prefix & suffixes[i]
                prefix &= filters[i].words[w]
            }
            all.words[w] = prefix
        }
        (self.all, self.without) = (all, without)
    }
}
