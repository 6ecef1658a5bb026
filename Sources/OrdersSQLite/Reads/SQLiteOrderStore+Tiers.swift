// What the mover and the readers of all tiers ask of the hot store.

import JSON
import Orders

extension SQLiteOrderStore: TierStore {
    package func movable(_ selection: MoveSelection, after: MoveKey?, limit: Int) async throws(StoreError) -> [MoveKey] {
        let states = TierSQL.list(selection.states)
        return try await read { connection throws(StoreError) in
            try connection.all(
                TierSQL.movable, .text(selection.from.rawValue), .int(selection.since.microseconds), .at(selection.before), .text(states),
                .int(after?.placedAt.microseconds ?? .min), .id(after?.order.value ?? Bytes16(high: 0, low: 0)), .int(Int64(min(max(limit, 1), 10_000)))
            ) { row throws(StoreError) in MoveKey(placedAt: row.instant(0), order: try row.id(1)) }
        }
    }

    package func countMovable(_ selection: MoveSelection) async throws(StoreError) -> Int64 {
        let states = TierSQL.list(selection.states)
        return try await read { connection throws(StoreError) in
            try connection.first(
                TierSQL.countMovable, .text(selection.from.rawValue), .int(selection.since.microseconds), .at(selection.before), .text(states)
            ) { $0.int(0) } ?? 0
        }
    }

    package func monthsMovable(_ selection: MoveSelection) async throws(StoreError) -> [(month: Int64, orders: Int64)] {
        let states = TierSQL.list(selection.states)
        return try await read { connection throws(StoreError) in
            try connection.all(
                TierSQL.monthsMovable, .text(selection.from.rawValue), .int(selection.since.microseconds), .at(selection.before), .text(states)
            ) { row throws(StoreError) in (row.int(0), row.int(1)) }
        }
    }

    package func placed(in tier: Tier, after: MoveKey?, limit: Int) async throws(StoreError) -> [MoveKey] {
        try await read { connection throws(StoreError) in
            try connection.all(
                TierSQL.placed, .text(tier.rawValue), .int(after?.placedAt.microseconds ?? .min), .id(after?.order.value ?? Bytes16(high: 0, low: 0)),
                .int(Int64(min(max(limit, 1), 10_000)))
            ) { row throws(StoreError) in MoveKey(placedAt: row.instant(0), order: try row.id(1)) }
        }
    }

    package func documents(_ ids: [OrderID]) async throws(StoreError) -> [OrderDocument] {
        try await read { connection throws(StoreError) in
            var found: [OrderDocument] = []
            found.reserveCapacity(ids.count)
            for id in ids { if let document = try OrderDump.document(id, connection) { found.append(document) } }
            return found
        }
    }

    package func placements(_ ids: [OrderID]) async throws(StoreError) -> [OrderID: Placement] {
        try await read { connection throws(StoreError) in
            var found: [OrderID: Placement] = [:]
            for id in ids {
                found[id] = try connection.first(TierSQL.placement, .id(id.value), make: placement)
            }
            return found
        }
    }

    package func census() async throws(StoreError) -> [Tier: Int64] {
        try await read { connection throws(StoreError) in
            let rows = try connection.all("SELECT tier, count(*) FROM order_directory GROUP BY tier") { row throws(StoreError) in (try row.state(0) as Tier, row.int(1)) }
            return Dictionary(rows, uniquingKeysWith: { a, _ in a })
        }
    }

    /// The directory's orders of one tier after a place in it, in the order they came in.
    package func directory(of tier: Tier, after sequence: Int64, limit: Int) async throws(StoreError) -> [(sequence: Int64, order: OrderID, version: Int64)] {
        try await read { connection throws(StoreError) in
            try connection.all(
                "SELECT added_seq, order_id, version FROM order_directory WHERE tier = ? AND added_seq > ? ORDER BY added_seq LIMIT ?",
                .text(tier.rawValue), .int(sequence), .int(Int64(min(max(limit, 1), 10_000)))
            ) { row throws(StoreError) in (row.int(0), try row.id(1), row.int(2)) }
        }
    }

