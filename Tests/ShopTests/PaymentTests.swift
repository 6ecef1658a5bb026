// Payments over /api: the sandbox's cards, webhooks and their signatures, money that goes back.

import JSON
import Orders
import Testing

@Suite("Payments over /api")
struct PaymentTests {
    private func setUp() async throws -> (shop: ShopUnderTest, ada: String, order: String) {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("lamp", price: 1_200)
        return (shop, ada, await shop.place(ada, [("lamp", 1)]).id)
    }
    private func status(_ shop: ShopUnderTest, _ path: String) async -> String { await shop.send("GET", path).json["status"]?.string ?? "" }

    @Test("a declined card leaves the order waiting for another")
    func declined() async throws {
        let (shop, ada, order) = try await setUp()
        #expect(await shop.pay(order, ada, card: SandboxGateway.Card.decline).json["status"] == "declined")
        #expect(await status(shop, "/api/orders/\(order)") == "pending")
        let refused = await shop.pay(order, ada, card: "1234567890123456")
        #expect(refused.status == 422 && refused.problem == "gateway-refused")
        #expect(await shop.pay(order, ada).json["status"] == "authorised")
        #expect(await status(shop, "/api/orders/\(order)") == "confirmed")
        #expect(await shop.pay(order, ada).problem == "illegal-transition")
    }

