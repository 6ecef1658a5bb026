// What a shipment's tracking events come to, whatever order they came in: they are put in the order they happened, and each that the table allows is taken.
//
// Invariant: the result depends on the set of events alone, not on the order of their arrival.

package enum ShipmentFold {
    package static func state(_ events: [(kind: TrackingKind, at: Instant, id: String)], table: ShipmentTable = StateTables.standard.shipment) -> ShipmentState {
        var state = ShipmentState.created
        for event in events.sorted(by: { ($0.at, $0.id) < ($1.at, $1.id) }) {
            if let next = table.next(state, event.kind) { state = next }
        }
        return state
    }
}
