// Which fields of a hit are highlighted, with what and how: patterns resolved and options merged once per search.

internal import JSON
internal import Mappings
internal import QueryDSL

struct HighlightPhase {
    private struct Field {
        var path: String
        var type: FieldType
        var terms: QueryTerms.Field
        var options: Highlight.Options
    }

    private var fields: [Field] = []

    init(_ highlight: Highlight, _ query: Query, _ builder: PlanBuilder) throws(SearchError) {
        let mapping = builder.snapshot.mapping
        let whole = try builder.terms(highlight.options.query ?? query)
        for wanted in highlight.fields {
            let options = wanted.options.over(highlight.options)
            let terms = try wanted.options.query.map { q throws(SearchError) in try builder.terms(q) } ?? whole
            let isPattern = wanted.pattern.contains("*")
            for path in mapping.paths(matching: wanted.pattern) {
                guard let type = mapping.field(path), type.kind == .text || type.kind == .keyword || !isPattern else { continue }
                var own = QueryTerms.Field()
                for name in [type.path] + (options.matchedFields ?? []) { own.add(terms.fields[name]) }
                if options.requireFieldMatch == false { own = terms.everyField }
                if own.isEmpty, (options.noMatchSize ?? 0) == 0 { continue }
                fields.append(Field(path: path, type: type, terms: own, options: options))
            }
        }
    }

    func highlights(_ source: JSONValue, _ highlighter: any FieldHighlighter) throws(SearchError) -> [(field: String, fragments: [String])] {
        var result: [(field: String, fragments: [String])] = []
        for field in fields {
            let values = SourcePath.values(of: field.path, in: source, orParentOf: field.type).map(\.queryText)
            guard !values.isEmpty else { continue }
            let fragments = try highlighter.fragments(of: values, field: field.type, terms: field.terms, options: field.options)
            if !fragments.isEmpty { result.append((field.path, fragments)) }
        }
        return result
    }
}

extension QueryTerms.Field {
    mutating func add(_ other: QueryTerms.Field?) {
        guard let other else { return }
        terms.formUnion(other.terms)
        patterns += other.patterns
        phrases += other.phrases
    }
}

extension Highlight.Options {
    /// The field's own where given, else the request's.
    func over(_ base: Highlight.Options) -> Highlight.Options {
        var o = self
        o.type = type ?? base.type
        o.fragmentSize = fragmentSize ?? base.fragmentSize
        o.numberOfFragments = numberOfFragments ?? base.numberOfFragments
        o.noMatchSize = noMatchSize ?? base.noMatchSize
        o.preTags = preTags ?? base.preTags
        o.postTags = postTags ?? base.postTags
        o.requireFieldMatch = requireFieldMatch ?? base.requireFieldMatch
        o.order = order ?? base.order
        o.encoder = encoder ?? base.encoder
        o.boundaryScanner = boundaryScanner ?? base.boundaryScanner
        o.boundaryScannerLocale = boundaryScannerLocale ?? base.boundaryScannerLocale
        o.boundaryChars = boundaryChars ?? base.boundaryChars
        o.matchedFields = matchedFields ?? base.matchedFields
        o.maxAnalyzedOffset = maxAnalyzedOffset ?? base.maxAnalyzedOffset
        return o
    }
}
