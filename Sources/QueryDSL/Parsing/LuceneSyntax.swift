// Lucene's query string syntax, as in `?q=` and the query_string query, to a `Query` tree:
//
//     query   = clause { [AND | OR] clause }
//     clause  = [+ | - | NOT | !] [field :] ( "(" query ")" | "phrase"[~slop] | range | term[~edits] ) [^boost]
//     range   = ("[" | "{") low TO high ("]" | "}")   or   >low  >=low  <high  <=high
//     term    = text with * and ? as wildcards, \ escaping; a run of plain terms is analyzed together
//
// Operators bind as in Lucene's classic parser, not as in algebra: AND makes both neighbours required, OR
// makes neither so. Each kind of clause becomes an ordinary query of the DSL.

internal import JSON

struct LuceneSyntax {
    var fields: [(name: String, boost: Float)] = []
    var defaultOperator: Query.Operator = .or
    var analyzer: String?
    var lenient = false
    var minimumShouldMatch: String?
    var slop = 0

    func parse(_ text: String, bounds: ParseBounds) throws(QueryError) -> Query {
        guard text.utf8.count <= 100_000 else { throw QueryError("illegal_argument_exception", "the query string is longer than 100000 bytes") }
        if text.allSatisfy(\.isWhitespace) { return Query(.matchNone) }
        var reader = LuceneReader(syntax: self, text: text, bounds: bounds)
        let query = try reader.query(fields: fields, untilParenthesis: false)
        guard var query else { return Query(.matchNone) }
        if case .bool(var bool) = query.kind, let minimumShouldMatch {
            bool.minimumShouldMatch = minimumShouldMatch
            query.kind = .bool(bool)
        }
        return query
    }
}

private struct LuceneReader {
    typealias Fields = [(name: String, boost: Float)]
    enum Occur { case should, must, mustNot }

    let syntax: LuceneSyntax
    let characters: [Character]
    var place = 0
    var bounds: ParseBounds

    init(syntax: LuceneSyntax, text: String, bounds: ParseBounds) {
        (self.syntax, self.characters, self.bounds) = (syntax, Array(text), bounds)
    }

    mutating func query(fields: Fields, untilParenthesis: Bool) throws(QueryError) -> Query? {
        var clauses: [(occur: Occur, query: Query)] = []
        var closed = false
        while true {
            skipSpace()
            if place == characters.count { break }
            if untilParenthesis, peek(")") {
                place += 1
                closed = true
                break
            }
            let conjunction = word("AND") || symbol("&&") ? Query.Operator.and : word("OR") || symbol("||") ? .or : nil
            skipSpace()
            let sign: Occur? = symbol("+") ? .must : symbol("-") || symbol("!") || word("NOT") ? .mustNot : nil
            skipSpace()
            guard let query = try clause(fields: fields) else { continue }
            add(query, conjunction, sign, to: &clauses)
            try bounds.check(clauses: clauses.count)
        }
        if untilParenthesis, !closed { throw failed("a ( has no )") }
        return combined(clauses)
    }

    // MARK: - clauses

    private mutating func add(_ query: Query, _ conjunction: Query.Operator?, _ sign: Occur?, to clauses: inout [(occur: Occur, query: Query)]) {
        if let last = clauses.indices.last, clauses[last].occur != .mustNot {
            if conjunction == .and { clauses[last].occur = .must }
            if conjunction == .or, syntax.defaultOperator == .and { clauses[last].occur = .should }
        }
        let required = syntax.defaultOperator == .and ? conjunction != .or : conjunction == .and
        clauses.append((sign ?? (required ? .must : .should), query))
    }

    private func combined(_ clauses: [(occur: Occur, query: Query)]) -> Query? {
        guard let first = clauses.first else { return nil }
        if clauses.count == 1, first.occur != .mustNot { return first.query }
        var bool = Query.Bool()
        for (occur, query) in clauses {
            switch occur {
            case .should: bool.should.append(query)
            case .must: bool.must.append(query)
            case .mustNot: bool.mustNot.append(query)
            }
        }
        return Query(.bool(bool))
    }

    private mutating func clause(fields outer: Fields) throws(QueryError) -> Query? {
        var fields = outer, named = false
        if let field = fieldPrefix() { (fields, named) = ([(field, 1)], true) }
        guard place < characters.count else { throw failed("a field name has no value") }

        var query: Query?
        switch characters[place] {
        case "(":
            place += 1
            let before = bounds
            bounds = try bounds.deeper()
            query = try self.query(fields: fields, untilParenthesis: true)
            bounds = before
        case ")": throw failed("a ) has no (")
        case "\"": query = try phrase(fields)
        case "[", "{": query = try range(fields)
        case ">", "<": query = try comparison(fields)
        case "/" where characters[(place + 1)...].contains("/"): query = try regexp(fields)
        default: query = try terms(fields, named: named)
        }
        if symbol("^") {
            guard let boost = number() else { throw failed("^ needs a number") }
            query?.boost *= Float(boost)
        }
        return query
    }

