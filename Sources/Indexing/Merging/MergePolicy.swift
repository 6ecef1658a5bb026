// Which segments are to be merged next. Tiered, after Lucene's TieredMergePolicy: segments are judged by
// their size without deleted documents; as many are allowed as a staircase of `segmentsPerTier` per size class
// needs; when there are more, the group is merged that is evenest in size, small, and richest in deletes.
// Pure: sizes in, groups out.

package struct MergePolicy: Sendable {
    package var segmentsPerTier = 10
    package var mergeAtOnceMax = 10
    /// Segments below count as this big, so that tiny ones are merged in heaps.
    package var floorBytes = 2 << 20
    package var mergedBytesMax = 5 << 30
    /// Share of deleted documents past which a segment is merged whatever its tier.
    package var deletedShareMax = 0.33
    /// However the tiers look, never more segments than this.
    package var segmentsMax = 200

    package struct Candidate: Sendable {
        package var index: Int
        package var bytes: Int
        package var docCount: Int
        package var liveCount: Int
        package init(index: Int, bytes: Int, docCount: Int, liveCount: Int) {
            (self.index, self.bytes, self.docCount, self.liveCount) = (index, bytes, docCount, liveCount)
        }
        package var liveBytes: Int { docCount == 0 ? 0 : Int(Double(bytes) * Double(liveCount) / Double(docCount)) }
        package var deletedShare: Double { docCount == 0 ? 1 : 1 - Double(liveCount) / Double(docCount) }
    }

    package init() {}

    /// The next group to merge (places in `candidates`' own `index`, rising), nil when all is well.
    package func next(_ candidates: [Candidate]) -> [Int]? {
        if let empty = candidates.first(where: { $0.liveCount == 0 }) { return [empty.index] }
        let sorted = candidates.sorted { ($0.liveBytes, $1.index) > ($1.liveBytes, $0.index) }
        let eligible = sorted.filter { $0.liveBytes <= mergedBytesMax / 2 }
        if eligible.count > min(allowed(eligible), segmentsMax), let group = best(eligible) { return group }
        if let worn = sorted.filter({ $0.deletedShare > deletedShareMax }).max(by: { $0.deletedShare < $1.deletedShare }) { return [worn.index] }
        return nil
    }

    /// Groups that bring the number of segments down to `segmentsMax`, deleted documents dropped: one step of a forced merge.
    package func forced(_ candidates: [Candidate], segmentsMax: Int) -> [Int]? {
        let target = max(1, segmentsMax)
        if candidates.count > target {
            let smallest = candidates.sorted { ($0.liveBytes, $0.index) < ($1.liveBytes, $1.index) }
            return smallest.prefix(candidates.count - target + 1).map(\.index).sorted()
        }
        return candidates.first { $0.liveCount < $0.docCount }.map { [$0.index] }
    }

    // MARK: -

    /// How many segments the staircase has room for.
    private func allowed(_ sorted: [Candidate]) -> Int {
        guard let smallest = sorted.last else { return 0 }
        var left = sorted.reduce(0) { $0 &+ $1.liveBytes }, level = max(floorBytes, smallest.liveBytes), count = 0
        while true {
            let here = (left + level - 1) / level
            if here <= segmentsPerTier || level >= mergedBytesMax { return max(segmentsPerTier, count + here) }
            count += segmentsPerTier
            left -= segmentsPerTier * level
            level *= mergeAtOnceMax
        }
    }

    private func best(_ sorted: [Candidate]) -> [Int]? {
        var winner: (score: Double, group: ArraySlice<Candidate>)?
        for start in sorted.indices {
            var end = start, bytes = 0
            while end < sorted.count, end - start < mergeAtOnceMax, bytes + sorted[end].liveBytes <= mergedBytesMax {
                bytes += sorted[end].liveBytes
                end += 1
            }
            guard end - start >= 2 else { continue }
            let group = sorted[start..<end], value = score(group)
            if winner.map({ value < $0.score }) ?? true { winner = (value, group) }
            if end == sorted.count { break }
        }
        return winner?.group.map(\.index).sorted()
    }

    /// Lower is better.
    private func score(_ group: ArraySlice<Candidate>) -> Double {
        let floored = group.map { Double(max(floorBytes, $0.liveBytes)) }
        let total = floored.reduce(0, +), before = group.reduce(0.0) { $0 + Double($1.bytes) }, after = group.reduce(0.0) { $0 + Double($1.liveBytes) }
        let skew = (floored.first ?? 0) / max(1, total), kept = before == 0 ? 0 : after / before
        return skew * power(after, 0.05) * kept * kept * (Double(mergeAtOnceMax) / Double(group.count))
    }
}

private import Glibc
private func power(_ x: Double, _ y: Double) -> Double { Glibc.pow(max(1, x), y) }
