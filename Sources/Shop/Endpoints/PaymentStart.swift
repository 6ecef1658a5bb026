// POST /api/orders/{id}/payments: reserves the amount at the gateway. GET: the order's payments with their events.

internal import JSON
internal import Orders

struct PaymentStartEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/orders/{id}/payments", "Pay for an order: reserves the amount. 202 while the gateway has not answered.", .actor, body: "PaymentRequest",
            answer: "Receipt", status: 201, key: .required, problems: [404, 409, 422, 429])
    ]

    private let caller: Caller, key: IdempotencyKey, name: String, card: String, amount: Int64?

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.payment)
        guard let key = try call.idempotencyKey(required: true) else { throw .unauthenticated }
        self.key = key
        name = call.parts["id"] ?? ""
        var body = try Fields(call)
        card = try body.text("card", 12...30)
        amount = try body.optionalAmount("amount_minor")
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let result = try await PaymentFlow(shop: shop).start(try await shop.order(name), amount, card: card, key: key, caller)
        return .receipt(result.outcome, status: result.isUnknown ? 202 : 201, location: "/api/payments/") { w in
            if let challenge = result.challenge { w.member("challenge", challenge) }
        }
    }
}

struct PaymentListEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/orders/{id}/payments", "An order's payments with their events.", .actor, answer: "Payments", problems: [404])]

    private let caller: Caller, name: String

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        name = call.parts["id"] ?? ""
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let payments = try await shop.store.payments(of: try await shop.order(name), by: caller)
        return .json { w in w.list("payments", payments) { w, payment in w.payment(payment) } }
    }
}
