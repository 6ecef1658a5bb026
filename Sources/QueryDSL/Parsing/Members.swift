// The members of one JSON object of a request, taken one by one under their names and types; what nobody
// took is unknown to us and refused.
//
// A parser asks for each member it understands, then `finish()` names the first one left over, with the
// nearest of the asked names as a suggestion. So the names a parser knows stand in one place: in its body.

package import JSON

package struct Members: Sendable {
    /// Whose members they are, as errors name it: "match", "terms", "highlight".
    package let owner: String
    package let style: Style
    let bounds: ParseBounds
    let object: JSONObject
    private var taken: Set<String> = []
    private var asked: [String] = []

    /// How Elasticsearch words an unknown member: queries one way, all else the other.
    package enum Style: Sendable { case query, parser }

    package init(_ object: JSONObject, of owner: String, style: Style = .parser, bounds: ParseBounds = ParseBounds()) {
        (self.object, self.owner, self.style, self.bounds) = (object, owner, style, bounds)
    }

    /// The member under the first of the names that is there; JSON's null counts as a value.
    package mutating func take(_ names: String...) -> JSONValue? { take(names) }

    package mutating func string(_ names: String...) throws(QueryError) -> String? {
        guard let value = take(names), !value.isNull else { return nil }
        guard let text = value.scalar else { throw wrong(names[0], value, wanted: "a string") }
        return text
    }

    package mutating func bool(_ names: String...) throws(QueryError) -> Bool? {
        guard let value = take(names), !value.isNull else { return nil }
        switch value {
        case .bool(let v): return v
        case .string("true"): return true
        case .string("false"): return false
        default: throw wrong(names[0], value, wanted: "true or false")
        }
    }

    package mutating func integer(_ names: String..., from least: Int = .min, to most: Int = .max) throws(QueryError) -> Int? {
        guard let value = take(names), !value.isNull else { return nil }
        guard let number = value.wholeNumber else { throw wrong(names[0], value, wanted: "a whole number") }
        guard number >= least else {
            throw QueryError("illegal_argument_exception", "[\(names[0])] parameter cannot be negative, found [\(number)]".fitting(least, names[0], number))
        }
        guard number <= most else {
            throw QueryError("illegal_argument_exception", "[\(names[0])] must be at most [\(most)] but was [\(number)]")
        }
        return number
    }

    package mutating func double(_ names: String...) throws(QueryError) -> Double? {
        guard let value = take(names), !value.isNull else { return nil }
        guard let number = value.realNumber, number.isFinite else { throw wrong(names[0], value, wanted: "a number") }
        return number
    }

    package mutating func float(_ name: String) throws(QueryError) -> Float? {
        guard let number = try double(name) else { return nil }
        let float = Float(number)
        guard float.isFinite else { throw wrong(name, .number(number), wanted: "a number that fits in 32 bits") }
        return float
    }

    /// An array of strings, or one string.
    package mutating func strings(_ names: String...) throws(QueryError) -> [String]? {
        guard let value = take(names), !value.isNull else { return nil }
        var strings: [String] = []
        for item in value.array ?? [value] {
            guard let text = item.scalar else { throw wrong(names[0], item, wanted: "a string or an array of strings") }
            strings.append(text)
        }
        return strings
    }

    package mutating func object(_ names: String...) throws(QueryError) -> JSONObject? {
        guard let value = take(names), !value.isNull else { return nil }
        guard let object = value.object else { throw wrong(names[0], value, wanted: "an object") }
        return object
    }

    /// One query object.
    package mutating func query(_ names: String...) throws(QueryError) -> Query? {
        guard let value = take(names), !value.isNull else { return nil }
        return try Query(value, of: owner, bounds: bounds.deeper())
    }

    /// An array of queries, or one.
    package mutating func queries(_ names: String...) throws(QueryError) -> [Query] {
        guard let value = take(names), !value.isNull else { return [] }
        let inner = try bounds.deeper()
        var queries: [Query] = []
        for item in value.array ?? [value] { queries.append(try Query(item, of: owner, bounds: inner)) }
        return queries
    }

    /// One of a few words, in any case.
    package mutating func choice<T>(_ name: String, _ choices: KeyValuePairs<String, T>) throws(QueryError) -> T? {
        guard let word = try string(name)?.lowercased() else { return nil }
        for (choice, value) in choices where choice == word { return value }
        throw QueryError("illegal_argument_exception",
            "[\(owner)] \(name) [\(word)] is not one of [\(choices.map(\.key).joined(separator: ", "))]")
    }

    /// Members nobody asked for.
    package var rest: [(key: String, value: JSONValue)] { object.members.filter { !taken.contains($0.key) } }

    /// Refuses what is left over.
    package func finish() throws(QueryError) {
        guard let (key, _) = rest.first else { return }
        switch style {
        case .query: throw QueryError("parsing_exception", "[\(owner)] query does not support [\(key)]" + Suggestion.text(for: key, among: asked))
        case .parser: throw QueryError("x_content_parse_exception", "[\(owner)] unknown field [\(key)]" + Suggestion.text(for: key, among: asked))
        }
    }

    package func missing(_ name: String) -> QueryError {
        QueryError("illegal_argument_exception", "[\(owner)] requires [\(name)]")
    }

    package func wrong(_ name: String, _ value: JSONValue, wanted: String) -> QueryError {
        QueryError("parsing_exception", "[\(owner)] failed to parse [\(name)]: it must be \(wanted), not \(value.shown)")
    }

    // MARK: -

    private mutating func take(_ names: [String]) -> JSONValue? {
        asked += names
        for name in names {
            if let value = object[name] {
                taken.insert(name)
                return value
            }
        }
        return nil
    }
}

