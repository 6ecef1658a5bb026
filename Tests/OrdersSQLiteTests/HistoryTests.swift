// Previous orders: pages, totals and frames against an array and a loop; the same work on every page.

import IsothermTesting
import Orders
import OrdersSQLite
import Testing

@Suite("Orders: history")
struct HistoryTests {
    /// What is imported, and what the naive model knows of it.
    struct Known {
        var id: OrderID, at: Instant, state: OrderState, title: String
    }

    static func history(_ count: Int, of person: String, seed: UInt64, in shop: TestShop) throws -> [Known] {
        var random = Seeded(seed), known: [Known] = [], orders: [HistoricOrder] = []
        let start = Instant(text: "2022-11-17") ?? .now()
        for n in 0..<count {
            // Many at the same moment, some on the first of a month.
            let day = Int64.random(in: 0..<500, using: &random)
            let at = n % 7 == 0 ? start : n % 11 == 0 ? CivilDate.first(ofMonth: start.date.monthNumber + day % 17).instant : start.adding(days: day).adding(seconds: Int64.random(in: 0..<86_400, using: &random))
            let state = [OrderState.delivered, .shipped, .cancelled][Int.random(in: 0..<3, using: &random)], key = SourceKey(source: "t", key: "\(person)-\(n)")
            let title = "Thing \(Int.random(in: 0..<5, using: &random))"
            orders.append(HistoricOrder(
                key: key, person: person, placedAt: at, deliveredAt: nil, state: state, currency: "EUR",
                lines: [.init(product: ProductID("p\(n % 9)"), title: title, seller: nil, quantity: 1, unitMinor: 100, freightMinor: 5)], payments: [], attributes: "{}"))
            known.append(Known(id: OrderID(UUIDv7.make(at, source: key)), at: at, state: state, title: title))
        }
        let report = try shop.store.importHistory(orders, by: shop.caller(.service("import")))
        #expect(report.added == count && report.refused.isEmpty)
        return known.sorted { ($1.at, $1.id) < ($0.at, $0.id) }
    }

