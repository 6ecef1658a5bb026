// Commits that were decided for and are not shown: their writer is between its two puts, or was stopped there, or the `.commit` got lost. Nobody can take the
// decision back, so the next writer puts the `.commit` again (`TableWriter.clearDead`); until then a snapshot has older rows.
//
// Nothing is read to find them: a decision "rolled back" is told by its length, which no commit has. What `clean` has forgotten is not among them: a clean that was
// stopped leaves the decision alone, without timeline and files.

extension TableListing {
    /// Rising.
    var lost: [HudiInstant] {
        let open = decided.subtracting(completed).filter { timelineBytes[Self.decisions + $0.description] != TableWriter.rolledBack.count }
        if open.isEmpty { return [] }
        let left = Set(pending).union(files.keys.compactMap { FileSlice(path: $0, byteCount: 0, rowCount: 0)?.instant })
        return open.intersection(left).sorted()
    }
}

extension TableSnapshot {
    /// What this snapshot has not got though it was decided for; a writer at work may be about to show it.
    package var lostCommits: [HudiInstant] { listing.lost }
}

extension HudiTable {
    /// Longer than a put takes, mostly.
    private static let betweenPuts = Duration.seconds(1)

    /// Those of a listing that are not shown a moment later either: a writer at work puts its `.commit` right after the decision.
    func lostCommits(_ listing: TableListing) async throws(ArchiveError) -> [HudiInstant] {
        let lost = Set(listing.lost)
        if lost.isEmpty { return [] }
        try? await Task.sleep(for: Self.betweenPuts)
        return try await TableListing(self).lost.filter { lost.contains($0) }
    }

    func lost(_ instant: HudiInstant) -> ArchiveError {
        let path = "\(TableListing.hoodie)\(instant).commit"
        return ArchiveError(.damaged, place: place + "/" + path, "the commit of \(instant) is lost; the next `isotherm tier run` that moves orders puts it again")
    }
}
