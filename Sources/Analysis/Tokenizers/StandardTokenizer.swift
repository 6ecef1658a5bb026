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
        var i = 0
        var writer = TokenWriter(type: .alphanum)
        while i < count {
            let b = text[i]
            if usesFastPath && b < 0x80 {
                if ASCII.isWord(b) {
                    if let (end, kind) = ASCII.word(text, i, maxTokenLength) {
                        if kind != 0 { writer.add(i, end, kind & 1 != 0 ? .alphanum : .num, &tokens, text) }
                        i = end
                        continue
                    }
                } else if i + 1 == count || text[i + 1] < 0x80 {
                    i += 1
                    continue
                }
            }
            if let (end, type) = WordBreaks.token(text, i, lengthMax: maxTokenLength) {
                writer.add(i, end, type, &tokens, text)
                i = end
            } else {
                i += decodeScalar(text, i).length
            }
        }
        writer.close(&tokens, text)
    }
}

// MARK: -

/// Word breaks among ASCII bytes.
private enum ASCII {
    /// Letters, digits and '_'.
    @inline(__always) static func isWord(_ b: UInt8) -> Bool { isLetter(b) || isDigit(b) || b == 0x5F }
    @inline(__always) static func isLetter(_ b: UInt8) -> Bool { (b | 0x20) &- 0x61 < 26 }
    @inline(__always) static func isDigit(_ b: UInt8) -> Bool { b &- 0x30 < 10 }

    /// The end of the word that starts at `start`, and what is in it (bit 0 a letter, bit 1 a digit); nil
    /// when a byte past ASCII may belong to it, or it is too long.
    @inline(__always)
    static func word(_ text: Span<UInt8>, _ start: Int, _ lengthMax: Int) -> (end: Int, kind: UInt8)? {
        let count = text.count
        var i = start, kind: UInt8 = 0
        while i < count {
            let b = text[i]
            if isLetter(b) {
                kind |= 1
                i += 1
                continue
            }
            if isDigit(b) {
                kind |= 2
                i += 1
                continue
            }
            if b == 0x5F {
                i += 1
                continue
            }
            if b >= 0x80 { return nil }
            // ' . join on both sides; : letters only; , ; digits only (WB6, WB7, WB11, WB12).
            guard b == 0x27 || b == 0x2E || b == 0x3A || b == 0x2C || b == 0x3B else { break }
            guard i + 1 < count else { break }
            let before = text[i - 1], after = text[i + 1]
            if after >= 0x80 { return nil }
            let letters = b != 0x2C && b != 0x3B && isLetter(before) && isLetter(after)
            let digits = b != 0x3A && isDigit(before) && isDigit(after)
            guard letters || digits else { break }
            i += 1
        }
        if i - start > lengthMax { return nil }
        return (i, kind)
    }
}
