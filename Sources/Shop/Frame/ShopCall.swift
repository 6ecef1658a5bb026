// One request to /api, free of sockets: method, decoded path and query, headers, body, who asks and when.
//
// What every endpoint reads the same way is read here: the caller, path parts, query values, idempotency key, If-Match.

package import Orders

internal import JSON
internal import Secrets

package struct ShopCall: Sendable {
    package enum Method: String, Sendable, CaseIterable { case get = "GET", post = "POST", put = "PUT", delete = "DELETE" }

    package var method: Method
    /// As it came, without the query.
    package var path: String
    /// Decoded parts of the path.
    package var segments: [String]
    /// Decoded; a name twice is refused.
    package var query: [String: String]
    package var headers: ShopHeaders
    package var body: [UInt8]
    package var at: Instant
    /// Path parts by the names in the route, and who asks: set by the router.
    package var parts: [String: String] = [:]
    package var actor: Actor?

    /// - Parameter uri: path and query as on the request line.
    package init(_ method: Method, _ uri: String, headers: ShopHeaders = ShopHeaders(), body: [UInt8] = [], at: Instant) throws(Problem) {
        (self.method, self.headers, self.body, self.at) = (method, headers, body, at)
        guard uri.utf8.count <= 8_192 else { throw Problem(414, "uri-too-long", "path and query have at most 8,192 bytes") }
        let halves = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(halves[0])
        segments = []
        for part in halves[0].split(separator: "/") { segments.append(try Escapes.decode(part, plusIsSpace: false)) }
        query = [:]
        guard halves.count == 2 else { return }
        for pair in halves[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Escapes.decode(sides[0], plusIsSpace: true)
            let value = sides.count == 2 ? try Escapes.decode(sides[1], plusIsSpace: true) : ""
            guard query.updateValue(value, forKey: name) == nil else { throw .invalid("the query names \(name.prefix(50)) twice") }
        }
    }

    // MARK: Who and why

    /// The caller, with the purpose the header names or else the endpoint's own.
    func caller(_ purpose: Purpose) throws(Problem) -> Caller {
        guard let actor else { throw .unauthenticated }
        return Caller(actor, try namedPurpose() ?? purpose, at: at)
    }

    /// The caller of what customers may not do.
    func staff(_ purpose: Purpose) throws(Problem) -> Caller {
        let caller = try caller(purpose)
        guard !caller.isCustomer else { throw Problem(403, "forbidden", "customers may not do this") }
        return caller
    }

    /// The caller of what reads or changes personal data: who is not its owner must say why.
    func personal(_ purpose: Purpose) throws(Problem) -> Caller {
        let caller = try caller(purpose)
        if !caller.isCustomer, try namedPurpose() == nil {
            throw .invalid("say why personal data is wanted: header X-Isotherm-Purpose with one of \(Purpose.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return caller
    }

    private func namedPurpose() throws(Problem) -> Purpose? {
        guard let word = headers["x-isotherm-purpose"] else { return nil }
        guard let purpose = Purpose(rawValue: word) else {
            throw .invalid("X-Isotherm-Purpose is one of \(Purpose.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return purpose
    }

    // MARK: Path

    /// A part that is a UUID; what is none names nothing.
    func id<Kind>(_ part: String, _ what: String) throws(Problem) -> ID<Kind> {
        guard let id = ID<Kind>(text: parts[part] ?? "") else { throw Problem(404, "not-found", "there is no such \(what)") }
        return id
    }

    func personKey(_ part: String = "id") throws(Problem) -> PersonKey {
        guard let key = PersonKey(text: parts[part] ?? "") else { throw Problem(404, "not-found", "there is no such person") }
        return key
    }

    var product: ProductID { ProductID(parts["id"] ?? "") }

    // MARK: Query

    func text(_ name: String, bytesMax: Int = 500) throws(Problem) -> String? {
        guard let value = query[name], !value.isEmpty else { return nil }
        guard value.utf8.count <= bytesMax else { throw .invalid("\(name) has at most \(bytesMax) bytes", parameter: name) }
        return value
    }

    func integer(_ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let word = try text(name) else { return nil }
        guard let value = Int(word), range.contains(value) else {
            throw .invalid("\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)", parameter: name)
        }
        return value
    }

    func instant(_ name: String) throws(Problem) -> Instant? {
        guard let word = try text(name) else { return nil }
        guard let value = Instant(text: word) else {
            throw .invalid("\(name) is a date (2026-03-01) or a moment (2026-03-01T12:00:00Z)", parameter: name)
        }
        return value
    }

    /// `limit` and `cursor`, as every list with pages takes them.
    func page() throws(Problem) -> (limit: Int, cursor: String?) { (try integer("limit", 1...100) ?? 20, try text("cursor", bytesMax: 300)) }

    /// `include=cold`, the only thing there is to include.
    func includesCold() throws(Problem) -> Bool {
        guard let word = try text("include") else { return false }
        guard word == "cold" else { throw .invalid("include is cold, or left out", parameter: "include") }
        return true
    }

    // MARK: Headers

    /// The caller's name for this request, and what it was.
    func idempotencyKey(required: Bool) throws(Problem) -> IdempotencyKey? {
        guard let key = headers["idempotency-key"] else {
            if required {
                throw Problem(400, "idempotency-key-missing", "send an Idempotency-Key: a new random text for each new request, the same one when you try a request again")
            }
            return nil
        }
        guard (1...180).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalid("an Idempotency-Key has 1 to 180 visible ASCII characters")
        }
        return IdempotencyKey(text: key, requestHash: SHA256.hash(Array("\(method.rawValue) \(path)\n".utf8) + body))
    }

    /// The version a change is made to: 428 without the header; nil for `*`.
    func ifMatch() throws(Problem) -> Int64? {
        guard let tag = headers["if-match"] else {
            throw Problem(428, "precondition-required", "send If-Match with the ETag you last read, or * for any version")
        }
        if tag == "*" { return nil }
        guard tag.count > 2, tag.first == "\"", tag.last == "\"", let version = Int64(tag.dropFirst().dropLast()) else {
            throw .invalid("If-Match is one ETag as it was given, with its quotation marks, or *")
        }
        return version
    }
}

/// Names in lower case; few, so they are looked for one after the other.
package struct ShopHeaders: Sendable, ExpressibleByDictionaryLiteral {
    private var fields: [(name: String, value: String)]

    package init() { fields = [] }
    package init(dictionaryLiteral elements: (String, String)...) { fields = elements.map { (name: $0.0, value: $0.1) } }

    package mutating func append(_ name: String, _ value: String) { fields.append((name, value)) }

    /// The last one of the name.
    package subscript(name: String) -> String? {
        for field in fields.reversed() where field.name == name { return field.value }
        return nil
    }
}

/// The key as it came; `requestHash` tells one request from another under the same key.
struct IdempotencyKey: Sendable {
    var text: String
    var requestHash: [UInt8]

    /// For a second command of the same request.
    func then(_ step: String) -> IdempotencyKey { IdempotencyKey(text: "\(text)#\(step)", requestHash: requestHash) }
}

/// URI escapes (RFC 3986, section 2.1), and `+` in queries.
enum Escapes {
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) throws(Problem) -> String {
        var bytes: [UInt8] = [], rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(0x20)
            } else if byte == UInt8(ascii: "%") {
                guard let decoded = Hexadecimal.bytes(String(decoding: rest.prefix(2), as: UTF8.self)), decoded.count == 1 else {
                    throw .invalid("an incomplete escape in the URL: write %25 for a percent sign")
                }
                bytes += decoded
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !decoded.utf8.contains(0) else { throw .invalid("the URL is no valid UTF-8 once decoded") }
        return decoded
    }
}
