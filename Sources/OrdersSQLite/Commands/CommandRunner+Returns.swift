// Returns: asked for within the window, approved, received (units go back on the shelf), then refunded or exchanged.

import Orders

extension CommandRunner {
    func requestReturn(_ id: OrderID, _ draft: ReturnDraft, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let order = try hotOrder(id, caller)
        guard (1...60).contains(draft.reason.utf8.count), draft.reason.utf8.allSatisfy({ ($0 >= 97 && $0 <= 122) || $0 == 95 }) else {
            throw .invalid("a reason is one of the shop's codes: small letters and underscores, at most 60")
        }
        guard tables.order.next(order.state, .returnPart) != nil else {
            throw .illegalTransition(of: "the order", state: order.state.rawValue, event: "return", legal: tables.order.legal(order.state).map(\.rawValue))
        }
        if let until = order.returnableUntil, until < caller.at { throw .conflict("the return window ended at \(until)") }
        let lines = try merged(draft.lines)
        guard !lines.isEmpty else { throw .invalid("a return names at least one line") }
        var value: Int64 = 0
        for line in lines {
            let left = try returnable(line.position, of: id)
            guard line.quantity <= left.quantity else { throw .conflict("of line \(line.position) \(left.quantity) can be returned, not \(line.quantity)") }
            value = try value.adding(exactly: left.unit.times(exactly: line.quantity))
        }
        let made = ReturnID(identifiers.next(at: caller.at))
        try connection.run(
            "INSERT INTO returns(return_id, order_id, state, reason, value_minor, requested_at) VALUES (?, ?, ?, ?, ?, ?)",
            .id(made.value), .id(id.value), .text(ReturnState.requested.rawValue), .text(draft.reason), .int(value), .at(caller.at))
        for line in lines {
            try connection.run("INSERT INTO return_lines(return_id, position, quantity) VALUES (?, ?, ?)", .id(made.value), .int(line.position), .int(line.quantity))
        }
        try tell(.returned(made, id, state: .requested), at: caller.at)
        return StoreOutcome(id: made.value, state: ReturnState.requested.rawValue, recordVersion: 1)
    }

    func advanceReturn(_ id: ReturnID, _ event: ReturnEvent, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard event != .exchange else { throw .invalid("an exchange needs the lines wanted instead") }
        let found = try returnRow(id, caller)
        let next = try tables.returns.next(found.state, event, of: "the return")
        if event == .refund {
            let back = try connection.first("SELECT refunded_minor FROM orders WHERE order_id = ?", .id(found.order.value)) { $0.int(0) } ?? 0
            let closed = try connection.first(
                "SELECT coalesce(sum(value_minor), 0) FROM returns WHERE order_id = ? AND state = 'refunded'", .id(found.order.value)) { $0.int(0) } ?? 0
            guard back >= closed + found.value else { throw .conflict("refund \(found.value) first: \(back - closed) was refunded for it so far") }
        }
        if event == .receive { try receive(id, found.order, caller) }
        try connection.run("UPDATE returns SET state = ?2, version = version + 1 WHERE return_id = ?1", .id(id.value), .text(next.rawValue))
        try tell(.returned(id, found.order, state: next), at: caller.at)
        return StoreOutcome(id: id.value, state: next.rawValue, recordVersion: found.version + 1)
    }