    package func openMoves() async throws(StoreError) -> [MoveBatch] {
        try await read { connection throws(StoreError) in
            var batches = try connection.all(TierSQL.openMoves, make: batch)
            for at in batches.indices {
                batches[at].entries = try connection.all(
                    "SELECT order_id, version, digest, moved FROM move_orders WHERE batch_id = ? ORDER BY order_id", .id(batches[at].id.value)
                ) { row throws(StoreError) in
                    MoveEntry(order: try row.id(0), version: row.int(1), digest: row.blob(2), isMoved: row.optionalInt(3).map { $0 == 1 })
                }
            }
            return batches
        }
    }

    package func moves(limit: Int) async throws(StoreError) -> [MoveBatch] {
        try await read { connection throws(StoreError) in try connection.all(TierSQL.newestMoves, .int(Int64(min(max(limit, 1), 1_000))), make: batch) }
    }

    package func expiredMoves(at instant: Instant, limit: Int) async throws(StoreError) -> [MoveBatch] {
        try await read { connection throws(StoreError) in
            try connection.all(TierSQL.expiredMoves, .at(instant), .int(Int64(min(max(limit, 1), 1_000))), make: batch)
        }
    }

    package func moverLease() async throws(StoreError) -> MoverLease? {
        try await read { connection throws(StoreError) in
            try connection.first("SELECT holder, epoch, until FROM leases WHERE name = 'mover'") { MoverLease(holder: $0.text(0), epoch: $0.int(1), until: $0.instant(2)) }
        }
    }

    package func orderReads(since day: Int64) async throws(StoreError) -> [OrderReadsKey: Int64] {
        try await read { connection throws(StoreError) in
            let rows = try connection.all("SELECT day, bucket, tier, reads FROM order_reads WHERE day >= ?", .int(day)) { row throws(StoreError) in
                (OrderReadsKey(day: row.int(0), bucket: Int(clamping: row.int(1)), tier: try row.state(2)), row.int(3))
            }
            return Dictionary(rows, uniquingKeysWith: { a, _ in a })
        }
    }

    package func leftCopies(limit: Int) async throws(StoreError) -> [LeftCopy] {
        try await read { connection throws(StoreError) in
            try connection.all("SELECT order_id, tier, version FROM left_copies ORDER BY order_id, tier LIMIT ?", .int(Int64(min(max(limit, 1), 10_000)))) {
                row throws(StoreError) in LeftCopy(order: try row.id(0), tier: try row.state(1), version: row.int(2))
            }
        }
    }

    package func orderID(ofShipment id: ShipmentID) async throws(StoreError) -> OrderID? {
        try await read { connection throws(StoreError) in
            try connection.first(
                "SELECT order_id FROM shipments WHERE shipment_id = ?1 UNION ALL SELECT order_id FROM moved_shipments WHERE shipment_id = ?1", .id(id.value)
            ) { row throws(StoreError) in try row.id(0) }
        }
    }

    package func orderID(ofReturn id: ReturnID) async throws(StoreError) -> OrderID? {
        try await read { connection throws(StoreError) in
            try connection.first("SELECT order_id FROM returns WHERE return_id = ?1 UNION ALL SELECT order_id FROM moved_returns WHERE return_id = ?1", .id(id.value)) {
                row throws(StoreError) in try row.id(0)
            }
        }
    }

    package func purges() async throws(StoreError) -> Int64 { try await read { connection throws(StoreError) in try readPurges(connection) } }
}

/// What hot remembers of the keys its orders are sealed with; nil before the first batch left.
func readKeysMark(_ connection: Connection) throws(StoreError) -> KeysMark? {
    try connection.first("SELECT keys_id, changes FROM sealing") { row throws(StoreError) in KeysMark(id: try row.id(0), changes: row.int(1)) }
}

func readPurges(_ connection: Connection) throws(StoreError) -> Int64 { try connection.first("SELECT count FROM purges") { $0.int(0) } ?? 0 }

// MARK: -

func placement(_ row: Row) throws(StoreError) -> Placement {
    Placement(tier: try row.state(0), version: row.int(1), person: try row.id(2), placedAt: row.instant(3))
}

