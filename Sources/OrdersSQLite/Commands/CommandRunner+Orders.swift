// Placing, cancelling and letting go of orders.
//
// Invariants
//     1  Stock is taken by a conditional update, products in rising order of their number: two orders never wait for each other's.
//     2  Every unit is available, held (pending order) or sold (confirmed order); the moves between are here and nowhere else.
//     3  Lines are written once, with the price and title of that moment.

import Orders

extension CommandRunner {
    func placeOrder(_ draft: OrderDraft, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard (1...100).contains(draft.lines.count) else { throw .invalid("an order has 1 to 100 lines") }
        guard (1...options.holdSecondsMax).contains(draft.holdSeconds) else { throw .invalid("a hold lasts from a second to \(options.holdSecondsMax) seconds") }
        try requirePerson(draft.person)
        if let address = draft.address { try requireAddress(address, of: draft.person) }
        let priced = try price(draft.lines, currency: draft.currency)
        let stock = try take(priced)
        let due = priced.total == 0
        let id = OrderID(identifiers.next(at: caller.at))
        let state: OrderState = due ? .confirmed : .pending
        try insert(
            NewOrder(
                id: id, person: draft.person, placedAt: caller.at, state: state, currency: draft.currency, totalMinor: priced.total, address: draft.address,
                holdEndsAt: due ? nil : caller.at.adding(seconds: draft.holdSeconds)), priced.lines)
        if due { try sell(of: id) }
        if draft.emptiesBasket {
            for line in priced.lines {
                try connection.run("DELETE FROM baskets WHERE person_ref = ? AND product = ?", .id(draft.person.value), .int(line.master.product))
            }
        }
        try tell(.order(id, state: state, stock: stock), at: caller.at)
        return StoreOutcome(id: id.value, state: state.rawValue, recordVersion: 1)
    }

    func cancelOrder(_ id: OrderID, ifVersion: Int64?, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let order = try hotOrder(id, caller)
        if let ifVersion, ifVersion != order.version { throw .versionMismatch(current: order.version) }
        let next = try tables.order.next(order.state, .cancel, of: "the order")
        let stock = try giveBack(of: id, from: order.state)
        try setState(order, next)
        try tell(.order(id, state: next, stock: stock), at: caller.at)
        var outcome = StoreOutcome(id: id.value, state: next.rawValue, recordVersion: order.version + 1)
        outcome.followUp = try followUp(afterEnding: id)
        return outcome
    }

    func expireHolds(_ limit: Int, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let over = try connection.all(
            "SELECT order_id FROM orders WHERE hold_ends_at <= ? ORDER BY hold_ends_at LIMIT ?", .at(caller.at), .int(Int64(min(max(limit, 0), 1_000)))
        ) { row throws(StoreError) in try row.id(0, as: OrderKind.self) }
        for id in over {
            let order = try hotOrder(id, caller)
            let next = try tables.order.next(order.state, .expire, of: "the order")
            let stock = try giveBack(of: id, from: order.state)
            try setState(order, next)
            try tell(.order(id, state: next, stock: stock), at: caller.at)
        }
        return StoreOutcome(changed: Int64(over.count))
    }

    // MARK: What other commands ask

    struct PricedLine {
        var master: MasterRow, id: ProductID, quantity: Int64, freight: Int64, total: Int64
    }

    struct HotOrder {
        var id: OrderID, person: PersonRef, state: OrderState, currency: Currency
        var total: Int64, credit: Int64, paid: Int64, refunded: Int64, version: Int64, returnableUntil: Instant?
        /// What must be paid for it to be confirmed.
        var due: Int64 { total - credit }
    }

    struct NewOrder {
        var id: OrderID, person: PersonRef, placedAt: Instant, state: OrderState, currency: Currency, totalMinor: Int64
        var creditMinor: Int64 = 0, paidMinor: Int64 = 0, address: AddressID?, holdEndsAt: Instant?, deliveredAt: Instant?, exchangeOf: ReturnID?
        var attributes: String?
    }

