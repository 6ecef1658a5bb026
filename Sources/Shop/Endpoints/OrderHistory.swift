// GET /api/people/{id}/orders and .../orders/frames: previous orders, newest first, and how many there are in each time frame.

internal import JSON
internal import Orders

struct OrderHistoryEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .get, "/api/people/{id}/orders", "A person's previous orders, newest first.", .actor,
            query: [
                ("from", "placed at or after: a date or a moment"), ("to", "placed before"), ("status", "one state of orders"),
                ("include", "cold: the lines of archived orders too; without it an order of the archive is its state and totals"), ("q", "in the reference, or a line's title or product; ASCII case makes no difference"),
            ] + APIOperation.page, answer: "OrderPage", problems: [404])
    ]

    private let caller: Caller, person: PersonKey
    private var query: OrderListQuery

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        person = try call.personKey()
        let page = try call.page()
        var state: OrderState?
        if let word = try call.text("status") {
            state = OrderState(rawValue: word)
            guard state != nil else {
                throw .invalid("status is one of \(OrderState.allCases.map(\.rawValue).joined(separator: ", "))", parameter: "status")
            }
        }
        query = OrderListQuery(
            from: try call.instant("from"), to: try call.instant("to"), state: state, text: try call.text("q", bytesMax: 200), limit: page.limit, cursor: page.cursor)
        query.includesCold = try call.includesCold()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let page = try await shop.store.orders(of: try await shop.person(person, by: caller), query, by: caller)
        return .json { w in
            w.list("orders", page.orders) { w, order in w.summary(order) }
            w.member("total", page.total)
            w.member("next", page.next)
            w.archive(page.archive)
        }
    }
}

struct OrderFramesEndpoint: Endpoint {
    static let operations = [
        APIOperation(.get, "/api/people/{id}/orders/frames", "How many orders a person placed in each time frame.", .actor, answer: "OrderFrames", problems: [404])
    ]

    private let caller: Caller, person: PersonKey

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        person = try call.personKey()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let frames = try await shop.store.frames(of: try await shop.person(person, by: caller), by: caller)
        return .json { w in
            w.member("total", frames.total)
            w.member("last_30_days", frames.last30Days)
            w.member("last_3_months", frames.last3Months)
            w.member("last_6_months", frames.last6Months)
            w.list("years", frames.years) { w, year in
                w.member("year", year.year)
                w.member("count", year.count)
            }
        }
    }
}
