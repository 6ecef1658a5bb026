// What those who run the shop look at: the reconciliation report, figures of the store, the sandbox's late webhooks, and the OpenAPI document.

internal import JSON
internal import Orders

struct ReconciliationEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/reconciliation", "What does not agree among orders, payments and their events.", .staff, answer: "Reconciliation")]

    private let caller: Caller
    init(_ call: ShopCall) throws(Problem) { caller = try call.staff(.accounting) }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let report = try await shop.store.reconciliation(by: caller)
        func write(_ w: inout JSONWriter, _ finding: ReconciliationReport.Finding) {
            w.member("about", finding.about)
            w.member("what", finding.what)
        }
        return .json { w in
            w.member("clean", report.isClean)
            w.list("sums", report.sums, write)
            w.list("open", report.open, write)
            w.list("ignored", report.ignored, write)
            w.list("differing", report.differing, write)
        }
    }
}

struct StatusEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/status", "Commits, commands and the outbox position of the store.", .staff, answer: "Status")]

    init(_ call: ShopCall) throws(Problem) { _ = try call.staff(.maintenance) }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let counts = shop.counts(), position = try await shop.store.outboxPosition()
        return .json { w in
            w.member("commits", counts.commits)
            w.member("commands", counts.commands)
            w.key("position")
            w.unsigned(position)
            w.member("streams", shop.tracking.count)
        }
    }
}

/// The sandbox alone: time passes, and webhooks that are late arrive.
struct SandboxWebhooksEndpoint: Endpoint {
    static let operations = [
        APIOperation(.post, "/api/sandbox/webhooks", "Deliver the sandbox's webhooks now; with `late`, also those that come late.", .staff, body: "LateRequest", answer: "Delivered")
    ]

    private let late: Bool

    init(_ call: ShopCall) throws(Problem) {
        _ = try call.staff(.payment)
        var body = try Fields(call)
        late = try body.flag("late")
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        guard let sandbox = shop.gateway as? SandboxGateway else { throw StoreError.notFound("sandbox here: the gateway is a real one") }
        let due = sandbox.dueWebhooks(late: late, at: shop.now())
        for webhook in due { _ = try await PaymentFlow(shop: shop).webhook(webhook.body, signature: webhook.signature) }
        return .json { w in w.member("delivered", due.count) }
    }
}

struct OpenAPIEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/openapi.json", "This document.", .open, answer: "Document")]

    init(_ call: ShopCall) throws(Problem) {}

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        ShopAnswer(200, .bytes(OpenAPIDocument.bytes), contentType: "application/json")
    }
}
