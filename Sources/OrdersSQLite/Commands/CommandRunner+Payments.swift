// Payments: what a gateway said is written as events; sums follow from events; the order follows from what its payments cover.

import Orders

extension CommandRunner {
    func startPayment(_ id: OrderID, _ draft: PaymentDraft, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let order = try hotOrder(id, caller)
        guard order.state == .pending else {
            throw .illegalTransition(of: "the order", state: order.state.rawValue, event: "pay", legal: tables.order.legal(order.state).map(\.rawValue))
        }
        guard (1...50).contains(draft.gateway.utf8.count), draft.method.utf8.count <= 50 else { throw .invalid("a gateway's name has 1 to 50 bytes, a method's at most 50") }
        let count = try connection.first("SELECT count(*) FROM payments WHERE order_id = ?", .id(id.value)) { $0.int(0) } ?? 0
        guard count < 50 else { throw .conflict("an order has at most 50 payments") }
        let lacking = order.due - (try covered(id))
        let amount = draft.amountMinor ?? lacking
        guard amount > 0, amount <= lacking else { throw .conflict("\(lacking) is still to be paid, not \(amount)") }
        let payment = PaymentID(identifiers.next(at: caller.at))
        try connection.run(
            """
            INSERT INTO payments(payment_id, order_id, gateway, method, currency, amount_minor, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .id(payment.value), .id(id.value), .text(draft.gateway), .text(draft.method), .text(order.currency.code), .int(amount),
            .text(PaymentState.created.rawValue), .at(caller.at))
        try tell(.payment(payment, id, state: .created), at: caller.at)
        return StoreOutcome(id: payment.value, state: PaymentState.created.rawValue, recordVersion: 1)
    }

    func recordPayment(_ report: PaymentReport, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard (1...300).contains(report.eventID.utf8.count) else { throw .invalid("an event's identifier has 1 to 300 bytes") }
        let payment = try paymentRow(report.payment)
        guard payment.gateway == report.gateway else { throw .notFound("such payment at \(report.gateway.prefix(50))") }
        if let seen = try seenEvent(report) {
            guard seen == report.payment else { throw .conflict("this event was of another payment") }
            return StoreOutcome(id: report.payment.value, state: payment.ledger.state.rawValue, recordVersion: payment.version, changed: 0)
        }
        if try nameBroughtForward(report) {
            return StoreOutcome(id: report.payment.value, state: payment.ledger.state.rawValue, recordVersion: payment.version)
        }
        var ledger = payment.ledger
        do throws(StoreError) {
            let (kind, amount) = try ledger.apply(report.what, amount: report.amountMinor, asked: payment.amount, tables: tables)
            try insertEvent(report, kind: kind.rawValue, amount: amount, applied: true, caller)
            var changes = [Change(event: connection.lastRowID, kind: kind, amount: amount)]
            changes += try takeKept(report.payment, asked: payment.amount, &ledger)
            return try settle(changes, ledger, payment, report, caller)
        } catch {
            // A webhook that comes before its time, or contradicts, is kept: for its time to come, or for the reconciliation to show.
            guard report.isWebhook, error.isRefusal else { throw error }
            try insertEvent(report, kind: report.what.rawValue, amount: report.amountMinor.map { max($0, 0) }, applied: false, caller)
            return StoreOutcome(id: report.payment.value, state: payment.ledger.state.rawValue, recordVersion: payment.version)
        }
    }

    // MARK: -

    struct PaymentRow {
        var order: OrderID, gateway: String, amount: Int64, version: Int64, ledger: PaymentLedger
    }

    func paymentRow(_ id: PaymentID) throws(StoreError) -> PaymentRow {
        let row = try connection.first(
            """
            SELECT order_id, gateway, amount_minor, version, state, authorised_minor, captured_minor, refunded_minor, voided_minor FROM payments WHERE payment_id = ?
            """, .id(id.value)
        ) { row throws(StoreError) in
            PaymentRow(
                order: try row.id(0), gateway: row.text(1), amount: row.int(2), version: row.int(3),
                ledger: PaymentLedger(state: try row.state(4), authorised: row.int(5), captured: row.int(6), refunded: row.int(7), voided: row.int(8)))
        }
        guard let row else { throw .notFound("such payment") }
        return row
    }

    /// What payments reserve or took for an order, less what was given back.
    private func covered(_ id: OrderID) throws(StoreError) -> Int64 {
        try connection.first(
            "SELECT coalesce(sum(authorised_minor - voided_minor - refunded_minor), 0) FROM payments WHERE order_id = ?", .id(id.value)
        ) { $0.int(0) } ?? 0
    }

    private func seenEvent(_ report: PaymentReport) throws(StoreError) -> PaymentID? {
        try connection.first(
            "SELECT payment_id FROM payment_events WHERE gateway = ? AND event_id = ?", .text(report.gateway), .text(report.eventID)
        ) { row throws(StoreError) in try row.id(0, as: PaymentKind.self) }
    }

    /// Whether this is an event that came back from an order's document (`CommandRunner+Adopt`): it then has its name again, and is known by it.
    ///
    /// Told by payment, kind, sum and moment. Of two that are alike in all of these each is taken once, so the sums are right whichever comes first.
    private func nameBroughtForward(_ report: PaymentReport) throws(StoreError) -> Bool {
        let found = try connection.first(
            """
            SELECT seq FROM payment_events WHERE payment_id = ?1 AND event_id GLOB 'reconciled-*' AND (kind = ?2 OR kind GLOB ?2 || '_*') AND happened_at = ?3
                AND (?4 IS NULL OR amount_minor = ?4) ORDER BY seq LIMIT 1
            """, .id(report.payment.value), .text(report.what.rawValue), .at(report.happenedAt), report.amountMinor.map { .int($0) } ?? .null
        ) { $0.int(0) }
        guard let found else { return false }
        try connection.run("UPDATE payment_events SET event_id = ?2 WHERE seq = ?1", .int(found), .text(report.eventID))
        // Lost with hot too, and wanted by whoever gives money back.
        if let reference = report.gatewayReference {
            try connection.run("UPDATE payments SET gateway_reference = coalesce(gateway_reference, ?2) WHERE payment_id = ?1", .id(report.payment.value), .text(reference))
        }
        return true
    }

    private struct Change {
        var event: Int64, kind: PaymentEventKind, amount: Int64
        /// Given back by it, whether it was taken or only reserved.
        var released: Int64 { kind == .void ? amount : refunded }
        var captured: Int64 { kind == .capturePart || kind == .captureRest ? amount : 0 }
        var refunded: Int64 { kind == .refundPart || kind == .refundRest ? amount : 0 }
    }

    /// Webhooks that came before this one's time was: those that apply now.
    private func takeKept(_ id: PaymentID, asked: Int64, _ ledger: inout PaymentLedger) throws(StoreError) -> [Change] {
        let kept = try connection.all(
            "SELECT seq, kind, amount_minor FROM payment_events WHERE payment_id = ? AND applied = 0 ORDER BY seq LIMIT 100", .id(id.value)
        ) { (seq: $0.int(0), what: PaymentReport.What(rawValue: $0.text(1)), amount: $0.optionalInt(2)) }
        if kept.isEmpty { return [] }
        let known = kept.compactMap { row in row.what.map { (seq: row.seq, what: $0, amount: row.amount) } }
        var changes: [Change] = []
        for taken in ledger.applyKept(known.map { ($0.what, $0.amount) }, asked: asked, tables: tables) {
            let seq = known[taken.place].seq
            try connection.run(
                "UPDATE payment_events SET applied = 1, kind = ?2, amount_minor = ?3 WHERE seq = ?1", .int(seq), .text(taken.kind.rawValue), .int(taken.amount))
            changes.append(Change(event: seq, kind: taken.kind, amount: taken.amount))
        }
        return changes
    }

    private func settle(
        _ changes: [Change], _ ledger: PaymentLedger, _ payment: PaymentRow, _ report: PaymentReport, _ caller: Caller
    ) throws(StoreError) -> StoreOutcome {
        try connection.run(
            "UPDATE payments SET state = ?2, version = version + 1, gateway_reference = coalesce(?3, gateway_reference) WHERE payment_id = ?1",
            .id(report.payment.value), .text(ledger.state.rawValue), .optional(report.gatewayReference))
        for change in changes where change.refunded > 0 {
            try connection.run(
                "INSERT INTO refunds(event, payment_id, amount_minor, at) VALUES (?, ?, ?, ?)",
                .int(change.event), .id(report.payment.value), .int(change.amount), .at(caller.at))
        }
        try tell(.payment(report.payment, payment.order, state: ledger.state), at: caller.at)
        var outcome = StoreOutcome(id: report.payment.value, state: ledger.state.rawValue, recordVersion: payment.version + 1)
        outcome.followUp = try follow(
            payment.order, ledger, captured: changes.reduce(0) { $0 + $1.captured }, refunded: changes.reduce(0) { $0 + $1.refunded },
            released: changes.reduce(0) { $0 + $1.released }, caller)
        return outcome
    }

    /// What the order makes of it: money on its account, a state that follows.
    private func follow(
        _ id: OrderID, _ ledger: PaymentLedger, captured: Int64, refunded: Int64, released: Int64, _ caller: Caller
    ) throws(StoreError) -> StoreOutcome.FollowUp? {
        let order = try hotOrder(id, Caller(.service("payments"), .payment, at: caller.at))
        if captured + refunded > 0 {
            try connection.run(
                "UPDATE orders SET paid_minor = paid_minor + ?2, refunded_minor = refunded_minor + ?3, version = version + 1 WHERE order_id = ?1",
                .id(id.value), .int(captured), .int(refunded))
            try connection.run(
                "UPDATE order_directory SET paid_minor = paid_minor + ?2, version = version + 1 WHERE order_id = ?1", .id(id.value), .int(captured))
        }
        // Events that came together count one after the other: what the last gave back had been there.
        let reaction = PaymentLedger.reaction(order: order.state, due: order.due, covered: try covered(id) + released, payment: ledger)
        if let event = reaction.event {
            let next = try tables.order.next(order.state, event, of: "the order")
            try sell(of: id)
            try setState(order, next)
            try tell(.order(id, state: next, stock: [:]), at: caller.at)
        }
        return reaction.followUp
    }

    private func insertEvent(_ report: PaymentReport, kind: String, amount: Int64?, applied: Bool, _ caller: Caller) throws(StoreError) {
        try connection.run(
            """
            INSERT INTO payment_events(payment_id, gateway, event_id, kind, amount_minor, happened_at, received_at, applied) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .id(report.payment.value), .text(report.gateway), .text(report.eventID), .text(kind), amount.map { .int($0) } ?? .null, .at(report.happenedAt), .at(caller.at),
            .int(applied ? 1 : 0))
    }
}

extension StoreError {
    /// Whether the state refused it, rather than the database failing.
    var isRefusal: Bool {
        switch self {
        case .illegalTransition, .conflict, .invalid: true
        default: false
        }
    }
}