/// How deep and how wide a request may be. Nested depth counts queries and aggregations within each other.
package struct ParseBounds: Sendable {
    /// indices.query.bool.max_nested_depth
    package var depthMax = 30
    /// indices.query.bool.max_clause_count
    package var clausesMax = 1024
    private var depth = 0

    package init() {}

    func deeper() throws(QueryError) -> ParseBounds {
        var inner = self
        inner.depth += 1
        guard inner.depth <= depthMax else {
            throw QueryError("illegal_argument_exception",
                "The nested depth of the query exceeds the maximum nested depth for queries set in "
                    + "[indices.query.bool.max_nested_depth] (\(depthMax)); flatten the nested clauses into one bool query")
        }
        return inner
    }

    func check(clauses: Int) throws(QueryError) {
        guard clauses <= clausesMax else {
            throw QueryError("too_many_clauses", "maxClauseCount is set to \(clausesMax), the query has \(clauses) clauses in one bool; "
                + "use one [terms] query for many values of a field, or split the request")
        }
    }
}

extension JSONValue {
    /// A scalar as text: numbers and booleans as they are written.
    package var scalar: String? {
        switch self {
        case .string(let v): v
        case .integer(let v): String(v)
        case .number(let v): String(v)
        case .bool(let v): String(v)
        case .null, .array, .object: nil
        }
    }

    /// A whole number, or a string of one.
    package var wholeNumber: Int? {
        if case .string(let s) = self { return Int(s) }
        return integer.flatMap { Int(exactly: $0) } ?? number.flatMap { Int(exactly: $0.rounded(.towardZero)) }
    }

    package var realNumber: Double? {
        if case .string(let s) = self { return Double(s) }
        return number
    }

    /// Elasticsearch's name of the token a value begins with.
    package var tokenName: String {
        switch self {
        case .null: "VALUE_NULL"
        case .bool: "VALUE_BOOLEAN"
        case .integer, .number: "VALUE_NUMBER"
        case .string: "VALUE_STRING"
        case .array: "START_ARRAY"
        case .object: "START_OBJECT"
        }
    }

    /// For errors: short, and never the whole of something large.
    package var shown: String {
        switch self {
        case .null: "null"
        case .string(let s): "[\(s.prefix(100))]"
        case .array: "an array"
        case .object: "an object"
        default: "[\(scalar ?? "")]"
        }
    }
}

extension String {
    /// Wording for a number that is too small: the usual bound is zero, others are named.
    fileprivate func fitting(_ least: Int, _ name: String, _ number: Int) -> String {
        least == 0 ? self : "[\(name)] must be at least [\(least)] but was [\(number)]"
    }
}