    private mutating func phrase(_ fields: Fields) throws(QueryError) -> Query {
        let text = try quoted()
        let slop = symbol("~") ? Int(min(number() ?? 0, 1_048_576.0)) : syntax.slop
        if fields.count == 1 {
            var phrase = Query.Phrase(field: fields[0].name, text: .string(text))
            (phrase.slop, phrase.analyzer) = (slop, syntax.analyzer)
            return Query(.matchPhrase(phrase), boost: fields[0].boost)
        }
        var query = Query.MultiMatch(fields: fields, text: .string(text))
        (query.style, query.slop, query.analyzer, query.lenient) = (.phrase, slop, syntax.analyzer, true)
        return Query(.multiMatch(query))
    }

    private mutating func range(_ fields: Fields) throws(QueryError) -> Query {
        let includesLower = characters[place] == "["
        place += 1
        let low = try bound()
        skipSpace()
        guard word("TO") else { throw failed("a range is written [low TO high]") }
        let high = try bound()
        skipSpace()
        guard place < characters.count, "]}".contains(characters[place]) else { throw failed("a range has no closing ] or }") }
        let includesUpper = characters[place] == "]"
        place += 1
        return try each(fields, "a range") { field in
            var range = Query.Range(field: field)
            (range.lower, range.includesLower) = (low == "*" ? Optional.none : .string(low), includesLower)
            (range.upper, range.includesUpper) = (high == "*" ? Optional.none : .string(high), includesUpper)
            return .range(range)
        }
    }

    private mutating func comparison(_ fields: Fields) throws(QueryError) -> Query {
        let above = characters[place] == ">"
        place += 1
        let includes = symbol("=")
        skipSpace()
        let value = try bound()
        return try each(fields, "a comparison") { field in
            var range = Query.Range(field: field)
            if above { (range.lower, range.includesLower) = (.string(value), includes) }
            else { (range.upper, range.includesUpper) = (.string(value), includes) }
            return .range(range)
        }
    }

    private mutating func regexp(_ fields: Fields) throws(QueryError) -> Query {
        place += 1
        var pattern = ""
        while place < characters.count, characters[place] != "/" {
            pattern.append(characters[place])
            place += 1
        }
        place += 1
        return try each(fields, "a regular expression") { .regexp(field: $0, pattern: pattern, caseInsensitive: false) }
    }

    /// One term, or a run of plain ones, which go to the analyzer together as Lucene's MultiTerm does.
    private mutating func terms(_ fields: Fields, named: Bool) throws(QueryError) -> Query? {
        let (first, wild) = term()
        if first.isEmpty {
            place += 1
            return nil
        }
        if wild { return try wildcard(first, fields) }
        if symbol("~") {
            let edits = number().flatMap { Int(exactly: $0.rounded(.up)) } ?? 2
            return try each(fields, "a fuzzy term") {
                .fuzzy(field: $0, value: first.lowercased(), fuzziness: .edits(Swift.min(Swift.max(edits, 0), 2)), prefixLength: 0, maxExpansions: 50, transpositions: true)
            }
        }
        var text = first
        // `title:red shoe` looks for shoe elsewhere; `title:(red shoe)` does not.
        while !named, let next = followingPlainTerm() { text += " " + next }
        return match(text, fields)
    }

    private func match(_ text: String, _ fields: Fields) -> Query {
        if fields.count == 1 {
            var match = Query.Match(field: fields[0].name, text: .string(text))
            (match.op, match.analyzer, match.lenient) = (syntax.defaultOperator, syntax.analyzer, syntax.lenient)
            return Query(.match(match), boost: fields[0].boost)
        }
        var query = Query.MultiMatch(fields: fields, text: .string(text))
        (query.op, query.analyzer, query.lenient) = (syntax.defaultOperator, syntax.analyzer, true)
        // Without named fields every word may match in another field, as with Elasticsearch's all-fields mode.
        if fields.isEmpty { query.style = syntax.defaultOperator == .and ? .crossFields : .bestFields }
        return Query(.multiMatch(query))
    }

