// What holds for every call: who asks, bounds, the OpenAPI document, and that no bytes bring it down.

import IsothermTesting
import JSON
import Orders
import Shop
import Testing

@Suite("The frame of /api")
struct FrameTests {
    /// A path as a caller would write it.
    private func filled(_ path: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix("{") ? "01890a5d-ac96-774b-bcce-b302099a8057" : String($0) }.reduce("") { "\($0)/\($1)" }
    }

    @Test("the document names exactly the paths and methods that are answered, and every schema it points at")
    func document() async throws {
        let shop = try ShopUnderTest()
        let served = await shop.send("GET", "/api/openapi.json", as: nil)
        let document = served.json
        var named: Set<String> = []
        for (path, methods) in document["paths"]?.object?.members ?? [] {
            for method in methods.object?.keys ?? [] { named.insert("\(method.uppercased()) \(path)") }
        }
        #expect(named == Set(ShopRouter.operations.map { "\($0.method.rawValue) \($0.path)" }) && named.count == ShopRouter.operations.count)
        for path in document["paths"]?.object?.keys ?? [] {
            for method in ["GET", "POST", "PUT", "DELETE"] {
                let isNamed = named.contains("\(method) \(path)")
                #expect((await shop.send(method, filled(path), as: nil).status == 405) == !isNamed, "\(method) \(path)")
            }
        }
        let schemas = Set(document["components"]?["schemas"]?.object?.keys ?? [])
        let pointed = Set(served.text.split(separator: "#/components/schemas/").dropFirst().map { String($0.prefix { $0 != "\"" }) })
        #expect(pointed.subtracting(schemas).isEmpty && schemas.subtracting(pointed).isEmpty, "\(pointed.symmetricDifference(schemas))")
    }

    @Test("every call but the open ones wants to know who asks, and those for staff refuse customers")
    func callers() async throws {
        let shop = try ShopUnderTest()
        for operation in ShopRouter.operations where operation.access == .actor || operation.access == .staff {
            let method = operation.method.rawValue, path = filled(operation.path), headers = ["if-match": "*"]
            #expect(await shop.send(method, path, as: nil, key: "k", with: headers).status == 401, "\(method) \(path)")
            #expect(await shop.send(method, path, as: "customer:me", key: "k", with: headers).status == 401, "\(method) \(path)")
            if operation.access == .staff {
                #expect(await shop.send(method, path, as: "customer:01890a5d-ac96-774b-bcce-b302099a8057", key: "k", with: headers).status == 403, "\(method) \(path)")
            }
        }
    }

    @Test("a token is good until its end and only as it was made; the header is believed where it may be")
    func tokens() async throws {
        let shop = try ShopUnderTest(header: .refused)
        #expect(await shop.send("GET", "/api/status").status == 401)
        let tokens = AccessTokens(shop.ring), end = shop.clock.now.adding(seconds: 60)
        let token = tokens.issue(.staff("anna"), until: end)
        #expect(await shop.send("GET", "/api/status", as: nil, with: ["authorization": "Bearer \(token)"]).status == 200)
        #expect(await shop.send("GET", "/api/status", as: nil, with: ["authorization": "Basic \(token)"]).status == 401)
        for at in token.indices where token[at] != "." {
            var changed = token
            changed.replaceSubrange(at...at, with: token[at] == "A" ? "B" : "A")
            #expect(tokens.actor(changed, at: shop.clock.now) == nil)
        }
        shop.clock.pass(seconds: 60)
        #expect(await shop.send("GET", "/api/status", as: nil, with: ["authorization": "Bearer \(token)"]).status == 401)
        let near = try ShopUnderTest()
        #expect(await near.send("GET", "/api/status", with: ["host": "shop.example"]).status == 401)
        for host in ["localhost", "127.0.0.1:9200", "[::1]:9200"] { #expect(await near.send("GET", "/api/status", with: ["host": host]).status == 200) }
    }

    @Test("personal data is read with a purpose, and every read is in the audit log")
    func purposes() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.send("POST", "/api/people", #"{"name":"Ada","email":"ada@example.org"}"#).id
        let before = try await shop.store.verifyAudit().rows
        #expect(await shop.send("GET", "/api/people/\(ada)", with: ["x-isotherm-purpose": "curiosity"]).status == 400)
        #expect(await shop.router.answer("GET", "/api/people/\(ada)", headers: ["host": "localhost", "x-isotherm-actor": "staff:x"], body: []).status == 400)
        #expect(await shop.send("GET", "/api/people/\(ada)").json["email"] == "ada@example.org")
        #expect(await shop.send("POST", "/api/find/people", #"{"email":"ADA@example.org"}"#).id == ada)
        #expect(await shop.send("GET", "/api/people/\(ada)", as: "customer:\(ada)").status == 200)
        let after = try await shop.store.verifyAudit()
        #expect(after.rows == before + 3 && after.firstBroken == nil)
    }

    @Test("what is too large, too deep, misspelt or of the wrong kind is refused with its place")
    func bounds() async throws {
        let shop = try ShopUnderTest(limits: {
            var limits = ShopServices.Limits()
            limits.bodyBytesMax = 2_000
            return limits
        }())
        let ada = "customer:\(await shop.person())"
        func order(_ body: String, _ more: [String: String] = [:]) async -> Reply { await shop.send("POST", "/api/orders", body, as: ada, key: "k", with: more) }
        #expect(await order(#"{"lines":[{"product":"\#(String(repeating: "x", count: 2_000))"}]}"#).status == 413)
        #expect(await order(String(repeating: "[", count: 100)).status == 400)
        #expect(await order(#"{"lines":[{"product":"p","quantiy":1}]}"#).json["pointer"] == "/lines/0/quantiy")
        #expect(await order(#"{"lines":[{"product":"p","quantity":0}]}"#).json["pointer"] == "/lines/0/quantity")
        #expect(await order(#"{"lines":[{"product":"p","quantity":9223372036854775807}]}"#).status == 400)
        #expect(await order(#"{"lines":[{"product":"p","quantity":1e99}]}"#).status == 400)
        #expect(await order(#"{"lines":[],"currency":"EUR"}"#).json["pointer"] == "/lines")
        #expect(await order(#"{"lines":[{"product":"p"}],"currency":"eur"}"#).json["pointer"] == "/currency")
        #expect(await order(#"{"lines":[{"product":"p"}],"lines":[]}"#).status == 400)
        #expect(await order(#"{"lines":[{"product":"p"}]}"#, ["content-type": "text/plain"]).status == 415)
        #expect(await order(#"{"lines":[{"product":"p"}]}"#, ["idempotency-key": "with space"]).status == 400)
        #expect(await shop.send("GET", "/api/orders/%zz").status == 400)
        #expect(await shop.send("GET", "/api/nothing").status == 404)
        #expect(await shop.send("PATCH", "/api/orders").status == 405)
        #expect(await shop.send("GET", "/api/products?limit=" + String(repeating: "9", count: 9_000)).status == 414)
    }

    @Test("no bytes, in body or path, make it fail on its own account", arguments: UInt64(0)..<60)
    func noise(seed: UInt64) async throws {
        let shop = try Self.shared.get()
        var random = Seeded(seed)
        let operation = ShopRouter.operations[Int.random(in: 0..<ShopRouter.operations.count, using: &random)]
        let good = #"{"lines":[{"product":"p","quantity":1}],"person":"01890a5d-ac96-774b-bcce-b302099a8057","card":"4000000000000002","amount_minor":1,"event":"e","#
            + #""kind":"deliver","carrier":"c","tracking_code":"t","name":"n","title":"t","price_minor":1,"currency":"EUR","available":3}"#
        for _ in 0..<40 {
            var body = Array(good.utf8)
            for _ in 0..<Int.random(in: 0..<4, using: &random) { body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            if Bool.random(using: &random) { body.removeLast(Int.random(in: 0..<body.count, using: &random)) }
            let segment = String(decoding: (0..<6).map { _ in UInt8.random(in: 33...126, using: &random) }, as: UTF8.self)
            let path = Bool.random(using: &random) ? filled(operation.path) : operation.path.split(separator: "/").map { $0.hasPrefix("{") ? segment : String($0) }.joined(separator: "/")
            let answer = await shop.router.answer(
                operation.method.rawValue, "/" + path,
                headers: ["host": "localhost", "x-isotherm-actor": "staff:x", "idempotency-key": "k\(seed)", "content-type": "application/json", "if-match": "*", "x-isotherm-purpose": "audit"],
                body: body)
            #expect(answer.status < 500, "\(operation.method.rawValue) \(path)")
        }
    }
    private static let shared = Result { try ShopUnderTest() }
}
