// The seam to whoever moves the money. A call may be answered, refused, or not answered at all; whatever is unknown comes later by webhook.
//
// Invariants
//     1  Every call names the payment; the gateway does a thing once however often it is asked with the same request key.
//     2  A time-out is not a refusal: the payment stays as it is until a webhook or a later look-up says more.

package protocol PaymentGateway: Sendable {
    var name: String { get }
    /// Reserves the amount.
    func authorise(_ request: GatewayRequest, card: String) async throws(GatewayFailure) -> GatewayAnswer
    /// The customer came back from the second step of 3-D Secure.
    func confirm(_ request: GatewayRequest, challenge: String) async throws(GatewayFailure) -> GatewayAnswer
    func capture(_ request: GatewayRequest) async throws(GatewayFailure) -> GatewayAnswer
    func refund(_ request: GatewayRequest) async throws(GatewayFailure) -> GatewayAnswer
    func void(_ request: GatewayRequest) async throws(GatewayFailure) -> GatewayAnswer
}

package struct GatewayRequest: Sendable, Hashable {
    package var payment: PaymentID
    /// Of this one request: the same key again is answered as before.
    package var key: String
    package var amount: Money
    package init(payment: PaymentID, key: String, amount: Money) { (self.payment, self.key, self.amount) = (payment, key, amount) }
}

package struct GatewayAnswer: Sendable, Equatable {
    package var what: PaymentReport.What
    /// Never the same for two things that happened: a webhook about the same thing carries the same one.
    package var eventID: String
    package var reference: String
    package var amountMinor: Int64
    /// Where the customer must go, for `requireAction`.
    package var challenge: String?
    package init(_ what: PaymentReport.What, eventID: String, reference: String, amountMinor: Int64, challenge: String? = nil) {
        (self.what, self.eventID, self.reference, self.amountMinor, self.challenge) = (what, eventID, reference, amountMinor, challenge)
    }

    /// What the store is told.
    package func report(_ payment: PaymentID, gateway: String, at instant: Instant, isWebhook: Bool = false) -> PaymentReport {
        let amount: Int64? = what == .requireAction || what == .decline ? nil : amountMinor
        return PaymentReport(
            payment: payment, gateway: gateway, eventID: eventID, what, amountMinor: amount, gatewayReference: reference, happenedAt: instant, isWebhook: isWebhook)
    }
}

package enum GatewayFailure: Error, Equatable, Sendable {
    /// Nothing came back in time: what happened there is unknown.
    case timedOut
    /// The gateway says the request makes no sense.
    case refused(String)
}
