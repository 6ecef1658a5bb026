// The heart of the `product` analyzer: what a shop's customers write in several ways becomes the same terms.
//
//     ps-5  ps5  ps 5         ps5   (also ps and 5, so that either part finds it)
//     12 v  12v  3.5 mm       12v, 3.5mm
//     wi-fi wifi              wifi  (also wi and fi)
//     head set, headset       headset beside head and set: neighbouring words of three letters and more, joined
//     WH-1000XM4              wh1000xm4 beside wh and 1000xm4
//
// It stands behind the whitespace-free tokenizer below, which cuts at everything but letters, digits and a point or
// comma within a number. Each token keeps its position; what is joined from it and its neighbour stands at the same
// position with length 1, as a synonym, so lengths and phrases are as without. Plurals are folded by the S-stemmer
// only: Porter's makes "controller" and "control" one, which costs a shop more than it gains.
//
// Measured on icecat-products, 116 queries, linear nDCG@10, BM25 over title and short_description: 0.763 against
// `english` 0.747 and unstemmed 0.714 (docs/analysis.md).

import CIsothermICU

struct ProductFilter: TokenFilter {
    private let stop = TermSet(StopWords.named("_english_") ?? [])
    private static let units = TermSet([
        "v", "w", "a", "mah", "wh", "kwh", "kw", "mw", "mm", "cm", "m", "km", "in", "inch", "inches", "ft", "g", "kg", "mg", "lb", "lbs", "oz", "l", "ml", "gb", "tb",
        "mb", "kb", "mbps", "gbps", "mhz", "ghz", "hz", "khz", "db", "dpi", "px", "mp", "ohm", "va", "kva", "rpm", "bit", "pin", "port", "pc", "pcs", "p", "k", "x",
    ])

    /// - Precondition: offsets are those of the text whose gaps `gap` tells; terms are lower case.
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        let count = tokens.count
        var kinds: [Kind] = []
        kinds.reserveCapacity(count)
        for i in 0..<count { kinds.append(Kind(tokens.terms.span.extracting(tokens.range(i)))) }
        for i in 0..<count {
            var a = tokens.attributes(i)
            let r = tokens.range(i)
            a.type = .word
            if stop.contains(tokens.terms.span.extracting(r)) { continue }
            let from = scratch.terms.count
            stem(tokens.terms.span.extracting(r), into: &scratch.terms)
            let first = from..<scratch.terms.count
            scratch.finish(a)
            guard i + 1 < count, joins(tokens, i, kinds) else { continue }
            let next = tokens.range(i + 1)
            if stop.contains(tokens.terms.span.extracting(next)) && kinds[i] == kinds[i + 1] { continue }
            if kinds[i] == .letters && kinds[i + 1] == .letters {
                // Stems joined, so that "smart watches" is "smartwatch".
                for k in first { scratch.terms.append(scratch.terms[k]) }
            } else {
                scratch.terms.append(contentsOf: tokens.terms[r])
            }
            stem(tokens.terms.span.extracting(next), into: &scratch.terms)
            var joined = a
            joined.end = tokens.endOffsets[i + 1]
            joined.type = .synonym
            scratch.finish(joined)
        }
        scratch.positionCount = tokens.positionCount
        swap(&tokens, &scratch)
    }

    private func stem(_ term: Span<UInt8>, into out: inout [UInt8]) {
        var n = term.count
        if n > 2, term[n - 1] == UInt8(ascii: "s"), term[n - 2] == UInt8(ascii: "'") { n -= 2 }
        let start = out.count
        out.append(span: term.extracting(0..<n))
        guard n >= 3, out[start + n - 1] == UInt8(ascii: "s") else { return }
        switch out[start + n - 2] {
        case UInt8(ascii: "u"), UInt8(ascii: "s"): return
        case UInt8(ascii: "e"):
            let before = out[start + n - 3]
            if n > 3, before == UInt8(ascii: "i"), out[start + n - 4] != UInt8(ascii: "a"), out[start + n - 4] != UInt8(ascii: "e") {
                out[start + n - 3] = UInt8(ascii: "y")
                out.removeLast(2)
                return
            }
            // watches, dishes, boxes, glasses: the whole ending.
            let two = n > 4 ? out[start + n - 4] : 0
            if before == UInt8(ascii: "x") || (before == UInt8(ascii: "h") && (two == UInt8(ascii: "c") || two == UInt8(ascii: "s")))
                || (before == UInt8(ascii: "s") && two == UInt8(ascii: "s"))
            {
                out.removeLast(2)
                return
            }
            if before == UInt8(ascii: "i") || before == UInt8(ascii: "a") || before == UInt8(ascii: "o") || before == UInt8(ascii: "e") { return }
            out.removeLast()
        case 0x30...0x39: return
        default: out.removeLast()
        }
    }

    private enum Kind: Equatable {
        case letters, digits, mixed
        init(_ term: Span<UInt8>) {
            var letters = false, digits = false
            for i in 0..<term.count {
                let b = term[i]
                if b &- 0x30 < 10 { digits = true } else if b != 0x2E && b != 0x2C { letters = true }
            }
            self = letters && digits ? .mixed : digits ? .digits : .letters
        }
    }

    private func joins(_ tokens: TokenBuffer, _ i: Int, _ kinds: [Kind]) -> Bool {
        let a = tokens.range(i), b = tokens.range(i + 1)
        let gap = tokens.startOffsets[i + 1] &- tokens.endOffsets[i]
        guard gap <= 1, a.count + b.count <= 24 else { return false }
        // A hyphen, slash or point between is one mark, as is a blank; type tells them apart.
        if tokens.types[i + 1] == .company { return true }
        switch (kinds[i], kinds[i + 1]) {
        case (.digits, .letters): return Self.units.contains(tokens.terms.span.extracting(b))
        case (.letters, .digits): return a.count <= 4 && b.count <= 4
        case (.letters, .letters): return a.count >= 3 && b.count >= 3 && a.count + b.count <= 16
        default: return false
        }
    }
}

