// Sums over orders, exact, by month, state, currency and so on.
//
//     by nothing, month, year, state, currency     orders; their lines, quantities, totals, paid, refunded
//     by seller                                    lines: orders with such a line, lines, quantity, the lines' totals
//     by payment_method                            payments: orders with such a payment; its amount as total, captured as paid, refunded
//
// Amounts are added as thousandths in 128 bits: no sum of a table's rows leaves them. Memory: a row for each group, of which there is a bound.

package struct OrderTally: Sendable {
    package enum Dimension: String, CaseIterable, Sendable { case month, year, state, currency, seller, paymentMethod = "payment_method" }

    package struct Sums: Sendable, Equatable {
        package var orders: Int64 = 0
        /// Nil where a payment is counted.
        package var lines: Int64? = 0, quantity: Int64? = 0
        /// Thousandths. `paid` and `refunded` are nil where a line is counted.
        package var total: Int128 = 0, paid: Int128? = 0, refunded: Int128? = 0
        package init() {}
    }

    package let dimensions: [Dimension]
    /// As bytes: names that Swift holds to be the same, an accent within its letter and behind it, are two to every other reader.
    private var groups: [[[UInt8]]: Sums] = [:]
    /// Currencies seen: amounts of different ones do not add up to anything.
    package private(set) var currencies: Set<String> = []
    private static let groupsMax = 1_000_000

    /// - Throws: `misuse` for sellers and payment methods at once: a line is not paid by one payment.
    package init(by dimensions: [Dimension]) throws(ArchiveError) {
        guard !(dimensions.contains(.seller) && dimensions.contains(.paymentMethod)) else {
            throw ArchiveError(.misuse, place: "by", "seller and payment_method cannot be told apart together: a line is not paid by one payment")
        }
        self.dimensions = dimensions
    }

    package var parts: OrderFigures.Parts {
        dimensions.contains(.seller) ? .sellers : dimensions.contains(.paymentMethod) ? .payments : []
    }

    package mutating func add(_ order: OrderFigures) throws(ArchiveError) {
        currencies.insert(order.currency)
        if dimensions.contains(.seller) {
            for (seller, lines) in Dictionary(grouping: order.lines, by: { Array(($0.seller ?? "").utf8) }) {
                let key = key(order, seller)
                var sums = sums(key)
                sums.orders += 1
                sums.lines = (sums.lines ?? 0) + Int64(lines.count)
                for line in lines { (sums.quantity, sums.total) = ((sums.quantity ?? 0) &+ line.quantity, sums.total + Int128(line.total)) }
                (sums.paid, sums.refunded) = (nil, nil)
                try set(key, sums)
            }
        } else if dimensions.contains(.paymentMethod) {
            for (method, payments) in Dictionary(grouping: order.payments, by: { Array($0.method.utf8) }) {
                let key = key(order, method)
                var sums = sums(key)
                sums.orders += 1
                (sums.lines, sums.quantity) = (nil, nil)
                for payment in payments {
                    sums.total += Int128(payment.amount)
                    (sums.paid, sums.refunded) = ((sums.paid ?? 0) + Int128(payment.captured), (sums.refunded ?? 0) + Int128(payment.refunded))
                }
                try set(key, sums)
            }
        } else {
            let key = key(order, [])
            var sums = sums(key)
            sums.orders += 1
            (sums.lines, sums.quantity) = ((sums.lines ?? 0) &+ order.lineCount, (sums.quantity ?? 0) &+ order.quantity)
            sums.total += Int128(order.total)
            (sums.paid, sums.refunded) = ((sums.paid ?? 0) + Int128(order.paid), (sums.refunded ?? 0) + Int128(order.refunded))
            try set(key, sums)
        }
    }

    /// By key, as bytes. Without dimensions there is one row, also of nothing.
    package var rows: [(key: [String], sums: Sums)] {
        if dimensions.isEmpty, groups.isEmpty { return [([], Sums())] }
        let sorted = groups.sorted { a, b in
            for (x, y) in zip(a.key, b.key) where x != y { return x.lexicographicallyPrecedes(y) }
            return false
        }
        return sorted.map { group in (group.key.map { String(decoding: $0, as: UTF8.self) }, group.value) }
    }

    /// Thousandths as "12.340".
    package static func text(_ thousandths: Int128) -> String {
        let digits = String(thousandths.magnitude), padded = String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        return (thousandths < 0 ? "-" : "") + padded.dropLast(3) + "." + padded.suffix(3)
    }

    // MARK: -

    private func sums(_ key: [[UInt8]]) -> Sums { groups[key] ?? Sums() }

    private mutating func set(_ key: [[UInt8]], _ sums: Sums) throws(ArchiveError) {
        groups[key] = sums
        guard groups.count <= Self.groupsMax else { throw ArchiveError(.misuse, place: "by", "more than \(Self.groupsMax) groups; ask for fewer at once") }
    }

    private func key(_ order: OrderFigures, _ inner: [UInt8]) -> [[UInt8]] {
        let date = dimensions.contains(.month) || dimensions.contains(.year) ? Calendar.date(order.placedAt / 86_400_000_000) : (0, 0, 0)
        return dimensions.map { dimension in
            switch dimension {
            case .month: Array((Calendar.padded(date.0, 4) + "-" + Calendar.padded(date.1, 2)).utf8)
            case .year: Array(Calendar.padded(date.0, 4).utf8)
            case .state: Array(order.status.utf8)
            case .currency: Array(order.currency.utf8)
            case .seller, .paymentMethod: inner
            }
        }
    }
}
