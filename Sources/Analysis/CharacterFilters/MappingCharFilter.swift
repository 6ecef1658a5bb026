// mapping: strings replaced by strings, the longest at each place; pattern_replace: matches of a regular
// expression replaced; icu_normalizer; and the zero-width non-joiner as a space, for Persian.

import CIsothermICU

struct MappingCharFilter: CharacterFilter {
    /// By first byte; longest first.
    private let rules: [UInt8: [(from: [UInt8], to: [UInt8])]]
    var isNormalizing: Bool { true }

    init(rules lines: [String], in name: String) throws(AnalysisError) {
        var rules: [UInt8: [(from: [UInt8], to: [UInt8])]] = [:]
        for line in lines {
            guard let (left, right) = splitOnce(line, "=>") else { throw AnalysisError("Invalid Mapping Rule : [\(line)]") }
            let from = Array(unescaped(trimmed(left)).utf8), to = Array(unescaped(trimmed(right)).utf8)
            guard let first = from.first else { throw AnalysisError("Invalid Mapping Rule : [\(line)]. Illegal empty left side.") }
            if rules[first]?.contains(where: { $0.from == from }) == true { throw AnalysisError("match \"\(String(decoding: from, as: UTF8.self))\" was already added") }
            rules[first, default: []].append((from, to))
        }
        self.rules = rules.mapValues { $0.sorted { $0.from.count > $1.from.count } }
    }

    func apply(to text: inout MappedText) throws(AnalysisError) {
        let source = text.bytes
        var out = MappedText.Builder(capacity: source.count)
        var i = 0
        next: while i < source.count {
            if let candidates = rules[source[i]] {
                for rule in candidates where i + rule.from.count <= source.count && source[i..<(i + rule.from.count)].elementsEqual(rule.from) {
                    out.replace(sourceStart: i, sourceEnd: i + rule.from.count, with: rule.to)
                    i += rule.from.count
                    guard out.bytes.count <= AnalysisBounds.textBytesMax else { throw AnalysisError("the mapped text is too long") }
                    continue next
                }
            }
            out.bytes.append(source[i])
            i += 1
        }
        text.replace(with: out)
    }
}

struct PatternReplaceCharFilter: CharacterFilter {
    let regex: Regex
    let replacement: RegexReplacement
    var isNormalizing: Bool { true }

    func apply(to text: inout MappedText) throws(AnalysisError) {
        let source = text.bytes
        var out = MappedText.Builder(capacity: source.count)
        var from = 0
        var made: [UInt8] = []
        try regex.matches(in: source.span) { match in
            let r = match.range
            out.bytes.append(contentsOf: source[from..<max(from, r.lowerBound)])
            made.removeAll(keepingCapacity: true)
            replacement.append(match, of: source.span, to: &made)
            out.replace(sourceStart: r.lowerBound, sourceEnd: r.upperBound, with: made)
            from = r.upperBound
            return out.bytes.count <= AnalysisBounds.textBytesMax
        }
        out.bytes.append(contentsOf: source[from...])
        text.replace(with: out)
    }
}

struct NormalizationCharFilter: CharacterFilter {
    let form: NormalizationForm
    var isNormalizing: Bool { true }

    /// A scalar and the marks on it are normalized together: what follows a starter changes nothing before it
    /// (but for Hangul, of which the vowels and finals are taken along).
    func apply(to text: inout MappedText) throws(AnalysisError) {
        let source = text.bytes
        if form != .nfkcCasefold && isASCII(source.span) { return }
        var out = MappedText.Builder(capacity: source.count)
        var made: [UInt8] = []
        var i = 0
        while i < source.count {
            var end = i + decodeScalar(source.span, i).length
            while end < source.count {
                let (c, n) = decodeScalar(source.span, end)
                guard c >= 0x300, isotherm_scalar_class(c) & 31 == 4 || (0x1160...0x11FF).contains(c) || (0xFF9E...0xFF9F).contains(c) else { break }
                end += n
            }
            made.removeAll(keepingCapacity: true)
            form.append(source.span.extracting(i..<end), to: &made)
            out.replace(sourceStart: i, sourceEnd: end, with: made)
            i = end
        }
        text.replace(with: out)
    }
}

/// U+200C as a space.
struct PersianCharFilter: CharacterFilter {
    func apply(to text: inout MappedText) throws(AnalysisError) {
        let source = text.bytes
        guard source.contains(0xE2) else { return }
        var out = MappedText.Builder(capacity: source.count)
        var i = 0
        while i < source.count {
            if source[i] == 0xE2, i + 2 < source.count, source[i + 1] == 0x80, source[i + 2] == 0x8C {
                out.replace(sourceStart: i, sourceEnd: i + 3, with: [0x20])
                i += 3
            } else {
                out.bytes.append(source[i])
                i += 1
            }
        }
        text.replace(with: out)
    }
}

extension MappedText {
    mutating func replace(with out: Builder) {
        bytes = out.bytes
        if !out.map.isEmpty { maps.append(out.map) }
    }
}
