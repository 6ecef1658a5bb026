// Between the shop, its gateway and the store: ask the gateway, write down what it said, do what follows.
//
// Order matters: the store knows of a payment before the gateway does, and a thing is asked under a key made of our own request's, so that whoever tries
// again after a crash gets the first answer. An answer that never came is written by the webhook.
//
// Invariants
//     1  The gateway is asked outside every transaction.
//     2  A request tried again under its idempotency key moves no money and gets the first answer.
//     3  What a return or a cancelled order gets back is worked out and asked for in one turn of that order.

internal import Orders
internal import Secrets

struct PaymentFlow {
    let shop: ShopServices

    /// What became of a payment, and where the customer has to go before it goes on.
    struct Result {
        var outcome: StoreOutcome
        var challenge: String?
        /// The gateway did not answer: what happened there comes by webhook.
        var isUnknown = false
    }

    // MARK: By the customer

    func start(_ order: OrderID, _ amount: Int64?, card: String, key: IdempotencyKey, _ caller: Caller) async throws -> Result {
        let gateway = shop.gateway.name
        let started = try await shop.perform(.startPayment(order, PaymentDraft(gateway: gateway, method: "card", amountMinor: amount)), by: caller, key: key)
        guard let id = started.id.map({ PaymentID($0) }) else { throw StoreError.damaged("a payment without identifier") }
        let payment = try await shop.store.payment(id, by: caller)
        let answer: GatewayAnswer
        do throws(GatewayFailure) { answer = try await shop.gateway.authorise(request(payment, payment.amountMinor, "authorise"), card: card) } catch {
            if error == .timedOut { return Result(outcome: started, isUnknown: true) }
            // The attempt is over: it must not stand in the way of the next one.
            let decline = GatewayAnswer(.decline, eventID: "refused-\(id)", reference: "", amountMinor: 0)
            _ = try await record(decline, payment, key: key.then("refused"))
            throw error
        }
        return Result(outcome: try await record(answer, payment, key: key.then("authorise")), challenge: answer.challenge)
    }

    func confirm(_ id: PaymentID, challenge: String, key: IdempotencyKey?, _ caller: Caller) async throws -> Result {
        let payment = try await shop.store.payment(id, by: caller)
        let answer = try await shop.gateway.confirm(request(payment, payment.amountMinor, "authorise"), challenge: challenge)
        return Result(outcome: try await record(answer, payment, key: key))
    }

    // MARK: By the shop

    func capture(_ id: PaymentID, _ amount: Int64?, key: IdempotencyKey, _ caller: Caller) async throws -> StoreOutcome {
        let payment = try await shop.store.payment(id, by: caller)
        let amount = amount ?? payment.capturableMinor
        return try await shop.turns.take(payment.order) {
            let answer = try await shop.gateway.capture(request(payment, amount, key.gatewayKey("capture", caller)))
            return try await record(answer, payment, key: key, by: caller)
        }
    }

    func refund(_ id: PaymentID, _ amount: Int64?, key: IdempotencyKey, _ caller: Caller) async throws -> StoreOutcome {
        let payment = try await shop.store.payment(id, by: caller)
        let amount = amount ?? payment.refundableMinor
        return try await shop.turns.take(payment.order) {
            let answer = try await shop.gateway.refund(request(payment, amount, key.gatewayKey("refund", caller)))
            return try await record(answer, payment, key: key, by: caller)
        }
    }

    func void(_ id: PaymentID, key: IdempotencyKey, _ caller: Caller) async throws -> StoreOutcome {
        let payment = try await shop.store.payment(id, by: caller)
        return try await shop.turns.take(payment.order) {
            let answer = try await shop.gateway.void(request(payment, payment.capturableMinor, key.gatewayKey("void", caller)))
            return try await record(answer, payment, key: key, by: caller)
        }
    }

    /// Gives back what a received return is worth, then closes it.
    func refundReturn(_ id: ReturnID, note: String, key: IdempotencyKey, _ caller: Caller) async throws -> StoreOutcome {
        let order = try await shop.store.returned(id, by: caller).order
        return try await shop.turns.take(order) {
            let found = try await shop.store.returned(id, by: caller)
            if found.state == .received {
                let account = try await shop.store.order(order, by: caller)
                let closed = try await shop.store.returns(of: order, by: caller).filter { $0.state == .refunded && $0.id != id }.reduce(0) { $0 + $1.valueMinor }
                // What was refunded before and belongs to no closed return was for this one.
                try await refund(min(max(found.valueMinor - (account.refundedMinor - closed), 0), found.valueMinor), of: order, as: "return-\(id)", caller)
            }
            return try await shop.perform(.advanceReturn(id, .refund, note: note), by: caller, key: key)
        }
    }

