// Terms within a few edits of a word: insertions, deletions, replacements and (optionally) swaps of
// neighbours, counted in code points. Rows of the edit distance table are kept per character of the term before,
// so terms that share a beginning share the work, and a beginning whose row has no cell within the bound is
// skipped in the dictionary with all terms below it: the walk visits what a Levenshtein automaton would.
//
// Sources: Schulz & Mihov 2002, "Fast string correction with Levenshtein automata"; Ukkonen 1985 (cut-off);
// distance with swaps: the restricted one ("optimal string alignment"), as Lucene's.

internal import QueryDSL
internal import Segments

struct FuzzyMatcher: Sendable {
    static let lengthMax = 512
    private let word: [Unicode.Scalar]
    let editsMax: Int
    let transpositions: Bool
    /// UTF-8 of the characters that must be equal.
    let prefix: [UInt8]
    private var scalars: [Unicode.Scalar] = []
    private var ends: [Int] = []
    private var rows: [[Int]]
    private var last: [UInt8] = []

    enum Verdict { case match(edits: Int, length: Int), noMatch, dead(after: Int) }

    init(_ word: String, editsMax: Int, prefixLength: Int, transpositions: Bool) {
        self.word = Array(word.unicodeScalars)
        (self.editsMax, self.transpositions) = (editsMax, transpositions)
        var head = ""
        head.unicodeScalars.append(contentsOf: self.word.prefix(max(0, prefixLength)))
        prefix = Array(head.utf8)
        rows = [Array(0...self.word.count)]
    }

    var length: Int { word.count }

    mutating func verdict(_ term: [UInt8]) -> Verdict {
        var shared = 0
        while shared < term.count, shared < last.count, term[shared] == last[shared] { shared += 1 }
        var kept = 0
        while kept < ends.count, ends[kept] <= shared { kept += 1 }
        scalars.removeSubrange(kept...)
        ends.removeSubrange(kept...)
        rows.removeSubrange((kept + 1)...)
        last = term
        if kept > 0, isDead(rows[kept]) { return .dead(after: ends[kept - 1]) }
        var at = ends.last ?? 0
        while at < term.count {
            let width = utf8Width(term[at])
            let end = min(term.count, at + width)
            scalars.append(String(decoding: term[at..<end], as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}")
            ends.append(end)
            rows.append(nextRow())
            at = end
            if isDead(rows[rows.count - 1]) { return .dead(after: at) }
        }
        let edits = rows[rows.count - 1][word.count]
        return edits <= editsMax ? .match(edits: edits, length: scalars.count) : .noMatch
    }

    // MARK: -

    /// A swap could still rescue a row only through the row before it, so both must be beyond the bound.
    private func isDead(_ row: [Int]) -> Bool {
        if row.contains(where: { $0 <= editsMax }) { return false }
        guard transpositions, rows.count > 1 else { return true }
        return !rows[rows.count - 2].contains { $0 + 1 <= editsMax }
    }

    private func nextRow() -> [Int] {
        let i = scalars.count, above = rows[i - 1], scalar = scalars[i - 1]
        var row = [Int](repeating: 0, count: word.count + 1)
        row[0] = i
        for j in stride(from: 1, through: word.count, by: 1) {
            var best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (word[j - 1] == scalar ? 0 : 1))
            if transpositions, i > 1, j > 1, word[j - 1] == scalars[i - 2], word[j - 2] == scalar {
                best = min(best, rows[i - 2][j - 2] + 1)
            }
            row[j] = best
        }
        return row
    }

    private func utf8Width(_ byte: UInt8) -> Int { byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4 }
}

extension Query.Fuzziness {
    /// How many edits a word may be away: by its length in code points when AUTO.
    package func edits(for word: String) -> Int {
        switch self {
        case .edits(let n): return min(2, max(0, n))
        case .auto(let low, let high):
            let length = word.unicodeScalars.count
            return length < low ? 0 : length < high ? 1 : 2
        }
    }
}

/// A term found by expansion, with statistics over the snapshot.
struct ExpandedTerm {
    var term: [UInt8]
    var boost: Float
    var docFreq: Int, totalTermFreq: Int
}
