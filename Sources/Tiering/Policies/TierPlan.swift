// The dry run: what a mover would take where, how many bytes, what it would ask of the object stores. Reads only.

package import Orders

package struct TierPlan: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var from: Tier, to: Tier, orders: Int64 = 0
        /// Of the documents: the mean of a sample, times their number. Nil where hot has none to measure by: elsewhere they lie under a running server's lock.
        package var bytes: Int64? = 0
        package var requests = MoveRequests()
        /// Of the price table, in its currency: once, and for each month that they lie there. Nil for a tier that is no object store, and for unknown bytes.
        package var costOnce: Double = 0, costMonthly: Double?
        package init(
            from: Tier, to: Tier, orders: Int64 = 0, bytes: Int64? = 0, requests: MoveRequests = MoveRequests(), costOnce: Double = 0, costMonthly: Double? = nil
        ) {
            (self.from, self.to, self.orders, self.bytes, self.requests, self.costOnce, self.costMonthly) = (from, to, orders, bytes, requests, costOnce, costMonthly)
        }
    }
    /// By from and to; those with orders only.
    package var rows: [Row] = []
    /// What stays, by tier.
    package var staying: [Tier: Int64] = [:]
    /// Of these, orders that lie colder than the policy says: no mover brings them back.
    package var colder: Int64 = 0
    private static let sampleMax = 200
    /// Where a mover cuts a batch (`OrderMover`).
    private static let batchBytesMax: Int64 = 32 << 20

    package init(rows: [Row], staying: [Tier: Int64], colder: Int64 = 0) { (self.rows, self.staying, self.colder) = (rows, staying, colder) }

    /// - Parameter buckets: file groups a month of the archive's table.
    package init(
        _ policy: TierPolicy, at now: Instant, pace: MoverPace, prices: PriceTable = PriceTable(), buckets: Int = 1, in store: any TierStore
    ) async throws(StoreError) {
        staying = try await store.census()
        var archive = ArchiveMonths(isMade: staying[.cold, default: 0] > 0, buckets: Int64(max(buckets, 1)))
        // In the mover's order: which batch is the first of a month hangs on it.
        for from in [Tier.warm, .hot] {
            for (selection, to) in policy.moves(from: from, at: now) {
                let months = try await store.monthsMovable(selection), count = months.reduce(0) { $0 + $1.orders }
                if count == 0 { continue }
                var row = rows.first { $0.from == from && $0.to == to } ?? Row(from: from, to: to)
                let mean = try await Self.meanBytes(selection, in: store)
                row.orders += count
                row.bytes = row.bytes.flatMap { sum in mean.map { sum + $0 * count } }
                let batch = min(Int64(pace.batch(to: to)), mean.map { Self.batchBytesMax / max($0, 1) } ?? .max)
                if to == .cold {
                    let known = try await Self.archived(months.map(\.month), in: store)
                    archive.months.formUnion(known)
                }
                var there: ArchiveMonths? = to == .cold ? archive : nil
                row.requests.add(months, batch: batch, &there)
                archive = there ?? archive
                row.costOnce = row.requests.cost(prices)
                // Documents shrink to about a quarter in the archive (docs/benchmarks.md).
                if to == .cold { row.costMonthly = row.bytes.map { Double($0) / 4 / 1e9 * prices.gigabyteMonth } }
                rows.removeAll { $0.from == from && $0.to == to }
                rows.append(row)
                staying[from, default: 0] -= count
            }
        }
        rows.sort { ($0.from, $0.to) < ($1.from, $1.to) }
        colder = try await TierDue.colder(policy, at: now, in: store)
    }

    /// Those of the months that the archive has orders of, by the directory.
    private static func archived(_ months: [Int64], in store: any TierStore) async throws(StoreError) -> [Int64] {
        var found: [Int64] = []
        for month in months {
            let start = MoveKey(placedAt: CivilDate.first(ofMonth: month).instant, order: OrderID(Bytes16(high: 0, low: 0)))
            if try await store.placed(in: .cold, after: start, limit: 1).first?.placedAt.date.monthNumber == month { found.append(month) }
        }
        return found
    }

    /// Of the oldest; of other old ones in hot where these are not there. Nil where hot has none.
    private static func meanBytes(_ selection: MoveSelection, in store: any TierStore) async throws(StoreError) -> Int64? {
        var selection = selection
        if selection.from != .hot { selection = MoveSelection(from: .hot, states: OrderState.final, since: Instant(microseconds: .min), before: Instant(microseconds: .max)) }
        let keys = try await store.movable(selection, after: nil, limit: sampleMax)
        let documents = try await store.documents(keys.map(\.order))
        // Every key makes as many bytes.
        let key = PersonKeyState.key(.random()), bytes = try documents.map { document throws(StoreError) in try document.bytes(sealedWith: key).count }
        return documents.isEmpty ? nil : Int64(bytes.reduce(0, +) / documents.count)
    }
}
