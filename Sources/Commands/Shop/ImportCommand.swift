// `isotherm import olist|history|payments|products`: records of elsewhere into the shop's store. No server may be running on the data folder.

package import ArgumentParser
internal import BulkInput
internal import JSON
internal import Orders
internal import OrdersSQLite

package struct ImportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring products, and orders of the past, into the shop's store.",
        subcommands: [ImportProductsCommand.self, ImportOlistCommand.self, ImportHistoryCommand.self, ImportPaymentsCommand.self])
    package init() {}
}

package struct ImportOlistCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "olist", abstract: "The orders of the Olist data set; a second import adds nothing.",
        discussion: """
            isotherm import olist corpora/olist --data data

            Stock stays as it is and nobody is told: it all happened long ago. Orders without items, and orders whose payments are not what their
            lines come to, come in and are listed; rows that cannot come in are listed with the reason. Exit code 2 when there are such rows.
            """)

    @Argument(help: "The folder with olist_*_dataset.csv.") var folder: String
    @Option(help: "The data folder; made when it is not there.") var data = "data"
    @Flag(help: "Leave out the lists, only count.") var quiet = false

    package init() {}

    package func run() async throws {
        let start = monotonicNanoseconds()
        let (orders, unreadable) = try OlistImport.read(folder: folder)
        let report = try await ShopFolder.withStore(data, makes: true, exclusively: true) { store in
            try store.importHistory(orders, by: ShopFolder.caller(.import))
        }
        show("without lines", report.withoutLines)
        show("whose payments are not what their lines come to", report.differing)
        show("refused", unreadable + report.refused)
        Terminal.line("\(grouped(report.added)) orders added, \(grouped(report.alreadyThere)) were there, in \(fixed(Double(monotonicNanoseconds() &- start) / 1e9, 2)) s")
        if !(unreadable.isEmpty && report.refused.isEmpty) { throw ExitCode(2) }
    }

    private func show(_ what: String, _ names: [String]) {
        guard !names.isEmpty else { return }
        Terminal.line("\(grouped(names.count)) \(what)" + (quiet ? "" : ":"))
        if !quiet { for name in names { Terminal.line("  \(name)") } }
    }
}

package struct ImportProductsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "products", abstract: "Products with price and stock: NDJSON, a JSON array or CSV; also .gz.",
        discussion: """
            isotherm import products corpora/shop/products.ndjson --data data --currency EUR

            Each record has id, title, price (a decimal number) and stock. A product that is there already keeps its stock.
            """)

    @Argument(help: "A file, or - for standard input.") var file: String
    @Option(help: "The data folder; made when it is not there.") var data = "data"
    @Option(help: "The currency of the prices (ISO 4217).") var currency = "EUR"

    package init() {}

    package func run() async throws {
        guard let currency = Currency(code: currency) else { throw CommandError("a currency is three capital letters, as EUR") }
        let caller = ShopFolder.caller(.import)
        let (added, changed, refused) = try await ShopFolder.withStore(data, makes: true, exclusively: true) { store in
            var records = BulkRecordReader(try ByteSource.file(file)), added = 0, changed = 0, refused: [String] = []
            while true {
                var batch: [(ProductDraft, Int64)] = []
                while batch.count < 256, let item = try records.next() {
                    switch item {
                    case .rejected(let rejection): refused.append("line \(rejection.line): \(rejection.reason)")
                    case .record(let record):
                        if let product = product(record.source, currency) { batch.append(product) } else {
                            refused.append("line \(record.line): a product has id, title, price and stock")
                        }
                    }
                }
                if batch.isEmpty { break }
                // Side by side, so that they share commits.
                let new = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for (draft, stock) in batch { group.addTask { try await put(draft, stock, in: store, caller) } }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                (added, changed) = (added + new, changed + batch.count - new)
            }
            return (added, changed, refused)
        }
        for line in refused.prefix(100) { Terminal.remark(line) }
        Terminal.line("\(grouped(added)) products added, \(grouped(changed)) changed, \(grouped(refused.count)) refused")
        if !refused.isEmpty { throw ExitCode(2) }
    }

    // MARK: -

    private func product(_ source: [UInt8], _ currency: Currency) -> (ProductDraft, Int64)? {
        guard let value = try? JSONValue.parse(source), let id = value["id"]?.string ?? value["id"]?.integer.map(String.init), let title = value["title"]?.string,
            let price = amount(value["price"], currency)
        else { return nil }
        let stock = value["stock"]?.integer ?? value["stock"]?.string.flatMap { Int64($0) } ?? 0
        return (ProductDraft(ProductID(id), title: title, price: price, seller: value["seller"]?.string), max(stock, 0))
    }

    /// A price as text is exact; as a number it is what that many decimals of it say.
    private func amount(_ value: JSONValue?, _ currency: Currency) -> Money? {
        if let text = value?.string { return Money(decimal: text, currency) }
        guard let number = value?.number else { return nil }
        return Money(decimal: fixed(number, currency.decimals), currency)
    }
}

/// Whether it is new.
private func put(_ draft: ProductDraft, _ stock: Int64, in store: SQLiteOrderStore, _ caller: Caller) async throws -> Bool {
    var isNew = false
    do throws(StoreError) { _ = try await store.product(draft.id) } catch {
        guard case .notFound = error else { throw error }
        isNew = true
    }
    _ = try await store.perform(StoreCommand(.putProduct(draft), by: caller))
    if isNew { _ = try await store.perform(StoreCommand(.setStock(draft.id, available: stock), by: caller)) }
    return isNew
}
