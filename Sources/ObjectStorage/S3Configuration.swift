// Where an S3 store is and how to be let in: from a location and the environment.
//
//     s3://bucket/prefix?endpoint=http://127.0.0.1:7480&region=eu-central-1&addressing=path&ca=/etc/ca.pem&conditional-complete=true
//
//     endpoint               else ISOTHERM_S3_ENDPOINT, else https://s3.REGION.amazonaws.com
//     region                 else AWS_REGION, AWS_DEFAULT_REGION, else us-east-1
//     addressing             path (default with an endpoint of one's own) or virtual (default at AWS)
//     ca                     else ISOTHERM_S3_CA_FILE, AWS_CA_BUNDLE, else the system's certificates
//     conditional-complete   true where the server honours If-None-Match when a multipart upload is completed (AWS does)
//     keys                   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: from the environment, never from a location,
//                            which ends up in logs and shell histories

package import Storage

package struct S3Configuration: Sendable {
    package enum Addressing: String, Sendable { case path, virtual }

    package var isTLS: Bool
    /// Host, and port where it is not the scheme's own.
    package var host: String
    package var bucket: String
    /// "" or without "/" at its ends.
    package var prefix: String
    package var region: String
    package var credentials: S3Credentials
    package var addressing: Addressing
    package var caFile: String?
    package var isCompleteConditional = false
    package var partBytes = 8 << 20
    package var requestsAtOnce = 8
    package var timeouts = HTTPTimeouts()
    package var retry = RetryPolicy()

    package init(location: String, environment: (String) -> String?) throws(ObjectStoreError) {
        func fail(_ reason: String) -> ObjectStoreError { ObjectStoreError(.invalid, place: Self.withoutQuery(location), reason) }
        func set(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        guard location.hasPrefix("s3://") else { throw fail("not of the form s3://bucket/prefix") }
        let parts = location.dropFirst(5).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = (parts.first ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        bucket = String(path.first ?? "")
        guard (3...63).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isBucketCharacter) else {
            throw fail("not a bucket's name: 3 to 63 of a-z, 0-9, \"-\" and \".\" (keys belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)")
        }
        var prefix = path.count > 1 ? path[1] : ""
        while prefix.last == "/" { prefix = prefix.dropLast() }
        self.prefix = String(prefix)
        if !prefix.isEmpty, let fault = ObjectKey.fault(self.prefix) { throw fail("the prefix \(fault)") }

        var options: [String: String] = [:]
        for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = PercentEncoding.decode(pair[1]) else { throw fail("\"\(pair[0])\" needs a value") }
            guard ["endpoint", "region", "addressing", "ca", "conditional-complete"].contains(String(pair[0])) else {
                throw fail("\"\(pair[0])\" is not known; there are endpoint, region, addressing, ca, conditional-complete")
            }
            options[String(pair[0])] = value
        }
        region = options["region"] ?? set("AWS_REGION") ?? set("AWS_DEFAULT_REGION") ?? "us-east-1"
        guard region.utf8.allSatisfy(Self.isBucketCharacter) else { throw fail("\"\(region)\" is not a region") }
        let own = options["endpoint"] ?? set("ISOTHERM_S3_ENDPOINT")
        guard let (isTLS, host) = Self.endpoint(own ?? "https://s3.\(region).amazonaws.com") else {
            throw fail("the endpoint is not of the form http://host:port or https://host")
        }
        (self.isTLS, self.host) = (isTLS, host)
        // A bucket with dots in its name fits no wildcard certificate.
        let usual: Addressing = own != nil || (isTLS && bucket.contains(".")) ? .path : .virtual
        guard let addressing = options["addressing"].map({ Addressing(rawValue: $0) }) ?? usual else { throw fail("addressing is path or virtual") }
        self.addressing = addressing
        caFile = options["ca"] ?? set("ISOTHERM_S3_CA_FILE") ?? set("AWS_CA_BUNDLE")
        isCompleteConditional = options["conditional-complete"] == "true"
        guard let accessKey = set("AWS_ACCESS_KEY_ID"), let secretKey = set("AWS_SECRET_ACCESS_KEY") else {
            throw ObjectStoreError(.denied, place: Self.withoutQuery(location), "no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        credentials = S3Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: set("AWS_SESSION_TOKEN"))
    }

    /// The host asked, and the path under which keys lie there, without a "/" at its end.
    package var address: (host: String, path: String) {
        switch addressing {
        case .path: (host, "/" + bucket)
        case .virtual: (bucket + "." + host, "")
        }
    }

    // MARK: -

    private static func isBucketCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// For messages; of a location with an "@" only its beginning, since keys may stand before that.
    static func withoutQuery(_ location: String) -> String { location.contains("@") ? String(location.prefix(5)) + "…" : String(location.prefix { $0 != "?" }) }

    private static func endpoint(_ text: String) -> (isTLS: Bool, host: String)? {
        let isTLS = text.hasPrefix("https://")
        guard isTLS || text.hasPrefix("http://") else { return nil }
        var host = text.dropFirst(isTLS ? 8 : 7)
        if host.last == "/" { host = host.dropLast() }
        let isHost = host.utf8.allSatisfy { isBucketCharacter($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || "_:[]".utf8.contains($0) }
        guard !host.isEmpty, isHost else { return nil }
        // As libcurl sends it, and so as it is signed.
        let ownPort = isTLS ? ":443" : ":80"
        if host.hasSuffix(ownPort) { host = host.dropLast(ownPort.count) }
        return (isTLS, host.lowercased())
    }
}
