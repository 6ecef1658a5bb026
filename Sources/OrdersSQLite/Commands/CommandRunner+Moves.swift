// The mover's commands: lease, journal, flip and purge.
//
// Invariants
//     1  Every command but the lease itself and counts of reads names the lease's epoch; one of an older epoch changes nothing.
//     2  A step follows the one before it; a step that was taken is not taken again, and asking for it once more is no error.
//     3  A flip takes an order only if tier, version and, from hot, the bytes of its document, sealed again, are those that were dumped.
//     4  A purge takes only what the directory says is elsewhere, and keeps what a late duplicate is recognised by.

import Orders

extension CommandRunner {
    func move(_ command: MoveCommand, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        switch command {
        case .lease(let holder, let seconds, let takesOver, let above): return try lease(holder, seconds, takesOver, above, caller)
        case .release(let epoch):
            try requireEpoch(epoch)
            try connection.run("UPDATE leases SET until = ? WHERE name = 'mover'", .at(caller.at))
            return StoreOutcome(recordVersion: epoch)
        case .begin(let batch, let keys, let epoch):
            try requireEpoch(epoch)
            try remember(keys)
            return try begin(batch)
        case .advance(let id, let step, let manifest, let epoch):
            try requireEpoch(epoch)
            return try advance(id, to: step, manifest, caller)
        case .flip(let id, let keys, let epoch):
            try requireEpoch(epoch)
            return try flip(id, keys, caller)
        case .purge(let id, let epoch):
            try requireEpoch(epoch)
            return try purge(id)
        case .forget(let ids, let epoch):
            try requireEpoch(epoch)
            for id in ids { try connection.run("DELETE FROM moves WHERE batch_id = ? AND finished_at IS NOT NULL", .id(id.value)) }
            return StoreOutcome(changed: Int64(ids.count))
        case .adopt(let found, let keys, let epoch):
            try requireEpoch(epoch)
            return try adopt(found, keys, caller)
        case .keepHot(let ids, let epoch):
            try requireEpoch(epoch)
            return try keepHot(ids, caller)
        case .end(let id, let epoch):
            try requireEpoch(epoch)
            return try end(id, caller)
        case .retell(let above, let epoch):
            try requireEpoch(epoch)
            let products = try connection.all("SELECT product_id FROM products ORDER BY product") { ProductID($0.text(0)) }
            // Positions rise, with one gap here: nobody has seen those in it, or of another history.
            heads.outbox = max(heads.outbox, Int64(clamping: above))
            for product in products { try tell(.product(product), at: caller.at) }
            return StoreOutcome(recordVersion: Int64(products.count), changed: max(Int64(products.count), 1))
        case .countReads(let reads):
            for (key, count) in reads where count > 0 {
                try connection.run(
                    "INSERT INTO order_reads(day, bucket, tier, reads) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET reads = reads + excluded.reads",
                    .int(key.day), .int(Int64(key.bucket)), .text(key.tier.rawValue), .int(count))
                try connection.run("DELETE FROM order_reads WHERE day < ?", .int(key.day - 366))
            }
            return StoreOutcome(changed: 0)
        case .forgetCopies(let copies, let epoch):
            try requireEpoch(epoch)
            for copy in copies {
                try connection.run(
                    "DELETE FROM left_copies WHERE order_id = ? AND tier = ? AND version = ?", .id(copy.order.value), .text(copy.tier.rawValue), .int(copy.version))
            }
            return StoreOutcome(changed: Int64(copies.count))
        }
    }

    /// By the directory.
    func placement(of id: OrderID) throws(StoreError) -> Placement? {
        try connection.first(TierSQL.placement, .id(id.value), make: OrdersSQLite.placement)
    }

    func movedShipment(_ carrier: String, _ code: String) throws(StoreError) -> (id: ShipmentID, order: OrderID, state: String, version: Int64)? {
        try connection.first(
            "SELECT shipment_id, order_id, state, version FROM moved_shipments WHERE carrier = ? AND tracking_code = ?", .text(carrier), .text(code)
        ) { row throws(StoreError) in (try row.id(0), try row.id(1), row.text(2), row.int(3)) }
    }

    func movedReturn(_ id: ReturnID) throws(StoreError) -> (order: OrderID, person: PersonRef)? {
        try connection.first(
            "SELECT d.order_id, d.person_ref FROM moved_returns r JOIN order_directory d USING (order_id) WHERE return_id = ?", .id(id.value)
        ) { row throws(StoreError) in (try row.id(0), try row.id(1)) }
    }

    // MARK: -

