// An order as the archive keeps it: the columns that questions are asked by, and the canonical document, which comes back byte for byte.
//
// Whoever hands it over has sealed what is personal: nothing here is encrypted or decrypted. Amounts are minor units of the order's currency;
// in the table they are decimals of three places, which every currency of ISO 4217 in use fits.
//
// Invariant: `id`, `person` and `placedAt` of an archived order never change. They say which file group owns it; to change one, delete the
// order under the old key first.

package struct ArchivedOrder: Hashable, Sendable {
    package struct Key: Hashable, Sendable {
        package var order: String, person: String, partition: Partition
        package init(order: String, person: String, partition: Partition) { (self.order, self.person, self.partition) = (order, person, partition) }
    }
    package struct Line: Hashable, Sendable {
        package var position: Int64, sku: String, title: String, seller: String?, quantity: Int64, unitMinor: Int64, freightMinor: Int64, totalMinor: Int64
        package init(position: Int64, sku: String, title: String, seller: String?, quantity: Int64, unitMinor: Int64, freightMinor: Int64, totalMinor: Int64) {
            (self.position, self.sku, self.title, self.seller, self.quantity) = (position, sku, title, seller, quantity)
            (self.unitMinor, self.freightMinor, self.totalMinor) = (unitMinor, freightMinor, totalMinor)
        }
    }
    package struct Payment: Hashable, Sendable {
        package var id: String, status: String, gateway: String, method: String, amountMinor: Int64, capturedMinor: Int64, refundedMinor: Int64
        package var createdAt: Int64
        package init(id: String, status: String, gateway: String, method: String, amountMinor: Int64, capturedMinor: Int64, refundedMinor: Int64, createdAt: Int64) {
            (self.id, self.status, self.gateway, self.method) = (id, status, gateway, method)
            (self.amountMinor, self.capturedMinor, self.refundedMinor, self.createdAt) = (amountMinor, capturedMinor, refundedMinor, createdAt)
        }
    }
    package struct Shipment: Hashable, Sendable {
        package var id: String, status: String, carrier: String, createdAt: Int64
        package init(id: String, status: String, carrier: String, createdAt: Int64) { (self.id, self.status, self.carrier, self.createdAt) = (id, status, carrier, createdAt) }
    }
    /// What happened to a shipment and when; its code and places are personal and stand in the document alone.
    package struct Tracking: Hashable, Sendable {
        package var shipment: String, kind: String, happenedAt: Int64, receivedAt: Int64
        package init(shipment: String, kind: String, happenedAt: Int64, receivedAt: Int64) {
            (self.shipment, self.kind, self.happenedAt, self.receivedAt) = (shipment, kind, happenedAt, receivedAt)
        }
    }

    package var id: String
    package var person: String
    package var reference: String
    package var status: String
    package var currency: String
    /// Places of the currency's minor unit, 0...3.
    package var currencyDecimals: Int
    package var totalMinor: Int64
    package var paidMinor: Int64
    package var refundedMinor: Int64
    /// Microseconds since 1970 in UTC; the years 1970 to 9999.
    package var placedAt: Int64
    package var updatedAt: Int64
    /// Of two rows with one key the larger wins; of equals, the later written.
    package var version: Int64
    package var lines: [Line] = []
    package var payments: [Payment] = []
    package var shipments: [Shipment] = []
    package var tracking: [Tracking] = []
    /// The canonical document, with what is sealed in it: UTF-8.
    package var body: [UInt8]

    package init(
        id: String, person: String, reference: String, status: String, currency: String, currencyDecimals: Int, totalMinor: Int64, paidMinor: Int64 = 0,
        refundedMinor: Int64 = 0, placedAt: Int64, updatedAt: Int64, version: Int64, body: [UInt8]
    ) {
        (self.id, self.person, self.reference, self.status, self.currency, self.currencyDecimals) = (id, person, reference, status, currency, currencyDecimals)
        (self.totalMinor, self.paidMinor, self.refundedMinor) = (totalMinor, paidMinor, refundedMinor)
        (self.placedAt, self.updatedAt, self.version, self.body) = (placedAt, updatedAt, version, body)
    }

    /// Where it lies; nil when it was placed in no year that the table has.
    package var key: Key? { Partition(placedAt: placedAt).map { Key(order: id, person: person, partition: $0) } }

    /// Why the table cannot take it; nil when it can.
    package var fault: String? {
        if key == nil { return "placed before 1970 or after 9999" }
        if id.isEmpty || person.isEmpty || id.utf8.count > Self.keyBytesMax || person.utf8.count > Self.keyBytesMax {
            return "an identifier that is empty or longer than \(Self.keyBytesMax) bytes"
        }
        if !(0...3).contains(currencyDecimals) { return "a currency of \(currencyDecimals) decimal places; 0 to 3 are kept" }
        let bound = Amount.minorMax(currencyDecimals)
        func isBeyond(_ a: Int64, _ b: Int64, _ c: Int64) -> Bool { max(a.magnitude, b.magnitude, c.magnitude) > bound }
        if isBeyond(totalMinor, paidMinor, refundedMinor) || lines.contains(where: { isBeyond($0.unitMinor, $0.freightMinor, $0.totalMinor) })
            || payments.contains(where: { isBeyond($0.amountMinor, $0.capturedMinor, $0.refundedMinor) })
        { return "an amount of more than 15 digits before the point" }
        if body.count > Self.bodyBytesMax { return "a document of more than \(Self.bodyBytesMax) bytes" }
        if String(validating: body, as: UTF8.self) == nil { return "a document that is not UTF-8" }
        return nil
    }

    package static let keyBytesMax = 1_000
    package static let bodyBytesMax = 16 << 20
}

/// Minor units to thousandths and back.
enum Amount {
    static let precision = 18, scale = 3

    /// Thousandths of one minor unit.
    static func factor(_ decimals: Int) -> Int64 { [1_000, 100, 10, 1][min(3, max(0, decimals))] }

    /// The largest that 18 digits hold.
    static func minorMax(_ decimals: Int) -> UInt64 { 999_999_999_999_999_999 / UInt64(factor(decimals)) }
}
