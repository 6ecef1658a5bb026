// Hot restored from a backup beside newer tiers: what lies there tells what happened since, and the directory follows.
//
//     the document is of a later version        the directory takes tier, state and sums from it; hot's rows of the order go
//     of the same version, hot has the body     the document was dumped after the backup if it knows all that hot knows: the same
//     of the same version, elsewhere            the colder of the two tiers
//     of an earlier version                     nothing: it is a copy that is left
//     of an order that hot does not know        it gets a row, and its person one without a name
//
// Invariants
//     1  Only what a document proves is taken over. Payments go forward to what it says of them. The names of their events were lost with hot: an event gets
//        one of ours, `reconciled-…`, until its gateway says it once more (`nameBroughtForward`).
//     2  Units that the order held when the backup was taken are sold or given back as its state says now.

import Orders

extension CommandRunner {
    func adopt(_ found: [FoundOrder], _ keys: [PersonRef: PersonKeyState], _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard found.count <= 1_000 else { throw .invalid("at most 1,000 documents at once") }
        var adopted: [Tier: [OrderID]] = [:], count: Int64 = 0
        for one in found where try adopt(one, keys, caller) {
            count += 1
            adopted[one.tier, default: []].append(one.document.order.id)
        }
        for (tier, ids) in adopted.sorted(by: { $0.key < $1.key }) { try tell(.moved(ids, to: tier), at: caller.at) }
        if count > 0 { try audit(caller, "orders.adopt", "\(count) orders") }
        return StoreOutcome(recordVersion: count, changed: max(count, 1))
    }

    func keepHot(_ ids: [OrderID], _ caller: Caller) throws(StoreError) -> StoreOutcome {
        var kept: [OrderID] = []
        for id in ids {
            try connection.run(
                """
                UPDATE order_directory SET tier = 'hot' WHERE order_id = ?1 AND tier <> 'hot'
                    AND EXISTS (SELECT 1 FROM orders o WHERE o.order_id = ?1 AND o.version = order_directory.version)
                """, .id(id.value))
            if connection.changes == 1 { kept.append(id) }
        }
        if !kept.isEmpty {
            try tell(.moved(kept, to: .hot), at: caller.at)
            try audit(caller, "orders.keep_hot", "\(kept.count) orders")
        }
        return StoreOutcome(recordVersion: Int64(kept.count), changed: max(Int64(kept.count), 1))
    }

    /// What it had flipped loses hot's rows now; all else was put right by the documents that were found.
    func end(_ id: MoveID, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let orders = try connection.all(
            """
            SELECT m.order_id FROM move_orders m CROSS JOIN orders o USING (order_id) CROSS JOIN order_directory d USING (order_id)
            WHERE m.batch_id = ? AND m.moved = 1 AND d.tier <> 'hot' ORDER BY m.order_id
            """, .id(id.value)
        ) { row throws(StoreError) in try row.id(0, as: OrderKind.self) }
        for order in orders { try purge(order, keeping: true) }
        try connection.run("DELETE FROM move_orders WHERE batch_id = ?", .id(id.value))
        try connection.run(
            "UPDATE moves SET step = 'abandoned', finished_at = ?2 WHERE batch_id = ?1 AND finished_at IS NULL", .id(id.value), .at(caller.at))
        if !orders.isEmpty { try connection.run("UPDATE purges SET count = count + 1") }
        return StoreOutcome(id: id.value, state: MoveStep.abandoned.rawValue)
    }

    // MARK: -

