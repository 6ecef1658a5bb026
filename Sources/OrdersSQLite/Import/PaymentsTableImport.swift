// The case study's own `payments` table comes in, as CSV with a head line: id, order_id, amount, status, created_at.
//
//     id           SERIAL: kept as the source's key; our identifier is made of it and the moment
//     order_id     the source's name of an order that is here already
//     amount       DECIMAL, in the order's currency
//     status       pending; paid, completed, captured, success; failed, declined; refunded; cancelled, voided. Either case
//     created_at   RFC 3339, or "YYYY-MM-DD hh:mm:ss" in UTC
//
// A second import adds nothing. Rows that cannot come in are listed by line.

import BulkInput
import Orders

package struct PaymentsTableImport: Sendable {
    package var source: String
    package init(source: String) { self.source = source }

    package func run(_ path: String, into store: SQLiteOrderStore, by caller: Caller) throws(StoreError) -> ImportReport {
        let table: CSVTable, at: [Int]
        do throws(CSVTable.Failure) {
            table = try CSVTable(path: path)
            at = try table.places("id", "order_id", "amount", "status", "created_at", in: path)
        } catch { throw .invalid(error.reason) }
        return try store.writer.transact { [source] runner throws(StoreError) in
            var report = ImportReport()
            for row in table.records {
                let entry = Entry(line: row.line, id: row[at[0]], order: row[at[1]], amount: row[at[2]], status: row[at[3]].lowercased(), at: row[at[4]])
                if let wrong = try entry.bringIn(source, runner, caller, &report) { report.refused.append("line \(row.line): \(wrong)") }
            }
            return report
        }
    }
}

// MARK: -

private struct Entry {
    let line: Int, id: String, order: String, amount: String, status: String, at: String

    /// What is wrong with it; nil when it came in or was there.
    func bringIn(_ source: String, _ runner: CommandRunner, _ caller: Caller, _ report: inout ImportReport) throws(StoreError) -> String? {
        guard !id.isEmpty, id.utf8.count <= 100 else { return "there is no id" }
        let key = SourceKey(source: source, key: "payments/\(id)")
        if try runner.knownID("payment", key) != nil {
            report.alreadyThere += 1
            return nil
        }
        guard let state = state else { return "the status \(status.prefix(30)) is none of ours" }
        guard let moment = Instant(text: at.hasSuffix("Z") || at.contains("+") || at.utf8.count == 10 ? at : at + "Z") else { return "created_at is no time" }
        guard let order = try runner.knownID("order", SourceKey(source: source, key: order)) else { return "there is no order \(order.prefix(100))" }
        guard let currency = try runner.connection.first("SELECT currency FROM order_directory WHERE order_id = ?", .id(order), make: { row throws(StoreError) in try row.currency(0) }),
            let money = Money(decimal: amount, currency), money.minor >= 0
        else { return "the amount is no amount in the order's currency" }
        let made = UUIDv7.make(moment, source: key)
        try runner.insertHistoric(
            PaymentID(made), OrderID(order), gateway: source, method: "payments", money, state: state, refunded: state == .refunded ? money.minor : 0, at: moment)
        if state == .captured || state == .refunded {
            try runner.connection.run(
                "UPDATE orders SET paid_minor = paid_minor + ?2, refunded_minor = refunded_minor + ?3, version = version + 1 WHERE order_id = ?1",
                .id(order), .int(money.minor), .int(state == .refunded ? money.minor : 0))
            try runner.connection.run("UPDATE order_directory SET paid_minor = paid_minor + ?2, version = version + 1 WHERE order_id = ?1", .id(order), .int(money.minor))
        }
        try runner.keepKey("payment", key, made)
        try runner.audit(caller, "payment.import", PaymentID(made).description)
        report.added += 1
        return nil
    }

    private var state: PaymentState? {
        switch status {
        case "pending": .created
        case "paid", "completed", "captured", "success", "succeeded": .captured
        case "failed", "declined": .declined
        case "refunded": .refunded
        case "cancelled", "canceled", "voided": .voided
        default: nil
        }
    }
}
