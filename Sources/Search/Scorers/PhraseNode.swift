// Terms next to each other. Documents come from the conjunction of the places; positions are read only of those
// that could still compete were every term's occurrence part of a match.
//
// A place may hold several terms (synonyms, an expanded prefix): their positions are merged.

internal import Bytes
internal import Segments
internal import Storage

/// One place of the phrase: the terms that may stand there.
final class PhrasePlace {
    let offset: Int
    let terms: [UnsafeMutablePointer<TermCursor>]
    var readers: [PositionReader]
    private let buffers: [UnsafeMutablePointer<UInt32>]
    /// Identifies the set of terms: places with common terms must not match at one position.
    let names: [[UInt8]]
    /// Absolute positions in the document at hand, rising.
    var positions: UnsafeMutablePointer<UInt32>
    private var capacity = 64
    var count = 0
    let cost: Int

    init(offset: Int, names: [[UInt8]], cursors: [TermCursor]) {
        self.offset = offset
        self.names = names
        terms = cursors.map { let p = UnsafeMutablePointer<TermCursor>.allocate(capacity: 1); p.initialize(to: $0); return p }
        buffers = cursors.map { _ in let p = UnsafeMutablePointer<UInt32>.allocate(capacity: 128); p.initialize(repeating: 0, count: 128); return p }
        readers = zip(cursors, buffers).map { PositionReader($0.list, buffer: $1) }
        positions = .allocate(capacity: capacity)
        cost = cursors.reduce(0) { $0 + $1.list.docFreq }
    }

    deinit {
        for term in terms { term.pointee.free(); term.deallocate() }
        for buffer in buffers { buffer.deallocate() }
        positions.deallocate()
    }

    /// The frequency in `doc`; 0 when no term of the place is there.
    @inline(__always)
    func frequency(_ doc: UInt32) -> Int {
        if terms.count == 1 { return Self.frequency(terms[0], doc) }
        return terms.reduce(0) { $0 + Self.frequency($1, doc) }
    }

    @inline(__always)
    private static func frequency(_ c: UnsafeMutablePointer<TermCursor>, _ doc: UInt32) -> Int {
        guard c.pointee.seek(doc) else { return 0 }
        let place = c.pointee.find(doc)
        if c.pointee.docs[place] != doc { return 0 }
        c.pointee.needFrequencies()
        // Bounds what is made room for.
        let n = Int(c.pointee.frequencies[place])
        if n <= c.pointee.list.totalTermFreq { return n }
        c.pointee.damage.pointee = true
        return 0
    }

    /// Reads the positions of `doc`, which has `frequency` of them.
    func read(_ doc: UInt32, frequency: Int) {
        if frequency > capacity {
            positions.deallocate()
            capacity = frequency * 2
            positions = .allocate(capacity: capacity)
        }
        count = 0
        for (i, c) in terms.enumerated() {
            guard c.pointee.seek(doc) else { continue }
            let place = c.pointee.find(doc)
            guard c.pointee.docs[place] == doc else { continue }
            let n = Int(c.pointee.frequencies[place])
            guard count + n <= capacity else { return }
            readers[i].read(from: c.pointee.positionsStart(place), count: n, into: positions + count)
            count += n
            if readers[i].isDamaged { c.pointee.damage.pointee = true }
        }
        if terms.count > 1 {
            var all = UnsafeMutableBufferPointer(start: positions, count: count)
            all.sort()
        }
    }

    func impact(from: UInt32, to: UInt32, _ scratch: UnsafeMutablePointer<UInt8>) -> Float {
        // Cursors of a phrase have weight 1: bounds are 1 - 1 / (1 + x), so x = bound / (1 - bound).
        var x: Float = 0
        for term in terms {
            let bound = term.pointee.bound(from: from, to: to, scratch)
            x += bound >= 1 ? .infinity : bound / (1 - bound)
        }
        return x
    }
}

final class PhraseNode: Node {
    private let places: [PhrasePlace]
    /// Cheapest first.
    private let byCost: [PhrasePlace]
    private let slop: Int
    private let weight: Float
    private let norms: FieldNorms
    private let inverse: [Float]
    private let sloppy: SloppyMatcher?
    private let leadDocs: UnsafeMutablePointer<UInt32>
    private let frequencies: UnsafeMutablePointer<Int>

    init(_ context: ScorerContext, places: [PhrasePlace], slop: Int, weight: Float, norms: FieldNorms, inverse: [Float]) {
        self.places = places
        byCost = places.sorted { $0.cost < $1.cost }
        self.slop = slop
        self.weight = weight
        self.norms = norms
        self.inverse = (0..<256).map { $0 < inverse.count ? inverse[$0] : (inverse.last ?? 1) }
        sloppy = slop > 0 ? SloppyMatcher(places, slop: slop) : nil
        leadDocs = .allocate(capacity: windowSize)
        frequencies = .allocate(capacity: places.count)
        super.init(context)
    }

    deinit {
        leadDocs.deallocate()
        frequencies.deallocate()
    }

    override var cost: Int { byCost.first?.cost ?? 0 }

