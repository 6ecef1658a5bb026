// Leaves that are not postings: everything, and sets of documents made from columns and dictionaries.

internal import Bytes
internal import Segments
internal import Storage

/// Every document.
final class AllNode: Node {
    private let score: Float

    init(_ context: ScorerContext, score: Float) {
        self.score = score
        super.init(context)
    }

    override var cost: Int { Int(context.docCount) }
    override var matchCount: Int? { Int(context.docCount) }
    override func bound(from: UInt32, to: UInt32) -> Float { score }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard target < upTo else { return 0 }
        if unsafe scores != nil, score <= cut { target = upTo; return 0 }
        let n = min(windowSize, Int(upTo - target))
        for i in 0..<n { unsafe docs[i] = target &+ UInt32(truncatingIfNeeded: i) }
        unsafe scores?.update(repeating: score, count: n)
        target += UInt32(n)
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        unsafe hits.update(repeating: 1, count: count)
        unsafe scores?.update(repeating: score, count: count)
    }

    override func insert(into set: UnsafeMutablePointer<UInt64>) {
        for i in 0..<Int(context.docCount) / 64 { unsafe set[i] = .max }
        if context.docCount & 63 != 0 { unsafe set[Int(context.docCount) / 64] |= (1 << UInt64(context.docCount & 63)) - 1 }
    }
}

/// A set, made when it is first asked for; or a test of single documents, where a rare clause leads.
final class SetNode: Node {
    private let plan: SetPlan
    private let score: Float
    private var set: BitSet?
    private var test: (@Sendable (DocID) -> Bool)?
    private let estimate: Int
    /// Documents tested one by one so far: past a share of the segment the set is made after all.
    private var tested = 0

    init(_ context: ScorerContext, _ plan: SetPlan, score: Float) {
        self.plan = plan
        self.score = score
        estimate = max(0, min(plan.estimate(context.view), context.view.docCount))
        super.init(context)
    }

    override var cost: Int { estimate }
    override func bound(from: UInt32, to: UInt32) -> Float { score }

    private func made() -> BitSet {
        if let set { return set }
        var made = BitSet(count: context.view.docCount)
        do throws(StorageError) {
            let given = try plan.documents(context.view)
            if given.count == made.count { made = given } else { context.fail(StorageError(.io, path: plan.description, "a set of \(given.count) documents for \(made.count)")) }
        } catch { context.fail(error) }
        set = made
        return made
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard target < upTo else { return 0 }
        if unsafe scores != nil, score <= cut { target = upTo; return 0 }
        let set = made()
        var n = 0
        unsafe set.words.withUnsafeBufferPointer { words in
            var w = Int(target >> 6)
            let stop = (Int(upTo) + 63) / 64
            while w < stop, n + 64 <= windowSize {
                var word = unsafe words[w]
                if w == Int(target >> 6) { word &= .max << UInt64(target & 63) }
                if w == Int(upTo >> 6) { word &= (1 << UInt64(upTo & 63)) &- 1 }
                while word != 0 {
                    unsafe docs[n] = UInt32(truncatingIfNeeded: w << 6 | word.trailingZeroBitCount)
                    n += 1
                    word &= word &- 1
                }
                w += 1
            }
            target = min(upTo, UInt32(truncatingIfNeeded: w << 6))
        }
        unsafe scores?.update(repeating: score, count: n)
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        if set == nil, let make = plan.test, tested < max(256, context.view.docCount / 16) {
            if test == nil { do throws(StorageError) { test = try make(context.view) } catch { context.fail(error) } }
            if let test {
                tested += count
                for i in 0..<count {
                    unsafe hits[i] = unsafe test(docs[i]) ? 1 : 0
                    unsafe scores?[i] = unsafe hits[i] == 1 ? score : 0
                }
                return
            }
        }
        let set = made()
        unsafe set.words.withUnsafeBufferPointer { words in
            for i in 0..<count {
                let hit = unsafe words[Int(docs[i] >> 6)] >> UInt64(docs[i] & 63) & 1
                unsafe hits[i] = UInt8(truncatingIfNeeded: hit)
                unsafe scores?[i] = hit == 1 ? score : 0
            }
        }
    }

    override func insert(into out: UnsafeMutablePointer<UInt64>) {
        let set = made()
        for i in set.words.indices { unsafe out[i] |= set.words[i] }
    }
}
