// What else lies in a table besides its newest files: for those who look after it.

package struct CompletedCommit: Sendable {
    package let instant: HudiInstant
    package let commit: HudiCommit
}

extension TableSnapshot {
    /// The timeline, oldest first: as far as `clean` left it.
    package func commits() async throws(ArchiveError) -> [CompletedCommit] {
        var all: [CompletedCommit] = []
        for instant in instants { all.append(CompletedCommit(instant: instant, commit: try await table.commit(instant, listing))) }
        return all
    }

    /// Files of commits that newer ones have replaced: what time travel needs, and `clean` removes.
    package var older: [FileSlice] {
        history.values.flatMap { $0 }.filter { listing.files[$0.path] != nil && slices[$0.fileID] != $0 }.sorted { $0.path < $1.path }
    }

    /// Base files that no completed commit names: a writer is at work, or was stopped and has no successor yet.
    package var strays: [String] {
        let named = Set(history.values.flatMap { $0.map(\.path) })
        return listing.files.keys.filter { !named.contains($0) }.sorted()
    }

    /// Instants that were begun and not completed.
    package var pending: [HudiInstant] { listing.pending }
}
