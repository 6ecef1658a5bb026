// How far a mean over queries may be from the mean over all queries there could be: draw as many queries again, with
// repeats, many times, and see where the middle 95 % of those means lie (percentile bootstrap; Efron and Tibshirani,
// "An introduction to the bootstrap", 1993, chapter 13).
//
// Invariant: one seed, one result.

package enum Bootstrap {
    /// The 95 % interval of the mean of `values`; a point when there are fewer than two.
    package static func meanInterval(_ values: [Double], resamples: Int, seed: UInt64) -> ClosedRange<Double> {
        let point = mean(of: values)
        guard values.count > 1, resamples > 1 else { return point...point }
        var random = Random(seed)
        var means = [Double](repeating: 0, count: resamples)
        for i in 0..<resamples {
            var sum = 0.0
            for _ in 0..<values.count { sum += values[random.below(values.count)] }
            means[i] = sum / Double(values.count)
        }
        means.sort()
        return quantile(means, 0.025)...quantile(means, 0.975)
    }

    // MARK: -

    /// Linear between the two nearest of `sorted`, as numpy's default.
    private static func quantile(_ sorted: [Double], _ fraction: Double) -> Double {
        let place = fraction * Double(sorted.count - 1)
        let low = Int(place), high = min(low + 1, sorted.count - 1)
        return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
    }
}

/// SplitMix64: small, seeded, the same everywhere.
struct Random {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// From 0 to `bound` - 1; the bias is below bound / 2^64.
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }
}
