// What happens to an order after it was placed: payments, shipments, returns, exchanges, and what each leaves in stock and sums.

import IsothermTesting
import Orders
import OrdersSQLite
import Testing

@Suite("Orders: life")
struct LifeTests {
    @Test("paid, shipped in two parcels, delivered, part-returned and refunded: sums and stock agree at each step")
    func life() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", price: 1_000, stock: 10)
        try await shop.product("b", price: 500, stock: 10)
        let order = try await shop.place(ada, [("a", 2), ("b", 1)])
        let payment = try await shop.pay(order)
        #expect(try await shop.order(order).state == .confirmed)
        #expect(try await shop.number("SELECT sum(held) FROM stock") == 0)
        #expect(try await shop.number("SELECT sum(sold) FROM stock") == 3)

        try await shop.run(.createShipment(order, ShipmentDraft(carrier: "post", trackingCode: "1", lines: [.init(position: 1, quantity: 1)])))
        #expect(try await shop.order(order).state == .partShipped)
        try await shop.report(payment, .capture, amount: 1_000)
        try await shop.run(.createShipment(order, ShipmentDraft(carrier: "post", trackingCode: "2")))
        #expect(try await shop.order(order).state == .shipped)
        try await shop.report(payment, .capture)
        #expect(try await shop.order(order).paidMinor == 2_500)

        for code in ["1", "2"] {
            #expect(try await shop.order(order).state == .shipped)
            try await shop.run(.recordTracking(TrackingReport(carrier: "post", trackingCode: code, eventID: code, .deliver, happenedAt: TestShop.start)))
        }
        #expect(try await shop.order(order).state == .delivered)
        #expect(try await shop.order(order).returnableUntil == TestShop.start.adding(days: 30))
        #expect(try await shop.store.product("a").kept == 2)

        let draft = ReturnDraft(lines: [.init(position: 1, quantity: 1)], reason: "too_small")
        let asked = ReturnID(try #require(try await shop.run(.requestReturn(order, draft), by: .customer(ada)).id))
        for event in [ReturnEvent.approve, .receive] { try await shop.run(.advanceReturn(asked, event, note: "")) }
        #expect(try await shop.order(order).state == .partReturned)
        #expect(try await shop.available("a") == 9)
        #expect(try await shop.store.product("a").kept == 1)
        #expect(await shop.refusal(.advanceReturn(asked, .refund, note: "")) != nil)
        try await shop.report(payment, .refund, amount: 1_000)
        try await shop.run(.advanceReturn(asked, .refund, note: ""))
        let end = try await shop.order(order)
        #expect(end.refundedMinor == 1_000 && end.paidMinor == 2_500)
        #expect(try await shop.store.reconciliation(by: shop.caller()).isClean)
        #expect(try await shop.number("SELECT count(*) FROM refunds") == 1)
        #expect(try await shop.store.verifyAudit().firstBroken == nil)
        #expect(try await shop.number("SELECT count(*) FROM order_directory d JOIN orders o USING (order_id) WHERE d.state <> o.state OR d.version <> o.version") == 0)
    }

