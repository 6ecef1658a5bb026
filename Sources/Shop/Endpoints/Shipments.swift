// Shipments: made by staff for all or some of an order's units, read by whoever may see the order.

internal import JSON
internal import Orders

struct ShipmentCreateEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/orders/{id}/shipments", "Hand units of a confirmed order to a carrier.", .staff, body: "ShipmentRequest", answer: "Receipt", status: 201,
            key: .optional, problems: [404, 409, 422])
    ]

    private let caller: Caller, key: IdempotencyKey?, name: String, draft: ShipmentDraft

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.fulfilment)
        key = try call.idempotencyKey(required: false)
        name = call.parts["id"] ?? ""
        var body = try Fields(call)
        draft = ShipmentDraft(
            carrier: try body.text("carrier", 1...100), trackingCode: try body.text("tracking_code", 1...200),
            lines: try body.list("lines", 0...100) { line throws(Problem) in try ShipmentDraft.Line(&line) },
            estimatedDelivery: try body.optionalInstant("estimated_delivery"))
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let outcome = try await shop.perform(.createShipment(try await shop.order(name), draft), by: caller, key: key)
        return .receipt(outcome, status: 201, location: "/api/shipments/")
    }
}

struct ShipmentListEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/orders/{id}/shipments", "An order's shipments with their tracking.", .actor, answer: "Shipments", problems: [404])]

    private let caller: Caller, name: String

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.tracking)
        name = call.parts["id"] ?? ""
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let shipments = try await shop.store.shipments(of: try await shop.order(name), by: caller)
        return .json { w in w.list("shipments", shipments) { w, shipment in w.shipment(shipment) } }
    }
}

struct ShipmentGetEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/shipments/{id}", "One shipment with its tracking.", .actor, answer: "Shipment", problems: [404])]

    private let caller: Caller, id: ShipmentID

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.tracking)
        id = try call.id("id", "shipment")
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let shipment = try await shop.store.shipment(id, by: caller)
        return ShopAnswer.json { w in w.shipment(shipment) }.tagged(shipment.version)
    }
}

extension ShipmentDraft.Line {
    init(_ fields: inout Fields) throws(Problem) {
        self.init(position: try fields.integer("position", 1...1_000), quantity: try fields.optionalInteger("quantity", 1...10_000) ?? 1)
    }
}
