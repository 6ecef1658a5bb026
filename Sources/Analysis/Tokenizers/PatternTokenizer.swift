// pattern: cuts at (or captures) the matches of a regular expression. Patterns that are one bracket class of
// ASCII characters with a plus, such as [^A-Za-z0-9]+ or \s+, need no regular expression engine: `ByteClassTokenizer`.

/// Tokens between matches (`group` -1), or group n of each match.
struct PatternTokenizer: Tokenizer {
    let regex: Regex
    let group: Int

    /// The tokenizer for a pattern: the byte-wise one where it says the same.
    static func make(_ pattern: String, flags: UInt32, group: Int, in name: String) throws(AnalysisError) -> any Tokenizer {
        if flags == 0, group == -1, let separators = ASCIIClass(pattern: pattern) { return ByteClassTokenizer(separators: separators) }
        let regex = try Regex(pattern, flags: flags, in: name)
        guard group <= regex.groupCount else { throw AnalysisError("invalid group specified: pattern only has: \(regex.groupCount) capturing groups") }
        return PatternTokenizer(regex: regex, group: group)
    }

    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        var a = TokenAttributes(type: .word)
        var last = 0
        var spans: [Range<Int>] = []
        try regex.matches(in: text) { match in
            if group >= 0 {
                if let r = match.group(group), !r.isEmpty { spans.append(r) }
            } else {
                if match.range.lowerBound > last { spans.append(last..<match.range.lowerBound) }
                last = max(last, match.range.upperBound)
            }
            return spans.count < AnalysisBounds.tokensMax
        }
        if group < 0 && last < text.count { spans.append(last..<text.count) }
        for span in spans {
            (a.start, a.end) = (Int32(clamping: span.lowerBound), Int32(clamping: span.upperBound))
            tokens.terms.append(span: text.extracting(span))
            tokens.finish(a)
            a.position &+= 1
        }
        tokens.positionCount = a.position
    }
}

/// A set of ASCII characters, and whether everything past ASCII is in it.
struct ASCIIClass: Sendable {
    private var low: UInt64 = 0, high: UInt64 = 0
    var hasRest = false

    @inline(__always)
    func contains(_ b: UInt8) -> Bool {
        b >= 0x80 ? hasRest : ((b < 64 ? low : high) >> UInt64(b & 63)) & 1 != 0
    }

    mutating func insert(_ b: UInt8) { if b < 64 { low |= 1 << UInt64(b) } else if b < 128 { high |= 1 << UInt64(b & 63) } }
    mutating func invert() { (low, high, hasRest) = (~low, ~high, !hasRest) }

    init() {}

    /// Of patterns such as [^A-Za-z0-9_]+, [ ,;]+ and \W+ (Java's: ASCII). Nil for anything else.
    init?(pattern: String) {
        var bytes = Array(pattern.utf8)[...]
        guard bytes.last == UInt8(ascii: "+"), bytes.count >= 3 else { return nil }
        bytes.removeLast()
        if bytes.first == UInt8(ascii: "\\") {
            guard bytes.count == 2, insert(escape: bytes[1]) else { return nil }
            return
        }
        guard bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") else { return nil }
        bytes = bytes.dropFirst().dropLast()
        let inverted = bytes.first == UInt8(ascii: "^")
        if inverted { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty, parse(Array(bytes)) else { return nil }
        if inverted { invert() }
    }

    private mutating func parse(_ bytes: [UInt8]) -> Bool {
        var i = 0
        while i < bytes.count {
            var b = bytes[i]
            // Nested classes, intersections and letters past ASCII are the engine's business.
            guard b < 0x80, b != UInt8(ascii: "["), b != UInt8(ascii: "]"), b != UInt8(ascii: "&"), b != UInt8(ascii: "^") else { return false }
            if b == UInt8(ascii: "\\") {
                guard i + 1 < bytes.count else { return false }
                i += 1
                b = bytes[i]
                if [UInt8(ascii: "s"), UInt8(ascii: "d"), UInt8(ascii: "w")].contains(b) {
                    guard insert(escape: b) else { return false }
                    i += 1
                    continue
                }
                switch b {
                case UInt8(ascii: "t"): b = 9
                case UInt8(ascii: "n"): b = 10
                case UInt8(ascii: "r"): b = 13
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return false
                default: break
                }
            }
            if i + 2 < bytes.count, bytes[i + 1] == UInt8(ascii: "-") {
                let end = bytes[i + 2]
                guard end < 0x80, end >= b, end != UInt8(ascii: "\\"), end != UInt8(ascii: "["), end != UInt8(ascii: "]") else { return false }
                for c in b...end { insert(c) }
                i += 3
            } else {
                guard b != UInt8(ascii: "-") || i == 0 || i == bytes.count - 1 else { return false }
                insert(b)
                i += 1
            }
        }
        return true
    }

    /// \s \d \w and their opposites.
    private mutating func insert(escape: UInt8) -> Bool {
        var set = ASCIIClass()
        switch escape | 0x20 {
        case UInt8(ascii: "s"): for b: UInt8 in [9, 10, 11, 12, 13, 32] { set.insert(b) }
        case UInt8(ascii: "d"): for b: UInt8 in 0x30...0x39 { set.insert(b) }
        case UInt8(ascii: "w"):
            for b: UInt8 in 0x30...0x39 { set.insert(b) }
            for b: UInt8 in 0x61...0x7A {
                set.insert(b)
                set.insert(b & 0xDF)
            }
            set.insert(0x5F)
        default: return false
        }
        if escape & 0x20 == 0 { set.invert() }
        low |= set.low
        high |= set.high
        hasRest = hasRest || set.hasRest
        return true
    }
}

/// Runs of bytes outside a class of separators.
struct ByteClassTokenizer: Tokenizer {
    let separators: ASCIIClass

    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        let separators = separators
        var writer = TokenWriter(type: .word)
        let count = text.count
        // Safe: every index is below `count`.
        unsafe text.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            var i = 0
            while i < count {
                while unsafe i < count && separators.contains(base[i]) { i &+= 1 }
                let start = i
                while unsafe i < count && !separators.contains(base[i]) { i &+= 1 }
                if i > start { unsafe writer.add(start, i, &tokens, bytes) }
            }
            unsafe writer.close(&tokens, bytes)
        }
    }
}
