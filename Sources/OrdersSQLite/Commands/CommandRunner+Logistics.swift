// Shipments and what carriers say of them.
//
// Tracking events are only appended. A shipment's state is what all its events, put in the order they happened, come to: so duplicates and disorder
// are harmless. Once one of them says delivered, it is delivered.

import Orders

extension CommandRunner {
    func createShipment(_ id: OrderID, _ draft: ShipmentDraft, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let order = try hotOrder(id, caller)
        guard (1...100).contains(draft.carrier.utf8.count), (1...200).contains(draft.trackingCode.utf8.count) else {
            throw .invalid("a shipment needs a carrier (at most 100 bytes) and a tracking code (at most 200)")
        }
        let open = try connection.all(
            "SELECT position, quantity - shipped FROM order_lines WHERE order_id = ? AND shipped < quantity ORDER BY position", .id(id.value)
        ) { (position: $0.int(0), quantity: $0.int(1)) }
        let lines = draft.lines.isEmpty ? open : try merged(draft.lines)
        let left = Dictionary(open.map { ($0.position, $0.quantity) }, uniquingKeysWith: { a, _ in a })
        let event: OrderEvent = lines.reduce(0) { $0 + $1.quantity } == open.reduce(0) { $0 + $1.quantity } ? .ship : .shipPart
        let next = try tables.order.next(order.state, event, of: "the order")
        guard !lines.isEmpty else { throw .conflict("nothing is left to ship") }
        for line in lines where line.quantity > left[line.position] ?? 0 {
            throw .conflict("of line \(line.position) \(left[line.position] ?? 0) are left to ship, not \(line.quantity)")
        }
        let taken = try connection.first("SELECT 1 FROM shipments WHERE carrier = ? AND tracking_code = ?", .text(draft.carrier), .text(draft.trackingCode)) { _ in true }
        let moved = try movedShipment(draft.carrier, draft.trackingCode)
        if taken != nil || moved != nil {
            throw .conflict("this tracking code is taken")
        }
        let shipment = ShipmentID(identifiers.next(at: caller.at))
        try connection.run(
            "INSERT INTO shipments(shipment_id, order_id, carrier, tracking_code, state, estimated_delivery, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .id(shipment.value), .id(id.value), .text(draft.carrier), .text(draft.trackingCode), .text(ShipmentState.created.rawValue),
            .optional(draft.estimatedDelivery), .at(caller.at))
        for line in lines {
            try connection.run(
                "INSERT INTO shipment_lines(shipment_id, position, quantity) VALUES (?, ?, ?)", .id(shipment.value), .int(line.position), .int(line.quantity))
            try connection.run("UPDATE order_lines SET shipped = shipped + ?3 WHERE order_id = ?1 AND position = ?2", .id(id.value), .int(line.position), .int(line.quantity))
        }
        try setState(order, next)
        try tell(.shipment(shipment, id, state: .created), at: caller.at)
        try tell(.order(id, state: next, stock: [:]), at: caller.at)
        return StoreOutcome(id: shipment.value, state: ShipmentState.created.rawValue, recordVersion: 1)
    }

