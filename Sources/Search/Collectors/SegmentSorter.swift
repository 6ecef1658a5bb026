// The sort keys of one segment's documents as integers that rise in the order asked for, a batch at a time.
//
//     number    its encoding; falling: the bits inverted
//     score     the float's bits, made to rise; falling: inverted
//     keyword   4 * ordinal + 2; a term given for missing ones that the segment lacks: 4 * place, between two;
//               a cursor's term that it lacks: 4 * place, or one less or more beside the missing ones' term there
//     missing   a number's encoding; for keywords the least or the greatest integer, or its term's place

internal import Bytes
internal import QueryDSL
internal import Segments
internal import Storage

final class SegmentSorter {
    private struct Column {
        var numbers: BoundNumbers?
        var keywords: KeywordColumn?
        /// Of a document without value.
        var missing: Int64
    }

    private let plan: SortPlan
    private let context: (snapshot: Int, segment: Int)
    private let docBase: Int
    private var columns: [Column] = []
    private let scores: [Float]?
    private let batch = ValueBatch()
    /// By key: of the batch's documents.
    private(set) var keys: [UnsafeMutablePointer<Int64>] = []
    /// Documents at or before these keys are left out.
    private var after: [Int64]?

    init(_ plan: SortPlan, snapshot: Int, segment: Int, index: IndexSnapshot, scores: [Float]?) throws(StorageError) {
        self.plan = plan
        self.scores = scores
        context = (snapshot, segment)
        docBase = plan.docBases[snapshot][segment]
        let view = index.segments[segment]
        for key in plan.keys {
            unsafe keys.append(.allocate(capacity: ValueBatch.docsMax))
            guard case .field(let binding) = key.target else {
                columns.append(Column(missing: 0))
                continue
            }
            let found = try binding.columns(in: view, mapping: index.mapping)
            if key.isKeyword || found.keywords != nil {
                var missing = Int64.max
                if key.missingFirst { missing = .min }
                if let term = key.missingTerm { missing = try Self.place(term, found.keywords) }
                if !key.ascending, key.missingTerm == nil { missing = ~missing }
                columns.append(Column(keywords: found.keywords, missing: missing))
            } else { columns.append(Column(numbers: found.numbers, missing: key.missingNumber)) }
        }
        if let cursor = plan.after {
            var keys: [Int64] = []
            for (i, value) in cursor.enumerated() {
                let raw: Int64
                switch value {
                case .integer(let v): if case .score = plan.keys[i].target { raw = Self.rising(Float(bitPattern: UInt32(truncatingIfNeeded: v))) } else { raw = v }
                case .double(let v): raw = OrderedDouble.encode(v)
                case .string(let term):
                    var place = try Self.place(term, columns[i].keywords)
                    if place & 3 == 0, place == columns[i].missing, let other = plan.keys[i].missingTerm, other != term {
                        place += term.lexicographicallyPrecedes(other) ? -1 : 1
                    }
                    raw = place
                case .null: raw = columns[i].missing
                }
                keys.append(plan.keys[i].ascending ? raw : ~raw)
            }
            after = keys
        }
    }

    deinit { for unsafe k in unsafe keys { unsafe k.deallocate() } }

    /// Fills `keys` for `docs`, at most `ValueBatch.docsMax` of them.
    func gather(_ docs: UnsafeBufferPointer<DocID>) {
        let n = docs.count
        for (k, key) in plan.keys.enumerated() {
            let out = unsafe keys[k]
            switch key.target {
            case .score: for i in 0..<n { unsafe out[i] = Self.rising(scores?[Int(docs[i])] ?? 0) }
            case .doc: for i in 0..<n { unsafe out[i] = Int64(docBase) &+ Int64(docs[i]) }
            case .field(let binding): unsafe gatherField(docs, columns[k], key, binding, out)
            }
            if !key.ascending { for i in 0..<n { unsafe out[i] = ~out[i] } }
        }
    }

    /// Whether document i of the batch comes after the cursor.
    @inline(__always)
    func isAfter(_ i: Int) -> Bool {
        guard let after else { return true }
        for k in 0..<after.count {
            let key = unsafe keys[k][i]
            if key != after[k] { return key > after[k] }
        }
        return false
    }

    /// The values that keys stand for.
    func values(_ keys: [Int64]) throws(StorageError) -> [SortValue] {
        var values: [SortValue] = []
        for (k, key) in plan.keys.enumerated() {
            let raw = key.ascending ? keys[k] : ~keys[k]
            switch key.target {
            case .score: values.append(.integer(Int64(Self.score(raw).bitPattern)))
            case .doc: values.append(.integer(raw))
            case .field:
                if key.isKeyword || columns[k].keywords != nil {
                    if raw == columns[k].missing { values.append(key.missingTerm.map { .string($0) } ?? .null) } else if let column = columns[k].keywords {
                        values.append(.string(try column.term(UInt32(truncatingIfNeeded: raw >> 2))))
                    } else { values.append(.null) }
                } else { values.append(.integer(raw)) }
            }
        }
        return values
    }

    func hit(_ entry: SortEntry) throws(StorageError) -> SortedHit {
        SortedHit(
            snapshot: context.snapshot, segment: context.segment, doc: entry.doc, score: scores?[Int(entry.doc)] ?? .nan,
            sort: try values([entry.first] + entry.rest))
    }

