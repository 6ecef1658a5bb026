// uax_url_email: the standard tokenizer that keeps e-mail addresses and URLs whole; and classic, its older
// cousin, which keeps addresses and host names but cuts at hyphens. Addresses are recognised by shape, not by
// lists of top-level domains as Lucene does.

struct ClassicTokenizer: Tokenizer {
    let maxTokenLength: Int
    /// uax_url_email; false: classic.
    let findsAddresses: Bool

    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        var position: Int32 = 0, i = 0
        var inner = TokenBuffer()
        let standard = StandardTokenizer(maxTokenLength: maxTokenLength)
        while i < text.count {
            var end = i
            while end < text.count && !Self.isSpace(text[end]) { end += 1 }
            if end > i {
                let address = Self.address(text.extracting(i..<end), withURLs: findsAddresses)
                try standard.tokenizePlain(text.extracting(i..<(i + (address?.range.lowerBound ?? end - i))), offset: i, &inner, &tokens, &position)
                if let address {
                    tokens.terms.append(span: text.extracting((i + address.range.lowerBound)..<(i + address.range.upperBound)))
                    tokens.finish(TokenAttributes(
                        position: position, start: Int32(clamping: i + address.range.lowerBound), end: Int32(clamping: i + address.range.upperBound), type: address.type))
                    position &+= 1
                    end = i + address.range.upperBound
                }
            }
            i = max(end, i + 1)
        }
        tokens.positionCount = position
    }

    private static func isSpace(_ b: UInt8) -> Bool { b == 0x20 || (0x9...0xD).contains(b) }
    private static func isName(_ b: UInt8) -> Bool { (b | 0x20) &- 0x61 < 26 || b &- 0x30 < 10 }

    /// The first address in a piece without spaces.
    private static func address(_ piece: Span<UInt8>, withURLs: Bool) -> (range: Range<Int>, type: TokenType)? {
        if withURLs {
            for scheme in ["http://", "https://", "ftp://", "file://"] {
                let s = Array(scheme.utf8)
                guard piece.count > s.count, (0..<s.count).allSatisfy({ piece[$0] | 0x20 == s[$0] || piece[$0] == s[$0] }) else { continue }
                var end = piece.count
                while end > s.count, !isName(piece[end - 1]), piece[end - 1] != 0x2F { end -= 1 }
                return end > s.count ? (0..<end, .url) : nil
            }
        }
        for at in 0..<piece.count where piece[at] == 0x40 {
            var start = at, end = at + 1, lastDot = -1
            while start > 0, isName(piece[start - 1]) || [0x2E, 0x2D, 0x5F, 0x2B, 0x25].contains(piece[start - 1]) { start -= 1 }
            while end < piece.count, isName(piece[end]) || ((piece[end] == 0x2E || piece[end] == 0x2D) && end + 1 < piece.count && isName(piece[end + 1])) {
                if piece[end] == 0x2E { lastDot = end }
                end += 1
            }
            if start < at, lastDot > at + 1, isName(piece[start]) { return (start..<end, .email) }
        }
        return nil
    }
}

extension StandardTokenizer {
    /// Tokens of a piece of a text, appended with their offsets in the whole.
    func tokenizePlain(_ piece: Span<UInt8>, offset: Int, _ inner: inout TokenBuffer, _ tokens: inout TokenBuffer, _ position: inout Int32) throws(AnalysisError) {
        inner.removeAll()
        try tokenize(piece, into: &inner)
        for t in 0..<inner.count {
            var a = inner.attributes(t)
            (a.position, a.start, a.end) = (position, a.start &+ Int32(clamping: offset), a.end &+ Int32(clamping: offset))
            tokens.append(inner.terms[inner.range(t)], a)
            position &+= 1
        }
    }
}
