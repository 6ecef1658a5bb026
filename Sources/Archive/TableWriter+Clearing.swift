// What a dead writer left: finished when it had decided, undone when it had not.
//
// Order matters: an instant's decision is made before any of its files goes. A decision "rolled back" is kept for ever: it is what a writer that
// wakes up runs into.

import JSON
import Storage

extension TableWriter {
    static let rolledBack = Array(#"{"rolled_back":true}"#.utf8)

    /// Gives how many objects were removed.
    func clearDead() async throws(ArchiveError) -> Int {
        try await checkLease()
        var listing = try await TableListing(table)
        var dead: [HudiInstant] = []
        for instant in listing.pending { if try await !rollForward(instant) { dead.append(instant) } }
        let strays = try await self.strays(listing)
        for instant in Set(strays.map(\.instant)).subtracting(dead).sorted() where !listing.completed.contains(instant) {
            if try await !rollForward(instant) { dead.append(instant) }
        }
        guard !dead.isEmpty || !strays.isEmpty else { return 0 }
        // What was rolled forward is named now. Of instants that nobody decided for yet somebody may be writing: their files stay.
        listing = try await TableListing(table)
        try await checkLease()
        var removed = 0
        let over = Set(dead).union(listing.completed)
        for stray in try await self.strays(listing) where over.contains(stray.instant) {
            try await remove(stray.path)
            removed += 1
        }
        for instant in dead {
            for path in listing.timeline[instant, default: []].sorted(by: >) {
                try await remove(path)
                removed += 1
            }
        }
        return removed
    }

    /// Base files that no completed commit names; only those that are named as ours are: others are somebody's.
    private func strays(_ listing: TableListing) async throws(ArchiveError) -> [(path: String, instant: HudiInstant)] {
        var named: Set<String> = []
        for instant in listing.completed { for write in try await table.commit(instant, listing).writes { named.insert(write.slice.path) } }
        return listing.files.keys.filter { !named.contains($0) }.sorted().compactMap { path in FileSlice(path: path, byteCount: 0, rowCount: 0).map { (path, $0.instant) } }
    }

    /// Finishes a commit whose writer had decided so; false when it is rolled back, by this decision or an earlier one.
    private func rollForward(_ instant: HudiInstant) async throws(ArchiveError) -> Bool {
        let path = TableListing.decisions + instant.description
        do throws(ArchiveError) {
            try await put(path, Self.rolledBack)
            return false
        } catch { if error.kind != .fenced { throw error } }
        let bytes = try await table.timelineObject(path, byteCount: nil)
        if bytes == Self.rolledBack { return false }
        _ = try HudiCommit(parsing: bytes, instant: instant, place: table.place + "/" + path)
        try await show(bytes, instant)
        return true
    }
}
