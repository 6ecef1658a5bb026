// Reads of one order and what belongs to it. What is another customer's is not found.

import Orders

extension SQLiteOrderStore {
    package func order(_ id: OrderID, by caller: Caller) async throws(StoreError) -> Order {
        try await read { connection throws(StoreError) in try readOrder(id, caller, connection) }
    }

    package func payments(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Payment] {
        try await read { connection throws(StoreError) in
            let person = try owner(of: order, caller, connection)
            return try readPayments(of: order, person, connection)
        }
    }

    package func payment(_ id: PaymentID, by caller: Caller) async throws(StoreError) -> Payment {
        try await read { connection throws(StoreError) in
            let order = try connection.first("SELECT order_id FROM payments WHERE payment_id = ?", .id(id.value)) { row throws(StoreError) in
                try row.id(0, as: OrderKind.self)
            }
            guard let order else { throw .notFound("such payment") }
            guard let person = try? owner(of: order, caller, connection), let payment = try readPayment(id, person, connection) else { throw .notFound("such payment") }
            return payment
        }
    }

    package func shipments(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Shipment] {
        try await read { connection throws(StoreError) in
            let person = try owner(of: order, caller, connection)
            return try readShipments(of: order, person, connection)
        }
    }

    package func tracking(of order: OrderID, after sequence: Int64, limit: Int, by caller: Caller) async throws(StoreError) -> [TrackingEvent] {
        try await read { connection throws(StoreError) in
            _ = try owner(of: order, caller, connection)
            return try connection.all(
                """
                SELECT t.seq, t.event_id, t.kind, t.happened_at, t.received_at, t.place FROM shipments s JOIN tracking_events t USING (shipment_id)
                WHERE s.order_id = ? AND t.seq > ? ORDER BY t.seq LIMIT ?
                """, .id(order.value), .int(sequence), .int(Int64(min(max(limit, 1), 1_000))), make: trackingEvent)
        }
    }

    package func returns(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Return] {
        try await read { connection throws(StoreError) in
            let person = try owner(of: order, caller, connection)
            return try readReturns(of: order, person, connection)
        }
    }
}

// MARK: -

/// The person of an order, by the directory: if the caller may know of it.
func owner(of order: OrderID, _ caller: Caller, _ connection: Connection) throws(StoreError) -> PersonRef {
    let person = try connection.first("SELECT person_ref FROM order_directory WHERE order_id = ?", .id(order.value)) { row throws(StoreError) in
        try row.id(0, as: PersonKind.self)
    }
    guard let person, caller.sees(person) else { throw .notFound("such order") }
    return person
}

func readOrder(_ id: OrderID, _ caller: Caller, _ connection: Connection) throws(StoreError) -> Order {
    let found = try connection.first(
        """
        SELECT d.order_id, d.reference, d.person_ref, d.placed_at, d.state, d.currency, d.total_minor, d.paid_minor, d.version, d.tier,
            o.refunded_minor, o.credit_minor, o.hold_ends_at, o.delivered_at, o.returnable_until, o.address_id, o.exchange_of
        FROM order_directory d LEFT JOIN orders o USING (order_id) WHERE d.order_id = ?
        """, .id(id.value), make: orderRow)
    guard var found, caller.sees(found.person) else { throw .notFound("such order") }
    found.lines = try orderLines(of: id, connection)
    return found
}

/// Directory columns first, then those of the body, which are NULL where it is in another tier.
func orderRow(_ row: Row) throws(StoreError) -> Order {
    var order = Order(
        id: try row.id(0), reference: row.text(1), person: try row.id(2), placedAt: row.instant(3), state: try row.state(4), currency: try row.currency(5),
        totalMinor: row.int(6), paidMinor: row.int(7), refundedMinor: row.int(10), creditMinor: row.int(11), version: row.int(8), tier: row.text(9))
    (order.holdEndsAt, order.deliveredAt, order.returnableUntil) = (row.optionalInstant(12), row.optionalInstant(13), row.optionalInstant(14))
    order.address = try row.optionalID(15).map { AddressID($0) }
    order.exchangeOf = try row.optionalID(16).map { ReturnID($0) }
    // NOT NULL in a body.
    order.hasBody = !row.isNull(10)
    return order
}

func orderLines(of id: OrderID, _ connection: Connection) throws(StoreError) -> [OrderLine] {
    try connection.all(
        """
        SELECT l.position, p.product_id, l.title, l.seller_id, l.quantity, l.unit_minor, l.freight_minor, l.total_minor, l.shipped, l.returned
        FROM order_lines l JOIN products p USING (product) WHERE l.order_id = ? ORDER BY l.position
        """, .id(id.value)
    ) { row in
        OrderLine(
            position: row.int(0), product: ProductID(row.text(1)), title: row.text(2), seller: row.optionalText(3), quantity: row.int(4), unitMinor: row.int(5),
            freightMinor: row.int(6), totalMinor: row.int(7), shipped: row.int(8), returned: row.int(9))
    }
}

