// The dry run: what a mover would take where, how many bytes, how many requests to the object store. Reads only.

package import Orders

package struct TierPlan: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var from: Tier, to: Tier, orders: Int64 = 0
        /// Of the documents: the mean of a sample, times their number.
        package var bytes: Int64 = 0
        /// Writes of the object store: what is staged, and for the archive what its commits put. Deletes are free.
        package var requests: Int64 = 0
        /// Of the price table, in its currency: once, and for each month that they lie there. Nil for a tier that is no object store.
        package var costOnce: Double = 0, costMonthly: Double?
    }
    /// By from and to; those with orders only.
    package var rows: [Row] = []
    /// What stays, by tier.
    package var staying: [Tier: Int64] = [:]
    private static let sampleMax = 200

    package init(_ policy: TierPolicy, at now: Instant, pace: MoverPace, prices: PriceTable = PriceTable(), in store: any TierStore) async throws(StoreError) {
        staying = try await store.census()
        for from in [Tier.hot, .warm] {
            for (selection, to) in policy.moves(from: from, at: now) {
                let count = try await store.countMovable(selection)
                if count == 0 { continue }
                var row = rows.first { $0.from == from && $0.to == to } ?? Row(from: from, to: to)
                row.orders += count
                row.bytes += try await Self.meanBytes(selection, in: store) * count
                let size = Int64(max(pace.batch(to: to), 1)), batches = (count + size - 1) / size
                // Documents and manifest are put; a commit of the archive puts five objects, and a file for each month it touches: of old orders, hardly more than two.
                row.requests += batches * (to == .cold ? 9 : 2)
                row.costOnce = Double(row.requests) / 1_000 * prices.thousandPuts
                // Documents shrink to about a quarter in the archive (docs/benchmarks.md).
                if to == .cold { row.costMonthly = Double(row.bytes) / 4 / 1e9 * prices.gigabyteMonth }
                rows.removeAll { $0.from == from && $0.to == to }
                rows.append(row)
                staying[from, default: 0] -= count
            }
        }
        rows.sort { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    /// Of the oldest; of other old ones in hot where these are not there. 0 where hot has none.
    private static func meanBytes(_ selection: MoveSelection, in store: any TierStore) async throws(StoreError) -> Int64 {
        var selection = selection
        if selection.from != .hot { selection = MoveSelection(from: .hot, states: OrderState.final, since: Instant(microseconds: .min), before: Instant(microseconds: .max)) }
        let keys = try await store.movable(selection, after: nil, limit: sampleMax)
        let documents = try await store.documents(keys.map(\.order))
        // Every key makes as many bytes.
        let key = PersonKeyState.key(.random()), bytes = try documents.map { document throws(StoreError) in try document.bytes(sealedWith: key).count }
        return documents.isEmpty ? 0 : Int64(bytes.reduce(0, +) / documents.count)
    }
}
