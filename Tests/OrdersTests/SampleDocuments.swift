// Documents of random orders, every member of them drawn, for tests that need no store.

import IsothermTesting
import JSON
import Orders

struct SampleDocuments {
    var random: Seeded
    init(seed: UInt64) { random = Seeded(seed) }

    mutating func next() -> OrderDocument {
        let id = OrderID(bytes()), person = PersonRef(bytes())
        var order = Order(
            id: id, reference: OrderReference.make(id), person: person, placedAt: instant(), state: pick(OrderState.allCases), currency: "EUR",
            totalMinor: amount(), paidMinor: amount(), refundedMinor: amount(), creditMinor: amount(), version: number(1...99))
        if flip() { order.deliveredAt = instant() }
        if flip() { order.returnableUntil = instant() }
        if flip() { order.address = AddressID(bytes()) }
        if flip() { order.exchangeOf = ReturnID(bytes()) }
        order.lines = (0..<number(1...4)).map {
            OrderLine(
                position: $0 + 1, product: ProductID(text()), title: text(), seller: flip() ? text() : nil, quantity: number(1...9), unitMinor: amount(),
                freightMinor: amount(), totalMinor: amount(), shipped: number(0...9), returned: number(0...9))
        }
        var document = OrderDocument(order: order, attributes: flip() ? ["note": .string(text()), "n": .integer(amount()), "x": [1.5, nil, true]] : nil)
        document.payments = (0..<number(0...2)).map { _ in payment(id, person) }
        document.refunds = document.payments.map { OrderDocument.Refund(payment: $0.id, amountMinor: amount(), at: instant()) }
        document.shipments = (0..<number(0...3)).map { _ in shipment(id, person) }
        document.returns = (0..<number(0...2)).map { _ in back(id, person) }
        return document
    }

    // MARK: -

    private mutating func payment(_ order: OrderID, _ person: PersonRef) -> Payment {
        var payment = Payment(
            id: PaymentID(bytes()), order: order, person: person, state: pick(PaymentState.allCases), gateway: text(), method: text(), gatewayReference: nil, currency: "EUR",
            amountMinor: amount(), ledger: PaymentLedger(authorised: amount(), captured: amount(), refunded: amount(), voided: amount()), createdAt: instant(), version: 3)
        payment.events = [PaymentEvent(eventID: "", kind: "capture", amountMinor: amount(), happenedAt: instant(), receivedAt: instant(), applied: flip())]
        return payment
    }

    private mutating func shipment(_ order: OrderID, _ person: PersonRef) -> Shipment {
        let events = (0..<number(0...4)).map { at in
            TrackingEvent(sequence: at + 1, eventID: text(), kind: pick(TrackingKind.allCases), happenedAt: instant(), receivedAt: instant(), place: flip() ? text() : "")
        }
        return Shipment(
            id: ShipmentID(bytes()), order: order, person: person, state: pick(ShipmentState.allCases), carrier: text(), trackingCode: text(),
            estimatedDelivery: flip() ? instant() : nil, createdAt: instant(), version: number(1...9), lines: [(1, number(1...9))], events: events)
    }

    private mutating func back(_ order: OrderID, _ person: PersonRef) -> Return {
        var back = Return(
            id: ReturnID(bytes()), order: order, person: person, state: pick(ReturnState.allCases), reason: text(), valueMinor: amount(), requestedAt: instant(),
            version: number(1...9), lines: [.init(position: 1, quantity: number(1...9))])
        if flip() { back.exchangeOrder = OrderID(bytes()) }
        return back
    }

    private mutating func bytes() -> Bytes16 { Bytes16(high: random.next(), low: random.next()) }
    private mutating func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
    private mutating func amount() -> Int64 { number(0...1_000_000) }
    private mutating func flip() -> Bool { Bool.random(using: &random) }
    private mutating func instant() -> Instant { Instant(seconds: number(1_400_000_000...1_800_000_000)) }
    private mutating func pick<T>(_ of: [T]) -> T { of[Int(number(0...Int64(of.count - 1)))] }
    private mutating func text() -> String {
        let letters: [String] = ["a", "Z", "9", "\"", "\\", "\n", "é", "日", "😀", " ", "/", "sealed", "\u{0}", ","]
        return (0..<number(1...12)).map { _ in pick(letters) }.joined()
    }
}
