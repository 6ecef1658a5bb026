// A run against judgments: each measure per query, its mean, and how sure the mean is.
//
// Invariants
//     1  Every judged query counts: one that the run does not answer has the value 0 (trec_eval's -c).
//     2  Queries of the run without judgments do not count.
//     3  Queries none of whose grades is positive are left out, unless `keepsQueriesWithoutPositive`; both numbers
//        are part of the result.

package struct Evaluation: Sendable {
    package struct Settings: Sendable {
        package var metric = MetricSettings()
        package var keepsQueriesWithoutPositive = false
        package var resamples = 2_000
        package var seed: UInt64 = 1
        package init() {}
    }

    /// One measure over all queries that count, in the order of `queries`.
    package struct Column: Sendable {
        package let metric: Metric
        package let values: [Double]
        package let mean: Double
        /// 95 %, by the percentile bootstrap over queries.
        package let interval: ClosedRange<Double>
    }

    package let settings: Settings
    /// The queries that count.
    package let queries: [String]
    package let leftOutCount: Int
    /// Judged queries for which the run has no list.
    package let unansweredCount: Int
    package let columns: [Column]

    package init(_ run: Run, against judgments: Judgments, metrics: [Metric], settings: Settings = Settings()) {
        let counted = judgments.queries.filter { query in
            settings.keepsQueriesWithoutPositive || judgments.grades(of: query).values.contains { $0 > 0 }
        }
        let rankings = counted.map { run.hits(of: $0).map(\.document) }
        self.settings = settings
        queries = counted
        leftOutCount = judgments.queries.count - counted.count
        unansweredCount = rankings.count { $0.isEmpty }
        columns = metrics.map { metric in
            let values = zip(counted, rankings).map { query, ranked in
                metric.value(ranked: ranked, grades: judgments.grades(of: query), settings: settings.metric)
            }
            let interval = Bootstrap.meanInterval(values, resamples: settings.resamples, seed: settings.seed)
            return Column(metric: metric, values: values, mean: mean(of: values), interval: interval)
        }
    }

    package func column(_ metric: Metric) -> Column? { columns.first { $0.metric == metric } }
}

/// Two runs over the same queries, one measure: what changed, and whether that is more than chance.
package struct RunComparison: Sendable {
    package let metric: Metric
    /// Per query: value in the run, value in the one compared with.
    package let pairs: [(query: String, value: Double, other: Double)]
    package let meanDifference: Double
    package let interval: ClosedRange<Double>
    package let tTest: PairedTest.Outcome
    package let permutation: PairedTest.Outcome
    package var improved: Int { pairs.count { $0.value > $0.other } }
    package var worsened: Int { pairs.count { $0.value < $0.other } }

    /// Both evaluations must be over the same judgments and settings; nil when one lacks the measure.
    package init?(_ metric: Metric, of evaluation: Evaluation, with other: Evaluation) {
        guard let a = evaluation.column(metric), let b = other.column(metric), evaluation.queries == other.queries else { return nil }
        self.metric = metric
        pairs = zip(evaluation.queries, zip(a.values, b.values)).map { ($0, $1.0, $1.1) }
        let differences = zip(a.values, b.values).map { $0 - $1 }
        let settings = evaluation.settings
        meanDifference = mean(of: differences)
        interval = Bootstrap.meanInterval(differences, resamples: settings.resamples, seed: settings.seed)
        tTest = PairedTest.t(differences)
        permutation = PairedTest.permutation(differences, seed: settings.seed)
    }

    /// Queries by the size of their change, greatest first; those without one are left out.
    package func greatestChanges(_ count: Int) -> [(query: String, value: Double, other: Double)] {
        Array(pairs.filter { $0.value != $0.other }.sorted { abs($0.value - $0.other) > abs($1.value - $1.other) }.prefix(count))
    }
}

/// 0 for no values.
func mean(of values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
