// `isotherm archive verify`: the whole table, file by file and row by row; each order's document; and the order directory, where there is one.

package import ArgumentParser
package import Archive
internal import JSON
package import Orders
internal import OrdersSQLite

package struct ArchiveVerifyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check the timeline, every file, every row and document, and the order directory against them.",
        discussion: """
            isotherm archive verify --data data

            Each fault is a line FAULT place: what, and the exit code is 1. Lines beginning with `note` are no faults: what a writer at work or a stopped one left, and copies of
            orders that are in another tier.
            """)
    @OptionGroup var place: ArchivePlaceOptions
    @Flag(help: "Read older files too, which only time travel shows.") var older = false
    @Flag(help: "Print JSON.") var json = false
    package init() {}

    package func run() async throws {
        let archive = try await place.open()
        let outcome = try await ShopFolder.withDirectory(place.shop) { directory in
            try await ArchiveVerification.run(archive.table, includesOlder: older, directory: directory)
        }
        if json { Terminal.line(outcome.json(archive.readJSON)) } else {
            for line in outcome.lines { Terminal.line(line) }
            Terminal.remark(archive.readText)
        }
        if !outcome.isSound { throw ExitCode(1) }
    }
}

package enum ArchiveVerification {
    private static let triesMax = 3

    /// Without a directory beside it.
    package static func run(_ table: HudiTable, includesOlder: Bool, keys: (any PersonKeys)? = nil) async throws -> ArchiveOutcome {
        try await run(table, includesOlder: includesOlder, directory: nil, keys: keys)
    }

    static func run(_ table: HudiTable, includesOlder: Bool, directory: ArchiveDirectory?, keys: (any PersonKeys)? = nil) async throws -> ArchiveOutcome {
        let keys = keys ?? directory?.keys
        for attempt in 1... {
            var comparison = directory.map { DirectoryComparison($0, table) }, sealed = 0, check = TableCheck(table, includesOlder: includesOlder)
            var failure: (any Error)?
            let report = try await check.run { (rows, slice) async throws(ArchiveError) in
                var faults: [TableFault] = []
                for row in rows {
                    do throws(StoreError) {
                        let opened = try OpenedDocument(row.order, keys: keys)
                        if opened.isSealed { sealed += 1 }
                        if let what = opened.disagreement(with: row.order) { faults.append(TableFault(table.place + "/" + slice.path, "order \(row.order.id): \(what)")) }
                    } catch { faults.append(TableFault(table.place + "/" + slice.path, "order \(row.order.id): \(error)")) }
                }
                if failure == nil { do { try await comparison?.see(rows) } catch { failure = error } }
                return faults
            }
            if let failure { throw failure }
            if report.isMoved, attempt < triesMax { continue }
            var outcome = ArchiveOutcome(report: report, sealed: sealed)
            if var compared = comparison {
                try await compared.finish(&outcome)
                comparison = compared
            }
            return outcome
        }
        throw CommandError("the table changed faster than it could be read")
    }
}

package struct ArchiveOutcome: Sendable {
    package var report: TableReport
    /// Orders whose documents were not opened for want of keys: their open parts were compared.
    package var sealed = 0
    /// Orders of the directory that are in cold; nil where there is no directory.
    package var cold: Int?
    package var orphans: [String] = []
    package var orphanCount = 0

    package var isSound: Bool { report.faults.isEmpty }

    package var lines: [String] {
        var lines = report.faults.map { "FAULT \($0)" }
        if report.moreFaults > 0 { lines.append("FAULT and \(grouped(report.moreFaults)) more") }
        lines += report.notes.map { "note \($0)" } + orphans.map { "note \($0)" }
        if orphanCount > orphans.count { lines.append("note and \(grouped(orphanCount - orphans.count)) more orders that the directory has elsewhere") }
        lines.append("\(grouped(report.commits)) commits, \(grouped(report.files)) files" + (report.olderFiles > 0 ? " and \(grouped(report.olderFiles)) older ones" : "")
            + ", \(grouped(report.rows)) orders, \(grouped(report.bytes)) bytes" + (sealed > 0 ? ", \(grouped(sealed)) documents not opened for want of keys" : "")
            + (cold.map { "; \(grouped($0)) orders in cold by the directory" } ?? "") + ": " + (isSound ? "sound" : "\(grouped(report.faults.count + report.moreFaults)) faults"))
        return lines
    }

    func json(_ read: JSONValue) -> String {
        func list(_ faults: [TableFault]) -> JSONValue { .array(faults.map { ["place": .string($0.place), "what": .string($0.what)] }) }
        return ([
            "sound": .bool(isSound), "faults": list(report.faults), "more_faults": .integer(Int64(report.moreFaults)), "notes": list(report.notes),
            "commits": .integer(Int64(report.commits)), "files": .integer(Int64(report.files)), "older_files": .integer(Int64(report.olderFiles)),
            "orders": .integer(Int64(report.rows)), "bytes": .integer(Int64(report.bytes)), "sealed": .integer(Int64(sealed)),
            "cold_by_directory": cold.map { .integer(Int64($0)) } ?? .null, "orphans": .integer(Int64(orphanCount)), "read": read,
        ] as JSONValue).text
    }
}