    private func lease(_ holder: String, _ seconds: Int64, _ takesOver: Bool, _ above: Int64, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard (1...200).contains(holder.utf8.count), (1...3_600).contains(seconds) else { throw .invalid("a lease has a holder, and lasts 1 to 3,600 seconds") }
        let held = try connection.first("SELECT holder, epoch, until FROM leases WHERE name = 'mover'") { (holder: $0.text(0), epoch: $0.int(1), until: $0.instant(2)) }
        if let held, held.holder != holder, held.until > caller.at, !takesOver { throw .conflict("\(held.holder) is moving orders until \(held.until)") }
        let isMine = held.map { $0.holder == holder && $0.until > caller.at } ?? false
        let (next, isOver) = max(above, isMine ? 0 : held?.epoch ?? 0).addingReportingOverflow(1)
        guard !isOver else { throw .damaged("the lease, or a tier, names epoch \(Int64.max), above which there is none; no mover has come that far") }
        let epoch = max(next, held?.epoch ?? 1)
        try connection.run(
            """
            INSERT INTO leases(name, holder, epoch, until) VALUES ('mover', ?, ?, ?)
            ON CONFLICT DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until
            """, .text(holder), .int(epoch), .at(caller.at.adding(seconds: seconds)))
        return StoreOutcome(recordVersion: epoch)
    }

    private func requireEpoch(_ epoch: Int64) throws(StoreError) {
        let now = try connection.first("SELECT epoch FROM leases WHERE name = 'mover'") { $0.int(0) }
        guard now == epoch else { throw .conflict("another mover has taken over") }
    }

    /// Before anything is sealed with them outside hot.
    private func remember(_ keys: KeysMark) throws(StoreError) {
        if let known = try readKeysMark(connection) {
            guard known.id == keys.id, known.changes <= keys.changes else { throw .conflict("these are not the newest keys of the people in this store: put those back") }
        }
        try connection.run(
            "INSERT INTO sealing(one, keys_id, changes) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET changes = excluded.changes", .id(keys.id), .int(keys.changes))
    }

    private func begin(_ batch: MoveBatch) throws(StoreError) -> StoreOutcome {
        guard (1...10_000).contains(batch.entries.count), batch.from < batch.to else { throw .invalid("a batch has 1 to 10,000 orders, and goes to a colder tier") }
        try connection.run(
            "INSERT INTO moves(batch_id, from_tier, to_tier, step, staging, started_at, expires_at) VALUES (?, ?, ?, 'selected', ?, ?, ?)",
            .id(batch.id.value), .text(batch.from.rawValue), .text(batch.to.rawValue), .text(batch.staging), .at(batch.startedAt), .at(batch.expiresAt))
        for entry in batch.entries {
            try connection.run(
                "INSERT INTO move_orders(batch_id, order_id, version, digest) VALUES (?, ?, ?, ?)",
                .id(batch.id.value), .id(entry.order.value), .int(entry.version), .blob(entry.digest))
        }
        return StoreOutcome(id: batch.id.value, state: MoveStep.selected.rawValue)
    }

    private struct MoveRow {
        var from: Tier, to: Tier, step: MoveStep
    }

    private func moveRow(_ id: MoveID) throws(StoreError) -> MoveRow {
        let row = try connection.first("SELECT from_tier, to_tier, step FROM moves WHERE batch_id = ?", .id(id.value)) { row throws(StoreError) in
            MoveRow(from: try row.state(0), to: try row.state(1), step: try row.state(2))
        }
        guard let row else { throw .notFound("such batch") }
        return row
    }

    private func advance(_ id: MoveID, to step: MoveStep, _ manifest: String, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let row = try moveRow(id)
        if row.step == step { return StoreOutcome(id: id.value, state: step.rawValue, changed: 0) }
        // Loading and verifying may be begun again as long as nothing was flipped.
        let before: [MoveStep] = switch step {
        case .staged: [.selected, .verified]
        case .verified: [.staged]
        case .done: [.purged]
        case .abandoned: [.selected, .staged, .verified]
        case .selected, .flipped, .purged: []
        }
        guard before.contains(row.step) else {
            throw .illegalTransition(of: "the batch", state: row.step.rawValue, event: step.rawValue, legal: [])
        }
        let isEnd = step == .done || step == .abandoned
        try connection.run(
            "UPDATE moves SET step = ?2, manifest = iif(?3 = '', manifest, ?3), finished_at = ?4 WHERE batch_id = ?1",
            .id(id.value), .text(step.rawValue), .text(manifest), isEnd ? .at(caller.at) : .null)
        if isEnd { try connection.run("DELETE FROM move_orders WHERE batch_id = ?", .id(id.value)) }
        return StoreOutcome(id: id.value, state: step.rawValue)
    }

