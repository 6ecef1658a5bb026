// GET /api/shipments/{id}/events: live tracking as server-sent events (WHATWG HTML, section 9.2).
//
//     id: 17
//     event: tracking
//     data: {"sequence":17,"event":"...","kind":"out",...,"status":"out_for_delivery"}
//
// First what is known already, then each event as it is committed; every 15 seconds a comment, so that both sides see the line is up. A reader that lost its
// line says what it saw last (`Last-Event-ID`) and gets the rest: none twice, none left out. Once the parcel has arrived and its reader has seen it, 204 tells the
// reader not to come back.

internal import JSON
internal import Orders

struct TrackingStreamEndpoint: Endpoint {
    static let operations = [
        APIOperation(.get, "/api/shipments/{id}/events", "Live tracking, as server-sent events.", .actor, answer: "TrackingStream", problems: [404, 429])
    ]

    private let caller: Caller, id: ShipmentID, seen: Int64

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.tracking)
        id = try call.id("id", "shipment")
        guard let last = call.headers["last-event-id"], !last.isEmpty else {
            seen = 0
            return
        }
        guard let number = Int64(last), number >= 0 else { throw .invalid("Last-Event-ID is the id of an event of this stream") }
        seen = number
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let shipment = try await shop.store.shipment(id, by: caller)
        if shipment.state.isFinal, !shipment.events.contains(where: { $0.sequence > seen }) { return ShopAnswer(204) }
        let stream = TrackingStream(shop: shop, caller: caller, id: id, seen: seen)
        // Listens before it looks, so that nothing falls between.
        guard let (signals, end) = shop.tracking.listen(id) else {
            var problem = Problem(429, "too-many-streams", "\(shop.limits.streamsMax) streams are open: read /api/shipments/\(id) from time to time instead")
            problem.headers.append(("Retry-After", "30"))
            throw problem
        }
        let answer = ShopAnswer(200, .stream({ write in
            defer { end() }
            try await stream.run(signals, write)
        }), contentType: "text/event-stream")
        return answer.with("Cache-Control", "no-store")
    }
}

struct TrackingStream: Sendable {
    let shop: ShopServices, caller: Caller, id: ShipmentID
    let seen: Int64

    func run(_ signals: AsyncStream<Void>, _ write: ([UInt8]) async throws -> Void) async throws {
        var seen = seen
        let end = caller.at.adding(seconds: shop.limits.streamSecondsMax)
        try await write(Array("retry: 3000\n\n".utf8))
        if try await tell(&seen, write) { return }
        for await _ in signals {
            if try await tell(&seen, write) || shop.now() >= end { return }
        }
    }

    /// Writes what came since, or a comment; true once nothing more will come.
    private func tell(_ seen: inout Int64, _ write: ([UInt8]) async throws -> Void) async throws -> Bool {
        let shipment = try await shop.store.shipment(id, by: caller)
        let fresh = shipment.events.filter { $0.sequence > seen }.sorted { $0.sequence < $1.sequence }
        if fresh.isEmpty { try await write(Array(": nothing new\n\n".utf8)) }
        for event in fresh {
            var w = JSONWriter(reserving: 256)
            w.object { w in
                w.tracking(event)
                w.member("status", shipment.state.rawValue)
            }
            try await write(Array("id: \(event.sequence)\nevent: tracking\ndata: ".utf8) + w.bytes + Array("\n\n".utf8))
            seen = event.sequence
        }
        return shipment.state.isFinal
    }
}

extension ShipmentState {
    /// Nothing is expected any more.
    var isFinal: Bool { self == .delivered || self == .returned }
}
