// What the store hands out: records as they were committed, frozen. Money is in minor units of the record's currency.

package struct Order: Sendable, Equatable {
    package var id: OrderID, reference: String, person: PersonRef
    package var placedAt: Instant, state: OrderState, currency: Currency
    package var totalMinor: Int64, paidMinor: Int64, refundedMinor: Int64
    /// Paid by goods brought back.
    package var creditMinor: Int64
    /// Rises with every change: the ETag.
    package var version: Int64
    package var holdEndsAt: Instant?, deliveredAt: Instant?, returnableUntil: Instant?
    package var address: AddressID?
    package var exchangeOf: ReturnID?
    package var tier: String
    /// Without one it is what the directory knows: no lines, and nothing that only the body says (sums of refunds and credit, delivery, address).
    package var hasBody = true
    package var lines: [OrderLine]
    package init(
        id: OrderID, reference: String, person: PersonRef, placedAt: Instant, state: OrderState, currency: Currency, totalMinor: Int64, paidMinor: Int64,
        refundedMinor: Int64, creditMinor: Int64, version: Int64, tier: String = "hot", lines: [OrderLine] = []
    ) {
        (self.id, self.reference, self.person, self.placedAt, self.state, self.currency) = (id, reference, person, placedAt, state, currency)
        (self.totalMinor, self.paidMinor, self.refundedMinor, self.creditMinor) = (totalMinor, paidMinor, refundedMinor, creditMinor)
        (self.version, self.tier, self.lines) = (version, tier, lines)
    }
}

package struct OrderLine: Sendable, Equatable {
    package var position: Int64, product: ProductID, title: String, seller: String?
    package var quantity: Int64, unitMinor: Int64, freightMinor: Int64, totalMinor: Int64
    package var shipped: Int64, returned: Int64
    package init(
        position: Int64, product: ProductID, title: String, seller: String?, quantity: Int64, unitMinor: Int64, freightMinor: Int64, totalMinor: Int64,
        shipped: Int64, returned: Int64
    ) {
        (self.position, self.product, self.title, self.seller, self.quantity) = (position, product, title, seller, quantity)
        (self.unitMinor, self.freightMinor, self.totalMinor, self.shipped, self.returned) = (unitMinor, freightMinor, totalMinor, shipped, returned)
    }
}

package struct Payment: Sendable, Equatable {
    package var id: PaymentID, order: OrderID, person: PersonRef
    package var state: PaymentState, gateway: String, method: String, gatewayReference: String?, currency: Currency
    package var amountMinor: Int64, authorisedMinor: Int64, capturedMinor: Int64, refundedMinor: Int64, voidedMinor: Int64
    package var createdAt: Instant, version: Int64
    package var events: [PaymentEvent]
    package init(
        id: PaymentID, order: OrderID, person: PersonRef, state: PaymentState, gateway: String, method: String, gatewayReference: String?, currency: Currency,
        amountMinor: Int64, ledger: PaymentLedger, createdAt: Instant, version: Int64, events: [PaymentEvent] = []
    ) {
        (self.id, self.order, self.person, self.state, self.gateway, self.method) = (id, order, person, state, gateway, method)
        (self.gatewayReference, self.currency, self.amountMinor) = (gatewayReference, currency, amountMinor)
        (authorisedMinor, capturedMinor) = (ledger.authorised, ledger.captured)
        (refundedMinor, voidedMinor) = (ledger.refunded, ledger.voided)
        (self.createdAt, self.version, self.events) = (createdAt, version, events)
    }
}

package struct PaymentEvent: Sendable, Equatable {
    package var eventID: String, kind: String, amountMinor: Int64, happenedAt: Instant, receivedAt: Instant
    /// Whether it changed the payment; a late or contradicting webhook is kept and did not.
    package var applied: Bool
    package init(eventID: String, kind: String, amountMinor: Int64, happenedAt: Instant, receivedAt: Instant, applied: Bool) {
        (self.eventID, self.kind, self.amountMinor) = (eventID, kind, amountMinor)
        (self.happenedAt, self.receivedAt, self.applied) = (happenedAt, receivedAt, applied)
    }
}