    /// The order, if its body is in the hot tier and the caller may see it.
    func hotOrder(_ id: OrderID, _ caller: Caller) throws(StoreError) -> HotOrder {
        let order = try connection.first(
            """
            SELECT person_ref, state, currency, total_minor, credit_minor, paid_minor, refunded_minor, version, returnable_until,
                (SELECT tier = 'hot' FROM order_directory d WHERE d.order_id = o.order_id) FROM orders o WHERE order_id = ?
            """, .id(id.value)
        ) { row throws(StoreError) in
            // Between the flip and the purge: the rows are a copy of what is elsewhere.
            if row.int(9) == 0 { return nil as HotOrder? }
            return HotOrder(
                id: id, person: try row.id(0), state: try row.state(1), currency: try row.currency(2), total: row.int(3), credit: row.int(4), paid: row.int(5),
                refunded: row.int(6), version: row.int(7), returnableUntil: row.optionalInstant(8))
        }
        guard let order = order ?? nil else {
            _ = try owner(of: id, caller, connection)
            throw .archived(id)
        }
        guard caller.sees(order.person) else { throw .notFound("such order") }
        return order
    }

    /// Prices at this moment, or which of them are not what the caller was shown.
    func price(_ lines: [OrderDraft.Line], currency: Currency) throws(StoreError) -> (lines: [PricedLine], total: Int64) {
        var priced: [PricedLine] = [], total: Int64 = 0, changed: [ProductID: Money] = [:]
        priced.reserveCapacity(lines.count)
        for line in lines {
            guard (1...10_000).contains(line.quantity), line.freightMinor >= 0 else { throw .invalid("a quantity is between 1 and 10,000, freight not negative") }
            let master = try masterRow(line.product)
            if let expected = line.expectedPrice, expected != master.price {
                changed[line.product] = master.price
                continue
            }
            guard master.price.currency == currency else { throw .conflict("\(line.product) is sold in \(master.price.currency), not in \(currency)") }
            let sum = try master.price.minor.times(exactly: line.quantity).adding(exactly: line.freightMinor)
            total = try total.adding(exactly: sum)
            priced.append(PricedLine(master: master, id: line.product, quantity: line.quantity, freight: line.freightMinor, total: sum))
        }
        if !changed.isEmpty { throw .priceChanged(changed) }
        return (priced, total)
    }

    /// Holds the units of all lines, or refuses with what is left of those that are short. Gives what is available after.
    func take(_ priced: (lines: [PricedLine], total: Int64)) throws(StoreError) -> [ProductID: Int64] {
        var left: [ProductID: Int64] = [:], short: [ProductID: Int64] = [:]
        for line in priced.lines.sorted(by: { $0.master.product < $1.master.product }) {
            let available = try connection.first(
                "UPDATE stock SET available = available - ?2, held = held + ?2 WHERE product = ?1 AND available >= ?2 RETURNING available",
                .int(line.master.product), .int(line.quantity)
            ) { $0.int(0) }
            if let available {
                left[line.id] = available
            } else {
                short[line.id] = try connection.first("SELECT available FROM stock WHERE product = ?", .int(line.master.product)) { $0.int(0) } ?? 0
            }
        }
        if !short.isEmpty { throw .outOfStock(short) }
        return left
    }

