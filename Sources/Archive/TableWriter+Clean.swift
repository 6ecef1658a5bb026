// Removing what history no longer needs: old slices, then the commits that nothing kept was written by.
//
// Time travel reaches back to the earliest kept commit and no further: a reader asking for an earlier moment gets fewer rows, or none, without
// being told (docs/cold-tier.md).

import Storage

package struct CleanResult: Sendable, Equatable {
    package var files = 0, bytes = 0, commits = 0
    /// Time travel reaches back to here; nil for an empty table.
    package var earliest: HudiInstant?
}

extension TableWriter {
    /// Keeps the snapshots of the last `commits` commits, at least one, and removes what no kept one shows.
    package func clean(keeping commits: Int) async throws(ArchiveError) -> CleanResult {
        guard commits >= 1 else { throw ArchiveError(.misuse, place: table.place, "the newest commit is always kept: clean(keeping: 1) at least") }
        return try await alone { () async throws(ArchiveError) in
            let snapshot = try await self.ready().snapshot
            self.forget()
            return try await self.clean(snapshot, commits)
        }
    }

    private func clean(_ snapshot: TableSnapshot, _ commits: Int) async throws(ArchiveError) -> CleanResult {
        guard let earliest = snapshot.instants.suffix(commits).first else { return CleanResult() }
        try await checkLease()
        var result = CleanResult(earliest: earliest), kept: Set<HudiInstant> = []
        for slices in snapshot.history.values {
            // What the earliest kept snapshot shows, and everything after it.
            let first = slices.lastIndex { $0.instant <= earliest } ?? 0
            for slice in slices[first...] { kept.insert(slice.instant) }
            for slice in slices[..<first] {
                guard let size = snapshot.listing.files[slice.path] else { continue }
                try await remove(slice.path)
                (result.files, result.bytes) = (result.files + 1, result.bytes + size)
            }
        }
        for instant in snapshot.instants where instant < earliest && !kept.contains(instant) {
            try await forget(instant)
            result.commits += 1
        }
        try await sweepDecisions(snapshot, earliest, kept)
        return result
    }

    /// Order matters: `.commit` goes last of the three, so that it never looks begun.
    private func forget(_ instant: HudiInstant) async throws(ArchiveError) {
        for suffix in ["commit.requested", "inflight", "commit"] { try await remove("\(TableListing.hoodie)\(instant).\(suffix)") }
    }

    /// Decisions of commits that are forgotten go; those of kept ones are their second copy, and those of rolled-back instants what a sleeper runs into.
    private func sweepDecisions(_ snapshot: TableSnapshot, _ earliest: HudiInstant, _ kept: Set<HudiInstant>) async throws(ArchiveError) {
        for instant in snapshot.listing.decided.sorted() where instant < earliest && !kept.contains(instant) {
            let path = TableListing.decisions + instant.description
            let head: ObjectHead?
            do throws(ObjectStoreError) { head = try await table.store.headIfPresent(table.key(path)) } catch { throw ArchiveError(error) }
            if let head, head.size != Self.rolledBack.count { try await remove(path) }
        }
    }
}