private func batch(_ row: Row) throws(StoreError) -> MoveBatch {
    MoveBatch(
        id: try row.id(0), from: try row.state(1), to: try row.state(2), step: try row.state(3), staging: row.text(4), manifest: row.text(5),
        startedAt: row.instant(6), finishedAt: row.optionalInstant(7), expiresAt: row.instant(8), entries: [])
}

package enum TierSQL {
    static let placement: StaticString = "SELECT tier, version, person_ref, placed_at FROM order_directory WHERE order_id = ?"
    static func list(_ states: [OrderState]) -> String { "[" + states.map { "\"\($0.rawValue)\"" }.joined(separator: ",") + "]" }

    /// The chain of states is that of the partial index, word for word: only so does SQLite use it.
    package static let movable: StaticString = """
        SELECT d.placed_at, d.order_id FROM order_directory d
        WHERE d.tier = ?1 AND d.placed_at >= ?2 AND d.placed_at < ?3 AND (d.placed_at, d.order_id) > (?5, ?6)
            AND (d.state = 'delivered' OR d.state = 'part_returned' OR d.state = 'returned' OR d.state = 'cancelled' OR d.state = 'expired')
            AND d.state IN (SELECT value FROM json_each(?4))
            AND NOT EXISTS (SELECT 1 FROM returns r WHERE r.order_id = d.order_id AND r.state IN ('requested', 'approved', 'received'))
            AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = d.order_id AND p.state IN ('created', 'action_required', 'authorised', 'part_captured'))
        ORDER BY d.placed_at, d.order_id LIMIT ?7
        """
    /// Orders outside hot are in a final state, so the same index has them all.
    static let placed: StaticString = """
        SELECT d.placed_at, d.order_id FROM order_directory d
        WHERE d.tier = ?1 AND (d.placed_at, d.order_id) > (?2, ?3)
            AND (d.state = 'delivered' OR d.state = 'part_returned' OR d.state = 'returned' OR d.state = 'cancelled' OR d.state = 'expired')
        ORDER BY d.placed_at, d.order_id LIMIT ?4
        """
    static let countMovable: StaticString = """
        SELECT count(*) FROM order_directory d
        WHERE d.tier = ?1 AND d.placed_at >= ?2 AND d.placed_at < ?3
            AND (d.state = 'delivered' OR d.state = 'part_returned' OR d.state = 'returned' OR d.state = 'cancelled' OR d.state = 'expired')
            AND d.state IN (SELECT value FROM json_each(?4))
            AND NOT EXISTS (SELECT 1 FROM returns r WHERE r.order_id = d.order_id AND r.state IN ('requested', 'approved', 'received'))
            AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = d.order_id AND p.state IN ('created', 'action_required', 'authorised', 'part_captured'))
        """
    static let monthsMovable: StaticString = """
        SELECT d.month, count(*) FROM order_directory d
        WHERE d.tier = ?1 AND d.placed_at >= ?2 AND d.placed_at < ?3
            AND (d.state = 'delivered' OR d.state = 'part_returned' OR d.state = 'returned' OR d.state = 'cancelled' OR d.state = 'expired')
            AND d.state IN (SELECT value FROM json_each(?4))
            AND NOT EXISTS (SELECT 1 FROM returns r WHERE r.order_id = d.order_id AND r.state IN ('requested', 'approved', 'received'))
            AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = d.order_id AND p.state IN ('created', 'action_required', 'authorised', 'part_captured'))
        GROUP BY d.month ORDER BY d.month
        """
    static let openMoves: StaticString = """
        SELECT batch_id, from_tier, to_tier, step, staging, manifest, started_at, finished_at, expires_at FROM moves WHERE finished_at IS NULL ORDER BY started_at, batch_id
        """
    static let newestMoves: StaticString = """
        SELECT batch_id, from_tier, to_tier, step, staging, manifest, started_at, finished_at, expires_at FROM moves ORDER BY started_at DESC, batch_id DESC LIMIT ?
        """
    static let expiredMoves: StaticString = """
        SELECT batch_id, from_tier, to_tier, step, staging, manifest, started_at, finished_at, expires_at FROM moves
        WHERE finished_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?
        """
}
