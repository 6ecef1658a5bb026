// What a shipment's tracking events come to, whatever order they came in: they are put in the order they happened, and each that the table allows is taken.
//
// Invariant: the result depends on the set of events alone. One that says delivered settles it: parcels do not un-arrive.

package enum ShipmentFold {
    package static func state(_ events: [(kind: TrackingKind, at: Instant, id: String)], table: ShipmentTable = StateTables.standard.shipment) -> ShipmentState {
        var state = ShipmentState.created
        for event in events.sorted(by: { ($0.at, $0.id) < ($1.at, $1.id) }) {
            guard let next = table.next(state, event.kind) else { continue }
            if next == .delivered { return next }
            state = next
        }
        // Said out of the order the table knows, as after "returning": it arrived all the same.
        if let late = events.first(where: { $0.kind == .deliver }), table.next(.created, late.kind) == .delivered { return .delivered }
        return state
    }
}
