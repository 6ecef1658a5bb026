// Names with `*`, which stands for any text, dots too.

package struct Glob: Sendable {
    private let pattern: [UInt8]

    package init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    package var isLiteral: Bool { !pattern.contains(UInt8(ascii: "*")) }

    /// O(pattern x text) at worst: on a mismatch only the last star is tried further.
    package func matches(_ text: String) -> Bool {
        let text = Array(text.utf8)
        var (p, t, star, mark) = (0, 0, -1, 0)
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                (star, mark) = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] {
                (p, t) = (p + 1, t + 1)
            } else if star >= 0 {
                mark += 1
                (p, t) = (star + 1, mark)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
