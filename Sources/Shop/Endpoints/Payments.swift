// /api/payments/{id} and what can be done with one: confirm (the second step of 3-D Secure), capture, refund, void.

internal import JSON
internal import Orders

struct PaymentGetEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/payments/{id}", "One payment with its events.", .actor, answer: "Payment", problems: [404])]

    private let caller: Caller, id: PaymentID

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        id = try call.id("id", "payment")
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let payment = try await shop.store.payment(id, by: caller)
        return ShopAnswer.json { w in w.payment(payment) }.tagged(payment.version)
    }
}

struct PaymentConfirmEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/payments/{id}/confirm", "The customer came back from the second step.", .actor, body: "ConfirmRequest", answer: "Receipt", key: .optional,
            problems: [404, 409, 422])
    ]

    private let caller: Caller, key: IdempotencyKey?, id: PaymentID, challenge: String

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.payment)
        key = try call.idempotencyKey(required: false)
        id = try call.id("id", "payment")
        var body = try Fields(call)
        challenge = try body.text("challenge", 1...300)
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        .receipt(try await PaymentFlow(shop: shop).confirm(id, challenge: challenge, key: key, caller).outcome)
    }
}

/// Capture, refund and void: by staff and services, all or a part.
struct PaymentMoveEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/payments/{id}/capture", "Take what is reserved, or a part of it.", .staff, body: "AmountRequest", answer: "Receipt", key: .required,
            problems: [404, 409, 422]),
        APIOperation(
            .post, "/api/payments/{id}/refund", "Give back what was taken, or a part of it.", .staff, body: "AmountRequest", answer: "Receipt", key: .required,
            problems: [404, 409, 422]),
        APIOperation(
            .post, "/api/payments/{id}/void", "Release what is reserved and not taken.", .staff, answer: "Receipt", key: .required, problems: [404, 409, 422]),
    ]

    private let caller: Caller, key: IdempotencyKey, id: PaymentID, move: String, amount: Int64?

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.payment)
        guard let key = try call.idempotencyKey(required: true) else { throw .unauthenticated }
        self.key = key
        id = try call.id("id", "payment")
        move = call.segments.last ?? ""
        var body = try Fields(call)
        amount = move == "void" ? nil : try body.optionalAmount("amount_minor")
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let flow = PaymentFlow(shop: shop)
        let outcome = switch move {
        case "capture": try await flow.capture(id, amount, key: key, caller)
        case "refund": try await flow.refund(id, amount, key: key, caller)
        default: try await flow.void(id, key: key, caller)
        }
        return .receipt(outcome)
    }
}
