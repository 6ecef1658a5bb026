// Olist under the case study's policy: every order where its age and the source's own word for its state say, every history as it was before.

import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Testing
import Tiering

@Suite("Olist between the tiers")
struct OlistTierTests {
    @Test("every order is in the tier that its age and state say; every person's walk and frames are as before")
    func olist() async throws {
        guard let file = Corpora.shared("olist-orders/olist_orders_dataset.csv.gz"), let cut = file.lastIndex(of: "/") else {
            print("../shared/corpora/olist-orders is not there: nothing to compare with")
            return
        }
        let shop = try await MoverShop(), caller = MoverShop.caller()
        let (orders, _) = try OlistImport.read(folder: String(file[..<cut]))
        _ = try shop.store.importHistory(orders, by: caller)
        let now = try #require(Instant(text: "2018-09-03T18:00:00Z"))
        var people: Set<PersonRef> = [], ids: [OrderID: HistoricOrder] = [:]
        for order in orders {
            let id = try #require(try await shop.store.orderID(.source(order.key)))
            ids[id] = order
            people.insert(try await shop.store.order(id, by: caller).person)
        }
        let limits = [1, 2, 7, 100]
        func history(_ person: PersonRef, _ limit: Int) async throws -> ([Order], OrderFrames) {
            var query = OrderListQuery(limit: limit), found: [Order] = []
            query.includesCold = true
            repeat {
                let page = try await shop.tiers.orders(of: person, query, by: caller)
                found += page.orders
                query.cursor = page.next
            } while query.cursor != nil
            return (found.map { var order = $0; order.tier = ""; return order }, try await shop.tiers.frames(of: person, by: Caller(.staff("t"), .support, at: now)))
        }
        var before: [PersonRef: ([Order], OrderFrames)] = [:]
        for person in people { before[person] = try await history(person, 100) }

        let file2 = try PolicyFile(yaml: policyText())
        let clock = ContinuousClock(), begun = clock.now
        let report = try await shop.mover(batch: 500).run(file2.policy("case-study"), at: now)
        let took = clock.now - begun
        let census = try await shop.store.census()
        print("olist: \(census), \(report.moved) moved in \(report.batches) batches, \(report.bytes) bytes, \(took), \(Double(report.moved) / (took / .seconds(1))) orders/s")

        var counts: [Tier: Int64] = [:]
        let final: Set = ["delivered", "canceled", "unavailable"], bodies = try await shop.bodies(Array(ids.keys))
        for (id, source) in ids {
            let order = try await shop.store.order(id, by: caller)
            let days = (now.microseconds - source.placedAt.microseconds) / 86_400_000_000
            let isFinal = final.contains { source.attributes.contains("\"source_status\":\"\($0)\"") }
            let expected: Tier = !isFinal || days < 90 ? .hot : days < 180 ? .warm : .cold
            #expect(order.tier == expected.rawValue, "\(source.key), \(source.attributes), \(days) days")
            #expect(Tier.allCases.filter { bodies[$0]?.contains(id) == true } == [expected])
            counts[expected, default: 0] += 1
        }
        #expect(census == counts)
        // Each at one of the limits, in turn; `make history` has everybody at all of them, over HTTP and against the CSVs alone.
        for (at, person) in people.sorted(by: { $0.value < $1.value }).enumerated() {
            let limit = limits[at % limits.count], after = try await history(person, limit)
            #expect(after.0 == before[person]?.0 && after.1 == before[person]?.1, "\(person) at limit \(limit)")
        }
        await shop.close()
    }

    private func policyText() throws -> String { try String(contentsOfFile: Corpora.packageRoot + "/config/tiers.yaml", encoding: .utf8) }
}
