// AWS Signature Version 4 over a request's headers: what every S3 server asks for to believe who is asking.
//
//     canonical request   method, path, sorted query, sorted headers, their names, hash of the body
//     string to sign      "AWS4-HMAC-SHA256", time, day/region/s3/aws4_request, hash of the canonical request
//     signature           HMAC of that under a key made from the secret, the day, the region and "s3"
//
// The body's SHA-256 is always signed, never "UNSIGNED-PAYLOAD": what arrives is what was sent, over plain http too.
// Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".

internal import Secrets

package struct S3Credentials: Sendable, CustomStringConvertible, CustomReflectable {
    package let accessKey: String
    package let secretKey: String
    package let sessionToken: String?
    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        (self.accessKey, self.secretKey, self.sessionToken) = (accessKey, secretKey, sessionToken)
    }
    /// Nothing secret, whoever prints it.
    package var description: String { "S3Credentials(\(accessKey.prefix(4))…)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

package struct SigV4: Sendable {
    private let credentials: S3Credentials
    private let region: String

    package init(credentials: S3Credentials, region: String) { (self.credentials, self.region) = (credentials, region) }

    /// The headers to send: those given, with the time, the body's hash and the signature. `path` and `query` are as they stand in the URL.
    ///
    /// - Parameter headers: all that shall be signed, with `host`; names are compared in lower case.
    package func signed(
        method: String, path: String, query: String, headers: [(name: String, value: String)], bodyHash: String, secondsSince1970: Int
    ) -> [(name: String, value: String)] {
        let time = Self.timestamp(secondsSince1970), day = String(time.prefix(8))
        var headers = headers
        headers.append(("x-amz-content-sha256", bodyHash))
        headers.append(("x-amz-date", time))
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }

        let sorted = headers.map { (name: $0.name.lowercased(), value: $0.value) }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let names = sorted.map(\.name).joined(separator: ";")
        let lines = sorted.map { $0.name + ":" + Self.trimmed($0.value) + "\n" }.joined()
        let canonical = [method, path, Self.canonicalQuery(query), lines, names, bodyHash].joined(separator: "\n")

        let scope = "\(day)/\(region)/s3/aws4_request"
        let toSign = ["AWS4-HMAC-SHA256", time, scope, Hexadecimal.text(SHA256.hash(canonical))].joined(separator: "\n")
        let signature = Hexadecimal.text(HMAC.sha256(Array(toSign.utf8), key: key(day)))
        headers.append(("Authorization", "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(names),Signature=\(signature)"))
        return headers
    }

    /// As "20130524T000000Z".
    package static func timestamp(_ seconds: Int) -> String {
        let seconds = max(0, min(seconds, 253_402_300_799)) // to the end of year 9999
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        // Days since 1970 to a date (Hinnant, "chrono-Compatible Low-Level Date Algorithms"): years begin in March, so that leap days come last.
        let z = days + 719_468, era = z / 146_097, dayOfEra = z % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153, day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9, year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return digits(year, 4) + digits(month, 2) + digits(day, 2) + "T" + digits(rest / 3600, 2) + digits(rest / 60 % 60, 2) + digits(rest % 60, 2) + "Z"
    }

    // MARK: -

    private func key(_ day: String) -> [UInt8] {
        var key = Array("AWS4\(credentials.secretKey)".utf8)
        for part in [day, region, "s3", "aws4_request"] { key = HMAC.sha256(Array(part.utf8), key: key) }
        return key
    }

    /// Sorted by name, then value; a name alone has an empty value.
    private static func canonicalQuery(_ query: String) -> String {
        query.utf8.split(separator: UInt8(ascii: "&")).map { item in
            item.contains(UInt8(ascii: "=")) ? Array(item) : Array(item) + [UInt8(ascii: "=")]
        }.sorted { a, b in
            // "=" would sort a name before its longer neighbours wrongly: names first.
            let nameA = a.prefix { $0 != UInt8(ascii: "=") }, nameB = b.prefix { $0 != UInt8(ascii: "=") }
            return nameA.elementsEqual(nameB) ? a.lexicographicallyPrecedes(b) : nameA.lexicographicallyPrecedes(nameB)
        }.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "&")
    }

    /// Without blanks at the ends, runs of them as one.
    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }
}

package enum PercentEncoding {
    /// Every byte but letters, digits and "-._~" as %XX; "/" too unless it parts a path.
    package static func encode(_ text: String, keepingSlashes: Bool = false) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.append(byte)
            case UInt8(ascii: "/") where keepingSlashes: out.append(byte)
            default:
                out.append(UInt8(ascii: "%"))
                out.append(hex[Int(byte >> 4)])
                out.append(hex[Int(byte & 15)])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil when a "%" is not followed by two hexadecimal digits, or the bytes are not UTF-8.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var out: [UInt8] = [], rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let one = Hexadecimal.bytes(String(decoding: rest.prefix(2), as: UTF8.self))?.first else { return nil }
                out.append(one)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    private static let hex = Array("0123456789ABCDEF".utf8)
}
