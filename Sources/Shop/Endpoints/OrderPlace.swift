// POST /api/orders: price and stock checked, stock held, lines frozen, all in one transaction; answered once that is on the disk.

internal import JSON
internal import Orders

struct OrderPlaceEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/orders", "Place an order: its stock is held until it is paid or the hold ends.", .actor, body: "OrderRequest", answer: "Receipt", status: 201,
            key: .required, problems: [409, 422, 429])
    ]

    private let caller: Caller, key: IdempotencyKey?
    private let draft: OrderDraft

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.checkout)
        key = try call.idempotencyKey(required: true)
        var body = try Fields(call)
        var person: PersonRef? = try body.optionalID("person")
        // A customer orders for themself.
        if person == nil, case .customer(let own) = caller.actor { person = own }
        guard let person else { throw .invalid("person is missing: who orders", pointer: "/person") }
        let currency = try body.currency() ?? "EUR"
        let lines = try body.list("lines", 1...100) { line throws(Problem) in try OrderDraft.Line(&line, currency) }
        draft = OrderDraft(
            person: person, lines: lines, currency: currency, address: try body.optionalID("address"),
            holdSeconds: try body.optionalInteger("hold_seconds", 1...604_800) ?? 900, emptiesBasket: try body.flag("empties_basket"))
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let outcome = try await shop.perform(.placeOrder(draft), by: caller, key: key)
        return .receipt(outcome, status: 201, location: "/api/orders/") { w in
            if let id = outcome.id { w.member("reference", OrderReference.make(OrderID(id))) }
        }
    }
}

extension OrderDraft.Line {
    init(_ fields: inout Fields, _ currency: Currency) throws(Problem) {
        self.init(
            ProductID(try fields.text("product", 1...512)), quantity: try fields.optionalInteger("quantity", 1...10_000) ?? 1,
            expectedPrice: try fields.optionalAmount("expected_price_minor").map { Money($0, currency) },
            freightMinor: try fields.optionalAmount("freight_minor") ?? 0)
    }
}
