// Whatever bytes arrive: an error of its kind, or the rows that were written.

import Bytes
import IsothermTesting
import Parquet
import Testing

@Suite("Damaged Parquet files")
struct DamageTests {
    private static func small(_ compression: Compression) throws -> ([OrderRows.Order], [UInt8]) {
        let orders = OrderRows.orders(3, seed: 5)
        var options = ParquetWriter.Options()
        options.compression = compression
        options.pageRowsMax = 2
        options.lookupColumn = "person_ref"
        options.bloomColumns = ["person_ref"]
        return (orders, try OrderRows.file(orders, options: options, groupRows: 2))
    }

    /// All rows, the pages of some, and one key's.
    private static func everything(_ bytes: [UInt8]) async throws(ParquetError) -> [ParquetColumns] {
        let source = ParquetSource(bytes), file = try await ParquetFile.open(source)
        var found: [ParquetColumns] = []
        for (g, group) in file.metadata.rowGroups.enumerated() {
            found.append(ParquetColumns(columns: try await file.columns(of: g), schema: file.schema))
            if group.rowCount > 1 { _ = try await file.columns(of: g, rows: 1..<2) }
            for leaf in file.schema.leaves.indices.prefix(2) {
                _ = try await file.mayContain(Array("p-000000000001".utf8), leaf: leaf, group: g)
                _ = try await file.columnIndex(leaf: leaf, group: g)
            }
        }
        if let lookup = try await KeyLookup(source, schema: OrderRows.schema) { _ = try await lookup.rows(Array("p-000000000001".utf8)) }
        return found
    }

    struct ParquetColumns {
        var columns: [ColumnValues]
        var schema: ParquetSchema
    }

    @Test("every byte flipped in turn gives an error or the rows that were written", arguments: [Compression.zstd, .snappy, .uncompressed])
    func flips(compression: Compression) async throws {
        let (orders, good) = try Self.small(compression)
        var errors = 0
        // Every byte with one codec, every 17th with the others: the suite should run in seconds.
        for at in stride(from: 0, to: good.count, by: compression == .zstd ? 1 : 17) {
            var bytes = good
            bytes[at] ^= UInt8(1) << UInt8(at % 8)
            do {
                let found = try await Self.everything(bytes)
                // A changed name, type or count of the footer, which no checksum covers, may show other columns; values are still the pages'.
                if found.allSatisfy({ $0.schema == OrderRows.schema }), found.count == 2 {
                    let same = found.flatMap { OrderRows.orders(in: $0.columns) } == orders
                    #expect(same, "byte \(at) of \(good.count)")
                }
            } catch { errors += 1 }
        }
        #expect(errors > good.count / 51)
    }

    @Test("every cut gives an error")
    func cuts() async throws {
        let (_, good) = try Self.small(.zstd)
        for end in 0..<good.count {
            await #expect(throws: ParquetError.self, "cut at \(end)") { try await Self.everything(Array(good[..<end])) }
        }
    }

