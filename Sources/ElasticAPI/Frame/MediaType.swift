// The media types that Elasticsearch's clients send and want back: plain JSON and NDJSON, and the vendor
// types with a version, "application/vnd.elasticsearch+json; compatible-with=8".

struct MediaType: Sendable {
    var name: String
    var parameters: [String: String]

    init?(_ header: String) {
        let parts = header.split(separator: ";").map { $0.filter { $0 != " " } }
        guard let name = parts.first?.lowercased(), name.contains("/") || name == "*" else { return nil }
        self.name = name
        parameters = [:]
        for part in parts.dropFirst() {
            let sides = part.split(separator: "=", maxSplits: 1)
            if sides.count == 2 { parameters[sides[0].lowercased()] = sides[1].lowercased() }
        }
    }

    /// 7, 8 or 9; nil for types without a version.
    var compatibility: Int? { parameters["compatible-with"].flatMap { Int($0) } }
    var isVendor: Bool { name.hasPrefix("application/vnd.elasticsearch+") }

    /// Bodies we read.
    var isReadable: Bool {
        ["application/json", "application/x-ndjson", "application/vnd.elasticsearch+json", "application/vnd.elasticsearch+x-ndjson"].contains(name)
            && (!isVendor || [7, 8].contains(compatibility))
    }
}
