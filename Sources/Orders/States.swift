// The states of orders, payments, shipments and returns, and the tables of their legal transitions. Nothing else in the project says what may
// follow what: the store asks these tables, the tests walk and mutate them.
//
// A table is a value. `next` gives the state an event leads to, or the refusal that lists the legal events; no event, no change.

package struct TransitionTable<State: Hashable & Sendable, Event: Hashable & Sendable>: Sendable {
    package struct Row: Hashable, Sendable {
        package var from: State, event: Event, to: State
        package init(_ from: State, _ event: Event, _ to: State) { (self.from, self.event, self.to) = (from, event, to) }
    }

    package var rows: [Row]
    package init(_ rows: [Row]) { self.rows = rows }

    package func next(_ state: State, _ event: Event) -> State? {
        for row in rows where row.from == state && row.event == event { return row.to }
        return nil
    }

    /// The events that may happen in a state, in the table's order.
    package func legal(_ state: State) -> [Event] { rows.filter { $0.from == state }.map(\.event) }
}

extension TransitionTable where State: RawRepresentable, Event: RawRepresentable, State.RawValue == String, Event.RawValue == String {
    package func next(_ state: State, _ event: Event, of what: String) throws(StoreError) -> State {
        guard let to = next(state, event) else {
            throw .illegalTransition(of: what, state: state.rawValue, event: event.rawValue, legal: legal(state).map(\.rawValue))
        }
        return to
    }
}

// MARK: Orders

package enum OrderState: String, Sendable, CaseIterable {
    /// Placed, its stock held until the hold ends.
    case pending
    /// Paid for, as far as must be: it can be shipped.
    case confirmed
    case partShipped = "part_shipped"
    case shipped, delivered
    case partReturned = "part_returned"
    case returned, cancelled, expired

    /// Those in which something is still to happen: the partial index of open orders holds them.
    package static let open: [OrderState] = [.pending, .confirmed, .partShipped, .shipped]
}

package enum OrderEvent: String, Sendable, CaseIterable {
    case confirm, cancel, expire
    case shipPart = "ship_part"
    case ship, deliver
    case returnPart = "return_part"
    case returnAll = "return_all"
}

// MARK: Payments

package enum PaymentState: String, Sendable, CaseIterable {
    case created
    /// The customer must do something first, as the second step of 3-D Secure.
    case actionRequired = "action_required"
    case authorised
    case partCaptured = "part_captured"
    case captured
    case partRefunded = "part_refunded"
    case refunded, declined, voided
}

package enum PaymentEventKind: String, Sendable, CaseIterable {
    case requireAction = "require_action"
    case authorise, decline
    /// Part of what is authorised, or the rest of it.
    case capturePart = "capture_part"
    case captureRest = "capture_rest"
    /// Part of what is captured, or the rest of it.
    case refundPart = "refund_part"
    case refundRest = "refund_rest"
    /// Gives back what was authorised and not captured.
    case void
}

// MARK: Shipments

package enum ShipmentState: String, Sendable, CaseIterable {
    case created
    case pickedUp = "picked_up"
    case inTransit = "in_transit"
    case outForDelivery = "out_for_delivery"
    case exception, delivered, returning, returned, lost
}

package enum TrackingKind: String, Sendable, CaseIterable {
    case pickup, transit, out, exception, deliver
    case returnStart = "return_start"
    case returnDone = "return_done"
    case lose
}

// MARK: Returns

package enum ReturnState: String, Sendable, CaseIterable {
    case requested, approved, rejected, cancelled, received, refunded, exchanged
}

package enum ReturnEvent: String, Sendable, CaseIterable {
    case approve, reject, cancel, receive, refund, exchange
}

// MARK: The tables

package typealias OrderTable = TransitionTable<OrderState, OrderEvent>
package typealias PaymentTable = TransitionTable<PaymentState, PaymentEventKind>
package typealias ShipmentTable = TransitionTable<ShipmentState, TrackingKind>
package typealias ReturnTable = TransitionTable<ReturnState, ReturnEvent>

/// All four, so that a test can hand over mutated ones.
package struct StateTables: Sendable {
    package var order: OrderTable, payment: PaymentTable, shipment: ShipmentTable, returns: ReturnTable

    package static let standard = StateTables(order: standardOrder, payment: standardPayment, shipment: standardShipment, returns: standardReturn)
}

private let standardOrder = OrderTable([
    .init(.pending, .confirm, .confirmed),
    .init(.pending, .cancel, .cancelled),
    .init(.pending, .expire, .expired),
    .init(.confirmed, .cancel, .cancelled),
    .init(.confirmed, .shipPart, .partShipped),
    .init(.confirmed, .ship, .shipped),
    .init(.partShipped, .shipPart, .partShipped),
    .init(.partShipped, .ship, .shipped),
    .init(.shipped, .deliver, .delivered),
    .init(.delivered, .returnPart, .partReturned),
    .init(.delivered, .returnAll, .returned),
    .init(.partReturned, .returnPart, .partReturned),
    .init(.partReturned, .returnAll, .returned),
])

/// Refunds begin once nothing more can be captured: what is still reserved is voided first.
private let standardPayment = PaymentTable([
    .init(.created, .requireAction, .actionRequired),
    .init(.created, .authorise, .authorised),
    .init(.created, .decline, .declined),
    .init(.created, .void, .voided),
    .init(.actionRequired, .authorise, .authorised),
    .init(.actionRequired, .decline, .declined),
    .init(.actionRequired, .void, .voided),
    .init(.authorised, .capturePart, .partCaptured),
    .init(.authorised, .captureRest, .captured),
    .init(.authorised, .void, .voided),
    .init(.partCaptured, .capturePart, .partCaptured),
    .init(.partCaptured, .captureRest, .captured),
    .init(.partCaptured, .void, .captured),
    .init(.captured, .refundPart, .partRefunded),
    .init(.captured, .refundRest, .refunded),
    .init(.partRefunded, .refundPart, .partRefunded),
    .init(.partRefunded, .refundRest, .refunded),
])

/// Carriers leave steps out, so a later step may follow at once; none leads back to an earlier one but a new attempt. Whatever was said before,
/// "delivered" may follow; nothing follows it: parcels do not un-arrive. An event that finds no row changes nothing.
private let standardShipment: ShipmentTable = {
    let moving: [ShipmentState] = [.created, .pickedUp, .inTransit, .outForDelivery, .exception]
    let steps: [(TrackingKind, ShipmentState)] = [
        (.transit, .inTransit), (.out, .outForDelivery), (.exception, .exception), (.deliver, .delivered), (.returnStart, .returning), (.lose, .lost),
    ]
    let rows = moving.flatMap { from in steps.filter { $0.1 != from }.map { ShipmentTable.Row(from, $0.0, $0.1) } }
    return ShipmentTable(
        [.init(.created, .pickup, .pickedUp)] + rows + [
            .init(.lost, .transit, .inTransit),
            .init(.lost, .deliver, .delivered),
            .init(.returning, .returnDone, .returned),
            .init(.returning, .lose, .lost),
            .init(.returning, .deliver, .delivered),
            .init(.returned, .deliver, .delivered),
        ])
}()

private let standardReturn = ReturnTable([
    .init(.requested, .approve, .approved),
    .init(.requested, .reject, .rejected),
    .init(.requested, .cancel, .cancelled),
    .init(.approved, .receive, .received),
    .init(.approved, .cancel, .cancelled),
    .init(.received, .refund, .refunded),
    .init(.received, .exchange, .exchanged),
])
