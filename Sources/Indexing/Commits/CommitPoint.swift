// The list of segments that *is* the index at one moment, with all that is needed to open it. Written under a
// temporary name, synced, renamed, and the folder synced: a commit point that can be seen is whole, so one
// that reads wrong is damage, not a crash's trace.
//
// File `commit-<gen>`, little-endian; v = varint, s = varint length + bytes:
//
//     offset   size   field
//     0        8      magic "ISOTHERM"
//     8        4      structure "CMT "
//     12       4      format version (2; 1, without patches, is still read)
//     16       8      generation
//     24       8      largest sequence number in the segments, -1 for none
//     32       8      first translog generation that must be replayed
//     40       8      number of the next segment to be made
//     48       v      notes: count, then per note key s, value s (positions of feeds that the index follows)
//     ...      v      segments: count, then per segment name s, id 16, length v, docCount v, live generation v
//                     (0: none deleted), live length v, deleted v,
//                     patch generation v (0: none), patch length v
//     end - 4  4      CRC-32C of [0, end - 4)
//
// Invariants
//     1  The highest generation in the folder is the index; older ones are on their way out.
//     2  Every file it names was synced, and so was the folder, before it was written.
// Format page: docs/formats/commit.md.

internal import Bytes
package import Segments
package import Storage