    private func flip(_ id: MoveID, _ keys: [PersonRef: PersonKeyState], _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let row = try moveRow(id)
        if row.step == .flipped { return StoreOutcome(id: id.value, state: row.step.rawValue, changed: 0) }
        guard row.step == .verified else { throw .illegalTransition(of: "the batch", state: row.step.rawValue, event: "flip", legal: []) }
        let entries = try connection.all(
            "SELECT order_id, version, digest FROM move_orders WHERE batch_id = ? AND moved IS NULL ORDER BY order_id LIMIT ?", .id(id.value), .int(Int64(MoveCommand.piece))
        ) { row throws(StoreError) in MoveEntry(order: try row.id(0), version: row.int(1), digest: row.blob(2)) }
        var moved: [OrderID] = []
        for entry in entries {
            let isMoved = try flip(entry, row, keys)
            if isMoved { moved.append(entry.order) }
            try connection.run(
                "UPDATE move_orders SET moved = ?3 WHERE batch_id = ?1 AND order_id = ?2", .id(id.value), .id(entry.order.value), .int(isMoved ? 1 : 0))
        }
        let step: MoveStep = entries.count < MoveCommand.piece ? .flipped : .verified
        try connection.run("UPDATE moves SET step = ?2 WHERE batch_id = ?1", .id(id.value), .text(step.rawValue))
        if !moved.isEmpty { try tell(.moved(moved, to: row.to), at: caller.at) }
        return StoreOutcome(id: id.value, state: step.rawValue, recordVersion: Int64(moved.count), changed: max(Int64(moved.count), 1))
    }

    private func flip(_ entry: MoveEntry, _ row: MoveRow, _ keys: [PersonRef: PersonKeyState]) throws(StoreError) -> Bool {
        if row.from == .hot {
            // A tracking event or a return changes the body and not the version. Without the person's key nothing can be compared: it stays.
            guard let document = try OrderDump.document(entry.order, connection), let key = keys[document.order.person],
                OrderDocument.digest(of: try document.bytes(sealedWith: key)) == entry.digest
            else { return false }
        }
        try connection.run(
            "UPDATE order_directory SET tier = ?4 WHERE order_id = ?1 AND tier = ?2 AND version = ?3",
            .id(entry.order.value), .text(row.from.rawValue), .int(entry.version), .text(row.to.rawValue))
        return connection.changes == 1
    }

    private func purge(_ id: MoveID) throws(StoreError) -> StoreOutcome {
        let row = try moveRow(id)
        if row.step == .purged { return StoreOutcome(id: id.value, state: row.step.rawValue, changed: 0) }
        guard row.step == .flipped else { throw .illegalTransition(of: "the batch", state: row.step.rawValue, event: "purge", legal: []) }
        var step = MoveStep.purged
        if row.from == .hot {
            // A body that came back since is hot's own.
            let orders = try connection.all(
                """
                SELECT m.order_id FROM move_orders m CROSS JOIN orders o USING (order_id) CROSS JOIN order_directory d USING (order_id)
                WHERE m.batch_id = ? AND m.moved = 1 AND d.tier <> 'hot' ORDER BY m.order_id LIMIT ?
                """, .id(id.value), .int(Int64(MoveCommand.piece))
            ) { row throws(StoreError) in try row.id(0, as: OrderKind.self) }
            for order in orders { try purge(order, keeping: true) }
            try connection.run("UPDATE purges SET count = count + 1")
            if orders.count == MoveCommand.piece { step = .flipped }
        }
        try connection.run("UPDATE moves SET step = ?2 WHERE batch_id = ?1", .id(id.value), .text(step.rawValue))
        return StoreOutcome(id: id.value, state: step.rawValue)
    }

    /// - Parameter keeping: what late events are recognised by is written down first; not when the rows come back at once.
    func purge(_ id: OrderID, keeping: Bool) throws(StoreError) {
        if keeping {
            try connection.run(
                """
                INSERT INTO moved_shipments(shipment_id, order_id, carrier, tracking_code, state, version)
                SELECT shipment_id, order_id, carrier, tracking_code, state, version FROM shipments WHERE order_id = ?
                """, .id(id.value))
            try connection.run(
                """
                INSERT OR IGNORE INTO moved_tracking(carrier, event_id, shipment_id)
                SELECT t.carrier, t.event_id, t.shipment_id FROM shipments s JOIN tracking_events t USING (shipment_id) WHERE s.order_id = ?
                """, .id(id.value))
            try connection.run("INSERT INTO moved_returns(return_id, order_id) SELECT return_id, order_id FROM returns WHERE order_id = ?", .id(id.value))
        }
        try connection.run("DELETE FROM tracking_events WHERE shipment_id IN (SELECT shipment_id FROM shipments WHERE order_id = ?)", .id(id.value))
        try connection.run("DELETE FROM shipments WHERE order_id = ?", .id(id.value))
        try connection.run("DELETE FROM returns WHERE order_id = ?", .id(id.value))
        try connection.run("DELETE FROM orders WHERE order_id = ?", .id(id.value))
    }
}
