// Placing orders: what is promised about stock, prices, keys, frozen lines and what every order leaves behind.

import IsothermTesting
import Orders
import OrdersSQLite
import Testing

@Suite("Orders: placing")
struct PlacingTests {
    @Test("an order holds its stock, freezes its lines, and stands in the directory")
    func place() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("lamp", price: 1_999, stock: 5)
        try await shop.product("bulb", price: 250, stock: 50)
        let outcome = try await shop.run(.placeOrder(shop.draft(ada, [("lamp", 2), ("bulb", 3)])))
        let id = OrderID(try #require(outcome.id))
        #expect(outcome.state == "pending" && outcome.changed == 1)
        try await shop.run(.setPrice("lamp", Money(9, "EUR")))
        try await shop.run(.putProduct(ProductDraft("bulb", title: "Another", price: Money(1, "EUR"))))
        let order = try await shop.order(id)
        #expect(order.totalMinor == 2 * 1_999 + 3 * 250)
        #expect(order.lines.map(\.title) == ["Title of lamp", "Title of bulb"])
        #expect(order.lines.map(\.unitMinor) == [1_999, 250])
        #expect(order.holdEndsAt == TestShop.start.adding(seconds: 900))
        #expect(order.reference == OrderReference.make(id))
        #expect(try await shop.store.orderID(reference: order.reference.lowercased()) == id)
        #expect(try await shop.available("lamp") == 3)
        #expect(try await shop.available("bulb") == 47)
        #expect(try await shop.number("SELECT sum(held) FROM stock") == 5)
        let entry = try #require(try await shop.store.outbox(after: outcome.version - 1, limit: 1).first)
        #expect(entry.change == .order(id, state: .pending, stock: ["lamp": 3, "bulb": 47]))
    }

