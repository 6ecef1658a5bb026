// One request, free of sockets: method, decoded path and parameters, media types, body. Typed readers of
// parameters refuse wrong values in Elasticsearch's words.

package import JSON
internal import QueryDSL

package struct APICall: Sendable {
    package enum Method: String, Sendable, CaseIterable { case get = "GET", post = "POST", put = "PUT", delete = "DELETE", head = "HEAD", options = "OPTIONS" }

    package var method: Method
    /// As it came, for messages.
    package var uri: String
    /// Decoded parts of the path.
    package var segments: [String]
    /// Decoded; of two with one name the later holds.
    package var parameters: [String: String]
    package var body: [UInt8]
    package var contentType: String?
    package var accept: String?
    /// Path parts by the names in the route; set by the router.
    package var parts: [String: String] = [:]
    package var limits = Limits()
    /// Elasticsearch's version whose answers are asked for: 8, or 7 with `compatible-with=7`.
    package var compatibility = 8

    package struct Limits: Sendable {
        package var bodyBytesMax = 100 << 20
        package var scrollsMax = 500
        package var resultWindow = 10_000
        package init() {}
    }

    /// - Parameter uri: path and query as on the request line.
    package init(_ method: Method, _ uri: String, body: [UInt8] = [], contentType: String? = nil, accept: String? = nil) throws(APIError) {
        (self.method, self.uri, self.body, self.contentType, self.accept) = (method, uri, body, contentType, accept)
        let halves = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        segments = []
        for part in halves[0].split(separator: "/") { segments.append(try PercentCoding.decode(part, plusIsSpace: false)) }
        parameters = [:]
        guard halves.count == 2 else { return }
        for pair in halves[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            parameters[try PercentCoding.decode(sides[0], plusIsSpace: true)] = sides.count == 2 ? try PercentCoding.decode(sides[1], plusIsSpace: true) : ""
        }
    }

    package var path: String { String(uri.prefix { $0 != "?" }) }

    // MARK: - Parts and parameters

    package func part(_ name: String) -> String? { parts[name] }

    /// The index expression of the path; everything when there is none.
    package var indexExpression: String { parts["index"] ?? "_all" }

    package func text(_ name: String) -> String? { parameters[name].flatMap { $0.isEmpty ? nil : $0 } }
    package func list(_ name: String) -> [String]? { text(name)?.split(separator: ",").map(String.init) }

    /// `?flag` alone means true.
    package func flag(_ name: String) throws(APIError) -> Bool? {
        switch parameters[name] {
        case nil: nil
        case "", "true": true
        case "false": false
        case .some(let word):
            throw .illegal("Failed to parse value [\(word)] as only [true] or [false] are allowed.")
        }
    }

    package func integer(_ name: String) throws(APIError) -> Int? {
        guard let word = text(name) else { return nil }
        guard let number = Int(word) else { throw .illegal("Failed to parse int parameter [\(name)] with value [\(word)]") }
        return number
    }

    package func long(_ name: String) throws(APIError) -> Int64? {
        guard let word = text(name) else { return nil }
        guard let number = Int64(word) else { throw .illegal("Failed to parse long parameter [\(name)] with value [\(word)]") }
        return number
    }

    /// "30s", "5m" in milliseconds.
    package func duration(_ name: String) throws(APIError) -> Int64? {
        guard let word = text(name) else { return nil }
        return try TimeValue.milliseconds(word, setting: name)
    }

    // MARK: - Body

    /// The body as a tree; nil when there is none.
    package func json() throws(APIError) -> JSONValue? {
        if body.isEmpty, let source = parameters["source"] { return try APICall.parse(Array(source.utf8)) }
        // Order matters: in a ternary `nil` would be JSON's null.
        if body.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) { return Optional.none }
        return try APICall.parse(body)
    }

    package func object() throws(APIError) -> JSONObject? {
        guard let json = try json() else { return nil }
        guard let object = json.object else {
            throw APIError(400, "parsing_exception", "Expected [START_OBJECT] but found [\(json.tokenName)]")
        }
        return object
    }

    /// The object that the call cannot do without.
    package func requiredObject() throws(APIError) -> JSONObject {
        guard let object = try object() else { throw APIError(400, "parse_exception", "request body is required") }
        return object
    }

    package static func parse(_ bytes: [UInt8]) throws(APIError) -> JSONValue {
        do { return try JSONValue.parse(bytes) } catch {
            throw APIError(400, "x_content_parse_exception", "the request body is no valid JSON: \(error)")
        }
    }
}

/// Application/x-www-form-urlencoded and URI escapes (RFC 3986, section 2.1).
enum PercentCoding {
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) throws(APIError) -> String {
        var bytes: [UInt8] = [], rest = text.utf8[...]
        while let c = rest.popFirst() {
            if c == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(0x20)
            } else if c == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hex), let low = rest.popFirst().flatMap(hex) else {
                    throw .illegal("incomplete escape sequence at the end of [\(text)]; write %25 for a percent sign")
                }
                bytes.append(high << 4 | low)
            } else { bytes.append(c) }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .illegal("[\(text)] is no valid UTF-8 once decoded") }
        return decoded
    }

    private static func hex(_ c: UInt8) -> UInt8? {
        switch c {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): c - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): c - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): c - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Elasticsearch's time values: "500ms", "30s", "5m", "1h", "2d"; -1 and 0 without a unit.
package enum TimeValue {
    package static func milliseconds(_ text: String, setting: String) throws(APIError) -> Int64 {
        if text == "0" || text == "-1" { return Int64(text) ?? 0 }
        let units: [(String, Double)] = [("nanos", 1e-6), ("micros", 1e-3), ("ms", 1), ("s", 1e3), ("m", 6e4), ("h", 3.6e6), ("d", 8.64e7)]
        for (unit, scale) in units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), let value = Int64(exactly: (number * scale).rounded()) else { continue }
            return value
        }
        throw .illegal("failed to parse setting [\(setting)] with value [\(text)] as a time value: unit is missing or unrecognized")
    }
}
