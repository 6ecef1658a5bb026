// Imports: Olist as a count over its files says, twice the same; time zones; the case study's payments.

import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
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
        // Per month in the shop's zone, by a count of our own over the rows.
        let first = try #require(orders.first), last = try #require(orders.last)
        #expect(first.placedAt.date.year == 2016 && last.placedAt.date.year == 2018)
        let key = try #require(OrderKey(text: "ref:olist:46046adea0e222a29259bad3d922fee8"))
        let id = try #require(try await shop.store.orderID(key))
        let order = try await shop.store.order(id, by: shop.caller())
        #expect(order.placedAt.description == "2016-10-04T13:41:17Z" && order.state == .delivered)
        let frames = try await shop.store.frames(of: order.person, by: shop.caller())
        #expect(frames.total >= 1)
    }
}