    // MARK: -

    private func gatherField(_ docs: UnsafeBufferPointer<DocID>, _ column: Column, _ key: SortPlan.Key, _ binding: FieldBinding, _ out: UnsafeMutablePointer<Int64>) {
        let n = docs.count
        if let numbers = column.numbers { unsafe numbers.gather(docs, into: batch) } else if let keywords = column.keywords {
            unsafe keywords.gather(docs, into: batch)
            let values = unsafe batch.values
            for i in 0..<batch.count { unsafe values[i] = values[i] &* 4 &+ 2 }
        } else { batch.clear() }
        let values = unsafe batch.values, positions = unsafe batch.positions
        if batch.isIdentity {
            for i in 0..<n { unsafe out[i] = values[i] }
            return
        }
        for i in 0..<n { unsafe out[i] = column.missing }
        var i = 0
        while i < batch.count {
            var end = i + 1
            while end < batch.count, unsafe positions[end] == positions[i] { end += 1 }
            unsafe out[Int(positions[i])] = end == i + 1 ? values[i] : unsafe Self.pick(values, i..<end, key.mode, binding.meaning)
            i = end
        }
    }

    /// One of a document's values, which rise, or a number made of them.
    private static func pick(_ values: UnsafeMutablePointer<Int64>, _ range: Range<Int>, _ mode: SortKey.Mode, _ meaning: NumberMeaning) -> Int64 {
        let first = unsafe values[range.lowerBound], last = unsafe values[range.upperBound - 1], n = range.count
        func number(_ v: Int64) -> Double { meaning == .double ? OrderedDouble.decode(v) : Double(v) }
        func encode(_ v: Double) -> Int64 { meaning == .double ? OrderedDouble.encode(v) : v >= 9.2e18 ? .max : v <= -9.2e18 ? .min : Int64(v.rounded()) }
        switch mode {
        case .min: return first
        case .max: return last
        case .sum, .avg:
            var sum = 0.0
            for i in range { sum += number(unsafe values[i]) }
            return encode(mode == .sum ? sum : sum / Double(n))
        case .median:
            let middle = range.lowerBound + n / 2
            return n % 2 == 1 ? unsafe values[middle] : encode((number(unsafe values[middle - 1]) + number(unsafe values[middle])) / 2)
        }
    }

    private static func place(_ term: [UInt8], _ column: KeywordColumn?) throws(StorageError) -> Int64 {
        guard let column else { return 0 }
        let (place, found) = try column.terms.place(of: term)
        return Int64(place) * 4 + (found ? 2 : 0)
    }

    private static func rising(_ score: Float) -> Int64 {
        let bits = Int32(bitPattern: score.bitPattern)
        return Int64(bits ^ ((bits >> 31) & Int32.max))
    }

    private static func score(_ rising: Int64) -> Float {
        let bits = Int32(truncatingIfNeeded: rising)
        return Float(bitPattern: UInt32(bitPattern: bits ^ ((bits >> 31) & Int32.max)))
    }
}

/// A document and its keys.
struct SortEntry {
    var first: Int64
    var rest: [Int64]
    var doc: DocID

    static func precedes(_ a: SortEntry, _ b: SortEntry) -> Bool {
        if a.first != b.first { return a.first < b.first }
        for (x, y) in zip(a.rest, b.rest) where x != y { return x < y }
        return a.doc < b.doc
    }
}

/// The least entries, at most `size`: a binary heap with the worst on top.
struct SortHeap {
    private(set) var entries: [SortEntry] = []
    let size: Int

    init(size: Int) { self.size = size }

    var isFull: Bool { entries.count >= size }
    var worst: SortEntry? { entries.first }

    /// Takes the batch's documents. - Parameter limit: documents whose first key is above need not be looked at.
    mutating func add(_ docs: UnsafeBufferPointer<DocID>, _ sorter: SegmentSorter, limit: Int64 = .max) {
        if size == 0 || sorter.keys.isEmpty { return }
        let firsts = unsafe sorter.keys[0], keyCount = unsafe sorter.keys.count
        var bar = isFull ? min(limit, entries[0].first) : limit
        for i in 0..<docs.count {
            let first = unsafe firsts[i]
            if first > bar || !sorter.isAfter(i) { continue }
            var rest: [Int64] = []
            if keyCount > 1 { for k in 1..<keyCount { unsafe rest.append(sorter.keys[k][i]) } }
            push(SortEntry(first: first, rest: rest, doc: unsafe docs[i]))
            if isFull { bar = min(limit, entries[0].first) }
        }
    }

    mutating func push(_ entry: SortEntry) {
        if isFull {
            if !SortEntry.precedes(entry, entries[0]) { return }
            entries[0] = entry
            sink(0)
            return
        }
        entries.append(entry)
        var i = entries.count - 1
        while i > 0, SortEntry.precedes(entries[(i - 1) / 2], entries[i]) {
            entries.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var i = start
        while true {
            var child = 2 * i + 1
            if child >= entries.count { return }
            if child + 1 < entries.count, SortEntry.precedes(entries[child], entries[child + 1]) { child += 1 }
            if !SortEntry.precedes(entries[i], entries[child]) { return }
            entries.swapAt(i, child)
            i = child
        }
    }
}
