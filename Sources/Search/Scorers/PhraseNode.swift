// Terms next to each other. Documents come from the conjunction of the places; positions are read only of those
// that could still compete were every term's occurrence part of a match.
//
// A place may hold several terms (synonyms, an expanded prefix): their positions are merged.

internal import Bytes
internal import Segments
internal import Storage

/// One place of the phrase: the terms that may stand there.
@safe final class PhrasePlace {
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
        unsafe terms = unsafe cursors.map { let p = UnsafeMutablePointer<TermCursor>.allocate(capacity: 1); unsafe p.initialize(to: $0); return unsafe p }
        unsafe buffers = unsafe cursors.map { _ in let p = UnsafeMutablePointer<UInt32>.allocate(capacity: 128); unsafe p.initialize(repeating: 0, count: 128); return unsafe p }
        readers = unsafe zip(cursors, buffers).map { unsafe PositionReader($0.list, buffer: $1) }
        unsafe positions = .allocate(capacity: capacity)
        cost = cursors.reduce(0) { $0 + $1.list.docFreq }
    }

    deinit {
        for unsafe term in unsafe terms { unsafe term.pointee.free(); unsafe term.deallocate() }
        for unsafe buffer in unsafe buffers { unsafe buffer.deallocate() }
        unsafe positions.deallocate()
    }

    /// The frequency in `doc`; 0 when no term of the place is there.
    @inline(__always)
    func frequency(_ doc: UInt32) -> Int {
        if unsafe terms.count == 1 { return unsafe Self.frequency(terms[0], doc) }
        return unsafe terms.reduce(0) { unsafe $0 + Self.frequency($1, doc) }
    }

    @inline(__always)
    private static func frequency(_ c: UnsafeMutablePointer<TermCursor>, _ doc: UInt32) -> Int {
        guard unsafe c.pointee.seek(doc) else { return 0 }
        let place = unsafe c.pointee.find(doc)
        if unsafe c.pointee.docs[place] != doc { return 0 }
        unsafe c.pointee.needFrequencies()
        // Bounds what is made room for.
        let n = unsafe Int(c.pointee.frequencies[place])
        if unsafe n <= c.pointee.list.totalTermFreq { return n }
        unsafe c.pointee.damage.pointee = true
        return 0
    }

    /// Reads the positions of `doc`, which has `frequency` of them.
    func read(_ doc: UInt32, frequency: Int) {
        if frequency > capacity {
            unsafe positions.deallocate()
            capacity = frequency * 2
            unsafe positions = .allocate(capacity: capacity)
        }
        count = 0
        for unsafe (i, c) in unsafe terms.enumerated() {
            guard unsafe c.pointee.seek(doc) else { continue }
            let place = unsafe c.pointee.find(doc)
            guard unsafe c.pointee.docs[place] == doc else { continue }
            let n = unsafe Int(c.pointee.frequencies[place])
            guard count + n <= capacity else { return }
            unsafe readers[i].read(from: c.pointee.positionsStart(place), count: n, into: positions + count)
            count += n
            if readers[i].isDamaged { unsafe c.pointee.damage.pointee = true }
        }
        if unsafe terms.count > 1 {
            var all = unsafe UnsafeMutableBufferPointer(start: positions, count: count)
            unsafe all.sort()
        }
    }

    func impact(from: UInt32, to: UInt32, _ scratch: UnsafeMutablePointer<UInt8>) -> Float {
        // Cursors of a phrase have weight 1: bounds are 1 - 1 / (1 + x), so x = bound / (1 - bound).
        var x: Float = 0
        for unsafe term in unsafe terms {
            let bound = unsafe term.pointee.bound(from: from, to: to, scratch)
            x += bound >= 1 ? .infinity : bound / (1 - bound)
        }
        return x
    }
}

