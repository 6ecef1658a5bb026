// POST /api/webhooks/payments and /api/webhooks/carriers: what the gateway and carriers tell us, proved by `Isotherm-Signature` (HMAC-SHA256 of time and
// body, five minutes' window). Twice is once: the event's identifier is kept for ever.

internal import JSON
internal import Orders

struct PaymentWebhookEndpoint: Endpoint {
    static let operations = [
        APIOperation(.post, "/api/webhooks/payments", "The gateway tells what became of a payment.", .signature, body: "PaymentWebhook", answer: "Receipt", problems: [403, 404])
    ]

    private let body: [UInt8], signature: String

    init(_ call: ShopCall) throws(Problem) { (body, signature) = (call.body, call.headers["isotherm-signature"] ?? "") }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let outcome = try await PaymentFlow(shop: shop).webhook(body, signature: signature)
        return .receipt(outcome) { w in w.member("changed", outcome.changed > 0) }
    }
}

struct CarrierWebhookEndpoint: Endpoint {
    static let operations = [
        APIOperation(.post, "/api/webhooks/carriers", "A carrier tells where a parcel is.", .signature, body: "CarrierWebhook", answer: "Receipt", problems: [403, 404])
    ]

    private let call: ShopCall, report: TrackingReport

    init(_ call: ShopCall) throws(Problem) {
        self.call = call
        var body = try Fields(call)
        let carrier = try body.text("carrier", 1...100), code = try body.text("tracking_code", 1...200)
        report = try TrackingReport(&body, carrier: carrier, code: code, at: call.at)
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        // Each carrier has a secret of its own: the name in the body says which one must have signed it.
        do {
            try WebhookSignature.verify(
                call.body, signature: call.headers["isotherm-signature"] ?? "", secret: shop.secrets.carrier(report.carrier), at: call.at)
        } catch { throw Problem(error) }
        let name = String(report.carrier.unicodeScalars.map { $0.properties.isAlphabetic || $0.properties.numericType != nil ? Character($0) : "_" })
        return try await record(report, Caller(.service("carrier.\(name)"), .tracking, at: call.at), shop)
    }
}

/// The same by staff, for carriers that tell nothing.
struct TrackingAddEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/shipments/{id}/events", "Write down by hand where a parcel is.", .staff, body: "TrackingRequest", answer: "Receipt", status: 201, problems: [404])
    ]

    private let caller: Caller, id: ShipmentID, report: TrackingReport

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.tracking)
        id = try call.id("id", "shipment")
        var body = try Fields(call)
        report = try TrackingReport(&body, carrier: "", code: "", at: call.at)
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let shipment = try await shop.store.shipment(id, by: caller)
        var report = report
        (report.carrier, report.trackingCode) = (shipment.carrier, shipment.trackingCode)
        return try await record(report, caller, shop, status: 201)
    }
}

// MARK: -

extension TrackingReport {
    fileprivate init(_ fields: inout Fields, carrier: String, code: String, at now: Instant) throws(Problem) {
        self.init(
            carrier: carrier, trackingCode: code, eventID: try fields.text("event", 1...200), try fields.word("kind"),
            happenedAt: try fields.optionalInstant("happened_at") ?? now, place: try fields.optionalText("place", 0...200) ?? "")
        guard happenedAt <= now.adding(seconds: 86_400) else { throw .invalid("happened_at lies in the future", pointer: "/happened_at") }
    }
}

private func record(_ report: TrackingReport, _ caller: Caller, _ shop: ShopServices, status: Int = 200) async throws -> ShopAnswer {
    let outcome = try await shop.perform(.recordTracking(report), by: caller)
    if outcome.changed > 0, let id = outcome.id { shop.tracking.happened(to: ShipmentID(id)) }
    return .receipt(outcome, status: status) { w in w.member("changed", outcome.changed > 0) }
}
