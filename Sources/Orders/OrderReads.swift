// How often orders are read, by their age and the tier that answered: what `isotherm tier advise` judges the boundaries by. Counts only, of nobody in particular.

package enum AgeBucket {
    /// Upper bounds in days; the last bucket has none.
    package static let days: [Int64] = [7, 30, 60, 90, 180, 365, 730]
    package static let count = days.count + 1

    /// Of an order's age.
    package static func of(placedAt: Instant, at now: Instant) -> Int {
        let age = now.microseconds.subtractingReportingOverflow(placedAt.microseconds)
        let whole = age.overflow ? 0 : age.partialValue / 86_400_000_000
        return days.firstIndex { whole < $0 } ?? days.count
    }

    package static func name(_ bucket: Int) -> String {
        let from = bucket > 0 ? days[min(bucket, days.count) - 1] : 0
        return bucket < days.count ? "\(from) to \(days[bucket]) days" : "\(from) days and more"
    }
}

package struct OrderReadsKey: Sendable, Hashable {
    /// Days since 1970, UTC.
    package var day: Int64, bucket: Int, tier: Tier
    package init(day: Int64, bucket: Int, tier: Tier) { (self.day, self.bucket, self.tier) = (day, bucket, tier) }
}
