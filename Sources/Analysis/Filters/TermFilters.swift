// Filters that rewrite terms one by one: folding, normalization forms, trim, truncate, reverse, elision,
// apostrophe, decimal_digit, cjk_width, pattern_replace.

import CIsothermICU

/// asciifolding. With `preservesOriginal` a folded term stands before the original at its position.
struct ASCIIFoldingFilter: TokenFilter {
    let preservesOriginal: Bool
    var isNormalizing: Bool { true }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        if isASCII(tokens.terms.span) { return }
        guard preservesOriginal else { return tokens.rewriteTerms(&scratch) { Self.fold($0, into: &$1) } }
        let count = tokens.positionCount
        var folded: [UInt8] = []
        for i in 0..<tokens.count {
            let term = tokens.terms[tokens.range(i)]
            folded.removeAll(keepingCapacity: true)
            Self.fold(Array(term).span, into: &folded)
            if folded != Array(term) { scratch.append(folded, tokens.attributes(i)) }
            scratch.append(i, of: tokens)
        }
        scratch.positionCount = count
        swap(&tokens, &scratch)
    }

    static func fold(_ term: Span<UInt8>, into out: inout [UInt8]) {
        var i = 0
        while i < term.count {
            let (c, n) = decodeScalar(term, i)
            if c >= 0x80, let ascii = ASCIIFolds.fold(c) { out.append(contentsOf: ascii) } else { out.append(scalar: c) }
            i += n
        }
    }
}

/// icu_normalizer; and icu_folding, which drops marks after NFKC case folding.
struct NormalizationFilter: TokenFilter {
    let form: NormalizationForm
    var dropsMarks = false
    var isNormalizing: Bool { true }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.rewriteTerms(&scratch) { term, out in
            guard dropsMarks, !isASCII(term) else { return form.append(term, to: &out) }
            var folded: [UInt8] = [], apart: [UInt8] = [], bare: [UInt8] = []
            form.append(term, to: &folded)
            NormalizationForm.nfd.append(folded.span, to: &apart)
            var i = 0
            while i < apart.count {
                let (c, n) = decodeScalar(apart.span, i)
                if isotherm_is_mark(c) == 0 {
                    let digit = c >= 0x80 ? isotherm_digit_value(c) : -1
                    if digit >= 0 { bare.append(UInt8(truncatingIfNeeded: 0x30 + digit)) }
                    else if c >= 0x80, c < 0x2100, let ascii = ASCIIFolds.fold(c) { bare.append(contentsOf: ascii) }
                    else { bare.append(scalar: c) }
                }
                i += n
            }
            NormalizationForm.nfc.append(bare.span, to: &out)
        }
    }
}

struct TrimFilter: TokenFilter {
    var isNormalizing: Bool { true }
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.rewriteTerms(&scratch) { term, out in
            // Java's String.trim-like: whitespace at both ends.
            var start = 0, end = term.count
            while start < end {
                let (c, n) = decodeScalar(term, start)
                guard isotherm_scalar_class(c) & UInt16(ISOTHERM_IS_WHITESPACE) != 0 else { break }
                start += n
            }
            while end > start {
                let last = scalarStart(term, before: end)
                guard isotherm_scalar_class(decodeScalar(term, last).scalar) & UInt16(ISOTHERM_IS_WHITESPACE) != 0 else { break }
                end = last
            }
            out.append(span: term.extracting(start..<end))
        }
    }
}

/// The first `length` UTF-16 code units (never half a pair).
struct TruncateFilter: TokenFilter {
    let length: Int
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.rewriteTerms(&scratch) { term, out in
            if term.count <= length { return out.append(span: term) }
            var i = 0, units = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                units += c >= 0x10000 ? 2 : 1
                if units > length { break }
                i += n
            }
            out.append(span: term.extracting(0..<i))
        }
    }
}

struct ReverseFilter: TokenFilter {
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.rewriteTerms(&scratch) { term, out in
            var end = term.count
            while end > 0 {
                let start = scalarStart(term, before: end)
                out.append(span: term.extracting(start..<end))
                end = start
            }
        }
    }
}

/// Drops articles before an apostrophe: l'avion, avion.
struct ElisionFilter: TokenFilter {
    let articles: TermSet
    var isNormalizing: Bool { true }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.rewriteTerms(&scratch) { term, out in
            var i = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                if c == 0x27 || c == 0x2019 {
                    if articles.contains(term.extracting(0..<i)) { return out.append(span: term.extracting((i + n)..<term.count)) }
                    break
                }
                i += n
            }
            out.append(span: term)
        }
    }
}

