// History comes in: orders of the past with their lines and payments, from whichever source, as neutral records.
//
// Invariants
//     1  Stock is not touched and nothing is told to those outside: it all happened long ago.
//     2  A record's identifier is made of its moment and its source's key, and its key is kept: a second import adds nothing.
//     3  Records that do not add up come in all the same, and are listed; those that cannot come in are listed with the reason.
//     4  A thousand records are one transaction.

import Orders

/// One order of the past.
package struct HistoricOrder: Sendable {
    package struct Line: Sendable {
        package var product: ProductID, title: String, seller: String?, quantity: Int64, unitMinor: Int64, freightMinor: Int64
        package init(product: ProductID, title: String, seller: String?, quantity: Int64, unitMinor: Int64, freightMinor: Int64) {
            (self.product, self.title, self.seller) = (product, title, seller)
            (self.quantity, self.unitMinor, self.freightMinor) = (quantity, unitMinor, freightMinor)
        }
    }
    package struct Payment: Sendable {
        /// Of its own within the order's source.
        package var key: String, method: String, amountMinor: Int64
        package init(key: String, method: String, amountMinor: Int64) { (self.key, self.method, self.amountMinor) = (key, method, amountMinor) }
    }
    package var key: SourceKey, person: String
    package var placedAt: Instant, deliveredAt: Instant?
    package var state: OrderState, currency: Currency
    package var lines: [Line], payments: [Payment]
    /// A JSON object, with the source's own word for the state.
    package var attributes: String
    package init(
        key: SourceKey, person: String, placedAt: Instant, deliveredAt: Instant?, state: OrderState, currency: Currency, lines: [Line], payments: [Payment],
        attributes: String
    ) {
        (self.key, self.person, self.placedAt, self.deliveredAt, self.state) = (key, person, placedAt, deliveredAt, state)
        (self.currency, self.lines, self.payments, self.attributes) = (currency, lines, payments, attributes)
    }
}

package struct ImportReport: Sendable, Equatable {
    package var added = 0, alreadyThere = 0
    /// Came in: orders without lines; orders whose payments are not what their lines come to.
    package var withoutLines: [String] = [], differing: [String] = []
    /// Did not come in, with why.
    package var refused: [String] = []
    package init() {}
}

extension SQLiteOrderStore {
    package func importHistory(_ orders: [HistoricOrder], by caller: Caller) throws(StoreError) -> ImportReport {
        var report = ImportReport()
        for start in stride(from: 0, to: orders.count, by: 1_000) {
            let some = Array(orders[start..<min(start + 1_000, orders.count)])
            let part = try writer.transact { runner throws(StoreError) in
                var part = ImportReport()
                for order in some { try runner.importOrder(order, caller, &part) }
                return part
            }
            report.add(part)
        }
        return report
    }
}

extension ImportReport {
    mutating func add(_ other: ImportReport) {
        added += other.added
        alreadyThere += other.alreadyThere
        withoutLines += other.withoutLines
        differing += other.differing
        refused += other.refused
    }
}

// MARK: -

extension CommandRunner {
    func importOrder(_ order: HistoricOrder, _ caller: Caller, _ report: inout ImportReport) throws(StoreError) {
        if try knownID("order", order.key) != nil {
            report.alreadyThere += 1
            return
        }
        let before = heads
        try connection.run("SAVEPOINT imported")
        do throws(StoreError) {
            try bringIn(order, caller, &report)
            try connection.run("RELEASE imported")
        } catch {
            heads = before
            if connection.isAutocommit { throw error }
            try connection.run("ROLLBACK TO imported")
            try connection.run("RELEASE imported")
            report.refused.append("\(order.key): \(error)")
        }
    }

    func knownID(_ kind: String, _ key: SourceKey) throws(StoreError) -> Bytes16? {
        try connection.first("SELECT id FROM source_keys WHERE kind = ? AND source = ? AND key = ?", .text(kind), .text(key.source), .text(key.key)) {
            row throws(StoreError) in try row.id(0)
        }
    }

    func keepKey(_ kind: String, _ key: SourceKey, _ id: Bytes16) throws(StoreError) {
        try connection.run("INSERT INTO source_keys(kind, source, key, id) VALUES (?, ?, ?, ?)", .text(kind), .text(key.source), .text(key.key), .id(id))
    }

