// `isotherm import history FILE` and `isotherm import payments FILE`: orders of the past in the documented form (docs/import.md), and the case study's
// table of payments.

package import ArgumentParser
internal import OrdersSQLite

package struct ImportHistoryCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Orders of the past: NDJSON, a JSON array or CSV; also .gz. A second import adds nothing.",
        discussion: "The form is in docs/import.md. Stock stays as it is and nobody is told. Exit code 2 when rows could not come in.")

    @Argument(help: "A file, or - for standard input.") var file: String
    @Option(help: "What the source is called: an order is found by ref:SOURCE:ID.") var source: String
    @Option(help: "The data folder; made when it is not there.") var data = "data"

    package init() {}

    package func run() async throws {
        let (orders, unreadable) = try HistoryFile.read(file, source: source)
        var report = try await ShopFolder.withStore(data, makes: true, exclusively: true) { store in
            try store.importHistory(orders, by: ShopFolder.caller(.import))
        }
        report.refused = unreadable + report.refused
        try report.show()
    }
}

package struct ImportPaymentsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "payments", abstract: "A table of payments as CSV: id, order_id, amount, status, created_at. A second import adds nothing.",
        discussion: "The orders must be there already, from the same source. Exit code 2 when rows could not come in.")

    @Argument(help: "A CSV file; also .gz.") var file: String
    @Option(help: "What the source of the orders is called.") var source: String
    @Option(help: "The data folder.") var data = "data"

    package init() {}

    package func run() async throws {
        let report = try await ShopFolder.withStore(data, exclusively: true) { store in
            try PaymentsTableImport(source: source).run(file, into: store, by: ShopFolder.caller(.import))
        }
        try report.show()
    }
}

// MARK: -

extension ImportReport {
    fileprivate func show() throws {
        for (what, names) in [("without lines", withoutLines), ("whose payments are not what their lines come to", differing), ("refused", refused)] where !names.isEmpty {
            Terminal.line("\(grouped(names.count)) \(what):")
            for name in names { Terminal.line("  \(name)") }
        }
        Terminal.line("\(grouped(added)) added, \(grouped(alreadyThere)) were there")
        if !refused.isEmpty { throw ExitCode(2) }
    }
}