    @Test("more than is left can be neither captured, refunded, shipped nor returned")
    func tooMuch() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", price: 1_000)
        let order = try await shop.delivered(ada, [("a", 2)])
        let payment = try #require(try await shop.store.payments(of: order, by: shop.caller()).first)
        func refused(_ what: PaymentReport.What, _ amount: Int64?) async -> Bool {
            await shop.refusal(.recordPayment(PaymentReport(payment: payment.id, gateway: "sandbox", eventID: "\(Bytes16.random())", what, amountMinor: amount, happenedAt: TestShop.start))) != nil
        }
        #expect(await refused(.capture, 1))
        #expect(await refused(.refund, 2_001))
        #expect(await refused(.refund, -1))
        #expect(await refused(.refund, .max))
        #expect(await refused(.authorise, nil))
        #expect(await shop.refusal(.createShipment(order, ShipmentDraft(carrier: "post", trackingCode: "x"))) != nil)
        for lines in [[(1, 3)], [(1, 2), (1, 1)], [(2, 1)], [(0, 1)], [(1, 0)], [(1, -1)], []] as [[(Int64, Int64)]] {
            let draft = ReturnDraft(lines: lines.map { .init(position: $0.0, quantity: $0.1) }, reason: "x")
            #expect(await shop.refusal(.requestReturn(order, draft)) != nil, "\(lines)")
        }
        #expect(await shop.refusal(.requestReturn(order, ReturnDraft(lines: [.init(position: 1, quantity: 1)], reason: "my street is…"))) != nil)
        let late = TestShop.start.adding(days: 31)
        #expect(await shop.refusal(.requestReturn(order, ReturnDraft(lines: [.init(position: 1, quantity: 1)], reason: "x")), at: late) != nil)
    }

    @Test("webhooks in any order, each of them twice, come to the same sums", arguments: UInt64(0)..<40)
    func webhooks(seed: UInt64) async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", price: 1_000)
        let order = try await shop.place(ada, [("a", 1)])
        let payment = PaymentID(try #require(try await shop.run(.startPayment(order, PaymentDraft(gateway: "sandbox"))).id))
        let events: [(PaymentReport.What, Int64?)] = [(.authorise, 1_000), (.capture, 300), (.capture, 500), (.void, 200), (.refund, 100), (.refund, 700)]
        var random = Seeded(seed)
        let sent = (Array(events.indices) + events.indices).shuffled(using: &random)
        for at in sent { try await shop.report(payment, events[at].0, amount: events[at].1, event: "e\(at)", webhook: true) }
        let found = try await shop.store.payment(payment, by: shop.caller())
        #expect(found.state == .refunded && found.authorisedMinor == 1_000 && found.capturedMinor == 800 && found.refundedMinor == 800 && found.voidedMinor == 200)
        #expect(found.events.count == events.count && found.events.allSatisfy(\.applied))
        #expect(try await shop.order(order).state == .confirmed)
        #expect(try await shop.order(order).paidMinor == 800)
        #expect(try await shop.store.reconciliation(by: shop.caller()).sums.isEmpty)
    }

    @Test("a webhook that contradicts is kept, changes nothing, and the reconciliation shows it; the same said by us is refused")
    func contradiction() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a")
        let order = try await shop.place(ada, [("a", 1)])
        let payment = try await shop.pay(order)
        try await shop.report(payment, .decline, event: "d", webhook: true)
        #expect(try await shop.store.payment(payment, by: shop.caller()).state == .authorised)
        #expect(try await shop.store.reconciliation(by: shop.caller()).ignored.count == 1)
        guard case .illegalTransition = await shop.refusal(.recordPayment(PaymentReport(payment: payment, gateway: "sandbox", eventID: "x", .decline, happenedAt: TestShop.start))) else {
            Issue.record("declining an authorised payment was not refused")
            return
        }
    }

    @Test("money that comes for an order that ended is to be given back, and somebody is told")
    func lateMoney() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", stock: 1)
        let order = try await shop.place(ada, [("a", 1)])
        let payment = PaymentID(try #require(try await shop.run(.startPayment(order, PaymentDraft(gateway: "sandbox"))).id))
        try await shop.run(.expireHolds(limit: 10), at: TestShop.start.adding(seconds: 1_000))
        let told = try await shop.report(payment, .authorise, event: "late", webhook: true)
        #expect(told.followUp == .voidPayment)
        #expect(try await shop.order(order).state == .expired)
        #expect(try await shop.store.reconciliation(by: shop.caller()).open.count == 1)
        #expect(try await shop.report(payment, .void).followUp == nil)
        #expect(try await shop.store.reconciliation(by: shop.caller()).isClean)
        // Cancelled after it was paid for.
        let second = try await shop.place(ada, [("a", 1)])
        let paid = try await shop.pay(second)
        try await shop.report(paid, .capture)
        #expect(try await shop.run(.cancelOrder(second, reason: "", ifVersion: nil), by: .customer(ada)).followUp == .refundPayment)
        #expect(try await shop.available("a") == 1)
    }

    @Test("an order changes only at the version its caller saw")
    func versions() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a")
        let order = try await shop.place(ada, [("a", 1)])
        _ = try await shop.pay(order)
        #expect(await shop.refusal(.cancelOrder(order, reason: "", ifVersion: 1)) == .versionMismatch(current: 2))
        #expect(await shop.refusal(.cancelOrder(order, reason: "", ifVersion: 2)) == nil)
    }

    @Test("tracking in any order, each event twice, comes to the same state, and effects happen once", arguments: UInt64(0)..<20)
    func tracking(seed: UInt64) async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a")
        let order = try await shop.place(ada, [("a", 1)])
        _ = try await shop.pay(order)
        try await shop.run(.createShipment(order, ShipmentDraft(carrier: "post", trackingCode: "1")))
        let kinds: [TrackingKind] = [.pickup, .transit, .exception, .out, .deliver]
        var random = Seeded(seed)
        for at in (Array(kinds.indices) + kinds.indices).shuffled(using: &random) {
            let happened = TestShop.start.adding(seconds: Int64(at))
            try await shop.run(.recordTracking(TrackingReport(carrier: "post", trackingCode: "1", eventID: "e\(at)", kinds[at], happenedAt: happened)), at: TestShop.start.adding(days: 1))
        }
        let shipment = try #require(try await shop.store.shipments(of: order, by: shop.caller()).first)
        #expect(shipment.state == .delivered && shipment.events.map(\.kind) == kinds)
        let now = try await shop.order(order)
        #expect(now.state == .delivered && now.deliveredAt == TestShop.start.adding(seconds: 4))
        #expect(try await shop.store.product("a").kept == 1)
        let all = try await shop.store.tracking(of: order, after: 0, limit: 100, by: shop.caller())
        #expect(all.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(try await shop.store.tracking(of: order, after: 3, limit: 100, by: shop.caller()) == Array(all[3...]))
    }

    @Test("an exchange is an order of as much in goods, with nothing to pay")
    func exchange() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("small", price: 1_000)
        try await shop.product("large", price: 1_000)
        try await shop.product("dear", price: 1_001)
        let order = try await shop.delivered(ada, [("small", 1)])
        let asked = ReturnID(try #require(try await shop.run(.requestReturn(order, ReturnDraft(lines: [.init(position: 1, quantity: 1)], reason: "size"))).id))
        #expect(await shop.refusal(.exchangeReturn(asked, [.init("large")])) != nil)
        for event in [ReturnEvent.approve, .receive] { try await shop.run(.advanceReturn(asked, event, note: "")) }
        #expect(await shop.refusal(.exchangeReturn(asked, [.init("dear")])) != nil)
        let made = OrderID(try #require(try await shop.run(.exchangeReturn(asked, [.init("large")])).id))
        let new = try await shop.order(made)
        #expect(new.state == .confirmed && new.creditMinor == 1_000 && new.exchangeOf == asked)
        #expect(try await shop.order(order).state == .returned)
        #expect(try await shop.available("small") == 10)
        #expect(try await shop.available("large") == 9)
        #expect(await shop.refusal(.exchangeReturn(asked, [.init("large")])) != nil)
        #expect(try await shop.store.reconciliation(by: shop.caller()).isClean)
    }

    @Test("the sandbox's cards do as its page says, and its webhooks verify", arguments: [
        (SandboxGateway.Card.approve, PaymentState.authorised), (SandboxGateway.Card.decline, .declined), (SandboxGateway.Card.challengeThenApprove, .authorised),
        (SandboxGateway.Card.challengeThenDecline, .declined), (SandboxGateway.Card.timeOut, .authorised), (SandboxGateway.Card.lateWebhook, .authorised),
    ])
    func sandbox(card: String, end: PaymentState) async throws {
        let shop = try TestShop()
        let ada = try await shop.person(), gateway = SandboxGateway(secret: [1, 2])
        try await shop.product("a")
        let order = try await shop.place(ada, [("a", 1)])
        let payment = PaymentID(try #require(try await shop.run(.startPayment(order, PaymentDraft(gateway: "sandbox"))).id))
        let request = GatewayRequest(payment: payment, key: "1", amount: Money(1_000, "EUR"))
        do throws(GatewayFailure) {
            var answer = try await gateway.authorise(request, card: card)
            if let challenge = answer.challenge {
                _ = try? await shop.run(.recordPayment(answer.report(payment, gateway: "sandbox", at: TestShop.start)))
                answer = try await gateway.confirm(request, challenge: challenge)
            }
            _ = try? await shop.run(.recordPayment(answer.report(payment, gateway: "sandbox", at: TestShop.start)))
        } catch {
            #expect(error == .timedOut && card == SandboxGateway.Card.timeOut)
        }
        for hook in gateway.dueWebhooks(late: true, at: TestShop.start) {
            try WebhookSignature.verify(hook.body, signature: hook.signature, secret: [1, 2], at: TestShop.start)
            for _ in 0..<2 { try await shop.run(.recordPayment(GatewayWebhook(body: hook.body).report(gateway: "sandbox", at: TestShop.start))) }
        }
        #expect(try await shop.store.payment(payment, by: shop.caller()).state == end)
    }
}