    func insert(_ order: NewOrder, _ lines: [PricedLine]) throws(StoreError) {
        heads.directory += 1
        try connection.run(
            """
            INSERT INTO order_directory(added_seq, order_id, reference, person_ref, placed_at, month, state, currency, total_minor, paid_minor)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .int(heads.directory), .id(order.id.value), .text(OrderReference.make(order.id)), .id(order.person.value), .at(order.placedAt),
            .int(order.placedAt.date.monthNumber), .text(order.state.rawValue), .text(order.currency.code), .int(order.totalMinor), .int(order.paidMinor))
        try connection.run(
            """
            INSERT INTO orders(order_id, person_ref, placed_at, state, currency, total_minor, credit_minor, paid_minor, hold_ends_at, delivered_at, address_id,
                exchange_of, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .id(order.id.value), .id(order.person.value), .at(order.placedAt), .text(order.state.rawValue), .text(order.currency.code), .int(order.totalMinor),
            .int(order.creditMinor), .int(order.paidMinor), .optional(order.holdEndsAt), .optional(order.deliveredAt), .optional(order.address?.value),
            .optional(order.exchangeOf?.value), .optional(order.attributes))
        for (at, line) in lines.enumerated() {
            try connection.run(
                """
                INSERT INTO order_lines(order_id, position, product, title, seller_id, quantity, unit_minor, freight_minor, total_minor)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                .id(order.id.value), .int(Int64(at + 1)), .int(line.master.product), .text(line.master.title), .optional(line.master.seller), .int(line.quantity),
                .int(line.master.price.minor), .int(line.freight), .int(line.total))
        }
    }

    /// Writes an order's new state where it stands twice: in the body and in the directory.
    func setState(_ order: HotOrder, _ state: OrderState, deliveredAt: Instant? = nil) throws(StoreError) {
        let returnable = deliveredAt.map { $0.adding(days: options.returnWindowDays) }
        try connection.run(
            """
            UPDATE orders SET state = ?2, version = version + 1, hold_ends_at = iif(?2 = 'pending', hold_ends_at, NULL),
                delivered_at = coalesce(?3, delivered_at), returnable_until = coalesce(?4, returnable_until) WHERE order_id = ?1
            """,
            .id(order.id.value), .text(state.rawValue), .optional(deliveredAt), .optional(returnable))
        try connection.run("UPDATE order_directory SET state = ?2, version = version + 1 WHERE order_id = ?1", .id(order.id.value), .text(state.rawValue))
    }

    /// What was held becomes sold.
    func sell(of id: OrderID) throws(StoreError) {
        for (product, quantity) in try units(of: id) {
            try connection.run("UPDATE stock SET held = held - ?2, sold = sold + ?2 WHERE product = ?1", .int(product), .int(quantity))
        }
    }

    /// What was held or sold is available again. Gives what is available after.
    func giveBack(of id: OrderID, from state: OrderState) throws(StoreError) -> [ProductID: Int64] {
        var left: [ProductID: Int64] = [:]
        for (product, quantity) in try units(of: id) {
            try give(product, quantity, held: state == .pending, to: &left)
        }
        return left
    }

    func give(_ product: Int64, _ quantity: Int64, held: Bool, to left: inout [ProductID: Int64]) throws(StoreError) {
        let available = try connection.first(
            """
            UPDATE stock SET available = available + ?2, held = held - iif(?3, ?2, 0), sold = sold - iif(?3, 0, ?2) WHERE product = ?1 RETURNING available
            """, .int(product), .int(quantity), .int(held ? 1 : 0)
        ) { $0.int(0) }
        // Imported orders may be of products that were never stocked here.
        guard let available else { return }
        let name = try connection.first("SELECT product_id FROM products WHERE product = ?", .int(product)) { ProductID($0.text(0)) }
        if let name { left[name] = available }
    }

    /// Units per product, in the order of products.
    func units(of id: OrderID) throws(StoreError) -> [(product: Int64, quantity: Int64)] {
        try connection.all("SELECT product, sum(quantity) FROM order_lines WHERE order_id = ? GROUP BY product ORDER BY product", .id(id.value)) { ($0.int(0), $0.int(1)) }
    }

    /// What the gateway must be told once an order will not be.
    func followUp(afterEnding id: OrderID) throws(StoreError) -> StoreOutcome.FollowUp? {
        let left = try connection.first(
            """
            SELECT coalesce(sum(captured_minor - refunded_minor), 0), coalesce(sum(authorised_minor - captured_minor - voided_minor), 0)
            FROM payments WHERE order_id = ?
            """, .id(id.value)
        ) { ($0.int(0), $0.int(1)) }
        guard let left else { return nil }
        return left.1 > 0 ? .voidPayment : left.0 > 0 ? .refundPayment : nil
    }

    private func requireAddress(_ address: AddressID, of person: PersonRef) throws(StoreError) {
        let owner = try connection.first("SELECT person_ref FROM addresses WHERE address_id = ?", .id(address.value)) { row throws(StoreError) in try row.id(0) }
        guard owner == person.value else { throw .notFound("such address") }
    }
}
