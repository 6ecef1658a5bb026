// Orders into columns and out of them.

import Parquet

/// An order with what Hudi's columns say of it.
package struct ArchivedRow: Hashable, Sendable {
    package var order: ArchivedOrder
    /// The commit that last changed it.
    package var commitTime: HudiInstant
    /// The file it was read from.
    package var file: String
}

extension OrderColumns {
    /// What all new rows of a file have in Hudi's columns.
    struct Stamp: Sendable {
        let commit: String, sequence: String, file: String
        init(commit: HudiInstant, number: Int, file: String) {
            self.commit = commit.description
            (sequence, self.file) = ("\(commit)_\(number)_", file)
        }
    }

    /// - Precondition: `order.fault` is nil.
    static func append(_ order: ArchivedOrder, _ stamp: Stamp, row: Int, to c: inout [ColumnValues]) {
        guard let partition = Partition(placedAt: order.placedAt) else { preconditionFailure("an order that was not checked") }
        let factor = Amount.factor(order.currencyDecimals)
        c[Leaf.commitTime].append(stamp.commit)
        c[Leaf.sequence].append(stamp.sequence + String(row))
        c[Leaf.recordKey].append(order.id)
        c[Leaf.partition].append(partition.path)
        c[Leaf.file].append(stamp.file)
        c[Leaf.order].append(order.id)
        c[Leaf.person].append(order.person)
        c[Leaf.reference].append(order.reference)
        c[Leaf.status].append(order.status)
        c[Leaf.currency].append(order.currency)
        c[Leaf.decimals].append(Int32(truncatingIfNeeded: order.currencyDecimals))
        c[Leaf.total].append(decimal: order.totalMinor &* factor)
        c[Leaf.paid].append(decimal: order.paidMinor &* factor)
        c[Leaf.refunded].append(decimal: order.refundedMinor &* factor)
        c[Leaf.lineCount].append(Int32(clamping: order.lines.count))
        c[Leaf.placedAt].append(order.placedAt)
        c[Leaf.updatedAt].append(order.updatedAt)
        c[Leaf.version].append(order.version)
        appendLists(order, factor, to: &c)
        c[Leaf.body].append(order.body)
        c[Leaf.year].append(partition.year)
        c[Leaf.month].append(partition.month)
    }

    private static func appendLists(_ order: ArchivedOrder, _ factor: Int64, to c: inout [ColumnValues]) {
        list(order.lines, Leaf.lines, &c) { line, c, at, r in
            c[at].append(line.position, repetition: r)
            c[at + 1].append(line.sku, repetition: r)
            c[at + 2].append(line.title, repetition: r)
            if let seller = line.seller { c[at + 3].append(seller, repetition: r) } else { c[at + 3].appendNull(definition: 3, repetition: r) }
            c[at + 4].append(line.quantity, repetition: r)
            c[at + 5].append(decimal: line.unitMinor &* factor, repetition: r)
            c[at + 6].append(decimal: line.freightMinor &* factor, repetition: r)
            c[at + 7].append(decimal: line.totalMinor &* factor, repetition: r)
        }
        list(order.payments, Leaf.payments, &c) { payment, c, at, r in
            c[at].append(payment.id, repetition: r)
            c[at + 1].append(payment.status, repetition: r)
            c[at + 2].append(payment.gateway, repetition: r)
            c[at + 3].append(payment.method, repetition: r)
            c[at + 4].append(decimal: payment.amountMinor &* factor, repetition: r)
            c[at + 5].append(decimal: payment.capturedMinor &* factor, repetition: r)
            c[at + 6].append(decimal: payment.refundedMinor &* factor, repetition: r)
            c[at + 7].append(payment.createdAt, repetition: r)
        }
        list(order.shipments, Leaf.shipments, &c) { shipment, c, at, r in
            c[at].append(shipment.id, repetition: r)
            c[at + 1].append(shipment.status, repetition: r)
            c[at + 2].append(shipment.carrier, repetition: r)
            c[at + 3].append(shipment.createdAt, repetition: r)
        }
        list(order.tracking, Leaf.tracking, &c) { event, c, at, r in
            c[at].append(event.shipment, repetition: r)
            c[at + 1].append(event.kind, repetition: r)
            c[at + 2].append(event.happenedAt, repetition: r)
            c[at + 3].append(event.receivedAt, repetition: r)
        }
    }

    private static func list<T>(_ elements: [T], _ leaves: Range<Int>, _ c: inout [ColumnValues], _ body: (T, inout [ColumnValues], Int, UInt8) -> Void) {
        // Definition 1: the list is there and empty.
        if elements.isEmpty { for leaf in leaves { c[leaf].appendNull(definition: 1) } }
        for (i, element) in elements.enumerated() { body(element, &c, leaves.lowerBound, i == 0 ? 0 : 1) }
    }
}

/// Reads the orders of a row group, all columns.
struct OrderRows {
    private let columns: [ColumnValues]
    private var cursor: RowCursor
    private let place: String

    /// - Throws: `damaged` when these are not the archive's columns.
    init(_ columns: [ColumnValues], place: String) throws(ArchiveError) {
        guard columns.map(\.leaf) == OrderColumns.schema.leaves else { throw ArchiveError(.unsupported, place: place, "other columns than the archive's") }
        (self.columns, self.place) = (columns, place)
        cursor = RowCursor(columns)
    }