    private func wildcard(_ pattern: String, _ fields: Fields) throws(QueryError) -> Query {
        if pattern == "*" {
            guard fields.count == 1, fields[0].name != "*" else { return Query(.matchAll) }
            return Query(.exists(field: fields[0].name))
        }
        let body = pattern.dropLast()
        if pattern.hasSuffix("*"), !body.contains("*"), !body.contains("?"), fields.isEmpty {
            var simple = Query.SimpleQueryString(text: pattern, fields: [])
            simple.lenient = true
            return Query(.simpleQueryString(simple))
        }
        if pattern.hasSuffix("*"), !body.contains("*"), !body.contains("?") {
            return try each(fields, "a prefix") { .prefix(field: $0, value: body.lowercased(), caseInsensitive: false) }
        }
        return try each(fields, "a wildcard") { .wildcard(field: $0, pattern: pattern.lowercased(), caseInsensitive: false) }
    }

    private func each(_ fields: Fields, _ what: String, _ make: (String) -> Query.Kind) throws(QueryError) -> Query {
        guard !fields.isEmpty else { throw failed("\(what) needs a field: write field:value, or set df") }
        if fields.count == 1 { return Query(make(fields[0].name), boost: fields[0].boost) }
        return Query(.disMax(fields.map { Query(make($0.name), boost: $0.boost) }, tieBreaker: 0))
    }

    // MARK: - tokens

    private mutating func skipSpace() { while place < characters.count, characters[place].isWhitespace { place += 1 } }

    private func peek(_ c: Character) -> Bool { place < characters.count && characters[place] == c }

    private mutating func symbol(_ s: String) -> Bool {
        guard characters[place...].starts(with: s) else { return false }
        place += s.count
        return true
    }

    /// An operator word, standing alone.
    private mutating func word(_ s: String) -> Bool {
        let end = place + s.count
        guard characters[place...].starts(with: s), end == characters.count || characters[end].isWhitespace || characters[end] == "(" else { return false }
        place = end
        return true
    }

    private static let special: Set<Character> = ["(", ")", "\"", ":", "^", "~", "[", "]", "{", "}"]

    /// Text up to a space or a special character, unescaped, and whether it has wildcards.
    private mutating func term() -> (text: String, wild: Bool) {
        var text = "", wild = false
        while place < characters.count {
            let c = characters[place]
            if c == "\\", place + 1 < characters.count {
                text.append(characters[place + 1])
                place += 2
                continue
            }
            if c.isWhitespace || Self.special.contains(c) { break }
            if c == "*" || c == "?" { wild = true }
            text.append(c)
            place += 1
        }
        return (text, wild)
    }

    /// `name:` at this place.
    private mutating func fieldPrefix() -> String? {
        let start = place
        let (name, _) = term()
        guard !name.isEmpty, peek(":") else {
            place = start
            return nil
        }
        place += 1
        skipSpace()
        return name
    }

    private mutating func followingPlainTerm() -> String? {
        let start = place
        skipSpace()
        guard place > start, place < characters.count, !"+-!<>/".contains(characters[place]) else {
            place = start
            return nil
        }
        let (text, wild) = term()
        let end = place
        skipSpace()
        let operators: Set = ["AND", "OR", "NOT", "&&", "||"]
        let beforeOperator = word("AND") || word("OR") || symbol("&&") || symbol("||")
        let touched = end < characters.count && !characters[end].isWhitespace && characters[end] != ")"
        guard !text.isEmpty, !wild, !operators.contains(text), !beforeOperator, !touched else {
            place = start
            return nil
        }
        place = end
        return text
    }

    private mutating func quoted() throws(QueryError) -> String {
        var text = ""
        place += 1
        while place < characters.count {
            let c = characters[place]
            if c == "\"" {
                place += 1
                return text
            }
            if c == "\\", place + 1 < characters.count { place += 1 }
            text.append(characters[place])
            place += 1
        }
        throw failed("a \" has no closing \"")
    }

    private mutating func bound() throws(QueryError) -> String {
        skipSpace()
        if peek("\"") { return try quoted() }
        var text = ""
        while place < characters.count, !characters[place].isWhitespace, !"]})(".contains(characters[place]) {
            if characters[place] == "\\", place + 1 < characters.count { place += 1 }
            text.append(characters[place])
            place += 1
        }
        guard !text.isEmpty else { throw failed("a bound is missing") }
        return text
    }

    private mutating func number() -> Double? {
        var text = ""
        while place < characters.count, characters[place].isASCII, characters[place].isNumber || characters[place] == "." {
            text.append(characters[place])
            place += 1
        }
        return Double(text)
    }

    private func failed(_ why: String) -> QueryError {
        QueryError("query_shard_exception", "Failed to parse query [\(String(characters.prefix(200)))]: \(why)")
    }
}
