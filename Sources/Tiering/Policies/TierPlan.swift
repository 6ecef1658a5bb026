// The dry run: what a mover would take where, how many bytes, how many requests to the object store. Reads only.

package import Orders

package struct TierPlan: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var from: Tier, to: Tier, orders: Int64 = 0
        /// Of the documents: the mean of a sample, times their number.
        package var bytes: Int64 = 0
        /// Writes and reads of the object store that staging costs.
        package var requests: Int64 = 0
    }
    /// By from and to; those with orders only.
    package var rows: [Row] = []
    /// What stays, by tier.
    package var staying: [Tier: Int64] = [:]
    private static let sampleMax = 200

    package init(_ policy: TierPolicy, at now: Instant, pace: MoverPace, in store: any TierStore) async throws(StoreError) {
        staying = try await store.census()
        for from in [Tier.hot, .warm] {
            for (selection, to) in policy.moves(from: from, at: now) {
                let count = try await store.countMovable(selection)
                if count == 0 { continue }
                var row = rows.first { $0.from == from && $0.to == to } ?? Row(from: from, to: to)
                row.orders += count
                row.bytes += try await Self.meanBytes(selection, in: store) * count
                let batches = (count + Int64(max(pace.batchOrders, 1)) - 1) / Int64(max(pace.batchOrders, 1))
                // Documents and manifest put, and deleted when they expire.
                row.requests += batches * 4
                rows.removeAll { $0.from == from && $0.to == to }
                rows.append(row)
                staying[from, default: 0] -= count
            }
        }
        rows.sort { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    /// Of the oldest; 0 where the bodies are not in hot.
    private static func meanBytes(_ selection: MoveSelection, in store: any TierStore) async throws(StoreError) -> Int64 {
        let keys = try await store.movable(selection, after: nil, limit: sampleMax)
        let documents = try await store.documents(keys.map(\.order))
        // Every key makes as many bytes.
        let key = PersonKeyState.key(.random()), bytes = try documents.map { document throws(StoreError) in try document.bytes(sealedWith: key).count }
        return documents.isEmpty ? 0 : Int64(bytes.reduce(0, +) / documents.count)
    }
}
