// What must happen without anybody asking: holds that are over end, payments of ended orders are settled, the sandbox's webhooks are delivered, old
// idempotency keys are forgotten, event streams get their heartbeat. A turn takes the time from the services, so tests turn it by hand.

internal import Orders
internal import Synchronization

package final class Upkeep: Sendable {
    private struct State {
        var isFirst = true
        var nextBeat = Instant(microseconds: .min), nextForgetting = Instant(microseconds: .min)
    }

    private let shop: ShopServices
    private let state = Mutex(State())

    package init(_ shop: ShopServices) { self.shop = shop }

    /// Once a second or so. Failures wait for the next turn.
    package func turn() async {
        let now = shop.now()
        let caller = Caller(.service("upkeep"), .maintenance, at: now)
        try? await expire(caller)
        let isFirst = state.withLock { state in
            defer { state.isFirst = false }
            return state.isFirst
        }
        if isFirst { try? await settleLeftOver(caller) }
        if let sandbox = shop.gateway as? SandboxGateway { await deliver(sandbox.dueWebhooks(at: now)) }
        let (beats, forgets) = state.withLock { state in
            let due = (now >= state.nextBeat, now >= state.nextForgetting)
            if due.0 { state.nextBeat = now.adding(seconds: 15) }
            if due.1 { state.nextForgetting = now.adding(seconds: 3_600) }
            return due
        }
        if beats { shop.tracking.beat() }
        if forgets { _ = try? await shop.perform(.forgetKeys(before: now.adding(days: -shop.limits.idempotencyDays)), by: caller) }
    }

    /// The server stops.
    package func end() { shop.tracking.end() }

    // MARK: -

    /// The command's outbox rows are its last ones, one for each order: they name those whose money must be given back.
    private func expire(_ caller: Caller) async throws {
        let outcome = try await shop.perform(.expireHolds(limit: 500), by: caller)
        guard outcome.changed > 0, let count = UInt64(exactly: outcome.changed), count <= outcome.version else { return }
        for entry in try await shop.store.outbox(after: outcome.version - count, limit: Int(count)) {
            if case .order(let id, .expired, _) = entry.change { try? await PaymentFlow(shop: shop).settleEnded(id) }
        }
    }

    /// What a crash left between the end of an order and the return of its money.
    private func settleLeftOver(_ caller: Caller) async throws {
        for finding in try await shop.store.reconciliation(by: caller).open.prefix(1_000) {
            guard let id = PaymentID(text: finding.about) else { continue }
            try? await PaymentFlow(shop: shop).settleEnded(try await shop.store.payment(id, by: caller).order)
        }
    }

    private func deliver(_ webhooks: [SignedWebhook]) async {
        for webhook in webhooks { _ = try? await PaymentFlow(shop: shop).webhook(webhook.body, signature: webhook.signature) }
    }
}
