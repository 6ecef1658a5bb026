// What the store can be told to do: a command is a value, with who, why, when, and an idempotency key if the caller gave one.
//
// Its outcome is small and holds no personal data, so it can be kept with the key and answered again.

import Secrets

package struct StoreCommand: Sendable {
    package var caller: Caller
    /// At most 200 bytes; counts per actor.
    package var idempotencyKey: String?
    /// The hash of what the caller sent: the same key with another one is refused. The HTTP layer hashes the body and path.
    package var requestHash: [UInt8]
    package var action: Action
    /// The document of the archived order it is about: the order comes back to hot in the transaction of the change, or stays where it is.
    package var recalled: OrderDocument?

    package init(_ action: Action, by caller: Caller, idempotencyKey: String? = nil, requestHash: [UInt8] = []) {
        (self.action, self.caller, self.idempotencyKey, self.requestHash) = (action, caller, idempotencyKey, requestHash)
    }

    package enum Action: Sendable {
        // The master data.
        case putPerson(PersonDraft)
        case addAddress(PersonRef, AddressDraft)
        case putSeller(String, name: String)
        case putProduct(ProductDraft)
        case setPrice(ProductID, Money)
        /// The units on the shelf that are not held.
        case setStock(ProductID, available: Int64)
        /// More or fewer by so many.
        case adjustStock(ProductID, by: Int64)
        /// 0 takes the product out of the basket.
        case setBasketLine(PersonRef, ProductID, quantity: Int64)

        // Orders.
        case placeOrder(OrderDraft)
        case cancelOrder(OrderID, reason: String, ifVersion: Int64?)
        /// Ends at most so many holds that are over.
        case expireHolds(limit: Int)

        // Payments. The gateway was asked already: these write down what it said.
        case startPayment(OrderID, PaymentDraft)
        case recordPayment(PaymentReport)

        // Logistics.
        case createShipment(OrderID, ShipmentDraft)
        case recordTracking(TrackingReport)

        // Returns.
        case requestReturn(OrderID, ReturnDraft)
        case advanceReturn(ReturnID, ReturnEvent, note: String)
        /// For a return that was received: an order of as much in goods, at nothing to pay.
        case exchangeReturn(ReturnID, [OrderDraft.Line])

        // People among themselves.
        case follow(PersonRef, PersonRef)
        case unfollow(PersonRef, PersonRef)

        /// Writes down that personal data was read, before it is handed out.
        case auditRead(PersonRef, what: String)
        /// Forgets idempotency keys older than this.
        case forgetKeys(before: Instant)
        /// Between the tiers: the mover's.
        case move(MoveCommand)
    }
}

/// What became of a command, after its COMMIT.
package struct StoreOutcome: Sendable, Equatable {
    /// The outbox position at which the effect can be seen: the command's last row, or the newest before it.
    package var version: UInt64
    /// Whether this is the kept answer to an idempotency key used before.
    package var replayed = false
    /// The record made or changed: an order, payment, shipment, return, person or address.
    package var id: Bytes16?
    /// Its state and version now, where it has them.
    package var state = ""
    package var recordVersion: Int64 = 0
    /// Records changed: 0 where a duplicate or a repeated follow changed nothing.
    package var changed: Int64 = 1
    /// What is to be done outside the store next.
    package var followUp: FollowUp?

    package init(version: UInt64 = 0, id: Bytes16? = nil, state: String = "", recordVersion: Int64 = 0, changed: Int64 = 1) {
        (self.version, self.id, self.state, self.recordVersion, self.changed) = (version, id, state, recordVersion, changed)
    }

    package enum FollowUp: String, Sendable {
        /// Money is reserved for an order that will not be: tell the gateway to void.
        case voidPayment = "void_payment"
        /// Money was taken for an order that is cancelled: tell the gateway to refund.
        case refundPayment = "refund_payment"
    }
}

// MARK: What commands bring

package struct PersonDraft: Sendable {
    /// Nil makes a new one.
    package var ref: PersonRef?
    package var name: String, email: String?, phone: String?
    package init(ref: PersonRef? = nil, name: String, email: String? = nil, phone: String? = nil) {
        (self.ref, self.name, self.email, self.phone) = (ref, name, email, phone)
    }
}

package struct AddressDraft: Sendable, Equatable {
    package var name: String, street: String, city: String, postalCode: String, region: String, country: String
    package init(name: String, street: String, city: String, postalCode: String, region: String = "", country: String) {
        (self.name, self.street, self.city, self.postalCode, self.region, self.country) = (name, street, city, postalCode, region, country)
    }
}