    @Test("random bytes in place of the footer, and of pages whose checksums were made to fit, never crash", arguments: UInt64(0)..<40)
    func noise(seed: UInt64) async throws {
        let (_, good) = try Self.small(.uncompressed)
        var random = Seeded(seed), bytes = good
        for _ in 0..<Int(random.next() % 6) + 1 { bytes[Int(random.next() % UInt64(bytes.count - 12)) + 4] = UInt8(truncatingIfNeeded: random.next()) }
        _ = try? await Self.everything(bytes)
        let length = Int(random.next() % 300)
        var noise = Array("PAR1".utf8) + (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next() >> 7) }
        for k in 0..<4 { noise.append(UInt8(truncatingIfNeeded: length >> (8 * k))) }
        _ = try? await Self.everything(noise + Array("PAR1".utf8))
    }

    // MARK: - What is well formed, and too much

    /// Column `a`, INT32; then one row group of these fields.
    private static func footer(_ group: [UInt8]) -> [UInt8] {
        let schema: [UInt8] = [0x29, 0x2C, 0x48, 1, 0x72, 0x15, 2, 0, 0x15, 2, 0x25, 0, 0x18, 1, 0x61, 0]
        return schema + [0x29, 0x1C] + group + [0, 0]
    }

    private static func many(_ type: UInt8, _ element: [UInt8]) -> [UInt8] {
        var out = ByteWriter()
        out.byte(0xF0 | type)
        out.varint(100_000)
        return out.bytes + [UInt8](repeatElement(element, count: 100_000).joined())
    }

    @Test("a list that says nothing many times is refused at its bound, not at its end")
    func amplified() throws {
        // Heads of fields and lists; what stands open is closed behind the list.
        func group(_ head: [UInt8], _ list: [UInt8], open: Int = 0) -> [UInt8] { head + list + [UInt8](repeating: 0, count: open) }
        let again: [UInt8] = [0x09, 2, 0x1C, 0x3C, 0, 0]
        let lists: [String: [UInt8]] = [
            "columns": group([0x19], Self.many(12, [0x3C, 0, 0])), "columns, the field again and again": [UInt8](repeatElement(again, count: 100_000).joined()),
            "sorting": group([0x49], Self.many(12, [0])), "encodings": group([0x19, 0x1C, 0x3C, 0x29], Self.many(5, [0]), open: 2),
            "path": group([0x19, 0x1C, 0x3C, 0x39], Self.many(8, [0]), open: 2),
        ]
        for (name, group) in lists {
            do throws(ParquetError) {
                _ = try FileMetadata(reading: Self.footer(group), base: 0, limits: ParquetLimits())
                Issue.record("\(name): taken")
            } catch {
                guard case .damaged(_, let offset) = error else { throw error }
                #expect(offset < 300, "\(name): \(error)")
            }
        }
    }

    @Test("a second schema, and more column chunks than are kept, are refused")
    func repeated() async throws {
        let schema = Array(Self.footer([]).prefix(16))
        #expect(try FileMetadata(reading: schema + [0], base: 0, limits: ParquetLimits()).schema.leaves.count == 1)
        #expect(throws: ParquetError.self) { try FileMetadata(reading: schema + [0x09, 4, 0x0C, 0], base: 0, limits: ParquetLimits()) }
        let (_, good) = try Self.small(.zstd)
        var limits = ParquetLimits()
        limits.chunksMax = OrderRows.schema.leaves.count
        var isOpened = true
        do throws(ParquetError) { _ = try await ParquetFile.open(ParquetSource(good), limits: limits) } catch { isOpened = false }
        #expect(!isOpened)
        limits.chunksMax *= 2
        #expect(try await ParquetFile.open(ParquetSource(good), limits: limits).metadata.rowGroups.count == 2)
    }

    @Test("the columns of a row group have one budget, though each would fit by itself")
    func budget() async throws {
        let bytes = try OrderRows.file(OrderRows.orders(200, seed: 6), options: .init(), groupRows: 200)
        let sizes = try await ParquetFile.open(ParquetSource(bytes)).columns(of: 0).map(\.byteCount)
        var limits = ParquetLimits()
        limits.groupBytesMax = sizes.reduce(0, +) * 3 / 4
        let file = try await ParquetFile.open(ParquetSource(bytes), limits: limits)
        for leaf in sizes.indices { #expect(try await file.columns(of: 0, leaves: [leaf]).count == 1) }
        await #expect(throws: ParquetError.self) { try await file.columns(of: 0) }
        await #expect(throws: ParquetError.self) { try await file.columns(of: 0, rows: 0..<200) }
    }

    @Test("a look-up index over rows that are not in the order of its keys is damage; without an index such rows are read as ever")
    func unsorted() async throws {
        let schema = ParquetSchema([.required("k", .string), .required("n", .int32)])
        func file(_ keys: [String], _ options: ParquetWriter.Options = .init(), _ keyValues: [KeyValue] = []) throws -> [UInt8] {
            var writer = try ParquetWriter(schema, options: options)
            for (i, key) in keys.enumerated() {
                writer.columns[0].append(key)
                writer.columns[1].append(Int32(i))
            }
            try writer.finish(keyValues: keyValues)
            return writer.take()
        }
        var options = ParquetWriter.Options()
        options.lookupColumn = "k"
        let sorted = try await ParquetFile.open(ParquetSource(try file(["a", "a", "b"], options))).metadata
        let checksum = try LookupIndex(try #require(sorted.value(LookupIndex.key)).utf8).schemaChecksum
        let plain = try file(["a", "b", "a"]), columns = try await ParquetFile.open(ParquetSource(plain)).metadata.rowGroups[0].columns
        let hasIndex = try await KeyLookup(ParquetSource(plain), schema: schema) != nil
        #expect(!hasIndex)
        #expect(try await ParquetFile.open(ParquetSource(plain)).columns(of: 0)[0].valueCount == 3)
        // The index that the writer refuses to make.
        var body = ByteWriter(), index = ByteWriter()
        body.fixed(checksum)
        body.byte(UInt8(Compression.zstd.rawValue))
        for number in [0, 1, columns[0].range.lowerBound - 4, columns[1].range.upperBound - columns[0].range.lowerBound, 3 << 1] { body.varint(number) }
        body.string("a")
        body.string("b")
        index.byte(1)
        index.fixed(CRC32.of(body.bytes))
        index.raw(body.bytes)
        let bad = try file(["a", "b", "a"], .init(), [KeyValue(LookupIndex.key, Self.base64(index.bytes))])
        let lookup = try #require(try await KeyLookup(ParquetSource(bad), schema: schema))
        #expect(try await lookup.rows(Array("b".utf8))[1].int32(0) == 1)
        await #expect(throws: ParquetError.self) { try await lookup.rows(Array("a".utf8)) }
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)], word = (part + [0, 0]).prefix(3).reduce(0) { $0 << 8 | Int($1) }
            for k in 0..<4 { text.append(k <= part.count ? digits[word >> (18 - 6 * k) & 63] : "=") }
        }
        return text
    }
}
