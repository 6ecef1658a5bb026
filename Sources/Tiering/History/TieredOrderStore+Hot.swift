// What hot alone answers, whatever lies elsewhere: people, the catalogue's master, payments, the follow graph, outbox and audit; and lists and frames, which the
// directory has.

package import Orders

extension TieredOrderStore {
    package func personRef(_ key: PersonKey) async throws(StoreError) -> PersonRef? { try await hot.personRef(key) }
    package func orderID(_ key: OrderKey) async throws(StoreError) -> OrderID? { try await hot.orderID(key) }
    package func orderID(reference: String) async throws(StoreError) -> OrderID? { try await hot.orderID(reference: reference) }

    package func person(_ ref: PersonRef, by caller: Caller) async throws(StoreError) -> Person { try await hot.person(ref, by: caller) }
    package func person(email: String, by caller: Caller) async throws(StoreError) -> Person { try await hot.person(email: email, by: caller) }
    package func addresses(of ref: PersonRef, by caller: Caller) async throws(StoreError) -> [Address] { try await hot.addresses(of: ref, by: caller) }

    package func product(_ id: ProductID) async throws(StoreError) -> Product { try await hot.product(id) }
    package func products(after: ProductID?, limit: Int) async throws(StoreError) -> [Product] { try await hot.products(after: after, limit: limit) }
    package func basket(of person: PersonRef, by caller: Caller) async throws(StoreError) -> [BasketLine] { try await hot.basket(of: person, by: caller) }

    package func payments(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Payment] { try await hot.payments(of: order, by: caller) }
    package func payment(_ id: PaymentID, by caller: Caller) async throws(StoreError) -> Payment { try await hot.payment(id, by: caller) }

    package func frames(of person: PersonRef, by caller: Caller) async throws(StoreError) -> OrderFrames { try await hot.frames(of: person, by: caller) }

    package func followers(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage {
        try await hot.followers(of: person, limit: limit, cursor: cursor)
    }
    package func following(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage {
        try await hot.following(of: person, limit: limit, cursor: cursor)
    }
    package func follows(_ source: PersonRef, _ destination: PersonRef) async throws(StoreError) -> Bool { try await hot.follows(source, destination) }
    package func mutuals(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage {
        try await hot.mutuals(of: person, limit: limit, cursor: cursor)
    }
    package func suggestions(for person: PersonRef, limit: Int) async throws(StoreError) -> [(person: PersonRef, common: Int64)] {
        try await hot.suggestions(for: person, limit: limit)
    }

    package func outboxPosition() async throws(StoreError) -> UInt64 { try await hot.outboxPosition() }
    package func outbox(after position: UInt64, limit: Int) async throws(StoreError) -> [OutboxEntry] { try await hot.outbox(after: position, limit: limit) }

    package func reconciliation(by caller: Caller) async throws(StoreError) -> ReconciliationReport { try await hot.reconciliation(by: caller) }
    package func verifyAudit() async throws(StoreError) -> AuditVerification { try await hot.verifyAudit() }
}
