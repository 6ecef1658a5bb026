// The unified highlighter: analyzes a field's text again, finds what the query looks for, cuts the text into
// passages around the matches, scores each as if it were a small document, and marks the matches in the best.
//
//     values ──analyzer──> tokens ──terms──> matches (MatchFinder) ──sentences──> passages (Passages) ──> marked text
//
// `plain` and `fvh` are answered by the same engine. Lengths and offsets are UTF-16 code units, as Elasticsearch
// counts; values are read as one text with a separator between them, but no passage crosses it.
//
// Sources: Elasticsearch's reference of highlighting; A. Elgohary and R. Muir's design in Lucene's uhighlight
// (passages scored by BM25 with pivot 87).

internal import Analysis
package import Mappings
package import QueryDSL

package struct UnifiedHighlighter: FieldHighlighter {
    /// index.highlight.max_analyzed_offset
    let analyzedOffsetMax: Int

    package init(analyzedOffsetMax: Int = 1_000_000) { self.analyzedOffsetMax = analyzedOffsetMax }

    package func fragments(of values: [String], field: FieldType, terms: QueryTerms.Field, options: Highlight.Options) throws(SearchError) -> [String] {
        let settings = try HighlightSettings(options)
        let text = HighlightText(values)
        let limit = options.maxAnalyzedOffset ?? analyzedOffsetMax
        if options.maxAnalyzedOffset == nil, text.unitCount > limit, field.indexOptions < .offsets || settings.isPlain {
            throw SearchError(
                "illegal_argument_exception",
                "The length [\(text.unitCount)] of field [\(field.path)] exceeds the [index.highlight.max_analyzed_offset] limit [\(limit)]. To avoid this error, set the query parameter [max_analyzed_offset] to a value less than index setting [\(limit)] and this will tolerate long field values by truncating them.")
        }
        var finder = MatchFinder(terms, joinsPhrases: options.requireFieldMatch != false)
        for n in values.indices {
            try finder.add(text, value: n, analyzer: field.analyzer ?? field.normalizer, limit: options.maxAnalyzedOffset ?? Int.max)
        }
        let matches = finder.sortedMatches
        var passages = Passages(text, settings)
        for match in matches { passages.add(match) }
        let best = passages.finish()
        if best.isEmpty { return text.opening(settings.noMatchSize).map { [settings.encode($0)] } ?? [] }
        return best.map { format($0, text, settings) }
    }

    private func format(_ passage: Passages.Passage, _ text: HighlightText, _ settings: HighlightSettings) -> String {
        var out = "", at = passage.start
        for match in passage.matches.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
            if match.start > at { out += settings.encode(text.string(at..<match.start)) }
            if match.end > at {
                out += settings.preTag + settings.encode(text.string(max(at, match.start)..<match.end)) + settings.postTag
                at = match.end
            }
        }
        if passage.end > at { out += settings.encode(text.string(at..<passage.end)) }
        return trimmedBlanks(out)
    }
}

/// Options with their defaults filled in.
struct HighlightSettings {
    var fragmentSize = 100
    /// Zero: every value that matches, whole.
    var fragmentCount = 5
    var noMatchSize = 0
    var preTag = "<em>", postTag = "</em>"
    var ordersByScore = false
    var encodesHTML = false
    var breaksAtWords = false
    var isPlain = false

    init(_ o: Highlight.Options) throws(SearchError) {
        fragmentSize = min(max(0, o.fragmentSize ?? 100), Int(Int32.max))
        fragmentCount = o.numberOfFragments ?? 5
        guard fragmentCount >= 0 else { throw SearchError("illegal_argument_exception", "[number_of_fragments] is [\(fragmentCount)]: give 0 or more") }
        fragmentCount = min(fragmentCount, 1_000_000)
        noMatchSize = max(0, o.noMatchSize ?? 0)
        preTag = o.preTags?.first ?? preTag
        postTag = o.postTags?.first ?? postTag
        ordersByScore = o.order == "score"
        encodesHTML = o.encoder == "html"
        breaksAtWords = o.boundaryScanner == "word"
        isPlain = o.type == "plain"
        if let type = o.type, !["unified", "plain", "fvh"].contains(type) {
            throw SearchError("illegal_argument_exception", "unknown highlighter type [\(type)]: use unified, plain or fvh")
        }
    }

    func encode(_ text: String) -> String {
        guard encodesHTML else { return text }
        var out = ""
        for c in text.unicodeScalars {
            switch c {
            case "\"": out += "&quot;"
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "'": out += "&#x27;"
            case "/": out += "&#x2F;"
            default: out.unicodeScalars.append(c)
            }
        }
        return out
    }
}

func trimmedBlanks(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var start = 0, end = scalars.count
    while start < end, scalars[start].value <= 0x20 { start += 1 }
    while end > start, scalars[end - 1].value <= 0x20 { end -= 1 }
    if start == 0 && end == scalars.count { return text }
    var out = String.UnicodeScalarView()
    out.append(contentsOf: scalars[start..<end])
    return String(out)
}
