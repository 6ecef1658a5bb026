// How many orders a second, how many per sync: 64 callers placing orders of three products, synchronous = FULL. Runs when ISOTHERM_BENCH is set, in a
// release build; beside ../shared/bench/limits/orders.py in the same minutes.

import Foundation
import Orders
import OrdersSQLite
import Testing

@Suite("Orders: throughput", .enabled(if: ProcessInfo.processInfo.environment["ISOTHERM_BENCH"] != nil), .serialized)
struct ThroughputBench {
    @Test("64 callers, orders of so many lines", arguments: [2, 3])
    func place(lines: Int) async throws {
        var options = OrdersSQLiteOptions()
        func number(_ name: String) -> Double? { ProcessInfo.processInfo.environment[name].flatMap { Double($0) } }
        if let bytes = number("PAGE") { options.pageBytes = Int(bytes) }
        if let bytes = number("CHECKPOINT") { options.checkpointBytes = Int(bytes) << 20 }
        if let share = number("LINGER") { options.lingerShare = share }
        let shop = try TestShop(options)
        let products = 100_000, people = 50_000, callers = 64
        let seconds = Double(ProcessInfo.processInfo.environment["ISOTHERM_BENCH"] ?? "") ?? 5
        try await shop.store.fill(products: products, people: people)
        let before = shop.store.counts, cpu = clock(), written = ThroughputBench.bytesWritten
        let start = ContinuousClock.now
        let sorted = await withTaskGroup(of: [Double].self) { group in
            for caller in 0..<callers {
                group.addTask { await ThroughputBench.orders(of: caller, shop, lines, products, people, until: start + .seconds(seconds)) }
            }
            return await group.reduce(into: []) { $0 += $1 }.sorted()
        }
        let took = (ContinuousClock.now - start) / .seconds(1)
        let placed = try await shop.number("SELECT count(*) FROM orders"), commits = shop.store.counts.commits - before.commits
        print("""
            bench: \(lines) lines: \(Int(Double(placed) / took)) orders/s, \(String(format: "%.1f", Double(placed) / Double(commits))) per commit, \
            p50 \(String(format: "%.2f", sorted[sorted.count / 2])) ms, p99 \(String(format: "%.2f", sorted[sorted.count * 99 / 100])) ms, \
            \(Double(clock() - cpu) / Double(placed)) us of processor and \((ThroughputBench.bytesWritten - written) / 1_024 / Int(placed)) KiB written an order, \
            commit \(String(format: "%.2f", took * 1_000 / Double(commits))) ms
            """)
        #expect(Double(placed) / Double(commits) >= 16)
    }

    /// By this process, as the system counts it.
    private static var bytesWritten: Int {
        let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").first { $0.hasPrefix("write_bytes") }.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    }

    private static func orders(of caller: Int, _ shop: TestShop, _ lines: Int, _ products: Int, _ people: Int, until end: ContinuousClock.Instant) async -> [Double] {
        var own: [Double] = []
        while ContinuousClock.now < end {
            let person = PersonRef(Bytes16(high: 1, low: UInt64.random(in: 0..<UInt64(people))))
            let draft = OrderDraft(person: person, lines: (0..<lines).map { _ in .init(ProductID("product-\(Int.random(in: 0..<products))")) })
            let begun = ContinuousClock.now
            let command = StoreCommand(
                .placeOrder(draft), by: Caller(.customer(person), .checkout, at: .now()), idempotencyKey: "bench-\(caller)-\(own.count)", requestHash: [1])
            _ = try? await shop.store.perform(command)
            own.append(Double((ContinuousClock.now - begun).components.attoseconds) / 1e15)
        }
        return own
    }
}
