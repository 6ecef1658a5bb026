// The measures of one ranked list, defined as trec_eval defines them.
//
//     ndcg@k    sum of gain / log2(rank + 1) over the first k, divided by the same sum for the best order of all
//               judged documents; gain is the grade (linear) or 2^grade - 1 (exponential); grades <= 0 gain nothing
//     mrr@k     1 / rank of the first relevant document among the first k, else 0
//     map@k     precision at each relevant document's rank, summed, divided by all relevant documents
//     p@k       relevant documents among the first k, divided by k (also when fewer were found)
//     recall@k  relevant documents among the first k, divided by all relevant documents
//     unjudged@k   documents without a grade among the first k, divided by how many were found (at most k)
//
// Relevant means a grade of at least `relevantFrom`. Without @k the whole list counts. A query without any relevant
// document has the value 0 (Evaluation leaves such queries out unless told otherwise).
//
// Sources: trec_eval 9.0 (m_ndcg_cut, m_map, m_recip_rank, m_P, m_recall); Järvelin and Kekäläinen, "Cumulated
// gain-based evaluation of IR techniques", 2002; Burges et al., "Learning to rank using gradient descent", 2005.

import Glibc

package struct Metric: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable { case ndcg, mrr, map, p, recall, unjudged }

    package var kind: Kind
    /// Only the first so many places count; nil for all.
    package var cutoff: Int?

    package init(_ kind: Kind, at cutoff: Int? = nil) { (self.kind, self.cutoff) = (kind, cutoff) }

    /// From "ndcg@10", "MAP", "P@5".
    package init(parsing text: some StringProtocol) throws(RelevanceError) {
        let parts = text.lowercased().split(separator: "@", omittingEmptySubsequences: false)
        let names = ["rr": Kind.mrr, "ap": .map, "r": .recall, "precision": .p]
        guard let first = parts.first, let kind = Kind(rawValue: String(first)) ?? names[String(first)], parts.count <= 2 else {
            let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw RelevanceError("`\(text)` is no measure; known are \(known), each with @k")
        }
        self.kind = kind
        if parts.count == 2 {
            guard let k = Int(parts[1]), (1...1_000_000).contains(k) else { throw RelevanceError("`\(text)`: @ wants a number from 1 to 1000000") }
            cutoff = k
        }
        if kind == .p, cutoff == nil { throw RelevanceError("`\(text)`: precision wants a cutoff, as p@10") }
    }

    package var description: String { kind.rawValue + (cutoff.map { "@\($0)" } ?? "") }

    /// The value for one query. O(k + judged log judged).
    package func value(ranked: [String], grades: [String: Double], settings: MetricSettings) -> Double {
        let top = ranked.prefix(cutoff ?? ranked.count)
        let relevantCount = grades.values.count { $0 >= settings.relevantFrom }
        switch kind {
        case .ndcg:
            let ideal = discounted(grades.values.sorted(by: >).prefix(cutoff ?? grades.count), settings)
            return ideal > 0 ? discounted(top.map { grades[$0] ?? 0 }[...], settings) / ideal : 0
        case .unjudged:
            return top.isEmpty ? 0 : Double(top.count { grades[$0] == nil }) / Double(top.count)
        case .mrr:
            let first = top.firstIndex { (grades[$0] ?? -.infinity) >= settings.relevantFrom }
            return first.map { 1 / Double($0 - top.startIndex + 1) } ?? 0
        case .p, .recall:
            let found = Double(top.count { (grades[$0] ?? -.infinity) >= settings.relevantFrom })
            let of = kind == .p ? cutoff ?? top.count : relevantCount
            return of > 0 ? found / Double(of) : 0
        case .map:
            return averagePrecision(top, grades, settings, relevantCount)
        }
    }

    // MARK: -

    private func discounted(_ grades: ArraySlice<Double>, _ settings: MetricSettings) -> Double {
        var sum = 0.0
        for (place, grade) in grades.enumerated() where grade > 0 { sum += settings.gain.of(grade) / log2(Double(place + 2)) }
        return sum
    }

    private func averagePrecision(
        _ top: ArraySlice<String>, _ grades: [String: Double], _ settings: MetricSettings, _ relevantCount: Int
    ) -> Double {
        var sum = 0.0, found = 0
        for (place, document) in top.enumerated() where (grades[document] ?? -.infinity) >= settings.relevantFrom {
            found += 1
            sum += Double(found) / Double(place + 1)
        }
        return relevantCount > 0 ? sum / Double(relevantCount) : 0
    }
}

package struct MetricSettings: Sendable, Equatable {
    package enum Gain: String, Sendable, CaseIterable {
        case linear, exponential

        func of(_ grade: Double) -> Double { self == .linear ? grade : exp2(grade) - 1 }
    }

    package var gain = Gain.linear
    /// The least grade that counts as relevant for the measures that know only yes and no.
    package var relevantFrom = 1.0
    package init(gain: Gain = .linear, relevantFrom: Double = 1) { (self.gain, self.relevantFrom) = (gain, relevantFrom) }
}
