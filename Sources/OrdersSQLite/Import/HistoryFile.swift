// The documented form of a history: NDJSON, a JSON array, or CSV, packed or not.
//
// NDJSON, one order a record:
//
//     {"id": "A-17", "person": "c42", "placed_at": "2024-03-01T09:30:00Z", "status": "delivered", "currency": "EUR",
//      "delivered_at": "2024-03-04T16:00:00Z",
//      "lines": [{"product": "lamp", "title": "Desk lamp", "seller": "s1", "quantity": 2, "unit_minor": 1999, "freight_minor": 0}],
//      "payments": [{"id": "p1", "method": "card", "amount_minor": 3998}]}
//
// CSV, one order line a record, the order's columns repeated; lines of an order stand together; `paid_minor` once is enough:
//
//     id,person,placed_at,status,currency,delivered_at,product,title,seller,quantity,unit_minor,freight_minor,paid_minor
//
// Amounts are whole minor units, times RFC 3339. `status` is one of our states' words (docs: States.swift).

import BulkInput
import JSON
import Orders

package enum HistoryFile {
    /// Reads a file; records that are none are listed by line.
    package static func read(_ path: String, source: String) throws(StoreError) -> (orders: [HistoricOrder], refused: [String]) {
        do throws(BulkInputError) { return try read(ByteSource.file(path), source: source) } catch { throw .invalid(error.reason) }
    }

    package static func read(_ bytes: ByteSource, source: String) throws(BulkInputError) -> (orders: [HistoricOrder], refused: [String]) {
        var reader = BulkRecordReader(bytes), orders: [HistoricOrder] = [], refused: [String] = []
        while let item = try reader.next() {
            switch item {
            case .rejected(let rejection): refused.append("line \(rejection.line): \(rejection.reason)")
            case .record(let record):
                guard let value = try? JSONValue.parse(record.source) else {
                    refused.append("line \(record.line): not JSON")
                    continue
                }
                switch order(value, source, isFlat: reader.format == .csv) {
                case .failure(let wrong): refused.append("line \(record.line): \(wrong.reason)")
                case .success(let order):
                    // A CSV row after another of the same order is one more line of it.
                    if reader.format == .csv, orders.last?.key == order.key {
                        orders[orders.count - 1].lines += order.lines
                        if orders[orders.count - 1].payments.isEmpty { orders[orders.count - 1].payments = order.payments }
                    } else {
                        orders.append(order)
                    }
                }
            }
        }
        return (orders, refused)
    }

    // MARK: -

    private struct Wrong: Error { let reason: String }

    private static func order(_ value: JSONValue, _ source: String, isFlat: Bool) -> Result<HistoricOrder, Wrong> {
        func wrong(_ what: String) -> Result<HistoricOrder, Wrong> { .failure(Wrong(reason: what)) }
        guard let id = word(value["id"]), !id.isEmpty, id.utf8.count <= 200 else { return wrong("id is missing") }
        guard let person = word(value["person"]), !person.isEmpty, person.utf8.count <= 200 else { return wrong("person is missing") }
        guard let placed = value["placed_at"]?.string.flatMap({ Instant(text: $0) }), placed.microseconds >= 0 else { return wrong("placed_at is no RFC 3339 time since 1970") }
        guard let state = value["status"]?.string.flatMap(OrderState.init), state != .pending else {
            return wrong("status must be one of \(OrderState.allCases.filter { $0 != .pending }.map(\.rawValue).joined(separator: ", "))")
        }
        guard let currency = value["currency"]?.string.flatMap({ Currency(code: $0) }) else { return wrong("currency is no ISO 4217 code") }
        var lines: [HistoricOrder.Line] = []
        for entry in isFlat ? [value].filter({ $0["product"] != nil }) : value["lines"]?.array ?? [] {
            guard let line = line(entry) else { return wrong("a line needs product, quantity from 1 to 10,000, and amounts that are whole and not negative") }
            lines.append(line)
        }
        var payments: [HistoricOrder.Payment] = []
        if isFlat {
            if let paid = value["paid_minor"]?.integer, paid >= 0 { payments = [.init(key: "\(id)/1", method: "import", amountMinor: paid)] }
        } else {
            for (number, entry) in (value["payments"]?.array ?? []).enumerated() {
                guard let amount = entry["amount_minor"]?.integer, amount >= 0 else { return wrong("a payment needs an amount_minor that is whole and not negative") }
                payments.append(.init(key: "\(id)/\(word(entry["id"]) ?? "\(number + 1)")", method: entry["method"]?.string ?? "import", amountMinor: amount))
            }
        }
        return .success(HistoricOrder(
            key: SourceKey(source: source, key: id), person: person, placedAt: placed, deliveredAt: value["delivered_at"]?.string.flatMap { Instant(text: $0) },
            state: state, currency: currency, lines: lines, payments: payments, attributes: "{}"))
    }

    private static func line(_ value: JSONValue) -> HistoricOrder.Line? {
        guard let product = word(value["product"]), !product.isEmpty, product.utf8.count <= 512, let unit = value["unit_minor"]?.integer, unit >= 0 else { return nil }
        let quantity = value["quantity"]?.integer ?? 1, freight = value["freight_minor"]?.integer ?? 0
        guard (1...10_000).contains(quantity), freight >= 0 else { return nil }
        return HistoricOrder.Line(
            product: ProductID(product), title: value["title"]?.string ?? product, seller: word(value["seller"]), quantity: quantity, unitMinor: unit, freightMinor: freight)
    }

    /// A text, or a whole number as text: CSV columns of digits are read as numbers.
    private static func word(_ value: JSONValue?) -> String? { value?.string ?? value?.integer.map { "\($0)" } }
}