    private func adopt(_ found: FoundOrder, _ keys: [PersonRef: PersonKeyState], _ caller: Caller) throws(StoreError) -> Bool {
        let order = found.document.order
        guard order.state.isFinal else { throw .damaged("the document of order \(order.id) is in state \(order.state.rawValue), and lies outside hot") }
        guard let at = try placement(of: order.id) else {
            try insertDirectory(order)
            try settle(found, caller)
            return true
        }
        guard at.person == order.person, at.placedAt == order.placedAt else { throw .damaged("order \(order.id) has another person or moment in the directory than in its document") }
        if at.version > order.version { return false }
        if at.version == order.version {
            if at.tier >= found.tier { return false }
            if at.tier == .hot, let hot = try OrderDump.document(order.id, connection), !(try knows(found, hot, keys)) { return false }
        } else if let before = try connection.first("SELECT state FROM orders WHERE order_id = ?", .id(order.id.value), make: { row throws(StoreError) in try row.state(0) as OrderState }) {
            try settleStock(of: order.id, from: before, to: order.state)
        }
        try settle(found, caller)
        return true
    }

    /// Whether a document has all that hot has of the order.
    private func knows(_ found: FoundOrder, _ hot: OrderDocument, _ keys: [PersonRef: PersonKeyState]) throws(StoreError) -> Bool {
        if let key = keys[hot.order.person], OrderDocument.digest(of: try hot.bytes(sealedWith: key)) == found.digest { return true }
        let document = found.document
        guard !document.isErased else { return false }
        func events(_ document: OrderDocument) -> Set<String> { Set(document.shipments.flatMap { shipment in shipment.events.map { shipment.carrier + "/" + $0.eventID } }) }
        func returns(_ document: OrderDocument) -> [ReturnID: Int64] { Dictionary(document.returns.map { ($0.id, $0.version) }, uniquingKeysWith: max) }
        let known = returns(document)
        return events(document).isSuperset(of: events(hot)) && returns(hot).allSatisfy { known[$0.key, default: 0] >= $0.value }
            && document.payments.count >= hot.payments.count
    }

