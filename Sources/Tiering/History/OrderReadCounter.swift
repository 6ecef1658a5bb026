// Counts reads in memory until somebody writes them down (`ShopMount`, every ten seconds and at its end). What a killed server had not written is not counted.

package import Orders
import Synchronization

package final class OrderReadCounter: Sendable {
    private let counts = Mutex<[OrderReadsKey: Int64]>([:])

    package init() {}

    package func count(_ orders: some Sequence<Order>, at now: Instant) {
        let day = now.microseconds / 86_400_000_000
        counts.withLock { counts in
            for order in orders {
                guard let tier = Tier(rawValue: order.tier) else { continue }
                counts[OrderReadsKey(day: day, bucket: AgeBucket.of(placedAt: order.placedAt, at: now), tier: tier), default: 0] += 1
            }
        }
    }

    /// Writes down what was counted since the last time; what could not be written is counted on.
    package func flush(to store: any TierStore, by caller: Caller) async {
        let taken = counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
        if taken.isEmpty { return }
        do { _ = try await store.perform(StoreCommand(.move(.countReads(taken)), by: caller)) } catch {
            counts.withLock { $0.merge(taken) { $0 + $1 } }
        }
    }
}
