// Rows in, file, rows out; and the files that other readers are compared on (Tests/Scenarios/parquet.py reads what is left in
// ISOTHERM_PARQUET_OUT).

import Glibc
import IsothermTesting
import Parquet
import Testing

@Suite("Parquet round trip")
struct RoundTripTests {
    @Test("random nested orders come back as they were, whatever codec, page size and row group size", arguments: UInt64(0)..<24)
    func orders(seed: UInt64) async throws {
        var random = Seeded(seed)
        let orders = OrderRows.orders(Int(random.next() % 400) + 1, seed: seed)
        var options = ParquetWriter.Options()
        options.compression = [.zstd, .snappy, .uncompressed][Int(seed % 3)]
        options.pageRowsMax = Int(random.next() % 60) + 1
        options.pageBytesMax = Int(random.next() % 2000) + 1
        options.pageIndex = seed % 5 != 0
        options.dictionaryBytesMax = seed % 4 == 0 ? 100 : 1 << 20
        options.bloomColumns = ["person_ref"]
        options.lookupColumn = "person_ref"
        let bytes = try OrderRows.file(orders, options: options, groupRows: Int(random.next() % 150) + 1)
        let file = try await ParquetFile.open(ParquetSource(bytes), tail: Int(random.next() % 4000))
        #expect(file.schema == OrderRows.schema)
        #expect(file.metadata.rowCount == orders.count)
        var read: [OrderRows.Order] = []
        for group in file.metadata.rowGroups.indices { read += OrderRows.orders(in: try await file.columns(of: group)) }
        #expect(read == orders)
        try await pages(file, orders, &random)
        try await people(bytes, file, orders)
    }

    @Test("a file whose pages another version packed says the same; one whose footer says something else does not")
    func packedOtherwise() async throws {
        let orders = OrderRows.orders(3_000, seed: 5)
        var options = ParquetWriter.Options()
        options.bloomColumns = ["person_ref"]
        options.lookupColumn = "person_ref"
        func finding(_ bytes: [UInt8]) async throws -> EncodingCheck.Finding {
            let file = try await ParquetFile.open(ParquetSource(bytes))
            var check = try EncodingCheck(file, options: options)
            for group in file.metadata.rowGroups.indices { try await check.add(try await file.columns(of: group)) }
            return try await check.finish(keyValues: file.metadata.keyValues.filter { $0.key != LookupIndex.key })
        }
        let bytes = try OrderRows.file(orders, options: options, groupRows: 50)
        #expect(try await finding(bytes) == .same)
        var other = options
        other.compressionLevel = 1
        let found = try await finding(try OrderRows.file(orders, options: other, groupRows: 50))
        guard case .packedOtherwise = found else {
            Issue.record("\(found)")
            return
        }
        other.statisticsColumns = ["person_ref"]
        guard case .wrong = try await finding(try OrderRows.file(orders, options: other, groupRows: 50)) else {
            Issue.record("other statistics are not told")
            return
        }
    }

    private func pages(_ file: ParquetFile, _ orders: [OrderRows.Order], _ random: inout Seeded) async throws {
        var base = 0
        for (g, group) in file.metadata.rowGroups.enumerated() {
            let low = Int(random.next() % UInt64(group.rowCount)), high = low + Int(random.next() % UInt64(group.rowCount - low)) + 1
            let part = OrderRows.orders(in: try await file.columns(of: g, rows: low..<high))
            #expect(part == Array(orders[base + low..<base + high]))
            base += group.rowCount
        }
    }

    private func people(_ bytes: [UInt8], _ file: ParquetFile, _ orders: [OrderRows.Order]) async throws {
        let lookup = try #require(try await KeyLookup(ParquetSource(bytes), schema: OrderRows.schema))
        let person = try #require(file.schema.leaf("person_ref"))
        for key in Set(orders.map { $0.flat[1] }) {
            guard case .text(let text) = key else { continue }
            let found = OrderRows.orders(in: try await lookup.rows(Array(text.utf8)))
            #expect(found == orders.filter { $0.flat[1] == key })
            for (g, group) in file.metadata.rowGroups.enumerated() {
                let keys = try await file.columns(of: g, leaves: [person.index])[0]
                let isThere = (0..<group.rowCount).contains { keys.string($0) == text }
                let maybe = try await file.mayContain(Array(text.utf8), leaf: person.index, group: g)
                #expect(maybe || !isThere)
            }
        }
        for absent in ["", "p", "p-000000000000x", "zzz"] {
            #expect(try await lookup.rows(Array(absent.utf8))[0].entryCount == 0)
        }
    }

