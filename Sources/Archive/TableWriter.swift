// The one who writes a table, for as long as it holds the lease.
//
//     rollBack    what a dead writer left is undone, or finished when it had decided to commit
//     upsert      requested -> inflight -> a new slice for each file group that changes -> decision -> .commit -> read back
//     delete      the same
//     clean       TableWriter+Clean.swift
//
// Another may take over at any moment and this one wake up later: the lease is asked before each file and before the decision; whoever takes over
// decides "rolled back" for every instant it finds begun, before it removes that instant's files; the decision can be made once. So a writer that
// slept commits nothing whose files are gone. One that slept before its first object and finds a later instant in the timeline gives up.
//
// Invariant: one call at a time; a call that failed leaves a writer that must roll back first, which the next call does.

import Storage

package struct WriterLease: Sendable {
    /// Rises with each holder.
    package let epoch: Int64
    /// Whether it is held still, asked anew each time.
    package let isHeld: @Sendable () async -> Bool
    package init(epoch: Int64, isHeld: @escaping @Sendable () async -> Bool) { (self.epoch, self.isHeld) = (epoch, isHeld) }
}

package struct CommitResult: Sendable, Equatable {
    /// Nil when nothing changed: then nothing was written.
    package var instant: HudiInstant?
    package var inserted = 0, updated = 0, deleted = 0
    /// Orders that the table had already, or had in a later version.
    package var unchanged = 0
    package var files: [FileSlice] = []
}

