// GET /api/orders/{id}: one order with its lines; by its identifier, its reference, or `ref:SOURCE:KEY`, what an imported one was called before.

internal import Orders

struct OrderGetEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .get, "/api/orders/{id}", "One order with its lines.", .actor,
            query: [("include", "cold: the lines of an archived order too; without it such an order is its state and totals")], answer: "Order", problems: [404])
    ]

    private let caller: Caller, name: String, known: String?, includesCold: Bool

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        (name, known) = (call.parts["id"] ?? "", call.headers["if-none-match"])
        includesCold = try call.includesCold()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let (order, archive) = try await shop.store.order(try await shop.order(name), includesCold: includesCold, by: caller)
        if known == "\"\(order.version)\"" { return ShopAnswer(304).tagged(order.version) }
        return ShopAnswer.json { w in
            w.order(order)
            w.archive(archive)
        }.tagged(order.version)
    }
}
