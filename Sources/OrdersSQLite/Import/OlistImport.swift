// The Olist files (Brazilian E-Commerce Public Dataset) as neutral records: `olist_*_dataset.csv`, packed with gzip or not, in one folder.
//
// Times are local, of America/Sao_Paulo. The person is `customer_unique_id`: `customer_id` is one per order. Products have no titles there: the category
// stands for one.

import Glibc
import JSON
import Orders

package enum OlistImport {
    package static let source = "olist"

    /// All orders of the folder, by the time they were placed; and the rows that could not be read, with file and line.
    package static func read(folder: String) throws(StoreError) -> (orders: [HistoricOrder], refused: [String]) {
        do throws(CSVTable.Failure) {
            var files = OlistFiles(folder: folder)
            return try files.read()
        } catch {
            throw .invalid(error.reason)
        }
    }

    /// Their words for states, and ours.
    static func state(_ word: String) -> OrderState? {
        switch word {
        case "delivered": .delivered
        case "shipped": .shipped
        case "canceled", "unavailable": .cancelled
        case "created", "approved", "processing", "invoiced": .confirmed
        default: nil
        }
    }
}

// MARK: -

private struct OlistFiles {
    let folder: String
    private var refused: [String] = []
    private let currency: Currency = "BRL"

    init(folder: String) { self.folder = folder }

    mutating func read() throws(CSVTable.Failure) -> (orders: [HistoricOrder], refused: [String]) {
        let people = try pairs("customers", "customer_id", "customer_unique_id")
        let categories = try pairs("products", "product_id", "product_category_name")
        let lines = try lines(categories), payments = try payments()
        let (file, table) = try table("orders")
        let at = try table.places(
            "order_id", "customer_id", "order_status", "order_purchase_timestamp", "order_delivered_customer_date", "order_estimated_delivery_date", in: file)
        var orders: [HistoricOrder] = []
        for row in table.records {
            let id = row[at[0]], word = row[at[2]]
            guard !id.isEmpty, let person = people[row[at[1]]], let placed = SaoPauloTime.instant(row[at[3]]), let state = OlistImport.state(word) else {
                refused.append("\(file), line \(row.line): the order's id, customer, status or time of purchase is missing or wrong")
                continue
            }
            var attributes: [(String, JSONValue)] = [("source_status", .string(word))]
            if let estimated = SaoPauloTime.instant(row[at[5]]) { attributes.append(("estimated_delivery", .string(estimated.description))) }
            orders.append(HistoricOrder(
                key: SourceKey(source: OlistImport.source, key: id), person: person, placedAt: placed, deliveredAt: SaoPauloTime.instant(row[at[4]]), state: state,
                currency: currency, lines: (lines[id] ?? []).sorted { $0.0 < $1.0 }.map(\.1), payments: (payments[id] ?? []).sorted { $0.0 < $1.0 }.map(\.1),
                attributes: JSONValue.object(JSONObject(attributes)).text))
        }
        orders.sort { ($0.placedAt, $0.key.key) < ($1.placedAt, $1.key.key) }
        return (orders, refused)
    }

    private mutating func lines(_ categories: [String: String]) throws(CSVTable.Failure) -> [String: [(Int64, HistoricOrder.Line)]] {
        let (file, table) = try table("order_items")
        let at = try table.places("order_id", "order_item_id", "product_id", "seller_id", "price", "freight_value", in: file)
        var lines: [String: [(Int64, HistoricOrder.Line)]] = [:]
        for row in table.records {
            guard let position = Int64(row[at[1]]), let price = Money(decimal: row[at[4]], currency), let freight = Money(decimal: row[at[5]], currency),
                !row[at[2]].isEmpty, price.minor >= 0, freight.minor >= 0
            else {
                refused.append("\(file), line \(row.line): the position, product, price or freight is missing or wrong")
                continue
            }
            let seller = row[at[3]], product = row[at[2]], category = categories[product] ?? ""
            let line = HistoricOrder.Line(
                product: ProductID(product), title: category.isEmpty ? product : category, seller: seller.isEmpty ? nil : seller, quantity: 1,
                unitMinor: price.minor, freightMinor: freight.minor)
            lines[row[at[0]], default: []].append((position, line))
        }
        return lines
    }

    private mutating func payments() throws(CSVTable.Failure) -> [String: [(Int64, HistoricOrder.Payment)]] {
        let (file, table) = try table("order_payments")
        let at = try table.places("order_id", "payment_sequential", "payment_type", "payment_value", in: file)
        var payments: [String: [(Int64, HistoricOrder.Payment)]] = [:]
        for row in table.records {
            guard let number = Int64(row[at[1]]), let value = Money(decimal: row[at[3]], currency), value.minor >= 0 else {
                refused.append("\(file), line \(row.line): the number or value is missing or wrong")
                continue
            }
            let payment = HistoricOrder.Payment(key: "\(row[at[0]])/\(number)", method: row[at[2]], amountMinor: value.minor)
            payments[row[at[0]], default: []].append((number, payment))
        }
        return payments
    }

    private func pairs(_ name: String, _ key: String, _ value: String) throws(CSVTable.Failure) -> [String: String] {
        let (file, table) = try table(name)
        let at = try table.places(key, value, in: file)
        return Dictionary(table.records.map { ($0[at[0]], $0[at[1]]) }, uniquingKeysWith: { first, _ in first })
    }

    private func table(_ name: String) throws(CSVTable.Failure) -> (String, CSVTable) {
        // Safe: access reads the string and nothing else.
        for file in ["olist_\(name)_dataset.csv.gz", "olist_\(name)_dataset.csv"] where unsafe access("\(folder)/\(file)", R_OK) == 0 {
            return (file, try CSVTable(path: "\(folder)/\(file)"))
        }
        throw CSVTable.Failure(reason: "\(folder): there is no olist_\(name)_dataset.csv or .csv.gz")
    }
}