    private func insertDirectory(_ order: Order) throws(StoreError) {
        try connection.run("INSERT OR IGNORE INTO people(person_ref, created_at) VALUES (?, ?)", .id(order.person.value), .at(order.placedAt))
        heads.directory += 1
        try connection.run(
            """
            INSERT INTO order_directory(added_seq, order_id, reference, person_ref, placed_at, month, state, currency, total_minor, paid_minor)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .int(heads.directory), .id(order.id.value), .text(order.reference), .id(order.person.value), .at(order.placedAt),
            .int(order.placedAt.date.monthNumber), .text(order.state.rawValue), .text(order.currency.code), .int(order.totalMinor), .int(order.paidMinor))
    }

    /// The directory as the document says; what late events are recognised by; hot's rows gone.
    private func settle(_ found: FoundOrder, _ caller: Caller) throws(StoreError) {
        let document = found.document, order = document.order
        for payment in document.payments { try bringForward(payment, document.refunds, order) }
        try purge(order.id, keeping: true)
        try keepNames(of: document)
        try connection.run(
            "UPDATE order_directory SET tier = ?2, version = ?3, state = ?4, paid_minor = ?5 WHERE order_id = ?1",
            .id(order.id.value), .text(found.tier.rawValue), .int(order.version), .text(order.state.rawValue), .int(order.paidMinor))
        try connection.run("DELETE FROM left_copies WHERE order_id = ?", .id(order.id.value))
        try connection.run("UPDATE purges SET count = count + 1")
    }

    private func keepNames(of document: OrderDocument) throws(StoreError) {
        let id = document.order.id
        for shipment in document.shipments {
            if !document.isErased {
                try connection.run(
                    "INSERT OR IGNORE INTO moved_shipments(shipment_id, order_id, carrier, tracking_code, state, version) VALUES (?, ?, ?, ?, ?, ?)",
                    .id(shipment.id.value), .id(id.value), .text(shipment.carrier), .text(shipment.trackingCode), .text(shipment.state.rawValue), .int(shipment.version))
                for event in shipment.events {
                    try connection.run(
                        "INSERT OR IGNORE INTO moved_tracking(carrier, event_id, shipment_id) VALUES (?, ?, ?)",
                        .text(shipment.carrier), .text(event.eventID), .id(shipment.id.value))
                }
            }
            try connection.run(
                "UPDATE moved_shipments SET state = ?2, version = ?3 WHERE shipment_id = ?1", .id(shipment.id.value), .text(shipment.state.rawValue), .int(shipment.version))
        }
        for back in document.returns {
            try connection.run("INSERT OR IGNORE INTO moved_returns(return_id, order_id) VALUES (?, ?)", .id(back.id.value), .id(id.value))
        }
    }

    /// A payment as far as the document has seen it; events past those that hot has get names of ours.
    private func bringForward(_ payment: Payment, _ refunds: [OrderDocument.Refund], _ order: Order) throws(StoreError) {
        let known = try connection.first("SELECT version FROM payments WHERE payment_id = ?", .id(payment.id.value)) { $0.int(0) }
        if let known, known >= payment.version { return }
        if known == nil {
            try connection.run(
                "INSERT INTO payments(payment_id, order_id, gateway, method, currency, amount_minor, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                .id(payment.id.value), .id(order.id.value), .text(payment.gateway), .text(payment.method), .text(payment.currency.code), .int(payment.amountMinor),
                .text(payment.state.rawValue), .at(payment.createdAt))
        }
        let has = try connection.all("SELECT seq, applied FROM payment_events WHERE payment_id = ? ORDER BY seq", .id(payment.id.value)) { (seq: $0.int(0), applied: $0.int(1) == 1) }
        var taken: [(sequence: Int64, event: PaymentEvent)] = []
        for (at, event) in payment.events.enumerated() {
            if at < has.count {
                if event.applied, !has[at].applied { taken.append((has[at].seq, event)) }
                continue
            }
            try connection.run(
                """
                INSERT INTO payment_events(payment_id, gateway, event_id, kind, amount_minor, happened_at, received_at, applied) VALUES (?, ?, ?, ?, ?, ?, ?, 0)
                """,
                .id(payment.id.value), .text(payment.gateway), .text("reconciled-\(payment.id)-\(at + 1)"), .text(event.kind), .int(event.amountMinor),
                .at(event.happenedAt), .at(event.receivedAt))
            if event.applied { taken.append((connection.lastRowID, event)) }
        }
        // Events may have come in another order than they count in: nothing is captured before it was authorised.
        var refunded = try connection.first("SELECT count(*) FROM refunds WHERE payment_id = ?", .id(payment.id.value)) { $0.int(0) } ?? 0
        let ours = refunds.filter { $0.payment == payment.id }
        for (sequence, event) in taken.sorted(by: { (Self.rank($0.event.kind), $0.sequence) < (Self.rank($1.event.kind), $1.sequence) }) {
            // With its kind: one that waited is a `capture` still, where what it came to is a part or the rest.
            try connection.run(
                "UPDATE payment_events SET kind = ?2, amount_minor = ?3, applied = 1 WHERE seq = ?1", .int(sequence), .text(event.kind), .int(event.amountMinor))
            if event.kind.hasPrefix("refund"), Int(refunded) < ours.count {
                let refund = ours[Int(refunded)]
                try connection.run(
                    "INSERT INTO refunds(event, payment_id, amount_minor, at) VALUES (?, ?, ?, ?)", .int(sequence), .id(payment.id.value), .int(refund.amountMinor), .at(refund.at))
                refunded += 1
            }
        }
        try connection.run("UPDATE payments SET state = ?2, version = ?3 WHERE payment_id = ?1", .id(payment.id.value), .text(payment.state.rawValue), .int(payment.version))
    }

    private static func rank(_ kind: String) -> Int {
        switch kind {
        case "authorise": 1
        case let kind where kind.hasPrefix("capture"): 2
        case "void": 3
        case let kind where kind.hasPrefix("refund"): 4
        default: 0
        }
    }

    private func settleStock(of id: OrderID, from before: OrderState, to now: OrderState) throws(StoreError) {
        let isEnded = now == .cancelled || now == .expired
        if before.isFinal { return }
        if isEnded { _ = try giveBack(of: id, from: before) } else if before == .pending { try sell(of: id) }
    }
}
