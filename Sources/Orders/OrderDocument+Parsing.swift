// The open part of an order's document from its bytes: strict, since what is parsed here is put back into the store.

import JSON

extension OrderDocument {
    /// - Throws: `damaged`, naming the member that is missing or wrong; contents are never quoted.
    init(openPart object: JSONObject) throws(StoreError) {
        let m = DocumentFields(object)
        let id: OrderID = try m.id("order_id"), person: PersonRef = try m.id("person_ref"), currency = try m.currency("currency")
        var order = Order(
            id: id, reference: try m.text("reference"), person: person, placedAt: try m.instant("placed_at"), state: try m.word("state"), currency: currency,
            totalMinor: try m.integer("total_minor"), paidMinor: try m.integer("paid_minor"), refundedMinor: try m.integer("refunded_minor"),
            creditMinor: try m.integer("credit_minor"), version: try m.integer("version"))
        (order.deliveredAt, order.returnableUntil) = (try m.optionalInstant("delivered_at"), try m.optionalInstant("returnable_until"))
        order.exchangeOf = try m.optionalID("exchange_of")
        order.lines = try m.each("lines") { line throws(StoreError) in
            OrderLine(
                position: try line.integer("position"), product: ProductID(try line.text("product_id")), title: try line.text("title"),
                seller: try line.optionalText("seller_id"), quantity: try line.integer("quantity"), unitMinor: try line.integer("unit_minor"),
                freightMinor: try line.integer("freight_minor"), totalMinor: try line.integer("total_minor"), shipped: try line.integer("shipped"),
                returned: try line.integer("returned"))
        }
        self.init(order: order)
        personal = .sealed
        payments = try m.each("payments") { payment throws(StoreError) in try OrderDocument.payment(payment, id, person) }
        refunds = try m.each("refunds") { refund throws(StoreError) in
            Refund(payment: try refund.id("payment_id"), amountMinor: try refund.integer("amount_minor"), at: try refund.instant("at"))
        }
        shipments = try m.each("shipments") { shipment throws(StoreError) in try OrderDocument.shipment(shipment, id, person) }
        returns = try m.each("returns") { back throws(StoreError) in try OrderDocument.returned(back, id, person) }
    }

    // MARK: -

    private static func payment(_ m: DocumentFields, _ order: OrderID, _ person: PersonRef) throws(StoreError) -> Payment {
        let ledger = PaymentLedger(
            authorised: try m.integer("authorised_minor"), captured: try m.integer("captured_minor"), refunded: try m.integer("refunded_minor"),
            voided: try m.integer("voided_minor"))
        var payment = Payment(
            id: try m.id("payment_id"), order: order, person: person, state: try m.word("state"), gateway: try m.text("gateway"), method: try m.text("method"),
            gatewayReference: nil, currency: try m.currency("currency"), amountMinor: try m.integer("amount_minor"), ledger: ledger,
            createdAt: try m.instant("created_at"), version: try m.integer("version"))
        payment.events = try m.each("events") { event throws(StoreError) in
            PaymentEvent(
                eventID: "", kind: try event.text("kind"), amountMinor: try event.integer("amount_minor"), happenedAt: try event.instant("happened_at"),
                receivedAt: try event.instant("received_at"), applied: try event.flag("applied"))
        }
        return payment
    }

    private static func shipment(_ m: DocumentFields, _ order: OrderID, _ person: PersonRef) throws(StoreError) -> Shipment {
        var shipment = Shipment(
            id: try m.id("shipment_id"), order: order, person: person, state: try m.word("state"), carrier: try m.text("carrier"),
            trackingCode: "", estimatedDelivery: try m.optionalInstant("estimated_delivery"), createdAt: try m.instant("created_at"),
            version: try m.integer("version"))
        shipment.lines = try m.each("lines") { line throws(StoreError) in (try line.integer("position"), try line.integer("quantity")) }
        var sequence: Int64 = 0
        shipment.events = try m.each("tracking") { event throws(StoreError) in
            sequence += 1
            return TrackingEvent(
                sequence: sequence, eventID: "", kind: try event.word("kind"), happenedAt: try event.instant("happened_at"),
                receivedAt: try event.instant("received_at"), place: "")
        }
        return shipment
    }

    private static func returned(_ m: DocumentFields, _ order: OrderID, _ person: PersonRef) throws(StoreError) -> Return {
        var back = Return(
            id: try m.id("return_id"), order: order, person: person, state: try m.word("state"), reason: "",
            valueMinor: try m.integer("value_minor"), requestedAt: try m.instant("requested_at"), version: try m.integer("version"))
        back.exchangeOrder = try m.optionalID("exchange_order")
        back.lines = try m.each("lines") { line throws(StoreError) in
            Return.ShipmentDraftLine(position: try line.integer("position"), quantity: try line.integer("quantity"))
        }
        return back
    }
}

/// The members of one object of the document.
struct DocumentFields {
    private let object: JSONObject
    init(_ object: JSONObject) { self.object = object }

    private func wrong(_ name: String) -> StoreError { .damaged("an order's document: \(name) is missing or wrong") }

    func integer(_ name: String) throws(StoreError) -> Int64 {
        guard let value = object[name]?.integer else { throw wrong(name) }
        return value
    }
    func flag(_ name: String) throws(StoreError) -> Bool {
        guard let value = object[name]?.boolean else { throw wrong(name) }
        return value
    }
    func text(_ name: String) throws(StoreError) -> String {
        guard let value = object[name]?.string else { throw wrong(name) }
        return value
    }
    func optionalText(_ name: String) throws(StoreError) -> String? { object[name] == nil ? nil : try text(name) }
    func instant(_ name: String) throws(StoreError) -> Instant {
        guard let value = Instant(text: try text(name)) else { throw wrong(name) }
        return value
    }
    func optionalInstant(_ name: String) throws(StoreError) -> Instant? { object[name] == nil ? nil : try instant(name) }
    func id<Kind>(_ name: String) throws(StoreError) -> ID<Kind> {
        guard let value = ID<Kind>(text: try text(name)) else { throw wrong(name) }
        return value
    }
    func optionalID<Kind>(_ name: String) throws(StoreError) -> ID<Kind>? { object[name] == nil ? nil : try id(name) }
    func word<Word: RawRepresentable>(_ name: String) throws(StoreError) -> Word where Word.RawValue == String {
        guard let value = Word(rawValue: try text(name)) else { throw wrong(name) }
        return value
    }
    func currency(_ name: String) throws(StoreError) -> Currency {
        guard let value = Currency(code: try text(name)) else { throw wrong(name) }
        return value
    }
    func each<T>(_ name: String, _ make: (DocumentFields) throws(StoreError) -> T) throws(StoreError) -> [T] {
        guard let values = object[name]?.array else { throw wrong(name) }
        var made: [T] = []
        made.reserveCapacity(values.count)
        for value in values {
            guard let object = value.object else { throw wrong(name) }
            made.append(try make(DocumentFields(object)))
        }
        return made
    }
}
