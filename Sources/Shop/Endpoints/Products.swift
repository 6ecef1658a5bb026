// The catalogue's master: products, prices, stock. Anybody may read it; the search index follows it.

internal import JSON
internal import Orders

struct ProductGetEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/products/{id}", "One product with price and stock of this moment.", .open, answer: "Product", problems: [404])]

    private let id: ProductID
    init(_ call: ShopCall) throws(Problem) { id = call.product }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let product = try await shop.store.product(id)
        return ShopAnswer.json { w in w.product(product) }.tagged(product.version)
    }
}

struct ProductListEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .get, "/api/products", "Products in the order of their identifiers.", .open,
            query: [("after", "the last identifier of the page before"), ("limit", "1 to 1,000; 100 when absent")], answer: "ProductPage")
    ]

    private let after: ProductID?, limit: Int
    init(_ call: ShopCall) throws(Problem) {
        after = try call.text("after", bytesMax: 512).map { ProductID($0) }
        limit = try call.integer("limit", 1...1_000) ?? 100
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let products = try await shop.store.products(after: after, limit: limit)
        return .json { w in
            w.list("products", products) { w, product in w.product(product) }
            w.member("next", products.count == limit ? products.last?.id.text : nil)
        }
    }
}

struct ProductPutEndpoint: Endpoint {
    static let operations = [
        APIOperation(.put, "/api/products/{id}", "Make or change a product; `available` sets its stock too.", .staff, body: "ProductRequest", answer: "Receipt", key: .optional)
    ]

    private let caller: Caller, key: IdempotencyKey?, draft: ProductDraft, available: Int64?

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.catalogue)
        key = try call.idempotencyKey(required: false)
        var body = try Fields(call)
        guard let currency = try body.currency(), let price = try body.optionalAmount("price_minor") else {
            throw .invalid("a product has price_minor and currency", pointer: "/price_minor")
        }
        draft = ProductDraft(
            call.product, title: try body.text("title", 1...2_000), price: Money(price, currency), seller: try body.optionalText("seller", 1...200),
            attributes: try body.objectText("attributes"))
        available = try body.optionalInteger("available", 0...1_000_000_000_000)
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        var outcome = try await shop.perform(.putProduct(draft), by: caller, key: key)
        if let available { outcome = try await shop.perform(.setStock(draft.id, available: available), by: caller, key: key?.then("stock")) }
        return .receipt(outcome)
    }
}

struct PricePutEndpoint: Endpoint {
    static let operations = [
        APIOperation(.put, "/api/products/{id}/price", "A new price, for orders from now on.", .staff, body: "PriceRequest", answer: "Receipt", key: .optional, problems: [404])
    ]

    private let caller: Caller, key: IdempotencyKey?, id: ProductID, price: Money

    init(_ call: ShopCall) throws(Problem) {
        (caller, id) = (try call.staff(.catalogue), call.product)
        key = try call.idempotencyKey(required: false)
        var body = try Fields(call)
        guard let currency = try body.currency(), let minor = try body.optionalAmount("price_minor") else {
            throw .invalid("a price has price_minor and currency", pointer: "/price_minor")
        }
        price = Money(minor, currency)
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer { .receipt(try await shop.perform(.setPrice(id, price), by: caller, key: key)) }
}

struct StockEndpoint: Endpoint {
    static let operations = [
        APIOperation(.put, "/api/products/{id}/stock", "How many are on the shelf.", .staff, body: "StockRequest", answer: "Receipt", key: .optional, problems: [404]),
        APIOperation(.post, "/api/products/{id}/stock", "So many more, or fewer.", .staff, body: "StockChange", answer: "Receipt", key: .required, problems: [404, 409]),
    ]

    private let caller: Caller, key: IdempotencyKey?, action: StoreCommand.Action

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.catalogue)
        key = try call.idempotencyKey(required: call.method == .post)
        var body = try Fields(call)
        action = call.method == .put
            ? .setStock(call.product, available: try body.integer("available", 0...1_000_000_000_000))
            : .adjustStock(call.product, by: try body.integer("by", -1_000_000_000...1_000_000_000))
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer { .receipt(try await shop.perform(action, by: caller, key: key)) }
}
