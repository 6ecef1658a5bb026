// Reads lines, and records of delimited text (RFC 4180: quoted fields may hold delimiters, doubled quotes and
// line ends). Windows line ends and a byte order mark are accepted.

/// The lines of a text that are not blank, each with its number.
struct TextLines {
    private let lines: [Substring]
    private var place = 0
    /// The number of the line that `next` gave last, from 1.
    private(set) var number = 0

    init(_ text: String) { lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) }

    mutating func next() -> Substring? {
        while place < lines.count {
            let line = trimmed(lines[place])
            place += 1
            number = place
            if !line.isEmpty { return line }
        }
        return nil
    }

    /// The line that `next` would give.
    func peek() -> Substring? {
        var copy = self
        return copy.next()
    }
}

struct DelimitedRecords {
    typealias Record = (fields: [String], line: Int)

    private let characters: [Character]
    private let delimiter: Character
    private var place = 0
    private var line = 1

    init(_ text: String, delimiter: Character) {
        characters = Array(text.first == "\u{FEFF}" ? text.dropFirst() : Substring(text))
        self.delimiter = delimiter
    }

    /// The next record that is not a blank line, with the number of its first line.
    mutating func next() throws(RelevanceError) -> Record? {
        while place < characters.count, characters[place].isNewline { skipNewline() }
        guard place < characters.count else { return nil }
        let start = line
        var fields = [try field()]
        while place < characters.count, characters[place] == delimiter {
            place += 1
            fields.append(try field())
        }
        if place < characters.count { skipNewline() }
        return (fields, start)
    }

    // MARK: -

    private mutating func field() throws(RelevanceError) -> String {
        guard place < characters.count, characters[place] == "\"" else { return plainField() }
        let start = line
        var result = ""
        place += 1
        while place < characters.count {
            let character = characters[place]
            place += 1
            if character == "\"" {
                guard place < characters.count, characters[place] == "\"" else { return result + plainField() }
                place += 1
            } else if character.isNewline {
                line += 1
            }
            result.append(character)
        }
        throw RelevanceError("a quoted field is not closed", line: start)
    }

    private mutating func plainField() -> String {
        let start = place
        while place < characters.count, characters[place] != delimiter, !characters[place].isNewline { place += 1 }
        return String(characters[start..<place])
    }

    private mutating func skipNewline() {
        place += 1
        line += 1
    }
}

/// A head line: a first record of names, none of which is a number.
struct DelimitedHead {
    private let names: [String]
    /// False when the first record is already data.
    let isHead: Bool

    init(_ fields: [String]) {
        names = fields.map { trimmed(Substring($0)).lowercased() }
        let known: Set = [
            "query", "query_id", "qid", "q", "id", "text", "docid", "doc_id", "document", "doc", "product_id", "rating", "grade",
            "relevance", "rel", "label",
        ]
        isHead = !names.contains { Double($0) != nil } && names.filter { known.contains($0) }.count >= 2
    }

    /// The place of the first of these names that the head has; nil when there is no head.
    func column(_ wanted: [String]) -> Int? {
        guard isHead else { return nil }
        for name in wanted { if let place = names.firstIndex(of: name) { return place } }
        return nil
    }
}

/// Without blanks at both ends.
func trimmed(_ text: Substring) -> Substring {
    var rest = text
    while let first = rest.first, first.isWhitespace || first == "\u{FEFF}" { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return rest
}
