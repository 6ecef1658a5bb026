// Records as JSON, one function for each kind, the same wherever it appears. Money is in minor units beside its currency; moments are RFC 3339 in UTC.

internal import JSON
internal import Orders

extension JSONWriter {
    mutating func member(_ key: String, _ instant: Instant?) {
        self.key(key)
        if let instant { string(instant.description) } else { null() }
    }

    mutating func member(_ key: String, _ text: String?) {
        self.key(key)
        if let text { string(text) } else { null() }
    }

    mutating func list<T>(_ key: String, _ values: [T], _ write: (inout JSONWriter, T) -> Void) {
        self.key(key)
        array { w in for value in values { w.object { w in write(&w, value) } } }
    }

    // MARK: Orders

    /// As in a page of previous orders.
    mutating func summary(_ order: Order) {
        member("id", order.id.description)
        member("reference", order.reference)
        member("placed_at", order.placedAt.description)
        member("status", order.state.rawValue)
        member("currency", order.currency.code)
        member("total_minor", order.totalMinor)
        member("paid_minor", order.paidMinor)
        list("lines", order.lines) { w, line in w.line(line) }
        member("tier", order.tier)
    }

    /// Of a stub (a cold order without `include=cold`) what the directory knows: what is not known is left out, not given as nothing.
    mutating func order(_ order: Order) {
        summary(order)
        member("person", order.person.description)
        if order.hasBody {
            member("refunded_minor", order.refundedMinor)
            member("credit_minor", order.creditMinor)
            member("hold_ends_at", order.holdEndsAt)
            member("delivered_at", order.deliveredAt)
            member("returnable_until", order.returnableUntil)
            member("address", order.address?.description)
            member("exchange_of", order.exchangeOf?.description)
        }
        member("version", order.version)
    }

    /// What the answer cost at the archive's object store; nothing where that was not asked.
    mutating func archive(_ reads: ArchiveReads) {
        guard reads.requests > 0 else { return }
        key("archive")
        object { w in
            w.member("requests", reads.requests)
            w.member("bytes", reads.bytes)
        }
    }

    private mutating func line(_ line: OrderLine) {
        member("position", line.position)
        member("product", line.product.text)
        member("title", line.title)
        member("seller", line.seller)
        member("quantity", line.quantity)
        member("unit_minor", line.unitMinor)
        member("freight_minor", line.freightMinor)
        member("total_minor", line.totalMinor)
        member("shipped", line.shipped)
        member("returned", line.returned)
    }

    // MARK: Payments, shipments, returns

    mutating func payment(_ payment: Payment) {
        member("id", payment.id.description)
        member("order", payment.order.description)
        member("status", payment.state.rawValue)
        member("gateway", payment.gateway)
        member("method", payment.method)
        member("currency", payment.currency.code)
        member("amount_minor", payment.amountMinor)
        member("authorised_minor", payment.authorisedMinor)
        member("captured_minor", payment.capturedMinor)
        member("refunded_minor", payment.refundedMinor)
        member("voided_minor", payment.voidedMinor)
        member("created_at", payment.createdAt)
        member("version", payment.version)
        list("events", payment.events) { w, event in
            w.member("event", event.eventID)
            w.member("kind", event.kind)
            w.member("amount_minor", event.amountMinor)
            w.member("happened_at", event.happenedAt)
            w.member("received_at", event.receivedAt)
            w.member("applied", event.applied)
        }
    }

    mutating func shipment(_ shipment: Shipment) {
        member("id", shipment.id.description)
        member("order", shipment.order.description)
        member("status", shipment.state.rawValue)
        member("carrier", shipment.carrier)
        member("tracking_code", shipment.trackingCode)
        member("estimated_delivery", shipment.estimatedDelivery)
        member("created_at", shipment.createdAt)
        member("version", shipment.version)
        list("lines", shipment.lines) { w, line in
            w.member("position", line.position)
            w.member("quantity", line.quantity)
        }
        list("events", shipment.events) { w, event in w.tracking(event) }
    }

    mutating func tracking(_ event: TrackingEvent) {
        member("sequence", event.sequence)
        member("event", event.eventID)
        member("kind", event.kind.rawValue)
        member("happened_at", event.happenedAt)
        member("received_at", event.receivedAt)
        member("place", event.place)
    }

    mutating func returned(_ found: Return) {
        member("id", found.id.description)
        member("order", found.order.description)
        member("status", found.state.rawValue)
        member("reason", found.reason)
        member("value_minor", found.valueMinor)
        member("requested_at", found.requestedAt)
        member("version", found.version)
        list("lines", found.lines) { w, line in
            w.member("position", line.position)
            w.member("quantity", line.quantity)
        }
    }

    // MARK: Products, people

    mutating func product(_ product: Product) {
        member("id", product.id.text)
        member("title", product.title)
        member("seller", product.seller)
        member("price_minor", product.price.minor)
        member("currency", product.price.currency.code)
        member("available", product.available)
        member("kept", product.kept)
        key("attributes")
        if let attributes = try? JSONValue.parse(product.attributes) { value(attributes) } else { null() }
        member("version", product.version)
    }

    mutating func person(_ person: Person) {
        member("id", person.ref.description)
        member("name", person.name)
        member("email", person.email)
        member("phone", person.phone)
        member("created_at", person.createdAt)
    }

    mutating func address(_ address: Address) {
        member("id", address.id.description)
        member("name", address.place.name)
        member("street", address.place.street)
        member("city", address.place.city)
        member("postal_code", address.place.postalCode)
        member("region", address.place.region)
        member("country", address.place.country)
    }
}
