// What the endpoints work with: the store, the gateway, who may ask, the limits, and who waits for tracking news.

package import Orders
package import Secrets

package final class ShopServices: Sendable {
    package struct Limits: Sendable {
        package var bodyBytesMax = 1 << 20
        /// Event streams open at one time; one more is refused with 429.
        package var streamsMax = 256
        /// A stream ends after so long; its reader comes back with what it saw last.
        package var streamSecondsMax: Int64 = 3_600
        package var idempotencyDays: Int64 = 7
        package init() {}
    }

    package let store: any OrderStore
    package let gateway: any PaymentGateway
    package let access: AccessPolicy
    package let secrets: WebhookSecrets
    package let limits: Limits
    /// Commits (each one sync) and commands so far.
    package let counts: @Sendable () -> (commits: Int64, commands: Int64)
    package let now: @Sendable () -> Instant
    let tracking: TrackingSignals
    let turns = Turns()

    package init(
        store: any OrderStore, gateway: any PaymentGateway, access: AccessPolicy, secrets: WebhookSecrets, limits: Limits = Limits(),
        counts: @escaping @Sendable () -> (commits: Int64, commands: Int64) = { (0, 0) }, now: @escaping @Sendable () -> Instant
    ) {
        (self.store, self.gateway, self.access, self.secrets, self.limits, self.counts, self.now) = (store, gateway, access, secrets, limits, counts, now)
        tracking = TrackingSignals(most: limits.streamsMax)
    }

    func perform(_ action: StoreCommand.Action, by caller: Caller, key: IdempotencyKey? = nil) async throws(StoreError) -> StoreOutcome {
        try await store.perform(StoreCommand(action, by: caller, idempotencyKey: key?.text, requestHash: key?.requestHash ?? []))
    }

    /// The person a path names, if the caller may know of them.
    func person(_ key: PersonKey, by caller: Caller) async throws(StoreError) -> PersonRef {
        switch key {
        case .id(let ref): return ref
        case .source:
            guard let ref = try await store.personRef(key), caller.sees(ref) else { throw .notFound("such person") }
            return ref
        }
    }

    /// The order a path names: by identifier, by `ref:SOURCE:KEY`, or by the reference its customer knows.
    func order(_ text: String) async throws(StoreError) -> OrderID {
        if let key = OrderKey(text: text) {
            if case .id(let id) = key { return id }
            if let id = try await store.orderID(key) { return id }
        } else if text.utf8.count <= 40, let id = try await store.orderID(reference: text) {
            return id
        }
        throw .notFound("such order")
    }
}

/// What webhooks are signed with: the gateway's, and one for each carrier, so that none can speak for another.
package struct WebhookSecrets: Sendable {
    private let ring: KeyRing
    package init(_ ring: KeyRing) { self.ring = ring }
    package var payments: [UInt8] { ring.key("webhook/payments") }
    package func carrier(_ name: String) -> [UInt8] { ring.key("webhook/carrier/\(name)") }
}
