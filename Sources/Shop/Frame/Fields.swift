// Reads a JSON body member by member, strictly: every value has a type and bounds, what is not known is refused, and the refusal names the place (RFC 6901).

internal import JSON
internal import Orders

struct Fields {
    private let object: JSONObject
    private let pointer: String
    private var seen: Set<String> = []

    /// The call's body, which must be an object; none is an empty one.
    init(_ call: ShopCall) throws(Problem) {
        pointer = ""
        guard !call.body.isEmpty else {
            object = JSONObject()
            return
        }
        let type = call.headers["content-type"]?.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        guard type == "application/json" else { throw Problem(415, "unsupported-media-type", "send the body as Content-Type: application/json") }
        let value: JSONValue
        do { value = try JSONValue.parse(call.body, limits: JSONLimits(depthMax: 32, refusesDuplicateKeys: true)) } catch {
            throw .invalid("the body is no valid JSON: \(error)")
        }
        guard let members = value.object else { throw .invalid("the body is one JSON object") }
        object = members
    }

    private init(_ object: JSONObject, at pointer: String) { (self.object, self.pointer) = (object, pointer) }

    // MARK: Values

    mutating func text(_ name: String, _ bytes: ClosedRange<Int> = 1...500) throws(Problem) -> String {
        guard let value = try optionalText(name, bytes) else { throw refusal(name, "\(name) is missing") }
        return value
    }

    mutating func optionalText(_ name: String, _ bytes: ClosedRange<Int> = 1...500) throws(Problem) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.string, bytes.contains(text.utf8.count), !text.utf8.contains(0) else {
            throw refusal(name, "\(name) is a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes")
        }
        return text
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64 {
        guard let value = try optionalInteger(name, range) else { throw refusal(name, "\(name) is missing") }
        return value
    }

    mutating func optionalInteger(_ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let value = take(name) else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw refusal(name, "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// An amount in minor units; 10^15 is more than any shop takes.
    mutating func optionalAmount(_ name: String) throws(Problem) -> Int64? { try optionalInteger(name, 0...1_000_000_000_000_000) }

    mutating func flag(_ name: String) throws(Problem) -> Bool {
        guard let value = take(name) else { return false }
        guard let flag = value.boolean else { throw refusal(name, "\(name) is true or false") }
        return flag
    }

    mutating func currency() throws(Problem) -> Currency? {
        guard let code = try optionalText("currency", 3...3) else { return nil }
        guard let currency = Currency(code: code) else { throw refusal("currency", "currency is an ISO 4217 code, as EUR") }
        return currency
    }

    mutating func optionalInstant(_ name: String) throws(Problem) -> Instant? {
        guard let text = try optionalText(name, 1...50) else { return nil }
        guard let instant = Instant(text: text) else { throw refusal(name, "\(name) is a moment as 2026-03-01T12:00:00Z") }
        return instant
    }

    mutating func optionalID<Kind>(_ name: String) throws(Problem) -> ID<Kind>? {
        guard let text = try optionalText(name, 1...50) else { return nil }
        guard let id = ID<Kind>(text: text) else { throw refusal(name, "\(name) is an identifier as 01234567-89ab-7cde-8f01-23456789abcd") }
        return id
    }

    /// One of an enumeration's words.
    mutating func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws(Problem) -> Word where Word.RawValue == String {
        let text = try text(name, 1...50)
        guard let word = Word(rawValue: text) else {
            throw refusal(name, "\(name) is one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// An object as it is, as text; "{}" when there is none.
    mutating func objectText(_ name: String) throws(Problem) -> String {
        guard let value = take(name) else { return "{}" }
        guard value.object != nil else { throw refusal(name, "\(name) is an object") }
        return value.text
    }

    /// A list of objects, each read by `read` to its end.
    mutating func list<T>(_ name: String, _ counts: ClosedRange<Int>, _ read: (inout Fields) throws(Problem) -> T) throws(Problem) -> [T] {
        guard let value = take(name) else {
            guard counts.contains(0) else { throw refusal(name, "\(name) is missing") }
            return []
        }
        guard let values = value.array, counts.contains(values.count) else {
            throw refusal(name, "\(name) is a list of \(counts.lowerBound) to \(counts.upperBound) objects")
        }
        var all: [T] = []
        all.reserveCapacity(values.count)
        for (at, value) in values.enumerated() {
            guard let object = value.object else { throw refusal("\(name)/\(at)", "\(name) is a list of objects") }
            var fields = Fields(object, at: "\(pointer)/\(name)/\(at)")
            all.append(try read(&fields))
            try fields.finish()
        }
        return all
    }

    /// Refuses what was not asked for: a misspelt member must not be silently nothing.
    func finish() throws(Problem) {
        if let unknown = object.keys.first(where: { !seen.contains($0) }) {
            throw refusal(unknown, "\(unknown.prefix(50)) is not known here; known: \(seen.sorted().joined(separator: ", "))")
        }
    }

    // MARK: -

    private mutating func take(_ name: String) -> JSONValue? {
        seen.insert(name)
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    private func refusal(_ name: String, _ why: String) -> Problem { .invalid(why, pointer: "\(pointer)/\(name)") }
}
