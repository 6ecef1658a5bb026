// Multi-select facets: each facet is counted without its own filter, the hits with all of them.

package import Bytes

package struct FacetSets: Sendable {
    /// base and all filters.
    package let all: BitSet
    /// For each filter: base and all filters but that one.
    package let without: [BitSet]

    /// - Precondition: equal counts.
    package init(base: BitSet, filters: [BitSet]) { (all, without) = (base, []) }
}
