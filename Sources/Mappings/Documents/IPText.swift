// Internet addresses as text: checked, and in one spelling (RFC 5952), so that equal addresses are equal terms.

internal import JSON

package enum IPText {
    static func canonical(_ text: borrowing DocumentText, _ node: Int) throws(ValueError) -> [UInt8] {
        let given = text.string(node)
        guard text.tape.nodes[node].isString, let canonical = canonical(given) else { throw ValueError("'\(given)' is not an IP string literal.") }
        return Array(canonical.utf8)
    }

    /// Nil when it is no address.
    package static func canonical(_ given: String) -> String? {
        if let four = v4(given[...]) { return four.map { String($0) }.joined(separator: ".") }
        return v6(given).map(spelled)
    }

    private static func v4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let byte = UInt8(part), part.count == 1 || part.first != "0" else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func v6(_ text: String) -> [UInt16]? {
        guard text.utf8.count <= 45, text.contains(":") else { return nil }
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return nil }
        var groups: [[UInt16]] = []
        for half in halves {
            guard let parsed = v6Groups(half, mayEndInV4: half.endIndex == text.endIndex) else { return nil }
            groups.append(parsed)
        }
        let count = groups.reduce(0) { $0 + $1.count }
        if groups.count == 1 { return count == 8 ? groups[0] : nil }
        guard count < 8 else { return nil }
        return groups[0] + [UInt16](repeating: 0, count: 8 - count) + groups[1]
    }

    private static func v6Groups(_ text: Substring, mayEndInV4: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (i, part) in parts.enumerated() {
            if mayEndInV4, i == parts.count - 1, part.contains("."), let four = v4(part) {
                groups += [UInt16(four[0]) << 8 | UInt16(four[1]), UInt16(four[2]) << 8 | UInt16(four[3])]
            } else {
                guard (1...4).contains(part.utf8.count), part.first != "+", part.first != "-", let group = UInt16(part, radix: 16) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    /// The longest run of zeros, if two or more, as "::"; an IPv4-mapped address as IPv4.
    private static func spelled(_ groups: [UInt16]) -> String {
        if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            return "\(groups[6] >> 8).\(groups[6] & 255).\(groups[7] >> 8).\(groups[7] & 255)"
        }
        var best = 0..<0, start = 0
        for i in 0...8 where i == 8 || groups[i] != 0 {
            if i - start > max(best.count, 1) { best = start..<i }
            start = i + 1
        }
        func hex(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty ? hex(groups[...]) : hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
    }
}