    @Test("a 3-D step holds the payment until the customer comes back", arguments: [true, false])
    func challenge(approves: Bool) async throws {
        let (shop, ada, order) = try await setUp()
        let card = approves ? SandboxGateway.Card.challengeThenApprove : SandboxGateway.Card.challengeThenDecline
        let started = await shop.pay(order, ada, card: card)
        #expect(started.json["status"] == "action_required")
        let challenge = started.json["challenge"]?.string ?? ""
        let path = "/api/payments/\(started.id)/confirm"
        #expect(await shop.send("POST", path, #"{"challenge":"another"}"#, as: "customer:\(ada)").status == 422)
        let done = await shop.send("POST", path, #"{"challenge":"\#(challenge)"}"#, as: "customer:\(ada)")
        #expect(done.json["status"] == .string(approves ? "authorised" : "declined"))
        #expect(await status(shop, "/api/orders/\(order)") == (approves ? "confirmed" : "pending"))
    }

    @Test("a gateway that does not answer is accepted, and its webhook settles it")
    func timeOut() async throws {
        let (shop, ada, order) = try await setUp()
        let started = await shop.pay(order, ada, card: SandboxGateway.Card.timeOut, key: "k")
        #expect(started.status == 202 && started.json["status"] == "created")
        await shop.upkeep.turn()
        #expect(await status(shop, "/api/payments/\(started.id)") == "authorised")
        #expect(await status(shop, "/api/orders/\(order)") == "confirmed")
        #expect(await shop.pay(order, ada, card: SandboxGateway.Card.timeOut, key: "k").bytes == started.bytes)
    }

    @Test("money reserved for an order that ended is released")
    func ended() async throws {
        let (shop, ada, order) = try await setUp()
        let part = await shop.send("POST", "/api/orders/\(order)/payments", #"{"card":"4000000000000002","amount_minor":200}"#, as: "customer:\(ada)", key: "k")
        #expect(part.json["status"] == "authorised")
        await shop.upkeep.turn()
        #expect(await status(shop, "/api/orders/\(order)") == "pending")
        shop.clock.pass(seconds: 901)
        await shop.upkeep.turn()
        #expect(await status(shop, "/api/orders/\(order)") == "expired")
        #expect(await status(shop, "/api/payments/\(part.id)") == "voided")
        #expect(await shop.send("GET", "/api/products/lamp").json["available"] == 10)
    }

    @Test("cancelling a paid order gives the money back")
    func cancelled() async throws {
        let (shop, ada, order) = try await setUp()
        let payment = await shop.pay(order, ada).id
        _ = await shop.send("POST", "/api/payments/\(payment)/capture", #"{"amount_minor":500}"#, key: "c")
        #expect(await status(shop, "/api/payments/\(payment)") == "part_captured")
        #expect(await shop.send("POST", "/api/orders/\(order)/cancel", as: "customer:\(ada)", with: ["if-match": "*"]).status == 200)
        #expect(await status(shop, "/api/payments/\(payment)") == "refunded")
        #expect(await shop.send("GET", "/api/reconciliation").json["clean"] == true)
    }

    @Test("an authorisation that comes after its order expired is voided")
    func tooLate() async throws {
        let (shop, ada, order) = try await setUp()
        let started = await shop.pay(order, ada, card: SandboxGateway.Card.timeOut)
        let body = #"{"event":"e","payment":"\#(started.id)","type":"authorise","reference":"r","amount_minor":1200,"currency":"EUR"}"#
        shop.clock.pass(seconds: 901)
        _ = try await shop.store.perform(StoreCommand(.expireHolds(limit: 10), by: Caller(.service("test"), .maintenance, at: shop.clock.now)))
        #expect(await shop.hook("/api/webhooks/payments", body, secret: shop.services.secrets.payments).json["status"] == "authorised")
        for _ in 0..<200 where await status(shop, "/api/payments/\(started.id)") != "voided" { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await status(shop, "/api/payments/\(started.id)") == "voided")
        #expect(await status(shop, "/api/orders/\(order)") == "expired")
    }

    @Test("a webhook is believed with its signature, in its time, and once")
    func signatures() async throws {
        let (shop, ada, order) = try await setUp()
        let started = await shop.pay(order, ada, card: SandboxGateway.Card.timeOut)
        let body = #"{"event":"e","payment":"\#(started.id)","type":"authorise","reference":"r","amount_minor":1200,"currency":"EUR"}"#
        let path = "/api/webhooks/payments", secret = shop.services.secrets.payments
        #expect(await shop.send("POST", path, body, as: "staff:test").problem == "bad-signature")
        #expect(await shop.hook(path, body, secret: [1, 2, 3]).problem == "bad-signature")
        #expect(await shop.hook(path, body, secret: secret, at: shop.clock.now.adding(seconds: -301)).problem == "signature-too-old")
        let signature = WebhookSignature.sign(Array(body.utf8), secret: secret, at: shop.clock.now)
        let changed = body.replacing("1200", with: "9200")
        #expect(await shop.send("POST", path, changed, as: nil, with: ["isotherm-signature": signature]).status == 403)
        #expect(await status(shop, "/api/payments/\(started.id)") == "created")
        #expect(await shop.hook(path, body, secret: secret).json["changed"] == true)
        #expect(await shop.hook(path, body, secret: secret).json["changed"] == false)
        #expect(await shop.send("GET", "/api/payments/\(started.id)").json["authorised_minor"] == 1_200)
        #expect(await shop.hook(path, body.replacing("EUR", with: "JPY").replacing(#""e""#, with: #""f""#), secret: secret).status == 409)
    }

    @Test("two refunds of one return at once give the money back once")
    func refundsAtOnce() async throws {
        let (shop, ada, _) = try await setUp()
        let (order, payment) = await shop.delivered(ada, [("lamp", 2)])
        let back = await shop.send("POST", "/api/orders/\(order)/returns", #"{"lines":[{"position":1,"quantity":1}],"reason":"dull"}"#, as: "customer:\(ada)", key: "r").id
        for step in ["approve", "receive"] { _ = await shop.send("POST", "/api/returns/\(back)/\(step)") }
        let answers = await withTaskGroup(of: Int.self) { group in
            for at in 0..<8 { group.addTask { await shop.send("POST", "/api/returns/\(back)/refund", key: "k\(at)").status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.filter { $0 == 200 }.count == 1 && answers.filter { $0 == 409 }.count == 7)
        #expect(await shop.send("GET", "/api/payments/\(payment)").json["refunded_minor"] == 1_200)
    }
}
