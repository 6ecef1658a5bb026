// `isotherm archive ls|get|query|verify|restore|export`: the cold tier's table from the command line. Reads only, but for `restore`, which writes elsewhere;
// all may run beside a server, with or without a shop beside the table.

package import ArgumentParser
internal import Archive
import Glibc
internal import JSON
internal import ObjectStorage
import Storage

package struct ArchiveCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "The cold tier: what lies there, single orders, sums, a check, a copy, an export.",
        subcommands: [
            ArchiveListCommand.self, ArchiveGetCommand.self, ArchiveQueryCommand.self, ArchiveVerifyCommand.self, ArchiveRestoreCommand.self, ArchiveExportCommand.self,
        ])
    package init() {}
}

package struct ArchivePlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The data folder: its archive is in DIR/cold, its directory of orders in DIR/hot.", valueName: "dir")) var data: String?
    @Option(help: ArgumentHelp("The archive elsewhere: a folder, or s3://bucket/prefix?endpoint=...; what holds `orders`, or `orders` itself.", valueName: "location")) var archive: String?
    package init() {}

    /// Nil where the directory of orders is not known, or not there.
    var shop: String? {
        guard data != nil || archive == nil else { return nil }
        let folder = data ?? "data"
        // Safe: the path lives through the call, which keeps no pointer.
        return unsafe access(folder + "/hot/isotherm.db", R_OK) == 0 ? folder : nil
    }

    func open() async throws -> OpenArchive { try await OpenArchive.open(archive ?? (data ?? "data") + "/cold") }
}

/// A table with the count of what was read of it.
struct OpenArchive: Sendable {
    let table: HudiTable
    private let store: CountingObjectStore
    static let prefix = "orders"

    init(_ store: any ObjectStore, prefix: String = OpenArchive.prefix) async throws(ArchiveError) {
        self.store = CountingObjectStore(store)
        table = try await HudiTable.open(self.store, prefix: prefix)
    }

    /// - Parameter location: of what holds the table, or of the table.
    static func open(_ location: String) async throws -> OpenArchive {
        let parts = location.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let isS3 = location.hasPrefix("s3://"), query = isS3 && parts.count > 1 ? "?" + parts[1] : ""
        var path = isS3 ? String(parts[0]) : location
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        do throws(ArchiveError) { return try await OpenArchive(try store(path + query)) } catch { if error.kind != .notFound { throw error } }
        if let slash = path.lastIndex(of: "/"), !path[..<slash].hasSuffix("/"), !(isS3 && path[..<slash] == "s3:/"), slash != path.startIndex {
            let name = String(path[path.index(after: slash)...])
            do throws(ArchiveError) { return try await OpenArchive(try store(path[..<slash] + query), prefix: name) } catch { if error.kind != .notFound { throw error } }
        }
        if !isS3, !path.utf8.contains(UInt8(ascii: "/")) {
            do throws(ArchiveError) { return try await OpenArchive(try store("."), prefix: path) } catch { if error.kind != .notFound { throw error } }
        }
        throw CommandError("there is no archive in \(path) (no \(prefix)/.hoodie/hoodie.properties); `isotherm tier run` makes one when the first orders are due there")
    }

    /// Without making a folder that is not there.
    private static func store(_ location: String) throws(ArchiveError) -> any ObjectStore {
        let path = location.hasPrefix("file://") ? String(location.dropFirst(7)) : location
        if !path.hasPrefix("s3://") {
            var info = stat()
            // Safe: the call fills the struct it is lent.
            guard unsafe stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { throw ArchiveError(.notFound, place: path, "there is no such folder") }
        }
        do throws(ObjectStoreError) { return try ObjectStores.open(location: location) } catch { throw ArchiveError(error) }
    }

    var counts: CountingObjectStore.Counts { store.counts }
    /// What was asked of the store and came from it, for the end of an answer.
    var readText: String { "\(grouped(counts.requests)) requests, \(grouped(counts.bytesRead)) bytes read" }
    var readJSON: JSONValue { ["requests": .integer(Int64(counts.requests)), "bytes": .integer(Int64(counts.bytesRead))] }
}

package struct ArchiveFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Placed at this moment or later, as 2018-01-01 or 2018-01-01T12:00:00Z.", valueName: "moment")) var from: String?
    @Option(help: ArgumentHelp("Placed before this moment.", valueName: "moment")) var before: String?
    @Option(help: "In this state; may be given again, as the next two.") var state: [String] = []
    @Option(help: "With a line of this seller.") var seller: [String] = []
    @Option(help: "In this currency.") var currency: [String] = []
    @Option(help: ArgumentHelp("Of this person: a person_ref, or ref:SOURCE:KEY where the shop is beside.", valueName: "ref")) var person: String?
    package init() {}

    /// - Parameter to: another word for `--before`, where that is not a place.
    func filter(_ directory: ArchiveDirectory?, to: String? = nil) async throws -> OrderFilter {
        var filter = OrderFilter()
        filter.from = try moment(from, "--from")
        filter.to = try moment(before, "--before") ?? moment(to, "--to")
        (filter.states, filter.sellers, filter.currencies) = (Set(state), Set(seller), Set(currency))
        if let person { filter.person = try await ArchiveDirectory.person(person, directory) }
        return filter
    }

    private func moment(_ text: String?, _ name: String) throws -> Int64? {
        guard let text else { return nil }
        guard let microseconds = ArchiveMoments.microseconds(text) else { throw CommandError("\(name) is a moment as 2018-01-01 or 2018-01-01T12:00:00Z, not \(text)") }
        return microseconds
    }
}
