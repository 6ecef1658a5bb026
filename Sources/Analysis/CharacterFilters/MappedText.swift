// A text on its way through character filters, with the way back: each filter that changes lengths leaves
// a map, and an offset in the result is led back through all of them to the original.
//
// A map is a list of (offset in the filter's output, difference to its input from there on), rising; the
// last entry at or before an offset holds (as Lucene's BaseCharFilter.addOffCorrectMap).

package struct MappedText: Sendable {
    package var bytes: [UInt8]
    /// In the order in which the filters ran.
    var maps: [OffsetMap] = []

    /// The original offset of an offset in `bytes`.
    func original(_ offset: Int32) -> Int32 {
        var offset = offset
        for map in maps.reversed() { offset = map.source(of: offset) }
        return offset
    }

    /// Collects a filter's output and its map.
    struct Builder {
        var bytes: [UInt8] = []
        var map = OffsetMap()
        private var difference = 0

        init(capacity: Int) { bytes.reserveCapacity(capacity) }

        /// Appends what stands for source bytes `sourceStart..<sourceEnd`. Offsets inside it lead to the
        /// source's start plus their distance, but never past its end.
        mutating func replace(sourceStart: Int, sourceEnd: Int, with replacement: some Collection<UInt8>) {
            let outStart = bytes.count
            bytes.append(contentsOf: replacement)
            let delta = (sourceEnd - sourceStart) - (bytes.count - outStart)
            guard delta != 0 else { return }
            if delta < 0 {
                // Longer than what it replaces: the surplus bytes all lead to the source's end.
                for k in (sourceEnd - sourceStart)..<(bytes.count - outStart) {
                    difference -= 1
                    map.add(at: outStart + k + 1, difference: difference)
                }
            } else {
                difference += delta
                map.add(at: bytes.count, difference: difference)
            }
        }
    }
}

struct OffsetMap: Sendable {
    private var entries: [(at: Int32, difference: Int32)] = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(at offset: Int, difference: Int) {
        if let last = entries.last, last.at == Int32(clamping: offset) { entries.removeLast() }
        entries.append((Int32(clamping: offset), Int32(clamping: difference)))
    }

    func source(of offset: Int32) -> Int32 {
        var low = 0, high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].at <= offset { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? offset : max(0, offset &+ entries[low - 1].difference)
    }
}
