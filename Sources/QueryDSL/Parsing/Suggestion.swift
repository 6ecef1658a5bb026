// "did you mean": the nearest known names to one that is unknown, by edit distance, as Elasticsearch
// words it.

package enum Suggestion {
    /// " did you mean [x]?" or " did you mean any of [x, y]?", or nothing when no name is near.
    package static func text(for unknown: String, among known: [String]) -> String {
        let near = nearest(to: unknown, among: known)
        return switch near.count {
        case 0: ""
        case 1: " did you mean [\(near[0])]?"
        default: " did you mean any of [\(near.joined(separator: ", "))]?"
        }
    }

    /// Names at most a third of their letters away (at least one letter), nearest first, at most five.
    package static func nearest(to unknown: String, among known: [String]) -> [String] {
        guard unknown.utf8.count <= 64 else { return [] }
        var near: [(distance: Int, name: String)] = []
        for name in Set(known) {
            let distance = editDistance(Array(unknown.utf8), Array(name.utf8))
            if distance <= max(1, max(unknown.utf8.count, name.utf8.count) * 3 / 10) { near.append((distance, name)) }
        }
        return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(5).map(\.name)
    }

    /// Insertions, deletions, replacements and swaps of neighbours. O(a * b).
    static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before: [Int] = [], last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = Swift.min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = Swift.min(best, before[j - 1] + 1) }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