package actor TableWriter {
    package nonisolated let table: HudiTable
    package nonisolated let lease: WriterLease
    private let now: @Sendable () -> Int64
    private let chance: @Sendable () -> UInt32
    private var isBusy = false
    /// What the table is, as this writer left it; nil when it does not know.
    private var known: TableSnapshot?

    /// - Parameters: `now` gives microseconds since 1970, `chance` a number that tells this try from others.
    package init(_ table: HudiTable, lease: WriterLease, now: @escaping @Sendable () -> Int64, chance: @escaping @Sendable () -> UInt32 = { UInt32.random(in: 0...UInt32.max) }) {
        (self.table, self.lease, self.now, self.chance) = (table, lease, now, chance)
    }

    /// Inserts orders, and replaces those of an older or equal version, in one commit.
    package func upsert(_ orders: [ArchivedOrder]) async throws(ArchiveError) -> CommitResult {
        var groups: [Group: RowChanges] = [:]
        for order in orders {
            if let fault = order.fault { throw ArchiveError(.misuse, place: table.place, "an order with \(fault)") }
            guard let key = order.key else { continue }
            groups[group(key), default: RowChanges()].add(RowKey(key), .put(order))
        }
        return try await alone { () async throws(ArchiveError) in try await self.commit(.upsert, groups) }
    }

    /// Removes orders, in one commit; those that are not there are no error, and later versions than `upTo` says stay.
    package func delete(_ keys: [ArchivedOrder.Key], upTo versions: [ArchivedOrder.Key: Int64] = [:]) async throws(ArchiveError) -> CommitResult {
        var groups: [Group: RowChanges] = [:]
        for key in keys { groups[group(key), default: RowChanges()].add(RowKey(key), .delete(upTo: versions[key] ?? .max)) }
        return try await alone { () async throws(ArchiveError) in try await self.commit(.delete, groups) }
    }

    /// Undoes what dead writers left, or finishes what they had decided; gives how many objects were removed. Every other call does it first.
    @discardableResult
    package func rollBack() async throws(ArchiveError) -> Int {
        try await alone { () async throws(ArchiveError) in
            self.known = nil
            return try await self.ready().removed
        }
    }

    /// The table as this writer last left it.
    package func snapshot() async throws(ArchiveError) -> TableSnapshot {
        try await alone { () async throws(ArchiveError) in try await self.ready().snapshot }
    }

    // MARK: - One at a time

    func alone<R: Sendable>(_ body: () async throws(ArchiveError) -> R) async throws(ArchiveError) -> R {
        guard !isBusy else { throw ArchiveError(.misuse, place: table.place, "a writer does one thing at a time") }
        isBusy = true
        defer { isBusy = false }
        do throws(ArchiveError) { return try await body() } catch {
            known = nil
            throw error
        }
    }

    func ready() async throws(ArchiveError) -> (snapshot: TableSnapshot, removed: Int) {
        if let known { return (known, 0) }
        let removed = try await clearDead()
        let snapshot = try await table.snapshot()
        known = snapshot
        return (snapshot, removed)
    }

    func forget() { known = nil }

    func checkLease() async throws(ArchiveError) {
        guard await lease.isHeld() else { throw ArchiveError(.fenced, place: table.place, "the lease (epoch \(lease.epoch)) is another's") }
    }

    func put(_ path: String, _ bytes: [UInt8]) async throws(ArchiveError) {
        do throws(ObjectStoreError) { try await table.store.put(table.key(path), bytes, ifAbsent: true) } catch { throw ArchiveError(error) }
    }

    func remove(_ path: String) async throws(ArchiveError) {
        do throws(ObjectStoreError) { try await table.store.delete(table.key(path)) } catch { throw ArchiveError(error) }
    }

    // MARK: - Commit

    private struct Group: Hashable {
        let partition: Partition, bucket: Int
        var fileID: String { FileSlice.fileID(partition, bucket: bucket) }
    }

    private func group(_ key: ArchivedOrder.Key) -> Group { Group(partition: key.partition, bucket: FileSlice.bucket(person: key.person, of: table.buckets)) }

    private func commit(_ operation: HudiCommit.Operation, _ groups: [Group: RowChanges]) async throws(ArchiveError) -> CommitResult {
        let before = try await ready().snapshot
        guard !groups.isEmpty else { return CommitResult() }
        try await checkLease()
        let instant = HudiInstant.next(after: before.listing.last, nowMicroseconds: now())
        // From here on others may find something begun.
        known = nil
        try await put("\(TableListing.hoodie)\(instant).commit.requested", [])
        try await put("\(TableListing.hoodie)\(instant).inflight", HudiCommit(operation).serialized(schema: ""))
        var result = CommitResult(), commit = HudiCommit(operation)
        for (group, changes) in groups.sorted(by: { ($0.key.partition, $0.key.fileID) < ($1.key.partition, $1.key.fileID) }) {
            try await checkLease()
            guard let write = try await write(group, changes, before, instant, number: commit.writes.count, &result) else { continue }
            commit.writes.append(write)
        }
        guard !commit.writes.isEmpty else {
            try await withdraw(instant)
            return result
        }
        try await decide(commit, instant, since: before)
        try await prove(commit, instant)
        result.instant = instant
        result.files = commit.writes.map(\.slice)
        return result
    }

    private func write(
        _ group: Group, _ changes: RowChanges, _ before: TableSnapshot, _ instant: HudiInstant, number: Int, _ result: inout CommitResult
    ) async throws(ArchiveError) -> HudiCommit.WriteStat? {
        let old = before.slices[group.fileID]
        // A delete where there is nothing.
        if old == nil, !changes.puts { return nil }
        if !before.listing.partitions.contains(group.partition) { try await markPartition(group.partition, instant) }
        let token = "\(number)-\(max(0, lease.epoch))-\(chance())"
        let planned = FileSlice(partition: group.partition, fileID: group.fileID, token: token, instant: instant, byteCount: 0, rowCount: 0)
        let writer = try SliceWriter(name: planned.name, commit: instant, number: number, options: OrderColumns.options, place: table.place)
        var merge = SliceMerge(table, path: planned.path, writer: writer, changes: changes)
        let written = try await merge.run(old)
        result.inserted += merge.inserts
        result.updated += merge.updates
        result.deleted += merge.deletes
        result.unchanged += merge.unchanged
        guard let written else { return nil }
        let slice = FileSlice(partition: group.partition, fileID: group.fileID, token: token, instant: instant, byteCount: written.bytes, rowCount: written.rows)
        return HudiCommit.WriteStat(slice: slice, previous: old?.instant, updates: merge.updates, inserts: merge.inserts, deletes: merge.deletes)
    }

    private func markPartition(_ partition: Partition, _ instant: HudiInstant) async throws(ArchiveError) {
        let text = "#partition metadata\ncommitTime=\(instant)\npartitionDepth=2\n"
        do throws(ArchiveError) { try await put(partition.path + "/" + TableListing.partitionFile, Array(text.utf8)) } catch { if error.kind != .fenced { throw error } }
    }

    /// Nothing changed: the instant goes as if it had never been.
    private func withdraw(_ instant: HudiInstant) async throws(ArchiveError) {
        try await remove("\(TableListing.hoodie)\(instant).inflight")
        try await remove("\(TableListing.hoodie)\(instant).commit.requested")
    }

    /// Order matters: the decision, which nobody can take back, then `.commit`, which all see.
    private func decide(_ commit: HudiCommit, _ instant: HudiInstant, since before: TableSnapshot) async throws(ArchiveError) {
        let bytes = commit.serialized(schema: OrderColumns.avro)
        guard bytes.count <= HudiCommit.bytesMax else { throw ArchiveError(.misuse, place: table.place, "\(commit.writes.count) files in one commit: fewer orders at once") }
        let listing = try await TableListing(table)
        // The files say what the table was then and what changes: another's commit since would be taken back by them. A lease of another store does not tell.
        guard listing.completed == before.listing.completed else { throw ArchiveError(.fenced, place: table.place, "another writer has committed since this one looked") }
        // Another's that is begun would do so too. Each writer puts its `.requested` before it lists, so of two at once one at least sees the other's, and gives up.
        // Nobody gives up for ever: who gave up knows nothing any more (`alone`), and who knows nothing first clears away what was begun, its own too (`ready`).
        guard listing.pending.allSatisfy({ $0 == instant }) else {
            throw ArchiveError(.fenced, place: table.place, "another writer has begun a commit, or left one begun: the next try clears that away")
        }
        guard commit.writes.allSatisfy({ listing.files[$0.slice.path] == $0.slice.byteCount }) else {
            throw ArchiveError(.fenced, place: table.place, "another writer took over and removed what this one wrote")
        }
        if let last = listing.last, last > instant { throw ArchiveError(.fenced, place: table.place, "a later commit was begun by another writer") }
        try await checkLease()
        do throws(ArchiveError) { try await put(TableListing.decisions + instant.description, bytes) } catch {
            throw error.kind == .fenced ? ArchiveError(.fenced, place: table.place, "another writer took over and rolled this commit back") : error
        }
        try await show(bytes, instant)
    }

    /// Puts `.commit`; who rolled a decided commit forward has put the same bytes.
    func show(_ bytes: [UInt8], _ instant: HudiInstant) async throws(ArchiveError) {
        do throws(ArchiveError) { try await put("\(TableListing.hoodie)\(instant).commit", bytes) } catch { if error.kind != .fenced { throw error } }
    }

    /// Reads the timeline again: what this commit wrote must be the newest of its groups.
    private func prove(_ commit: HudiCommit, _ instant: HudiInstant) async throws(ArchiveError) {
        let after = try await table.snapshot()
        guard commit.writes.allSatisfy({ after.slices[$0.slice.fileID] == $0.slice }) else {
            throw ArchiveError(.fenced, place: table.place, "committed as \(instant), but a later commit of another writer stands before it")
        }
        try await checkLease()
        known = after
    }
}
