// `isotherm archive get`: one order's document, or all of a person's.
//
// An order is found by its person and month. Both are in the order directory; without one the person is given, and the month is that of the order's
// identifier; without a person the order numbers of that month are read, of no other column.

package import ArgumentParser
package import Archive
internal import Orders

package struct ArchiveGetCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print an order's document, or with --person alone all of theirs, oldest first.",
        discussion: "isotherm archive get 01623f5e-… --data data\nisotherm archive get --person 8d5c… --archive s3://bucket/cold\n\nExit code 1 when there is none, or it is not that person's.")
    @OptionGroup var place: ArchivePlaceOptions
    @Argument(help: "An order's identifier; where the shop is beside also its reference or ref:SOURCE:KEY.") var order: String?
    @Option(help: ArgumentHelp("Whose order: a person_ref, or ref:SOURCE:KEY where the shop is beside.", valueName: "ref")) var person: String?
    package init() {}

    package func validate() throws {
        if order == nil, person == nil { throw ValidationError("give an order's identifier, or --person") }
    }

    package func run() async throws {
        let archive = try await place.open(), snapshot = try await archive.table.snapshot()
        let found = try await ShopFolder.withDirectory(place.shop) { (directory) -> ArchiveFound in
            let person = if let person { try await ArchiveDirectory.person(person, directory) } else { nil as String? }
            let lookup = ArchiveLookup(snapshot, directory)
            guard let order else { return ArchiveFound(rows: try await snapshot.ofPerson(person ?? "").rows.map(\.order)) }
            return try await lookup.order(order, person: person)
        }
        for remark in found.remarks { Terminal.remark(remark) }
        for row in found.rows {
            let opened = try OpenedDocument(row, keys: nil)
            Terminal.line(String(decoding: opened.bytes, as: UTF8.self))
        }
        if !found.rows.isEmpty { Terminal.remark("personal members (addresses, tracking codes and places, reasons) are sealed") }
        Terminal.remark(archive.readText)
        if found.rows.isEmpty {
            Terminal.remark(order == nil ? "nobody's orders of that name are in the archive" : "that order is not in the archive")
            throw ExitCode(1)
        }
    }
}

package struct ArchiveFound: Sendable {
    package var rows: [ArchivedOrder] = []
    /// What a person should be told about them.
    package var remarks: [String] = []
}

/// Finds one order of a snapshot.
package struct ArchiveLookup {
    private let snapshot: TableSnapshot, directory: ArchiveDirectory?

    /// Without a directory of orders.
    package init(_ snapshot: TableSnapshot) { self.init(snapshot, nil) }
    init(_ snapshot: TableSnapshot, _ directory: ArchiveDirectory?) { (self.snapshot, self.directory) = (snapshot, directory) }

    /// One order, or none.
    package func order(_ text: String, person: String?) async throws -> ArchiveFound {
        if let known = try await directory?.order(text) {
            if let person, known.person.description != person { throw CommandError("order \(text) is not of that person") }
            guard let month = Partition(placedAt: known.placedAt.microseconds) else { return ArchiveFound() }
            let key = ArchivedOrder.Key(order: known.id.description, person: known.person.description, partition: month), row = try await snapshot.get(key).row
            return ArchiveFound(rows: row.map { [$0.order] } ?? [], remarks: Self.remarks(known, row?.order))
        }
        guard let id = OrderID(text: text) else {
            throw CommandError(directory == nil ? "\(text) is no order's identifier; other names are known to the shop alone: give --data with its folder" : "there is no order \(text)")
        }
        let months = ArchiveMoments.months(of: id, among: snapshot.partitions), wanted = id.description
        if let person {
            let rows = try await snapshot.ofPerson(person, partitions: months).rows.map(\.order).filter { $0.id == wanted }
            return ArchiveFound(rows: rows)
        }
        if months.isEmpty { return ArchiveFound() }
        var owner: String?
        try await snapshot.figures(partitions: Set(months), parts: .names) { (rows, _) async throws(ArchiveError) in
            owner = rows.first { $0.names?.order == wanted }?.person
            return owner == nil
        }
        let note = ["its person is not given: the order numbers of \(months.map { ArchiveListing.name($0) }.joined(separator: ", ")) were read"]
        guard let owner else { return ArchiveFound(remarks: note) }
        return ArchiveFound(rows: try await snapshot.ofPerson(owner, partitions: months).rows.map(\.order).filter { $0.id == wanted }, remarks: note)
    }

    private static func remarks(_ known: Order, _ row: ArchivedOrder?) -> [String] {
        if known.tier != Tier.cold.rawValue {
            return ["the directory has this order in the \(known.tier) tier" + (row == nil ? "" : ": this is a copy that was left behind")]
        }
        if let row, row.version != known.version { return ["the directory has version \(known.version) of this order, this is version \(row.version)"] }
        return []
    }
}
