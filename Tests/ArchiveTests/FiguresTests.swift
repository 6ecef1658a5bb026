// Questions over the table against arrays and loops.

import Archive
import IsothermTesting
import Storage
import Testing

@Suite("Figures of the archive")
struct FiguresTests {
    /// Orders 0..<600, a third of them in their second version, some deleted.
    private static func table() async throws -> (Bench, [ArchivedOrder]) {
        let bench = Bench(), writer = try await bench.writer()
        _ = try await writer.upsert((0..<600).map { SampleOrders.order($0) })
        _ = try await writer.upsert(stride(from: 0, to: 600, by: 3).map { SampleOrders.order($0, version: 2) })
        _ = try await writer.delete(stride(from: 1, to: 600, by: 10).compactMap { SampleOrders.order($0).key })
        return (bench, (0..<600).filter { $0 % 10 != 1 }.map { SampleOrders.order($0, version: $0 % 3 == 0 ? 2 : 1) })
    }

    @Test("projected columns say what the whole rows say, in the same order", arguments: [OrderFigures.Parts(), .sellers, .payments, .names, [.sellers, .payments, .names]])
    func projection(parts: OrderFigures.Parts) async throws {
        let (bench, _) = try await Self.table(), snapshot = try await bench.table().snapshot()
        var found: [OrderFigures] = []
        try await snapshot.figures(parts: parts) { (rows, _) async throws(ArchiveError) in
            found += rows
            return true
        }
        var expected: [OrderFigures] = []
        try await snapshot.scan { (rows, _) async throws(ArchiveError) in
            expected += rows.map { row in
                var figures = OrderFigures(row.order)
                if !parts.contains(.sellers) { figures.lines = [] }
                if !parts.contains(.payments) { figures.payments = [] }
                if !parts.contains(.names) { figures.names = nil }
                return figures
            }
            return true
        }
        #expect(found == expected)
        #expect(found.count == 540)
    }

    @Test("of a file too large for one small read only the columns that are wanted are read; a small one is read once")
    func sparse() async throws {
        let bench = Bench(buckets: 1)
        var random = Seeded(9), orders: [ArchivedOrder] = []
        for n in 0..<200 {
            var order = SampleOrders.order(n)
            order.placedAt = SampleOrders.january + Int64(n)
            order.body = (0..<8_000).map { _ in 0x20 + UInt8(random.next() % 90) }
            orders.append(order)
        }
        _ = try await bench.writer().upsert(orders)
        func cost() async throws -> ReadCost {
            var cost = ReadCost(), rows = 0
            try await bench.table().snapshot().figures(parts: .sellers) { (part, sofar) async throws(ArchiveError) in
                (cost, rows) = (sofar, rows + part.count)
                return true
            }
            #expect(rows == (try await bench.table().snapshot().rowCount))
            return cost
        }
        let size = try await bench.table().snapshot().byteCount, sparse = try await cost()
        #expect(size > 1 << 20)
        #expect(sparse.bytes < size / 4 && sparse.requests > 1)
        _ = try await bench.writer().delete(orders[10...].compactMap(\.key))
        let small = try await bench.table().snapshot().byteCount
        #expect(try await cost() == ReadCost(requests: 1, bytes: small))
    }

    @Test("a scan that has enough stops")
    func stops() async throws {
        let (bench, _) = try await Self.table()
        var calls = 0
        try await bench.table().snapshot().figures { (_, _) async throws(ArchiveError) in
            calls += 1
            return false
        }
        #expect(calls == 1)
    }

    @Test("sums by anything and for any filter equal a loop's", arguments: UInt64(0)..<12)
    func sums(seed: UInt64) async throws {
        var random = Seeded(seed)
        func chance(_ n: UInt64) -> Bool { random.next() % n == 0 }
        let (bench, orders) = try await Self.table(), snapshot = try await bench.table().snapshot()
        for _ in 0..<6 {
            var filter = OrderFilter()
            if chance(2) { filter.from = SampleOrders.january + Int64(random.next() % 150) * SampleOrders.day }
            if chance(2) { filter.to = SampleOrders.january + Int64(random.next() % 150) * SampleOrders.day }
            if chance(3) { filter.states = ["returned"] }
            if chance(3) { filter.currencies = ["JPY", "KWD"] }
            if chance(3) { filter.sellers = ["seller 2", "seller 4"] }
            if chance(4) { filter.person = orders[Int(random.next() % UInt64(orders.count))].person }
            let by = OrderTally.Dimension.allCases.filter { _ in chance(3) }
            guard !(by.contains(.seller) && by.contains(.paymentMethod)) else { continue }
            var tally = try OrderTally(by: by)
            try await snapshot.figures(of: filter, parts: tally.parts) { (rows, _) async throws(ArchiveError) in
                for row in rows { try tally.add(row) }
                return true
            }
            let expected = Naive.sums(orders.filter { Naive.holds($0, filter) }, by)
            #expect(tally.rows.map { Naive.line($0.key, $0.sums) } == expected, "\(filter) by \(by)")
        }
    }

