// What `isotherm eval` prints: a table for people, JSON for programs.

internal import JSON
import Relevance

struct EvalReport {
    let evaluation: Evaluation
    let comparisons: [RunComparison]
    let gates: [(gate: Gate, value: Double)]

    var failedGates: Int { gates.count { !$0.gate.holds(for: $0.value) } }

    func text(perQuery: Bool) -> String {
        var lines = head() + means()
        if perQuery { lines += [""] + queryTable() }
        for comparison in comparisons { lines += [""] + table(of: comparison) }
        if !gates.isEmpty { lines.append("") }
        for (gate, value) in gates { lines.append("gate \(gate): \(fixed(value, 4)) \(gate.holds(for: value) ? "holds" : "DOES NOT HOLD")") }
        return lines.joined(separator: "\n")
    }

    /// Values in full: comparisons with other tools are made on these.
    var json: JSONValue {
        var result = JSONObject()
        result["settings"] = settings
        result["queries"] = .integer(Int64(evaluation.queries.count))
        result["queries_left_out"] = .integer(Int64(evaluation.leftOutCount))
        result["queries_unanswered"] = .integer(Int64(evaluation.unansweredCount))
        result["metrics"] = .object(JSONObject(evaluation.columns.map { column in
            (column.metric.description, [
                "mean": .number(column.mean), "interval": [.number(column.interval.lowerBound), .number(column.interval.upperBound)],
                "per_query": .object(JSONObject(zip(evaluation.queries, column.values).map { ($0, .number($1)) })),
            ])
        }))
        if !comparisons.isEmpty {
            result["comparisons"] = .object(JSONObject(comparisons.map { ($0.metric.description, json(of: $0)) }))
        }
        if !gates.isEmpty {
            result["gates"] = .array(gates.map { gate, value in
                ["gate": .string(gate.description), "value": .number(value), "holds": .bool(gate.holds(for: value))]
            })
        }
        return .object(result)
    }

    // MARK: -

    private func head() -> [String] {
        let s = evaluation.settings
        let kept = s.keepsQueriesWithoutPositive ? "kept" : "left out"
        return [
            "\(evaluation.queries.count) queries, \(evaluation.leftOutCount) left out, \(evaluation.unansweredCount) without any hit",
            "gain \(s.metric.gain.rawValue), relevant from grade \(fixed(s.metric.relevantFrom, 0)), queries without a positive grade \(kept), "
                + "unjudged counts as 0", "",
        ]
    }

    private func means() -> [String] {
        ["measure".padded(14) + "mean".padded(9) + "95 % interval"]
            + evaluation.columns.map { column in
                column.metric.description.padded(14) + fixed(column.mean, 4).padded(9)
                    + "\(fixed(column.interval.lowerBound, 4)) to \(fixed(column.interval.upperBound, 4))"
            }
    }

    private func queryTable() -> [String] {
        [evaluation.columns.map { $0.metric.description.padded(13) }.joined() + "query"]
            + evaluation.queries.indices.map { i in
                evaluation.columns.map { fixed($0.values[i], 4).padded(13) }.joined() + evaluation.queries[i]
            }
    }

    private func table(of c: RunComparison) -> [String] {
        let head = "\(c.metric) against the other run: \(fixed(c.meanDifference, 4)) (\(fixed(c.interval.lowerBound, 4)) to "
            + "\(fixed(c.interval.upperBound, 4))), \(c.improved) better, \(c.worsened) worse; "
            + "p \(fixed(c.tTest.p, 4)) by t-test, \(fixed(c.permutation.p, 4)) by permutation"
        return [head] + c.greatestChanges(5).map { pair in
            "  " + fixed(pair.value - pair.other, 4).padded(9) + "\(fixed(pair.other, 4)) -> \(fixed(pair.value, 4))  \(pair.query)"
        }
    }

    private var settings: JSONValue {
        let s = evaluation.settings
        return [
            "gain": .string(s.metric.gain.rawValue), "relevant_from": .number(s.metric.relevantFrom),
            "queries_without_positive": s.keepsQueriesWithoutPositive ? "kept" : "left out", "resamples": .integer(Int64(s.resamples)),
        ]
    }

    private func json(of c: RunComparison) -> JSONValue {
        [
            "mean_difference": .number(c.meanDifference), "interval": [.number(c.interval.lowerBound), .number(c.interval.upperBound)],
            "improved": .integer(Int64(c.improved)), "worsened": .integer(Int64(c.worsened)),
            "t_test": ["statistic": c.tTest.statistic.isFinite ? .number(c.tTest.statistic) : .null, "p": .number(c.tTest.p)],
            "permutation": ["p": .number(c.permutation.p)],
        ]
    }
}
