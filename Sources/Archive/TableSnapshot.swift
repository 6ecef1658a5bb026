// The table as of one moment: the newest slice of each file group of completed commits, checked against what is on the store.

import Storage
import Synchronization

package struct TableSnapshot: Sendable {
    package let table: HudiTable
    /// Completed, rising.
    package let instants: [HudiInstant]
    /// The newest slice by file id.
    package let slices: [String: FileSlice]
    /// Every slice that a completed commit names, by file id, rising; cleaned ones too.
    let history: [String: [FileSlice]]
    let listing: TableListing

    /// The newest slices, by partition and file id.
    package var current: [FileSlice] { slices.values.sorted { ($0.partition, $0.fileID) < ($1.partition, $1.fileID) } }
    package var partitions: [Partition] { Set(slices.values.map(\.partition)).sorted() }
    package var rowCount: Int { slices.values.reduce(0) { $0 + $1.rowCount } }
    package var byteCount: Int { slices.values.reduce(0) { $0 + $1.byteCount } }

    /// The highest epoch of a writer's lease that any slice was written under, also one that lost (`TableWriter.write` names it in the token); 0 for none.
    package var newestEpoch: Int64 { listing.files.keys.compactMap { FileSlice(path: $0, byteCount: 0, rowCount: 0)?.epoch }.max() ?? 0 }

    /// The slice that owns a person's orders of one month; nil when there are none.
    package func slice(person: String, in partition: Partition) -> FileSlice? {
        slices[FileSlice.fileID(partition, bucket: FileSlice.bucket(person: person, of: table.buckets))]
    }
}

extension HudiTable {
    /// One listing, and one read for each commit of the timeline that this table's value has not read before.
    /// - Throws: `damaged` when a commit cannot be read or a newest slice is missing or has another size.
    package func snapshot() async throws(ArchiveError) -> TableSnapshot {
        // A clean while we read takes away old commits and slices; the next listing is without them.
        var fault: ArchiveError?, seen: [HudiInstant] = []
        for _ in 0..<4 {
            let listing = try await TableListing(self)
            // The same timeline with the same fault is no race.
            if let fault, listing.completed == seen { throw fault }
            seen = listing.completed
            do throws(ArchiveError) { return try await snapshot(listing) } catch {
                if error.kind != .damaged { throw error }
                fault = error
            }
        }
        throw fault ?? ArchiveError(.unavailable, place: place, "the table changed faster than it could be read")
    }

    private func snapshot(_ listing: TableListing) async throws(ArchiveError) -> TableSnapshot {
        var history: [String: [FileSlice]] = [:], newest: [String: FileSlice] = [:]
        for instant in listing.completed {
            for write in try await commit(instant, listing).writes {
                if let before = newest[write.slice.fileID], before.partition != write.slice.partition {
                    throw ArchiveError(.damaged, place: place, "file group \(write.slice.fileID) in two partitions")
                }
                history[write.slice.fileID, default: []].append(write.slice)
                newest[write.slice.fileID] = write.slice
            }
        }
        for slice in newest.values {
            guard let size = listing.files[slice.path] else { throw ArchiveError(.damaged, place: place + "/" + slice.path, "the newest slice of its file group is missing") }
            guard size == slice.byteCount else { throw ArchiveError(.damaged, place: place + "/" + slice.path, "\(size) bytes, \(slice.byteCount) were committed") }
        }
        return TableSnapshot(table: self, instants: listing.completed, slices: newest, history: history, listing: listing)
    }

    func commit(_ instant: HudiInstant, _ listing: TableListing) async throws(ArchiveError) -> HudiCommit {
        if let known = commits[instant] { return known }
        let path = "\(TableListing.hoodie)\(instant).commit"
        let bytes = try await timelineObject(path, byteCount: listing.timelineBytes[path])
        let commit = try HudiCommit(parsing: bytes, instant: instant, place: place + "/" + path)
        commits[instant] = commit
        return commit
    }

    /// A `.commit` or a decision, unless it is longer than any of ours.
    /// - Parameter byteCount: as listed; nil asks for it.
    func timelineObject(_ path: String, byteCount: Int?) async throws(ArchiveError) -> [UInt8] {
        let key = key(path)
        let size = if let byteCount { byteCount } else { try await reaching { () async throws(ObjectStoreError) in try await store.head(key).size } }
        guard size <= HudiCommit.bytesMax else { throw ArchiveError(.damaged, place: place + "/" + path, "no commit: it has \(size) bytes") }
        return try await reaching { () async throws(ObjectStoreError) in try await store.get(key) }
    }
}

/// Commits read before: a `.commit` is put once.
final class CommitCache: Sendable {
    private let state = Mutex<[HudiInstant: HudiCommit]>([:])
    private static let countMax = 2_048

    subscript(instant: HudiInstant) -> HudiCommit? {
        get { state.withLock { $0[instant] } }
        set { state.withLock { kept in
            if kept.count >= Self.countMax, let oldest = kept.keys.min() { kept[oldest] = nil }
            kept[instant] = newValue
        } }
    }
}
