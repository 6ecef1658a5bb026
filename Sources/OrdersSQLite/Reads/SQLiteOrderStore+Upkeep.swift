// What follows the commit, and what looks after it: the outbox, the reconciliation, the audit chain.

import Orders

extension SQLiteOrderStore {
    package func outboxPosition() async throws(StoreError) -> UInt64 {
        let position = try await read { connection throws(StoreError) in try connection.first("SELECT coalesce(max(position), 0) FROM outbox") { $0.int(0) } }
        return UInt64(clamping: position ?? 0)
    }

    package func outbox(after position: UInt64, limit: Int) async throws(StoreError) -> [OutboxEntry] {
        try await read { connection throws(StoreError) in
            try connection.all(
                "SELECT position, at, body FROM outbox WHERE position > ? ORDER BY position LIMIT ?", .int(Int64(clamping: position)),
                .int(Int64(min(max(limit, 1), 10_000)))
            ) { row throws(StoreError) in
                OutboxEntry(position: UInt64(clamping: row.int(0)), at: row.instant(1), change: try OutboxCoding.change(row.text(2)))
            }
        }
    }

    package func reconciliation(by caller: Caller) async throws(StoreError) -> ReconciliationReport {
        guard !caller.isCustomer else { throw .forbidden("customers do not reconcile") }
        return try await read { connection throws(StoreError) in
            var report = ReconciliationReport()
            report.sums = try findings(connection, Reconciliation.sums)
            report.open = try findings(connection, Reconciliation.open)
            report.ignored = try findings(connection, Reconciliation.ignored)
            report.differing = try findings(connection, Reconciliation.differing)
            return report
        }
    }

    package func verifyAudit() async throws(StoreError) -> AuditVerification {
        try await read { connection throws(StoreError) in
            var hash = [UInt8](repeating: 0, count: 32), expected: Int64 = 0, broken: Int64?
            try connection.each("SELECT seq, at, actor, purpose, action, subject, hash FROM audit_log ORDER BY seq", []) { row throws(StoreError) in
                expected += 1
                hash = AuditChain.hash(
                    after: hash, sequence: row.int(0), at: row.instant(1), actor: row.text(2), purpose: row.text(3), action: row.text(4), subject: row.text(5))
                if broken == nil, row.int(0) != expected || hash != row.blob(6) { broken = row.int(0) }
                hash = row.blob(6)
            }
            return AuditVerification(rows: expected, head: hash, firstBroken: broken)
        }
    }
}

// MARK: -

/// At most 10,000 of each kind.
private func findings(_ connection: Connection, _ sql: StaticString) throws(StoreError) -> [ReconciliationReport.Finding] {
    try connection.all(sql) { row throws(StoreError) in ReconciliationReport.Finding(about: try row.id(0).description, what: row.text(1)) }
}

private enum Reconciliation {
    /// Sums kept against sums of events, and orders against their payments: with the triggers in place there are none.
    static let sums: StaticString = """
        SELECT p.payment_id, 'the sums of the payment are not those of its events' FROM payments p LEFT JOIN (
            SELECT payment_id, sum(iif(kind = 'authorise', amount_minor, 0)) a, sum(iif(kind IN ('capture_part', 'capture_rest'), amount_minor, 0)) c,
                sum(iif(kind IN ('refund_part', 'refund_rest'), amount_minor, 0)) r, sum(iif(kind = 'void', amount_minor, 0)) v
            FROM payment_events WHERE applied = 1 GROUP BY payment_id) e USING (payment_id)
        WHERE (authorised_minor, captured_minor, refunded_minor, voided_minor) IS NOT (coalesce(a, 0), coalesce(c, 0), coalesce(r, 0), coalesce(v, 0))
        UNION ALL
        SELECT o.order_id, 'the order says ' || o.paid_minor || ' paid and ' || o.refunded_minor || ' refunded, its payments '
            || coalesce(p.c, 0) || ' and ' || coalesce(p.r, 0)
        FROM orders o LEFT JOIN (SELECT order_id, sum(captured_minor) c, sum(refunded_minor) r FROM payments GROUP BY order_id) p USING (order_id)
        WHERE (o.paid_minor, o.refunded_minor) IS NOT (coalesce(p.c, 0), coalesce(p.r, 0))
        LIMIT 10000
        """
    static let open: StaticString = """
        SELECT p.payment_id, 'money of an order that is ' || d.state || ' is ' || iif(p.captured_minor > p.refunded_minor, 'taken', 'reserved')
        FROM payments p JOIN order_directory d USING (order_id)
        WHERE d.state IN ('cancelled', 'expired') AND (p.captured_minor > p.refunded_minor OR p.authorised_minor > p.captured_minor + p.voided_minor)
        UNION ALL
        SELECT p.payment_id, 'delivered, and money still only reserved'
        FROM payments p JOIN order_directory d USING (order_id)
        WHERE d.state IN ('delivered', 'part_returned', 'returned') AND p.authorised_minor > p.captured_minor + p.voided_minor
        LIMIT 10000
        """
    static let ignored: StaticString = """
        SELECT payment_id, 'said ' || kind || coalesce(' of ' || amount_minor, '') || ', which its state did not allow' FROM payment_events WHERE applied = 0 LIMIT 10000
        """
    /// Of what has left the house.
    static let differing: StaticString = """
        SELECT order_id, 'lines come to ' || total_minor || ', payments to ' || paid_minor FROM orders
        WHERE state IN ('shipped', 'delivered', 'part_returned', 'returned') AND total_minor - credit_minor <> paid_minor AND total_minor > 0
        LIMIT 10000
        """
}