/// Holds the table against the order directory: every cold order is there at its version. What differs at first is looked at again, since a mover may be at work.
struct DirectoryComparison {
    private let directory: ArchiveDirectory, table: HudiTable
    private var seen: Set<OrderID> = []
    private var doubtful: [OrderID] = []
    private var faults: [TableFault] = [], moreFaults = 0, unreadable = 0
    private var orphans: [String] = [], orphanCount = 0
    private static let doubtfulMax = 1_000, faultsMax = 1_000, orphansMax = 100, page = 5_000

    init(_ directory: ArchiveDirectory, _ table: HudiTable) { (self.directory, self.table) = (directory, table) }

    mutating func see(_ rows: [ArchivedRow]) async throws {
        let ids = rows.compactMap { OrderID(text: $0.order.id) }, placements = try await directory.store.placements(ids)
        for row in rows {
            guard let id = OrderID(text: row.order.id) else { continue }
            seen.insert(id)
            guard let there = placements[id] else {
                orphan("order \(id) is in no directory")
                continue
            }
            if there.tier != .cold { orphan("order \(id), version \(row.order.version), is in the \(there.tier.rawValue) tier: a copy that was left behind") } else if there.version != row.order.version { doubtful.append(id) }
        }
        if doubtful.count >= Self.doubtfulMax { try await settle() }
    }

    mutating func finish(_ outcome: inout ArchiveOutcome) async throws {
        var after: Int64 = 0, cold = 0
        while case let part = try await directory.store.directory(of: .cold, after: after, limit: Self.page), let last = part.last {
            cold += part.count
            for entry in part where !seen.contains(entry.order) { doubtful.append(entry.order) }
            if doubtful.count >= Self.doubtfulMax { try await settle() }
            after = last.sequence
        }
        try await settle()
        for fault in faults { outcome.report.add(fault) }
        if moreFaults > 0 { outcome.report.add(TableFault(table.place, "\(moreFaults) more orders that the table does not have as the directory says")) }
        if unreadable > 0 { outcome.report.add(TableFault(table.place, "\(unreadable) orders that the directory has in cold are in files that cannot be read")) }
        (outcome.cold, outcome.orphans, outcome.orphanCount) = (cold, orphans, orphanCount)
    }

    /// Looks at the doubtful ones again, the directory first: what it named before the table was looked at must be there, or have been moved since.
    private mutating func settle() async throws {
        let doubts = Array(Set(doubtful)).sorted()
        doubtful = []
        if doubts.isEmpty { return }
        let before = try await directory.store.placements(doubts)
        // A table that cannot be read has its faults already; so has a file.
        let snapshot: TableSnapshot?
        do throws(ArchiveError) { snapshot = try await table.snapshot() } catch {
            guard error.kind == .damaged || error.kind == .unsupported else { throw error }
            snapshot = nil
        }
        for id in doubts {
            guard let known = before[id], known.tier == .cold, let month = Partition(placedAt: known.placedAt.microseconds) else { continue }
            let row: ArchivedRow?
            do throws(ArchiveError) {
                row = try await snapshot?.get(ArchivedOrder.Key(order: id.description, person: known.person.description, partition: month)).row
            } catch {
                guard error.kind == .damaged || error.kind == .unsupported else { throw error }
                unreadable += 1
                continue
            }
            if snapshot == nil { unreadable += 1 }
            if snapshot == nil || row?.order.version == known.version { continue }
            // Brought back, or moved anew, between the two looks.
            guard let now = try await directory.store.placements([id])[id], now.tier == .cold, now.version == known.version else { continue }
            guard faults.count < Self.faultsMax else {
                moreFaults += 1
                continue
            }
            faults.append(TableFault(table.place + "/" + month.path, "order \(id): the directory has it in cold at version \(known.version), the table "
                + (row.map { "at version \($0.order.version)" } ?? "does not have it")))
        }
    }

    private mutating func orphan(_ text: String) {
        orphanCount += 1
        if orphans.count < Self.orphansMax { orphans.append(text) }
    }
}
