// A gateway without money: test cards decide what happens, and every effect is also told by webhook, whose body and signature are those of a real one.
//
//     card               answer                        webhook
//     4000000000000002   approved                      at once
//     4000000000000010   declined                      at once
//     4000000000003220   3-D step, then approved       after the step
//     4000000000003230   3-D step, then declined       after the step
//     4000000000000119   no answer (time-out)          approved, at once
//     4000000000000259   approved                      late
//
// Webhooks wait in a list the caller takes from (`dueWebhooks`): late ones only when asked for, so that tests and the demonstration decide when time passes.

import JSON
import Synchronization

package final class SandboxGateway: PaymentGateway {
    package let name = "sandbox"
    private let secret: [UInt8]
    private let state = Mutex(State())

    package init(secret: [UInt8]) { self.secret = secret }

    package enum Card {
        package static let approve = "4000000000000002", decline = "4000000000000010"
        package static let challengeThenApprove = "4000000000003220", challengeThenDecline = "4000000000003230"
        package static let timeOut = "4000000000000119", lateWebhook = "4000000000000259"
    }

    package func authorise(_ request: GatewayRequest, card: String) async throws(GatewayFailure) -> GatewayAnswer {
        switch card.filter({ $0 != " " }) {
        case Card.approve: try effect(.authorise, request)
        case Card.decline: try effect(.decline, request)
        case Card.challengeThenApprove: challenge(request, then: .authorise)
        case Card.challengeThenDecline: challenge(request, then: .decline)
        case Card.timeOut: throw try timeOut(request)
        case Card.lateWebhook: try effect(.authorise, request, late: true)
        default: throw .refused("this is none of the sandbox's test cards")
        }
    }

    package func confirm(_ request: GatewayRequest, challenge: String) async throws(GatewayFailure) -> GatewayAnswer {
        let outcome = state.withLock { $0.challenges[challenge] }
        guard let outcome else { throw .refused("there is no such challenge") }
        return try effect(outcome, request)
    }

    package func capture(_ request: GatewayRequest) async throws(GatewayFailure) -> GatewayAnswer { try effect(.capture, request) }
    package func refund(_ request: GatewayRequest) async throws(GatewayFailure) -> GatewayAnswer { try effect(.refund, request) }
    package func void(_ request: GatewayRequest) async throws(GatewayFailure) -> GatewayAnswer { try effect(.void, request) }

    /// Takes the webhooks that are due; with `late`, also those that come late.
    package func dueWebhooks(late: Bool = false, at instant: Instant) -> [SignedWebhook] {
        let bodies = state.withLock { state in
            let bodies = state.due + (late ? state.late : [])
            state.due = []
            if late { state.late = [] }
            return bodies
        }
        return bodies.map { SignedWebhook(body: $0, signature: WebhookSignature.sign($0, secret: secret, at: instant)) }
    }

    // MARK: -

    fileprivate struct State {
        var answers: [String: GatewayAnswer] = [:]
        var ledgers: [PaymentID: PaymentLedger] = [:]
        var challenges: [String: PaymentReport.What] = [:]
        var due: [[UInt8]] = [], late: [[UInt8]] = []
        /// Keys remembered and webhooks kept are bounded: the oldest is forgotten.
        var keys: [String] = []
    }

    private func effect(_ what: PaymentReport.What, _ request: GatewayRequest, late: Bool = false) throws(GatewayFailure) -> GatewayAnswer {
        let result = state.withLock { state -> Result<GatewayAnswer, GatewayFailure> in
            let key = "\(request.payment)/\(request.key)"
            if let before = state.answers[key], before.what != .requireAction { return .success(before) }
            var ledger = state.ledgers[request.payment] ?? PaymentLedger()
            // A void releases what is left, whatever amount was said.
            guard let done = try? ledger.apply(what, amount: what == .void ? nil : request.amount.minor, asked: request.amount.minor) else {
                let known = state.ledgers[request.payment] == nil ? "not known here (the sandbox forgets all at a restart)" : "\(ledger.state.rawValue) here"
                return .failure(.refused("the payment is \(known): \(what.rawValue) of \(request.amount) is not possible"))
            }
            state.ledgers[request.payment] = ledger
            let answer = GatewayAnswer(what, eventID: "sbx-\(key)-\(what.rawValue)", reference: "sbx-\(request.payment)", amountMinor: done.amount)
            state.remember(key, answer)
            state.send(GatewayWebhook(payment: request.payment, answer: answer, currency: request.amount.currency).body, late: late)
            return .success(answer)
        }
        return try result.get()
    }

    private func challenge(_ request: GatewayRequest, then: PaymentReport.What) -> GatewayAnswer {
        state.withLock { state in
            let key = "\(request.payment)/\(request.key)"
            let answer = GatewayAnswer(
                .requireAction, eventID: "sbx-\(key)-3ds", reference: "sbx-\(request.payment)", amountMinor: request.amount.minor, challenge: "3ds-\(key)")
            state.challenges["3ds-\(key)"] = then
            state.remember(key, answer)
            return answer
        }
    }

    private func timeOut(_ request: GatewayRequest) throws(GatewayFailure) -> GatewayFailure {
        _ = try effect(.authorise, request)
        return .timedOut
    }
}