/// Letters and digits, with a point or comma inside a number and an apostrophe inside a word. A token that follows
/// a hyphen, slash or point at once has the type `.company` until the filter has seen it.
struct ProductTokenizer: Tokenizer {
    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError) {
        var a = TokenAttributes(type: .word)
        var i = 0, previousEnd = -2
        while i < text.count {
            let (c, n) = decodeScalar(text, i)
            guard Self.isWord(c) else {
                i += n
                continue
            }
            let start = i
            i += n
            while i < text.count {
                let (c, n) = decodeScalar(text, i)
                if Self.isWord(c) {
                    i += n
                } else if i + n < text.count, Self.joins(c, before: text[i - 1], after: text[i + n]) {
                    i += n
                } else {
                    break
                }
            }
            let glued = start == previousEnd + 1 && (text[previousEnd] == 0x2D || text[previousEnd] == 0x2F || text[previousEnd] == 0x2E)
            (a.start, a.end, a.type) = (Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: i), glued ? .company : .word)
            // Longer than any word or number a catalogue has: cut, as the standard tokenizer does.
            if i - start <= 255 {
                tokens.terms.append(span: text.extracting(start..<i))
                tokens.finish(a)
                a.position &+= 1
            } else {
                var from = start
                while from < i {
                    var to = min(from + 255, i)
                    while to < i, to > from + 1, text[to] & 0xC0 == 0x80 { to -= 1 }
                    (a.start, a.end) = (Int32(truncatingIfNeeded: from), Int32(truncatingIfNeeded: to))
                    tokens.terms.append(span: text.extracting(from..<to))
                    tokens.finish(a)
                    a.position &+= 1
                    from = to
                }
            }
            previousEnd = i
        }
        tokens.positionCount = a.position
    }

    private static func joins(_ c: UInt32, before: UInt8, after: UInt8) -> Bool {
        let digits = before &- 0x30 < 10 && after &- 0x30 < 10
        let letters = before | 0x20 >= 0x61 && after | 0x20 >= 0x61
        return c == 0x2E || c == 0x2C ? digits : c == 0x27 ? letters : false
    }

    private static func isWord(_ c: UInt32) -> Bool {
        if c < 0x80 { return (c | 0x20) &- 0x61 < 26 || c &- 0x30 < 10 }
        let flags = isotherm_scalar_class(c)
        return flags & UInt16(ISOTHERM_IS_LETTER | ISOTHERM_IS_DIGIT) != 0 || flags & UInt16(ISOTHERM_WB_MASK) == UInt16(ISOTHERM_WB_EXTEND)
    }
}
