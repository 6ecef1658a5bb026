// Is the mean of per-query differences between two runs more than chance? Two answers, both two-sided:
// Student's paired t-test, and a permutation test that flips the signs of the differences (Smucker, Allan and
// Carterette, "A comparison of statistical significance tests for information retrieval evaluation", 2007).

import Glibc

package enum PairedTest {
    package struct Outcome: Sendable, Equatable {
        /// t for the t-test, the mean difference for the permutation test.
        package let statistic: Double
        /// The chance of a difference at least as large if the runs were alike; 1 when nothing differs.
        package let p: Double
    }

    package static func t(_ differences: [Double]) -> Outcome {
        let n = Double(differences.count), average = mean(of: differences)
        guard differences.count > 1, differences.contains(where: { $0 != 0 }) else { return Outcome(statistic: 0, p: 1) }
        let variance = differences.reduce(0) { $0 + ($1 - average) * ($1 - average) } / (n - 1)
        guard variance > 0 else { return Outcome(statistic: .infinity * (average < 0 ? -1 : 1), p: 0) }
        let t = average / (variance / n).squareRoot()
        return Outcome(statistic: t, p: twoSided(t: t, degreesOfFreedom: n - 1))
    }

    /// All 2^n sign patterns up to n = 16, else `samples` random ones with the observed pattern counted in.
    package static func permutation(_ differences: [Double], samples: Int = 50_000, seed: UInt64) -> Outcome {
        let moved = differences.filter { $0 != 0 }, average = mean(of: differences)
        guard !moved.isEmpty else { return Outcome(statistic: 0, p: 1) }
        // The last digits depend on the order of summing: a pattern that only ties must count as a tie.
        let bar = abs(moved.reduce(0, +)) * (1 - 1e-12)
        if moved.count <= 16 {
            var reached = 0
            for pattern in 0..<(1 << moved.count) where abs(signed(moved, UInt64(pattern))) >= bar { reached += 1 }
            return Outcome(statistic: average, p: Double(reached) / Double(1 << moved.count))
        }
        var random = Random(seed), reached = 1
        for _ in 0..<samples {
            var sum = 0.0
            for start in stride(from: 0, to: moved.count, by: 64) {
                sum += signed(moved[start..<min(start + 64, moved.count)], random.next())
            }
            if abs(sum) >= bar { reached += 1 }
        }
        return Outcome(statistic: average, p: Double(reached) / Double(samples + 1))
    }

    // MARK: -

    private static func signed(_ values: some Collection<Double>, _ pattern: UInt64) -> Double {
        var sum = 0.0, bits = pattern
        for value in values {
            sum += bits & 1 == 0 ? value : -value
            bits >>= 1
        }
        return sum
    }

    /// P(|T| >= |t|) = I(v / (v + t^2); v/2, 1/2).
    static func twoSided(t: Double, degreesOfFreedom v: Double) -> Double {
        incompleteBeta(v / (v + t * t), v / 2, 0.5)
    }

    /// The regularised incomplete beta function, by its continued fraction with Lentz's method (Abramowitz and
    /// Stegun 26.5.8); good to about 1e-14.
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let scale: Double = logGamma(a + b) - logGamma(a) - logGamma(b)
        let power: Double = a * log(x) + b * log(1 - x)
        let front: Double = exp(scale + power) / a
        let tiny = 1e-300
        var c = 1.0, d = 1 / nonZero(1 - (a + b) * x / (a + 1), tiny), result = d
        for m in 1...500 {
            let m = Double(m), twice = a + 2 * m
            let even: Double = m * (b - m) * x / ((twice - 1) * twice)
            d = 1 / nonZero(1 + even * d, tiny)
            c = nonZero(1 + even / c, tiny)
            result *= d * c
            let odd: Double = -(a + m) * (a + b + m) * x / (twice * (twice + 1))
            d = 1 / nonZero(1 + odd * d, tiny)
            c = nonZero(1 + odd / c, tiny)
            result *= d * c
            if abs(d * c - 1) < 1e-16 { break }
        }
        return min(1, front * result)
    }

    /// For positive x.
    private static func logGamma(_ x: Double) -> Double {
        var sign: Int32 = 0
        // Safe: the sign is written to a local.
        return unsafe lgamma_r(x, &sign)
    }

    private static func nonZero(_ x: Double, _ tiny: Double) -> Double { abs(x) < tiny ? tiny : x }
}
