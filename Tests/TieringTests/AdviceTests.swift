// Counts of reads, and what is advised from them.

import IsothermTesting
import Orders
import OrdersSQLite
import Testing
import Tiering

@Suite("Advice")
struct AdviceTests {
    private static let policy = MoverShop.policy

    @Test("ages fall into the buckets that their bounds say")
    func buckets() {
        let now = MoverShop.now
        for (days, bucket) in [(0, 0), (6, 0), (7, 1), (29, 1), (30, 2), (89, 3), (90, 4), (179, 4), (180, 5), (365, 6), (730, 7), (20_000, 7)] {
            #expect(AgeBucket.of(placedAt: now.adding(days: -Int64(days)), at: now) == bucket)
        }
        #expect(AgeBucket.of(placedAt: now.adding(days: 1), at: now) == 0)
        #expect(AgeBucket.of(placedAt: Instant(microseconds: .min), at: Instant(microseconds: .max)) == 0)
    }

    @Test("a boundary fits, comes too early or too late, by the share of reads on its young side")
    func judges() {
        func advice(_ reads: [Int: Int64]) -> [String] {
            TierAdvice(Self.policy, reads: Dictionary(uniqueKeysWithValues: reads.map { (OrderReadsKey(day: 1, bucket: $0.key, tier: .hot), $0.value) })).sentences
        }
        #expect(advice([0: 999]) == ["999 reads were counted; from 1000 on there is advice"])
        // 96 % below 90 days, 95 % of them not before that; 99.5 % below 180.
        let fits = advice([2: 900, 3: 60, 4: 35, 5: 5])
        #expect(fits[0].hasSuffix("it fits") && fits[1].hasSuffix("it fits"), "\(fits)")
        #expect(advice([0: 990, 3: 10])[0].contains("7 days would do, with 99.0 %"))
        #expect(advice([0: 500, 4: 490, 6: 10])[0].contains("with 180 days it would be 99.0 %"))
        #expect(advice([0: 500, 7: 500])[0].contains("even 730 days would not reach 95.0 %"))
    }

    @Test("every order shown is counted once, under its age and the tier that the directory names; counts are kept over days")
    func counts() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        _ = try await shop.populate(people, count: 40, seed: 21)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        let counter = OrderReadCounter(), tiers = TieredOrderStore(hot: shop.store, shelves: [shop.warm, shop.archive], keys: shop.keys, counting: counter)
        for day in [Int64(0), 1, 1] {
            let caller = Caller(.staff("test"), .support, at: MoverShop.now.adding(days: day))
            let page = try await tiers.orders(of: people[0], OrderListQuery(limit: 100), by: caller)
            _ = try await tiers.order(page.orders[0].id, includesCold: true, by: caller)
            await counter.flush(to: shop.store, by: caller)
        }
        let today = MoverShop.now.microseconds / 86_400_000_000, reads = try await shop.store.orderReads(since: today)
        #expect(reads.filter { $0.key.day == today }.values.reduce(0, +) == 41)
        #expect(reads.filter { $0.key.day == today + 1 }.values.reduce(0, +) == 82)
        let census = try await shop.store.census()
        for tier in Tier.allCases {
            let counted = reads.filter { $0.key.day == today && $0.key.tier == tier }.values.reduce(0, +)
            #expect(counted == census[tier] ?? 0 || counted == (census[tier] ?? 0) + 1)
        }
        await shop.close()
    }
}
