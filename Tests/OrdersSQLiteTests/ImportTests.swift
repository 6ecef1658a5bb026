// Imports: Olist as a count over its files says, twice the same; time zones; the case study's payments.

import BulkInput
import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Secrets
import Testing

@Suite("Orders: imports")
struct ImportTests {
    @Test("local time of São Paulo: summer, winter, the hour that comes twice, the one that does not come")
    func saoPaulo() {
        let pairs = [
            ("2017-10-02 10:56:33", "2017-10-02T13:56:33Z"), ("2018-01-15 12:00:00", "2018-01-15T14:00:00Z"),
            ("2017-02-18 22:59:59", "2017-02-19T00:59:59Z"), ("2017-02-18 23:30:00", "2017-02-19T01:30:00Z"), ("2017-02-19 00:00:00", "2017-02-19T03:00:00Z"),
            ("2016-10-15 23:59:59", "2016-10-16T02:59:59Z"), ("2016-10-16 00:30:00", "2016-10-16T03:30:00Z"), ("2016-10-16 01:00:00", "2016-10-16T03:00:00Z"),
            ("2018-11-03 23:00:00", "2018-11-04T02:00:00Z"), ("2018-11-04 01:00:00", "2018-11-04T03:00:00Z"), ("2015-02-15 12:00:00", "2015-02-15T14:00:00Z"),
            ("2012-02-25 23:30:00", "2012-02-26T01:30:00Z"), ("2020-01-01 00:00:00", "2020-01-01T03:00:00Z"),
        ]
        for (local, utc) in pairs { #expect(SaoPauloTime.instant(local)?.description == utc, "\(local)") }
        for text in ["", "2017-10-02", "2017-13-02 10:56:33", "1999-01-01 00:00:00"] { #expect(SaoPauloTime.instant(text) == nil, "\(text)") }
    }

    @Test("all Olist orders come in, with their sums, and a second time nothing")
    func olist() async throws {
        guard let path = Corpora.shared("olist-orders/olist_orders_dataset.csv.gz") else {
            print("print: ../shared/corpora/olist-orders is absent: not tested")
            return
        }
        let shop = try TestShop(), folder = (path as NSString).deletingLastPathComponent, begun = ContinuousClock.now
        let (orders, refused) = try OlistImport.read(folder: folder)
        #expect(refused.isEmpty)
        let report = try shop.store.importHistory(orders, by: shop.caller(.service("import")))
        print("print: Olist: \(report.added) orders in \(ContinuousClock.now - begun)")
        #expect(report.added == 16_193 && report.alreadyThere == 0 && report.refused.isEmpty)
        #expect(report.withoutLines.count == 46)
        #expect(report.differing.count == 104)
        let again = try shop.store.importHistory(orders, by: shop.caller(.service("import")))
        #expect(again.added == 0 && again.alreadyThere == 16_193)
        #expect(try await shop.number("SELECT count(*) FROM orders") == 16_193)
        #expect(try await shop.number("SELECT count(*) FROM order_lines") == 18_514)
        #expect(try await shop.number("SELECT count(*) FROM payments") == 16_896)
        #expect(try await shop.number("SELECT count(*) FROM people") == 16_102)
        #expect(try await shop.number("SELECT count(*) FROM stock") == 0)
        #expect(try await shop.number("SELECT count(*) FROM outbox") == 0)
        #expect(try await shop.number("SELECT count(*) FROM payments WHERE method = 'credit_card'") == 12_491)
        #expect(try await shop.store.reconciliation(by: shop.caller()).sums.isEmpty)
        #expect(try await shop.store.verifyAudit().firstBroken == nil)
        try await olistSums(shop)
        let key = try #require(OrderKey(text: "ref:olist:46046adea0e222a29259bad3d922fee8"))
        let id = try #require(try await shop.store.orderID(key))
        let order = try await shop.store.order(id, by: shop.caller())
        #expect(order.placedAt.description == "2016-10-04T13:41:17Z" && order.state == .delivered)
        let frames = try await shop.store.frames(of: order.person, by: shop.caller())
        #expect(frames.total >= 1)
    }
}

extension ImportTests {
    /// Against a count over the CSVs in Python: orders per month of the shop's zone, sums per payment type, sums per seller.
    private func olistSums(_ shop: TestShop) async throws {
        let months: [(String, Int64)] = [
            ("2016-10", 64), ("2016-11", 0), ("2016-12", 0), ("2017-01", 143), ("2017-02", 278), ("2017-03", 459), ("2017-04", 426), ("2017-05", 603), ("2017-06", 523),
            ("2017-07", 659), ("2017-08", 720), ("2017-09", 686), ("2017-10", 730), ("2017-11", 1_184), ("2017-12", 899), ("2018-01", 1_217), ("2018-02", 1_080),
            ("2018-03", 1_193), ("2018-04", 1_195), ("2018-05", 1_062), ("2018-06", 1_018), ("2018-07", 984), ("2018-08", 1_069), ("2018-09", 1),
        ]
        let times = try await shop.store.numbers("SELECT placed_at FROM order_directory")
        for (at, (month, expected)) in months.enumerated() {
            let begin = try #require(SaoPauloTime.instant(month + "-01 00:00:00")).microseconds
            let end = at + 1 < months.count ? try #require(SaoPauloTime.instant(months[at + 1].0 + "-01 00:00:00")).microseconds : .max
            #expect(times.count { $0 >= begin && $0 < end } == expected, "\(month)")
        }
        #expect(try await shop.number("SELECT sum(amount_minor) FROM payments WHERE method = 'boleto'") == 47_045_695)
        #expect(try await shop.number("SELECT sum(captured_minor) FROM payments WHERE method = 'credit_card'") == 204_758_945)
        #expect(try await shop.number("SELECT sum(captured_minor) FROM payments WHERE method = 'debit_card'") == 3_283_617)
        #expect(try await shop.number("SELECT sum(captured_minor) FROM payments WHERE method = 'voucher'") == 6_214_968)
        let sellers = try await shop.store.numbers("SELECT sum(total_minor) FROM order_lines GROUP BY seller_id")
        #expect(sellers.count == 1_903 && sellers.reduce(0, +) == 260_021_556)
        #expect(sellers.reduce(0) { ($0 + $1 * $1) % 1_000_000_007 } == 727_688_061)
        #expect(try await shop.number("SELECT sum(total_minor) FROM order_lines WHERE seller_id = '7c67e1448b00f6e969d365cea6b010ab'") == 4_392_602)
    }
}

@Suite("Orders: files in and out")
struct FileTests {
    static let history = """
        {"id":"A-1","person":"c1","placed_at":"2024-03-01T09:30:00Z","status":"delivered","currency":"EUR","delivered_at":"2024-03-04T16:00:00Z","lines":[{"product":"lamp","title":"Lamp","quantity":2,"unit_minor":1999},{"product":"bulb","unit_minor":100,"freight_minor":50}],"payments":[{"id":"p1","method":"card","amount_minor":4148}]}
        {"id":"A-2","person":"c1","placed_at":"2024-04-01T00:00:00Z","status":"cancelled","currency":"EUR"}
        {"id":"A-3","person":"c1","placed_at":"yesterday","status":"delivered","currency":"EUR"}
        not json
        {"id":"A-4","person":"c2","placed_at":"2024-03-01T09:30:00Z","status":"lost","currency":"EUR"}
        {"id":"A-5","person":"c2","placed_at":"2024-03-01T09:30:00Z","status":"shipped","currency":"EUR","lines":[{"product":"lamp","unit_minor":-1}]}
        """

    @Test("the documented NDJSON comes in once; what is wrong is listed by its line")
    func ndjson() async throws {
        let shop = try TestShop()
        for round in 0..<2 {
            let (orders, refused) = try HistoryFile.read(ByteSource(Array(FileTests.history.utf8)), source: "old")
            #expect(refused.map { String($0.prefix(7)) } == ["line 3:", "line 4:", "line 5:", "line 6:"])
            let report = try shop.store.importHistory(orders, by: shop.caller())
            #expect(report.added == (round == 0 ? 2 : 0) && report.refused.isEmpty)
        }
        let id = try #require(try await shop.store.orderID(.source(SourceKey(source: "old", key: "A-1"))))
        let order = try await shop.store.order(id, by: shop.caller())
        #expect(order.totalMinor == 4_148 && order.paidMinor == 4_148 && order.lines.count == 2 && order.deliveredAt?.description == "2024-03-04T16:00:00Z")
        #expect(try await shop.store.reconciliation(by: shop.caller()).isClean == false || order.state == .delivered)
    }

    @Test("the log of a long import is copied into the database while it grows")
    func log() throws {
        var options = OrdersSQLiteOptions()
        options.checkpointBytes = 256 << 10
        let shop = try TestShop(options)
        var most = 0
        for batch in 0..<48 {
            let orders = (0..<1_000).map { n in
                HistoricOrder(
                    key: SourceKey(source: "old", key: "\(batch)/\(n)"), person: "p\(n % 50)", placedAt: TestShop.start.adding(seconds: Int64(n)), deliveredAt: nil, state: .delivered,
                    currency: "EUR", lines: [], payments: [], attributes: "{}")
            }
            _ = try shop.store.importHistory(orders, by: shop.caller())
            most = max(most, try FileManager.default.attributesOfItem(atPath: shop.folder + "/isotherm.db-wal")[.size] as? Int ?? 0)
        }
        // Without checkpoints after the first it has twice that in the end.
        #expect(most < 26 << 20, "\(most)")
    }

    @Test("CSV is one line of an order a row")
    func csv() async throws {
        let shop = try TestShop()
        let text = """
            id,person,placed_at,status,currency,delivered_at,product,title,seller,quantity,unit_minor,freight_minor,paid_minor
            1,7,2024-03-01T09:30:00Z,delivered,EUR,,100,Lamp,s,2,1999,0,4148
            1,7,2024-03-01T09:30:00Z,delivered,EUR,,200,Bulb,s,1,100,50,
            2,7,2024-03-02T09:30:00Z,shipped,EUR,,100,Lamp,s,1,1999,0,1999
            """
        let (orders, refused) = try HistoryFile.read(ByteSource(Array(text.utf8)), source: "old")
        #expect(refused.isEmpty && orders.map(\.lines.count) == [2, 1])
        let report = try shop.store.importHistory(orders, by: shop.caller())
        #expect(report.added == 2 && report.differing.isEmpty)
    }

    @Test("the case study's payments table comes in once, with its sums")
    func payments() async throws {
        let shop = try TestShop(), path = shop.folder + "/payments.csv"
        let (orders, _) = try HistoryFile.read(ByteSource(Array(FileTests.history.utf8)), source: "old")
        _ = try shop.store.importHistory(orders, by: shop.caller())
        let rows = ["id,order_id,amount,status,created_at", "1,A-1,10.50,paid,2024-03-01 10:00:00", "2,A-1,1.00,refunded,2024-03-02T10:00:00Z", "3,A-1,5,FAILED,2024-03-02T10:00:00Z", "4,none,5,paid,2024-03-02T10:00:00Z", "5,A-1,5.001,paid,2024-03-02T10:00:00Z", "6,A-1,5,odd,2024-03-02T10:00:00Z"]
        try rows.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let first = try PaymentsTableImport(source: "old").run(path, into: shop.store, by: shop.caller())
        #expect(first.added == 3 && first.refused.map { String($0.prefix(7)) } == ["line 5:", "line 6:", "line 7:"])
        let again = try PaymentsTableImport(source: "old").run(path, into: shop.store, by: shop.caller())
        #expect(again.added == 0 && again.alreadyThere == 3)
        let id = try #require(try await shop.store.orderID(.source(SourceKey(source: "old", key: "A-1"))))
        let order = try await shop.store.order(id, by: shop.caller())
        #expect(order.paidMinor == 4_148 + 1_050 + 100 && order.refundedMinor == 100)
        #expect(try await shop.store.reconciliation(by: shop.caller()).sums.isEmpty)
    }

    @Test("a backup under load is whole, holds no key, and a store restored from it goes on")
    func backup() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", stock: 10_000)
        async let orders: Void = { for _ in 0..<200 { _ = try await shop.place(ada, [("a", 1)]) } }()
        let backup = try await OrderBackup.write(of: shop.store, to: shop.folder)
        try await orders
        let name = try #require(backup.split(separator: "/").last)
        let path = shop.folder + "/restored.db"
        try await OrderBackup.restore(backup, to: path)
        let restored = try SQLiteOrderStore(path: path, keys: KeyRing(master: [UInt8](repeating: 7, count: 32)))
        let audit = try await restored.verifyAudit()
        #expect(audit.firstBroken == nil && name == "isotherm-\(audit.rows)-\(Hexadecimal.text(audit.head.prefix(8))).db")
        let count = try await restored.read { connection throws(StoreError) in try connection.number("SELECT count(*) FROM orders") }
        #expect(try await restored.product("a").available == 10_000 - count)
        _ = try await restored.perform(StoreCommand(.placeOrder(shop.draft(ada, [("a", 1)])), by: shop.caller()))
        restored.close()
        // Once more, over what is there: the store before is kept.
        let kept = try #require(try await OrderBackup.restore(backup, to: path))
        #expect(FileManager.default.fileExists(atPath: kept))
        await #expect(throws: StoreError.self) { try await OrderBackup.restore(shop.folder + "/none.db", to: path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder).allSatisfy { !$0.hasPrefix(".") && !$0.contains("restoring") })
    }
}
