// Whether a policy's boundaries fit what is read: from counts of reads by age and tier, nothing else. Pure.
//
// A boundary is judged at the bounds of the age buckets. Hot should answer nearly all reads, and the archive, which costs requests and time, hardly any.

package import Orders

package struct TierAdvice: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var bucket: Int, reads: Int64, byTier: [Tier: Int64]
    }
    /// The youngest first.
    package var rows: [Row]
    package var total: Int64
    /// One sentence for each boundary, in the policy's order.
    package var sentences: [String]

    /// Hot should answer this share of reads,
    package static let hotShare = 0.95
    /// and the archive at most this.
    package static let coldShare = 0.01
    /// Fewer reads say nothing.
    package static let readsMin: Int64 = 1_000

    package init(_ policy: TierPolicy, reads: [OrderReadsKey: Int64]) {
        rows = (0..<AgeBucket.count).map { Row(bucket: $0, reads: 0, byTier: [:]) }
        for (key, count) in reads where rows.indices.contains(key.bucket) {
            rows[key.bucket].reads += count
            rows[key.bucket].byTier[key.tier, default: 0] += count
        }
        let total = rows.reduce(0) { $0 + $1.reads }
        self.total = total
        guard total >= Self.readsMin else {
            sentences = ["\(total) reads were counted; from \(Self.readsMin) on there is advice"]
            return
        }
        let rows = rows
        /// The share of reads of orders younger than a bound.
        func younger(_ days: Int64) -> Double {
            let count = rows.filter { $0.bucket < AgeBucket.days.count && AgeBucket.days[$0.bucket] <= days }.reduce(0) { $0 + $1.reads }
            return Double(count) / Double(total)
        }
        sentences = (policy.classes[.orders] ?? []).compactMap { band in
            switch (band.tier, band.to) {
            case (.hot, let end?): Self.judge("hot", end, share: younger(end), wanted: Self.hotShare, younger)
            case (.warm, let end?): Self.judge("warm", end, share: younger(end), wanted: 1 - Self.coldShare, younger)
            default: nil
            }
        }
    }

    private static func judge(_ tier: String, _ end: Int64, share: Double, wanted: Double, _ younger: (Int64) -> Double) -> String {
        func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10) %" }
        let best = AgeBucket.days.first { younger($0) >= wanted }
        let before = "\(percent(share)) of reads are of orders younger than \(end) days, where \(tier) ends"
        guard let best else { return "\(before); even \(AgeBucket.days.last ?? 0) days would not reach \(percent(wanted))" }
        if best == end || (share >= wanted && !AgeBucket.days.contains { $0 < end && younger($0) >= wanted }) { return "\(before): it fits" }
        if best < end { return "\(before); \(best) days would do, with \(percent(younger(best)))" }
        return "\(before); with \(best) days it would be \(percent(younger(best)))"
    }
}