    /// After an order that will not be: what is reserved is released, what was taken goes back. May be asked again at any time.
    func settleEnded(_ order: OrderID) async throws {
        let caller = Caller(.service("payments"), .payment, at: shop.now())
        try await shop.turns.take(order) {
            let state = try await shop.store.order(order, by: caller).state
            guard state == .cancelled || state == .expired else { return }
            for payment in try await shop.store.payments(of: order, by: caller) {
                var payment = payment
                if payment.capturableMinor > 0 {
                    let answer = try await shop.gateway.void(request(payment, payment.capturableMinor, "ended-void"))
                    _ = try await write(answer.report(payment.id, gateway: payment.gateway, at: shop.now()), nil, caller)
                    payment = try await shop.store.payment(payment.id, by: caller)
                }
                if payment.refundableMinor > 0 {
                    let answer = try await shop.gateway.refund(request(payment, payment.refundableMinor, "ended-refund-\(payment.version)"))
                    _ = try await write(answer.report(payment.id, gateway: payment.gateway, at: shop.now()), nil, caller)
                }
            }
        }
    }

    /// What a webhook said, whoever brought it.
    func webhook(_ body: [UInt8], signature: String) async throws -> StoreOutcome {
        do { try WebhookSignature.verify(body, signature: signature, secret: shop.secrets.payments, at: shop.now()) } catch { throw Problem(error) }
        let said = try GatewayWebhook(body: body)
        let caller = Caller(.service("gateway.\(shop.gateway.name)"), .payment, at: shop.now())
        let payment = try await shop.store.payment(said.payment, by: caller)
        guard payment.currency == said.currency else { throw StoreError.conflict("the payment is in \(payment.currency), not in \(said.currency)") }
        let outcome = try await write(said.report(gateway: shop.gateway.name, at: shop.now()), nil, caller)
        try await follow(outcome, payment.order)
        return outcome
    }

    // MARK: -

    private func request(_ payment: Payment, _ amount: Int64, _ key: String) -> GatewayRequest {
        GatewayRequest(payment: payment.id, key: key, amount: Money(amount, payment.currency))
    }

    /// Writes down an answer under the request's key, and does what follows. The actor stays in the audit log; customers may not write payments themselves.
    private func record(_ answer: GatewayAnswer, _ payment: Payment, key: IdempotencyKey?, by caller: Caller? = nil) async throws -> StoreOutcome {
        let writer = caller ?? Caller(.service("payments"), .payment, at: shop.now())
        let outcome = try await write(answer.report(payment.id, gateway: payment.gateway, at: shop.now()), key, writer)
        try await follow(outcome, payment.order)
        return outcome
    }

    private func write(_ report: PaymentReport, _ key: IdempotencyKey?, _ caller: Caller) async throws(StoreError) -> StoreOutcome {
        try await shop.perform(.recordPayment(report), by: caller, key: key)
    }

    /// Best effort: what fails here is in the reconciliation report, and upkeep tries it again.
    private func follow(_ outcome: StoreOutcome, _ order: OrderID) async throws {
        guard outcome.followUp != nil, !outcome.replayed else { return }
        let shop = shop
        Task { try? await PaymentFlow(shop: shop).settleEnded(order) }
    }

    /// Takes an amount back from the order's payments, first the oldest. Holds the order's turn already.
    private func refund(_ amount: Int64, of order: OrderID, as key: String, _ caller: Caller) async throws {
        var left = amount
        for payment in try await shop.store.payments(of: order, by: caller) where left > 0 && payment.refundableMinor > 0 {
            let part = min(left, payment.refundableMinor)
            let answer = try await shop.gateway.refund(request(payment, part, key))
            _ = try await write(answer.report(payment.id, gateway: payment.gateway, at: shop.now()), nil, caller)
            left -= part
        }
        guard left == 0 else { throw StoreError.conflict("of what comes back \(left) cannot be refunded: the order's payments do not hold as much") }
    }
}

extension Payment {
    var capturableMinor: Int64 { authorisedMinor - capturedMinor - voidedMinor }
    var refundableMinor: Int64 { capturedMinor - refundedMinor }
}

extension IdempotencyKey {
    /// What the gateway is told of it: the same for the same actor and key, and nothing to read in.
    fileprivate func gatewayKey(_ what: String, _ caller: Caller) -> String {
        "\(what)-\(Hexadecimal.text(SHA256.hash("\(caller.actor.name)\u{0}\(text)")[..<12]))"
    }
}

extension Problem {
    init(_ failure: WebhookSignature.Failure) {
        switch failure {
        case .malformed: self.init(403, "bad-signature", "Isotherm-Signature is missing or reads otherwise than t=<seconds>,v1=<hexadecimal HMAC-SHA256>")
        case .wrong: self.init(403, "bad-signature", "the signature is not of this body")
        case .outsideWindow: self.init(403, "signature-too-old", "the signature's time is more than \(WebhookSignature.windowSeconds) seconds from ours: sign and send again")
        }
    }
}
