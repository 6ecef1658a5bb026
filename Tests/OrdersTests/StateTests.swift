// The state tables: every interleaving holds, every single mutated transition is noticed.

import Orders
import Testing

@Suite("Orders: states")
struct StateTests {
    @Test("every interleaving of customer, gateway, webhook, retry, clock, warehouse and carrier keeps every promise")
    func interleavings() {
        let checker = ModelChecker(.standard)
        #expect(checker.fault == nil && inThirds(.standard) == nil && closing(StateTables.standard.payment) == nil)
        #expect(checker.states > 1_000)
        #expect(ModelChecker(.standard, ways: ModelChecker.few).fault == nil)
        print("print: model checker: \(checker.states) states, \(checker.transitions) transitions")
    }

    /// By the short walk, or else the long one.
    private func isNoticed(_ tables: StateTables) -> Bool {
        inThirds(tables) != nil || ModelChecker(tables, ways: ModelChecker.few).fault != nil || ModelChecker(tables).fault != nil
    }

    @Test("each transition of the order table, left out or led elsewhere, is noticed")
    func mutatedOrders() {
        for (row, mutants) in mutants(StateTables.standard.order) {
            for table in mutants {
                var tables = StateTables.standard
                tables.order = table
                let noticed = isNoticed(tables)
                #expect(noticed, "\(row) \(String(describing: table.rows.first { $0.from == row.from && $0.event == row.event }?.to))")
            }
        }
    }

    @Test("each transition of the payment table, left out or led elsewhere, is noticed")
    func mutatedPayments() {
        for (row, mutants) in mutants(StateTables.standard.payment) {
            for table in mutants {
                var tables = StateTables.standard
                tables.payment = table
                let noticed = closing(table) != nil || isNoticed(tables)
                #expect(noticed, "\(row) \(String(describing: table.rows.first { $0.from == row.from && $0.event == row.event }?.to))")
            }
        }
    }