@safe final class PhraseNode: Node {
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
        unsafe leadDocs = .allocate(capacity: windowSize)
        unsafe frequencies = .allocate(capacity: places.count)
        super.init(context)
    }

    deinit {
        unsafe leadDocs.deallocate()
        unsafe frequencies.deallocate()
    }

    override var cost: Int { byCost.first?.cost ?? 0 }

    override func bound(from: UInt32, to: UInt32) -> Float {
        var x: Float = slop > 0 ? 0 : .infinity
        for place in places {
            let impact = unsafe place.impact(from: from, to: to, context.norms)
            if impact == 0 { return 0 }
            // Exact: no more matches than the rarest has occurrences. Sloppy: each occurrence may begin one.
            x = slop > 0 ? x + impact : min(x, impact)
        }
        // x went through a division and back: a few units in the last place either way.
        x *= 1.00001
        return weight - weight / (1 + x)
    }

    override func blockEnd(_ target: UInt32) -> UInt32 {
        guard let lead = byCost.first, unsafe lead.terms.count == 1 else { return super.blockEnd(target) }
        let list = unsafe lead.terms[0].pointee.list
        let block = list.block(from: 0, holding: target)
        return block < list.blockCount ? list.lastDoc(block) : context.docCount
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard let lead = byCost.first, target < upTo else { target = upTo; return 0 }
        if unsafe scores != nil, cut > -.infinity {
            let end = stretchEnd(target, upTo: upTo)
            if bound(from: target, to: end) <= cut { target = end; return 0 }
        }
        let n = leads(lead, &target, upTo: upTo)
        var kept = 0
        for i in 0..<n {
            let doc = unsafe leadDocs[i]
            let frequency = unsafe match(doc, scores == nil ? -.infinity : cut)
            if frequency == 0 { continue }
            unsafe docs[kept] = doc
            if let scores = unsafe scores { unsafe scores[kept] = score(doc, frequency) }
            kept += 1
        }
        return kept
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        for i in 0..<count {
            let frequency = unsafe match(docs[i], -.infinity)
            unsafe hits[i] = frequency > 0 ? 1 : 0
            unsafe scores?[i] = unsafe frequency > 0 ? score(docs[i], frequency) : 0
        }
    }

    // MARK: -

    /// The next documents of the rarest place into `leadDocs`.
    private func leads(_ lead: PhrasePlace, _ target: inout UInt32, upTo: UInt32) -> Int {
        if unsafe lead.terms.count == 1 {
            let c = unsafe lead.terms[0]
            guard unsafe c.pointee.seek(target) else { target = upTo; return 0 }
            let from = unsafe c.pointee.find(target)
            let to = unsafe c.pointee.last >= upTo ? c.pointee.find(upTo) : c.pointee.count
            target = unsafe c.pointee.last >= upTo ? upTo : c.pointee.last + 1
            if to > from { unsafe leadDocs.update(from: c.pointee.docs + from, count: to - from) }
            return max(0, to - from)
        }
        // A window of the union.
        let end = min(upTo, (target | UInt32(windowSize - 1)) &+ 1)
        var found: [UInt32] = []
        for unsafe c in unsafe lead.terms {
            var at = target
            while at < end, unsafe c.pointee.seek(at) {
                var i = unsafe c.pointee.find(at)
                while unsafe i < c.pointee.count, unsafe c.pointee.docs[i] < end { unsafe found.append(c.pointee.docs[i]); i += 1 }
                if unsafe c.pointee.last >= end { break }
                at = unsafe c.pointee.last + 1
            }
        }
        target = end
        found.sort()
        var n = 0
        for doc in found where unsafe n == 0 || leadDocs[n - 1] != doc { unsafe leadDocs[n] = doc; n += 1 }
        return n
    }

    @inline(__always)
    private func inverseNorm(_ doc: UInt32) -> Float {
        if case .dense(let bytes) = norms { return unsafe inverse[Int(bytes[Int(doc)])] }
        var doc = doc, norm: UInt8 = 0
        unsafe norms.read(&doc, count: 1, into: &norm)
        return inverse[Int(norm)]
    }

    private func score(_ doc: UInt32, _ frequency: Float) -> Float { weight - weight / (1 + frequency * inverseNorm(doc)) }

    /// How often the phrase is in `doc`; 0 also when the document could not score above `cut`.
    private func match(_ doc: UInt32, _ cut: Float) -> Float {
        var least = Int.max, sum = 0
        for (i, place) in byCost.enumerated() {
            let frequency = place.frequency(doc)
            if frequency == 0 { return 0 }
            unsafe frequencies[i] = frequency
            least = min(least, frequency)
            sum += frequency
        }
        if cut > -.infinity, score(doc, Float(slop > 0 ? sum : least)) <= cut { return 0 }
        for (i, place) in byCost.enumerated() { unsafe place.read(doc, frequency: frequencies[i]) }
        if let sloppy { return sloppy.frequency() }
        return Float(exact())
    }

    /// Places at the rarest place's positions.
    private func exact() -> Int {
        if byCost.count == 2 { return exactPair() }
        var matches = 0
        let lead = byCost[0]
        for i in 0..<lead.count {
            let start = unsafe Int(lead.positions[i]) - lead.offset
            var isMatch = true
            for place in byCost.dropFirst() {
                let wanted = start + place.offset
                var j = 0
                while j < place.count, unsafe Int(place.positions[j]) < wanted { j += 1 }
                if j == place.count { return matches }
                if unsafe Int(place.positions[j]) != wanted { isMatch = false; break }
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
            let wanted = unsafe Int(a.positions[i]) + shift
            while j < b.count, unsafe Int(b.positions[j]) < wanted { j += 1 }
            if j == b.count { break }
            if unsafe Int(b.positions[j]) == wanted { matches += 1 }
        }
        return matches
    }
}
