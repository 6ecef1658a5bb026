// Archived orders whose bodies are real documents, and tables of them in memory.

import Archive
import IsothermTesting
import Orders
import Storage
import Synchronization
import Testing
import Tiering

enum ArchiveDocuments {
    /// 2018-01-01T00:00:00Z.
    static let start: Int64 = 1_514_764_800_000_000
    static let day: Int64 = 86_400_000_000

    static func person(_ n: Int) -> PersonRef { PersonRef(Bytes16(high: UInt64(n) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(n))) }

    static func document(_ n: Int, version: Int64 = 1, people: Int = 25) -> OrderDocument {
        var random = Seeded(UInt64(n) &* 31 &+ 7)
        func pick(_ count: UInt64) -> Int64 { Int64(random.next() % count) }
        let placed = Instant(microseconds: start + pick(120) * day + pick(86_400) * 1_000_000), currency: Currency = n % 4 == 0 ? "JPY" : "BRL"
        let id = OrderID(UUIDv7.make(placed, source: SourceKey(source: "test", key: "\(n)")))
        var order = Order(
            id: id, reference: OrderReference.make(id), person: person(n % people), placedAt: placed, state: n % 7 == 0 ? .cancelled : .delivered, currency: currency,
            totalMinor: 0, paidMinor: 0, refundedMinor: version - 1, creditMinor: 0, version: version)
        for k in 0..<pick(4) {
            let unit = pick(9_000) + 1, quantity = 1 + pick(3), freight = pick(300)
            order.lines.append(OrderLine(
                position: k + 1, product: ProductID("P-\(pick(60)), \"x\""), title: "Thing é \(pick(9))", seller: pick(4) == 0 ? nil : "seller-\(pick(5))", quantity: quantity,
                unitMinor: unit, freightMinor: freight, totalMinor: unit * quantity + freight, shipped: quantity, returned: 0))
        }
        order.totalMinor = order.lines.reduce(0) { $0 + $1.totalMinor }
        order.paidMinor = order.totalMinor + version - 1
        var document = OrderDocument(order: order)
        if order.totalMinor > 0 {
            document.payments = [Payment(
                id: PaymentID(UUIDv7.make(placed, source: SourceKey(source: "test/payment", key: "\(n)"))), order: id, person: order.person, state: .captured, gateway: "sandbox",
                method: n % 3 == 0 ? "boleto" : "card", gatewayReference: nil, currency: currency, amountMinor: order.totalMinor,
                ledger: PaymentLedger(authorised: order.totalMinor, captured: order.paidMinor, refunded: 0, voided: 0), createdAt: placed, version: 1)]
        }
        return document
    }

    /// One key for all, and how it is asked for.
    struct OneKey: PersonKeys {
        let state: PersonKeyState
        init(_ byte: UInt8) throws { state = .key(try #require(SealingKey([UInt8](repeating: byte, count: SealingKey.byteCount)))) }
        func find(_ people: [PersonRef]) throws(StoreError) -> [PersonRef: PersonKeyState] { Dictionary(people.map { ($0, state) }, uniquingKeysWith: { a, _ in a }) }
        func make(for people: [PersonRef]) throws(StoreError) -> [PersonRef: PersonKeyState] { try find(people) }
        func destroy(_ people: [PersonRef], at instant: Instant) throws(StoreError) {}
        func mark() throws(StoreError) -> KeysMark { KeysMark(id: Bytes16(high: 1, low: 1), changes: 1) }
    }

    static func bytes(_ document: OrderDocument) throws -> [UInt8] { try document.bytes(sealedWith: OneKey(7).state) }
    static func archived(_ document: OrderDocument) throws -> ArchivedOrder { ArchivedOrder(document, body: try bytes(document)) }
    static func archived(_ n: Int, version: Int64 = 1) throws -> ArchivedOrder { try archived(document(n, version: version)) }

    /// A writer whose clock rises by a second a look and whose lease is held for ever.
    static func writer(_ store: any ObjectStore) async throws -> TableWriter {
        let clock = Mutex<Int64>(1_775_000_000_000_000)
        return TableWriter(
            try await HudiTable.openOrCreate(store, prefix: "orders", buckets: 2), lease: WriterLease(epoch: 1) { true },
            now: { clock.withLock { $0 += 1_000_000; return $0 } })
    }

    /// 200 orders, every sixth in its second version, and a store that holds them.
    static func table() async throws -> (store: FolderObjectStore, orders: [OrderDocument]) {
        let store = FolderObjectStore(MemoryDirectory()), writer = try await writer(store)
        _ = try await writer.upsert((0..<200).map { try archived($0) })
        _ = try await writer.upsert(stride(from: 0, to: 200, by: 6).map { try archived($0, version: 2) })
        return (store, (0..<200).map { document($0, version: $0 % 6 == 0 ? 2 : 1) })
    }
}

extension OrderDocument {
    /// As of an erased person: without a sealed member.
    var bytes: [UInt8] { (try? bytes(sealedWith: .erased)) ?? [] }
}
