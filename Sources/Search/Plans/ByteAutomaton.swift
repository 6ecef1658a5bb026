// Patterns over the bytes of terms as automata: built as an NFA (Thompson's construction) of bounded size,
// made deterministic state by state while the dictionary is walked. Wildcards and regular expressions share it.
//
// A walk gives each term to `step(over:)`, which says whether the term matches or, if it does not, how many of
// its bytes lead to no match whatever follows: the dictionary then seeks past all terms with that beginning.
//
// Invariants
//     1  The NFA has at most `statesMax` states and the DFA at most `dfaStatesMax`: a pattern that needs more is refused.
//     2  A DFA state is the sorted set of NFA states reachable, empty moves followed.
//
// Sources: Thompson 1968, "Regular expression search algorithm"; Cox 2007, "Regular expression matching can be
// simple and fast" (lazy subset construction).

package import QueryDSL

/// The NFA under construction. Characters are code points, moved over as their UTF-8 bytes.
struct AutomatonBuilder {
    enum Move { case byte(UInt8, UInt8, Int), empty(Int) }
    static let statesMax = 20_000

    private(set) var moves: [[Move]] = []
    /// `case_insensitive`: letters move over both of their cases.
    let ignoresCase: Bool

    init(ignoresCase: Bool) { self.ignoresCase = ignoresCase }

    /// A piece with one entry and one exit.
    struct Fragment { var start: Int, end: Int }

    mutating func state() throws(QueryError) -> Int {
        guard moves.count < Self.statesMax else {
            throw QueryError("illegal_argument_exception", "the pattern needs more than \(Self.statesMax) states: shorten it or lower its repetitions")
        }
        moves.append([])
        return moves.count - 1
    }

    mutating func connect(_ from: Int, _ to: Int) { moves[from].append(.empty(to)) }

    mutating func empty() throws(QueryError) -> Fragment {
        let start = try state(), end = try state()
        connect(start, end)
        return Fragment(start: start, end: end)
    }

    /// Matches nothing.
    mutating func never() throws(QueryError) -> Fragment { Fragment(start: try state(), end: try state()) }

    mutating func character(_ scalar: Unicode.Scalar) throws(QueryError) -> Fragment {
        let start = try state(), end = try state()
        try bytes(Array(String(scalar).utf8), from: start, to: end)
        if ignoresCase {
            for other in Self.otherCases(of: scalar) { try bytes(Array(String(other).utf8), from: start, to: end) }
        }
        return Fragment(start: start, end: end)
    }

    static func otherCases(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap { text in
            let scalars = text.unicodeScalars
            return scalars.count == 1 && scalars.first != scalar ? scalars.first : nil
        }
    }

    /// Any one of the code points in the ranges, or any but them.
    mutating func anyOf(_ ranges: [ClosedRange<UInt32>], negated: Bool = false) throws(QueryError) -> Fragment {
        let start = try state(), end = try state()
        var wanted = ranges
        if ignoresCase {
            for range in ranges where range.count <= 512 {
                for code in range {
                    guard let scalar = Unicode.Scalar(code) else { continue }
                    wanted += Self.otherCases(of: scalar).map { $0.value...$0.value }
                }
            }
        }
        for range in negated ? Self.complement(wanted) : wanted { try addRange(range, from: start, to: end) }
        return Fragment(start: start, end: end)
    }

    mutating func anyCharacter() throws(QueryError) -> Fragment { try anyOf([0...0x10FFFF]) }

    mutating func concatenate(_ a: Fragment, _ b: Fragment) -> Fragment {
        connect(a.end, b.start)
        return Fragment(start: a.start, end: b.end)
    }

    mutating func either(_ a: Fragment, _ b: Fragment) throws(QueryError) -> Fragment {
        let start = try state(), end = try state()
        connect(start, a.start)
        connect(start, b.start)
        connect(a.end, end)
        connect(b.end, end)
        return Fragment(start: start, end: end)
    }

