import IsothermTesting
import Relevance
import Testing

@Suite("Intervals and paired tests")
struct StatisticsTests {
    @Test("the t-test gives scipy's values")
    func studentT() {
        // scipy.stats.ttest_1samp(x, 0): 1.17.1.
        let outcome = PairedTest.t([0.1, -0.05, 0.2, 0.15, 0.0, 0.3, -0.1, 0.05])
        #expect(abs(outcome.statistic - 1.7218920641845568) < 1e-12)
        #expect(abs(outcome.p - 0.12876171321826999) < 1e-12)
        let many = (0..<200).map { Double(($0 * 7919) % 101 - 48) / 100 }
        #expect(abs(PairedTest.t(many).statistic - 1.016616826263334) < 1e-10)
        #expect(abs(PairedTest.t(many).p - 0.310570142476488) < 1e-10)
    }

    @Test("a few differences are permuted in all ways")
    func exact() {
        // 3 differences of one sign: 2 of the 8 patterns reach the sum.
        #expect(PairedTest.permutation([0.1, 0.2, 0.3], seed: 1).p == 0.25)
        // Differences of 0 change nothing.
        #expect(PairedTest.permutation([0.1, 0, 0.2, 0, 0.3], seed: 1).p == 0.25)
        // 0.3 - 0.2 - 0.1 ties with its opposite: all patterns reach it.
        #expect(PairedTest.permutation([0.3, -0.2, -0.1], seed: 1).p == 1)
    }

    @Test("the random permutation test comes near the t-test on many differences", arguments: UInt64(0)..<5)
    func random(seed: UInt64) {
        var random = Seeded(seed)
        let differences = (0..<80).map { _ in Double.random(in: -1...1.3, using: &random) }
        #expect(abs(PairedTest.permutation(differences, seed: seed).p - PairedTest.t(differences).p) < 0.02)
    }

    @Test("runs that are alike differ by chance for certain")
    func alike() {
        #expect(PairedTest.t([0, 0, 0]).p == 1)
        #expect(PairedTest.permutation([0, 0, 0], seed: 1).p == 1)
        #expect(PairedTest.t([]).p == 1)
        #expect(PairedTest.t([0.5]).p == 1)
    }

    @Test("about 95 % of the bootstrap's intervals hold the true mean, and one seed gives one interval")
    func bootstrap() {
        var random = Seeded(7), held = 0
        for trial in 0..<400 {
            let values = (0..<60).map { _ in Double.random(in: 0...1, using: &random) }
            let interval = Bootstrap.meanInterval(values, resamples: 400, seed: UInt64(trial))
            #expect(interval == Bootstrap.meanInterval(values, resamples: 400, seed: UInt64(trial)))
            if interval.contains(0.5) { held += 1 }
        }
        #expect((364...396).contains(held), "\(held) of 400")
        #expect(Bootstrap.meanInterval([0.25], resamples: 400, seed: 1) == 0.25...0.25)
        #expect(Bootstrap.meanInterval([], resamples: 400, seed: 1) == 0...0)
    }

    @Test("gates say yes and no, and refuse what they cannot read")
    func gates() throws {
        let gate = try Gate(parsing: " ndcg@10 >= 0.43 ")
        #expect(gate.holds(for: 0.43) && !gate.holds(for: 0.4299))
        #expect(try Gate(parsing: "unjudged@10<0.2").holds(for: 0.1))
        #expect(try !Gate(parsing: "map>0.5").holds(for: 0.5))
        #expect(try Gate(parsing: "mrr<=0.5").holds(for: 0.5))
        for bad in ["", "ndcg@10", "ndcg@10>=", ">=0.4", "ndcg@10>=x", "ndcg@10==0.4", "ndcg@10>=nan"] {
            #expect(throws: RelevanceError.self) { try Gate(parsing: bad) }
        }
    }
}
