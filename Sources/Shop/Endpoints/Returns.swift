// Returns: asked for by the customer within the window, then approved, received, and refunded or exchanged.

internal import JSON
internal import Orders

struct ReturnRequestEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/orders/{id}/returns", "Ask to return units of a delivered order.", .actor, body: "ReturnRequest", answer: "Receipt", status: 201, key: .required,
            problems: [404, 409, 422])
    ]

    private let caller: Caller, key: IdempotencyKey?, name: String, draft: ReturnDraft

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        key = try call.idempotencyKey(required: true)
        name = call.parts["id"] ?? ""
        var body = try Fields(call)
        draft = ReturnDraft(
            lines: try body.list("lines", 1...100) { line throws(Problem) in try ShipmentDraft.Line(&line) }, reason: try body.text("reason", 1...60))
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let outcome = try await shop.perform(.requestReturn(try await shop.order(name), draft), by: caller, key: key)
        return .receipt(outcome, status: 201, location: "/api/returns/")
    }
}

struct ReturnListEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/orders/{id}/returns", "An order's returns.", .actor, answer: "Returns", problems: [404])]

    private let caller: Caller, name: String

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        name = call.parts["id"] ?? ""
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let returns = try await shop.store.returns(of: try await shop.order(name), by: caller)
        return .json { w in w.list("returns", returns) { w, found in w.returned(found) } }
    }
}

struct ReturnGetEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/returns/{id}", "One return.", .actor, answer: "Return", problems: [404])]

    private let caller: Caller, id: ReturnID

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        id = try call.id("id", "return")
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let found = try await shop.store.returned(id, by: caller)
        return ShopAnswer.json { w in w.returned(found) }.tagged(found.version)
    }
}

/// Approve, reject, receive by staff; cancel by the customer too.
struct ReturnAdvanceEndpoint: Endpoint {
    static let operations = [ReturnEvent.approve, .reject, .receive, .cancel].map { event in
        APIOperation(
            .post, "/api/returns/{id}/\(event.rawValue)", summaries[event] ?? "", event == .cancel ? .actor : .staff, body: "NoteRequest", answer: "Receipt", key: .optional,
            problems: [404, 409, 422])
    }
    private static let summaries: [ReturnEvent: String] = [
        .approve: "The units may be sent back.", .reject: "The return is refused.", .receive: "The units are here: they go back on the shelf.",
        .cancel: "The customer keeps the units.",
    ]

    private let caller: Caller, key: IdempotencyKey?, id: ReturnID, event: ReturnEvent, note: String

    init(_ call: ShopCall) throws(Problem) {
        event = ReturnEvent(rawValue: call.segments.last ?? "") ?? .cancel
        caller = event == .cancel ? try call.caller(.selfService) : try call.staff(.fulfilment)
        key = try call.idempotencyKey(required: false)
        id = try call.id("id", "return")
        var body = try Fields(call)
        note = try body.optionalText("note", 0...500) ?? ""
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        .receipt(try await shop.perform(.advanceReturn(id, event, note: note), by: caller, key: key))
    }
}

struct ReturnRefundEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/returns/{id}/refund", "Give back what the received units cost, and close the return.", .staff, body: "NoteRequest", answer: "Receipt", key: .required,
            problems: [404, 409, 422])
    ]

    private let caller: Caller, key: IdempotencyKey, id: ReturnID, note: String

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.payment)
        guard let key = try call.idempotencyKey(required: true) else { throw .unauthenticated }
        self.key = key
        id = try call.id("id", "return")
        var body = try Fields(call)
        note = try body.optionalText("note", 0...500) ?? ""
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer { .receipt(try await PaymentFlow(shop: shop).refundReturn(id, note: note, key: key, caller)) }
}

struct ReturnExchangeEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/returns/{id}/exchange", "Send as much in other goods for what came back: a new order, at nothing to pay.", .staff, body: "ExchangeRequest",
            answer: "Receipt", status: 201, key: .required, problems: [404, 409, 422])
    ]

    private let caller: Caller, key: IdempotencyKey?, id: ReturnID, lines: [OrderDraft.Line]

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.fulfilment)
        key = try call.idempotencyKey(required: true)
        id = try call.id("id", "return")
        var body = try Fields(call)
        let currency = try body.currency() ?? "EUR"
        lines = try body.list("lines", 1...100) { line throws(Problem) in try OrderDraft.Line(&line, currency) }
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let outcome = try await shop.perform(.exchangeReturn(id, lines), by: caller, key: key)
        return .receipt(outcome, status: 201, location: "/api/orders/") { w in
            if let id = outcome.id { w.member("reference", OrderReference.make(OrderID(id))) }
        }
    }
}
