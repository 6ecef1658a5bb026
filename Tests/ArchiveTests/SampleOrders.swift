// Orders for the archive's tests: seeded, of few people and five months, with every list empty at times.

import Archive
import IsothermTesting

enum SampleOrders {
    /// 2026-01-01T00:00:00Z.
    static let january: Int64 = 1_767_225_600_000_000
    static let day: Int64 = 86_400_000_000

    /// The same order of the same number but for what `version` changes.
    static func order(_ n: Int, version: Int64 = 1, people: Int = 40) -> ArchivedOrder {
        var random = Seeded(UInt64(n) &* 7_919 &+ 5)
        func pick(_ count: UInt64) -> Int64 { Int64(random.next() % count) }
        let placed = january + pick(150) * day + pick(86_400) * 1_000_000 + pick(1_000_000)
        let currency = ["EUR", "EUR", "EUR", "JPY", "KWD"][n % 5], decimals = [2, 2, 2, 0, 3][n % 5]
        let id = "o-" + String(random.next(), radix: 16), person = "p-" + String(UInt64(n % people) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
        var order = ArchivedOrder(
            id: id, person: person, reference: "R-\(n)", status: version % 2 == 0 ? "returned" : "delivered", currency: currency, currencyDecimals: decimals,
            totalMinor: 0, paidMinor: pick(100_000), refundedMinor: version * 10, placedAt: placed, updatedAt: placed + version * day, version: version, body: [])
        for k in 0..<pick(4) {
            let unit = pick(9_999), quantity = 1 + pick(3)
            order.lines.append(.init(position: k + 1, sku: "SKU-\(pick(97))", title: "Thing é \(pick(50))", seller: pick(3) == 0 ? nil : "seller \(pick(5))",
                quantity: quantity, unitMinor: unit, freightMinor: pick(500), totalMinor: unit * quantity))
        }
        for k in 0..<pick(3) {
            order.payments.append(.init(id: "pay-\(n)-\(k)", status: "captured", gateway: "sandbox", method: ["card", "boleto"][Int(pick(2))], amountMinor: pick(9_999),
                capturedMinor: pick(9_999), refundedMinor: -pick(9), createdAt: placed + k))
        }
        for k in 0..<pick(3) {
            order.shipments.append(.init(id: "s-\(n)-\(k)", status: "delivered", carrier: ["dhl", "ups"][Int(pick(2))], createdAt: placed + day))
            for e in 0..<pick(4) { order.tracking.append(.init(shipment: "s-\(n)-\(k)", kind: "in_transit", happenedAt: placed + day + e, receivedAt: placed + day + e + 5)) }
        }
        order.totalMinor = order.lines.reduce(version) { $0 + $1.totalMinor }
        order.body = Array("{\"order_id\":\"\(id)\",\"version\":\(version),\"note\":\"å\(pick(1_000_000))\"}".utf8)
        return order
    }

    /// Numbers of orders of January and February: few file groups, for tests that write many tables.
    static let early: [Int] = (0..<400).filter { order($0).placedAt < january + 59 * day }

    static func sorted(_ orders: some Sequence<ArchivedOrder>) -> [ArchivedOrder] { orders.sorted { $0.id < $1.id } }
}
