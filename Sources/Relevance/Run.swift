// What an engine answered: a ranked list of documents for each query, best first.
//
// The TREC form is read and written: `qid Q0 docid rank score tag`. Lists are put in order by falling score, equal
// scores by rank, so that a file written here reads back in the same order.
//
// Invariant: a document stands in a query's list once; the first place counts.

package struct Run: Sendable, Equatable {
    package struct Hit: Sendable, Equatable {
        package var document: String
        package var score: Double
        package init(document: String, score: Double) { (self.document, self.score) = (document, score) }
    }

    package private(set) var queries: [String] = []
    private var lists: [String: [Hit]] = [:]

    package init() {}

    /// The list of a query; empty when it was not run or found nothing.
    package func hits(of query: String) -> [Hit] { lists[query] ?? [] }

    /// Sets the list of a query. Later places of a document that is already in it are dropped.
    package mutating func set(_ hits: [Hit], for query: String) {
        if lists[query] == nil { queries.append(query) }
        var seen: Set<String> = []
        lists[query] = hits.filter { seen.insert($0.document).inserted }
    }

    package init(parsing text: String) throws(RelevanceError) {
        self.init()
        var lines = TextLines(text)
        var rows: [String: [(rank: Double, hit: Hit)]] = [:]
        var order: [String] = []
        while let line = lines.next() {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard fields.count >= 5 else {
                throw RelevanceError("\(fields.count) columns where `qid Q0 docid rank score tag` is wanted", line: lines.number)
            }
            guard let rank = Double(fields[3]), let score = Double(fields[4]), score.isFinite else {
                throw RelevanceError("rank and score must be numbers", line: lines.number)
            }
            let query = decoded(fields[0])
            if rows[query] == nil { order.append(query) }
            rows[query, default: []].append((rank, Hit(document: decoded(fields[2]), score: score)))
        }
        for query in order {
            let sorted = (rows[query] ?? []).sorted { ($1.hit.score, $0.rank) < ($0.hit.score, $1.rank) }
            set(sorted.map(\.hit), for: query)
        }
    }

    /// The run as a TREC file. Blanks in ids are written as %20, % as %25, and read back so.
    package func text(tag: String) -> String {
        var result = ""
        for query in queries {
            for (rank, hit) in hits(of: query).enumerated() {
                result += "\(encoded(query)) Q0 \(encoded(hit.document)) \(rank + 1) \(hit.score) \(encoded(tag))\n"
            }
        }
        return result
    }
}

// MARK: -

/// The form's columns are apart by blanks, yet ids may hold some (a query named by its text).
private func encoded(_ id: String) -> String {
    var result = ""
    for character in id {
        switch character {
        case "%": result += "%25"
        case " ": result += "%20"
        case "\t": result += "%09"
        default: result.append(character)
        }
    }
    return result
}

private func decoded(_ text: Substring) -> String {
    guard text.contains("%") else { return String(text) }
    var result = "", rest = text
    while let first = rest.first {
        if rest.hasPrefix("%20") { result += " " } else if rest.hasPrefix("%09") { result += "\t" } else if rest.hasPrefix("%25") {
            result += "%"
        } else {
            result.append(first)
            rest.removeFirst()
            continue
        }
        rest.removeFirst(3)
    }
    return result
}
