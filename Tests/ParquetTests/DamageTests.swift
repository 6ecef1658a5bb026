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
}