package struct ProductDraft: Sendable {
    package var id: ProductID, title: String, seller: String?, price: Money
    /// A JSON object; "{}" for none.
    package var attributes: String
    package init(_ id: ProductID, title: String, price: Money, seller: String? = nil, attributes: String = "{}") {
        (self.id, self.title, self.price, self.seller, self.attributes) = (id, title, price, seller, attributes)
    }
}

package struct OrderDraft: Sendable {
    package struct Line: Sendable, Equatable {
        package var product: ProductID, quantity: Int64
        /// What the customer was shown for one: another price now refuses the order. Nil takes the price of now.
        package var expectedPrice: Money?
        package var freightMinor: Int64
        package init(_ product: ProductID, quantity: Int64 = 1, expectedPrice: Money? = nil, freightMinor: Int64 = 0) {
            (self.product, self.quantity, self.expectedPrice, self.freightMinor) = (product, quantity, expectedPrice, freightMinor)
        }
    }
    package var person: PersonRef, address: AddressID?
    /// 1 to 100; a product may come twice.
    package var lines: [Line]
    package var currency: Currency
    /// How long stock is held for payment.
    package var holdSeconds: Int64
    /// Whether the ordered products leave the person's basket.
    package var emptiesBasket: Bool
    package init(
        person: PersonRef, lines: [Line], currency: Currency = "EUR", address: AddressID? = nil, holdSeconds: Int64 = 900, emptiesBasket: Bool = false
    ) {
        (self.person, self.lines, self.currency, self.address) = (person, lines, currency, address)
        (self.holdSeconds, self.emptiesBasket) = (holdSeconds, emptiesBasket)
    }
}

package struct PaymentDraft: Sendable {
    package var gateway: String
    /// As "card"; shown, never checked.
    package var method: String
    /// Nil is what the order still lacks.
    package var amountMinor: Int64?
    package init(gateway: String, method: String = "card", amountMinor: Int64? = nil) {
        (self.gateway, self.method, self.amountMinor) = (gateway, method, amountMinor)
    }
}

/// What a gateway said of a payment, in its answer or by webhook. The same `eventID` twice is once.
package struct PaymentReport: Sendable {
    package enum What: String, Sendable { case requireAction = "require_action", authorise, decline, capture, refund, void }
    package var payment: PaymentID
    package var gateway: String, eventID: String
    package var what: What
    /// Of captures and refunds; nil is all that is left. For an authorisation nil is the amount asked for.
    package var amountMinor: Int64?
    package var gatewayReference: String?
    package var happenedAt: Instant
    /// From a webhook: what the table refuses is written down and ignored, since webhooks come late, twice and in any order.
    package var isWebhook: Bool
    package init(
        payment: PaymentID, gateway: String, eventID: String, _ what: What, amountMinor: Int64? = nil, gatewayReference: String? = nil,
        happenedAt: Instant, isWebhook: Bool = false
    ) {
        (self.payment, self.gateway, self.eventID, self.what, self.amountMinor) = (payment, gateway, eventID, what, amountMinor)
        (self.gatewayReference, self.happenedAt, self.isWebhook) = (gatewayReference, happenedAt, isWebhook)
    }
}

package struct ShipmentDraft: Sendable {
    package struct Line: Sendable {
        /// 1 for the order's first line.
        package var position: Int64, quantity: Int64
        package init(position: Int64, quantity: Int64) { (self.position, self.quantity) = (position, quantity) }
    }
    package var carrier: String, trackingCode: String
    /// Empty is everything not yet shipped.
    package var lines: [Line]
    package var estimatedDelivery: Instant?
    package init(carrier: String, trackingCode: String, lines: [Line] = [], estimatedDelivery: Instant? = nil) {
        (self.carrier, self.trackingCode, self.lines, self.estimatedDelivery) = (carrier, trackingCode, lines, estimatedDelivery)
    }
}

/// What a carrier said. The same (carrier, eventID) twice is once; the order of arrival does not matter.
package struct TrackingReport: Sendable {
    package var carrier: String, trackingCode: String, eventID: String
    package var kind: TrackingKind, happenedAt: Instant
    /// As "Leipzig"; not a person's street.
    package var place: String
    package init(carrier: String, trackingCode: String, eventID: String, _ kind: TrackingKind, happenedAt: Instant, place: String = "") {
        (self.carrier, self.trackingCode, self.eventID) = (carrier, trackingCode, eventID)
        (self.kind, self.happenedAt, self.place) = (kind, happenedAt, place)
    }
}

package struct ReturnDraft: Sendable {
    package var lines: [ShipmentDraft.Line]
    /// One of the shop's codes, as "too_small": free text would be personal data.
    package var reason: String
    package init(lines: [ShipmentDraft.Line], reason: String) { (self.lines, self.reason) = (lines, reason) }
}
