// What a snapshot or a repository may be called, and which of them an expression stands for. Pure; the rules and words are Elasticsearch's.

package enum SnapshotNames {
    /// Why `name` cannot be a snapshot; nil when it can.
    static func problem(_ name: String) -> String? {
        if name.isEmpty { return "cannot be empty" }
        if name.unicodeScalars.contains(where: { $0.properties.isWhitespace }) { return "must not contain whitespace" }
        if name.utf8.contains(UInt8(ascii: ",")) { return "must not contain ','" }
        if name.utf8.contains(UInt8(ascii: "#")) { return "must not contain '#'" }
        if name.utf8.first == UInt8(ascii: "_") { return "must not start with '_'" }
        if name.lowercased() != name { return "must be lowercase" }
        return fileProblem(name)
    }

    /// Why `name` cannot be a repository; nil when it can.
    static func repositoryProblem(_ name: String) -> String? {
        if name.isEmpty { return "cannot be empty" }
        if name.utf8.contains(UInt8(ascii: "#")) { return "must not contain '#'" }
        if name.utf8.first == UInt8(ascii: "_") { return "must not start with '_'" }
        return fileProblem(name)
    }

    private static func fileProblem(_ name: String) -> String? {
        if name.utf8.contains(where: { " \"*\\<|,>/?".utf8.contains($0) }) {
            return "must not contain the following characters [' ','\"','*','\\','<','|',',','>','/','?']"
        }
        if name.utf8.count > 255 { return "is longer than 255 bytes" }
        if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) { return "must not contain control characters" }
        return nil
    }

    package static func isPattern(_ part: String) -> Bool { part == "_all" || IndexNames.isPattern(part) }

    /// The names that a comma list of names and patterns (`*`, `-x`, `_all`) stands for, in the order they are given in, and the plain ones that are none of them.
    package static func select(_ expression: String, from names: [String]) -> (found: [String], missing: [String]) {
        var chosen: Set<String> = [], missing: [String] = [], sawPattern = false
        for part in expression.isEmpty ? ["_all"] : expression.split(separator: ",").map(String.init) {
            if part.hasPrefix("-"), sawPattern {
                for name in names where IndexNames.matches(part.dropFirst(), name) { chosen.remove(name) }
            } else if isPattern(part) {
                sawPattern = true
                for name in names where IndexNames.matches(part == "_all" ? "*" : part, name) { chosen.insert(name) }
            } else if names.contains(part) { chosen.insert(part) } else { missing.append(part) }
        }
        return (names.filter { chosen.contains($0) }, missing)
    }
}