/// Drops an apostrophe and what follows (Turkish).
struct ApostropheFilter: TokenFilter {
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.rewriteTerms(&scratch) { term, out in
            var i = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                if c == 0x27 || c == 0x2019 { break }
                i += n
            }
            out.append(span: term.extracting(0..<i))
        }
    }
}

/// classic: drops 's from <APOSTROPHE> tokens and dots from acronyms.
struct ClassicFilter: TokenFilter {
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        try PossessiveFilter().apply(to: &tokens, scratch: &scratch)
    }
}

struct DecimalDigitFilter: TokenFilter {
    var isNormalizing: Bool { true }
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        if isASCII(tokens.terms.span) { return }
        tokens.rewriteScalars(&scratch) { c, out in
            let digit = c >= 0x80 ? isotherm_digit_value(c) : -1
            out.append(scalar: digit >= 0 ? UInt32(0x30 + digit) : c)
        }
    }
}

/// Fullwidth ASCII to ASCII, halfwidth Katakana to Katakana (with their voice marks joined).
struct CJKWidthFilter: TokenFilter {
    var isNormalizing: Bool { true }
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        if isASCII(tokens.terms.span) { return }
        tokens.rewriteTerms(&scratch) { term, out in
            var i = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                if (0xFF01...0xFF5E).contains(c) {
                    out.append(scalar: c - 0xFEE0)
                    i += n
                } else if (0xFF65...0xFF9F).contains(c) {
                    // A run of halfwidth Katakana: its compatibility form joins the voice marks.
                    var end = i
                    while end < term.count, (0xFF65...0xFF9F).contains(decodeScalar(term, end).scalar) { end += 3 }
                    NormalizationForm.nfkc.append(term.extracting(i..<min(end, term.count)), to: &out)
                    i = end
                } else {
                    out.append(scalar: c)
                    i += n
                }
            }
        }
    }
}

/// pattern_replace over terms.
struct PatternReplaceFilter: TokenFilter {
    let regex: Regex
    let replacement: RegexReplacement
    let all: Bool
    var isNormalizing: Bool { true }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        let terms = tokens.terms, ends = tokens.termEnds
        var start = 0
        for i in 0..<ends.count {
            let end = Int(ends[i])
            let term = terms.span.extracting(start..<end)
            var from = 0
            try regex.matches(in: term) { match in
                let r = match.range
                scratch.terms.append(span: term.extracting(from..<max(from, r.lowerBound)))
                replacement.append(match, of: term, to: &scratch.terms)
                from = r.upperBound
                return all && scratch.terms.count < AnalysisBounds.textBytesMax
            }
            scratch.terms.append(span: term.extracting(from..<term.count))
            tokens.termEnds[i] = Int32(clamping: scratch.terms.count)
            start = end
        }
        swap(&tokens.terms, &scratch.terms)
    }
}

/// A replacement in Java's notation: $1, ${name}, \$.
struct RegexReplacement: Sendable {
    private enum Part: Sendable { case bytes([UInt8]), group(Int), named(String) }
    private var parts: [Part] = []

    init(_ text: String) {
        var bytes = Array(text.utf8)[...]
        var plain: [UInt8] = []
        while let b = bytes.popFirst() {
            if b == UInt8(ascii: "\\"), let next = bytes.popFirst() {
                plain.append(next)
            } else if b == UInt8(ascii: "$"), let next = bytes.first, next &- 0x30 < 10 {
                var n = 0
                while let d = bytes.first, d &- 0x30 < 10, n < 100 {
                    n = n * 10 + Int(d - 0x30)
                    bytes.removeFirst()
                }
                parts += [.bytes(plain), .group(n)]
                plain = []
            } else if b == UInt8(ascii: "$"), bytes.first == UInt8(ascii: "{"), let close = bytes.firstIndex(of: UInt8(ascii: "}")) {
                parts += [.bytes(plain), .named(String(decoding: bytes[(bytes.startIndex + 1)..<close], as: UTF8.self))]
                plain = []
                bytes = bytes[(close + 1)...]
            } else {
                plain.append(b)
            }
        }
        parts.append(.bytes(plain))
    }

    func append(_ match: Regex.Matcher, of text: Span<UInt8>, to out: inout [UInt8]) {
        for part in parts {
            switch part {
            case .bytes(let b): out.append(contentsOf: b)
            case .group(let n): if let r = match.group(n) { out.append(span: text.extracting(r)) }
            case .named(let name): if let n = match.number(ofGroup: name), let r = match.group(n) { out.append(span: text.extracting(r)) }
            }
        }
    }
}

extension TokenBuffer {
    mutating func rewriteScalars(_ scratch: inout TokenBuffer, _ rewrite: (UInt32, inout [UInt8]) -> Void) {
        rewriteTerms(&scratch) { term, out in
            var i = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                rewrite(c, &out)
                i += n
            }
        }
    }
}
