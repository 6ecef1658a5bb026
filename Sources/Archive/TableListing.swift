// What lies under a table's prefix, sorted into instants by state, base files and partitions.
//
// One listing, in the order of the keys: ".hoodie/" comes before "year=", so a commit that is listed has had its files for longer.

import Storage

struct TableListing {
    enum State { case requested, inflight }
    /// With a `.commit`, rising.
    var completed: [HudiInstant] = []
    /// Begun, without a `.commit`, rising.
    var pending: [HudiInstant] = []
    var decided: Set<HudiInstant> = []
    /// Every timeline object, by instant.
    var timeline: [HudiInstant: [String]] = [:]
    /// Of those and of the decisions, by path.
    var timelineBytes: [String: Int] = [:]
    /// Bytes by path.
    var files: [String: Int] = [:]
    var partitions: Set<Partition> = []

    static let hoodie = ".hoodie/", decisions = ".hoodie/.aux/isotherm/", partitionFile = ".hoodie_partition_metadata"

    init(_ table: HudiTable) async throws(ArchiveError) {
        let entries = try await reaching { () async throws(ObjectStoreError) in try await table.store.listAll(prefix: table.prefix + "/") }
        var begun: Set<HudiInstant> = [], done: Set<HudiInstant> = []
        for entry in entries {
            let path = String(entry.key.dropFirst(table.prefix.count + 1))
            if path.hasPrefix(Self.hoodie) { timelineBytes[path] = entry.size }
            if path.hasPrefix(Self.decisions) {
                if let instant = HudiInstant(path.dropFirst(Self.decisions.count)) { decided.insert(instant) }
            } else if path.hasPrefix(Self.hoodie) {
                try timelineObject(path, &begun, &done, table.place)
            } else if path.hasSuffix(".parquet") {
                files[path] = entry.size
            } else if path.hasSuffix("/" + Self.partitionFile), let partition = Partition(path: path.dropLast(Self.partitionFile.count + 1)) {
                partitions.insert(partition)
            }
        }
        completed = done.sorted()
        pending = begun.subtracting(done).sorted()
    }

    /// The newest instant in use for anything.
    var last: HudiInstant? { [completed.last, pending.last, decided.max()].compactMap { $0 }.max() }

    private mutating func timelineObject(_ path: String, _ begun: inout Set<HudiInstant>, _ done: inout Set<HudiInstant>, _ place: String) throws(ArchiveError) {
        let name = path.dropFirst(Self.hoodie.count)
        guard !name.contains("/"), let dot = name.firstIndex(of: "."), let first = name.utf8.first, first >= 48, first <= 57 else { return }
        guard let instant = HudiInstant(name[..<dot]) else { throw ArchiveError(.unsupported, place: place, "an instant that is not 17 digits in the timeline") }
        switch name[dot...] {
        case ".commit": done.insert(instant)
        case ".commit.requested", ".inflight": begun.insert(instant)
        case let other:
            // Others' clean and rollback leave nothing that a snapshot needs.
            if other.hasPrefix(".clean") || other.hasPrefix(".rollback") || other.hasPrefix(".savepoint") || other.hasPrefix(".restore") { return }
            throw ArchiveError(.unsupported, place: place, "an action of another writer in the timeline: \(other)")
        }
        timeline[instant, default: []].append(path)
    }
}
