// The terms of all keyword fields of a buffer, each once: an open-addressed table from (field, bytes) to a
// number, the bytes in one arena.

internal import Bytes

struct TermHash {
    /// Term + 1; 0 is free. A power of two, at most two thirds full.
    private var slots = [UInt32](repeating: 0, count: 1024)
    private var arena: [UInt8] = []
    private var terms: [Term] = []
    /// The rank of a term within its field, after `number`.
    private var ordinals: [UInt32] = []

    private struct Term {
        var start: Int
        var length: UInt32
        var field: UInt32
        /// The hash's high half: compared before bytes are.
        var check: UInt32
    }

    var memoryBytes: Int { slots.count * 4 + arena.capacity + terms.capacity * 24 }

    mutating func place(of bytes: UnsafeRawBufferPointer, field: UInt32) -> UInt32 {
        let hash = unsafe Hash64.of(bytes, seed: UInt64(field) &* 0x9E37_79B9_7F4A_7C15)
        let check = UInt32(truncatingIfNeeded: hash >> 32), mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let id = slots[slot] - 1, term = terms[Int(id)]
            if term.check == check, term.field == field, Int(term.length) == bytes.count, unsafe same(term.start, bytes) { return id }
            slot = (slot + 1) & mask
        }
        let id = UInt32(terms.count)
        terms.append(Term(start: arena.count, length: UInt32(bytes.count), field: field, check: check))
        unsafe arena.append(contentsOf: bytes)
        slots[slot] = id + 1
        if terms.count * 3 > slots.count * 2 { grow() }
        return id
    }

    func bytes(of term: UInt32) -> ArraySlice<UInt8> {
        let t = terms[Int(term)]
        return arena[t.start..<t.start + Int(t.length)]
    }

    /// For each field its terms, sorted by bytes.
    func termsByField(count: Int) -> [[UInt32]] {
        var lists = [[UInt32]](repeating: [], count: count)
        for (i, t) in terms.enumerated() { lists[Int(t.field)].append(UInt32(i)) }
        for f in lists.indices where lists[f].count > 1 { lists[f] = sorted(lists[f]) }
        return lists
    }

    /// Gives the terms of `list` their places as ordinals.
    mutating func number(_ list: [UInt32]) {
        if ordinals.count < terms.count { ordinals = [UInt32](repeating: 0, count: terms.count) }
        for (i, t) in list.enumerated() { ordinals[Int(t)] = UInt32(i) }
    }

    func ordinal(of term: UInt32) -> UInt32 { ordinals[Int(term)] }

    // MARK: -

    private func same(_ start: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        arena.withUnsafeBytes { arena in
            // Safe: a term's bytes lie in the arena; the caller compared lengths.
            for i in 0..<bytes.count where unsafe arena[start + i] != bytes[i] { return false }
            return true
        }
    }

    /// By the first eight bytes, which mostly decide; then by all.
    private func sorted(_ list: [UInt32]) -> [UInt32] {
        var keyed = list.map { (key: head(terms[Int($0)]), term: $0) }
        keyed.sort { a, b in
            if a.key != b.key { return a.key < b.key }
            return bytes(of: a.term).lexicographicallyPrecedes(bytes(of: b.term))
        }
        return keyed.map(\.term)
    }

    private func head(_ t: Term) -> UInt64 {
        var key: UInt64 = 0
        for i in 0..<8 { key = key << 8 | (i < Int(t.length) ? UInt64(arena[t.start + i]) : 0) }
        return key
    }

    private mutating func grow() {
        var bigger = [UInt32](repeating: 0, count: slots.count * 2)
        let mask = bigger.count - 1
        for (i, t) in terms.enumerated() {
            let hash = arena.withUnsafeBytes {
                unsafe Hash64.of(UnsafeRawBufferPointer(rebasing: $0[t.start..<t.start + Int(t.length)]), seed: UInt64(t.field) &* 0x9E37_79B9_7F4A_7C15)
            }
            var slot = Int(truncatingIfNeeded: hash) & mask
            while bigger[slot] != 0 { slot = (slot + 1) & mask }
            bigger[slot] = UInt32(i) + 1
        }
        slots = bigger
    }
}
