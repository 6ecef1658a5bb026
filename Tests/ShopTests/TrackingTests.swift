// Carriers' webhooks, and live tracking as server-sent events.

import Foundation
import JSON
import Orders
import Shop
import Synchronization
import Testing

@Suite("Tracking over /api")
struct TrackingTests {
    private func shipped() async throws -> (shop: ShopUnderTest, ada: String, order: String, shipment: String) {
        let shop = try ShopUnderTest()
        let ada = await shop.person()
        await shop.product("lamp")
        let order = await shop.place(ada, [("lamp", 1)]).id
        _ = await shop.pay(order, ada)
        let shipment = await shop.send("POST", "/api/orders/\(order)/shipments", #"{"carrier":"post","tracking_code":"T"}"#).id
        return (shop, ada, order, shipment)
    }

    @Test("carriers' events in any order, any number of times, come to the same")
    func disorder() async throws {
        let (shop, ada, order, shipment) = try await shipped()
        #expect(await shop.track("T", "3", "out", "2023-11-15T18:00:00Z").json["status"] == "out_for_delivery")
        #expect(await shop.track("T", "1", "pickup", "2023-11-15T08:00:00Z").json["status"] == "out_for_delivery")
        #expect(await shop.track("T", "1", "pickup", "2023-11-15T08:00:00Z").json["changed"] == false)
        #expect(await shop.track("T", "4", "deliver", "2023-11-15T21:00:00Z").json["status"] == "delivered")
        #expect(await shop.track("T", "2", "transit", "2023-11-15T12:00:00Z").json["status"] == "delivered")
        let events = await shop.send("GET", "/api/shipments/\(shipment)", as: "customer:\(ada)").json["events"]?.array ?? []
        #expect(events.map { $0["event"]?.string } == ["1", "2", "3", "4"])
        #expect(await shop.send("GET", "/api/orders/\(order)").json["status"] == "delivered")
        #expect(await shop.track("none", "5", "out").status == 404)
    }

    @Test("one carrier cannot speak for another")
    func carriers() async throws {
        let (shop, _, _, shipment) = try await shipped()
        let body = #"{"carrier":"post","tracking_code":"T","event":"1","kind":"deliver"}"#
        #expect(await shop.hook("/api/webhooks/carriers", body, secret: shop.services.secrets.carrier("other")).status == 403)
        #expect(await shop.send("GET", "/api/shipments/\(shipment)").json["status"] == "created")
    }

    @Test("a stream tells what is known, then what comes, and ends when the parcel has arrived")
    func stream() async throws {
        let (shop, ada, _, shipment) = try await shipped()
        _ = await shop.track("T", "1", "pickup", "2023-11-15T08:00:00Z")
        let text = try await read(shop, shipment, ada) { soFar in
            if soFar.contains(#""event":"1""#), !soFar.contains(#""event":"2""#) { _ = await shop.track("T", "2", "out", "2023-11-15T09:00:00Z") }
            if soFar.contains(#""event":"2""#), !soFar.contains(#""event":"3""#) { _ = await shop.track("T", "3", "deliver", "2023-11-15T10:00:00Z") }
        }
        let events = text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.compactMap { try? JSONValue.parse(String($0.dropFirst(6))) }
        #expect(events.map { $0["event"]?.string } == ["1", "2", "3"] && events.last?["status"] == "delivered")

        // Back with what it saw last: the rest, then nothing more to come for.
        let ids = text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
        let rest = try await read(shop, shipment, ada, last: ids[1]) { _ in }
        #expect(rest.contains(#""event":"3""#) && !rest.contains(#""event":"2""#))
        let path = "/api/shipments/\(shipment)/events"
        #expect(await shop.send("GET", path, as: "customer:\(ada)", with: ["last-event-id": ids[2]]).status == 204)
        #expect(await shop.send("GET", path, as: "customer:\(ada)", with: ["last-event-id": "x"]).status == 400)
    }

    @Test("more streams than allowed are refused, and one that ended makes room")
    func streams() async throws {
        var limits = ShopServices.Limits()
        limits.streamsMax = 1
        let shop = try ShopUnderTest(limits: limits)
        let ada = await shop.person()
        await shop.product("lamp")
        let order = await shop.place(ada, [("lamp", 1)]).id
        _ = await shop.pay(order, ada)
        let shipment = await shop.send("POST", "/api/orders/\(order)/shipments", #"{"carrier":"post","tracking_code":"T"}"#).id
        let refused = Mutex(0)
        _ = try await read(shop, shipment, ada) { soFar in
            guard !soFar.contains("data:") else { return }
            let second = await shop.send("GET", "/api/shipments/\(shipment)/events", as: "customer:\(ada)")
            refused.withLock { $0 = second.status }
            _ = await shop.track("T", "1", "deliver")
        }
        #expect(refused.withLock { $0 } == 429)
        #expect(await shop.send("GET", "/api/status").json["streams"] == 0)
    }

    /// Reads a stream to its end; `react` is shown all that came so far after each piece.
    private func read(
        _ shop: ShopUnderTest, _ shipment: String, _ person: String, last: String? = nil, _ react: @escaping @Sendable (String) async -> Void
    ) async throws -> String {
        var headers: ShopHeaders = ["host": "localhost", "x-isotherm-actor": "customer:\(person)"]
        if let last { headers.append("last-event-id", last) }
        let answer = await shop.router.answer("GET", "/api/shipments/\(shipment)/events", headers: headers, body: [])
        guard case .stream(let run) = answer.body else {
            Issue.record("no stream but \(answer.status)")
            return ""
        }
        #expect(answer.contentType == "text/event-stream")
        var text = ""
        try await run { piece in
            text += String(decoding: piece, as: UTF8.self)
            await react(text)
        }
        return text
    }
}