    mutating func repeated(_ a: Fragment, atLeastOnce: Bool) throws(QueryError) -> Fragment {
        let start = try state(), end = try state()
        connect(start, a.start)
        connect(a.end, a.start)
        connect(a.end, end)
        if !atLeastOnce { connect(start, end) }
        return Fragment(start: start, end: end)
    }

    mutating func optional(_ a: Fragment) -> Fragment {
        connect(a.start, a.end)
        return a
    }

    // MARK: -

    private mutating func bytes(_ utf8: [UInt8], from start: Int, to end: Int) throws(QueryError) {
        var at = start
        for (i, byte) in utf8.enumerated() {
            let next = i == utf8.count - 1 ? end : try state()
            moves[at].append(.byte(byte, byte, next))
            at = next
        }
    }

    private static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = [], from: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > from { result.append(from...(range.lowerBound - 1)) }
            from = max(from, range.upperBound == .max ? .max : range.upperBound + 1)
        }
        if from <= 0x10FFFF { result.append(from...0x10FFFF) }
        return result
    }

    /// Splits a range of code points at the borders of UTF-8 lengths, then into runs of bytes.
    private mutating func addRange(_ range: ClosedRange<UInt32>, from start: Int, to end: Int) throws(QueryError) {
        for border: ClosedRange<UInt32> in [0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF] {
            guard range.overlaps(border) else { continue }
            let part = range.clamped(to: border)
            try addBytes(Self.encode(part.lowerBound), Self.encode(part.upperBound), at: 0, from: start, to: end)
        }
    }

    private static func encode(_ code: UInt32) -> [UInt8] { Unicode.Scalar(code).map { Array(String($0).utf8) } ?? [0] }

    /// All byte strings from `low` to `high`, which are equally long, from byte `i` on.
    private mutating func addBytes(_ low: [UInt8], _ high: [UInt8], at i: Int, from: Int, to end: Int) throws(QueryError) {
        if i == low.count - 1 {
            moves[from].append(.byte(low[i], high[i], end))
            return
        }
        if low[i] == high[i] {
            let next = try state()
            moves[from].append(.byte(low[i], low[i], next))
            try addBytes(low, high, at: i + 1, from: next, to: end)
            return
        }
        var first = low[i], last = high[i]
        if low[(i + 1)...].contains(where: { $0 != 0x80 }) {
            let next = try state()
            moves[from].append(.byte(first, first, next))
            try addBytes(low, low[...i] + [UInt8](repeating: 0xBF, count: low.count - i - 1), at: i + 1, from: next, to: end)
            first += 1
        }
        let tailIsFull = !high[(i + 1)...].contains { $0 != 0xBF }
        if !tailIsFull {
            let next = try state()
            moves[from].append(.byte(last, last, next))
            try addBytes(high[...i] + [UInt8](repeating: 0x80, count: low.count - i - 1), high, at: i + 1, from: next, to: end)
            guard last > first else { return }
            last -= 1
        }
        guard first <= last else { return }
        var at = from
        for k in i..<low.count {
            let next = k == low.count - 1 ? end : try state()
            moves[at].append(k == i ? .byte(first, last, next) : .byte(0x80, 0xBF, next))
            at = next
        }
    }
}

