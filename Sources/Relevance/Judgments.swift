// What people said about (query, document) pairs: a grade each, higher is better, 0 and below is not relevant.
//
// Two forms are read, told apart by the first line:
//     CSV   query,docid,rating     a head line names the columns; without one they come in this order
//     TREC  qid iteration docid grade, apart by blanks or tabs
//
// Invariants
//     1  A pair has one grade: the same pair with another grade is an error that names its line.
//     2  Queries are kept in the order of their first line.

package struct Judgments: Sendable, Equatable {
    /// In the order of the file.
    package private(set) var queries: [String] = []
    private var grades: [String: [String: Double]] = [:]

    package init() {}

    /// The grade of a pair, nil when nobody judged it.
    package func grade(query: String, document: String) -> Double? { grades[query]?[document] }

    /// All grades of a query by document; empty for an unknown query.
    package func grades(of query: String) -> [String: Double] { grades[query] ?? [:] }

    package var pairCount: Int { grades.values.reduce(0) { $0 + $1.count } }

    /// Adds a grade; false when the pair already has another one, which is kept.
    @discardableResult
    package mutating func add(query: String, document: String, grade: Double) -> Bool {
        if grades[query] == nil {
            queries.append(query)
            grades[query] = [:]
        }
        if let old = grades[query]?[document] { return old == grade }
        grades[query]?[document] = grade
        return true
    }

    /// The same judgments with each grade that `gains` names replaced; other grades stay.
    package func mapped(_ gains: [Double: Double]) -> Judgments {
        var result = self
        result.grades = grades.mapValues { $0.mapValues { gains[$0] ?? $0 } }
        return result
    }
}

extension Judgments {
    package init(parsing text: String) throws(RelevanceError) {
        self.init()
        var lines = TextLines(text)
        guard let first = lines.peek() else { throw RelevanceError("no judgments: the file is empty") }
        if first.contains(",") { try addCSV(text) } else { try addTREC(&lines) }
        if queries.isEmpty { throw RelevanceError("no judgments: only a head line was found") }
    }

    // MARK: -

    private mutating func addCSV(_ text: String) throws(RelevanceError) {
        var records = DelimitedRecords(text, delimiter: ",")
        guard let first = try records.next() else { return }
        let head = DelimitedHead(first.fields)
        let columns = (
            query: head.column(["query", "query_id", "qid", "q"]) ?? 0,
            document: head.column(["docid", "doc_id", "document", "doc", "product_id", "id"]) ?? 1,
            grade: head.column(["rating", "grade", "relevance", "rel", "label"]) ?? 2
        )
        let least = max(columns.query, columns.document, columns.grade) + 1
        var record: DelimitedRecords.Record? = head.isHead ? try records.next() : first
        while let (fields, line) = record {
            guard fields.count >= least else {
                throw RelevanceError("\(fields.count) columns where query, docid and rating are wanted", line: line)
            }
            try add(fields[columns.query], fields[columns.document], fields[columns.grade], line: line)
            record = try records.next()
        }
    }

    private mutating func addTREC(_ lines: inout TextLines) throws(RelevanceError) {
        while let line = lines.next() {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard fields.count == 4 else {
                throw RelevanceError("\(fields.count) columns where `qid iteration docid grade` is wanted", line: lines.number)
            }
            try add(String(fields[0]), String(fields[2]), String(fields[3]), line: lines.number)
        }
    }

    private mutating func add(_ query: String, _ document: String, _ text: String, line: Int) throws(RelevanceError) {
        guard let grade = Double(text), grade.isFinite else { throw RelevanceError("`\(text)` is not a grade", line: line) }
        guard add(query: query, document: document, grade: grade) else {
            throw RelevanceError("the pair was judged before, with another grade", line: line)
        }
    }
}

/// The caller gave a file or an expression that cannot be read; the message says what is wanted.
package struct RelevanceError: Error, Equatable, CustomStringConvertible {
    package let message: String
    /// From 1, where the error is in a file's line.
    package let line: Int?
    package init(_ message: String, line: Int? = nil) { (self.message, self.line) = (message, line) }
    package var description: String { line.map { "line \($0): \(message)" } ?? message }
}
