// What is added up of an order: some of its columns, read without its document.
//
// A row group's own columns, then its lists, lie before the document in the file, so that the columns wanted of one row group come in one ranged read
// or two, and most of the file is never read.

import Parquet

package struct OrderFigures: Sendable, Equatable {
    /// What is read besides state, currency, amounts, counts and the moment of placing.
    package struct Parts: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        package static let sellers = Parts(rawValue: 1), payments = Parts(rawValue: 2), names = Parts(rawValue: 4)
    }
    package struct Line: Sendable, Equatable {
        package var seller: String?
        package var quantity: Int64, total: Int64
    }
    package struct Payment: Sendable, Equatable { package var method: String, amount: Int64, captured: Int64, refunded: Int64 }
    package struct Names: Sendable, Equatable { package var order: String, reference: String, decimals: Int, updatedAt: Int64, version: Int64 }

    package var person: String, status: String, currency: String
    /// Amounts are thousandths of the currency's unit, as the table's decimals have them.
    package var total: Int64, paid: Int64, refunded: Int64
    package var lineCount: Int64, quantity: Int64
    /// Microseconds since 1970.
    package var placedAt: Int64
    /// Where asked for.
    package var lines: [Line] = [], payments: [Payment] = [], names: Names?
}

extension OrderFigures {
    typealias Leaf = OrderColumns.Leaf
    /// Within `lines` and `payments`.
    private static let seller = Leaf.lines.lowerBound + 3, quantity = Leaf.lines.lowerBound + 4, lineTotal = Leaf.lines.lowerBound + 7
    private static let method = Leaf.payments.lowerBound + 3, amount = Leaf.payments.lowerBound + 4, captured = Leaf.payments.lowerBound + 5, back = Leaf.payments.lowerBound + 6

    static func leaves(_ parts: Parts) -> [Int] {
        var leaves = [Leaf.person, Leaf.status, Leaf.currency, Leaf.total, Leaf.paid, Leaf.refunded, Leaf.lineCount, Leaf.placedAt, quantity]
        if parts.contains(.sellers) { leaves += [seller, lineTotal] }
        if parts.contains(.payments) { leaves += [method, amount, captured, back] }
        if parts.contains(.names) { leaves += [Leaf.order, Leaf.reference, Leaf.decimals, Leaf.updatedAt, Leaf.version] }
        return leaves.sorted()
    }

    package init(_ order: ArchivedOrder) {
        let factor = Amount.factor(order.currencyDecimals)
        (person, status, currency) = (order.person, order.status, order.currency)
        (total, paid, refunded) = (order.totalMinor &* factor, order.paidMinor &* factor, order.refundedMinor &* factor)
        (lineCount, quantity, placedAt) = (Int64(order.lines.count), order.lines.reduce(0) { $0 &+ $1.quantity }, order.placedAt)
        lines = order.lines.map { Line(seller: $0.seller, quantity: $0.quantity, total: $0.totalMinor &* factor) }
        payments = order.payments.map { Payment(method: $0.method, amount: $0.amountMinor &* factor, captured: $0.capturedMinor &* factor, refunded: $0.refundedMinor &* factor) }
        names = Names(order: order.id, reference: order.reference, decimals: order.currencyDecimals, updatedAt: order.updatedAt, version: order.version)
    }

