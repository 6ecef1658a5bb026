// Checks the whole table: the timeline against the store, then every file (`SliceCheck`). Goes on after a fault, so that one run names all of them.
//
//     1  Every commit can be read, and is the one that was decided for; every one that was decided for is there.
//     2  The newest file of each group is there; every file that is there has the size its commit says; partitions have their mark.
//     3  No order is in two file groups. (Orders are told apart by 64 bits of a hash: a chance of 1 in 10^5 for a false alarm among 10^7 orders.)
//
// May run beside a writer: who finds faults looks whether the timeline moved meanwhile (`isMoved`), and then checks again.

internal import Bytes
import Storage

package struct TableFault: Sendable, Equatable, CustomStringConvertible {
    package let place: String, what: String
    package init(_ place: String, _ what: String) { (self.place, self.what) = (place, what) }
    package init(_ error: ArchiveError) { self.init(error.place, error.reason) }
    package var description: String { "\(place): \(what)" }
}

package struct TableReport: Sendable {
    package var faults: [TableFault] = []
    /// Nothing is wrong with the table for these.
    package var notes: [TableFault] = []
    /// Beyond those that are kept.
    package var moreFaults = 0
    package var commits = 0, files = 0, olderFiles = 0, rows = 0, bytes = 0
    package var cost = ReadCost()
    /// A commit or a clean came meanwhile.
    package var isMoved = false
    package static let faultsMax = 1_000
    package init() {}

    package mutating func add(_ fault: TableFault) {
        if faults.count < Self.faultsMax { faults.append(fault) } else { moreFaults += 1 }
    }
}

package struct TableCheck {
    private let table: HudiTable, includesOlder: Bool
    private var report = TableReport()
    private var seen: Set<UInt64> = []

    /// - Parameter includesOlder: reads the files that newer ones replaced too; else their sizes are compared.
    package init(_ table: HudiTable, includesOlder: Bool = false) { (self.table, self.includesOlder) = (table, includesOlder) }

    /// - Parameter visit: is given the orders of the newest files and says what else is wrong with them.
    /// - Throws: when the store does not answer; what is wrong with the table is in the report.
    package mutating func run(_ visit: ([ArchivedRow], FileSlice) async throws(ArchiveError) -> [TableFault]) async throws(ArchiveError) -> TableReport {
        let listing: TableListing
        do throws(ArchiveError) { listing = try await TableListing(table) } catch {
            try keep(error)
            return report
        }
        let (newest, named) = try await timeline(listing)
        for slice in newest { try await check(slice, visit) }
        if includesOlder {
            let current = Set(newest)
            for slice in named where !current.contains(slice) && listing.files[slice.path] == slice.byteCount {
                var checking = SliceCheck(table, slice)
                try await reading(&checking, slice) { (_) throws(ArchiveError) in }
                report.olderFiles += 1
            }
        }
        if !report.faults.isEmpty, let after = try? await TableListing(table) { report.isMoved = after.completed != listing.completed }
        return report
    }

    // MARK: -

    /// Damage is reported, a world that fails is thrown.
    private mutating func keep(_ error: ArchiveError) throws(ArchiveError) {
        switch error.kind {
        case .damaged, .unsupported, .notFound: report.add(TableFault(error))
        case .misuse, .unavailable, .cancelled, .fenced: throw error
        }
    }

    /// The newest slices that can be read, and all that commits name.
    private mutating func timeline(_ listing: TableListing) async throws(ArchiveError) -> (newest: [FileSlice], named: [FileSlice]) {
        var newest: [String: FileSlice] = [:], named: [FileSlice] = []
        for instant in listing.completed {
            report.commits += 1
            do throws(ArchiveError) {
                let commit = try await table.commit(instant, listing)
                for write in commit.writes {
                    if let before = newest[write.slice.fileID], before.partition != write.slice.partition {
                        report.add(TableFault(table.place, "file group \(write.slice.fileID) is in two partitions"))
                    }
                    newest[write.slice.fileID] = write.slice
                    named.append(write.slice)
                }
                try await decision(instant, listing)
            } catch { try keep(error) }
        }
        var lost: [HudiInstant] = []
        do throws(ArchiveError) { lost = try await table.lostCommits(listing) } catch { try keep(error) }
        for instant in lost { report.add(TableFault(table.lost(instant))) }
        for slice in named {
            let place = table.place + "/" + slice.path, isNewest = newest[slice.fileID] == slice
            guard let size = listing.files[slice.path] else {
                if isNewest { report.add(TableFault(place, "the newest file of its group is missing")) }
                continue
            }
            if size != slice.byteCount {
                report.add(TableFault(place, "\(size) bytes, \(slice.byteCount) were committed"))
            }
        }
        for partition in Set(newest.values.map(\.partition)).subtracting(listing.partitions).sorted() {
            report.add(TableFault(table.place + "/" + partition.path, "no \(TableListing.partitionFile): Java's readers do not find the partition"))
        }
        let known = Set(named.map(\.path))
        for path in listing.files.keys.sorted() where !known.contains(path) {
            report.notes.append(TableFault(table.place + "/" + path, "no commit names it: a writer is at work, or was stopped and has no successor yet"))
        }
        for instant in listing.pending where !lost.contains(instant) { report.notes.append(TableFault(table.place, "commit \(instant) was begun and not completed")) }
        let sound = newest.values.filter { listing.files[$0.path] == $0.byteCount }
        return (sound.sorted { ($0.partition, $0.fileID) < ($1.partition, $1.fileID) }, named)
    }

    private func decision(_ instant: HudiInstant, _ listing: TableListing) async throws(ArchiveError) {
        guard listing.decided.contains(instant) else { return }
        let path = TableListing.decisions + instant.description, commit = "\(TableListing.hoodie)\(instant).commit"
        let decided = try await table.timelineObject(path, byteCount: listing.timelineBytes[path])
        let shown = try await table.timelineObject(commit, byteCount: listing.timelineBytes[commit])
        guard decided == shown else {
            throw ArchiveError(.damaged, place: table.place + "/" + path, decided == TableWriter.rolledBack ? "decided to be rolled back, but committed" : "another commit was decided for than the one that is shown")
        }
    }

    private mutating func check(_ slice: FileSlice, _ visit: ([ArchivedRow], FileSlice) async throws(ArchiveError) -> [TableFault]) async throws(ArchiveError) {
        var checking = SliceCheck(table, slice), seen = seen, faults: [TableFault] = [], rows = 0
        let place = table.place + "/" + slice.path
        self.seen = []
        try await reading(&checking, slice) { (part) async throws(ArchiveError) in
            rows += part.count
            for row in part where !seen.insert(XXHash64.of(Array(row.order.id.utf8))).inserted {
                faults.append(TableFault(place, "order \(row.order.id) is in another file too"))
            }
            faults += try await visit(part, slice)
        }
        self.seen = seen
        for fault in faults { report.add(fault) }
        report.files += 1
        report.rows += rows
        report.bytes += slice.byteCount
    }

    private mutating func reading(_ checking: inout SliceCheck, _ slice: FileSlice, _ visit: ([ArchivedRow]) async throws(ArchiveError) -> Void) async throws(ArchiveError) {
        let place = table.place + "/" + slice.path
        do throws(ArchiveError) { try await checking.run(visit) } catch { try keep(error) }
        if let fault = checking.fault { report.add(TableFault(place, fault)) }
        if let note = checking.note { report.notes.append(TableFault(place, note)) }
        report.cost += checking.cost
    }
}
