// A bound that a measure must keep, as `ndcg@10>=0.43`: what lets an evaluation fail a build.

package struct Gate: Sendable, Equatable, CustomStringConvertible {
    package enum Relation: String, Sendable, CaseIterable {
        case atLeast = ">=", atMost = "<=", above = ">", below = "<"
    }

    package let metric: Metric
    package let relation: Relation
    package let bound: Double

    package init(parsing text: String) throws(RelevanceError) {
        // Order matters: ">=" is looked for before ">".
        for relation in Relation.allCases {
            guard let sign = text.firstRange(of: relation.rawValue) else { continue }
            metric = try Metric(parsing: trimmed(text[..<sign.lowerBound]))
            self.relation = relation
            guard let bound = Double(trimmed(text[sign.upperBound...])), bound.isFinite else { break }
            self.bound = bound
            return
        }
        throw RelevanceError("`\(text)` is no gate; one looks like ndcg@10>=0.43")
    }

    package func holds(for value: Double) -> Bool {
        switch relation {
        case .atLeast: value >= bound
        case .atMost: value <= bound
        case .above: value > bound
        case .below: value < bound
        }
    }

    package var description: String { "\(metric)\(relation.rawValue)\(bound)" }
}

extension StringProtocol {
    /// Where `pattern` first begins; the standard library has no such search without Foundation or regular expressions.
    fileprivate func firstRange(of pattern: String) -> Range<Index>? {
        var place = startIndex
        while place < endIndex {
            if self[place...].hasPrefix(pattern) { return place..<index(place, offsetBy: pattern.count) }
            formIndex(after: &place)
        }
        return nil
    }
}
