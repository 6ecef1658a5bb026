// `minimum_should_match` as Elasticsearch writes it, applied to a number of optional clauses.
//
//     "3"  "-2"  "75%"  "-25%"     a count, all but so many, a share rounded down, all but a share
//     "2<-25% 9<-3"                up to 2 clauses all are needed, up to 9 all but a quarter, beyond all but 3
//
// Source: Elasticsearch reference, "minimum_should_match parameter".

package import QueryDSL

package enum MinimumShouldMatch {
    /// Never negative; may be more than `clauses`, which then can match nothing.
    package static func required(_ specification: String, of clauses: Int) throws(QueryError) -> Int {
        let spec = specification.filter { $0 != "\t" && $0 != "\n" }
        guard spec.contains("<") else { return max(0, try simple(spec, of: clauses, in: specification)) }
        var result = clauses
        for part in joinLessThan(spec).split(separator: " ") {
            let sides = part.split(separator: "<", omittingEmptySubsequences: false)
            guard sides.count == 2, let bound = Int(sides[0]) else { throw wrong(specification) }
            if clauses <= bound { return max(0, result) }
            result = try simple(String(sides[1]), of: clauses, in: specification)
        }
        return max(0, result)
    }

    // MARK: -

    private static func simple(_ text: String, of clauses: Int, in whole: String) throws(QueryError) -> Int {
        var digits = text.filter { $0 != " " }
        let isShare = digits.hasSuffix("%")
        if isShare { digits.removeLast() }
        guard let number = Int(digits), number.magnitude <= 1 << 30 else { throw wrong(whole) }
        guard isShare else { return number < 0 ? clauses + number : number }
        // In float32, as Elasticsearch computes it, so that "33%" of 3 rounds the same way.
        let share = Float(clauses * number) * (1 / 100 as Float)
        return share < 0 ? clauses + Int(share) : Int(share)
    }

    /// "2 < 3" is read as "2<3".
    private static func joinLessThan(_ spec: String) -> String {
        spec.split(separator: "<", omittingEmptySubsequences: false)
            .map { part in
                var p = part
                while p.first == " " { p.removeFirst() }
                while p.last == " " { p.removeLast() }
                return String(p)
            }
            .joined(separator: "<")
    }

    private static func wrong(_ specification: String) -> QueryError {
        QueryError("number_format_exception",
            "minimum_should_match [\(specification)] is not understood: write a count (\"2\", \"-1\"), a share (\"75%\", \"-25%\") or conditions (\"3<90%\")")
    }
}