/// A finished pattern. Immutable; each walk makes its own `Run`, in which states become deterministic.
package final class ByteAutomaton: Sendable {
    /// Bytes that every match begins with: where a walk starts and where it ends.
    package let prefix: [UInt8]
    private let byteMoves: [[(low: UInt8, high: UInt8, to: Int32)]]
    private let emptyMoves: [[Int32]]
    private let start: Int32, end: Int32
    static let dfaStatesMax = 10_000

    init(_ builder: AutomatonBuilder, _ whole: AutomatonBuilder.Fragment, prefix: [UInt8]) {
        var byByte: [[(low: UInt8, high: UInt8, to: Int32)]] = [], byNothing: [[Int32]] = []
        for moves in builder.moves {
            var b: [(low: UInt8, high: UInt8, to: Int32)] = [], e: [Int32] = []
            for move in moves {
                switch move {
                case .byte(let low, let high, let to): b.append((low, high, Int32(truncatingIfNeeded: to)))
                case .empty(let to): e.append(Int32(truncatingIfNeeded: to))
                }
            }
            byByte.append(b)
            byNothing.append(e)
        }
        (byteMoves, emptyMoves) = (byByte, byNothing)
        (start, end) = (Int32(truncatingIfNeeded: whole.start), Int32(truncatingIfNeeded: whole.end))
        self.prefix = prefix
    }

    /// True when the whole term matches. For single terms; walks keep a `Run`.
    package func matches(_ term: some Sequence<UInt8>) -> Bool {
        var run = Run(self)
        return run.verdict(Array(term)) == .match
    }

    package enum Verdict: Equatable, Sendable {
        case match
        /// No match, but longer terms with this beginning may.
        case noMatch
        /// The first so many bytes lead nowhere.
        case dead(after: Int)
    }

    package struct Run {
        private let automaton: ByteAutomaton
        /// -1: not yet known; 0: the dead state.
        private var table: [Int32] = []
        private var sets: [[Int32]] = []
        private var accepts: [Bool] = []
        private var numbers: [[Int32]: Int32] = [:]
        private var path: [Int32] = []
        private var last: [UInt8] = []

        package init(_ automaton: ByteAutomaton) {
            self.automaton = automaton
            _ = number(of: [])
            path = [number(of: closure([automaton.start]))]
        }

        /// Terms that share a beginning with the one before go on from there.
        package mutating func verdict(_ term: [UInt8]) -> Verdict {
            var shared = 0
            while shared < term.count, shared < last.count, shared + 1 < path.count, term[shared] == last[shared] { shared += 1 }
            path.removeSubrange((shared + 1)...)
            last = term
            var state = path[shared]
            while shared < term.count {
                if state == 0 { return .dead(after: shared) }
                state = next(state, term[shared])
                path.append(state)
                shared += 1
            }
            if state == 0 { return .dead(after: term.count) }
            return accepts[Int(state)] ? .match : .noMatch
        }

        private mutating func next(_ state: Int32, _ byte: UInt8) -> Int32 {
            let slot = Int(state) << 8 | Int(byte)
            if table[slot] >= 0 { return table[slot] }
            var reached: [Int32] = []
            for from in sets[Int(state)] {
                for move in automaton.byteMoves[Int(from)] where move.low <= byte && byte <= move.high { reached.append(move.to) }
            }
            let set = closure(reached)
            // Over the bound the states start anew: slower, never larger.
            if sets.count >= ByteAutomaton.dfaStatesMax, numbers[set] == nil { return restart(set) }
            let to = number(of: set)
            table[slot] = to
            return to
        }

        private mutating func restart(_ set: [Int32]) -> Int32 {
            let kept = path.map { sets[Int($0)] }
            (table, sets, accepts, numbers) = ([], [], [], [:])
            _ = number(of: [])
            path = kept.map { number(of: $0) }
            return number(of: set)
        }

        private mutating func number(of set: [Int32]) -> Int32 {
            if let known = numbers[set] { return known }
            let n = Int32(truncatingIfNeeded: sets.count)
            numbers[set] = n
            sets.append(set)
            accepts.append(set.contains(automaton.end))
            table += [Int32](repeating: -1, count: 256)
            return n
        }

        private func closure(_ states: [Int32]) -> [Int32] {
            var seen = Set<Int32>(), open = states
            while let state = open.popLast() {
                if seen.insert(state).inserted { open += automaton.emptyMoves[Int(state)] }
            }
            return seen.sorted()
        }
    }
}

extension AutomatonBuilder.Move: Sendable {}
