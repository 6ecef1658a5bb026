// Buyers and searchers at once, on a real store and a real index: after the commit that sells the last unit is acknowledged at version v, no answer at or above
// v shows or counts it, while products in stock do show.
//
// A lot is a few products of one seller, each with one unit left, and one more that never sells out. One order buys the lot's last units. The moment it is
// acknowledged, searchers ask for the seller's products with stock. A check is one product in one answer; it could fail when the index stood before the sale at the moment
// the search began: a reader without the gate would have shown the product then. Lots sell side by side, are restocked after their searches, and are described anew meanwhile, so
// that merges and whole documents come between.
//
// ISOTHERM_SOLD_OUT_CHECKS=1000000 runs the full number (`make soldout`).

import Engine
import Foundation
import IsothermTesting
import JSON
import Orders
import OrdersSQLite
import QueryDSL
import Search
import Synchronization
import Testing
import Tiering

private struct Tally: Sendable {
    var checks = 0, couldFail = 0, violations = 0, searches = 0, sales = 0
    var inStockChecks = 0, inStockMissing = 0
    var lags: [Double] = []
    var firstViolation: String?
}

private final class Market: Sendable {
    let tiers: TestTiers
    let products: Int, searchers: Int
    /// Searches ask for the version of the sale.
    let gated: Bool
    private let tally = Mutex(Tally())

    init(_ tiers: TestTiers, products: Int, searchers: Int, gated: Bool) {
        (self.tiers, self.products, self.searchers, self.gated) = (tiers, products, searchers, gated)
    }

    var result: Tally { tally.withLock { $0 } }

    private func id(_ lot: Int, _ i: Int) -> ProductID { ProductID("lot\(lot)-\(i)") }

    func open(_ lot: Int) async throws {
        for i in 0..<products { try await tiers.product(id(lot, i), stock: 0, lot: "lot\(lot)") }
        try await tiers.product(ProductID("lot\(lot)-keep"), stock: 1_000_000, lot: "lot\(lot)")
    }

    /// One unit each, sold by one order; then the searches of that moment.
    func sellOut(_ lot: Int, round: Int, person: PersonRef) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for i in 0..<products { group.addTask { try await self.tiers.run(.setStock(self.id(lot, i), available: 1)) } }
            if round % 5 == 0 { group.addTask { try await self.describe(lot, round) } }
            try await group.waitForAll()
        }
        // The index has the units before they are sold: else there is nothing to show wrongly.
        let restocked = Int64(clamping: try await tiers.store.outboxPosition())
        _ = try await tiers.catalogue.snapshot(minVersion: restocked, wait: .seconds(20))
        let lines = (0..<products).map { OrderDraft.Line(id(lot, $0)) }
        let version = Int64(clamping: try await tiers.run(.placeOrder(OrderDraft(person: person, lines: lines))).version)
        let acknowledged = ContinuousClock.now
        if round % 2 == 0 { tiers.projector.wake() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for searcher in 0..<searchers { group.addTask { try await self.check(lot, searcher, sold: version) } }
            group.addTask {
                // Without min_version: how long until an answer stands there by itself.
                while try self.tiers.catalogue.version() < version { try await Task.sleep(for: .microseconds(200)) }
                let lag = (ContinuousClock.now - acknowledged).components
                self.tally.withLock { $0.lags.append(Double(lag.seconds) * 1000 + Double(lag.attoseconds) / 1e15) }
            }
            try await group.waitForAll()
        }
        tally.withLock { $0.sales += 1 }
    }

    /// A whole new document of one of the lot's products, while its stock changes.
    private func describe(_ lot: Int, _ round: Int) async throws {
        let i = round / 5 % products
        try await tiers.run(.putProduct(ProductDraft(id(lot, i), title: "Title \(round)", price: Money(1_000, "EUR"), seller: "lot\(lot)")))
    }

    private static let forms = [
        #"{"range":{"available":{"gt":0}}}"#, #"{"term":{"in_stock":true}}"#, #"{"bool":{"must_not":[{"term":{"available":0}}]}}"#,
    ]

    private func check(_ lot: Int, _ searcher: Int, sold version: Int64) async throws {
        let request = try TestTiers.request(
            #"{"size":200,"query":{"bool":{"filter":[{"term":{"seller":"lot\#(lot)"}},\#(Self.forms[searcher % 3])]}},"#
                + #""sort":[{"available":"desc"}],"aggs":{"units":{"sum":{"field":"available"}},"n":{"value_count":{"field":"available"}}}}"#)
        // Where a reader without the gate would stand.
        let stood = try tiers.catalogue.version()
        let answer = try await tiers.catalogue.search(request, minVersion: gated ? version : nil, wait: .seconds(20))
        let shown = answer.response.hits.map(\.id), keep = "lot\(lot)-keep"
        let sold = shown.filter { $0 != keep }
        var counted = 0
        for aggregation in answer.response.aggregations {
            guard case .metric(let values) = aggregation.body else { continue }
            if aggregation.name == "units", (values["value"]?.number ?? -1) != 1_000_000 { counted += 1 }
            if aggregation.name == "n", (values["value"]?.number ?? -1) != 1 { counted += 1 }
        }
        tally.withLock { t in
            t.searches += 1
            t.checks += products
            if stood < version { t.couldFail += products }
            let wrong = max(sold.count, counted > 0 ? 1 : 0)
            t.violations += wrong
            if gated, answer.version < version { t.violations += products }
            if wrong > 0, t.firstViolation == nil {
                t.firstViolation = "sold at \(version), answer at \(answer.version), stood at \(stood): shows \(sold.prefix(5)), counts \(counted) wrong"
            }
            t.inStockChecks += 1
            if !shown.contains(keep) { t.inStockMissing += 1 }
        }
    }
}

