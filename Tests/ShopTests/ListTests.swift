// Pages over /api: previous orders, the follow graph, cursors that were changed.

import IsothermTesting
import JSON
import Orders
import OrdersSQLite
import Testing

@Suite("Lists over /api")
struct ListTests {
    @Test("pages of previous orders join up without gap or repeat, and the total is exact")
    func history() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("lamp", available: 100)
        var placed: [String] = []
        for _ in 0..<13 {
            placed.append(await shop.place(ada, [("lamp", 1)]).id)
            shop.clock.pass(seconds: 86_400)
        }
        _ = await shop.send("POST", "/api/orders/\(placed[3])/cancel", with: ["if-match": "*"])
        var seen: [String] = [], cursor: String?
        repeat {
            let page = await shop.send("GET", "/api/people/\(ada)/orders?limit=5" + (cursor.map { "&cursor=\($0)" } ?? ""), as: "customer:\(ada)")
            #expect(page.status == 200 && page.json["total"] == 13)
            for order in page.json["orders"]?.array ?? [] {
                seen.append(order["id"]?.string ?? "")
                #expect(order.object?.keys == ["id", "reference", "placed_at", "status", "currency", "total_minor", "paid_minor", "lines", "tier"])
            }
            cursor = page.json["next"]?.string
        } while cursor != nil && seen.count < 100
        #expect(seen == placed.reversed())
        #expect(await shop.send("GET", "/api/people/\(ada)/orders?status=cancelled").json["total"] == 1)
        #expect(await shop.send("GET", "/api/people/\(ada)/orders?q=LAMP&from=2023-11-16&to=2023-11-18").json["total"] == 2)
        let frames = await shop.send("GET", "/api/people/\(ada)/orders/frames").json
        #expect(frames["total"] == 13 && frames["last_30_days"] == 13 && frames["years"] == [["year": 2023, "count": 13]])
        for bad in ["status=lost", "from=yesterday", "limit=0", "limit=101", "limit=x", "color=red", "limit=1&limit=2", "q=" + String(repeating: "a", count: 201)] {
            #expect(await shop.send("GET", "/api/people/\(ada)/orders?\(bad)").status == 400, "\(bad)")
        }
    }

    @Test("a cursor that was changed anywhere, cut, or taken to other filters or lists is refused")
    func cursors() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person("Ada"), eve = await shop.person("Eve")
        await shop.product("lamp", available: 100)
        for _ in 0..<4 { _ = await shop.place(ada, [("lamp", 1)]) }
        let list = "/api/people/\(ada)/orders?limit=2"
        let cursor = await shop.send("GET", list).json["next"]?.string ?? ""
        #expect(await shop.send("GET", "\(list)&cursor=\(cursor)").status == 200)
        var random = Seeded(3)
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        for at in 0..<cursor.count {
            var changed = Array(cursor)
            let other = digits.filter { $0 != changed[at] }
            changed[at] = other[Int.random(in: 0..<other.count, using: &random)]
            let answer = await shop.send("GET", "\(list)&cursor=\(String(changed))")
            #expect(answer.status == 400 && answer.problem == "bad-cursor", "at \(at)")
            #expect(await shop.send("GET", "\(list)&cursor=\(cursor.prefix(at))x").status == 400)
        }
        for other in ["&status=pending", "&from=2020-01-01", "&to=2030-01-01", "&q=lamp"] {
            #expect(await shop.send("GET", "\(list)\(other)&cursor=\(cursor)").problem == "bad-cursor", "\(other)")
        }
        #expect(await shop.send("GET", "/api/people/\(eve)/orders?cursor=\(cursor)").problem == "bad-cursor")
        #expect(await shop.send("GET", "/api/people/\(ada)/followers?cursor=\(cursor)").problem == "bad-cursor")
    }

    @Test("an imported order and its person are found by what their source called them, by those who may see them")
    func imported() async throws {
        let shop = try ShopUnderTest()
        let line = HistoricOrder.Line(product: "lamp", title: "Lamp", seller: nil, quantity: 1, unitMinor: 900, freightMinor: 100)
        let order = HistoricOrder(
            key: SourceKey(source: "olist", key: "abc"), person: "c1", placedAt: Instant(seconds: 1_600_000_000), deliveredAt: nil, state: .delivered, currency: "BRL",
            lines: [line], payments: [], attributes: "{}")
        _ = try shop.store.importHistory([order], by: Caller(.service("test"), .import, at: shop.clock.now))
        let found = await shop.send("GET", "/api/orders/ref:olist:abc")
        #expect(found.status == 200 && found.json["total_minor"] == 1_000 && found.json["status"] == "delivered")
        let list = await shop.send("GET", "/api/people/ref%3Aolist%3Ac1/orders")
        #expect(list.json["total"] == 1 && list.json["orders"]?.array?.first?["id"] == .string(found.id))
        let own = "customer:\(found.json["person"]?.string ?? "")", other = "customer:\(await shop.person())"
        #expect(await shop.send("GET", "/api/people/ref:olist:c1/orders", as: own).status == 200)
        for path in ["/api/people/ref:olist:c1/orders", "/api/orders/ref:olist:abc", "/api/people/ref:olist:c1/followers"] {
            #expect(await shop.send("GET", path, as: other).status == 404, "\(path)")
        }
        #expect(await shop.send("GET", "/api/orders/ref:olist:none").status == 404)
    }

    @Test("following is idempotent, counted exactly, and paged newest first")
    func following() async throws {
        let shop = try ShopUnderTest()
        var people: [String] = []
        for at in 0..<7 { people.append(await shop.person("P\(at)")) }
        for other in people[1...] {
            let own = "customer:\(people[0])"
            #expect(await shop.send("PUT", "/api/people/\(people[0])/following/\(other)", as: own).json["changed"] == true)
            #expect(await shop.send("PUT", "/api/people/\(people[0])/following/\(other)", as: own).json["changed"] == false)
        }
        _ = await shop.send("PUT", "/api/people/\(people[2])/following/\(people[0])")
        _ = await shop.send("DELETE", "/api/people/\(people[0])/following/\(people[4])")
        let first = await shop.send("GET", "/api/people/\(people[0])/following?limit=3", as: nil).json
        #expect(first["total"] == 5 && first["people"] == .array([people[6], people[5], people[3]].map { .string($0) }))
        let second = await shop.send("GET", "/api/people/\(people[0])/following?limit=3&cursor=\(first["next"]?.string ?? "")", as: nil).json
        #expect(second["people"] == .array([people[2], people[1]].map { .string($0) }) && second["next"]?.isNull == true)
        #expect(await shop.send("GET", "/api/people/\(people[1])/followers", as: nil).json["people"] == [.string(people[0])])
        #expect(await shop.send("GET", "/api/people/\(people[0])/mutuals", as: nil).json["people"] == [.string(people[2])])
        #expect(await shop.send("GET", "/api/people/\(people[0])/following/\(people[4])", as: nil).json["follows"] == false)
        let suggestions = await shop.send("GET", "/api/people/\(people[2])/suggestions").json["suggestions"]?.array ?? []
        #expect(suggestions.count == 4 && suggestions.allSatisfy { $0["common"] == 1 })
        #expect(await shop.send("PUT", "/api/people/\(people[0])/following/\(people[0])").status == 400)
        #expect(await shop.send("GET", "/api/people/ref:olist:x/followers", as: nil).status == 401)
    }
}
