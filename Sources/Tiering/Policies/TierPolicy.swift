// Which tier an order belongs to at an instant. Pure.
//
// Invariants (`PolicyFile` refuses what breaks them, with the line)
//     1  The bands of a class cover every age from 0 up: each begins where the one before ends, the last has no end.
//     2  Tiers grow colder with age, and hot comes first.
//     3  An order that is not in a final state, or is not settled, is hot whatever its age.

package import Orders

/// Orders that age alike.
package enum DataClass: String, Sendable, CaseIterable {
    case orders
    case cancelledOrders = "cancelled_orders"
    case returnedOrders = "returned_orders"

    /// Nil: all that no other class takes.
    var states: [OrderState]? {
        switch self {
        case .orders: nil
        case .cancelledOrders: [.cancelled, .expired]
        case .returnedOrders: [.partReturned, .returned]
        }
    }
}

package struct TierPolicy: Sendable, Equatable {
    package struct Band: Sendable, Equatable {
        package var tier: Tier
        /// Age in days: at least `from`, less than `to`; nil: for ever.
        package var from: Int64, to: Int64?
        package init(_ tier: Tier, from: Int64, to: Int64?) { (self.tier, self.from, self.to) = (tier, from, to) }
    }

    package let name: String
    /// With one for `.orders`.
    package let classes: [DataClass: [Band]]

    package init(name: String, classes: [DataClass: [Band]]) { (self.name, self.classes) = (name, classes) }

    /// Where an order belongs.
    /// - Parameter isSettled: nothing about it is in progress.
    package func tier(placedAt: Instant, state: OrderState, isSettled: Bool = true, at now: Instant) -> Tier {
        guard state.isFinal, isSettled else { return .hot }
        let bands = bands(of: state)
        for band in bands {
            if let to = band.to, placedAt <= now.adding(days: -to) { continue }
            return band.tier
        }
        return bands.last?.tier ?? .hot
    }

    /// What is in one tier and belongs to a colder one: selections that share no order.
    package func moves(from tier: Tier, at now: Instant) -> [(selection: MoveSelection, to: Tier)] { selections(in: tier, at: now) { $0 > tier } }

    /// What lies in a tier and belongs to a warmer one, as after a policy was made wider: nothing brings it back but a change of the order.
    package func colder(in tier: Tier, at now: Instant) -> [MoveSelection] { selections(in: tier, at: now) { $0 < tier }.map(\.selection) }

    // MARK: -

    private func selections(in tier: Tier, at now: Instant, _ isWanted: (Tier) -> Bool) -> [(selection: MoveSelection, to: Tier)] {
        var found: [(MoveSelection, Tier)] = []
        for (group, bands) in classes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let states = OrderState.final.filter { dataClass(of: $0) == group }
            if states.isEmpty { continue }
            for band in bands where isWanted(band.tier) {
                // An age of exactly `from` days belongs to the band, of exactly `to` days to the next: placed_at <= now - from, > now - to.
                // The first has also what was placed after now.
                let before = band.from == 0 ? Instant(microseconds: .max) : Instant(microseconds: now.adding(days: -band.from).microseconds &+ 1)
                let since = band.to.map { Instant(microseconds: now.adding(days: -$0).microseconds &+ 1) } ?? Instant(microseconds: .min)
                found.append((MoveSelection(from: tier, states: states, since: since, before: before), band.tier))
            }
        }
        return found
    }

    private func dataClass(of state: OrderState) -> DataClass {
        for (group, _) in classes where group.states?.contains(state) == true { return group }
        return .orders
    }

    private func bands(of state: OrderState) -> [Band] { classes[dataClass(of: state)] ?? [] }
}

extension OrderDocument {
    /// No return and no payment is in progress.
    package var isSettled: Bool {
        returns.allSatisfy { ![.requested, .approved, .received].contains($0.state) }
            && payments.allSatisfy { ![.created, .actionRequired, .authorised, .partCaptured].contains($0.state) }
    }
}
