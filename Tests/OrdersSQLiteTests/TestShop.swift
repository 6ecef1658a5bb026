// A shop in a folder of its own: the store, a few people and products, and short words for what a test does with them.

import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Secrets

final class TestShop: Sendable {
    let folder: String
    let store: SQLiteOrderStore
    static let start = Instant(seconds: 1_700_000_000)
    static let staff = Actor.staff("test")

    init(_ options: OrdersSQLiteOptions = OrdersSQLiteOptions()) throws {
        folder = NSTemporaryDirectory() + "isotherm-orders-\(Bytes16.random())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try SQLiteOrderStore(path: folder + "/isotherm.db", keys: KeyRing(master: [UInt8](repeating: 7, count: 32)), options: options)
    }
    deinit {
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func caller(_ actor: Actor = staff, at instant: Instant = start) -> Caller { Caller(actor, .support, at: instant) }

    @discardableResult
    func run(
        _ action: StoreCommand.Action, by actor: Actor = staff, at instant: Instant = start, key: String? = nil, hash: [UInt8] = []
    ) async throws -> StoreOutcome {
        try await store.perform(StoreCommand(action, by: caller(actor, at: instant), idempotencyKey: key, requestHash: hash))
    }

    /// The refusal; nil when there was none.
    func refusal(
        _ action: StoreCommand.Action, by actor: Actor = staff, at instant: Instant = start, key: String? = nil, hash: [UInt8] = []
    ) async -> StoreError? {
        do throws(StoreError) {
            _ = try await store.perform(StoreCommand(action, by: caller(actor, at: instant), idempotencyKey: key, requestHash: hash))
            return nil
        } catch { return error }
    }

    func person(_ name: String = "Ada") async throws -> PersonRef {
        let outcome = try await run(.putPerson(PersonDraft(name: name)))
        return PersonRef(outcome.id ?? .random())
    }

    func product(_ id: ProductID, price: Int64 = 1_000, stock: Int64 = 10) async throws {
        try await run(.putProduct(ProductDraft(id, title: "Title of \(id)", price: Money(price, "EUR"))))
        try await run(.setStock(id, available: stock))
    }

    func place(_ person: PersonRef, _ lines: [(ProductID, Int64)], at instant: Instant = start, key: String? = nil) async throws -> OrderID {
        let outcome = try await run(.placeOrder(draft(person, lines)), at: instant, key: key)
        return OrderID(outcome.id ?? .random())
    }

    func draft(_ person: PersonRef, _ lines: [(ProductID, Int64)]) -> OrderDraft {
        OrderDraft(person: person, lines: lines.map { .init($0.0, quantity: $0.1) })
    }

    func available(_ id: ProductID) async throws -> Int64 { try await store.product(id).available }
    func order(_ id: OrderID) async throws -> Order { try await store.order(id, by: caller()) }

    /// Starts and authorises a payment of what the order lacks.
    func pay(_ order: OrderID, at instant: Instant = start) async throws -> PaymentID {
        let started = try await run(.startPayment(order, PaymentDraft(gateway: "sandbox")), at: instant)
        let payment = PaymentID(started.id ?? .random())
        try await report(payment, .authorise, at: instant)
        return payment
    }

    @discardableResult
    func report(
        _ payment: PaymentID, _ what: PaymentReport.What, amount: Int64? = nil, event: String = "\(Bytes16.random())", at instant: Instant = start, webhook: Bool = false
    ) async throws -> StoreOutcome {
        try await run(
            .recordPayment(PaymentReport(payment: payment, gateway: "sandbox", eventID: event, what, amountMinor: amount, happenedAt: instant, isWebhook: webhook)),
            at: instant)
    }

    /// A confirmed order of the lines, shipped whole and delivered.
    func delivered(_ person: PersonRef, _ lines: [(ProductID, Int64)], at instant: Instant = start) async throws -> OrderID {
        let order = try await place(person, lines, at: instant)
        let payment = try await pay(order, at: instant)
        let code = "T\(order)"
        try await run(.createShipment(order, ShipmentDraft(carrier: "post", trackingCode: code)), at: instant)
        try await report(payment, .capture, at: instant)
        try await run(.recordTracking(TrackingReport(carrier: "post", trackingCode: code, eventID: "d\(order)", .deliver, happenedAt: instant)), at: instant)
        return order
    }

    /// What one number of one query says, past the store.
    func number(_ sql: StaticString) async throws -> Int64 { try await store.read { connection throws(StoreError) in try connection.number(sql) } }
}
