// An order's whole life over /api, what a customer may see of it, and requests that come twice.

import JSON
import Orders
import OrdersSQLite
import Testing

@Suite("Orders over /api")
struct OrderLifeTests {
    @Test("an order goes from the shelf to delivered, part-returned and refunded")
    func life() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("lamp", price: 2_500, available: 5)
        let placed = await shop.place(ada, [("lamp", 2)])
        #expect(placed.status == 201 && placed.json["status"] == "pending" && placed.header("Location") == "/api/orders/\(placed.id)" && placed.header("ETag") == "\"1\"")
        #expect(await shop.send("GET", "/api/products/lamp", as: nil).json["available"] == 3)

        let payment = await shop.pay(placed.id, ada)
        #expect(payment.status == 201 && payment.json["status"] == "authorised")
        #expect(await shop.send("GET", "/api/orders/\(placed.id)", as: "customer:\(ada)").json["status"] == "confirmed")
        #expect(await shop.send("POST", "/api/payments/\(payment.id)/capture", key: "c").json["status"] == "captured")

        let shipment = await shop.send("POST", "/api/orders/\(placed.id)/shipments", #"{"carrier":"post","tracking_code":"T1"}"#)
        #expect(shipment.status == 201)
        #expect(await shop.track("T1", "e1", "transit").json["status"] == "in_transit")
        #expect(await shop.track("T1", "e2", "deliver", "2023-11-15T19:00:00Z").json["status"] == "delivered")
        let order = await shop.send("GET", "/api/orders/\(placed.json["reference"]?.string ?? "")", as: "customer:\(ada)")
        #expect(order.json["status"] == "delivered" && order.json["paid_minor"] == 5_000 && order.json["delivered_at"] == "2023-11-15T19:00:00Z")

        let back = await shop.send(
            "POST", "/api/orders/\(placed.id)/returns", #"{"lines":[{"position":1,"quantity":1}],"reason":"too_bright"}"#, as: "customer:\(ada)", key: "r")
        #expect(back.status == 201)
        #expect(await shop.send("POST", "/api/returns/\(back.id)/refund", key: "early").problem == "illegal-transition")
        #expect(await shop.send("POST", "/api/returns/\(back.id)/approve").status == 200)
        #expect(await shop.send("POST", "/api/returns/\(back.id)/receive").status == 200)
        #expect(await shop.send("POST", "/api/returns/\(back.id)/refund", key: "f").json["status"] == "refunded")
        let end = await shop.send("GET", "/api/orders/\(placed.id)").json
        #expect(end["status"] == "part_returned" && end["refunded_minor"] == 2_500)
        #expect(await shop.send("GET", "/api/payments/\(payment.id)").json["status"] == "part_refunded")
        #expect(await shop.send("GET", "/api/products/lamp").json["available"] == 4)
        // The gateway's own webhooks about all this change nothing.
        await shop.upkeep.turn()
        #expect(await shop.send("GET", "/api/orders/\(placed.id)").json == end)
        #expect(await shop.send("GET", "/api/reconciliation").json["clean"] == true)
    }

    @Test("a request that comes twice under its key is answered with the same bytes, whatever happened since")
    func replay() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("lamp", price: 700, available: 9)
        let first = await shop.place(ada, [("lamp", 2)], key: "o")
        let paid = await shop.pay(first.id, ada, key: "p")
        let captured = await shop.send("POST", "/api/payments/\(paid.id)/capture", key: "c")
        _ = await shop.send("POST", "/api/orders/\(first.id)/shipments", #"{"carrier":"post","tracking_code":"T"}"#, key: "s")
        _ = await shop.track("T", "e", "deliver")
        let wish = #"{"lines":[{"position":1,"quantity":2}],"reason":"broken"}"#
        let back = await shop.send("POST", "/api/orders/\(first.id)/returns", wish, as: "customer:\(ada)", key: "r")
        for step in ["approve", "receive"] { _ = await shop.send("POST", "/api/returns/\(back.id)/\(step)") }
        let refunded = await shop.send("POST", "/api/returns/\(back.id)/refund", key: "f")
        await shop.upkeep.turn()

        let again = [
            (first, await shop.place(ada, [("lamp", 2)], key: "o")), (paid, await shop.pay(first.id, ada, key: "p")),
            (captured, await shop.send("POST", "/api/payments/\(paid.id)/capture", key: "c")),
            (back, await shop.send("POST", "/api/orders/\(first.id)/returns", wish, as: "customer:\(ada)", key: "r")),
            (refunded, await shop.send("POST", "/api/returns/\(back.id)/refund", key: "f")),
        ]
        for (before, after) in again {
            #expect(before.bytes == after.bytes && before.status == after.status && before.status < 300, "\(before.text) and \(after.text)")
            #expect(before.header("Idempotency-Replayed") == nil && after.header("Idempotency-Replayed") == "true")
        }
        #expect(await shop.send("GET", "/api/products/lamp").json["available"] == 9)
        #expect(await shop.send("GET", "/api/payments/\(paid.id)").json["refunded_minor"] == 1_400)
        #expect(await shop.place(ada, [("lamp", 3)], key: "o").problem == "idempotency-key-reused")
        #expect(await shop.send("POST", "/api/orders", #"{"lines":[{"product":"lamp"}]}"#, as: "customer:\(ada)").problem == "idempotency-key-missing")
    }

    @Test("what is another customer's is not there, and without a caller there is nothing")
    func others() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person("Ada"), eve = await shop.person("Eve")
        await shop.product("lamp")
        let (order, payment) = await shop.delivered(ada, [("lamp", 1)])
        let back = await shop.send("POST", "/api/orders/\(order)/returns", #"{"lines":[{"position":1}],"reason":"dull"}"#, as: "customer:\(ada)", key: "r").id
        let shipment = await shop.send("GET", "/api/orders/\(order)/shipments", as: "customer:\(ada)").json["shipments"]?.array?.first?["id"]?.string ?? ""
        let paths = [
            "orders/\(order)", "orders/\(order)/payments", "orders/\(order)/shipments", "orders/\(order)/returns", "payments/\(payment)", "shipments/\(shipment)",
            "shipments/\(shipment)/events", "returns/\(back)", "people/\(ada)", "people/\(ada)/orders", "people/\(ada)/orders/frames", "people/\(ada)/basket",
            "people/\(ada)/addresses", "people/\(ada)/suggestions",
        ]
        for path in paths {
            let own = await shop.send("GET", "/api/\(path)", as: "customer:\(ada)")
            #expect(own.status < 300, "\(path): \(own.text)")
            let other = await shop.send("GET", "/api/\(path)", as: "customer:\(eve)")
            #expect(other.status == 404 && other.type == "application/problem+json", "\(path)")
            #expect(await shop.send("GET", "/api/\(path)", as: nil).status == 401, "\(path)")
        }
        let eves = "customer:\(eve)"
        #expect(await shop.send("POST", "/api/orders/\(order)/cancel", as: eves, with: ["if-match": "*"]).status == 404)
        #expect(await shop.send("POST", "/api/orders/\(order)/payments", #"{"card":"4000000000000002"}"#, as: eves, key: "x").status == 404)
        #expect(await shop.send("POST", "/api/orders/\(order)/returns", #"{"lines":[{"position":1}],"reason":"x"}"#, as: eves, key: "x").status == 404)
        #expect(await shop.send("POST", "/api/returns/\(back)/cancel", as: eves).status == 404)
        #expect(await shop.send("PUT", "/api/people/\(ada)", #"{"name":"Mallory"}"#, as: eves).status == 404)
        #expect(await shop.send("PUT", "/api/people/\(ada)/following/\(eve)", as: eves).status == 404)
        #expect(await shop.send("POST", "/api/orders", #"{"person":"\#(ada)","lines":[{"product":"lamp"}]}"#, as: eves, key: "x").status == 404)
        #expect(await shop.send("POST", "/api/payments/\(payment)/refund", as: "customer:\(ada)", key: "x").status == 403)
    }

    @Test("a change to a version that is no more is refused, as is one that names none")
    func preconditions() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("lamp")
        let order = await shop.place(ada, [("lamp", 1)]).id
        let path = "/api/orders/\(order)/cancel"
        #expect(await shop.send("POST", path).status == 428)
        #expect(await shop.send("POST", path, with: ["if-match": "1"]).status == 400)
        let stale = await shop.send("POST", path, with: ["if-match": "\"7\""])
        #expect(stale.status == 412 && stale.header("ETag") == "\"1\"" && stale.json["version"] == 1)
        #expect(await shop.send("GET", "/api/orders/\(order)", with: ["if-none-match": "\"1\""]).status == 304)
        let done = await shop.send("POST", path, with: ["if-match": "\"1\""])
        #expect(done.status == 200 && done.json["status"] == "cancelled" && done.header("ETag") == "\"2\"")
        let late = await shop.send("POST", path, with: ["if-match": "*"])
        #expect(late.status == 409 && late.problem == "illegal-transition" && late.json["legal"] == [] && late.json["state"] == "cancelled")
        #expect(await shop.send("GET", "/api/products/lamp").json["available"] == 10)
        let other = await shop.place(ada, [("lamp", 1)]).id
        let early = await shop.send("POST", "/api/orders/\(other)/shipments", #"{"carrier":"post","tracking_code":"T"}"#)
        #expect(early.status == 409 && early.json["legal"] == ["confirm", "cancel", "expire"])
    }

    @Test("an order of more than there is, or at another price than was shown, is refused with what is true")
    func refusals() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("lamp", price: 500, available: 2)
        let short = await shop.place(ada, [("lamp", 3)])
        #expect(short.status == 409 && short.problem == "out-of-stock" && short.json["left"] == ["lamp": 2])
        let dear = await shop.send(
            "POST", "/api/orders", #"{"lines":[{"product":"lamp","expected_price_minor":450}]}"#, as: "customer:\(ada)", key: "k")
        #expect(dear.status == 409 && dear.json["prices"]?["lamp"]?["price_minor"] == 500)
        #expect(await shop.place(ada, [("nothing", 1)]).status == 404)
    }

    @Test("a store whose queue is full says so, and when to come again")
    func busy() async throws {
        var options = OrdersSQLiteOptions()
        options.waitingMax = 0
        let shop = try ShopUnderTest(options)
        let answer = await shop.place("\(Bytes16.random())", [("lamp", 1)])
        #expect(answer.status == 429 && answer.problem == "busy" && answer.header("Retry-After") == "1")
    }

    @Test("exchanged goods make a new order with nothing to pay")
    func exchange() async throws {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("red", price: 900)
        await shop.product("blue", price: 900)
        let (order, _) = await shop.delivered(ada, [("red", 1)])
        let back = await shop.send("POST", "/api/orders/\(order)/returns", #"{"lines":[{"position":1}],"reason":"colour"}"#, as: "customer:\(ada)", key: "r").id
        for step in ["approve", "receive"] { _ = await shop.send("POST", "/api/returns/\(back)/\(step)") }
        let new = await shop.send("POST", "/api/returns/\(back)/exchange", #"{"lines":[{"product":"blue"}]}"#, key: "x")
        #expect(new.status == 201 && new.json["status"] == "confirmed", "\(new.text)")
        #expect(await shop.send("GET", "/api/orders/\(new.id)", as: "customer:\(ada)").json["exchange_of"] == .string(back))
    }
}
