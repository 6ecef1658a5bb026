// lowercase and uppercase: scalar by scalar, as Java's Character.toLowerCase, with the languages that differ
// (Turkish dotless i, Greek final sigma and accents, Irish prefixes).

import CIsothermICU

struct LowercaseFilter: TokenFilter {
    enum Language: Sendable { case any, greek, irish, turkish }
    var language = Language.any

    var isNormalizing: Bool { true }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        if lowercaseASCII(&tokens.terms) && language == .any { return }
        tokens.rewriteTerms(&scratch) { term, out in
            switch language {
            case .any: Self.lower(term, into: &out)
            case .greek: Self.greek(term, into: &out)
            case .irish: Self.irish(term, into: &out)
            case .turkish: Self.turkish(term, into: &out)
            }
        }
    }

    static func lower(_ term: Span<UInt8>, into out: inout [UInt8]) {
        var i = 0
        while i < term.count {
            let (c, n) = decodeScalar(term, i)
            out.append(scalar: c < 0x80 ? ((0x41...0x5A).contains(c) ? c | 0x20 : c) : isotherm_to_lower(c))
            i += n
        }
    }

    /// Accents dropped, final sigma made a plain one (Lucene's GreekLowerCaseFilter).
    private static func greek(_ term: Span<UInt8>, into out: inout [UInt8]) {
        var i = 0
        while i < term.count {
            let (c, n) = decodeScalar(term, i)
            let low = isotherm_to_lower(c)
            switch low {
            case 0x3C2: out.append(scalar: 0x3C3)
            case 0x3AC: out.append(scalar: 0x3B1)
            case 0x3AD: out.append(scalar: 0x3B5)
            case 0x3AE: out.append(scalar: 0x3B7)
            case 0x3AF, 0x3CA, 0x390: out.append(scalar: 0x3B9)
            case 0x3CD, 0x3CB, 0x3B0: out.append(scalar: 0x3C5)
            case 0x3CC: out.append(scalar: 0x3BF)
            case 0x3CE: out.append(scalar: 0x3C9)
            case 0x3A2: out.append(scalar: 0x3C2)
            default: out.append(scalar: low)
            }
            i += n
        }
    }

    /// n and t before a capital vowel are split off with a hyphen: nAthair, n-athair.
    private static func irish(_ term: Span<UInt8>, into out: inout [UInt8]) {
        var i = 0
        if term.count > 1, term[0] == 0x6E || term[0] == 0x74 {
            let (c, _) = decodeScalar(term, 1)
            if [0x41, 0x45, 0x49, 0x4F, 0x55, 0xC1, 0xC9, 0xCD, 0xD3, 0xDA].contains(c) {
                out.append(term[0])
                out.append(0x2D)
                i = 1
            }
        }
        lower(term.extracting(i..<term.count), into: &out)
    }

    private static func turkish(_ term: Span<UInt8>, into out: inout [UInt8]) {
        var i = 0
        while i < term.count {
            let (c, n) = decodeScalar(term, i)
            i += n
            switch c {
            case 0x49: // I: dotless, unless a combining dot follows
                var k = i, dotted = false
                while k < term.count {
                    let (mark, m) = decodeScalar(term, k)
                    guard isotherm_scalar_class(mark) & UInt16(ISOTHERM_WB_MASK) == UInt16(ISOTHERM_WB_EXTEND) else { break }
                    if mark == 0x307 {
                        dotted = true
                        break
                    }
                    k += m
                }
                if dotted {
                    out.append(0x69)
                    for b in i..<k { out.append(term[b]) }
                    i = k + 2
                } else {
                    out.append(scalar: 0x131)
                }
            case 0x130: out.append(0x69)
            default: out.append(scalar: isotherm_to_lower(c))
            }
        }
    }

    /// Lowers A-Z where all is ASCII; false, and untouched, where it is not... but for Turkish and Irish, which
    /// look at capitals themselves.
    private func lowercaseASCII(_ bytes: inout [UInt8]) -> Bool {
        guard language == .any else { return false }
        guard isASCII(bytes.span) else { return false }
        // Safe: indices below the count; without bounds checks the loop runs on vectors.
        unsafe bytes.withUnsafeMutableBufferPointer { p in
            for i in 0..<p.count {
                let b = unsafe p[i]
                unsafe p[i] = b | (b &- 0x41 < 26 ? 0x20 : 0)
            }
        }
        return true
    }
}

struct UppercaseFilter: TokenFilter {
    var isNormalizing: Bool { true }
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        tokens.rewriteTerms(&scratch) { term, out in
            var i = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                out.append(scalar: isotherm_to_upper(c))
                i += n
            }
        }
    }
}

extension TokenBuffer {
    /// Gives every token a new term: `rewrite` appends it.
    @inline(__always)
    mutating func rewriteTerms(_ scratch: inout TokenBuffer, _ rewrite: (_ term: Span<UInt8>, _ out: inout [UInt8]) -> Void) {
        scratch.terms.removeAll(keepingCapacity: true)
        scratch.terms.reserveCapacity(terms.count)
        var ends: [Int32] = []
        swap(&ends, &termEnds)
        var start = 0
        for i in ends.indices {
            let end = Int(ends[i])
            rewrite(terms.span.extracting(start..<end), &scratch.terms)
            ends[i] = Int32(clamping: scratch.terms.count)
            start = end
        }
        swap(&ends, &termEnds)
        swap(&terms, &scratch.terms)
    }
}
