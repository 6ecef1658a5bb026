// One field's terms in one segment: what plans ask of the dictionary.

internal import Bytes
internal import Segments
internal import Storage

struct SegmentTerms {
    let reader: InvertedReader
    let field: UInt32

    /// Nil when no document of the segment has a posting in the field.
    init?(_ segment: Segment, field path: String) {
        guard let info = segment.fields[path], info.features.contains(.postings) else { return nil }
        (reader, field) = (segment.inverted, info.ordinal)
    }

    func statistics(of term: [UInt8]) throws(StorageError) -> TermEntry? { try reader.term(term, field: field) }

    func insertDocuments(of term: [UInt8], into set: inout BitSet) throws(StorageError) {
        guard let entry = try reader.term(term, field: field) else { return }
        try reader.insertDocuments(of: entry, field: field, into: &set)
    }

    /// Terms with the prefix, rising.
    func walk(prefix: [UInt8], _ body: (_ term: [UInt8], _ entry: TermEntry) -> TermWalk) throws(StorageError) {
        try reader.walk(field: field, from: prefix) { term, entry in
            term.starts(with: prefix) ? body(term, entry) : .stop
        }
    }

    /// Terms that the automaton takes, rising, until `body` says false.
    func walk(_ automaton: ByteAutomaton, _ body: (_ term: [UInt8], _ entry: TermEntry) -> Bool) throws(StorageError) {
        var run = ByteAutomaton.Run(automaton)
        try walk(prefix: automaton.prefix) { term, entry in
            switch run.verdict(term) {
            case .match: return body(term, entry) ? .next : .stop
            case .noMatch: return .next
            case .dead(let length):
                return behind(term[..<length]).map { .seek($0) } ?? .stop
            }
        }
    }

    /// All documents of the terms that `walk` shows.
    static func documents(
        of path: String, in view: SegmentView, _ terms: (SegmentTerms, (TermEntry) -> Void) throws(StorageError) -> Void
    ) throws(StorageError) -> BitSet {
        var set = BitSet(count: view.docCount)
        guard let field = SegmentTerms(view.segment, field: path) else { return set }
        var found: [TermEntry] = []
        try terms(field) { found.append($0) }
        for entry in found { try field.reader.insertDocuments(of: entry, field: field.field, into: &set) }
        return set
    }
}

/// The first byte string behind all that begin with `prefix`; nil when there is none.
func behind(_ prefix: some Collection<UInt8>) -> [UInt8]? {
    var next = Array(prefix)
    while let last = next.last {
        if last < 0xFF {
            next[next.count - 1] = last + 1
            return next
        }
        next.removeLast()
    }
    return nil
}
