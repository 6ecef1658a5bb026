// How many orders lie in another tier than a policy says: those that are due in a colder one, and those that lie colder and stay. Counts only.

package import Orders

package struct TierDue: Sendable, Equatable {
    package struct Move: Sendable, Equatable {
        package var from: Tier, to: Tier, orders: Int64
        package init(from: Tier, to: Tier, orders: Int64) { (self.from, self.to, self.orders) = (from, to, orders) }
    }
    /// By from and to; those with orders only.
    package var moves: [Move] = []
    /// Orders that lie colder than the policy says.
    package var colder: Int64 = 0

    package init(_ policy: TierPolicy, at now: Instant, in store: any TierStore) async throws(StoreError) {
        for from in [Tier.hot, .warm] {
            for (selection, to) in policy.moves(from: from, at: now) {
                let count = try await store.countMovable(selection)
                if count == 0 { continue }
                let sofar = moves.first { $0.from == from && $0.to == to }?.orders ?? 0
                moves.removeAll { $0.from == from && $0.to == to }
                moves.append(Move(from: from, to: to, orders: sofar + count))
            }
        }
        moves.sort { ($0.from, $0.to) < ($1.from, $1.to) }
        colder = try await Self.colder(policy, at: now, in: store)
    }

    static func colder(_ policy: TierPolicy, at now: Instant, in store: any TierStore) async throws(StoreError) -> Int64 {
        var count: Int64 = 0
        for tier in [Tier.warm, .cold] {
            for selection in policy.colder(in: tier, at: now) { count += try await store.countMovable(selection) }
        }
        return count
    }
}