    @Test("several tasks write the bytes that one writes")
    func tasks() async throws {
        let orders = OrderRows.orders(500, seed: 3)
        var a = try ParquetWriter(OrderRows.schema), b = try ParquetWriter(OrderRows.schema)
        for order in orders {
            OrderRows.append(order, to: &a.columns)
            OrderRows.append(order, to: &b.columns)
        }
        try a.endRowGroup()
        try await b.endRowGroup(tasks: 2)
        try a.finish()
        try b.finish()
        #expect(a.take() == b.take())
    }

    @Test("row groups taken out, encoded in any order and given back in turn are the bytes of those written in place; one that is not given back is missed")
    func sealed() async throws {
        var options = ParquetWriter.Options()
        options.lookupColumn = "person_ref"
        let orders = OrderRows.orders(600, seed: 4)
        var a = try ParquetWriter(OrderRows.schema, options: options), b = try ParquetWriter(OrderRows.schema, options: options), sealed: [SealedGroup] = []
        for (n, order) in orders.enumerated() {
            OrderRows.append(order, to: &a.columns)
            OrderRows.append(order, to: &b.columns)
            if n % 100 == 99 {
                try a.endRowGroup()
                sealed.append(try #require(try b.sealRowGroup()))
            }
        }
        #expect(throws: ParquetError.misuse("6 row groups were taken out and not given back")) { try b.finish() }
        var encoded: [EncodedGroup] = []
        for group in sealed.reversed() { encoded.append(try group.encoded()) }
        while let group = encoded.popLast() { b.add(group) }
        try a.finish()
        try b.finish()
        #expect(a.take() == b.take())
    }

    @Test("records assembled by the schema alone are the orders", arguments: UInt64(0)..<6)
    func records(seed: UInt64) async throws {
        let orders = OrderRows.orders(60, seed: seed)
        let file = try await ParquetFile.open(ParquetSource(try OrderRows.file(orders, options: .init(), groupRows: 60)))
        var reader = try RecordReader(file.schema, try await file.columns(of: 0)), lines: [String] = []
        while let record = try reader.next() { lines.append(OrderRows.json(record)) }
        #expect(lines == orders.map { OrderRows.json($0) })
    }

    @Test("files that pyarrow wrote are read", .enabled(if: theirFolder != nil))
    func theirs() async throws {
        let folder = try #require(theirFolder), listing = try #require(fopen(folder + "/list.txt", "r"))
        defer { fclose(listing) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, 4096, listing) != nil {
            let path = folder + "/" + String(decoding: line.prefix { $0 != 10 && $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            var out = ""
            do {
                let file = try await ParquetFile.open(ParquetSource(try Self.read(path)))
                for group in file.metadata.rowGroups.indices {
                    var reader = try RecordReader(file.schema, try await file.columns(of: group))
                    while let record = try reader.next() { out += OrderRows.json(record) + "\n" }
                }
            } catch { out = "\(error)\n" }
            try Self.write(Array(out.utf8), path + ".read")
        }
    }

    static func read(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = [], part = [UInt8](repeating: 0, count: 1 << 20)
        while case let n = fread(&part, 1, part.count, file), n > 0 { bytes += part[..<n] }
        return bytes
    }

    @Test("a file without rows is a file")
    func empty() async throws {
        let bytes = try OrderRows.file([], options: .init(), groupRows: 10)
        let file = try await ParquetFile.open(ParquetSource(bytes))
        #expect(file.metadata.rowCount == 0)
        #expect(file.metadata.rowGroups.isEmpty)
    }

    @Test("files for other readers are left where asked", .enabled(if: outFolder != nil))
    func others() throws {
        let out = try #require(outFolder)
        for (name, compression) in [("zstd", Compression.zstd), ("snappy", .snappy), ("none", .uncompressed)] {
            let orders = OrderRows.orders(3000, seed: 7)
            var options = ParquetWriter.Options()
            options.compression = compression
            options.pageRowsMax = 300
            options.bloomColumns = ["person_ref", "order_id"]
            options.lookupColumn = "person_ref"
            try Self.write(try OrderRows.file(orders, options: options, groupRows: 1100), out + "/ours-\(name).parquet")
            try Self.write(Array(orders.map { OrderRows.json($0) + "\n" }.joined().utf8), out + "/ours-\(name).ndjson")
        }
    }

    static func write(_ bytes: [UInt8], _ path: String) throws {
        let file = try #require(fopen(path, "w"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        fclose(file)
    }
}

private let outFolder: String? = getenv("ISOTHERM_PARQUET_OUT").map { String(cString: $0) }
private let theirFolder: String? = getenv("ISOTHERM_PARQUET_THEIRS").map { String(cString: $0) }
