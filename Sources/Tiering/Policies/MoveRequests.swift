// What moving orders asks of the object stores, reckoned from how many go, of which months. Pure: `TierPlan` counts the orders.
//
//     each batch                    2 puts: its documents, its manifest
//     a batch to the archive        4 puts: requested, inflight, decision, commit; 2 listings; 1 get: the commit, read again
//     each month that it touches    1 put: its file, written anew; 1 put more where it is new: the month's mark; 1 get where it is not: the file before
//                                   read back: 1 get, and of up to 32 orders 1 more for each person's; reckoned is one for each order
//     the first batch of all        1 put: the table's properties
//
// Not in it: what a run asks once beside its batches (its listings, the commits of the timeline), and the pieces that files beyond 8 MiB are read in, beyond 16 MiB
// written in. Deletes are free.

package struct MoveRequests: Sendable, Equatable {
    package var puts: Int64 = 0
    /// Providers price them as puts.
    package var listings: Int64 = 0
    package var gets: Int64 = 0
    package var total: Int64 { puts + listings + gets }
    /// More orders of one month than this are read back by its whole file (`ColdShelf`).
    private static let lookupsMax: Int64 = 32

    package init(puts: Int64 = 0, listings: Int64 = 0, gets: Int64 = 0) { (self.puts, self.listings, self.gets) = (puts, listings, gets) }

    package func cost(_ prices: PriceTable) -> Double {
        Double(puts + listings) / 1_000 * prices.thousandPuts + Double(gets) / 1_000 * prices.thousandGets
    }

    /// Adds those of orders that go one after the other, the oldest first: so a batch touches the months that it fills up, and its last one again the next.
    /// - Parameters:
    ///   - months: rising.
    ///   - batch: orders in one, at least 1.
    ///   - archive: nil: they go to a tier that is no object store.
    package mutating func add(_ months: [(month: Int64, orders: Int64)], batch: Int64, _ archive: inout ArchiveMonths?) {
        // Left of the batch that is being filled.
        var room: Int64 = 0
        for (month, orders) in months {
            var rest = orders
            while rest > 0 {
                if room == 0 {
                    room = max(batch, 1)
                    begin(&archive)
                }
                let some = min(rest, room)
                if archive != nil { touch(month, some, &archive) }
                (rest, room) = (rest - some, room - some)
            }
        }
    }

    private mutating func begin(_ archive: inout ArchiveMonths?) {
        puts += 2
        guard let table = archive else { return }
        (puts, listings, gets) = (puts + 4 + (table.isMade ? 0 : 1), listings + 2, gets + 1)
        archive?.isMade = true
    }

    private mutating func touch(_ month: Int64, _ orders: Int64, _ archive: inout ArchiveMonths?) {
        let files = min(orders, archive?.buckets ?? 1), isNew = archive?.months.insert(month).inserted ?? false
        puts += files + (isNew ? 1 : 0)
        gets += (isNew ? 0 : files) + files + (orders > Self.lookupsMax ? 0 : orders)
    }
}

/// What of the archive is there before a batch.
package struct ArchiveMonths: Sendable, Equatable {
    package var isMade: Bool
    /// By `CivilDate.monthNumber`.
    package var months: Set<Int64>
    /// File groups a month: a file for each is written at most.
    package var buckets: Int64

    package init(isMade: Bool = false, months: Set<Int64> = [], buckets: Int64 = 1) { (self.isMade, self.months, self.buckets) = (isMade, months, buckets) }
}
