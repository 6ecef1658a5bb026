// Schemas of the OpenAPI document: what goes in and out, each member with its type. Money is always in minor units (cents) of the currency beside it.

internal import JSON
internal import Orders

enum OpenAPISchemas {
    static let reasons: [Int: String] = [
        400: "The request makes no sense as it is; `pointer` or `parameter` says where.", 401: "Nobody we know asks.", 403: "The caller may never do this.",
        404: "There is none, or none for this caller.", 409: "The state of things forbids it; `legal` lists what is possible.",
        412: "The record changed since it was read.", 422: "The idempotency key was used for another request, or the gateway refused.", 428: "If-Match is missing.",
        429: "Too much is waiting: try again after Retry-After.", 503: "The store is not available; nothing happened.",
    ]

    static var all: JSONValue {
        .object(JSONObject([
            ("Problem", object(["type", "title", "detail"].map { ($0, text) } + [("status", integer)], required: ["type", "title", "status", "detail"])),
            ("Receipt", object(
                [("id", text), ("status", text), ("version", integer), ("reference", text), ("challenge", text), ("changed", boolean), ("position", integer)], required: ["position"])),
            ("Change", object([("follows", boolean), ("changed", boolean), ("position", integer)])),
            ("Follows", object([("follows", boolean)])),

            ("OrderRequest", object([
                ("person", text), ("currency", text), ("lines", list(orderLine)), ("address", text), ("hold_seconds", integer), ("empties_basket", boolean),
            ], required: ["lines"])),
            ("CancelRequest", object([("reason", text)])),
            ("OrderPage", object([("orders", list(reference("Order"))), ("total", integer), ("next", optional), ("archive", reference("ArchiveReads"))], required: ["orders", "total", "next"])),
            ("ArchiveReads", object([("requests", integer), ("bytes", integer)])),
            ("Order", object([
                ("id", text), ("reference", text), ("placed_at", moment), ("status", words(OrderState.self)), ("currency", text), ("total_minor", integer),
                ("paid_minor", integer), ("lines", list(reference("OrderLine"))), ("tier", text), ("person", text), ("refunded_minor", integer),
                ("credit_minor", integer), ("hold_ends_at", optional), ("delivered_at", optional), ("returnable_until", optional), ("address", optional),
                ("exchange_of", optional), ("version", integer), ("archive", reference("ArchiveReads")),
            ], required: ["id", "reference", "placed_at", "status", "currency", "total_minor", "paid_minor", "lines", "tier"])),
            ("OrderLine", object([
                ("position", integer), ("product", text), ("title", text), ("seller", optional), ("quantity", integer), ("unit_minor", integer),
                ("freight_minor", integer), ("total_minor", integer), ("shipped", integer), ("returned", integer),
            ])),
            ("OrderFrames", object([
                ("total", integer), ("last_30_days", integer), ("last_3_months", integer), ("last_6_months", integer),
                ("years", list(object([("year", integer), ("count", integer)]))),
            ])),

            ("PaymentRequest", object([("card", text), ("amount_minor", integer)], required: ["card"])),
            ("ConfirmRequest", object([("challenge", text)], required: ["challenge"])),
            ("AmountRequest", object([("amount_minor", integer)])),
            ("Payments", object([("payments", list(reference("Payment")))])),
            ("Payment", object([
                ("id", text), ("order", text), ("status", words(PaymentState.self)), ("gateway", text), ("method", text), ("currency", text),
                ("amount_minor", integer), ("authorised_minor", integer), ("captured_minor", integer), ("refunded_minor", integer), ("voided_minor", integer),
                ("created_at", moment), ("version", integer), ("events", list(object([
                    ("event", text), ("kind", text), ("amount_minor", integer), ("happened_at", moment), ("received_at", moment), ("applied", boolean),
                ]))),
            ])),
            ("PaymentWebhook", object([
                ("event", text), ("payment", text), ("type", text), ("reference", text), ("amount_minor", integer), ("currency", text),
            ], required: ["event", "payment", "type", "amount_minor", "currency"])),

            ("ShipmentRequest", object(
                [("carrier", text), ("tracking_code", text), ("lines", list(reference("Units"))), ("estimated_delivery", moment)], required: ["carrier", "tracking_code"])),
            ("Units", object([("position", integer), ("quantity", integer)], required: ["position"])),
            ("Shipments", object([("shipments", list(reference("Shipment")))])),
            ("Shipment", object([
                ("id", text), ("order", text), ("status", words(ShipmentState.self)), ("carrier", text), ("tracking_code", text), ("estimated_delivery", optional),
                ("created_at", moment), ("version", integer), ("lines", list(reference("Units"))), ("events", list(reference("TrackingEvent"))),
            ])),
            ("TrackingEvent", object([
                ("sequence", integer), ("event", text), ("kind", words(TrackingKind.self)), ("happened_at", moment), ("received_at", moment), ("place", text),
            ])),
            ("TrackingStream", text),
            ("TrackingRequest", object([("event", text), ("kind", words(TrackingKind.self)), ("happened_at", moment), ("place", text)], required: ["event", "kind"])),
            ("CarrierWebhook", object([
                ("carrier", text), ("tracking_code", text), ("event", text), ("kind", words(TrackingKind.self)), ("happened_at", moment), ("place", text),
            ], required: ["carrier", "tracking_code", "event", "kind"])),

            ("ReturnRequest", object([("lines", list(reference("Units"))), ("reason", text)], required: ["lines", "reason"])),
            ("ExchangeRequest", object([("lines", list(orderLine)), ("currency", text)], required: ["lines"])),
            ("NoteRequest", object([("note", text)])),
            ("Returns", object([("returns", list(reference("Return")))])),
            ("Return", object([
                ("id", text), ("order", text), ("status", words(ReturnState.self)), ("reason", text), ("value_minor", integer), ("requested_at", moment),
                ("version", integer), ("lines", list(reference("Units"))),
            ])),

            ("PersonRequest", object([("name", text), ("email", text), ("phone", text)], required: ["name"])),
            ("FindRequest", object([("email", text)], required: ["email"])),
            ("Person", object([("id", text), ("name", text), ("email", optional), ("phone", optional), ("created_at", moment)])),
            ("AddressRequest", object(address, required: ["name", "street", "city", "postal_code", "country"])),
            ("Addresses", object([("addresses", list(object([("id", text)] + address)))])),
            ("Basket", object([("lines", list(object([("quantity", integer), ("product", reference("Product"))])))])),
            ("QuantityRequest", object([("quantity", integer)], required: ["quantity"])),
            ("PersonPage", object([("people", list(text)), ("total", integer), ("next", optional)])),
            ("Suggestions", object([("suggestions", list(object([("person", text), ("common", integer)])))])),

            ("ProductRequest", object([
                ("title", text), ("price_minor", integer), ("currency", text), ("seller", text), ("attributes", ["type": "object"]), ("available", integer),
            ], required: ["title", "price_minor", "currency"])),
            ("PriceRequest", object([("price_minor", integer), ("currency", text)], required: ["price_minor", "currency"])),
            ("StockRequest", object([("available", integer)], required: ["available"])),
            ("StockChange", object([("by", integer)], required: ["by"])),
            ("ProductPage", object([("products", list(reference("Product"))), ("next", optional)])),
            ("Product", object([
                ("id", text), ("title", text), ("seller", optional), ("price_minor", integer), ("currency", text), ("available", integer), ("kept", integer),
                ("attributes", ["type": "object"]), ("version", integer),
            ])),

            ("Reconciliation", object([("clean", boolean)] + ["sums", "open", "ignored", "differing"].map { ($0, list(object([("about", text), ("what", text)]))) })),
            ("Status", object([("commits", integer), ("commands", integer), ("position", integer), ("streams", integer)])),
            ("LateRequest", object([("late", boolean)])),
            ("Delivered", object([("delivered", integer)])),
            ("Document", ["type": "object"]),
        ]))
    }

    // MARK: -

    private static let text: JSONValue = ["type": "string"]
    private static let integer: JSONValue = ["type": "integer", "format": "int64"]
    private static let boolean: JSONValue = ["type": "boolean"]
    private static let moment: JSONValue = ["type": "string", "format": "date-time"]
    private static let optional: JSONValue = ["type": ["string", "null"]]
    private static let address = ["name", "street", "city", "postal_code", "region", "country"].map { ($0, text) }
    private static let orderLine = object(
        [("product", text), ("quantity", integer), ("expected_price_minor", integer), ("freight_minor", integer)], required: ["product"])

    private static func list(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }
    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    private static func words<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> JSONValue where Word.RawValue == String {
        ["type": "string", "enum": .array(Word.allCases.map { .string($0.rawValue) })]
    }

    private static func object(_ members: [(String, JSONValue)], required: [String] = []) -> JSONValue {
        var object: JSONObject = JSONObject([("type", "object"), ("properties", .object(JSONObject(members)))])
        if !required.isEmpty { object["required"] = .array(required.map { .string($0) }) }
        return .object(object)
    }
}