package struct Shipment: Sendable, Equatable {
    package var id: ShipmentID, order: OrderID, person: PersonRef
    package var state: ShipmentState, carrier: String, trackingCode: String, estimatedDelivery: Instant?, createdAt: Instant, version: Int64
    package var lines: [(position: Int64, quantity: Int64)]
    /// By the time they happened.
    package var events: [TrackingEvent]
    package init(
        id: ShipmentID, order: OrderID, person: PersonRef, state: ShipmentState, carrier: String, trackingCode: String, estimatedDelivery: Instant?,
        createdAt: Instant, version: Int64, lines: [(position: Int64, quantity: Int64)] = [], events: [TrackingEvent] = []
    ) {
        (self.id, self.order, self.person, self.state, self.carrier, self.trackingCode) = (id, order, person, state, carrier, trackingCode)
        (self.estimatedDelivery, self.createdAt, self.version, self.lines, self.events) = (estimatedDelivery, createdAt, version, lines, events)
    }
    package static func == (a: Shipment, b: Shipment) -> Bool {
        a.id == b.id && a.state == b.state && a.version == b.version && a.events == b.events && a.lines.elementsEqual(b.lines, by: ==)
    }
}

package struct TrackingEvent: Sendable, Equatable {
    /// Rises in the order of arrival: the `id` of a server-sent event.
    package var sequence: Int64
    package var eventID: String, kind: TrackingKind, happenedAt: Instant, receivedAt: Instant, place: String
    package init(sequence: Int64, eventID: String, kind: TrackingKind, happenedAt: Instant, receivedAt: Instant, place: String) {
        (self.sequence, self.eventID, self.kind) = (sequence, eventID, kind)
        (self.happenedAt, self.receivedAt, self.place) = (happenedAt, receivedAt, place)
    }
}

package struct Return: Sendable, Equatable {
    package var id: ReturnID, order: OrderID, person: PersonRef
    package var state: ReturnState, reason: String, valueMinor: Int64, requestedAt: Instant, version: Int64
    /// The order that was made of it.
    package var exchangeOrder: OrderID?
    package var lines: [ShipmentDraftLine]
    package struct ShipmentDraftLine: Sendable, Equatable {
        package var position: Int64, quantity: Int64
        package init(position: Int64, quantity: Int64) { (self.position, self.quantity) = (position, quantity) }
    }
    package init(
        id: ReturnID, order: OrderID, person: PersonRef, state: ReturnState, reason: String, valueMinor: Int64, requestedAt: Instant, version: Int64,
        lines: [ShipmentDraftLine] = []
    ) {
        (self.id, self.order, self.person, self.state, self.reason) = (id, order, person, state, reason)
        (self.valueMinor, self.requestedAt, self.version, self.lines) = (valueMinor, requestedAt, version, lines)
    }
}

package struct Product: Sendable, Equatable {
    package var id: ProductID, title: String, seller: String?, price: Money, available: Int64, version: Int64, attributes: String
    /// Units delivered and not returned.
    package var kept: Int64
    package init(id: ProductID, title: String, seller: String?, price: Money, available: Int64, version: Int64, attributes: String, kept: Int64) {
        (self.id, self.title, self.seller, self.price) = (id, title, seller, price)
        (self.available, self.version, self.attributes, self.kept) = (available, version, attributes, kept)
    }
}

package struct Person: Sendable, Equatable {
    package var ref: PersonRef, name: String, email: String?, phone: String?, createdAt: Instant
    package init(ref: PersonRef, name: String, email: String?, phone: String?, createdAt: Instant) {
        (self.ref, self.name, self.email, self.phone, self.createdAt) = (ref, name, email, phone, createdAt)
    }
}

package struct Address: Sendable, Equatable {
    package var id: AddressID, person: PersonRef, place: AddressDraft
    package init(id: AddressID, person: PersonRef, place: AddressDraft) { (self.id, self.person, self.place) = (id, person, place) }
}

package struct BasketLine: Sendable, Equatable {
    package var product: Product, quantity: Int64
    package init(product: Product, quantity: Int64) { (self.product, self.quantity) = (product, quantity) }
}