    private func bringIn(_ order: HistoricOrder, _ caller: Caller, _ report: inout ImportReport) throws(StoreError) {
        let id = OrderID(UUIDv7.make(order.placedAt, source: order.key))
        var total: Int64 = 0, paid: Int64 = 0
        var lines: [PricedLine] = []
        for line in order.lines {
            let sum = try line.unitMinor.times(exactly: line.quantity).adding(exactly: line.freightMinor)
            total = try total.adding(exactly: sum)
            let master = MasterRow(
                product: try productRow(line.product, title: line.title, seller: line.seller, price: Money(line.unitMinor, order.currency)), title: line.title, seller: line.seller, price: Money(line.unitMinor, order.currency))
            lines.append(PricedLine(master: master, id: line.product, quantity: line.quantity, freight: line.freightMinor, total: sum))
        }
        for payment in order.payments { paid = try paid.adding(exactly: payment.amountMinor) }
        var new = NewOrder(
            id: id, person: try importedPerson(order, caller), placedAt: order.placedAt, state: order.state, currency: order.currency, totalMinor: total, paidMinor: paid,
            deliveredAt: order.deliveredAt)
        new.attributes = order.attributes
        try insert(new, lines)
        if [.shipped, .delivered, .partReturned, .returned].contains(order.state) {
            try connection.run("UPDATE order_lines SET shipped = quantity WHERE order_id = ?", .id(id.value))
        }
        if let delivered = order.deliveredAt {
            try connection.run(
                "UPDATE orders SET returnable_until = ?2 WHERE order_id = ?1", .id(id.value), .at(min(delivered.adding(days: options.returnWindowDays), Instant.writable.upperBound)))
        }
        for payment in order.payments { try bringIn(payment, of: order, id) }
        try keepKey("order", order.key, id.value)
        try audit(caller, "order.import", id.description)
        report.added += 1
        if lines.isEmpty { report.withoutLines.append(order.key.key) } else if paid != total { report.differing.append(order.key.key) }
    }

    private func bringIn(_ payment: HistoricOrder.Payment, of order: HistoricOrder, _ id: OrderID) throws(StoreError) {
        let key = SourceKey(source: order.key.source, key: payment.key)
        let made = UUIDv7.make(order.placedAt, source: SourceKey(source: order.key.source + "/payment", key: payment.key))
        try insertHistoric(
            PaymentID(made), id, gateway: order.key.source, method: payment.method, Money(payment.amountMinor, order.currency), state: .captured, refunded: 0,
            at: order.placedAt)
        try keepKey("payment", key, made)
    }

    /// A payment of the past with the events that explain its sums.
    func insertHistoric(
        _ id: PaymentID, _ order: OrderID, gateway: String, method: String, _ amount: Money, state: PaymentState, refunded: Int64, at instant: Instant
    ) throws(StoreError) {
        try connection.run(
            "INSERT INTO payments(payment_id, order_id, gateway, method, currency, amount_minor, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            .id(id.value), .id(order.value), .text(gateway), .text(method), .text(amount.currency.code), .int(amount.minor), .text(state.rawValue), .at(instant))
        var events: [(PaymentEventKind, Int64)] = []
        if state == .captured || refunded > 0 { events = [(.authorise, amount.minor), (.captureRest, amount.minor)] }
        if state == .declined { events = [(.decline, 0)] }
        if refunded > 0 { events.append((.refundRest, refunded)) }
        for (kind, sum) in events {
            try connection.run(
                """
                INSERT INTO payment_events(payment_id, gateway, event_id, kind, amount_minor, happened_at, received_at, applied) VALUES (?, ?, ?, ?, ?, ?, ?, 1)
                """,
                .id(id.value), .text(gateway), .text("import-\(id)-\(kind.rawValue)"), .text(kind.rawValue), .int(sum), .at(instant), .at(instant))
        }
    }

    private func importedPerson(_ order: HistoricOrder, _ caller: Caller) throws(StoreError) -> PersonRef {
        let key = SourceKey(source: order.key.source, key: order.person)
        if let known = try knownID("person", key) { return PersonRef(known) }
        let ref = PersonRef(.random())
        try connection.run("INSERT INTO people(person_ref, created_at) VALUES (?, ?)", .id(ref.value), .at(order.placedAt))
        try keepKey("person", key, ref.value)
        return ref
    }
}