    /// The rows of a row group of which the columns of `leaves(parts)` were read.
    static func rows(_ columns: [ColumnValues], _ parts: Parts, place: String) throws(ArchiveError) -> [OrderFigures] {
        let row = FigureRow(columns, place)
        var cursor = RowCursor(columns), found: [OrderFigures] = []
        while cursor.next() {
            let quantities = try row.numbers(quantity, cursor)
            var figures = OrderFigures(
                person: try row.text(Leaf.person, cursor), status: try row.text(Leaf.status, cursor), currency: try row.text(Leaf.currency, cursor),
                total: try row.decimal(Leaf.total, cursor), paid: try row.decimal(Leaf.paid, cursor), refunded: try row.decimal(Leaf.refunded, cursor),
                lineCount: Int64(try row.int32(Leaf.lineCount, cursor)), quantity: quantities.reduce(0) { $0 &+ ($1 ?? 0) }, placedAt: try row.int64(Leaf.placedAt, cursor))
            if parts.contains(.sellers) {
                let sellers = try row.texts(seller, cursor), totals = try row.decimals(lineTotal, cursor)
                guard sellers.count == quantities.count, totals.count == quantities.count else { throw row.uneven() }
                figures.lines = quantities.indices.map { Line(seller: sellers[$0], quantity: quantities[$0] ?? 0, total: totals[$0] ?? 0) }
            }
            if parts.contains(.payments) {
                let methods = try row.texts(method, cursor), amounts = try row.decimals(amount, cursor)
                let taken = try row.decimals(captured, cursor), given = try row.decimals(back, cursor)
                guard [amounts.count, taken.count, given.count].allSatisfy({ $0 == methods.count }) else { throw row.uneven() }
                figures.payments = methods.indices.map { Payment(method: methods[$0] ?? "", amount: amounts[$0] ?? 0, captured: taken[$0] ?? 0, refunded: given[$0] ?? 0) }
            }
            if parts.contains(.names) {
                figures.names = Names(
                    order: try row.text(Leaf.order, cursor), reference: try row.text(Leaf.reference, cursor), decimals: Int(try row.int32(Leaf.decimals, cursor)),
                    updatedAt: try row.int64(Leaf.updatedAt, cursor), version: try row.int64(Leaf.version, cursor))
            }
            found.append(figures)
        }
        return found
    }
}

/// Values of some leaves of the row a cursor is at.
private struct FigureRow {
    private let columns: [ColumnValues], place: String
    /// Where a leaf is among the columns that were read.
    private var at: [Int?]

    init(_ columns: [ColumnValues], _ place: String) {
        (self.columns, self.place) = (columns, place)
        at = [Int?](repeating: nil, count: OrderColumns.schema.leaves.count)
        for (i, column) in columns.enumerated() { at[column.leaf.index] = i }
    }

    func uneven() -> ArchiveError { ArchiveError(.damaged, place: place, "a list whose columns differ in length") }

    func text(_ leaf: Int, _ c: RowCursor) throws(ArchiveError) -> String { try one(leaf, c) { $0.string($1) } }
    func int32(_ leaf: Int, _ c: RowCursor) throws(ArchiveError) -> Int32 { try one(leaf, c) { $0.int32($1) } }
    func int64(_ leaf: Int, _ c: RowCursor) throws(ArchiveError) -> Int64 { try one(leaf, c) { $0.int64($1) } }
    func decimal(_ leaf: Int, _ c: RowCursor) throws(ArchiveError) -> Int64 { try one(leaf, c) { $0.decimal($1) } }
    func texts(_ leaf: Int, _ c: RowCursor) throws(ArchiveError) -> [String?] { try elements(leaf, c) { $0.string($1) } }
    func numbers(_ leaf: Int, _ c: RowCursor) throws(ArchiveError) -> [Int64?] { try elements(leaf, c) { $0.int64($1) } }
    func decimals(_ leaf: Int, _ c: RowCursor) throws(ArchiveError) -> [Int64?] { try elements(leaf, c) { $0.decimal($1) } }

    private func column(_ leaf: Int) throws(ArchiveError) -> Int {
        guard let i = at[leaf] else { throw ArchiveError(.misuse, place: place, "a column that was not read") }
        return i
    }

    private func one<T>(_ leaf: Int, _ cursor: RowCursor, _ get: (ColumnValues, Int) -> T) throws(ArchiveError) -> T {
        let i = try column(leaf)
        guard let value = cursor.value(i) else { throw ArchiveError(.damaged, place: place, "a row without a value it must have") }
        return get(columns[i], value)
    }

    /// Definition 3: the element is there; 4: its value too. Below, the list is empty.
    private func elements<T>(_ leaf: Int, _ cursor: RowCursor, _ get: (ColumnValues, Int) -> T) throws(ArchiveError) -> [T?] {
        let i = try column(leaf), column = columns[i]
        var number = cursor.firstValue(i), found: [T?] = []
        for entry in cursor.entries(i) where column.definitions[entry] >= 3 {
            let isThere = column.definitions[entry] == 4
            found.append(isThere ? get(column, number) : nil)
            if isThere { number += 1 }
        }
        return found
    }
}
