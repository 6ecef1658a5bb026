// `isotherm archive export`: documents as JSON lines, or the flat columns as CSV, for other programs. A file appears whole or not at all.

package import ArgumentParser
package import Archive
import Glibc
import Storage

package struct ArchiveExportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write orders to a file: their documents as JSON lines, or their flat columns as CSV.",
        discussion: "isotherm archive export --data data --to orders.ndjson --from 2018-01-01\nisotherm archive export --data data --to - --format csv | head\n\nBy month, person and order. Replaces the file.")
    @OptionGroup var place: ArchivePlaceOptions
    @OptionGroup var filters: ArchiveFilterOptions
    @Option(help: ArgumentHelp("The file to make; - is standard output.", valueName: "file")) var to: String
    @Option(help: "ndjson or csv.") var format: ExportFormat = .ndjson
    package init() {}

    package func run() async throws {
        let archive = try await place.open(), filter = try await ShopFolder.withDirectory(place.shop) { directory in try await filters.filter(directory) }
        let output: any ExportOutput = to == "-" ? StandardOutput() : try ReplacedFile(to)
        var export = ArchiveExport(format: format)
        do {
            try await export.run(try await archive.table.snapshot(), filter) { bytes in try output.write(bytes) }
            try output.finish()
        } catch {
            output.discard()
            throw error
        }
        if export.sealed > 0 { Terminal.remark("personal members (addresses, tracking codes and places, reasons) are sealed") }
        Terminal.remark("\(grouped(export.orders)) orders, \(grouped(export.bytes)) bytes; \(archive.readText)")
    }
}

package enum ExportFormat: String, ExpressibleByArgument, CaseIterable, Sendable { case ndjson, csv }

package struct ArchiveExport {
    private let format: ExportFormat
    package private(set) var orders = 0, bytes = 0, sealed = 0

    package init(format: ExportFormat) { self.format = format }

    static let heads = ["order_id", "reference", "person_ref", "status", "currency", "total", "paid", "refunded", "line_count", "quantity", "placed_at", "updated_at", "version"]

    /// - Parameter write: takes whole lines.
    package mutating func run(_ snapshot: TableSnapshot, _ filter: OrderFilter, _ write: ([UInt8]) throws -> Void) async throws {
        var failure: (any Error)?
        // What `write` throws ends the scan and is thrown after it.
        func put(_ lines: [UInt8]) -> Bool {
            do { try write(lines) } catch { failure = error }
            return failure == nil
        }
        var (orders, bytes, sealed) = (0, 0, 0)
        switch format {
        case .csv:
            let head = Array((CSVText.line(Self.heads) + "\n").utf8)
            bytes += head.count
            if put(head) {
                try await snapshot.figures(of: filter, parts: .names) { (rows, _) async throws(ArchiveError) in
                    let text = Array(rows.compactMap { Self.line($0) }.joined().utf8)
                    (orders, bytes) = (orders + rows.count, bytes + text.count)
                    return put(text)
                }
            }
        case .ndjson:
            func lines(_ rows: [ArchivedRow]) throws(ArchiveError) -> Bool {
                var text: [UInt8] = []
                for row in rows where filter.holds(OrderFigures(row.order)) {
                    do {
                        let opened = try OpenedDocument(row.order, keys: nil)
                        text += opened.bytes + [0x0A]
                        (orders, sealed) = (orders + 1, sealed + (opened.isSealed ? 1 : 0))
                    } catch { throw ArchiveError(.damaged, place: row.file, "order \(row.order.id): \(error)") }
                }
                bytes += text.count
                return put(text)
            }
            let months = filter.partitions(of: snapshot.partitions)
            if let person = filter.person { _ = try lines(try await snapshot.ofPerson(person, partitions: months.sorted()).rows) } else {
                try await snapshot.scan(partitions: months) { (rows, _) async throws(ArchiveError) in try lines(rows) }
            }
        }
        if let failure { throw failure }
        (self.orders, self.bytes, self.sealed) = (orders, bytes, sealed)
    }

    private static func line(_ order: OrderFigures) -> String? {
        guard let names = order.names else { return nil }
        func amount(_ thousandths: Int64) -> String {
            let text = OrderTally.text(Int128(thousandths))
            return String(text.dropLast(names.decimals >= 3 ? 0 : names.decimals <= 0 ? 4 : 3 - names.decimals))
        }
        return CSVText.line([
            names.order, names.reference, order.person, order.status, order.currency, amount(order.total), amount(order.paid), amount(order.refunded), String(order.lineCount),
            String(order.quantity), ArchiveMoments.text(order.placedAt), ArchiveMoments.text(names.updatedAt), String(names.version),
        ]) + "\n"
    }
}

private protocol ExportOutput {
    func write(_ bytes: [UInt8]) throws
    func finish() throws
    func discard()
}

private struct StandardOutput: ExportOutput {
    func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            // Safe: at most the rest of the array is read, during the call.
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(1, UnsafeRawBufferPointer(rebasing: $0[done...]).baseAddress, bytes.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw CommandError("standard output: \(Files.reason())") }
            done += count
        }
    }
    func finish() throws {}
    func discard() {}
}

/// Written beside under another name, synced, and put in the place of what was there.
private struct ReplacedFile: ExportOutput {
    private let place: FilePlace, temporary: String, file: any WritableFile

    init(_ path: String) throws {
        place = try FilePlace(path)
        guard !place.name.isEmpty, try place.directory.existing(place.name) == nil else { throw CommandError("\(path): a folder; --to names a file") }
        temporary = ".~\(place.name.utf8.count > 150 ? "export" : place.name)-\(UInt64.random(in: 0...UInt64.max))"
        file = try place.directory.create(temporary)
    }

    func write(_ bytes: [UInt8]) throws { try file.append(bytes) }
    func finish() throws {
        try file.sync()
        try file.close()
        try place.directory.rename(temporary, to: place.name)
        try place.directory.sync()
    }
    func discard() {
        try? file.close()
        try? place.directory.remove(temporary)
    }
}
