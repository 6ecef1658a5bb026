// Runs one command inside the writer's transaction: savepoint, idempotency key, the command itself, audit row.
//
// Invariants
//     1  A refused command leaves nothing, not even in the counters kept in memory (`Heads`).
//     2  A command that changed something wrote an audit row, and its outbox rows before that.
//     3  The same actor, key and request get the same answer and cause nothing more; another request under the key is refused.

import JSON
import Orders
import Secrets

/// Where the append-only tables end: known here, so that no command has to ask.
struct Heads: Equatable {
    var auditSequence: Int64 = 0
    var auditHash = [UInt8](repeating: 0, count: 32)
    var outbox: Int64 = 0
    var directory: Int64 = 0
}

final class CommandRunner {
    let connection: Connection
    let keys: StoreKeys, options: OrdersSQLiteOptions
    let identifiers = IdentifierGenerator()
    let tables = StateTables.standard
    var heads = Heads()
    /// What orders ask of products and people, which change seldom. All writes pass here, so it is known when an entry is stale; both are emptied when full.
    var masters: [ProductID: MasterRow] = [:]
    var people: Set<PersonRef> = []
    static let keptMax = 200_000

    init(_ connection: Connection, keys: StoreKeys, options: OrdersSQLiteOptions) throws(StoreError) {
        (self.connection, self.keys, self.options) = (connection, keys, options)
        let last = try connection.first("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1") { row in (row.int(0), row.blob(1)) }
        if let last { (heads.auditSequence, heads.auditHash) = last }
        heads.outbox = try connection.first("SELECT coalesce(max(position), 0) FROM outbox") { $0.int(0) } ?? 0
        heads.directory = try connection.first("SELECT coalesce(max(added_seq), 0) FROM order_directory") { $0.int(0) } ?? 0
    }

    func perform(_ command: StoreCommand) -> Result<StoreOutcome, StoreError> {
        let before = heads
        do throws(StoreError) {
            try connection.run("SAVEPOINT command")
            let outcome = try once(command)
            try connection.run("RELEASE command")
            return .success(outcome)
        } catch {
            heads = before
            if !connection.isAutocommit {
                // Should this fail too, the transaction is of no use: it is given up, and the writer sees it.
                do throws(StoreError) {
                    try connection.run("ROLLBACK TO command")
                    try connection.run("RELEASE command")
                } catch {
                    try? connection.run("ROLLBACK")
                }
            }
            return .failure(error)
        }
    }

    /// After a transaction that was rolled back whole: what was read in it was never there.
    func forgetReads() {
        masters.removeAll()
        people.removeAll()
    }

    /// Appends an outbox row, and gives its position.
    func tell(_ change: OutboxEntry.Change, at instant: Instant) throws(StoreError) {
        heads.outbox += 1
        try connection.run(
            "INSERT INTO outbox(position, at, body) VALUES (?, ?, ?)", .int(heads.outbox), .at(instant), .text(OutboxCoding.text(change)))
    }

    /// Appends an audit row.
    func audit(_ caller: Caller, _ action: String, _ subject: String) throws(StoreError) {
        heads.auditSequence += 1
        let actor = caller.actor.name
        heads.auditHash = AuditChain.hash(
            after: heads.auditHash, sequence: heads.auditSequence, at: caller.at, actor: actor, purpose: caller.purpose.rawValue, action: action, subject: subject)
        try connection.run(
            "INSERT INTO audit_log(seq, at, actor, purpose, action, subject, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .int(heads.auditSequence), .at(caller.at), .text(actor), .text(caller.purpose.rawValue), .text(action), .text(subject), .blob(heads.auditHash))
    }

    // MARK: -

    private func once(_ command: StoreCommand) throws(StoreError) -> StoreOutcome {
        try command.checkAllowed()
        guard let key = command.idempotencyKey else { return try run(command) }
        guard (1...200).contains(key.utf8.count) else { throw .invalid("an idempotency key has 1 to 200 bytes") }
        let name = IdempotencyName.of(actor: command.caller.actor.name, key: key)
        let kept = try connection.first("SELECT request_hash, outcome FROM idempotency_keys WHERE name = ?", .blob(name)) { row in
            (row.blob(0), row.text(1))
        }
        if let (hash, text) = kept {
            guard hash == command.requestHash else { throw .idempotencyKeyReused }
            return try OutcomeCoding.outcome(text)
        }
        let outcome = try run(command)
        try connection.run(
            "INSERT INTO idempotency_keys(name, key, request_hash, outcome, created_at) VALUES (?, ?, ?, ?, ?)",
            .blob(name), .text(key), .blob(command.requestHash), .text(OutcomeCoding.text(outcome)), .at(command.caller.at))
        return outcome
    }

    private func run(_ command: StoreCommand) throws(StoreError) -> StoreOutcome {
        if let document = command.recalled { try recall(document, command.caller) }
        var outcome = try dispatch(command.action, command.caller)
        if outcome.changed > 0 {
            let subject = outcome.id.map(\.description) ?? command.action.subject
            try audit(command.caller, command.action.name, subject)
        }
        outcome.version = UInt64(clamping: heads.outbox)
        return outcome
    }

    private func dispatch(_ action: StoreCommand.Action, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        switch action {
        case .putPerson(let draft): try putPerson(draft, caller)
        case .addAddress(let person, let draft): try addAddress(person, draft, caller)
        case .putSeller(let id, let name): try putSeller(id, name: name)
        case .putProduct(let draft): try putProduct(draft, caller)
        case .setPrice(let id, let price): try setPrice(id, price, caller)
        case .setStock(let id, let available): try setStock(id, available, caller)
        case .adjustStock(let id, let by): try adjustStock(id, by, caller)
        case .setBasketLine(let person, let id, let quantity): try setBasketLine(person, id, quantity, caller)
        case .placeOrder(let draft): try placeOrder(draft, caller)
        case .cancelOrder(let id, _, let version): try cancelOrder(id, ifVersion: version, caller)
        case .expireHolds(let limit): try expireHolds(limit, caller)
        case .startPayment(let order, let draft): try startPayment(order, draft, caller)
        case .recordPayment(let report): try recordPayment(report, caller)
        case .createShipment(let order, let draft): try createShipment(order, draft, caller)
        case .recordTracking(let report): try recordTracking(report, caller)
        case .requestReturn(let order, let draft): try requestReturn(order, draft, caller)
        case .advanceReturn(let id, let event, _): try advanceReturn(id, event, caller)
        case .exchangeReturn(let id, let lines): try exchangeReturn(id, lines, caller)
        case .follow(let source, let destination): try follow(source, destination)
        case .unfollow(let source, let destination): try unfollow(source, destination)
        case .auditRead(let person, _): StoreOutcome(id: person.value)
        case .forgetKeys(let before): try forgetKeys(before)
        case .move(let command): try move(command, caller)
        }
    }

    private func forgetKeys(_ before: Instant) throws(StoreError) -> StoreOutcome {
        // They lie in the order they came: the first that stays ends the reading.
        let stays = try connection.first("SELECT seq FROM idempotency_keys WHERE created_at >= ? ORDER BY seq LIMIT 1", .at(before)) { $0.int(0) }
        try connection.run("DELETE FROM idempotency_keys WHERE seq < ?", .int(stays ?? .max))
        return StoreOutcome(changed: connection.changes)
    }
}