    func exchangeReturn(_ id: ReturnID, _ lines: [OrderDraft.Line], _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let found = try returnRow(id, caller)
        let next = try tables.returns.next(found.state, .exchange, of: "the return")
        guard (1...100).contains(lines.count) else { throw .invalid("an order has 1 to 100 lines") }
        let order = try hotOrder(found.order, caller)
        let priced = try price(lines, currency: order.currency)
        guard priced.total == found.value else {
            throw .conflict("what came back was worth \(Money(found.value, order.currency)), what is wanted costs \(Money(priced.total, order.currency)): refund, and order anew")
        }
        let stock = try take(priced)
        let made = OrderID(identifiers.next(at: caller.at))
        var new = NewOrder(
            id: made, person: order.person, placedAt: caller.at, state: .confirmed, currency: order.currency, totalMinor: priced.total)
        (new.creditMinor, new.exchangeOf) = (priced.total, id)
        new.address = try connection.first("SELECT address_id FROM orders WHERE order_id = ?", .id(order.id.value)) { row throws(StoreError) in
            try row.optionalID(0).map { AddressID($0) }
        } ?? nil
        try insert(new, priced.lines)
        try sell(of: made)
        try connection.run(
            "UPDATE returns SET state = ?2, exchange_order = ?3, version = version + 1 WHERE return_id = ?1", .id(id.value), .text(next.rawValue), .id(made.value))
        try tell(.returned(id, found.order, state: next), at: caller.at)
        try tell(.order(made, state: .confirmed, stock: stock), at: caller.at)
        return StoreOutcome(id: made.value, state: OrderState.confirmed.rawValue, recordVersion: 1)
    }

    // MARK: -

    /// Units of a line that were shipped and are in no return, but one that was rejected or cancelled.
    private func returnable(_ position: Int64, of id: OrderID) throws(StoreError) -> (quantity: Int64, unit: Int64) {
        let line = try connection.first(
            """
            SELECT shipped - coalesce((SELECT sum(l.quantity) FROM returns r JOIN return_lines l USING (return_id)
                WHERE r.order_id = ?1 AND r.state NOT IN ('rejected', 'cancelled') AND l.position = ?2), 0), unit_minor
            FROM order_lines WHERE order_id = ?1 AND position = ?2
            """, .id(id.value), .int(position)
        ) { (quantity: $0.int(0), unit: $0.int(1)) }
        guard let line else { throw .conflict("the order has no line \(position)") }
        return line
    }

    private func returnRow(_ id: ReturnID, _ caller: Caller) throws(StoreError) -> (order: OrderID, state: ReturnState, value: Int64, version: Int64) {
        let row = try connection.first(
            "SELECT r.order_id, r.state, r.value_minor, r.version, d.person_ref, d.tier = 'hot' FROM returns r JOIN order_directory d USING (order_id) WHERE return_id = ?",
            .id(id.value)
        ) { row throws(StoreError) in
            (order: try row.id(0, as: OrderKind.self), state: try row.state(1) as ReturnState, value: row.int(2), version: row.int(3), person: try row.id(4, as: PersonKind.self),
                isHot: row.int(5) == 1)
        }
        guard let row else {
            if let moved = try movedReturn(id), caller.sees(moved.person) { throw .archived(moved.order) }
            throw .notFound("such return")
        }
        guard caller.sees(row.person) else { throw .notFound("such return") }
        guard row.isHot else { throw .archived(row.order) }
        return (row.order, row.state, row.value, row.version)
    }

    /// The units are here: they count as returned, and can be bought again.
    private func receive(_ id: ReturnID, _ orderID: OrderID, _ caller: Caller) throws(StoreError) {
        let order = try hotOrder(orderID, caller)
        let lines = try connection.all(
            """
            SELECT l.position, l.quantity, o.product FROM return_lines l JOIN order_lines o ON o.order_id = ?2 AND o.position = l.position
            WHERE l.return_id = ?1 ORDER BY o.product
            """, .id(id.value), .id(orderID.value)
        ) { (position: $0.int(0), quantity: $0.int(1), product: $0.int(2)) }
        var stock: [ProductID: Int64] = [:]
        for line in lines {
            try connection.run("UPDATE order_lines SET returned = returned + ?3 WHERE order_id = ?1 AND position = ?2", .id(orderID.value), .int(line.position), .int(line.quantity))
            try give(line.product, line.quantity, held: false, to: &stock)
        }
        let left = try connection.first("SELECT sum(quantity - returned) FROM order_lines WHERE order_id = ?", .id(orderID.value)) { $0.int(0) } ?? 0
        let next = try tables.order.next(order.state, left == 0 ? .returnAll : .returnPart, of: "the order")
        try setState(order, next)
        try tell(.order(orderID, state: next, stock: stock), at: caller.at)
        try keep(lines.map { ($0.product, -$0.quantity) }, caller)
    }
}
