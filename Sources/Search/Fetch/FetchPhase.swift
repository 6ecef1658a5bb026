// Turns the places of hits into hits: identity, source as filtered, values, highlights, explanations.

internal import Bytes
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

/// One search's fetching, on one thread.
final class FetchPhase {
    private let search: PreparedSearch
    private var request: SearchRequest { search.request }
    private var sourceFilter: JSONSourceFilter?
    private let hasNames: Bool
    private var highlights: [Int: HighlightPhase] = [:]

    init(_ search: PreparedSearch) {
        self.search = search
        if case .fields(let includes, let excludes) = search.request.source {
            sourceFilter = JSONSourceFilter(includes: includes, excludes: excludes)
        }
        hasNames = search.bounds.contains { $0.plan.hasNames || ($0.postFilter?.hasNames ?? false) }
    }

    func fetch(_ hits: [CollectedHit]) throws(SearchError) -> [SearchHit] {
        var result: [SearchHit] = []
        result.reserveCapacity(hits.count)
        for hit in hits {
            do { result.append(try fetch(hit)) } catch let error as SearchError { throw error } catch let error as StorageError {
                throw .storage(error)
            } catch { throw SearchError("fetch_phase_execution_exception", "\(error)") }
        }
        return result
    }

    // MARK: -

    private func fetch(_ hit: CollectedHit) throws -> SearchHit {
        let bound = search.bounds[hit.place.target], doc = hit.place.doc
        let view = bound.target.snapshot.segments[hit.place.segment], columns = view.segment.columns
        var found = SearchHit(index: bound.target.index, id: try columns.id(of: doc), place: hit.place)
        found.routing = try columns.routing(of: doc)
        found.sort = hit.sort
        if search.ordersByScore || request.trackScores || request.sort.contains(where: { $0.target == .score }) {
            found.score = hit.score.isNaN ? nil : hit.score
        }
        if request.version { found.version = try columns.version(of: doc) }
        if request.seqNoPrimaryTerm {
            (found.sequenceNumber, found.primaryTerm) = (try columns.sequenceNumber(of: doc), try columns.primaryTerm(of: doc))
        }
        try addSource(&found, view, bound.target.snapshot.mapping)
        if hasNames {
            found.matchedQueries = try SegmentScorer(plan: bound.plan, view: view).matchedNames(doc)
            if let post = bound.postFilter { found.matchedQueries += try SegmentScorer(plan: post, view: view).matchedNames(doc) }
        }
        if request.explain { found.explanation = try Explainer(view: view, doc: doc, snapshot: bound.target.snapshot).explain(bound.plan) }
        return found
    }

    private func addSource(_ found: inout SearchHit, _ view: SegmentView, _ mapping: Mapping) throws {
        let needsTree = !request.fields.isEmpty || !(request.storedFields ?? []).isEmpty || request.highlight != nil
        guard wantsSource || needsTree, mapping.source.enabled else { return addColumns(&found, try values(found.place.doc, view, mapping, nil)) }
        let source = try view.segment.columns.source(of: found.place.doc)
        if wantsSource { found.source = try filtered(source) }
        var tree: JSONValue?
        if needsTree { tree = try? JSONValue.parse(source) }
        addColumns(&found, try values(found.place.doc, view, mapping, tree))
        if let tree, request.highlight != nil { found.highlight = try highlight(tree, found.place.target, mapping) }
    }

    private func addColumns(_ found: inout SearchHit, _ values: JSONObject) {
        if !values.isEmpty { found.fields = values }
    }

    /// `stored_fields` without `_source` turns the source off, unless a source filter asks for it.
    private var wantsSource: Bool {
        switch request.source {
        case .none: false
        case .fields: true
        case .all: request.storedFields.map { $0.contains("_source") } ?? true
        }
    }

    private func filtered(_ source: [UInt8]) throws -> [UInt8] {
        guard sourceFilter != nil, sourceFilter?.keepsEverything == false else { return source }
        // Safe: the span is read within the call, while `source` is held.
        return unsafe try sourceFilter?.filtered(source.span.bytes) ?? source
    }

    private func values(_ doc: DocID, _ view: SegmentView, _ mapping: Mapping, _ tree: JSONValue?) throws -> JSONObject {
        var result = JSONObject()
        let reader = FieldValues(mapping: mapping, view: view, doc: doc)
        for wanted in request.docvalueFields { try reader.addColumns(wanted, to: &result) }
        guard let tree else { return result }
        for wanted in request.fields { try reader.addSourceValues(wanted, from: tree, to: &result) }
        for name in request.storedFields ?? [] where name != "_source" && name != "_none_" {
            for path in mapping.paths(matching: name) where mapping.field(path)?.store == true {
                try reader.addSourceValues(FieldAndFormat(field: path), from: tree, to: &result)
            }
        }
        if let collapse = request.collapse { try reader.addColumns(FieldAndFormat(field: collapse), to: &result) }
        return result
    }

    private func highlight(_ tree: JSONValue, _ target: Int, _ mapping: Mapping) throws -> [(field: String, fragments: [String])] {
        guard let wanted = request.highlight, let highlighter = search.executor.highlighter else { return [] }
        let phase: HighlightPhase
        if let known = highlights[target] { phase = known } else {
            phase = try HighlightPhase(wanted, request.query ?? Query(.matchAll), search.bounds[target].builder)
            highlights[target] = phase
        }
        return try phase.highlights(tree, highlighter)
    }
}

extension Plan {
    /// Some clause has a `_name`.
    var hasNames: Bool {
        switch self {
        case .named: true
        case .bool(let b): (b.must + b.should + b.filter + b.mustNot).contains(where: \.hasNames)
        case .disMax(let plans, _): plans.contains(where: \.hasNames)
        case .constant(let inner, _): inner.hasNames
        case .boosting(let a, let b, _): a.hasNames || b.hasNames
        case .function(let f): f.inner.hasNames
        default: false
        }
    }
}
