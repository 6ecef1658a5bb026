// Cuts passages around matches and keeps the best.
//
// A passage begins at the sentence that holds the first match not yet covered and runs over as many whole
// sentences as `fragment_size` allows; a sentence longer than that is cut at words, around the match. Its score is
// BM25 with the passage as the document (k1 1.2, b 0.75, average length 87) times a preference for early ones.

import Glibc

struct Passages {
    struct Passage {
        var start = -1
        var end = -1
        var score: Float = 0
        var matches: [HighlightMatch] = []
    }

    private let text: HighlightText
    private let settings: HighlightSettings
    private let kept: Int
    private var best: [Passage] = []
    private var current = Passage()
    private var lastEnd = 0
    /// The long sentence that earlier matches were cut from, and where its last piece ends.
    private var window = 0..<0
    private var inner = 0..<0

    init(_ text: HighlightText, _ settings: HighlightSettings) {
        self.text = text
        self.settings = settings
        kept = settings.fragmentCount == 0 ? max(1, text.values.count) : settings.fragmentCount
    }

    /// Matches come by rising start.
    mutating func add(_ match: HighlightMatch) {
        if match.start >= current.end {
            close()
            let value = text.value(at: match.start)
            let center = match.start + (match.end - match.start) / 2
            let piece = piece(around: max(match.start + 1, center), value)
            current.start = min(match.start, max(piece.lowerBound, lastEnd))
            current.end = max(match.end, piece.upperBound)
            lastEnd = current.end
        }
        current.matches.append(match)
    }

    /// In the order asked for.
    mutating func finish() -> [Passage] {
        close()
        return best.sorted { settings.ordersByScore && $0.score != $1.score ? $0.score > $1.score : $0.start < $1.start }
    }

    // MARK: -

    private mutating func close() {
        guard current.start >= 0 else { return }
        current.score = score(current)
        best.append(current)
        if best.count > kept {
            // The worst goes; of equal ones the earliest.
            var worst = 0
            for i in best.indices where (best[i].score, best[i].start) < (best[worst].score, best[worst].start) { worst = i }
            best.remove(at: worst)
        }
        current = Passage()
    }

    private func score(_ passage: Passage) -> Float {
        let k1: Float = 1.2, b: Float = 0.75, pivot: Float = 87
        let length = Float(passage.end - passage.start)
        var frequencies: [[UInt8]: (here: Int, everywhere: Int)] = [:]
        for match in passage.matches { frequencies[match.key, default: (0, match.frequency)].here += 1 }
        var sum: Float = 0
        let documents = 1 + Float(text.unitCount) / pivot
        for (here, everywhere) in frequencies.values.sorted(by: { ($0.here, $0.everywhere) < ($1.here, $1.everywhere) }) {
            let weight = (k1 + 1) * Float(log(1 + (Double(documents) + 0.5) / (Double(everywhere) + 0.5)))
            let norm = k1 * ((1 - b) + b * (length / pivot))
            sum += weight * Float(here) / (Float(here) + norm)
        }
        return sum * (1 + 1 / Float(log(Double(pivot + Float(passage.start)))))
    }

    /// The stretch to show around a place.
    private mutating func piece(around offset: Int, _ value: Int) -> Range<Int> {
        let all = text.range(of: value)
        if settings.fragmentCount == 0 { return all }
        let main = settings.breaksAtWords ? text.wordBreaks(of: value) : text.sentenceBreaks(of: value)
        if settings.breaksAtWords { return before(main, offset, all)..<after(main, offset - 1, all) }
        // Without a size a passage is one sentence.
        if settings.fragmentSize == 0 { return before(main, offset, all)..<after(main, offset - 1, all) }
        let size = settings.fragmentSize
        var start: Int, end: Int
        if offset > window.lowerBound && offset < window.upperBound {
            (start, end) = (inner.upperBound, window.upperBound)
        } else {
            start = before(main, offset, all)
            let target = offset + max(0, size - (offset - start))
            end = target + 1 > all.upperBound ? all.upperBound : before(main, target + 1, all)
            if end <= start { end = target >= all.upperBound ? all.upperBound : after(main, target, all) }
            window = start..<max(start, end)
        }
        if end - start > size {
            let words = text.wordBreaks(of: value)
            if offset - size > start { start = max(start, before(words, offset - size, all)) }
            let remaining = max(0, size - (offset - start))
            if offset + remaining < window.upperBound { end = min(window.upperBound, after(words, offset + remaining, all)) }
        }
        end = max(start, end)
        inner = start..<end
        return inner
    }

    /// The last boundary below `offset`.
    private func before(_ breaks: [Int], _ offset: Int, _ all: Range<Int>) -> Int {
        var low = 0, high = breaks.count
        while low < high {
            let middle = (low + high) / 2
            if breaks[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? all.lowerBound : breaks[low - 1]
    }

    /// The first boundary past `offset`.
    private func after(_ breaks: [Int], _ offset: Int, _ all: Range<Int>) -> Int {
        var low = 0, high = breaks.count
        while low < high {
            let middle = (low + high) / 2
            if breaks[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return low < breaks.count ? breaks[low] : all.upperBound
    }
}