@Suite("Sold out", .serialized)
struct SoldOutTests {
    private func run(checks: Int, gated: Bool) async throws -> Tally {
        let tiers = try await TestTiers()
        let lots = 8, products = 20, searchers = 16
        let market = Market(tiers, products: products, searchers: searchers, gated: gated)
        let following = Task { await tiers.projector.run() }
        let person = try await tiers.person()
        for lot in 0..<lots { try await market.open(lot) }
        let rounds = max(1, (checks + lots * products * searchers - 1) / (lots * products * searchers))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lot in 0..<lots { group.addTask { for round in 0..<rounds { try await market.sellOut(lot, round: round, person: person) } } }
            try await group.waitForAll()
        }
        following.cancel()
        await following.value
        let stats = try tiers.node.stats("products")
        #expect(stats.patchTotal > 0)
        #expect(tiers.projector.progress.refused == 0 && tiers.projector.progress.failure == nil)
        let result = market.result
        let lags = result.lags.sorted(), median = lags.isEmpty ? 0 : lags[lags.count / 2]
        print(
            "sold out, \(gated ? "min_version" : "no gate"): \(result.checks) checks in \(result.searches) answers about \(result.sales) sales, \(result.couldFail) could fail "
                + "(\(100 * result.couldFail / max(1, result.checks)) %), \(result.violations) violations; lag without min_version: median \((median * 100).rounded() / 100) ms, "
                + "p99 \(((lags.isEmpty ? 0 : lags[min(lags.count - 1, lags.count * 99 / 100)]) * 100).rounded() / 100) ms; "
                + "\(stats.patchTotal) patches, \(stats.mergeTotal) merges, \(stats.segments) segments")
        await tiers.close()
        return result
    }

    @Test("no answer at or above the version of a sale shows or counts what it sold out, and products in stock show")
    func gated() async throws {
        let asked = ProcessInfo.processInfo.environment["ISOTHERM_SOLD_OUT_CHECKS"].flatMap { Int($0) }, checks = asked ?? 20_000
        let result = try await run(checks: checks, gated: true)
        #expect(result.checks >= checks)
        // Beside all other suites searches are asked later, when the index has caught up more often: 89 % was seen there.
        #expect(result.couldFail * 100 >= result.checks * (asked == nil ? 75 : 90), "\(result.couldFail) of \(result.checks)")
        #expect(result.violations == 0, "\(result.firstViolation ?? "")")
        #expect(result.inStockMissing == 0)
    }

    @Test("without the gate the same searches show what was sold: the check can fail")
    func ungated() async throws {
        let result = try await run(checks: 5_000, gated: false)
        #expect(result.violations > 0)
        #expect(result.inStockMissing == 0)
    }
}
