// What an index or alias may be called, and which names an expression stands for. Pure; the rules and words are
// Elasticsearch's, but for names that the server keeps for its own pages.

enum IndexNames {
    /// First path segments of the server's own pages.
    static let reserved: Set<String> = ["api", "store", "console"]
    static let bytesMax = 255

    /// Why `name` cannot be an index or an alias; nil when it can.
    static func problem(_ name: String, alias: Bool = false) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name.utf8.contains(where: { " \"*\\<|,>/?".utf8.contains($0) }) {
            return "must not contain the following characters [' ','\"','*','\\','<','|',',','>','/','?']"
        }
        if name.utf8.contains(UInt8(ascii: "#")) { return "must not contain '#'" }
        if name.utf8.contains(UInt8(ascii: ":")) { return "must not contain ':'" }
        if let first = name.utf8.first, "_-+".utf8.contains(first) { return "must not start with '_', '-', or '+'" }
        if name.utf8.count > bytesMax { return "index name is too long, (\(name.utf8.count) > \(bytesMax))" }
        if name == "." || name == ".." { return "must not be '.' or '..'" }
        if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) { return "must not contain control characters" }
        if !alias, name.lowercased() != name { return "must be lowercase" }
        if reserved.contains(name) { return "the name is reserved for this server's own pages; choose another" }
        return nil
    }

    static func isPattern(_ part: some StringProtocol) -> Bool { part.utf8.contains(UInt8(ascii: "*")) }

    /// Whether a pattern in which `*` stands for anything matches the whole name. O(pattern * name) at worst, no recursion.
    static func matches(_ pattern: some StringProtocol, _ name: String) -> Bool {
        let p = Array(pattern.utf8), n = Array(name.utf8), star = UInt8(ascii: "*")
        var i = 0, j = 0, starAt = -1, resume = 0
        while j < n.count {
            if i < p.count, p[i] == star {
                (starAt, resume) = (i, j)
                i += 1
            } else if i < p.count, p[i] == n[j] {
                i += 1
                j += 1
            } else if starAt >= 0 {
                resume += 1
                (i, j) = (starAt + 1, resume)
            } else { return false }
        }
        while i < p.count, p[i] == star { i += 1 }
        return i == p.count
    }
}