    @Test("each transition of the shipment table, left out or led elsewhere, is noticed")
    func mutatedShipments() {
        #expect(tracking(StateTables.standard.shipment) == nil)
        for (row, mutants) in mutants(StateTables.standard.shipment) {
            for table in mutants { #expect(tracking(table) != nil, "\(row)") }
        }
    }

    @Test("each transition of the return table, left out or led elsewhere, is noticed")
    func mutatedReturns() {
        #expect(returning(StateTables.standard.returns) == nil)
        for (row, mutants) in mutants(StateTables.standard.returns) {
            for table in mutants { #expect(returning(table) != nil, "\(row)") }
        }
    }

    @Test("tracking events in any order, and any of them twice, come to the same state")
    func disorder() {
        let kinds: [TrackingKind] = [.pickup, .transit, .exception, .transit, .out, .deliver]
        let events = kinds.enumerated().map { (kind: $1, at: Instant(seconds: Int64($0)), id: "\($0)") }
        for count in 0...events.count {
            let some = Array(events.prefix(count)), expected = ShipmentFold.state(some)
            permutations(some.count) { order in #expect(ShipmentFold.state(order.map { some[$0] }) == expected) }
        }
    }

    @Test("no table has two rows for one state and event, and every state but the first of each can be reached")
    func wellFormed() {
        func check<S: CaseIterable & Hashable, E: Hashable>(_ table: TransitionTable<S, E>, first: S) {
            #expect(Set(table.rows.map { [AnyHashable($0.from), AnyHashable($0.event)] }).count == table.rows.count)
            #expect(Set(table.rows.map(\.to)).union([first]) == Set(S.allCases))
        }
        let tables = StateTables.standard
        check(tables.order, first: .pending)
        check(tables.payment, first: .created)
        check(tables.shipment, first: .created)
        check(tables.returns, first: .requested)
    }

    @Test("what is not in the table is refused with what is")
    func refusal() {
        let wanted = StoreError.illegalTransition(of: "the order", state: "delivered", event: "cancel", legal: ["return_part", "return_all"])
        #expect(throws: wanted) { try StateTables.standard.order.next(.delivered, .cancel, of: "the order") }
        #expect(wanted.description == "the order is delivered: cancel is not possible; possible: return_part, return_all")
    }
}

// MARK: -

/// For each row: the table without it, and with it leading to each other state.
private func mutants<S: CaseIterable, E>(_ table: TransitionTable<S, E>) -> [(TransitionTable<S, E>.Row, [TransitionTable<S, E>])] {
    table.rows.indices.map { at in
        var without = table
        without.rows.remove(at: at)
        let elsewhere = S.allCases.filter { $0 != table.rows[at].to }.map { state in
            var other = table
            other.rows[at].to = state
            return other
        }
        return (table.rows[at], [without] + elsewhere)
    }
}

/// What is shipped, returned, captured and refunded in three parts: the second part leaves it in parts. Nil when it does.
private func inThirds(_ tables: StateTables) -> String? {
    var order: OrderState? = .confirmed
    let steps: [(OrderEvent, OrderState)] = [
        (.shipPart, .partShipped), (.shipPart, .partShipped), (.ship, .shipped), (.deliver, .delivered), (.returnPart, .partReturned), (.returnPart, .partReturned),
        (.returnAll, .returned),
    ]
    for (event, expected) in steps {
        order = order.flatMap { tables.order.next($0, event) }
        if order != expected { return "\(event)" }
    }
    var payment = PaymentLedger(state: .authorised, authorised: 3)
    let parts: [(PaymentReport.What, PaymentState)] = [
        (.capture, .partCaptured), (.capture, .partCaptured), (.capture, .captured), (.refund, .partRefunded), (.refund, .partRefunded), (.refund, .refunded),
    ]
    for (what, expected) in parts {
        _ = try? payment.apply(what, amount: 1, asked: 3, tables: tables)
        if payment.state != expected { return "\(what)" }
    }
    return nil
}

/// A payment nobody finished can be closed; nil when it can.
private func closing(_ table: PaymentTable) -> String? {
    for open in [PaymentState.created, .actionRequired] where table.next(open, .void) != .voided { return "\(open) cannot be closed" }
    return nil
}

/// What a shipment's events come to, said anew: in phases rather than rows.
private func expectedShipment(_ kinds: [TrackingKind]) -> ShipmentState {
    enum Phase { case fresh, moving, returning, gone, lost, done }
    var phase = Phase.fresh, state = ShipmentState.created
    for kind in kinds where phase != .done {
        switch (kind, phase) {
        case (.deliver, _): (phase, state) = (.done, .delivered)
        case (.pickup, .fresh): (phase, state) = (.moving, .pickedUp)
        case (.transit, .fresh), (.transit, .moving), (.transit, .lost): (phase, state) = (.moving, .inTransit)
        case (.out, .fresh), (.out, .moving): (phase, state) = (.moving, .outForDelivery)
        case (.exception, .fresh), (.exception, .moving): (phase, state) = (.moving, .exception)
        case (.returnStart, .fresh), (.returnStart, .moving): (phase, state) = (.returning, .returning)
        case (.lose, .fresh), (.lose, .moving), (.lose, .returning): (phase, state) = (.lost, .lost)
        case (.returnDone, .returning): (phase, state) = (.gone, .returned)
        default: break
        }
    }
    return state
}

/// Compares over all histories of at most four events; nil when all agree.
private func tracking(_ table: ShipmentTable) -> String? {
    var histories: [[TrackingKind]] = [[]], level = histories
    for _ in 0..<4 {
        level = level.flatMap { history in TrackingKind.allCases.map { history + [$0] } }
        histories += level
    }
    for kinds in histories {
        let events = kinds.enumerated().map { (kind: $1, at: Instant(seconds: Int64($0)), id: "") }
        if ShipmentFold.state(events, table: table) != expectedShipment(kinds) { return "\(kinds)" }
    }
    return nil
}

/// All that may become of a return, and nothing else may.
private func returning(_ table: ReturnTable) -> String? {
    let legal: [[ReturnEvent]: ReturnState] = [
        []: .requested, [.approve]: .approved, [.reject]: .rejected, [.cancel]: .cancelled, [.approve, .receive]: .received, [.approve, .cancel]: .cancelled,
        [.approve, .receive, .refund]: .refunded, [.approve, .receive, .exchange]: .exchanged,
    ]
    var level: [[ReturnEvent]] = [[]]
    for _ in 0..<5 {
        for history in level {
            var state: ReturnState? = .requested
            for event in history { state = state.flatMap { table.next($0, event) } }
            if state != legal[history] { return "\(history)" }
        }
        level = level.flatMap { history in ReturnEvent.allCases.map { history + [$0] } }
    }
    return nil
}

/// All orders of so many things.
private func permutations(_ count: Int, _ body: ([Int]) -> Void) {
    var order = Array(0..<count)
    func go(_ fixed: Int) {
        if fixed >= count { return body(order) }
        for at in fixed..<count {
            order.swapAt(fixed, at)
            go(fixed + 1)
            order.swapAt(fixed, at)
        }
    }
    go(0)
}
