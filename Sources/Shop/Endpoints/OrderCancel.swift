// POST /api/orders/{id}/cancel: while nothing is shipped. Stock goes back on the shelf in the same transaction; money after it.

internal import Orders

struct OrderCancelEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/orders/{id}/cancel", "Cancel an order; what is reserved or paid goes back.", .actor, body: "CancelRequest", answer: "Receipt", key: .optional,
            needsMatch: true, problems: [404, 409, 412, 422, 428])
    ]

    private let caller: Caller, key: IdempotencyKey?, name: String, version: Int64?, reason: String

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        key = try call.idempotencyKey(required: false)
        name = call.parts["id"] ?? ""
        version = try call.ifMatch()
        var body = try Fields(call)
        reason = try body.optionalText("reason", 1...60) ?? "customer"
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let id = try await shop.order(name)
        let outcome = try await shop.perform(.cancelOrder(id, reason: reason, ifVersion: version), by: caller, key: key)
        if outcome.followUp != nil, !outcome.replayed {
            // Best effort: should the gateway fail now, upkeep and the reconciliation report see to it.
            try? await PaymentFlow(shop: shop).settleEnded(id)
        }
        return .receipt(outcome)
    }
}
