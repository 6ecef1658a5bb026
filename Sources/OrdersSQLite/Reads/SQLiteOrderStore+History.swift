// Previous orders: pages by key, exact totals from kept counts, time frames.
//
// A page reads its own rows only: it begins at a key in an index (person, [state,] placed_at, id), whichever page it is. The total is added up from
// the counts per month and state; only the months a range cuts in two are counted in the index. Orders that came in after the first page (a late import)
// are not on later ones: added_seq <= as_of, which travels in the cursor with the total.

import Orders

extension SQLiteOrderStore {
    package func orders(of person: PersonRef, _ query: OrderListQuery, by caller: Caller) async throws(StoreError) -> OrderPage {
        try await orders(of: person, query, matching: [], by: caller).page
    }

    package func orders(
        of person: PersonRef, _ query: OrderListQuery, matching others: [OrderID], by caller: Caller
    ) async throws(StoreError) -> (page: OrderPage, purges: Int64) {
        guard caller.sees(person) else { throw .notFound("such person") }
        guard (1...100).contains(query.limit) else { throw .invalid("limit is between 1 and 100") }
        if let text = query.text, !(1...200).contains(text.utf8.count) { throw .invalid("q has 1 to 200 bytes") }
        let scope = "orders/\(person)/\(query.from?.microseconds ?? .min)/\(query.to?.microseconds ?? .max)/\(query.state?.rawValue ?? "")/\(query.text ?? "")"
        var place: PagePlace?
        if let cursor = query.cursor { place = PagePlace(try keys.cursors.decode(cursor, count: 5, scope: scope)) }
        let (page, purges) = try await read { [place] connection throws(StoreError) in
            (try HistoryReads(connection, person, query, matching: others).page(from: place), try readPurges(connection))
        }
        let next = page.next.map { keys.cursors.encode($0.numbers, scope: scope) }
        return (OrderPage(orders: page.orders, total: page.total, next: next), purges)
    }

    package func frames(of person: PersonRef, by caller: Caller) async throws(StoreError) -> OrderFrames {
        guard caller.sees(person) else { throw .notFound("such person") }
        return try await read { connection throws(StoreError) in
            let reads = HistoryReads(connection, person, OrderListQuery())
            let today = caller.at.date
            func since(_ date: CivilDate) throws(StoreError) -> Int64 { try reads.count(from: date.instant, to: nil) }
            let years = try connection.all(
                "SELECT month / 12, sum(count) FROM order_counts WHERE person_ref = ? GROUP BY month / 12 HAVING sum(count) > 0 ORDER BY 1 DESC", .id(person.value)
            ) { OrderFrames.Year(year: $0.int(0), count: $0.int(1)) }
            return OrderFrames(
                total: try reads.count(from: nil, to: nil), last30Days: try reads.count(from: caller.at.adding(days: -30), to: nil),
                last3Months: try since(today.adding(months: -3)), last6Months: try since(today.adding(months: -6)), years: years)
        }
    }
}

/// Where the next page begins, and what the first one said.
struct PagePlace: Sendable {
    var placedAt: Instant, id: Bytes16, asOf: Int64, total: Int64

    init(placedAt: Instant, id: Bytes16, asOf: Int64, total: Int64) {
        (self.placedAt, self.id, self.asOf, self.total) = (placedAt, id, asOf, total)
    }

    init(_ numbers: [UInt64]) {
        placedAt = Instant(microseconds: Int64(bitPattern: numbers[0]))
        id = Bytes16(high: numbers[1], low: numbers[2])
        (asOf, total) = (Int64(bitPattern: numbers[3]), Int64(bitPattern: numbers[4]))
    }

    var numbers: [UInt64] { [UInt64(bitPattern: placedAt.microseconds), id.high, id.low, UInt64(bitPattern: asOf), UInt64(bitPattern: total)] }
}