    override func bound(from: UInt32, to: UInt32) -> Float {
        var x: Float = slop > 0 ? 0 : .infinity
        for place in places {
            let impact = place.impact(from: from, to: to, context.norms)
            if impact == 0 { return 0 }
            // Exact: no more matches than the rarest has occurrences. Sloppy: each occurrence may begin one.
            x = slop > 0 ? x + impact : min(x, impact)
        }
        // x went through a division and back: a few units in the last place either way.
        x *= 1.00001
        return weight - weight / (1 + x)
    }

    override func blockEnd(_ target: UInt32) -> UInt32 {
        guard let lead = byCost.first, lead.terms.count == 1 else { return super.blockEnd(target) }
        let list = lead.terms[0].pointee.list
        let block = list.block(from: 0, holding: target)
        return block < list.blockCount ? list.lastDoc(block) : context.docCount
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard let lead = byCost.first, target < upTo else { target = upTo; return 0 }
        if scores != nil, cut > -.infinity {
            let end = stretchEnd(target, upTo: upTo)
            if bound(from: target, to: end) <= cut { target = end; return 0 }
        }
        let n = leads(lead, &target, upTo: upTo)
        var kept = 0
        for i in 0..<n {
            let doc = leadDocs[i]
            let frequency = match(doc, scores == nil ? -.infinity : cut)
            if frequency == 0 { continue }
            docs[kept] = doc
            if let scores { scores[kept] = score(doc, frequency) }
            kept += 1
        }
        return kept
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        for i in 0..<count {
            let frequency = match(docs[i], -.infinity)
            hits[i] = frequency > 0 ? 1 : 0
            scores?[i] = frequency > 0 ? score(docs[i], frequency) : 0
        }
    }

    // MARK: -

    /// The next documents of the rarest place into `leadDocs`.
    private func leads(_ lead: PhrasePlace, _ target: inout UInt32, upTo: UInt32) -> Int {
        if lead.terms.count == 1 {
            let c = lead.terms[0]
            guard c.pointee.seek(target) else { target = upTo; return 0 }
            let from = c.pointee.find(target)
            let to = c.pointee.last >= upTo ? c.pointee.find(upTo) : c.pointee.count
            target = c.pointee.last >= upTo ? upTo : c.pointee.last + 1
            if to > from { leadDocs.update(from: c.pointee.docs + from, count: to - from) }
            return max(0, to - from)
        }
        // A window of the union.
        let end = min(upTo, (target | UInt32(windowSize - 1)) &+ 1)
        var found: [UInt32] = []
        for c in lead.terms {
            var at = target
            while at < end, c.pointee.seek(at) {
                var i = c.pointee.find(at)
                while i < c.pointee.count, c.pointee.docs[i] < end { found.append(c.pointee.docs[i]); i += 1 }
                if c.pointee.last >= end { break }
                at = c.pointee.last + 1
            }
        }
        target = end
        found.sort()
        var n = 0
        for doc in found where n == 0 || leadDocs[n - 1] != doc { leadDocs[n] = doc; n += 1 }
        return n
    }

    @inline(__always)
    private func inverseNorm(_ doc: UInt32) -> Float {
        if case .dense(let bytes) = norms { return inverse[Int(bytes[Int(doc)])] }
        var doc = doc, norm: UInt8 = 0
        norms.read(&doc, count: 1, into: &norm)
        return inverse[Int(norm)]
    }

    private func score(_ doc: UInt32, _ frequency: Float) -> Float { weight - weight / (1 + frequency * inverseNorm(doc)) }

    /// How often the phrase is in `doc`; 0 also when the document could not score above `cut`.
    private func match(_ doc: UInt32, _ cut: Float) -> Float {
        var least = Int.max, sum = 0
        for (i, place) in byCost.enumerated() {
            let frequency = place.frequency(doc)
            if frequency == 0 { return 0 }
            frequencies[i] = frequency
            least = min(least, frequency)
            sum += frequency
        }
        if cut > -.infinity, score(doc, Float(slop > 0 ? sum : least)) <= cut { return 0 }
        for (i, place) in byCost.enumerated() { place.read(doc, frequency: frequencies[i]) }
        if let sloppy { return sloppy.frequency() }
        return Float(exact())
    }

    /// Places at the rarest place's positions.
    private func exact() -> Int {
        if byCost.count == 2 { return exactPair() }
        var matches = 0
        let lead = byCost[0]
        for i in 0..<lead.count {
            let start = Int(lead.positions[i]) - lead.offset
            var isMatch = true
            for place in byCost.dropFirst() {
                let wanted = start + place.offset
                var j = 0
                while j < place.count, Int(place.positions[j]) < wanted { j += 1 }
                if j == place.count { return matches }
                if Int(place.positions[j]) != wanted { isMatch = false; break }
            }
            if isMatch { matches += 1 }
        }
        return matches
    }

    private func exactPair() -> Int {
        let a = byCost[0], b = byCost[1]
        let shift = b.offset - a.offset
        var matches = 0, j = 0
        for i in 0..<a.count {
            let wanted = Int(a.positions[i]) + shift
            while j < b.count, Int(b.positions[j]) < wanted { j += 1 }
            if j == b.count { break }
            if Int(b.positions[j]) == wanted { matches += 1 }
        }
        return matches
    }
}
