// rescore: the best hits of the query scored again by a second, dearer one. Collapse: one hit per value of a field.

internal import Bytes
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

extension PreparedSearch {
    /// Hits of the window are ordered anew among themselves; those behind it stay behind.
    func rescore(_ result: inout CollectedHits) throws(SearchError) {
        for rescore in request.rescore {
            var plans: [Plan] = []
            for bound in bounds { plans.append(try bound.builder.plan(rescore.query)) }
            var window = Array(result.hits.prefix(rescore.windowSize))
            for i in window.indices {
                let place = window[i].place
                let second: Float?
                do throws(StorageError) {
                    let view = bounds[place.target].target.snapshot.segments[place.segment]
                    second = try SegmentScorer(plan: plans[place.target], view: view).score(of: place.doc)
                } catch { throw .storage(error) }
                window[i].score = rescore.combine(window[i].score, second)
            }
            window.sort(by: BestHits.isBetter)
            result.hits.replaceSubrange(0..<window.count, with: window)
        }
        for i in result.hits.indices where result.hits[i].sort != nil { result.hits[i].sort = [.number(Double(result.hits[i].score))] }
        result.maxScore = result.hits.map(\.score).max()
    }

    /// Collects ever more hits until enough groups are among them or there are no more.
    func collapsed(by field: String, _ wanted: Int) throws(SearchError) -> CollectedHits {
        for bound in bounds {
            guard let type = bound.builder.snapshot.mapping.field(field) else {
                throw SearchError("illegal_argument_exception", "no mapping found for `\(field)` in order to collapse on")
            }
            guard type.kind != .text, type.docValues else {
                throw SearchError("illegal_argument_exception", "cannot collapse on field `\(field)` without `doc_values`: collapse on a keyword or number field")
            }
        }
        var window = max(64, 4 * wanted)
        while true {
            var result = try collect(window)
            let isAll = result.hits.count < window
            result.hits = try firstOfEachGroup(result.hits, field)
            if isAll || result.hits.count >= wanted { return result }
            window *= 4
        }
    }

    // MARK: -

    private func firstOfEachGroup(_ hits: [CollectedHit], _ field: String) throws(SearchError) -> [CollectedHit] {
        var seen = Set<[UInt8]>(), kept: [CollectedHit] = []
        for hit in hits {
            let view = bounds[hit.place.target].target.snapshot.segments[hit.place.segment]
            do throws(StorageError) {
                if seen.insert(try group(of: hit.place.doc, field, bounds[hit.place.target].builder.snapshot, view)).inserted { kept.append(hit) }
            } catch { throw .storage(error) }
        }
        return kept
    }

    /// Documents without the field are one group.
    private func group(of doc: DocID, _ field: String, _ snapshot: IndexSnapshot, _ view: SegmentView) throws(StorageError) -> [UInt8] {
        guard let type = snapshot.mapping.field(field), let info = view.segment.fields[type.path] else { return [] }
        if let keywords = try view.segment.columns.keywords(info.ordinal) {
            guard let first = keywords.ordinals(of: doc).first else { return [] }
            return [1] + (try keywords.term(first))
        }
        guard let value = try view.segment.columns.numbers(info.ordinal)?.value(of: doc) else { return [] }
        return [2] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) }
    }
}

extension Rescore {
    func combine(_ first: Float, _ second: Float?) -> Float {
        guard let second else { return first * queryWeight }
        let (a, b) = (first * queryWeight, second * rescoreQueryWeight)
        switch scoreMode {
        case "multiply": return a * b
        case "avg": return (a + b) / 2
        case "max": return max(a, b)
        case "min": return min(a, b)
        default: return a + b
        }
    }
}
