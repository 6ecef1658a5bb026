// The columns of an archived order: Hudi's five, the order's own, its lists, and last the two that the partition is made of.
//
// Every column may be null in the schema, as Hudi writes them; ours always have a value but for `seller` of a line. Lists are never null
// and their elements are never null.

import Parquet

package enum OrderColumns {
    package static let tableName = "orders"
    static let metaCount = 5
    static let metaNames = ["_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key", "_hoodie_partition_path", "_hoodie_file_name"]

    private static let amount = ColumnType.decimal(Amount.precision, Amount.scale)
    private static func column(_ name: String, _ type: ColumnType) -> ParquetSchema.Node { .optional(name, type) }
    private static func list(_ name: String, _ fields: [ParquetSchema.Node]) -> ParquetSchema.Node { .list(name, optionalElement: true, of: fields) }

    private static let fields: [ParquetSchema.Node] = [
        column("order_id", .string), column("person_ref", .string), column("reference", .string), column("status", .string),
        column("currency", .string), column("currency_decimals", .int32), column("total", amount), column("paid", amount), column("refunded", amount),
        column("line_count", .int32), column("placed_at", .timestamp), column("updated_at", .timestamp), column("version", .int64),
        list("lines", [
            column("line_no", .int64), column("sku", .string), column("title", .string), column("seller", .string), column("quantity", .int64),
            column("unit_price", amount), column("freight", amount), column("total", amount),
        ]),
        list("payments", [
            column("payment_id", .string), column("status", .string), column("gateway", .string), column("method", .string),
            column("amount", amount), column("captured", amount), column("refunded", amount), column("created_at", .timestamp),
        ]),
        list("shipments", [column("shipment_id", .string), column("status", .string), column("carrier", .string), column("created_at", .timestamp)]),
        list("tracking", [column("shipment_id", .string), column("kind", .string), column("happened_at", .timestamp), column("received_at", .timestamp)]),
        column("body", .string), column("year", .int32), column("month", .int32),
    ]

    package static let schema = ParquetSchema(metaNames.map { column($0, .string) } + fields)
    package static let avro = AvroSchema.text(fields, table: tableName)

    /// Leaf numbers.
    enum Leaf {
        static let commitTime = 0, sequence = 1, recordKey = 2, partition = 3, file = 4
        static let order = 5, person = 6, reference = 7, status = 8, currency = 9, decimals = 10, total = 11, paid = 12, refunded = 13
        static let lineCount = 14, placedAt = 15, updatedAt = 16, version = 17
        static let lines = 18..<26, payments = 26..<34, shipments = 34..<38, tracking = 38..<42
        static let body = 42, year = 43, month = 44
    }

    /// Small row groups, each found by its first key: two ranged reads find a person's orders (docs/formats/parquet.md).
    static let options: ParquetWriter.Options = {
        var options = ParquetWriter.Options()
        options.lookupColumn = "person_ref"
        options.bloomColumns = ["person_ref"]
        options.plainColumns = ["_hoodie_commit_seqno", "_hoodie_record_key", "order_id", "body"]
        // A row group is a page of each column or little more: an index of pages would only cost.
        options.pageIndex = false
        options.statisticsColumns = ["_hoodie_commit_time", "_hoodie_record_key", "order_id", "person_ref", "status", "total", "placed_at", "updated_at"]
        return options
    }()

    /// A row group ends with the person whose orders pass either bound,
    static let groupRowsMax = 400, groupBytesMax = 700 << 10
    /// and at the latest at so many times that.
    static let groupStretchMax = 4
}

/// What orders within a file are sorted by, as bytes: person, then order.
struct RowKey: Hashable, Comparable {
    let person: [UInt8], order: [UInt8]
    init(person: some Sequence<UInt8>, order: some Sequence<UInt8>) { (self.person, self.order) = (Array(person), Array(order)) }
    init(_ key: ArchivedOrder.Key) { self.init(person: key.person.utf8, order: key.order.utf8) }

    static func < (a: RowKey, b: RowKey) -> Bool {
        if a.person != b.person { return a.person.lexicographicallyPrecedes(b.person) }
        return a.order.lexicographicallyPrecedes(b.order)
    }
}
