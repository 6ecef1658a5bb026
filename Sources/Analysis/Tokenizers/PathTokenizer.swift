// path_hierarchy: a/b/c as a, a/b and a/b/c (all at one position); reversed: a/b/c, b/c and c.

struct PathTokenizer: Tokenizer {
    let delimiter: UInt32
    let replacement: UInt32
    let reverse: Bool
    let skip: Int

    static func make(_ d: Definition) throws(AnalysisError) -> PathTokenizer {
        func one(_ key: String) throws(AnalysisError) -> UInt32? {
            guard let text = d.string(key) else { return nil }
            let scalars = Array(text.unicodeScalars)
            guard scalars.count == 1 else { throw AnalysisError("\(key) must be a one char value") }
            return scalars[0].value
        }
        let delimiter = try one("delimiter") ?? 0x2F
        return PathTokenizer(delimiter: delimiter, replacement: try one("replacement") ?? delimiter, reverse: try d.bool("reverse", false), skip: try d.int("skip", 0))
    }

    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        guard text.count > 0 else { return }
        var found: [(start: Int, end: Int)] = []
        var i = 0
        while i < text.count {
            let (c, n) = decodeScalar(text, i)
            if c == delimiter { found.append((i, i + n)) }
            i += n
        }
        var pieces: [Range<Int>] = []
        if reverse {
            var end = text.count
            if skip > 0 {
                let inner = found.filter { $0.end < text.count }
                guard skip <= inner.count else { return }
                end = inner[inner.count - skip].end
            }
            for start in [0] + found.map(\.end) where start < end { pieces.append(start..<end) }
        } else {
            var start = 0
            if skip > 0 {
                let inner = found.filter { $0.start > 0 }
                guard skip <= inner.count else { return }
                start = inner[skip - 1].start
            }
            for end in found.map(\.start) + [text.count] where end > start { pieces.append(start..<end) }
        }
        var bytes = 0
        for piece in pieces {
            bytes += piece.count
            guard bytes <= AnalysisBounds.termBytesMax else { throw AnalysisError("the path is too deep: its prefixes take more than \(AnalysisBounds.termBytesMax) bytes") }
            var k = piece.lowerBound
            while k < piece.upperBound {
                let (c, n) = decodeScalar(text, k)
                tokens.terms.append(scalar: c == delimiter ? replacement : c)
                k += n
            }
            tokens.finish(TokenAttributes(start: Int32(clamping: piece.lowerBound), end: Int32(clamping: piece.upperBound), type: .word))
        }
        tokens.positionCount = pieces.isEmpty ? 0 : 1
    }
}
