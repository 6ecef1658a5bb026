// Numbers for the terms of a keyword field over several segments: equal terms, equal numbers.
//
//     one segment                 the segment's ordinals as they are
//     few terms                   numbers in order of the terms, from maps made once for a set of segments and kept
//     many terms                  in order of first sight, by a hash table of the terms seen

internal import Bytes
internal import Segments
internal import Storage
import Synchronization

struct TermKeys {
    private enum Mode {
        case ordinals(KeywordColumn)
        case shared(OrdinalMap)
        case seen
    }

    private var mode: Mode
    /// Whether numbers rise with terms.
    var isSorted: Bool { if case .seen = mode { false } else { extra == nil } }
    /// Numbers are the ordinals of the one segment that has the field.
    var areOrdinals: Bool { if case .ordinals = mode { true } else { false } }
    /// A term that no segment has: the value of documents without one.
    private var extra: [UInt8]?
    private var terms: [[UInt8]] = []
    private var table: [UInt64: UInt32] = [:]
    /// Of the current segment: ordinal -> number, `UInt32.max` not looked up yet.
    private var current: [UInt32] = []
    private var column: KeywordColumn?

    /// Fields with more terms than this, over all segments, are numbered as they are seen.
    static let sharedTermsMax = 1 << 17

    /// - Parameter columns: of all segments to be collected, nil where a segment has none.
    init(_ columns: [KeywordColumn?], segments: [SegmentID], field: String) throws(StorageError) {
        let present = columns.compactMap { $0 }
        if present.count == 1 { mode = .ordinals(present[0]) } else if present.isEmpty || present.reduce(0, { $0 + $1.termCount }) > Self.sharedTermsMax {
            mode = .seen
        } else { mode = .shared(try OrdinalMap.of(columns, segments: segments, field: field)) }
    }

    /// Numbers given so far: all are below.
    var count: Int {
        switch mode {
        case .ordinals(let column): column.termCount + (extra == nil ? 0 : 1)
        case .shared(let map): map.terms.count + (extra == nil ? 0 : 1)
        case .seen: terms.count
        }
    }

    /// - Parameter place: of the segment among those given to `init`.
    mutating func begin(_ column: KeywordColumn?, place: Int) {
        self.column = column
        switch mode {
        case .ordinals: break
        case .shared(let map): current = map.maps[place]
        case .seen: current = [UInt32](repeating: .max, count: column?.termCount ?? 0)
        }
    }

    /// The number of an ordinal of the current segment.
    @inline(__always)
    mutating func key(_ ordinal: Int) throws(StorageError) -> UInt32 {
        if case .ordinals = mode { return UInt32(truncatingIfNeeded: ordinal) }
        let known = current[ordinal]
        return known == .max ? try look(ordinal) : known
    }

    /// The number of a term that a request names; one of its own when no segment has it.
    mutating func key(ofTerm term: [UInt8]) throws(StorageError) -> UInt32 {
        switch mode {
        case .ordinals(let column):
            if let ordinal = try column.ordinal(of: term) { return ordinal }
            extra = term
            return UInt32(column.termCount)
        case .shared(let map):
            if let place = map.terms.firstIndex(of: term) { return UInt32(place) }
            extra = term
            return UInt32(map.terms.count)
        case .seen: return number(term)
        }
    }

    func term(_ key: Int) throws(StorageError) -> [UInt8] {
        switch mode {
        case .ordinals(let column): return key < column.termCount ? try column.term(UInt32(key)) : extra ?? []
        case .shared(let map): return key < map.terms.count ? map.terms[key] : extra ?? []
        case .seen: return terms[key]
        }
    }

    private mutating func look(_ ordinal: Int) throws(StorageError) -> UInt32 {
        guard let column else { return 0 }
        let key = number(try column.term(UInt32(ordinal)))
        current[ordinal] = key
        return key
    }

    private mutating func number(_ term: [UInt8]) -> UInt32 {
        var hash = Hash64.of(term)
        while let key = table[hash] {
            if terms[Int(key)] == term { return key }
            hash &+= 1
        }
        let key = UInt32(terms.count)
        terms.append(term)
        table[hash] = key
        return key
    }
}

/// The terms of a field over some segments in order, and each segment's ordinals as places in it. Immutable.
final class OrdinalMap: Sendable {
    let terms: [[UInt8]]
    /// By segment: ordinal -> place.
    let maps: [[UInt32]]

    /// Terms and ordinals held: what keeping the map costs.
    private var size: Int { terms.count + maps.reduce(0) { $0 + $1.count } }

    private struct Key: Hashable {
        let segments: [SegmentID]
        let field: String
    }

    /// The last maps made: a search after search over the same snapshot makes none.
    private static let kept = Mutex<[(key: Key, map: OrdinalMap)]>([])
    private static let keptTermsMax = 1 << 19

    static func of(_ columns: [KeywordColumn?], segments: [SegmentID], field: String) throws(StorageError) -> OrdinalMap {
        let key = Key(segments: segments, field: field)
        if let known = kept.withLock({ $0.first { $0.key == key }?.map }) { return known }
        let map = try OrdinalMap(columns)
        kept.withLock {
            $0.append((key, map))
            while $0.count > 1, $0.reduce(0, { $0 + $1.map.size }) > keptTermsMax { $0.removeFirst() }
        }
        return map
    }

    private init(_ columns: [KeywordColumn?]) throws(StorageError) {
        var pairs: [(term: [UInt8], segment: Int, ordinal: Int)] = [], maps: [[UInt32]] = []
        for (s, column) in columns.enumerated() {
            maps.append([UInt32](repeating: 0, count: column?.termCount ?? 0))
            try column?.terms.forEach { ordinal, term throws(StorageError) in pairs.append((term, s, ordinal)) }
        }
        pairs.sort { $0.term.lexicographicallyPrecedes($1.term) }
        var terms: [[UInt8]] = []
        for p in pairs {
            if terms.last != p.term { terms.append(p.term) }
            maps[p.segment][p.ordinal] = UInt32(terms.count - 1)
        }
        (self.terms, self.maps) = (terms, maps)
    }
}
