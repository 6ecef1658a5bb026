// A late change brings its order back: the document's rows are put in again, in the transaction of the change.

import JSON
import Orders

extension CommandRunner {
    /// Nothing, if somebody brought it back before. What was refused later takes this back too: it is one savepoint.
    /// - Throws: `archived`, when the directory names another version than the document's: fetch it again.
    func recall(_ document: OrderDocument, _ caller: Caller) throws(StoreError) {
        let order = document.order
        guard document.personal != .sealed else { throw .invalid("order \(order.id) was read without its personal data, and cannot come back so") }
        guard let at = try placement(of: order.id) else { throw .notFound("such order") }
        if at.tier == .hot { return }
        guard at.version == order.version else { throw .archived(order.id) }
        try purge(order.id, keeping: false)
        try connection.run("DELETE FROM moved_tracking WHERE shipment_id IN (SELECT shipment_id FROM moved_shipments WHERE order_id = ?)", .id(order.id.value))
        try connection.run("DELETE FROM moved_shipments WHERE order_id = ?", .id(order.id.value))
        try connection.run("DELETE FROM moved_returns WHERE order_id = ?", .id(order.id.value))
        try insertBody(document)
        for shipment in document.shipments { try insert(document.isErased ? nameless(shipment) : shipment) }
        for back in document.returns { try insert(back) }
        try connection.run(
            "UPDATE order_directory SET tier = 'hot', version = version + 1 WHERE order_id = ? AND version = ?", .id(order.id.value), .int(order.version))
        try connection.run(
            "INSERT OR REPLACE INTO left_copies(order_id, tier, version) VALUES (?, ?, ?)", .id(order.id.value), .text(at.tier.rawValue), .int(at.version))
        try tell(.moved([order.id], to: .hot), at: caller.at)
        try audit(caller, "order.recall", order.id.description)
    }

    // MARK: -

    private func insertBody(_ document: OrderDocument) throws(StoreError) {
        let order = document.order
        try connection.run(
            """
            INSERT INTO orders(order_id, person_ref, placed_at, state, currency, total_minor, credit_minor, paid_minor, refunded_minor, version, delivered_at,
                returnable_until, address_id, exchange_of, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT address_id FROM addresses WHERE address_id = ?), ?, ?)
            """,
            .id(order.id.value), .id(order.person.value), .at(order.placedAt), .text(order.state.rawValue), .text(order.currency.code), .int(order.totalMinor),
            .int(order.creditMinor), .int(order.paidMinor), .int(order.refundedMinor), .int(order.version + 1), .optional(order.deliveredAt),
            .optional(order.returnableUntil), .optional(order.address?.value), .optional(order.exchangeOf?.value), .optional(document.attributes?.text))
        for line in order.lines {
            try connection.run(
                """
                INSERT INTO order_lines(order_id, position, product, title, seller_id, quantity, unit_minor, freight_minor, total_minor, shipped, returned)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                .id(order.id.value), .int(line.position), .int(try productRow(line.product, title: line.title, seller: line.seller, price: Money(line.unitMinor, order.currency))), .text(line.title), .optional(line.seller), .int(line.quantity),
                .int(line.unitMinor), .int(line.freightMinor), .int(line.totalMinor), .int(line.shipped), .int(line.returned))
        }
    }

    /// What carriers called it was erased; the names must differ all the same.
    private func nameless(_ shipment: Shipment) -> Shipment {
        var shipment = shipment
        shipment.trackingCode = "erased-\(shipment.id)"
        for at in shipment.events.indices { shipment.events[at].eventID = "erased-\(shipment.id)-\(at + 1)" }
        return shipment
    }

    private func insert(_ shipment: Shipment) throws(StoreError) {
        try connection.run(
            """
            INSERT INTO shipments(shipment_id, order_id, carrier, tracking_code, state, estimated_delivery, created_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .id(shipment.id.value), .id(shipment.order.value), .text(shipment.carrier), .text(shipment.trackingCode), .text(shipment.state.rawValue),
            .optional(shipment.estimatedDelivery), .at(shipment.createdAt), .int(shipment.version))
        for line in shipment.lines {
            try connection.run(
                "INSERT INTO shipment_lines(shipment_id, position, quantity) VALUES (?, ?, ?)", .id(shipment.id.value), .int(line.position), .int(line.quantity))
        }
        for event in shipment.events.sorted(by: { $0.sequence < $1.sequence }) {
            try connection.run(
                "INSERT INTO tracking_events(shipment_id, carrier, event_id, kind, happened_at, received_at, place) VALUES (?, ?, ?, ?, ?, ?, ?)",
                .id(shipment.id.value), .text(shipment.carrier), .text(event.eventID), .text(event.kind.rawValue), .at(event.happenedAt), .at(event.receivedAt),
                .text(event.place))
        }
    }

    private func insert(_ back: Return) throws(StoreError) {
        try connection.run(
            "INSERT INTO returns(return_id, order_id, state, reason, value_minor, requested_at, exchange_order, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            .id(back.id.value), .id(back.order.value), .text(back.state.rawValue), .text(back.reason), .int(back.valueMinor), .at(back.requestedAt),
            .optional(back.exchangeOrder?.value), .int(back.version))
        for line in back.lines {
            try connection.run("INSERT INTO return_lines(return_id, position, quantity) VALUES (?, ?, ?)", .id(back.id.value), .int(line.position), .int(line.quantity))
        }
    }
}
