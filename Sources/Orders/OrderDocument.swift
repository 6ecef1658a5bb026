// One order with everything that hangs on it, as it lies outside the hot tier: one JSON object, one digest.
//
//     rows of hot -> OrderDocument -> canonical bytes -> SHA-256        (the same rows and key give the same bytes, whoever dumps them and when)
//     bytes, key -> OrderDocument -> rows of hot                        (a recall)
//
// Canonical: members in the order written here, absent values left out, integers for money, RFC 3339 in UTC for moments, rows by their keys
// (tracking in the order of arrival).
//
// Personal data: a person is `person_ref`. Where it went, how its parcels are called and where they were, why something came back, and what an import left, are in the
// last member, `sealed` (`OrderDocument+Sealing`). What a gateway calls a payment, and its events' identifiers, are not in the document: they stay in hot.

import JSON
import Secrets

package struct OrderDocument: Sendable, Equatable {
    package static let format: Int64 = 2
    /// Longer ones are refused by the mover; an order has at most 100 lines, but 1,000 events a shipment.
    package static let bytesMax = 8 << 20

    /// With lines. Its `tier` is not part of the document.
    package var order: Order
    /// As an import left them.
    package var attributes: JSONValue?
    /// Copies: hot keeps the payments themselves.
    package var payments: [Payment]
    package var refunds: [Refund]
    package var shipments: [Shipment]
    package var returns: [Return]
    /// Whether the personal members are here.
    package var personal = Personal.here

    package enum Personal: Sendable {
        case here
        /// Their key was not asked for: they read as empty.
        case sealed
        /// Their key was destroyed: they read as empty, for ever.
        case erased
    }
    package var isErased: Bool { personal == .erased }

    package struct Refund: Sendable, Equatable {
        package var payment: PaymentID, amountMinor: Int64, at: Instant
        package init(payment: PaymentID, amountMinor: Int64, at: Instant) { (self.payment, self.amountMinor, self.at) = (payment, amountMinor, at) }
    }

    package init(order: Order, attributes: JSONValue? = nil, payments: [Payment] = [], refunds: [Refund] = [], shipments: [Shipment] = [], returns: [Return] = []) {
        (self.order, self.attributes, self.payments) = (order, attributes, payments)
        (self.refunds, self.shipments, self.returns) = (refunds, shipments, returns)
    }

    /// All but the personal members, without the brace at the end.
    func writeOpenPart() -> JSONWriter {
        var w = JSONWriter(reserving: 2_048)
        w.beginObject()
        w.member("format", OrderDocument.format)
        writeOrder(&w)
        w.key("lines")
        w.array { w in for line in order.lines { OrderDocument.write(line, &w) } }
        w.key("payments")
        w.array { w in for payment in payments { OrderDocument.write(payment, &w) } }
        w.key("refunds")
        w.array { w in
            for refund in refunds {
                w.object { w in
                    w.member("payment_id", refund.payment.description)
                    w.member("amount_minor", refund.amountMinor)
                    w.member("at", refund.at.description)
                }
            }
        }
        w.key("shipments")
        w.array { w in for shipment in shipments { OrderDocument.write(shipment, &w) } }
        w.key("returns")
        w.array { w in for back in returns { OrderDocument.write(back, &w) } }
        return w
    }

    /// Whether all of its moments can be written, and so read again: hot keeps them as numbers.
    package var isWritable: Bool {
        func fits(_ instant: Instant?) -> Bool { instant.map { Instant.writable.contains($0) } ?? true }
        return fits(order.placedAt) && fits(order.deliveredAt) && fits(order.returnableUntil) && refunds.allSatisfy { fits($0.at) }
            && payments.allSatisfy { fits($0.createdAt) && $0.events.allSatisfy { fits($0.happenedAt) && fits($0.receivedAt) } }
            && shipments.allSatisfy { fits($0.createdAt) && fits($0.estimatedDelivery) && $0.events.allSatisfy { fits($0.happenedAt) && fits($0.receivedAt) } }
            && returns.allSatisfy { fits($0.requestedAt) }
    }

    package static func digest(of bytes: [UInt8]) -> [UInt8] { SHA256.hash(bytes) }

    /// Whether a text is in its reference, or in a title or product of its lines, without regard to ASCII case: what `OrderListQuery.text` means.
    package func contains(_ text: String) -> Bool {
        let wanted = OrderDocument.folded(text)
        func has(_ text: String) -> Bool { OrderDocument.folded(text).contains(wanted) }
        return has(order.reference) || order.lines.contains { has($0.title) || has($0.product.text) }
    }

    // MARK: -

    private static func folded(_ text: String) -> [UInt8] { text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 } }

    private func writeOrder(_ w: inout JSONWriter) {
        w.member("order_id", order.id.description)
        w.member("reference", order.reference)
        w.member("person_ref", order.person.description)
        w.member("placed_at", order.placedAt.description)
        w.member("state", order.state.rawValue)
        w.member("currency", order.currency.code)
        w.member("total_minor", order.totalMinor)
        w.member("credit_minor", order.creditMinor)
        w.member("paid_minor", order.paidMinor)
        w.member("refunded_minor", order.refundedMinor)
        w.member("version", order.version)
        w.optional("delivered_at", order.deliveredAt?.description)
        w.optional("returnable_until", order.returnableUntil?.description)
        w.optional("exchange_of", order.exchangeOf?.description)
    }

    private static func write(_ line: OrderLine, _ w: inout JSONWriter) {
        w.object { w in
            w.member("position", line.position)
            w.member("product_id", line.product.text)
            w.member("title", line.title)
            w.optional("seller_id", line.seller)
            w.member("quantity", line.quantity)
            w.member("unit_minor", line.unitMinor)
            w.member("freight_minor", line.freightMinor)
            w.member("total_minor", line.totalMinor)
            w.member("shipped", line.shipped)
            w.member("returned", line.returned)
        }
    }

    private static func write(_ payment: Payment, _ w: inout JSONWriter) {
        w.object { w in
            w.member("payment_id", payment.id.description)
            w.member("state", payment.state.rawValue)
            w.member("gateway", payment.gateway)
            w.member("method", payment.method)
            w.member("currency", payment.currency.code)
            w.member("amount_minor", payment.amountMinor)
            w.member("authorised_minor", payment.authorisedMinor)
            w.member("captured_minor", payment.capturedMinor)
            w.member("refunded_minor", payment.refundedMinor)
            w.member("voided_minor", payment.voidedMinor)
            w.member("created_at", payment.createdAt.description)
            w.member("version", payment.version)
            w.key("events")
            w.array { w in
                for event in payment.events {
                    w.object { w in
                        w.member("kind", event.kind)
                        w.member("amount_minor", event.amountMinor)
                        w.member("happened_at", event.happenedAt.description)
                        w.member("received_at", event.receivedAt.description)
                        w.member("applied", event.applied)
                    }
                }
            }
        }
    }

    private static func write(_ shipment: Shipment, _ w: inout JSONWriter) {
        w.object { w in
            w.member("shipment_id", shipment.id.description)
            w.member("state", shipment.state.rawValue)
            w.member("carrier", shipment.carrier)
            w.optional("estimated_delivery", shipment.estimatedDelivery?.description)
            w.member("created_at", shipment.createdAt.description)
            w.member("version", shipment.version)
            w.key("lines")
            w.array { w in for line in shipment.lines { quantity(line.position, line.quantity, &w) } }
            w.key("tracking")
            w.array { w in
                for event in shipment.events {
                    w.object { w in
                        w.member("kind", event.kind.rawValue)
                        w.member("happened_at", event.happenedAt.description)
                        w.member("received_at", event.receivedAt.description)
                    }
                }
            }
        }
    }

    private static func write(_ back: Return, _ w: inout JSONWriter) {
        w.object { w in
            w.member("return_id", back.id.description)
            w.member("state", back.state.rawValue)
            w.member("value_minor", back.valueMinor)
            w.member("requested_at", back.requestedAt.description)
            w.optional("exchange_order", back.exchangeOrder?.description)
            w.member("version", back.version)
            w.key("lines")
            w.array { w in for line in back.lines { quantity(line.position, line.quantity, &w) } }
        }
    }

    private static func quantity(_ position: Int64, _ quantity: Int64, _ w: inout JSONWriter) {
        w.object { w in
            w.member("position", position)
            w.member("quantity", quantity)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func optional(_ key: String, _ text: String?) { if let text { member(key, text) } }
}
