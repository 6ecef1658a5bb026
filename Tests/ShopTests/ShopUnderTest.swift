// The whole of /api without sockets: the router over a store in a folder of its own, the sandbox gateway, and a clock that tests turn.

import Foundation
import JSON
import Orders
import OrdersSQLite
import Secrets
import Shop
import Synchronization

final class ManualClock: Sendable {
    private let value = Mutex(Instant(seconds: 1_700_000_000))
    var now: Instant { value.withLock { $0 } }
    func pass(seconds: Int64) { value.withLock { $0 = $0.adding(seconds: seconds) } }
}

struct Reply {
    var status: Int, bytes: [UInt8], headers: [(name: String, value: String)], type: String?
    var json: JSONValue { (try? JSONValue.parse(bytes)) ?? .null }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    /// The last part of a problem's type.
    var problem: String? { json["type"]?.string.map { String($0.split(separator: ":").last ?? "") } }
    var id: String { json["id"]?.string ?? "" }
}

final class ShopUnderTest: Sendable {
    let folder: String
    let ring = KeyRing(master: [UInt8](repeating: 9, count: 32))
    let clock = ManualClock()
    let store: SQLiteOrderStore, services: ShopServices, sandbox: SandboxGateway
    let router: ShopRouter, upkeep: Upkeep

    init(_ options: OrdersSQLiteOptions = OrdersSQLiteOptions(), limits: ShopServices.Limits = .init(), header: AccessPolicy.Header = .believedOnLoopback) throws {
        folder = NSTemporaryDirectory() + "isotherm-shop-\(Bytes16.random())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try SQLiteOrderStore(path: folder + "/isotherm.db", keys: ring, options: options)
        let secrets = WebhookSecrets(ring)
        sandbox = SandboxGateway(secret: secrets.payments)
        services = ShopServices(
            store: store, gateway: sandbox, access: AccessPolicy(tokens: AccessTokens(ring), header: header), secrets: secrets, limits: limits,
            now: { [clock] in clock.now })
        router = ShopRouter(services)
        upkeep = Upkeep(services)
    }
    deinit {
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func send(_ method: String, _ uri: String, _ body: String = "", as actor: String? = "staff:test", key: String? = nil, with more: [String: String] = [:]) async -> Reply {
        var headers = ["host": "127.0.0.1:9200", "x-isotherm-purpose": "support"]
        if let actor { headers["x-isotherm-actor"] = actor }
        if let key { headers["idempotency-key"] = key }
        if !body.isEmpty { headers["content-type"] = "application/json" }
        var sent = ShopHeaders()
        for (name, value) in headers.merging(more, uniquingKeysWith: { $1 }) { sent.append(name, value) }
        let answer = await router.answer(method, uri, headers: sent, body: Array(body.utf8))
        var bytes: [UInt8] = []
        if case .bytes(let all) = answer.body { bytes = all }
        return Reply(status: answer.status, bytes: bytes, headers: answer.headers, type: answer.contentType)
    }

    /// A body signed as a carrier or the gateway would.
    func hook(_ path: String, _ body: String, secret: [UInt8], at instant: Instant? = nil) async -> Reply {
        await send("POST", path, body, as: nil, with: ["isotherm-signature": WebhookSignature.sign(Array(body.utf8), secret: secret, at: instant ?? clock.now)])
    }

    func track(_ code: String, _ event: String, _ kind: String, _ at: String = "2023-11-15T12:00:00Z", carrier: String = "post") async -> Reply {
        await hook("/api/webhooks/carriers", #"{"carrier":"\#(carrier)","tracking_code":"\#(code)","event":"\#(event)","kind":"\#(kind)","happened_at":"\#(at)"}"#,
            secret: services.secrets.carrier(carrier))
    }

    func person(_ name: String = "Ada") async -> String { await send("POST", "/api/people", #"{"name":"\#(name)"}"#).id }

    func product(_ id: String, price: Int = 1_000, available: Int = 10) async {
        _ = await send("PUT", "/api/products/\(id)", #"{"title":"Title of \#(id)","price_minor":\#(price),"currency":"EUR","available":\#(available)}"#)
    }

    func place(_ person: String, _ lines: [(String, Int)], key: String = "\(Bytes16.random())") async -> Reply {
        let list = lines.map { #"{"product":"\#($0.0)","quantity":\#($0.1)}"# }.joined(separator: ",")
        return await send("POST", "/api/orders", #"{"lines":[\#(list)]}"#, as: "customer:\(person)", key: key)
    }

    func pay(_ order: String, _ person: String, card: String = SandboxGateway.Card.approve, key: String = "\(Bytes16.random())") async -> Reply {
        await send("POST", "/api/orders/\(order)/payments", #"{"card":"\#(card)"}"#, as: "customer:\(person)", key: key)
    }

    /// An order of the lines, paid, captured, shipped with its own identifier as code, delivered.
    func delivered(_ person: String, _ lines: [(String, Int)]) async -> (order: String, payment: String) {
        let order = await place(person, lines).id
        let payment = await pay(order, person).id
        _ = await send("POST", "/api/payments/\(payment)/capture", key: "c\(order)")
        _ = await send("POST", "/api/orders/\(order)/shipments", #"{"carrier":"post","tracking_code":"\#(order)"}"#)
        _ = await track(order, "d\(order)", "deliver")
        return (order, payment)
    }
}