package struct HistoryReads {
    private let connection: Connection, person: PersonRef, query: OrderListQuery
    /// Orders whose lines are in other tiers and match the query's text: a JSON array of identifiers in capital hexadecimal, as hex() writes them.
    private let others: String

    package init(_ connection: Connection, _ person: PersonRef, _ query: OrderListQuery, matching others: [OrderID] = []) {
        (self.connection, self.person, self.query) = (connection, person, query)
        self.others = "[" + others.map { "\"" + $0.description.filter { $0 != "-" }.uppercased() + "\"" }.joined(separator: ",") + "]"
    }

    func page(from place: PagePlace?) throws(StoreError) -> (orders: [Order], total: Int64, next: PagePlace?) {
        let asOf: Int64, total: Int64
        if let place {
            (asOf, total) = (place.asOf, place.total)
        } else {
            asOf = try connection.first("SELECT coalesce(max(added_seq), 0) FROM order_directory") { $0.int(0) } ?? 0
            total = query.text == nil ? try count(from: query.from, to: query.to) : try countMatching(asOf)
        }
        var orders = try rows(before: place, asOf: asOf)
        var next: PagePlace?
        if orders.count > query.limit {
            orders.removeLast()
            if let last = orders.last { next = PagePlace(placedAt: last.placedAt, id: last.id.value, asOf: asOf, total: total) }
        }
        for at in orders.indices { orders[at].lines = try orderLines(of: orders[at].id, connection) }
        return (orders, total, next)
    }

    /// Orders placed at or after `from` and before `to`, in the query's state if it names one.
    func count(from: Instant?, to: Instant?) throws(StoreError) -> Int64 {
        // Whole months lie between the first one that begins at or after `from` and the one `to` is in.
        let firstWhole = from.map { $0 == CivilDate.first(ofMonth: $0.date.monthNumber).instant ? $0.date.monthNumber : $0.date.monthNumber + 1 } ?? -1_000_000
        let endWhole = to.map { $0.date.monthNumber } ?? 1_000_000
        if firstWhole > endWhole { return try countRows(from ?? Instant(microseconds: .min), to ?? Instant(microseconds: .max)) }
        var total = try countMonths(firstWhole, endWhole)
        if let from { total += try countRows(from, CivilDate.first(ofMonth: firstWhole).instant) }
        if let to { total += try countRows(CivilDate.first(ofMonth: endWhole).instant, to) }
        return total
    }

    // MARK: -

    private func countMonths(_ first: Int64, _ end: Int64) throws(StoreError) -> Int64 {
        guard first < end else { return 0 }
        let count = if let state = query.state {
            try connection.first(
                "SELECT coalesce(sum(count), 0) FROM order_counts WHERE person_ref = ? AND month >= ? AND month < ? AND state = ?",
                .id(person.value), .int(first), .int(end), .text(state.rawValue)) { $0.int(0) }
        } else {
            try connection.first(
                "SELECT coalesce(sum(count), 0) FROM order_counts WHERE person_ref = ? AND month >= ? AND month < ?", .id(person.value), .int(first), .int(end)
            ) { $0.int(0) }
        }
        return count ?? 0
    }

    private func countRows(_ from: Instant, _ to: Instant) throws(StoreError) -> Int64 {
        guard from < to else { return 0 }
        let count = if let state = query.state {
            try connection.first(
                state == .pending
                    ? "SELECT count(*) FROM order_directory WHERE person_ref = ? AND +state = ? AND placed_at >= ? AND placed_at < ?"
                    : "SELECT count(*) FROM order_directory WHERE person_ref = ? AND state = ? AND state <> 'pending' AND placed_at >= ? AND placed_at < ?",
                .id(person.value), .text(state.rawValue), .at(from), .at(to)) { $0.int(0) }
        } else {
            try connection.first(
                "SELECT count(*) FROM order_directory WHERE person_ref = ? AND placed_at >= ? AND placed_at < ?", .id(person.value), .at(from), .at(to)
            ) { $0.int(0) }
        }
        return count ?? 0
    }

    /// The page's rows and one more: whether there is a next page.
    func rows(before place: PagePlace?, asOf: Int64) throws(StoreError) -> [Order] {
        let from = query.from?.microseconds ?? .min
        // Before the end of the range, or before the place: a key below both.
        var end = (at: query.to?.microseconds ?? .max, id: Bytes16(high: 0, low: 0))
        if query.to == nil { end.id = Bytes16(high: .max, low: .max) }
        if let place { end = (place.placedAt.microseconds, place.id) }
        let limit = Int64(query.limit + 1)
        if let text = query.text {
            let pattern = "%" + text.map { "%_\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "%"
            return try connection.all(
                HistorySQL.matching, .id(person.value), .int(from), .int(end.at), .id(end.id), .int(asOf), .text(pattern), .optional(query.state?.rawValue),
                .int(limit), .text(others), make: orderRow)
        }
        guard let state = query.state else {
            return try connection.all(
                HistorySQL.all, .id(person.value), .int(from), .int(end.at), .id(end.id), .int(asOf), .int(limit), make: orderRow)
        }
        return try connection.all(
            state == .pending ? HistorySQL.pending : HistorySQL.ofState, .id(person.value), .int(from), .int(end.at), .id(end.id), .int(asOf), .int(limit), .text(state.rawValue), make: orderRow)
    }

    /// Reads all of the person's orders: a text has no kept counts.
    private func countMatching(_ asOf: Int64) throws(StoreError) -> Int64 {
        let pattern = "%" + (query.text ?? "").map { "%_\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "%"
        return try connection.first(
            """
            SELECT count(*) FROM order_directory d WHERE d.person_ref = ?1 AND d.placed_at >= ?2 AND d.placed_at < ?3 AND d.added_seq <= ?4
                AND (?6 IS NULL OR d.state = ?6) AND (d.reference LIKE ?5 ESCAPE '\\' OR EXISTS (
                    SELECT 1 FROM order_lines l JOIN products p USING (product)
                    WHERE l.order_id = d.order_id AND (l.title LIKE ?5 ESCAPE '\\' OR p.product_id LIKE ?5 ESCAPE '\\'))
                OR hex(d.order_id) IN (SELECT value FROM json_each(?7)))
            """,
            .id(person.value), .int(query.from?.microseconds ?? .min), .int(query.to?.microseconds ?? .max), .int(asOf), .text(pattern),
            .optional(query.state?.rawValue), .text(others)) { $0.int(0) } ?? 0
    }
}

/// The hot queries, named so that tests can ask for their plans.
package enum HistorySQL {
    package static let all: StaticString = """
        SELECT d.order_id, d.reference, d.person_ref, d.placed_at, d.state, d.currency, d.total_minor, d.paid_minor, d.version, d.tier,
            o.refunded_minor, o.credit_minor, o.hold_ends_at, o.delivered_at, o.returnable_until, o.address_id, o.exchange_of
        FROM order_directory d LEFT JOIN orders o USING (order_id)
        WHERE d.person_ref = ?1 AND d.placed_at >= ?2 AND (d.placed_at, d.order_id) < (?3, ?4) AND d.added_seq <= ?5
        ORDER BY d.placed_at DESC, d.order_id DESC LIMIT ?6
        """
    package static let ofState: StaticString = """
        SELECT d.order_id, d.reference, d.person_ref, d.placed_at, d.state, d.currency, d.total_minor, d.paid_minor, d.version, d.tier,
            o.refunded_minor, o.credit_minor, o.hold_ends_at, o.delivered_at, o.returnable_until, o.address_id, o.exchange_of
        FROM order_directory d LEFT JOIN orders o USING (order_id)
        WHERE d.person_ref = ?1 AND d.state = ?7 AND d.state <> 'pending' AND d.placed_at >= ?2 AND (d.placed_at, d.order_id) < (?3, ?4) AND d.added_seq <= ?5
        ORDER BY d.placed_at DESC, d.order_id DESC LIMIT ?6
        """
    /// Pending orders are not in the index by state: they are few, and the newest.
    package static let pending: StaticString = """
        SELECT d.order_id, d.reference, d.person_ref, d.placed_at, d.state, d.currency, d.total_minor, d.paid_minor, d.version, d.tier,
            o.refunded_minor, o.credit_minor, o.hold_ends_at, o.delivered_at, o.returnable_until, o.address_id, o.exchange_of
        FROM order_directory d LEFT JOIN orders o USING (order_id)
        WHERE d.person_ref = ?1 AND +d.state = ?7 AND d.placed_at >= ?2 AND (d.placed_at, d.order_id) < (?3, ?4) AND d.added_seq <= ?5
        ORDER BY d.placed_at DESC, d.order_id DESC LIMIT ?6
        """
    package static let matching: StaticString = """
        SELECT d.order_id, d.reference, d.person_ref, d.placed_at, d.state, d.currency, d.total_minor, d.paid_minor, d.version, d.tier,
            o.refunded_minor, o.credit_minor, o.hold_ends_at, o.delivered_at, o.returnable_until, o.address_id, o.exchange_of
        FROM order_directory d LEFT JOIN orders o USING (order_id)
        WHERE d.person_ref = ?1 AND d.placed_at >= ?2 AND (d.placed_at, d.order_id) < (?3, ?4) AND d.added_seq <= ?5
            AND (?7 IS NULL OR d.state = ?7) AND (d.reference LIKE ?6 ESCAPE '\\' OR EXISTS (
                SELECT 1 FROM order_lines l JOIN products p USING (product)
                WHERE l.order_id = d.order_id AND (l.title LIKE ?6 ESCAPE '\\' OR p.product_id LIKE ?6 ESCAPE '\\'))
            OR hex(d.order_id) IN (SELECT value FROM json_each(?9)))
        ORDER BY d.placed_at DESC, d.order_id DESC LIMIT ?8
        """
}

extension HistoryReads {
    /// The rows of one page, without lines and total: what a test counts the steps of.
    package func rowsForTest() throws(StoreError) -> Int { try rows(before: nil, asOf: .max).count }
}