package struct CommitPoint: Sendable, Equatable {
    package static let version: UInt32 = 2
    package static let segmentsMax = 100_000
    private static let countsMax: UInt64 = 1 << 62

    package struct SegmentEntry: Sendable, Equatable {
        package var name: String
        package var id: SegmentID
        package var length: Int
        package var docCount: Int
        /// 0: every document is alive, and there is no file.
        package var liveGeneration: UInt64
        package var liveLength: Int
        package var deletedCount: Int
        /// 0: nothing is patched, and there is no file.
        package var patchGeneration: UInt64 = 0
        package var patchLength = 0
        package init(name: String, id: SegmentID, length: Int, docCount: Int, liveGeneration: UInt64, liveLength: Int, deletedCount: Int) {
            (self.name, self.id, self.length, self.docCount) = (name, id, length, docCount)
            (self.liveGeneration, self.liveLength, self.deletedCount) = (liveGeneration, liveLength, deletedCount)
        }
    }

    package var generation: UInt64
    package var maxSeqNo: Int64
    package var translogGeneration: UInt64
    package var nextSegment: UInt64
    package var notes: [String: String]
    package var segments: [SegmentEntry]

    package init(
        generation: UInt64, maxSeqNo: Int64 = -1, translogGeneration: UInt64, nextSegment: UInt64 = 1, notes: [String: String] = [:],
        segments: [SegmentEntry] = []
    ) {
        (self.generation, self.maxSeqNo, self.translogGeneration) = (generation, maxSeqNo, translogGeneration)
        (self.nextSegment, self.notes, self.segments) = (nextSegment, notes, segments)
    }

    package var fileName: String { "commit-\(generation)" }

    /// How far the index has followed something outside, as a feed's position; 0 for nothing.
    package var externalVersion: Int64 {
        get { notes["external_version"].flatMap { Int64($0) } ?? 0 }
        set { notes["external_version"] = newValue == 0 ? nil : String(newValue) }
    }

    /// The generation in a commit point's file name; nil for other names.
    package static func generation(ofFile name: String) -> UInt64? {
        name.hasPrefix("commit-") ? UInt64(name.dropFirst(7)) : nil
    }

    /// The newest commit point, nil when there is none.
    package static func newest(in directory: any Directory) throws(StorageError) -> CommitPoint? {
        guard let generation = try directory.list().compactMap(generation(ofFile:)).max() else { return nil }
        let name = "commit-\(generation)"
        let commit = try decode(try directory.read(name), path: directory.path + "/" + name)
        guard commit.generation == generation else {
            throw StorageError(.corrupt, path: directory.path + "/" + name, "holds generation \(commit.generation)", at: 16)
        }
        return commit
    }

    /// Makes this the index. All files it names must be synced, the folder too.
    package func write(to directory: any Directory) throws(StorageError) { try directory.replace(fileName, with: encoded()) }

    package func encoded() -> [UInt8] {
        var w = ByteWriter()
        w.raw("ISOTHERM".utf8)
        w.raw("CMT ".utf8)
        w.fixed(Self.version)
        w.fixed(generation)
        w.fixed(maxSeqNo)
        w.fixed(translogGeneration)
        w.fixed(nextSegment)
        w.varint(notes.count)
        for (key, value) in notes.sorted(by: { $0.key < $1.key }) {
            w.string(key)
            w.string(value)
        }
        w.varint(segments.count)
        for s in segments {
            w.string(s.name)
            w.fixed(s.id.high)
            w.fixed(s.id.low)
            w.varint(s.length)
            w.varint(s.docCount)
            w.varint(s.liveGeneration)
            w.varint(s.liveLength)
            w.varint(s.deletedCount)
            w.varint(s.patchGeneration)
            w.varint(s.patchLength)
        }
        w.fixed(CRC32C.of(w.bytes))
        return w.bytes
    }

    package static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> CommitPoint {
        var version = Self.version
        do throws(Corruption) {
            // Safe: bytes have no padding.
            if let commit = try unsafe decode(bytes.span.bytes, &version) { return commit }
        } catch { throw StorageError(error, path: path) }
        throw StorageError(
            version > Self.version ? .tooNew : .tooOld, path: path, "commit format \(version); this build reads \(Self.version)", at: 12)
    }

    // MARK: -

    /// Nil when whole, but of another version.
    private static func decode(_ span: RawSpan, _ version: inout UInt32) throws(Corruption) -> CommitPoint? {
        var r = ByteReader(span)
        guard try r.raw(8) == Array("ISOTHERM".utf8), try r.raw(4) == Array("CMT ".utf8) else { throw Corruption("not a commit point", at: 0) }
        version = try r.fixed()
        let bodyEnd = span.byteCount - 4
        guard bodyEnd >= 48 else { throw Corruption("cut short", at: span.byteCount) }
        var tail = ByteReader(span, at: bodyEnd)
        guard try tail.fixed(UInt32.self) == CRC32C.of(span.extracting(0..<bodyEnd)) else { throw Corruption("checksum differs", at: bodyEnd) }
        guard version == Self.version || version == 1 else { return nil }
        var commit = CommitPoint(generation: try r.fixed(), maxSeqNo: try r.fixed(), translogGeneration: try r.fixed(), nextSegment: try r.fixed())
        for _ in 0..<(try r.count(max: r.remaining)) {
            let key = text(try r.string())
            commit.notes[key] = text(try r.string())
        }
        for _ in 0..<(try r.count(max: segmentsMax)) {
            var entry = SegmentEntry(
                name: text(try r.string()), id: SegmentID(high: try r.fixed(), low: try r.fixed()), length: try r.count(max: .max),
                docCount: try r.count(max: Int(Int32.max)), liveGeneration: try r.varint(), liveLength: try r.count(max: .max),
                deletedCount: try r.count(max: Int(Int32.max)))
            if version > 1 { (entry.patchGeneration, entry.patchLength) = (try r.varint(), try r.count(max: .max)) }
            commit.segments.append(entry)
        }
        guard r.offset == bodyEnd else { throw Corruption("bytes left over", at: r.offset) }
        // Its checksum is no signature, and it may come out of a snapshot: each of these is counted on from.
        guard commit.generation < countsMax, (-1..<Int64(countsMax)).contains(commit.maxSeqNo), commit.translogGeneration < countsMax, commit.nextSegment < countsMax,
            commit.segments.allSatisfy({ $0.liveGeneration < countsMax && $0.patchGeneration < countsMax })
        else { throw Corruption("impossible numbers", at: 16) }
        return commit
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
