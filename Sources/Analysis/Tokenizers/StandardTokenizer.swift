// Lucene's StandardTokenizer: words by UAX #29 over UTF-8, with the scanner's additions (southeast Asian runs
// are one token, Han and Hiragana one token per character, emoji sequences are tokens).
//
// A break found, the rest of the text can be read without what came before (WB15's pairs begin at a break
// too). So the loop stands at a break, and a token of ASCII letters, digits and joiners that ends before
// another ASCII byte is found byte by byte; whenever a byte of 0x80 or more could have a say, the scanner
// of `WordBreaks` starts again at that break. A property test holds both ways against each other.
//
// Sources: Unicode Standard Annex #29 (rules WB1-WB999), UTS #51 (emoji sequences); what Lucene makes
// tokens of: its documentation of StandardTokenizer and its behaviour.

package struct StandardTokenizer: Tokenizer {
    /// In UTF-16 code units; longer words are cut.
    let maxTokenLength: Int
    /// Tests only: false takes the slow way for every byte.
    let usesFastPath: Bool

    package init(maxTokenLength: Int = 255, usesFastPath: Bool = true) {
        self.maxTokenLength = max(1, maxTokenLength)
        self.usesFastPath = usesFastPath
    }

    package func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        let count = text.count
        var writer = TokenWriter(type: .alphanum)
        // Safe: every index into `bytes` is checked against `count` on the way.
        unsafe text.withUnsafeBufferPointer { bytes in
            unsafe ASCII.kinds.withUnsafeBufferPointer { table in
                guard let base = bytes.baseAddress, let kinds = table.baseAddress else { return }
                var i = 0
                while i < count {
                    let kind = unsafe kinds[Int(base[i])]
                    if usesFastPath && kind & ASCII.beyond == 0 {
                        if kind & ASCII.word != 0 {
                            let (end, seen) = unsafe ASCII.wordEnd(base, i, count, kinds)
                            if end >= 0 && end &- i <= maxTokenLength {
                                if seen & 3 != 0 { unsafe writer.add(i, end, seen & 1 != 0 ? .alphanum : .num, &tokens, bytes) }
                                i = end
                                continue
                            }
                        } else if unsafe i &+ 1 == count || base[i &+ 1] < 0x80 {
                            i &+= 1
                            continue
                        }
                    }
                    if let (end, type) = WordBreaks.token(text, i, lengthMax: maxTokenLength) {
                        unsafe writer.add(i, end, type, &tokens, bytes)
                        i = end
                    } else {
                        i &+= decodeScalar(text, i).length
                    }
                }
                unsafe writer.close(&tokens, bytes)
            }
        }
    }
}

// MARK: -

/// Word breaks among ASCII bytes.
private enum ASCII {
    static let letter: UInt8 = 1, digit: UInt8 = 2, underscore: UInt8 = 4, middle: UInt8 = 8, beyond: UInt8 = 16
    static let word: UInt8 = 7

    /// What each byte is to the rules.
    static let kinds: [UInt8] = (0..<256).map { b in
        switch b {
        case 0x41...0x5A, 0x61...0x7A: letter
        case 0x30...0x39: digit
        case 0x5F: underscore
        case 0x27, 0x2E, 0x3A, 0x2C, 0x3B: middle
        case 0x80...: beyond
        default: 0
        }
    }

    /// The end of the word that starts at `start`, and the kinds in it; -1 when a byte past ASCII may belong to it.
    @inline(__always)
    static func wordEnd(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ kinds: UnsafePointer<UInt8>) -> (end: Int, seen: UInt8) {
        var i = start, seen: UInt8 = 0
        while i < count {
            let b = unsafe base[i]
            let kind = unsafe kinds[Int(b)]
            if kind & word != 0 {
                seen |= kind
                i &+= 1
                continue
            }
            if kind == 0 { break }
            if kind & beyond != 0 { return (-1, 0) }
            // ' . join on both sides; : letters only; , ; digits only (WB6, WB7, WB11, WB12).
            guard i &+ 1 < count else { break }
            let before = unsafe kinds[Int(base[i &- 1])], after = unsafe kinds[Int(base[i &+ 1])]
            if after & beyond != 0 { return (-1, 0) }
            let letters = b != 0x2C && b != 0x3B && before & after & letter != 0
            let digits = b != 0x3A && before & after & digit != 0
            guard letters || digits else { break }
            i &+= 1
        }
        return (i, seen)
    }
}
