// A shop with orders of many ages and states, a warm index and an archive in memory, a mover that can be stopped at any write, and a model of what must hold.

import Engine
import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Secrets
import Storage
import Synchronization
import Testing
import Tiering

struct Stopped: Error {}

final class MoverShop: Sendable {
    let folder: String
    let store: SQLiteOrderStore
    let node: Node
    let warm: WarmShelf
    let archive: ColdShelf
    let staging: FolderObjectStore
    let tiers: TieredOrderStore
    let keys: PersonKeyFile
    /// The last day; orders are older than that.
    static let now = Instant(seconds: 1_700_000_000)
    static let day: Int64 = 86_400
    static let policy = TierPolicy(name: "test", classes: [.orders: [.init(.hot, from: 0, to: 90), .init(.warm, from: 90, to: 180), .init(.cold, from: 180, to: nil)]])

    /// - Parameter onDisk: the warm index and staging are real files too, beside hot and keys, as in a data folder.
    init(withArchive: Bool = true, onDisk: Bool = false) async throws {
        folder = NSTemporaryDirectory() + "isotherm-mover-\(Bytes16.random())"
        try FileManager.default.createDirectory(atPath: folder + "/hot", withIntermediateDirectories: true)
        store = try SQLiteOrderStore(path: folder + "/hot/isotherm.db", keys: KeyRing(master: [UInt8](repeating: 7, count: 32)))
        keys = try store.personKeys(folder: folder + "/keys")
        var options = NodeOptions()
        options.background = false
        node = try await Node.open(root: onDisk ? FileDirectory(folder, create: true) : MemoryDirectory(), options: options)
        warm = Self.warm(node, store)
        staging = FolderObjectStore(onDisk ? try FileDirectory(folder).directory("staging") : MemoryDirectory())
        archive = ColdShelf(store: FolderObjectStore(onDisk ? try FileDirectory(folder).directory("cold") : MemoryDirectory()), leaseOf: store)
        tiers = TieredOrderStore(hot: store, shelves: withArchive ? [warm, archive] : [warm], keys: keys)
    }

    /// The same tiers under a store restored from a backup; the shop before must not be used any more, but for its store's closing.
    private init(_ other: MoverShop, _ path: String) throws {
        (folder, node, staging) = (other.folder, other.node, other.staging)
        store = try SQLiteOrderStore(path: path, keys: KeyRing(master: [UInt8](repeating: 7, count: 32)))
        keys = other.keys
        warm = Self.warm(node, store)
        archive = ColdShelf(store: other.archive.store, leaseOf: store)
        tiers = TieredOrderStore(hot: store, shelves: [warm, archive], keys: keys)
    }

    /// As a server has it.
    private static func warm(_ node: Node, _ store: SQLiteOrderStore) -> WarmShelf {
        WarmShelf(node: node, placed: { try await store.census()[.warm] ?? 0 })
    }

    func restored(_ backup: String) async throws -> MoverShop {
        let path = folder + "/restored-\(Bytes16.random()).db"
        try await OrderBackup.restore(backup, to: path)
        return try MoverShop(self, path)
    }

    func reconciler(_ catalogue: CatalogueSearch? = nil) -> TierReconciler {
        TierReconciler(store: store, shelves: [warm, archive], staging: staging, keys: keys, holder: "test reconcile", catalogue: catalogue)
    }