func readPayments(of order: OrderID, _ person: PersonRef, _ connection: Connection) throws(StoreError) -> [Payment] {
    var found = try connection.all(
        """
        SELECT payment_id, order_id, state, gateway, method, gateway_reference, currency, amount_minor, authorised_minor, captured_minor, refunded_minor, voided_minor,
            created_at, version FROM payments WHERE order_id = ? ORDER BY payment_id
        """, .id(order.value)
    ) { row throws(StoreError) in try paymentRow(row, person) }
    for at in found.indices { found[at].events = try paymentEvents(of: found[at].id, connection) }
    return found
}

func readShipments(of order: OrderID, _ person: PersonRef, _ connection: Connection) throws(StoreError) -> [Shipment] {
    var found = try connection.all(
        """
        SELECT shipment_id, state, carrier, tracking_code, estimated_delivery, created_at, version FROM shipments WHERE order_id = ? ORDER BY shipment_id
        """, .id(order.value)
    ) { row throws(StoreError) in
        Shipment(
            id: try row.id(0), order: order, person: person, state: try row.state(1), carrier: row.text(2), trackingCode: row.text(3),
            estimatedDelivery: row.optionalInstant(4), createdAt: row.instant(5), version: row.int(6))
    }
    for at in found.indices {
        let id = found[at].id.value
        found[at].lines = try connection.all("SELECT position, quantity FROM shipment_lines WHERE shipment_id = ? ORDER BY position", .id(id)) {
            (position: $0.int(0), quantity: $0.int(1))
        }
        found[at].events = try connection.all(
            "SELECT seq, event_id, kind, happened_at, received_at, place FROM tracking_events WHERE shipment_id = ? ORDER BY happened_at, event_id",
            .id(id), make: trackingEvent)
    }
    return found
}

func readReturns(of order: OrderID, _ person: PersonRef, _ connection: Connection) throws(StoreError) -> [Return] {
    var found = try connection.all(
        "SELECT return_id, state, reason, value_minor, requested_at, version, exchange_order FROM returns WHERE order_id = ? ORDER BY return_id", .id(order.value)
    ) { row throws(StoreError) in
        var made = Return(
            id: try row.id(0), order: order, person: person, state: try row.state(1), reason: row.text(2), valueMinor: row.int(3),
            requestedAt: row.instant(4), version: row.int(5))
        made.exchangeOrder = try row.optionalID(6).map { OrderID($0) }
        return made
    }
    for at in found.indices {
        found[at].lines = try connection.all("SELECT position, quantity FROM return_lines WHERE return_id = ? ORDER BY position", .id(found[at].id.value)) {
            Return.ShipmentDraftLine(position: $0.int(0), quantity: $0.int(1))
        }
    }
    return found
}

private func readPayment(_ id: PaymentID, _ person: PersonRef, _ connection: Connection) throws(StoreError) -> Payment? {
    var found = try connection.first(
        """
        SELECT payment_id, order_id, state, gateway, method, gateway_reference, currency, amount_minor, authorised_minor, captured_minor, refunded_minor, voided_minor,
            created_at, version FROM payments WHERE payment_id = ?
        """, .id(id.value)
    ) { row throws(StoreError) in try paymentRow(row, person) }
    found?.events = try paymentEvents(of: id, connection)
    return found
}

private func paymentRow(_ row: Row, _ person: PersonRef) throws(StoreError) -> Payment {
    Payment(
        id: try row.id(0), order: try row.id(1), person: person, state: try row.state(2), gateway: row.text(3), method: row.text(4), gatewayReference: row.optionalText(5),
        currency: try row.currency(6), amountMinor: row.int(7),
        ledger: PaymentLedger(authorised: row.int(8), captured: row.int(9), refunded: row.int(10), voided: row.int(11)), createdAt: row.instant(12), version: row.int(13))
}

private func paymentEvents(of id: PaymentID, _ connection: Connection) throws(StoreError) -> [PaymentEvent] {
    try connection.all(
        "SELECT event_id, kind, amount_minor, happened_at, received_at, applied FROM payment_events WHERE payment_id = ? ORDER BY seq", .id(id.value)
    ) { row in
        PaymentEvent(
            eventID: row.text(0), kind: row.text(1), amountMinor: row.int(2), happenedAt: row.instant(3), receivedAt: row.instant(4), applied: row.int(5) == 1)
    }
}

private func trackingEvent(_ row: Row) throws(StoreError) -> TrackingEvent {
    TrackingEvent(
        sequence: row.int(0), eventID: row.text(1), kind: try row.state(2), happenedAt: row.instant(3), receivedAt: row.instant(4), place: row.text(5))
}
