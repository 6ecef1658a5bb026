// What every scorer offers. A plan becomes a tree of nodes, one tree per segment and search; work is done by
// the batch, up to 4,096 documents a call, so the virtual call costs nothing per document.
//
// Invariants
//     1  Documents handed out rise, are below docCount, and may be deleted ones: the top of the tree looks at
//        live documents.
//     2  A bound is never below a score it bounds: pruned and exhaustive answers are the same, ids and scores.

internal import Bytes
internal import Segments
internal import Storage

/// Documents per window: what one batch holds at most.
let windowSize = 4096

/// What the nodes of one scorer share.
@safe final class ScorerContext {
    let view: SegmentView
    let docCount: UInt32
    /// The first failure; looked at when the answer is handed out.
    var failure: StorageError?
    /// Of leaves, for the length of one call.
    let frequencies: UnsafeMutablePointer<UInt32>
    let norms: UnsafeMutablePointer<UInt8>
    /// Set by cursors whose bytes make no sense.
    let damage: UnsafeMutablePointer<Bool>

    init(_ view: SegmentView) {
        self.view = view
        docCount = UInt32(clamping: view.docCount)
        unsafe frequencies = .allocate(capacity: windowSize)
        unsafe norms = .allocate(capacity: windowSize + 4)
        unsafe damage = .allocate(capacity: 1)
        unsafe damage.initialize(to: false)
    }

    deinit {
        unsafe frequencies.deallocate()
        unsafe norms.deallocate()
        unsafe damage.deallocate()
    }

    func fail(_ error: StorageError) { if failure == nil { failure = error } }
}

class Node {
    let context: ScorerContext

    init(_ context: ScorerContext) { self.context = context }

    /// About how many documents match.
    var cost: Int { 0 }

    /// How many documents match, deleted ones included, where that is known without looking: term statistics, and clauses
    /// whose documents are those of one such clause, whatever the optional ones do to the scores.
    var matchCount: Int? { nil }

    /// Writes matches at or after `target` and below `upTo`, and moves `target` past what was looked at: call until
    /// `target` reaches `upTo`. Documents that score `cut` or less may be left out. At most windowSize of them.
    /// - Parameter scores: nil when not wanted.
    func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        target = upTo
        return 0
    }

    /// For each of `count` rising documents (at most windowSize): 1 in `hits` when it matches, else 0; and its score, 0
    /// when it does not.
    func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        unsafe hits.update(repeating: 0, count: count)
        unsafe scores?.update(repeating: 0, count: count)
    }

    /// No document in from..<to scores above; 0 when none matches there.
    func bound(from: UInt32, to: UInt32) -> Float { .infinity }

    /// The last document of the stretch around `target` that has one bound: where a caller does well to ask again.
    func blockEnd(_ target: UInt32) -> UInt32 { target | UInt32(windowSize - 1) }

    /// Adds the clause's scores to `sums` and keeps, in place, the documents whose sum is above `limit`: all of them that
    /// match (or needn't) may be counted on. `room` is for the scores and hits of one call.
    /// - Parameter isRequired: documents that do not match go.
    func refine(
        _ docs: UnsafeMutablePointer<UInt32>, count: Int, sums: UnsafeMutablePointer<Double>, above limit: Double, isRequired: Bool, room: Batch
    ) -> Int {
        let hits = unsafe room.hits, scores = unsafe room.scores
        unsafe probe(docs, count: count, hits: hits, scores: scores)
        let least: UInt8 = isRequired ? 1 : 0
        var kept = 0
        for i in 0..<count {
            let sum = unsafe sums[i] + Double(scores[i])
            unsafe docs[kept] = unsafe docs[i]
            unsafe sums[kept] = sum
            kept += unsafe sum > limit && hits[i] >= least ? 1 : 0
        }
        return kept
    }

    /// The most that one call of `batch` hands out.
    var batchMax: Int { windowSize }

    /// Where the stretch around `target` with one bound ends: above `target`, whatever the bytes say, and at most `upTo`.
    final func stretchEnd(_ target: UInt32, upTo: UInt32) -> UInt32 { min(upTo, max(target &+ 1, blockEnd(target) &+ 1)) }

    /// All matches, into `set`.
    func insert(into set: UnsafeMutablePointer<UInt64>) {
        var target: UInt32 = 0
        let docs = UnsafeMutablePointer<UInt32>.allocate(capacity: windowSize)
        defer { unsafe docs.deallocate() }
        while target < context.docCount {
            let n = unsafe batch(&target, upTo: context.docCount, docs: docs, scores: nil, cut: -.infinity)
            for i in 0..<n { unsafe set[Int(docs[i] >> 6)] |= 1 << UInt64(docs[i] & 63) }
        }
    }
}

/// Room for one batch.
@safe struct Batch {
    let docs: UnsafeMutablePointer<UInt32>
    let scores: UnsafeMutablePointer<Float>
    let hits: UnsafeMutablePointer<UInt8>
    let sums: UnsafeMutablePointer<Double>

    init() {
        unsafe docs = .allocate(capacity: windowSize)
        unsafe scores = .allocate(capacity: windowSize)
        unsafe hits = .allocate(capacity: windowSize)
        unsafe sums = .allocate(capacity: windowSize)
    }

    func free() {
        unsafe docs.deallocate()
        unsafe scores.deallocate()
        unsafe hits.deallocate()
        unsafe sums.deallocate()
    }
}

/// The bound of a sum of bounds: what is above it need not be looked at. Rounded up by more than all the additions'
/// errors together.
@inline(__always)
func roundedUp(_ sum: Double) -> Double { sum + abs(sum) * 1e-12 }
