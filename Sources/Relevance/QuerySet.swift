// The queries of an evaluation: an id each, by which judgments name it, and the text that is searched.
//
// Three forms are read, told apart by the first line:
//     TSV   id<TAB>text
//     CSV   with a head line that names `id` (or qid, query_id) and `query` (or text)
//     text  one query a line; the text is the id, as in judgments that name queries by their text

package struct QuerySet: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package var id: String, text: String
        package init(id: String, text: String) { (self.id, self.text) = (id, text) }
    }

    package var items: [Item]

    /// The queries that judgments name, each with its id for a text.
    package init(of judgments: Judgments) { items = judgments.queries.map { Item(id: $0, text: $0) } }

    package init(parsing text: String) throws(RelevanceError) {
        items = []
        var lines = TextLines(text)
        guard let first = lines.peek() else { throw RelevanceError("no queries: the file is empty") }
        if first.contains("\t") { try addTSV(&lines) } else if try !addCSV(text) { addPlain(&lines) }
        var seen: Set<String> = []
        for item in items where !seen.insert(item.id).inserted { throw RelevanceError("query id `\(item.id)` is there twice") }
    }

    // MARK: -

    private mutating func addTSV(_ lines: inout TextLines) throws(RelevanceError) {
        while let line = lines.next() {
            let fields = line.split(separator: "\t", maxSplits: 1)
            guard fields.count == 2 else { throw RelevanceError("no tab between id and text", line: lines.number) }
            items.append(Item(id: String(trimmed(fields[0])), text: String(trimmed(fields[1]))))
        }
    }

    /// False when the first line is not a head line.
    private mutating func addCSV(_ text: String) throws(RelevanceError) -> Bool {
        var records = DelimitedRecords(text, delimiter: ",")
        guard let first = try records.next() else { return false }
        let head = DelimitedHead(first.fields)
        guard let id = head.column(["id", "qid", "query_id"]), let query = head.column(["query", "text", "q"]) else { return false }
        while let (fields, line) = try records.next() {
            guard fields.count > max(id, query) else { throw RelevanceError("too few columns", line: line) }
            items.append(Item(id: fields[id], text: fields[query]))
        }
        return true
    }

    private mutating func addPlain(_ lines: inout TextLines) {
        while let line = lines.next() { items.append(Item(id: String(line), text: String(line))) }
    }
}