    @Test("too little stock refuses the whole order and names what is left")
    func outOfStock() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", stock: 5)
        try await shop.product("b", stock: 1)
        let before = try await shop.store.outboxPosition()
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1), ("b", 2)]))) == .outOfStock(["b": 1]))
        #expect(try await shop.available("a") == 5)
        #expect(try await shop.store.outboxPosition() == before)
        // The same product twice needs both.
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 3), ("a", 3)]))) == .outOfStock(["a": 2]))
        #expect(try await shop.available("a") == 5)
        #expect(try await shop.number("SELECT count(*) FROM orders") == 0)
    }

    @Test("another price than the caller was shown refuses, and says the price")
    func priceCheck() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", price: 500)
        var draft = shop.draft(ada, [("a", 1)])
        draft.lines[0].expectedPrice = Money(499, "EUR")
        #expect(await shop.refusal(.placeOrder(draft)) == .priceChanged(["a": Money(500, "EUR")]))
        draft.lines[0].expectedPrice = Money(500, "EUR")
        #expect(await shop.refusal(.placeOrder(draft)) == nil)
        draft.currency = "USD"
        #expect(await shop.refusal(.placeOrder(draft)) != nil)
    }

    @Test("the same key and request is one order, however often; another request under the key is refused")
    func idempotency() async throws {
        let shop = try TestShop()
        let ada = try await shop.person(), bob = try await shop.person("Bob")
        try await shop.product("a")
        let action = StoreCommand.Action.placeOrder(shop.draft(ada, [("a", 1)]))
        let first = try await shop.run(action, key: "k", hash: [1])
        for _ in 0..<3 {
            var again = try await shop.run(action, key: "k", hash: [1])
            #expect(again.replayed)
            again.replayed = false
            again.version = first.version
            #expect(again == first)
        }
        #expect(await shop.refusal(action, key: "k", hash: [2]) == .idempotencyKeyReused)
        #expect(try await shop.available("a") == 9)
        // Another actor's key of the same name is another key.
        _ = try await shop.run(.placeOrder(shop.draft(bob, [("a", 1)])), by: .customer(bob), key: "k", hash: [2])
        #expect(try await shop.available("a") == 8)
        // A refusal is not kept: it may be possible later.
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 100)])), key: "m") != nil)
        try await shop.run(.adjustStock("a", by: 100))
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 100)])), key: "m") == nil)
    }

    @Test("what makes no sense is refused with words, and leaves nothing")
    func nonsense() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", price: .max / 2, stock: 100_000)
        let audits = try await shop.store.verifyAudit().rows
        for draft in [
            OrderDraft(person: ada, lines: []), shop.draft(ada, [("a", 0)]), shop.draft(ada, [("a", -1)]), shop.draft(ada, [("a", 10_001)]),
            shop.draft(ada, [("a", 3)]), shop.draft(ada, Array(repeating: ("a", 1), count: 101)), shop.draft(PersonRef(.random()), [("a", 1)]),
            shop.draft(ada, [("nothing", 1)]), shop.draft(ada, [("", 1)]),
        ] {
            #expect(await shop.refusal(.placeOrder(draft)) != nil)
        }
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1)])), key: "") != nil)
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1)])), key: String(repeating: "k", count: 201)) != nil)
        #expect(try await shop.number("SELECT count(*) FROM orders") == 0)
        #expect(try await shop.store.verifyAudit().rows == audits)
    }

    @Test("64 buyers of three products that share the last 10 of one: exactly 10 are sold", arguments: UInt64(0)..<20)
    func lastTen(seed: UInt64) async throws {
        let shop = try TestShop()
        try await shop.product("shared", stock: 10)
        for n in 0..<8 { try await shop.product(ProductID("p\(n)"), stock: 1_000) }
        let people = try await shop.person()
        var random = Seeded(seed)
        let drafts = (0..<64).map { _ in
            shop.draft(people, [(ProductID("p\(Int.random(in: 0..<8, using: &random))"), 1), ("shared", 1), (ProductID("p\(Int.random(in: 0..<8, using: &random))"), 1)].shuffled(using: &random))
        }
        let placed = await withTaskGroup(of: StoreError?.self) { group in
            for draft in drafts { group.addTask { await shop.refusal(.placeOrder(draft)) } }
            var placed = 0
            for await refusal in group {
                if refusal == nil { placed += 1 } else { #expect(refusal == .outOfStock(["shared": 0])) }
            }
            return placed
        }
        #expect(placed == 10)
        #expect(try await shop.available("shared") == 0)
        #expect(try await shop.number("SELECT count(*) FROM orders") == 10)
        #expect(try await shop.number("SELECT count(*) FROM order_lines") == 30)
        #expect(try await shop.number("SELECT sum(held) FROM stock") == 30)
        #expect(try await shop.number("SELECT count(*) FROM stock WHERE received <> available + held + sold") == 0)
    }

    @Test("a customer orders for themself, and sees no other's order, payment or person")
    func ownOnly() async throws {
        let shop = try TestShop()
        let ada = try await shop.person(), eve = try await shop.person("Eve")
        try await shop.product("a")
        let order = try await shop.place(ada, [("a", 1)])
        let payment = try await shop.pay(order)
        let asEve = shop.caller(.customer(eve)), store = shop.store
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1)])), by: .customer(eve)) == .notFound("such person"))
        #expect(await shop.refusal(.cancelOrder(order, reason: "", ifVersion: nil), by: .customer(eve)) == .notFound("such order"))
        #expect(await shop.refusal(.startPayment(order, PaymentDraft(gateway: "x")), by: .customer(eve)) == .notFound("such order"))
        await #expect(throws: StoreError.notFound("such order")) { try await store.order(order, by: asEve) }
        await #expect(throws: StoreError.notFound("such order")) { try await store.payments(of: order, by: asEve) }
        await #expect(throws: StoreError.notFound("such order")) { try await store.shipments(of: order, by: asEve) }
        await #expect(throws: StoreError.notFound("such order")) { try await store.returns(of: order, by: asEve) }
        await #expect(throws: StoreError.notFound("such order")) { try await store.tracking(of: order, after: 0, limit: 10, by: asEve) }
        await #expect(throws: StoreError.notFound("such payment")) { try await store.payment(payment, by: asEve) }
        await #expect(throws: StoreError.notFound("such person")) { try await store.person(ada, by: asEve) }
        await #expect(throws: StoreError.notFound("such person")) { try await store.addresses(of: ada, by: asEve) }
        await #expect(throws: StoreError.notFound("such person")) { try await store.orders(of: ada, OrderListQuery(), by: asEve) }
        await #expect(throws: StoreError.notFound("such person")) { try await store.frames(of: ada, by: asEve) }
        await #expect(throws: StoreError.notFound("such person")) { try await store.basket(of: ada, by: asEve) }
        #expect(try await store.order(order, by: shop.caller(.customer(ada))).id == order)
        for action: StoreCommand.Action in [.setStock("a", available: 5), .setPrice("a", Money(1, "EUR")), .expireHolds(limit: 1), .forgetKeys(before: .now())] {
            guard case .forbidden = await shop.refusal(action, by: .customer(eve)) else {
                Issue.record("a customer may do \(action.name)")
                continue
            }
        }
    }

    @Test("a hold that is over gives its stock back, once; one that is not, does not")
    func holds() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", stock: 5)
        let early = try await shop.place(ada, [("a", 2)])
        let late = try await shop.place(ada, [("a", 1)], at: TestShop.start.adding(seconds: 500))
        #expect(try await shop.run(.expireHolds(limit: 10), at: TestShop.start.adding(seconds: 899)).changed == 0)
        #expect(try await shop.run(.expireHolds(limit: 10), at: TestShop.start.adding(seconds: 900)).changed == 1)
        #expect(try await shop.run(.expireHolds(limit: 10), at: TestShop.start.adding(seconds: 900)).changed == 0)
        #expect(try await shop.order(early).state == .expired)
        #expect(try await shop.order(late).state == .pending)
        #expect(try await shop.available("a") == 4)
        let refusal = await shop.refusal(.cancelOrder(early, reason: "", ifVersion: nil))
        #expect(refusal == .illegalTransition(of: "the order", state: "expired", event: "cancel", legal: []))
    }

    @Test("personal data is in two tables only, found by a keyed token, and every reading of it is written down")
    func personalData() async throws {
        let shop = try TestShop()
        let outcome = try await shop.run(.putPerson(PersonDraft(name: "Ada Lovelace", email: "Ada@Example.org", phone: "+44 1")))
        let ada = PersonRef(try #require(outcome.id))
        try await shop.run(.addAddress(ada, AddressDraft(name: "Ada", street: "12 Square", city: "London", postalCode: "W1", country: "GB")))
        try await shop.product("a")
        _ = try await shop.place(ada, [("a", 1)])
        let before = try await shop.store.verifyAudit().rows
        #expect(try await shop.store.person(email: " ada@example.ORG ", by: shop.caller()).ref == ada)
        #expect(try await shop.store.person(ada, by: shop.caller()).name == "Ada Lovelace")
        #expect(try await shop.store.addresses(of: ada, by: shop.caller()).map(\.place.city) == ["London"])
        #expect(try await shop.store.verifyAudit().rows == before + 3)
        #expect(await shop.refusal(.putPerson(PersonDraft(name: "Other", email: "ADA@example.org"))) == .conflict("this e-mail address is taken"))
        for table in ["orders", "order_lines", "order_directory", "outbox", "audit_log", "idempotency_keys", "order_counts", "stock"] {
            #expect(try await shop.store.mentions("Lovelace", in: table) == false, "\(table)")
            #expect(try await shop.store.mentions("xample", in: table) == false, "\(table)")
        }
    }

    @Test("the audit chain holds, and a changed, removed or added row breaks it")
    func auditChain() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a")
        for _ in 0..<5 { _ = try await shop.place(ada, [("a", 1)]) }
        let whole = try await shop.store.verifyAudit()
        #expect(whole.firstBroken == nil && whole.rows == 8)
        for damage in ["UPDATE audit_log SET actor = 'staff:other' WHERE seq = 4", "UPDATE audit_log SET at = at + 1 WHERE seq = 4", "UPDATE audit_log SET subject = '' WHERE seq = 4"] {
            let other = try shop.store.damagedCopy(of: shop, damage)
            #expect(try await other.verifyAudit().firstBroken == 4, "\(damage)")
            other.close()
        }
        let cut = try shop.store.damagedCopy(of: shop, "DELETE FROM audit_log WHERE seq = 4")
        #expect(try await cut.verifyAudit().firstBroken == 5)
        cut.close()
    }
}