extension SandboxGateway.State {
    fileprivate mutating func remember(_ key: String, _ answer: GatewayAnswer) {
        if answers.updateValue(answer, forKey: key) == nil { keys.append(key) }
        if keys.count > 100_000 {
            for old in keys.prefix(50_000) {
                answers[old] = nil
                challenges["3ds-\(old)"] = nil
                if let payment = PaymentID(text: old.prefix(36)) { ledgers[payment] = nil }
            }
            keys.removeFirst(50_000)
        }
    }

    fileprivate mutating func send(_ body: [UInt8], late isLate: Bool) {
        if isLate { late.append(body) } else { due.append(body) }
        if due.count > 10_000 { due.removeFirst(5_000) }
        if late.count > 10_000 { late.removeFirst(5_000) }
    }
}

package struct SignedWebhook: Sendable, Equatable {
    package var body: [UInt8], signature: String
    package init(body: [UInt8], signature: String) { (self.body, self.signature) = (body, signature) }
}

/// The body of a gateway's webhook.
package struct GatewayWebhook: Sendable, Equatable {
    package var payment: PaymentID, what: PaymentReport.What, eventID: String, reference: String, amountMinor: Int64, currency: Currency
    private static let types: [PaymentReport.What] = [.requireAction, .authorise, .decline, .capture, .refund, .void]

    package init(payment: PaymentID, answer: GatewayAnswer, currency: Currency) {
        (self.payment, what, eventID) = (payment, answer.what, answer.eventID)
        (reference, amountMinor, self.currency) = (answer.reference, answer.amountMinor, currency)
    }

    /// From bytes of which nothing is known but their signature.
    package init(body: [UInt8]) throws(StoreError) {
        guard let value = try? JSONValue.parse(body), let payment = value["payment"]?.string.flatMap({ PaymentID(text: $0) }),
            let type = value["type"]?.string, let eventID = value["event"]?.string, eventID.utf8.count <= 200,
            !eventID.isEmpty, let amount = value["amount_minor"]?.integer, let currency = value["currency"]?.string.flatMap({ Currency(code: $0) })
        else { throw .invalid("a payment webhook needs event, payment, type, amount_minor and currency") }
        guard let what = PaymentReport.What(rawValue: type) else {
            throw .invalid("the type of a payment webhook is one of \(Self.types.map(\.rawValue).joined(separator: ", "))")
        }
        (self.payment, self.what, self.eventID, amountMinor, self.currency) = (payment, what, eventID, amount, currency)
        reference = value["reference"]?.string ?? ""
    }

    package var body: [UInt8] {
        var writer = JSONWriter()
        writer.object { w in
            w.key("event")
            w.string(eventID)
            w.key("payment")
            w.string(payment.description)
            w.key("type")
            w.string(what.rawValue)
            w.key("reference")
            w.string(reference)
            w.key("amount_minor")
            w.integer(amountMinor)
            w.key("currency")
            w.string(currency.code)
        }
        return writer.bytes
    }

    package func report(gateway: String, at instant: Instant) -> PaymentReport {
        GatewayAnswer(what, eventID: eventID, reference: reference, amountMinor: amountMinor).report(payment, gateway: gateway, at: instant, isWebhook: true)
    }
}
