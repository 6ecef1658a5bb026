// Outside hot and keys nothing personal is on the disk, in any form; what the keys' absence, age or end means for the mover and for readers.

import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Storage
import Testing
import Tiering

@Suite("Sealed between the tiers")
struct SealedTiersTests {
    /// What no file outside hot and keys may have, in any case of letters; and one word that is no secret, which every search must find.
    private let marker = "marker", known = "openword"

    /// Orders whose every personal value bears the marker, 100 and 200 days old by turns.
    private func markedShop() async throws -> (shop: MoverShop, ids: [OrderID], address: AddressID, person: PersonRef) {
        let shop = try await MoverShop(onDisk: true)
        let person = PersonRef(try #require(try await shop.run(.putPerson(PersonDraft(name: "MARKER-name", email: "marker@example.org", phone: "MARKER-phone"))).id))
        let address = AddressID(try #require(try await shop.run(.addAddress(
            person, AddressDraft(name: "MARKER-name", street: "MARKER-street", city: "MARKER-city", postalCode: "MARKER-code", country: "DE"))).id))
        try await shop.run(.putProduct(ProductDraft("thing", title: "Openword", price: Money(100, "EUR"))))
        try await shop.run(.setStock("thing", available: 1_000))
        var ids: [OrderID] = []
        for at in 0..<20 {
            let age = (at.isMultiple(of: 2) ? 100 : 200) * MoverShop.day
            let id = OrderID(try #require(try await shop.run(.placeOrder(OrderDraft(person: person, lines: [.init("thing", quantity: 2)], address: address)), age: age).id))
            let payment = PaymentID(try #require(try await shop.run(.startPayment(id, PaymentDraft(gateway: "g")), age: age).id))
            try await shop.report(payment, .authorise, id: "MARKER-gateway-\(at)", age: age)
            try await shop.report(payment, .capture, id: "MARKER-gateway-c\(at)", age: age)
            try await shop.run(.createShipment(id, ShipmentDraft(carrier: "dhl", trackingCode: "MARKER-code-\(at)")), age: age)
            for (event, kind) in [("pickup", TrackingKind.pickup), ("deliver", .deliver)] {
                try await shop.run(.recordTracking(TrackingReport(
                    carrier: "dhl", trackingCode: "MARKER-code-\(at)", eventID: "MARKER-\(event)-\(at)", kind, happenedAt: MoverShop.now.adding(seconds: -age),
                    place: "MARKER-place")), age: age)
            }
            let back = ReturnID(try #require(try await shop.run(.requestReturn(id, ReturnDraft(lines: [.init(position: 1, quantity: 1)], reason: "marker_reason")), age: age - 60).id))
            try await shop.run(.advanceReturn(back, .reject, note: "MARKER-note"), age: age - 120)
            ids.append(id)
        }
        let history = HistoricOrder(
            key: SourceKey(source: "s", key: "MARKER-source"), person: "MARKER-person", placedAt: MoverShop.now.adding(seconds: -200 * MoverShop.day), deliveredAt: nil, state: .cancelled,
            currency: "EUR", lines: [.init(product: "thing", title: "Openword", seller: nil, quantity: 1, unitMinor: 5, freightMinor: 0)], payments: [],
            attributes: #"{"note":"MARKER-attribute"}"#)
        _ = try shop.store.importHistory([history], by: MoverShop.caller())
        ids.append(try #require(try await shop.store.orderID(.source(history.key))))
        return (shop, ids, address, person)
    }

    @Test("after a move no file outside hot and keys has a personal value, before a flush, after it, and as readers unpack it")
    func nothingInTheClear() async throws {
        let (shop, ids, address, _) = try await markedShop(), before = try await shop.sights(ids)
        let report = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(report.moved == ids.count)
        #expect(try await shop.store.census() == [.warm: 10, .cold: 11])
        #expect(try found("marker", in: shop.folder + "/hot") > 0)
        // The log of the index, and staging.
        try look(shop, address)
        try await shop.node.flush("*")
        try await shop.node.forceMerge("*")
        try look(shop, address)
        // As unpacked: what a file search cannot see through compression.
        var addresses: [OrderAddress] = []
        for id in ids { addresses.append(try await shop.address(id)) }
        var unpacked = Array(try await shop.warm.read(addresses).documents.values) + (try await shop.archive.read(addresses).documents.values)
        #expect(unpacked.count == ids.count)
        for object in try await shop.staging.listAll(prefix: "") { unpacked.append(try await shop.staging.get(object.key)) }
        for bytes in unpacked { #expect(count(marker, in: bytes) == 0 && count(address.description, in: bytes) == 0) }
        #expect(unpacked.contains { count(known, in: $0) > 0 })
        // Hot's own letters to the outside, and its chain of who did what.
        for sql in ["SELECT body FROM outbox", "SELECT action || subject || actor FROM audit_log", "SELECT outcome FROM idempotency_keys"] as [StaticString] {
            let texts = try await shop.store.read { connection throws(StoreError) in try connection.texts(sql) }
            #expect(texts.allSatisfy { !$0.lowercased().contains(marker) })
        }
        #expect(try await shop.sights(ids) == before)
        await shop.close()
    }

    @Test("where a key was destroyed orders still read and take late changes, without what was personal; they move again")
    func erased() async throws {
        let (shop, ids, _, person) = try await markedShop()
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        let before = try await shop.sights(ids), id = ids[4]
        try shop.keys.destroy([person], at: MoverShop.now)
        let after = try await shop.sights(ids)
        for (a, b) in zip(before.dropLast(), after) {
            #expect(b.order.state == a.order.state && b.order.totalMinor == a.order.totalMinor && b.order.lines == a.order.lines && b.order.address == nil)
            #expect(b.shipments.map(\.state) == a.shipments.map(\.state) && b.shipments.allSatisfy { $0.trackingCode.isEmpty && $0.events.count == 2 })
            #expect(b.returns.allSatisfy { $0.reason.isEmpty })
        }
        #expect(after.last == before.last)
        // Two of them come back, whose parcels have no names any more.
        for id in [id, ids[3]] {
            let payment = try #require(try await shop.tiers.payments(of: id, by: MoverShop.caller()).first)
            try await shop.report(payment.id, .refund, amount: 1, id: "late-\(id)")
            #expect(try await shop.store.order(id, by: MoverShop.caller()).tier == "hot")
        }
        let hot = try await shop.tiers.shipments(of: id, by: MoverShop.caller())
        #expect(hot.count == 1 && hot[0].events.count == 2 && !hot[0].trackingCode.lowercased().contains(marker))
        let report = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(report.moved == 2)
        #expect(try await shop.tiers.shipments(of: id, by: MoverShop.caller())[0].trackingCode.isEmpty)
        let bytes = try #require(try await shop.warm.read([try await shop.address(id)]).documents[id])
        #expect(count("sealed", in: bytes) == 0)
        await shop.close()
    }

    @Test("keys that are not the store's newest move nothing; without them an order cannot be read, and the error says so")
    func wrongKeys() async throws {
        let (shop, ids, _, person) = try await markedShop(), folder = shop.folder
        let other = try PersonKeyFile(folder: folder + "/other", mark: nil)
        defer { other.close() }
        func mover(_ keys: PersonKeyFile) -> OrderMover {
            var setting = OrderMover.Setting(holder: "other")
            setting.takesOver = true
            return OrderMover(store: shop.store, shelves: [shop.warm, shop.archive], staging: shop.staging, keys: keys, setting: setting)
        }
        _ = try await shop.mover(batch: 5).run(MoverShop.policy, at: MoverShop.now)
        let payment = try #require(try await shop.tiers.payments(of: ids[0], by: MoverShop.caller()).first)
        try await shop.report(payment.id, .refund, amount: 1, id: "late")
        let lost = TieredOrderStore(hot: shop.store, shelves: [shop.warm, shop.archive], keys: other)
        do throws(StoreError) {
            _ = try await lost.order(ids[1], by: MoverShop.caller())
            Issue.record("it was read")
        } catch { #expect("\(error)".contains("put the newest copy")) }
        // They have seen more changes than the right ones, and are others all the same.
        _ = try other.make(for: (0..<9).map { _ in PersonRef(.random()) })
        await #expect(throws: StoreError.self) { try await mover(other).run(MoverShop.policy, at: MoverShop.now) }
        #expect(try await shop.store.order(ids[0], by: MoverShop.caller()).tier == "hot")
        #expect(throws: StoreError.self) { try shop.store.personKeys(folder: folder + "/other") }
        #expect(throws: StoreError.self) { try shop.store.personKeys(folder: folder + "/none") }
        // It has a key of that person now, and another one.
        #expect(try other.find([person]).count == 1)
        await #expect(throws: StoreError.self) { try await lost.order(ids[1], by: MoverShop.caller()) }
        #expect(try await shop.mover().run(MoverShop.policy, at: MoverShop.now).moved == 1)
        await shop.close()
    }

    @Test("the keys are durable before anything sealed with them is staged, and a mover stopped between finds them again")
    func keysFirst() async throws {
        let (shop, ids, _, person) = try await markedShop(), before = try await shop.sights(ids)
        let stopped = shop.mover { write, isBefore in
            guard write == .stageOrders, isBefore else { return }
            let seen = try PersonKeyFile(folder: shop.folder + "/keys", mark: nil, readonly: true)
            defer { seen.close() }
            #expect(try seen.find([person]).count == 1)
            throw Stopped()
        }
        await #expect(throws: Stopped.self) { try await stopped.run(MoverShop.policy, at: MoverShop.now) }
        let key = try shop.keys.state(of: person)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(try shop.keys.state(of: person) == key)
        #expect(try await shop.sights(ids) == before)
        await shop.close()
    }

    // MARK: -

    private func look(_ shop: MoverShop, _ address: AddressID) throws {
        let root = shop.folder
        let folders = try FileManager.default.contentsOfDirectory(atPath: root).filter { $0 != "hot" && $0 != "keys" }
        #expect(Set(folders).isSuperset(of: ["indexes", "staging", "cold"]))
        var seen = 0
        for folder in folders {
            #expect(try found(marker, in: "\(root)/\(folder)") == 0)
            #expect(try found(address.description, in: "\(root)/\(folder)") == 0)
            seen += try found(known, in: "\(root)/\(folder)")
        }
        #expect(seen > 0)
    }

    /// How often a word is in the files of a folder and below, or in a file.
    private func found(_ word: String, in path: String) throws -> Int {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return 0 }
        if !isFolder.boolValue { return count(word, in: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))) }
        return try FileManager.default.contentsOfDirectory(atPath: path).reduce(0) { try $0 + found(word, in: "\(path)/\($1)") }
    }

    private func count(_ word: String, in bytes: [UInt8]) -> Int {
        let wanted = Array(word.lowercased().utf8), folded = bytes.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
        guard folded.count >= wanted.count else { return 0 }
        var count = 0
        for at in 0...(folded.count - wanted.count) where folded[at] == wanted[0] && folded[at...].starts(with: wanted) { count += 1 }
        return count
    }
}