    @Test("names that differ in their bytes alone are two, as to every other reader")
    func bytes() throws {
        var order = SampleOrders.order(1), tally = try OrderTally(by: [.seller])
        let names = ["Caf\u{E9}", "Cafe\u{301}"]
        order.lines = names.enumerated().map { n, name in
            .init(position: Int64(n + 1), sku: "S", title: "T", seller: name, quantity: 1, unitMinor: 5, freightMinor: 0, totalMinor: 5)
        }
        try tally.add(OrderFigures(order))
        #expect(tally.rows.map { Array($0.key[0].utf8) } == [Array(names[1].utf8), Array(names[0].utf8)])
        #expect(tally.rows.allSatisfy { $0.sums.orders == 1 && $0.sums.lines == 1 })
    }

    @Test("an amount is written with its three places, also a negative and a large one")
    func texts() {
        #expect([0, 1, -1, 999, 1_000, -12_345].map { OrderTally.text($0) } == ["0.000", "0.001", "-0.001", "0.999", "1.000", "-12.345"])
        #expect(OrderTally.text(Int128(Int64.max) * 1_000) == "9223372036854775807.000")
    }

    @Test("sellers and payment methods at once are refused")
    func refused() { #expect(throws: ArchiveError.self) { try OrderTally(by: [.seller, .month, .paymentMethod]) } }

    @Test("months outside the asked time are not read")
    func months() throws {
        let all = try (1...12).map { try #require(Partition(year: 2026, month: $0)) }
        var filter = OrderFilter()
        #expect(filter.partitions(of: all).count == 12)
        (filter.from, filter.to) = (SampleOrders.january + 31 * SampleOrders.day, SampleOrders.january + 59 * SampleOrders.day)
        #expect(filter.partitions(of: all) == [all[1]])
        filter.to = (filter.to ?? 0) + 1
        #expect(filter.partitions(of: all) == [all[1], all[2]])
        (filter.from, filter.to) = (nil, 0)
        #expect(filter.partitions(of: all).isEmpty)
        (filter.from, filter.to) = (.max, nil)
        #expect(filter.partitions(of: all).isEmpty)
        (filter.from, filter.to) = (.min, .max)
        #expect(filter.partitions(of: all).count == 12)
    }
}

/// The same in loops over orders, with Double-free arithmetic in minor units times a factor.
private enum Naive {
    static func holds(_ order: ArchivedOrder, _ filter: OrderFilter) -> Bool {
        (filter.from.map { order.placedAt >= $0 } ?? true) && (filter.to.map { order.placedAt < $0 } ?? true) && (filter.states.isEmpty || filter.states.contains(order.status))
            && (filter.currencies.isEmpty || filter.currencies.contains(order.currency)) && (filter.person.map { order.person == $0 } ?? true)
            && (filter.sellers.isEmpty || order.lines.contains { filter.sellers.contains($0.seller ?? "") })
    }

    static func sums(_ orders: [ArchivedOrder], _ by: [OrderTally.Dimension]) -> [String] {
        var groups: [[String]: OrderTally.Sums] = [:]
        if by.isEmpty { groups[[]] = OrderTally.Sums() }
        for order in orders {
            let factor = Int128([1_000, 100, 10, 1][order.currencyDecimals])
            let inner: [String?] = by.contains(.seller) ? order.lines.map { $0.seller ?? "" } : by.contains(.paymentMethod) ? order.payments.map(\.method) : [nil]
            for one in Set(inner) {
                let key = by.map { dimension -> String in
                    let date = HudiInstant(milliseconds: order.placedAt / 1_000).description
                    return switch dimension {
                    case .month: date.prefix(4) + "-" + date.dropFirst(4).prefix(2)
                    case .year: String(date.prefix(4))
                    case .state: order.status
                    case .currency: order.currency
                    case .seller, .paymentMethod: one ?? ""
                    }
                }
                var sums = groups[key] ?? OrderTally.Sums()
                sums.orders += 1
                if by.contains(.seller) {
                    let lines = order.lines.filter { $0.seller ?? "" == one }
                    sums.lines? += Int64(lines.count)
                    sums.quantity? += lines.reduce(0) { $0 + $1.quantity }
                    sums.total += Int128(lines.reduce(0) { $0 + $1.totalMinor }) * factor
                    (sums.paid, sums.refunded) = (nil, nil)
                } else if by.contains(.paymentMethod) {
                    let payments = order.payments.filter { $0.method == one }
                    (sums.lines, sums.quantity) = (nil, nil)
                    sums.total += Int128(payments.reduce(0) { $0 + $1.amountMinor }) * factor
                    sums.paid? += Int128(payments.reduce(0) { $0 + $1.capturedMinor }) * factor
                    sums.refunded? += Int128(payments.reduce(0) { $0 + $1.refundedMinor }) * factor
                } else {
                    sums.lines? += Int64(order.lines.count)
                    sums.quantity? += order.lines.reduce(0) { $0 + $1.quantity }
                    sums.total += Int128(order.totalMinor) * factor
                    sums.paid? += Int128(order.paidMinor) * factor
                    sums.refunded? += Int128(order.refundedMinor) * factor
                }
                groups[key] = sums
            }
        }
        return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { line($0.key, $0.value) }
    }

    static func line(_ key: [String], _ sums: OrderTally.Sums) -> String { "\(key): \(sums)" }
}
