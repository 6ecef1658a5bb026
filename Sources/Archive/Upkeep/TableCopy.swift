// Copies a table as of a moment to another store, byte for byte, and reads the copy back.
//
// Order: files, partition marks, decisions, the timeline (`.commit` last of each instant), and `hoodie.properties` last of all: what was copied in part is no table.
// What no completed commit names is not copied; where the `.commit` of one that was decided for is lost, nothing is: the copy would lack its orders for ever.
// A clean beside us may take away what is being copied: then the copy fails, and is begun again elsewhere.

internal import Bytes
import Storage

package struct TableCopy {
    private let snapshot: TableSnapshot, target: any ObjectStore, prefix: String
    package private(set) var objects = 0, bytes = 0
    private static let partBytes = 8 << 20

    /// - Parameter prefix: of the copy's keys; nothing may lie in the whole of `target`.
    package init(_ snapshot: TableSnapshot, to target: any ObjectStore, prefix: String) { (self.snapshot, self.target, self.prefix) = (snapshot, target, prefix) }

    /// - Parameter asOf: the moment; nil for now.
    package mutating func run(asOf: HudiInstant? = nil) async throws(ArchiveError) {
        let page = try await reaching { () async throws(ObjectStoreError) in try await target.list(ObjectListRequest(limit: 1)) }
        guard page.objects.isEmpty else { throw ArchiveError(.misuse, place: target.place, "something is there already (\(page.objects[0].key)); a copy wants an empty place") }
        let lost = try await snapshot.table.lostCommits(snapshot.listing)
        if let first = lost.first(where: { instant in asOf.map { instant <= $0 } ?? true }) { throw snapshot.table.lost(first) }
        for path in try await paths(asOf) { try await copy(path) }
    }

    // MARK: -

    private func paths(_ asOf: HudiInstant?) async throws(ArchiveError) -> [String] {
        let listing = snapshot.listing, end = asOf ?? snapshot.instants.last ?? HudiInstant(milliseconds: 0)
        if let asOf { try await checkReach(asOf) }
        let slices = snapshot.history.values.flatMap { $0 }.filter { $0.instant <= end && listing.files[$0.path] != nil }
        let months = Set(slices.map(\.partition)).intersection(listing.partitions).sorted()
        // Of what is begun and not completed nothing is taken; what was rolled back stays rolled back.
        let decided = listing.decided.filter { $0 <= end && !listing.pending.contains($0) }.sorted()
        let timeline = snapshot.instants.filter { $0 <= end }.flatMap { instant in listing.timeline[instant, default: []].sorted { Self.rank($0) < Self.rank($1) } }
        return slices.map(\.path).sorted() + months.map { $0.path + "/" + TableListing.partitionFile } + decided.map { TableListing.decisions + $0.description } + timeline
            + [HudiTable.propertiesPath]
    }

    private static func rank(_ path: String) -> Int { path.hasSuffix(".requested") ? 0 : path.hasSuffix(".inflight") ? 1 : 2 }

    /// Whether everything the table was at that moment is still there: of each group the slice of then, which the next one names as the one before.
    private func checkReach(_ asOf: HudiInstant) async throws(ArchiveError) {
        var then: [String: FileSlice] = [:], next: [String: HudiCommit.WriteStat] = [:], all = try await snapshot.commits().map { ($0.instant, $0.commit) }
        // What was decided for and is not shown yet comes between two of them all the same.
        for instant in snapshot.lostCommits { all.append((instant, try await decided(instant))) }
        for (instant, commit) in all.sorted(by: { $0.0 < $1.0 }) {
            for write in commit.writes {
                if instant <= asOf { then[write.slice.fileID] = write.slice } else if next[write.slice.fileID] == nil { next[write.slice.fileID] = write }
            }
        }
        func lost() -> ArchiveError {
            ArchiveError(.misuse, place: snapshot.table.place, "what the table was at \(asOf) has been cleaned away; `archive ls --commits` shows how far back it reaches")
        }
        // Also where the one before is later than that moment: its commit is forgotten then, and what came before it.
        for (id, write) in next where write.previous != nil { guard then[id]?.instant == write.previous else { throw lost() } }
        for slice in then.values where snapshot.listing.files[slice.path] == nil { throw lost() }
    }

    private func decided(_ instant: HudiInstant) async throws(ArchiveError) -> HudiCommit {
        let path = TableListing.decisions + instant.description, table = snapshot.table
        let bytes = try await reaching { () async throws(ObjectStoreError) in try await table.store.get(table.key(path)) }
        return try HudiCommit(parsing: bytes, instant: instant, place: table.place + "/" + path)
    }

    private mutating func copy(_ path: String) async throws(ArchiveError) {
        let source = snapshot.table.store, from = snapshot.table.key(path), to = prefix + "/" + path
        guard let head = try await reaching({ () async throws(ObjectStoreError) in try await source.headIfPresent(from) }) else {
            throw ArchiveError(.unavailable, place: snapshot.table.place + "/" + path, "taken away while it was copied (a clean); begin again in an empty place")
        }
        var sums: [UInt32] = []
        if head.size <= Self.partBytes {
            let bytes = try await reaching { () async throws(ObjectStoreError) in try await source.get(from) }
            guard bytes.count == head.size else { throw changed(path) }
            sums = [CRC32.of(bytes)]
            try await reaching { () async throws(ObjectStoreError) in _ = try await target.put(to, bytes, ifAbsent: true) }
        } else {
            // Not if absent, which servers know of one put only: that the place is empty was looked at.
            let upload = try await reaching { () async throws(ObjectStoreError) in try await target.upload(to) }
            do throws(ArchiveError) {
                for start in stride(from: 0, to: head.size, by: Self.partBytes) {
                    let range = start..<min(head.size, start + Self.partBytes)
                    let bytes = try await reaching { () async throws(ObjectStoreError) in try await source.get(from, range) }
                    guard bytes.count == range.count else { throw changed(path) }
                    sums.append(CRC32.of(bytes))
                    try await reaching { () async throws(ObjectStoreError) in try await upload.append(bytes) }
                }
                try await reaching { () async throws(ObjectStoreError) in _ = try await upload.finish() }
            } catch {
                await upload.abort()
                throw error
            }
        }
        try await readBack(to, head.size, sums)
        (objects, bytes) = (objects + 1, bytes + head.size)
    }

    private func readBack(_ key: String, _ size: Int, _ sums: [UInt32]) async throws(ArchiveError) {
        for (i, sum) in sums.enumerated() {
            let range = i * Self.partBytes..<max(i * Self.partBytes + 1, min(size, (i + 1) * Self.partBytes))
            let bytes = try await reaching { () async throws(ObjectStoreError) in try await target.get(key, range) }
            guard CRC32.of(bytes) == sum else { throw ArchiveError(.damaged, place: target.place + "/" + key, "reads back other bytes than were written") }
        }
    }

    private func changed(_ path: String) -> ArchiveError { ArchiveError(.unavailable, place: snapshot.table.place + "/" + path, "changed while it was copied") }
}
