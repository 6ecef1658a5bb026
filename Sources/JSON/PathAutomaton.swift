// Runs dotted paths through patterns with `*`, a byte at a time, for all patterns at once.
//
// The patterns are one nondeterministic automaton: a place is a byte of a pattern, a `*` stays where it is.
// Sets of places met on the way become states of a table that is filled as bytes come, so a path met
// before costs one look-up a byte. Its size is bounded: a full table is emptied.

package struct PathAutomaton: Sendable {
    /// `dead` when no path that begins so can match.
    package typealias State = Int32
    package static let dead: State = -1
    package static let start: State = 0

    private static let statesMax = 2_048
    private static let unknown: State = -2

    /// Pattern bytes one after the other, each pattern ended by `endMark`.
    private let bytes: [UInt16]
    private let starts: [Int32]
    private var places: [[Int32]] = []
    private var states: [[Int32]: State] = [:]
    private var accepting: [Bool] = []
    private var table: [State] = []

    private static let endMark: UInt16 = 256
    private static let star: UInt16 = 257

    /// A pattern matches the paths it spells and everything below them: "a" matches "a" and "a.b".
    package init(_ patterns: [String]) {
        var bytes: [UInt16] = [], starts: [Int32] = []
        for pattern in patterns {
            for suffix in ["", ".*"] {
                starts.append(Int32(truncatingIfNeeded: bytes.count))
                for c in (pattern + suffix).utf8 { bytes.append(c == UInt8(ascii: "*") ? Self.star : UInt16(c)) }
                bytes.append(Self.endMark)
            }
        }
        (self.bytes, self.starts) = (bytes, starts)
        _ = state(for: closure(starts))
    }

    package mutating func step(_ state: State, _ byte: UInt8) -> State {
        guard state >= 0 else { return Self.dead }
        let cell = Int(state) << 8 | Int(byte)
        let known = table[cell]
        return known == Self.unknown ? compute(state, byte, cell) : known
    }

    package mutating func step(_ state: State, _ text: RawSpan) -> State {
        var state = state
        for i in 0..<text.byteCount where state >= 0 { state = step(state, text.byte(i)) }
        return state
    }

    package func isAccepting(_ state: State) -> Bool { state >= 0 && accepting[Int(state)] }

    /// Whether the table is near its bound. `reset` may be called only where no state is held.
    package mutating func resetIfFull() {
        guard accepting.count > Self.statesMax else { return }
        (places, states, accepting, table) = ([], [:], [], [])
        _ = state(for: closure(starts))
    }

    // MARK: -

    private mutating func compute(_ from: State, _ byte: UInt8, _ cell: Int) -> State {
        var next: [Int32] = []
        for place in places[Int(from)] {
            let c = bytes[Int(place)]
            if c == Self.star { next.append(place) } else if c == UInt16(byte) { next.append(place + 1) }
        }
        let to = next.isEmpty ? Self.dead : state(for: closure(next))
        table[cell] = to
        return to
    }

    /// With what a `*` may skip; sorted, no repeats.
    private func closure(_ seeds: [Int32]) -> [Int32] {
        var all = Set<Int32>()
        for seed in seeds {
            var place = seed
            while all.insert(place).inserted, bytes[Int(place)] == Self.star { place += 1 }
        }
        return all.sorted()
    }

    private mutating func state(for set: [Int32]) -> State {
        if let known = states[set] { return known }
        let new = State(truncatingIfNeeded: places.count)
        places.append(set)
        states[set] = new
        accepting.append(set.contains { bytes[Int($0)] == Self.endMark })
        table.append(contentsOf: repeatElement(Self.unknown, count: 256))
        return new
    }
}