    func recordTracking(_ report: TrackingReport, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard (1...300).contains(report.eventID.utf8.count), report.place.utf8.count <= 200 else {
            throw .invalid("an event's identifier has 1 to 300 bytes, a place at most 200")
        }
        let shipment = try connection.first(
            "SELECT shipment_id, order_id, state, version FROM shipments WHERE carrier = ? AND tracking_code = ?", .text(report.carrier), .text(report.trackingCode)
        ) { row throws(StoreError) in (id: try row.id(0, as: ShipmentKind.self), order: try row.id(1, as: OrderKind.self), state: try row.state(2) as ShipmentState, version: row.int(3)) }
        guard let shipment else { return try recordMovedTracking(report) }
        if try isKnown(report, of: shipment.id) { return StoreOutcome(id: shipment.id.value, state: shipment.state.rawValue, recordVersion: shipment.version, changed: 0) }
        if try placement(of: shipment.order)?.tier != .hot { throw .archived(shipment.order) }
        try connection.run(
            "INSERT INTO tracking_events(shipment_id, carrier, event_id, kind, happened_at, received_at, place) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .id(shipment.id.value), .text(report.carrier), .text(report.eventID), .text(report.kind.rawValue), .at(report.happenedAt), .at(caller.at), .text(report.place))
        let events = try connection.all(
            "SELECT kind, happened_at, event_id FROM tracking_events WHERE shipment_id = ? ORDER BY seq LIMIT 1001", .id(shipment.id.value)
        ) { row throws(StoreError) in (kind: try row.state(0) as TrackingKind, at: row.instant(1), id: row.text(2)) }
        guard events.count <= 1_000 else { throw .conflict("a shipment has at most 1,000 tracking events") }
        let state = ShipmentFold.state(events, table: tables.shipment)
        if state != shipment.state {
            try connection.run("UPDATE shipments SET state = ?2, version = version + 1 WHERE shipment_id = ?1", .id(shipment.id.value), .text(state.rawValue))
            try tell(.shipment(shipment.id, shipment.order, state: state), at: caller.at)
            if state == .delivered { try delivered(shipment.order, caller) }
        }
        return StoreOutcome(id: shipment.id.value, state: state.rawValue, recordVersion: shipment.version + (state == shipment.state ? 0 : 1))
    }

    // MARK: -

    /// Of an order whose body is elsewhere: a duplicate is one still; anything new needs the order back.
    private func recordMovedTracking(_ report: TrackingReport) throws(StoreError) -> StoreOutcome {
        guard let shipment = try movedShipment(report.carrier, report.trackingCode) else { throw .notFound("such shipment") }
        if try isKnown(report, of: shipment.id) { return StoreOutcome(id: shipment.id.value, state: shipment.state, recordVersion: shipment.version, changed: 0) }
        throw .archived(shipment.order)
    }

    /// Whether this event was told before, whatever tier its order is in now.
    /// - Throws: `conflict`, when it was told of another parcel: passed over in silence, it would be lost; kept twice, neither order could move or come back.
    private func isKnown(_ report: TrackingReport, of shipment: ShipmentID) throws(StoreError) -> Bool {
        let of = try connection.first(
            """
            SELECT shipment_id FROM tracking_events WHERE carrier = ?1 AND event_id = ?2
            UNION ALL SELECT shipment_id FROM moved_tracking WHERE carrier = ?1 AND event_id = ?2
            """, .text(report.carrier), .text(report.eventID)
        ) { row throws(StoreError) in try row.id(0, as: ShipmentKind.self) }
        if let of, of != shipment { throw .conflict("this event's identifier was told of another parcel of the carrier: give each event one of its own") }
        return of != nil
    }

    /// An order is delivered when all of it was shipped and every shipment has arrived.
    private func delivered(_ id: OrderID, _ caller: Caller) throws(StoreError) {
        let order: HotOrder
        do throws(StoreError) { order = try hotOrder(id, Caller(.service("logistics"), .tracking, at: caller.at)) } catch { return }
        let missing = try connection.first("SELECT 1 FROM shipments WHERE order_id = ? AND state <> 'delivered' LIMIT 1", .id(id.value)) { _ in true }
        guard missing == nil, let next = tables.order.next(order.state, .deliver) else { return }
        let at = try connection.first(
            """
            SELECT max(happened_at) FROM tracking_events WHERE kind = 'deliver' AND shipment_id IN (SELECT shipment_id FROM shipments WHERE order_id = ?)
            """, .id(id.value)
        ) { $0.optionalInstant(0) } ?? nil
        try setState(order, next, deliveredAt: at ?? caller.at)
        try tell(.order(id, state: next, stock: [:]), at: caller.at)
        try keep(try units(of: id).map { ($0.product, $0.quantity) }, caller)
    }

    /// Kept minus returned: what popularity in the product index follows.
    func keep(_ units: [(product: Int64, change: Int64)], _ caller: Caller) throws(StoreError) {
        var kept: [ProductID: Int64] = [:]
        for (product, change) in units {
            let now = try connection.first(
                "UPDATE products SET kept = kept + ?2 WHERE product = ?1 RETURNING product_id, kept", .int(product), .int(change)
            ) { (ProductID($0.text(0)), $0.int(1)) }
            if let now { kept[now.0] = now.1 }
        }
        if !kept.isEmpty { try tell(.popularity(kept), at: caller.at) }
    }

    /// Lines by position, a position named twice added up.
    func merged(_ lines: [ShipmentDraft.Line]) throws(StoreError) -> [(position: Int64, quantity: Int64)] {
        guard lines.count <= 1_000 else { throw .invalid("at most 1,000 lines") }
        var sums: [Int64: Int64] = [:]
        for line in lines {
            guard (1...10_000).contains(line.quantity) else { throw .invalid("a quantity is between 1 and 10,000") }
            sums[line.position, default: 0] += line.quantity
        }
        return sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
