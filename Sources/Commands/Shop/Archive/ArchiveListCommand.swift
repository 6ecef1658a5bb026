// `isotherm archive ls`: what lies in the table, month by month, and how it came there.

package import ArgumentParser
package import Archive
package import JSON

package struct ArchiveListCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Months with their orders, bytes and files; the timeline with --commits.",
        discussion: "isotherm archive ls --data data --commits\n\nReads the listing and the commits, no file of orders.")
    @OptionGroup var place: ArchivePlaceOptions
    @Flag(help: "The commits, oldest first, as far as time travel reaches.") var commits = false
    @Flag(help: "Print JSON.") var json = false
    package init() {}

    package func run() async throws {
        let archive = try await place.open(), listing = try await ArchiveListing(archive.table.snapshot(), withCommits: commits)
        if json { return Terminal.line(listing.json(archive.readJSON)) }
        for line in listing.lines { Terminal.line(line) }
        Terminal.remark(archive.readText)
    }
}

package struct ArchiveListing: Sendable {
    private let snapshot: TableSnapshot
    private let commits: [CompletedCommit]?

    package init(_ snapshot: TableSnapshot, withCommits: Bool) async throws {
        self.snapshot = snapshot
        commits = withCommits ? try await snapshot.commits() : nil
    }

    private struct Month { var partition: Partition, orders = 0, bytes = 0, files = 0 }

    private var months: [Month] {
        var found: [Partition: Month] = [:]
        for slice in snapshot.current {
            var month = found[slice.partition] ?? Month(partition: slice.partition)
            (month.orders, month.bytes, month.files) = (month.orders + slice.rowCount, month.bytes + slice.byteCount, month.files + 1)
            found[slice.partition] = month
        }
        return found.values.sorted { $0.partition < $1.partition }
    }

    package var lines: [String] {
        func row(_ name: String, _ orders: Int, _ bytes: Int, _ files: Int) -> String {
            "\(name.padded(10))\(grouped(orders).padded(14, left: true)) orders\(grouped(bytes).padded(18, left: true)) bytes\(grouped(files).padded(6, left: true)) files"
        }
        var lines = [snapshot.table.place]
        for month in months { lines.append(row(Self.name(month.partition), month.orders, month.bytes, month.files)) }
        lines.append(row("together", snapshot.rowCount, snapshot.byteCount, snapshot.slices.count))
        let older = snapshot.older
        if !older.isEmpty { lines.append("older files, for time travel: \(grouped(older.count)), \(grouped(older.reduce(0) { $0 + $1.byteCount })) bytes") }
        for instant in snapshot.pending { lines.append("begun and not completed: commit \(instant)") }
        for path in snapshot.strays { lines.append("named by no commit: \(path)") }
        for one in commits ?? [] {
            let writes = one.commit.writes
            func sum(_ value: (HudiCommit.WriteStat) -> Int) -> String { grouped(writes.reduce(0) { $0 + value($1) }) }
            lines.append("\(one.instant)  \(one.commit.operation.rawValue.padded(7)) \(sum(\.inserts)) inserted, \(sum(\.updates)) changed, \(sum(\.deletes)) deleted; "
                + "\(writes.count) files, \(sum { $0.slice.byteCount }) bytes")
        }
        return lines
    }

    package func json(_ read: JSONValue) -> String {
        var object = JSONObject([
            ("table", .string(snapshot.table.place)), ("buckets", .integer(Int64(snapshot.table.buckets))), ("orders", .integer(Int64(snapshot.rowCount))),
            ("bytes", .integer(Int64(snapshot.byteCount))), ("files", .integer(Int64(snapshot.slices.count))),
            ("months", .array(months.map { ["month": .string(Self.name($0.partition)), "orders": .integer(Int64($0.orders)), "bytes": .integer(Int64($0.bytes)), "files": .integer(Int64($0.files))] })),
            ("older", ["files": .integer(Int64(snapshot.older.count)), "bytes": .integer(Int64(snapshot.older.reduce(0) { $0 + $1.byteCount }))]),
            ("pending", .array(snapshot.pending.map { .string($0.description) })), ("strays", .array(snapshot.strays.map { .string($0) })),
        ])
        if let commits {
            object["commits"] = .array(commits.map { one in
                let writes = one.commit.writes
                func sum(_ value: (HudiCommit.WriteStat) -> Int) -> JSONValue { .integer(Int64(writes.reduce(0) { $0 + value($1) })) }
                return [
                    "instant": .string(one.instant.description), "operation": .string(one.commit.operation.rawValue), "inserted": sum(\.inserts), "changed": sum(\.updates),
                    "deleted": sum(\.deletes), "files": .integer(Int64(writes.count)), "bytes": sum { $0.slice.byteCount },
                ]
            })
        }
        object["read"] = read
        return JSONValue.object(object).text
    }

    static func name(_ month: Partition) -> String { "\(month.year)-" + (month.month < 10 ? "0" : "") + String(month.month) }
}
