// The values of a field as one text of UTF-16 code units, a unit between any two, with their sentence and word
// boundaries found when first asked for.

internal import Analysis

final class HighlightText {
    let values: [[UInt8]]
    private let offsets: [UTF16Offsets]
    /// Where each value starts.
    private(set) var starts: [Int] = []
    let unitCount: Int
    private var sentences: [[Int]?]
    private var words: [[Int]?]

    init(_ texts: [String]) {
        values = texts.map { Array($0.utf8) }
        offsets = values.map { UTF16Offsets($0) }
        var at = 0
        for offset in offsets {
            starts.append(at)
            at += offset.count + 1
        }
        unitCount = max(0, at - 1)
        sentences = [[Int]?](repeating: nil, count: values.count)
        words = sentences
    }

    /// Where a byte of a value lies in the whole.
    func unit(_ byte: Int, of value: Int) -> Int { starts[value] + offsets[value].at(byte) }

    func range(of value: Int) -> Range<Int> { starts[value]..<(starts[value] + offsets[value].count) }

    func value(at unit: Int) -> Int {
        var low = 0, high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= unit { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// Units of one value (what lies past it is cut off).
    func string(_ units: Range<Int>) -> String {
        let v = value(at: units.lowerBound)
        guard v < values.count else { return "" }
        let from = byte(units.lowerBound - starts[v], v), to = byte(units.upperBound - starts[v], v)
        return String(decoding: values[v][from..<max(from, to)], as: UTF8.self)
    }

    func sentenceBreaks(of value: Int) -> [Int] { breaks(value, \.sentences, .sentences) }
    func wordBreaks(of value: Int) -> [Int] { breaks(value, \.words, .words) }

    /// The start of the first value that is not empty, to the end of the word at `size`; nil when there is none.
    func opening(_ size: Int) -> String? {
        guard size > 0, let v = values.firstIndex(where: { !$0.isEmpty }) else { return nil }
        let all = range(of: v)
        var end = all.upperBound
        if size < all.count { end = wordBreaks(of: v).first { $0 > all.lowerBound + size } ?? end }
        return trimmedBlanks(string(all.lowerBound..<end))
    }

    // MARK: -

    private func byte(_ unit: Int, _ v: Int) -> Int {
        // Units rise with bytes: search the first byte at that unit.
        var low = 0, high = values[v].count
        while low < high {
            let middle = (low + high) / 2
            if offsets[v].at(middle) < unit { low = middle + 1 } else { high = middle }
        }
        while low < values[v].count, values[v][low] & 0xC0 == 0x80 { low += 1 }
        return low
    }

    private func breaks(_ value: Int, _ kept: ReferenceWritableKeyPath<HighlightText, [[Int]?]>, _ iterator: BreakIterator) -> [Int] {
        if let known = self[keyPath: kept][value] { return known }
        var found = [starts[value]]
        let bytes = values[value]
        iterator.forEach(in: bytes.span) { end, _ in found.append(unit(end, of: value)) }
        if found.last != range(of: value).upperBound { found.append(range(of: value).upperBound) }
        self[keyPath: kept][value] = found
        return found
    }
}
