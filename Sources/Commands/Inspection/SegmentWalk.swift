// Reads all of a segment through its readers and compares what they say with the field table and with each other.
//
//     1  Terms of a field rise; their number and the sum of their document frequencies are those of the field table.
//     2  A term's documents are as many as its frequency says, rise, and lie within the segment.
//     3  Every document has an id that leads back to it, and a source.
//     4  Every column that the field table promises is there.

import Segments
import Storage

struct SegmentWalk {
    private let segment: Segment
    private let path: String

    init(_ segment: Segment, path: String) { (self.segment, self.path) = (segment, path) }

    func run() throws(StorageError) {
        for field in segment.fields.all {
            if field.features.contains(.postings) { try terms(of: field) }
            if field.features.contains(.numbers) || field.features.contains(.keywords) { try columns(of: field) }
        }
        try documents()
    }

    // MARK: -

    private func damaged(_ reason: String) -> StorageError { StorageError(.corrupt, path: path, reason) }

    private func terms(of field: FieldInfo) throws(StorageError) {
        var entries: [TermEntry] = [], last: [UInt8]?, rises = true
        try segment.inverted.walk(field: field.ordinal) { term, entry in
            if let last, !last.lexicographicallyPrecedes(term) { rises = false }
            last = term
            entries.append(entry)
            return .next
        }
        guard rises else { throw damaged("terms of field \(field.path) do not rise") }
        guard entries.count == field.termCount else { throw damaged("field \(field.path) has \(entries.count) terms, its record says \(field.termCount)") }
        guard entries.reduce(0, { $0 + Int($1.docFreq) }) == field.sumDocFreq else { throw damaged("document frequencies of field \(field.path) do not add up") }
        for entry in entries {
            let docs = try segment.inverted.documents(of: entry, field: field.ordinal)
            guard docs.count == Int(entry.docFreq), zip(docs, docs.dropFirst()).allSatisfy(<), docs.last.map({ Int($0) < segment.docCount }) ?? true else {
                throw damaged("a posting list of field \(field.path) does not have its documents")
            }
        }
    }

    private func columns(of field: FieldInfo) throws(StorageError) {
        if field.features.contains(.numbers), try segment.columns.numbers(field.ordinal) == nil { throw damaged("field \(field.path) has no column of numbers") }
        if field.features.contains(.keywords), try segment.columns.keywords(field.ordinal) == nil { throw damaged("field \(field.path) has no column of keywords") }
    }

    private func documents() throws(StorageError) {
        for doc in 0..<DocID(clamping: segment.docCount) {
            let id = try segment.columns.id(of: doc)
            // An id may stand for a newer copy in the same segment; the one found must at least bear that id.
            let found = try segment.columns.doc(forID: id)
            let foundID = try found.map { doc throws(StorageError) in try segment.columns.id(of: doc) }
            guard foundID == id else { throw damaged("document \(doc) is not found by its id") }
            _ = try segment.columns.source(of: doc)
        }
    }
}