    func close() async {
        await node.close()
        store.close()
        keys.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func mover(
        _ name: String = "test", batch: Int = 7, shelves: [any OrderShelf]? = nil, stagingDays: Int64 = 7, daysLater: Int64 = 0,
        seam: @escaping @Sendable (MoverWrite, Bool) async throws -> Void = { _, _ in }
    ) -> OrderMover {
        var setting = OrderMover.Setting(holder: name)
        (setting.pace.batchOrders, setting.pace.archiveBatchOrders) = (batch, batch)
        setting.pace.stagingDays = stagingDays
        setting.takesOver = true
        (setting.clock, setting.seam) = ({ Instant.now().adding(days: daysLater) }, seam)
        return OrderMover(store: store, shelves: shelves ?? [warm, archive], staging: staging, keys: keys, setting: setting)
    }

    // MARK: What happens in it

    static func caller(_ age: Int64 = 0) -> Caller { Caller(.staff("test"), .support, at: now.adding(seconds: -age)) }

    @discardableResult
    func run(_ action: StoreCommand.Action, age: Int64 = 0) async throws(StoreError) -> StoreOutcome {
        try await tiers.perform(StoreCommand(action, by: Self.caller(age)))
    }

    func people(_ count: Int) async throws -> [PersonRef] {
        var people: [PersonRef] = []
        for at in 0..<count { people.append(PersonRef(try await run(.putPerson(PersonDraft(name: "P\(at)"))).id ?? .random())) }
        for at in 0..<5 {
            let id = ProductID("thing-\(at)")
            try await run(.putProduct(ProductDraft(id, title: "Thing \(at) of \(at % 2 == 0 ? "oak" : "Ash")", price: Money(1_000 + Int64(at), "EUR"))))
            try await run(.setStock(id, available: 1_000_000))
        }
        return people
    }

    enum Life: CaseIterable { case pending, cancelled, paid, shipped, delivered, returned, asked, declined }

    /// An order that came so far in its life, `age` seconds ago.
    func order(_ person: PersonRef, _ life: Life, age: Int64, _ random: inout Seeded) async throws -> OrderID {
        let lines = (0..<Int.random(in: 1...3, using: &random)).map { OrderDraft.Line(ProductID("thing-\(($0 + Int(age)) % 5)"), quantity: Int64.random(in: 1...3, using: &random)) }
        let id = OrderID(try await run(.placeOrder(OrderDraft(person: person, lines: lines)), age: age).id ?? .random())
        if life == .pending { return id }
        if life == .cancelled {
            try await run(.cancelOrder(id, reason: "", ifVersion: nil), age: age)
            return id
        }
        let payment = PaymentID(try await run(.startPayment(id, PaymentDraft(gateway: "g")), age: age).id ?? .random())
        if life == .declined {
            try await report(payment, .decline, age: age)
            try await run(.cancelOrder(id, reason: "", ifVersion: nil), age: age)
            return id
        }
        try await report(payment, .authorise, age: age)
        try await report(payment, .capture, age: age)
        if life == .paid { return id }
        try await run(.createShipment(id, ShipmentDraft(carrier: "dhl", trackingCode: "T\(id)")), age: age)
        try await track(id, "pickup", .pickup, age: age)
        if life == .shipped { return id }
        try await track(id, "deliver", .deliver, age: age - 60)
        if life == .delivered { return id }
        let back = ReturnID(try await run(.requestReturn(id, ReturnDraft(lines: [.init(position: 1, quantity: 1)], reason: "too_small")), age: age - 120).id ?? .random())
        if life == .asked { return id }
        try await run(.advanceReturn(back, .approve, note: ""), age: age - 120)
        try await run(.advanceReturn(back, .receive, note: ""), age: age - 120)
        try await report(payment, .refund, amount: try await tiers.returned(back, by: Self.caller()).valueMinor, age: age - 120)
        try await run(.advanceReturn(back, .refund, note: ""), age: age - 120)
        return id
    }

    @discardableResult
    func report(_ payment: PaymentID, _ what: PaymentReport.What, amount: Int64? = nil, id: String? = nil, age: Int64 = 0) async throws -> StoreOutcome {
        try await run(.recordPayment(PaymentReport(
            payment: payment, gateway: "g", eventID: id ?? "\(payment)-\(what.rawValue)", what, amountMinor: amount, happenedAt: Self.now.adding(seconds: -age), isWebhook: false)), age: age)
    }

    @discardableResult
    func track(_ order: OrderID, _ event: String, _ kind: TrackingKind, age: Int64 = 0) async throws -> StoreOutcome {
        try await run(.recordTracking(TrackingReport(
            carrier: "dhl", trackingCode: "T\(order)", eventID: "\(order)-\(event)", kind, happenedAt: Self.now.adding(seconds: -age), place: "Leipzig")), age: age)
    }

    /// Orders of every life and many ages, some just at the borders.
    func populate(_ people: [PersonRef], count: Int, seed: UInt64) async throws -> [OrderID] {
        var random = Seeded(seed), ids: [OrderID] = []
        let borders: [Int64] = [90 * Self.day, 90 * Self.day - 1, 180 * Self.day, 180 * Self.day - 1]
        for at in 0..<count {
            let age = at % 6 == 5 ? borders[at / 6 % 4] : Int64.random(in: 3_600..<300 * Self.day, using: &random)
            ids.append(try await order(people[Int.random(in: 0..<people.count, using: &random)], Life.allCases[at % Life.allCases.count], age: age, &random))
        }
        return ids
    }

    // MARK: What must hold

    /// All that a reader can see of an order.
    struct Sight: Equatable {
        var order: Order, shipments: [Shipment], returns: [Return], payments: [Payment]
    }

    func sight(_ id: OrderID) async throws -> Sight {
        let caller = Self.caller()
        var sight = Sight(
            order: try await tiers.order(id, by: caller), shipments: try await tiers.shipments(of: id, by: caller), returns: try await tiers.returns(of: id, by: caller),
            payments: try await tiers.payments(of: id, by: caller))
        sight.order.tier = ""
        // Numbered by the store, as they come in.
        for at in sight.shipments.indices { for event in sight.shipments[at].events.indices { sight.shipments[at].events[event].sequence = 0 } }
        return sight
    }

    func sights(_ ids: [OrderID]) async throws -> [Sight] {
        var found: [Sight] = []
        for id in ids { found.append(try await sight(id)) }
        return found
    }

    /// Where bodies lie, by tier, without asking the directory.
    func bodies(_ ids: [OrderID]) async throws -> [Tier: Set<OrderID>] {
        let hot = try await store.read { connection throws(StoreError) in try connection.texts("SELECT hex(order_id) FROM orders") }
        let asked = Set(ids)
        func on(_ shelf: any OrderShelf) async throws -> Set<OrderID> {
            let found = Mutex<Set<OrderID>>([])
            try await shelf.scan { documents in for bytes in documents { let id = try OrderDocument(openPartOf: bytes).order.id; found.withLock { _ = $0.insert(id) } } }
            return found.withLock { $0 }.intersection(asked)
        }
        return [.hot: Set(hot.compactMap { OrderID(text: $0) }), .warm: try await on(warm), .cold: try await on(archive)]
    }

    func address(_ id: OrderID) async throws -> OrderAddress { OrderAddress(id, try #require(try await store.placements([id])[id])) }

    /// What is wrong: an order whose body is not where the directory says, lies in two tiers, or is not in the tier of its age and state.
    func faults(_ ids: [OrderID]) async throws -> [String] {
        let bodies = try await bodies(ids)
        var faults: [String] = []
        for id in ids {
            let order = try await store.order(id, by: Self.caller())
            let places = Tier.allCases.filter { bodies[$0]?.contains(id) == true }
            if places != [Tier(rawValue: order.tier)] { faults.append("\(id) is \(order.tier), its bodies in \(places)") }
        }
        return faults
    }

    /// The tier of an order by its age and life: the model, apart from the policy's code.
    static func model(_ order: Order, _ returns: [Return]) -> Tier {
        let open: Set<OrderState> = [.pending, .confirmed, .partShipped, .shipped]
        if open.contains(order.state) || returns.contains(where: { [.requested, .approved, .received].contains($0.state) }) { return .hot }
        let days = (now.microseconds - order.placedAt.microseconds) / 86_400_000_000
        return days < 90 ? .hot : days < 180 ? .warm : .cold
    }
}
