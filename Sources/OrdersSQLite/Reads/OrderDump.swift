// One order's rows as a document: the same code dumps for the mover, on a reader's snapshot, and for the flip, inside the writer's transaction.

import JSON
import Orders

enum OrderDump {
    /// The document of an order whose body is in hot; nil for any other.
    static func document(_ id: OrderID, _ connection: Connection) throws(StoreError) -> OrderDocument? {
        let body = try connection.first(
            """
            SELECT d.order_id, d.reference, d.person_ref, d.placed_at, d.state, d.currency, d.total_minor, d.paid_minor, d.version, d.tier,
                o.refunded_minor, o.credit_minor, o.hold_ends_at, o.delivered_at, o.returnable_until, o.address_id, o.exchange_of, o.attributes
            FROM order_directory d JOIN orders o USING (order_id) WHERE d.order_id = ? AND d.tier = 'hot'
            """, .id(id.value)
        ) { row throws(StoreError) in (order: try orderRow(row), attributes: row.optionalText(17)) }
        guard var order = body?.order else { return nil }
        order.lines = try orderLines(of: id, connection)
        var document = OrderDocument(order: order)
        if let text = body?.attributes {
            guard let value = try? JSONValue.parse(text) else { throw .damaged("the attributes of order \(id) are no JSON") }
            document.attributes = value
        }
        document.payments = try readPayments(of: id, order.person, connection)
        // A refund is a payment's.
        document.refunds = document.payments.isEmpty ? [] : try connection.all(
            "SELECT r.payment_id, r.amount_minor, r.at FROM payments p JOIN refunds r USING (payment_id) WHERE p.order_id = ? ORDER BY p.payment_id, r.event", .id(id.value)
        ) { row throws(StoreError) in OrderDocument.Refund(payment: try row.id(0), amountMinor: row.int(1), at: row.instant(2)) }
        document.shipments = try readShipments(of: id, order.person, connection)
        for at in document.shipments.indices {
            // In the order of arrival; numbered anew, since a recall numbers them anew too.
            document.shipments[at].events.sort { $0.sequence < $1.sequence }
            for event in document.shipments[at].events.indices { document.shipments[at].events[event].sequence = Int64(event + 1) }
        }
        document.returns = try readReturns(of: id, order.person, connection)
        return document
    }
}
