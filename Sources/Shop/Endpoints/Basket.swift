// A person's basket: what they mean to order, at the prices of now.

internal import JSON
internal import Orders

struct BasketGetEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/people/{id}/basket", "A person's basket.", .actor, answer: "Basket", problems: [404])]

    private let caller: Caller, person: PersonKey

    init(_ call: ShopCall) throws(Problem) { (caller, person) = (try call.caller(.selfService), try call.personKey()) }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let lines = try await shop.store.basket(of: try await shop.person(person, by: caller), by: caller)
        return .json { w in
            w.list("lines", lines) { w, line in
                w.member("quantity", line.quantity)
                w.key("product")
                w.object { w in w.product(line.product) }
            }
        }
    }
}

struct BasketPutEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .put, "/api/people/{id}/basket/{product}", "So many of a product in the basket; 0 takes it out.", .actor, body: "QuantityRequest", answer: "Receipt", problems: [404])
    ]

    private let caller: Caller, person: PersonKey, product: ProductID, quantity: Int64

    init(_ call: ShopCall) throws(Problem) {
        (caller, person, product) = (try call.caller(.selfService), try call.personKey(), ProductID(call.parts["product"] ?? ""))
        var body = try Fields(call)
        quantity = try body.integer("quantity", 0...10_000)
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        .receipt(try await shop.perform(.setBasketLine(try await shop.person(person, by: caller), product, quantity: quantity), by: caller))
    }
}