    /// - Parameter wanted: order ids; nothing of other orders is copied. Nil: all.
    mutating func next(of wanted: Set<String>? = nil) throws(ArchiveError) -> ArchivedRow? {
        repeat { guard cursor.next() else { return nil } } while try !isWanted(wanted)
        typealias Leaf = OrderColumns.Leaf
        let decimals = Int(columns[Leaf.decimals].int32(try value(Leaf.decimals)))
        guard (0...3).contains(decimals), let commit = HudiInstant(try text(Leaf.commitTime)) else { throw damaged() }
        let factor = Amount.factor(decimals)
        var order = ArchivedOrder(
            id: try text(Leaf.order), person: try text(Leaf.person), reference: try text(Leaf.reference), status: try text(Leaf.status), currency: try text(Leaf.currency),
            currencyDecimals: decimals, totalMinor: columns[Leaf.total].decimal(try value(Leaf.total)) / factor, paidMinor: columns[Leaf.paid].decimal(try value(Leaf.paid)) / factor,
            refundedMinor: columns[Leaf.refunded].decimal(try value(Leaf.refunded)) / factor, placedAt: columns[Leaf.placedAt].int64(try value(Leaf.placedAt)),
            updatedAt: columns[Leaf.updatedAt].int64(try value(Leaf.updatedAt)), version: columns[Leaf.version].int64(try value(Leaf.version)),
            body: Array(columns[Leaf.body].bytes(try value(Leaf.body))))
        try readLists(&order, factor)
        return ArchivedRow(order: order, commitTime: commit, file: try text(Leaf.file))
    }

    // MARK: -

    private func damaged() -> ArchiveError { ArchiveError(.damaged, place: place, "a row without a value it must have") }

    private func value(_ leaf: Int) throws(ArchiveError) -> Int {
        guard let value = cursor.value(leaf) else { throw damaged() }
        return value
    }

    private func text(_ leaf: Int) throws(ArchiveError) -> String { columns[leaf].string(try value(leaf)) }

    private func isWanted(_ wanted: Set<String>?) throws(ArchiveError) -> Bool {
        guard let wanted else { return true }
        return wanted.contains(try text(OrderColumns.Leaf.order))
    }

    private func readLists(_ order: inout ArchivedOrder, _ factor: Int64) throws(ArchiveError) {
        typealias Leaf = OrderColumns.Leaf
        var list = try ListValues(Leaf.lines, columns, cursor, place)
        while list.next() {
            order.lines.append(ArchivedOrder.Line(
                position: columns[18].int64(try list.value(0)), sku: columns[19].string(try list.value(1)), title: columns[20].string(try list.value(2)),
                seller: list.optional(3).map { columns[21].string($0) }, quantity: columns[22].int64(try list.value(4)), unitMinor: columns[23].decimal(try list.value(5)) / factor,
                freightMinor: columns[24].decimal(try list.value(6)) / factor, totalMinor: columns[25].decimal(try list.value(7)) / factor))
        }
        list = try ListValues(Leaf.payments, columns, cursor, place)
        while list.next() {
            order.payments.append(ArchivedOrder.Payment(
                id: columns[26].string(try list.value(0)), status: columns[27].string(try list.value(1)), gateway: columns[28].string(try list.value(2)),
                method: columns[29].string(try list.value(3)), amountMinor: columns[30].decimal(try list.value(4)) / factor, capturedMinor: columns[31].decimal(try list.value(5)) / factor,
                refundedMinor: columns[32].decimal(try list.value(6)) / factor, createdAt: columns[33].int64(try list.value(7))))
        }
        list = try ListValues(Leaf.shipments, columns, cursor, place)
        while list.next() {
            order.shipments.append(ArchivedOrder.Shipment(
                id: columns[34].string(try list.value(0)), status: columns[35].string(try list.value(1)), carrier: columns[36].string(try list.value(2)), createdAt: columns[37].int64(try list.value(3))))
        }
        list = try ListValues(Leaf.tracking, columns, cursor, place)
        while list.next() {
            order.tracking.append(ArchivedOrder.Tracking(
                shipment: columns[38].string(try list.value(0)), kind: columns[39].string(try list.value(1)),
                happenedAt: columns[40].int64(try list.value(2)), receivedAt: columns[41].int64(try list.value(3))))
        }
    }
}

/// Walks the elements of one list of one row, in all its leaves at once.
private struct ListValues {
    private let columns: [ColumnValues], starts: [Int], leaves: Range<Int>, place: String
    private let count: Int
    private var element = -1
    /// For each leaf the number of its next value, and whether this element has one.
    private var numbers: [Int], isThere: [Bool]

    init(_ leaves: Range<Int>, _ columns: [ColumnValues], _ cursor: RowCursor, _ place: String) throws(ArchiveError) {
        (self.columns, self.leaves, self.place) = (columns, leaves, place)
        starts = leaves.map { cursor.entries($0).lowerBound }
        numbers = leaves.map { cursor.firstValue($0) }
        isThere = [Bool](repeating: false, count: leaves.count)
        let entries = cursor.entries(leaves.lowerBound)
        // Definition 3 and 4: an element; below it the list is null, empty, or has a null element, which we never write.
        count = columns[leaves.lowerBound].definitions[entries.lowerBound] >= 3 ? entries.count : 0
        for leaf in leaves where cursor.entries(leaf).count != entries.count { throw ArchiveError(.damaged, place: place, "a list whose columns differ in length") }
    }

    mutating func next() -> Bool {
        for k in numbers.indices where isThere[k] { numbers[k] += 1 }
        element += 1
        guard element < count else { return false }
        for k in numbers.indices { isThere[k] = columns[leaves.lowerBound + k].definitions[starts[k] + element] == 4 }
        return true
    }

    func optional(_ k: Int) -> Int? { isThere[k] ? numbers[k] : nil }

    func value(_ k: Int) throws(ArchiveError) -> Int {
        guard isThere[k] else { throw ArchiveError(.damaged, place: place, "an element without a value it must have") }
        return numbers[k]
    }
}