    @Test("pages, totals and frames are those of an array and a loop", arguments: UInt64(0)..<6)
    func naive(seed: UInt64) async throws {
        let shop = try TestShop()
        let known = try HistoryTests.history(120, of: "ada", seed: seed, in: shop)
        _ = try HistoryTests.history(50, of: "bob", seed: seed &+ 99, in: shop)
        let ada = try #require(try await shop.store.personRef(.source(SourceKey(source: "t", key: "ada"))))
        var random = Seeded(seed)
        for round in 0..<60 {
            func instant() -> Instant? { Bool.random(using: &random) ? known.randomElement(using: &random)?.at.adding(seconds: Int64.random(in: -1...1, using: &random)) : nil }
            let state: OrderState? = Bool.random(using: &random) ? [.delivered, .shipped, .cancelled, .pending].randomElement(using: &random) : nil
            let text: String? = round % 4 == 0 ? ["thing 1", "P3", "%", "_", "nothing"].randomElement(using: &random) : nil
            var query = OrderListQuery(from: instant(), to: instant(), state: state, text: text, limit: Int.random(in: 1...50, using: &random))
            let expected = known.enumerated().filter { _, order in
                (query.from.map { order.at >= $0 } ?? true) && (query.to.map { order.at < $0 } ?? true) && (state.map { order.state == $0 } ?? true)
            }.map(\.element)
            var found: [Order] = [], pages = 0
            repeat {
                let page = try await shop.store.orders(of: ada, query, by: shop.caller())
                if text == nil { #expect(page.total == expected.count) } else if pages > 0 { #expect(page.total >= found.count) }
                found += page.orders
                query.cursor = page.next
                pages += 1
            } while query.cursor != nil
            if let text {
                let matching = found.map(\.id), wanted = expected.filter { order in
                    order.title.lowercased().contains(text.lowercased()) || found.contains { $0.id == order.id && ($0.reference.contains(text.uppercased()) || $0.lines.contains { $0.product.text.lowercased() == text.lowercased() }) }
                }
                #expect(matching == wanted.map(\.id), "q=\(text)")
            } else {
                #expect(found.map(\.id) == expected.map(\.id))
            }
            #expect(found.allSatisfy { $0.lines.count == 1 && $0.totalMinor == 105 })
        }
    }

    @Test("frames are exact, also at the borders of days, months and years")
    func frames() async throws {
        let shop = try TestShop()
        let known = try HistoryTests.history(150, of: "ada", seed: 3, in: shop)
        let ada = try #require(try await shop.store.personRef(.source(SourceKey(source: "t", key: "ada"))))
        for text in ["2024-01-31T12:00:00Z", "2024-05-31T00:00:00Z", "2024-03-01T00:00:00Z", "2023-08-30T23:59:59Z", "2030-01-01"] {
            let now = try #require(Instant(text: text))
            let frames = try await shop.store.frames(of: ada, by: shop.caller(at: now))
            func since(_ instant: Instant) -> Int64 { Int64(known.count { $0.at >= instant }) }
            #expect(frames.total == known.count)
            #expect(frames.last30Days == since(now.adding(days: -30)))
            #expect(frames.last3Months == since(now.date.adding(months: -3).instant))
            #expect(frames.last6Months == since(now.date.adding(months: -6).instant))
            let years = Dictionary(grouping: known) { $0.at.date.year }.mapValues(\.count)
            #expect(frames.years.map(\.year) == years.keys.sorted(by: >))
            #expect(frames.years.allSatisfy { years[$0.year] == Int($0.count) })
        }
    }

    @Test("an order that comes in between two pages is not on the later ones, and the total stays")
    func between() async throws {
        let shop = try TestShop()
        let known = try HistoryTests.history(30, of: "ada", seed: 1, in: shop)
        let ada = try #require(try await shop.store.personRef(.source(SourceKey(source: "t", key: "ada"))))
        let first = try await shop.store.orders(of: ada, OrderListQuery(limit: 10), by: shop.caller())
        let late = HistoricOrder(
            key: SourceKey(source: "t", key: "late"), person: "ada", placedAt: known[20].at, deliveredAt: nil, state: .delivered, currency: "EUR", lines: [], payments: [], attributes: "{}")
        _ = try shop.store.importHistory([late], by: shop.caller())
        let second = try await shop.store.orders(of: ada, OrderListQuery(limit: 100, cursor: first.next), by: shop.caller())
        #expect((first.orders + second.orders).map(\.id) == known.map(\.id))
        #expect(second.total == 30)
        #expect(try await shop.store.orders(of: ada, OrderListQuery(limit: 1), by: shop.caller()).total == 31)
        for query in [OrderListQuery(state: .shipped, cursor: first.next), OrderListQuery(from: known[5].at, cursor: first.next), OrderListQuery(cursor: (first.next ?? "") + "A")] {
            await #expect(throws: StoreError.self) { try await shop.store.orders(of: ada, query, by: shop.caller()) }
        }
    }

    @Test("the last page does the work of the first, and the hot queries use their indexes")
    func work() async throws {
        let shop = try TestShop()
        let known = try HistoryTests.history(3_000, of: "ada", seed: 5, in: shop)
        let ada = try #require(try await shop.store.personRef(.source(SourceKey(source: "t", key: "ada"))))
        for state in [OrderState?.none, .delivered] {
            let steps = try await shop.store.read { connection throws(StoreError) in
                connection.countsSteps = true
                func steps(_ to: Instant?) throws(StoreError) -> Int64 {
                    let before = connection.steps
                    _ = try HistoryReads(connection, ada, OrderListQuery(to: to, state: state, limit: 10)).rowsForTest()
                    return connection.steps - before
                }
                return [try steps(nil), try steps(known[1_500].at), try steps(known[2_500].at)]
            }
            #expect(steps[0] > 100 && steps.allSatisfy { abs($0 - steps[0]) * 20 <= steps[0] }, "\(steps)")
        }
        let plans = try await shop.store.read { connection throws(StoreError) in
            do {
                return try [HistorySQL.all, HistorySQL.ofState, FollowReads.followers, FollowReads.following].map { try connection.plan("\($0)") }
            } catch { throw .unavailable("\(error)") }
        }
        #expect(plans[0][0].contains("INDEX directory_person (person_ref=? AND placed_at>? AND (placed_at,order_id)<(?,?))"), "\(plans[0])")
        #expect(plans[1][0].contains("INDEX directory_person_state (person_ref=? AND state=?"), "\(plans[1])")
        #expect(plans[2] == ["SEARCH relationships USING COVERING INDEX relationships_followers (destination=? AND seq<?)"])
        #expect(plans[3] == ["SEARCH relationships USING COVERING INDEX relationships_following (source=? AND seq<?)"])
        let others: [(String, String)] = [
            ("SELECT order_id FROM orders WHERE hold_ends_at <= ? ORDER BY hold_ends_at LIMIT ?", "COVERING INDEX orders_holds (hold_ends_at<?)"),
            ("SELECT count(*) FROM orders WHERE state = 'confirmed' AND placed_at < ?", "COVERING INDEX orders_open (state=? AND placed_at<?)"),
            ("SELECT person_ref FROM people WHERE json_extract(contact, '$.email_token') = ?", "INDEX people_email (<expr>=?)"),
            ("SELECT order_id FROM orders WHERE json_extract(attributes, '$.source_status') = ?", "INDEX orders_source_status (<expr>=?)"),
            ("SELECT id FROM source_keys WHERE kind = ? AND source = ? AND key = ?", "PRIMARY KEY (kind=? AND source=? AND key=?)"),
            ("SELECT outcome FROM idempotency_keys WHERE name = ?", "sqlite_autoindex_idempotency_keys_1 (name=?)"),
            ("SELECT seq FROM idempotency_keys WHERE created_at >= ? ORDER BY seq LIMIT 1", "SCAN idempotency_keys"),
            ("SELECT order_id FROM order_directory WHERE reference = ?", "sqlite_autoindex_order_directory_2 (reference=?)"),
            ("SELECT sum(count) FROM order_counts WHERE person_ref = ? AND month >= ? AND month < ?", "PRIMARY KEY (person_ref=? AND month>? AND month<?)"),
            ("SELECT payment_id FROM payments WHERE order_id = ?", "INDEX payments_order (order_id=?)"),
            ("SELECT position, body FROM outbox WHERE position > ? ORDER BY position LIMIT ?", "INTEGER PRIMARY KEY (rowid>?)"),
            ("SELECT seq FROM tracking_events WHERE shipment_id = ? AND seq > ? ORDER BY seq", "INDEX tracking_shipment (shipment_id=? AND seq>?)"),
        ]
        for (sql, expected) in others {
            let plan = try await shop.store.read { connection throws(StoreError) in
                do { return try connection.plan(sql) } catch { throw .unavailable("\(error)") }
            }
            #expect(plan.count == 1 && plan[0].contains(expected), "\(sql): \(plan)")
        }
        #expect(plans.allSatisfy { !$0.contains { $0.contains("TEMP B-TREE") || $0.contains("SCAN") } }, "\(plans)")
    }
}
