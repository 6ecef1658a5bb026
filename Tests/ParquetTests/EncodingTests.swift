// The hybrid encoding, bounds and bloom filter through what files show of them: `package` API only. Levels and dictionary numbers of every
// width go through the hybrid encoding in both directions.

import IsothermTesting
import Parquet
import Testing

@Suite("Parquet encodings")
struct EncodingTests {
    @Test("runs and packed stretches of any lengths and any dictionary width come back", arguments: UInt64(0)..<60)
    func hybrid(seed: UInt64) async throws {
        var random = Seeded(seed), values: [Int64?] = []
        let distinct = UInt64(1) << (seed % 14)
        for _ in 0..<Int(random.next() % 40) + 1 {
            let value: Int64? = random.next() % 4 == 0 ? nil : Int64(random.next() % distinct) * 77
            let times = random.next() % 3 == 0 ? Int(random.next() % 300) : 1 + Int(random.next() % 9)
            for _ in 0..<times { values.append(random.next() % 5 == 0 ? Int64(random.next() % distinct) * 77 : value) }
        }
        var options = ParquetWriter.Options()
        options.pageRowsMax = 1 + Int(random.next() % 900)
        var writer = try ParquetWriter(ParquetSchema([.optional("n", .int64)]), options: options)
        for value in values { if let value { writer.columns[0].append(value) } else { writer.columns[0].appendNull() } }
        try writer.finish()
        let file = try await ParquetFile.open(ParquetSource(writer.take()))
        var read: [Int64?] = []
        for group in file.metadata.rowGroups.indices {
            var cursor = RowCursor(try await file.columns(of: group))
            while cursor.next() { read.append(cursor.value(0).map { cursor.columns[0].int64($0) }) }
        }
        #expect(read == values)
    }

    @Test("bounds of long texts are shortened at a scalar, stay bounds, and say that they are not exact")
    func bounds() async throws {
        for (text, isBounded) in [(String(repeating: "é", count: 60), true), (String(repeating: "\u{10FFFF}", count: 40), false), (String(repeating: "z", count: 64), true), ("\u{D7FF}" + String(repeating: "\u{D7FF}", count: 30), true)] {
            var writer = try ParquetWriter(ParquetSchema([.required("s", .string)]))
            writer.columns[0].append(text)
            try writer.finish()
            let statistics = try #require(try await ParquetFile.open(ParquetSource(writer.take())).metadata.rowGroups[0].columns[0].statistics)
            let min = try #require(statistics.min), value = Array(text.utf8)
            #expect(!value.lexicographicallyPrecedes(min))
            #expect(String(validating: min, as: UTF8.self) != nil)
            #expect((statistics.max != nil) == isBounded)
            if let max = statistics.max {
                #expect(!max.lexicographicallyPrecedes(value))
                #expect(String(validating: max, as: UTF8.self) != nil)
                #expect(statistics.maxIsExact == (max == value))
            }
            #expect(statistics.minIsExact == (min == value))
        }
    }

    @Test("a decimal's smallest and largest are by sign, a double's without NaN and with both zeros")
    func orders() async throws {
        var writer = try ParquetWriter(ParquetSchema([.required("d", .decimal(12, 2)), .required("x", .double)]))
        for (d, x) in [(5, 0.0), (-7, .nan), (1_000_000, -0.0), (-300, 0.0)] as [(Int64, Double)] {
            writer.columns[0].append(decimal: d)
            writer.columns[1].append(x)
        }
        try writer.finish()
        let columns = try await ParquetFile.open(ParquetSource(writer.take())).metadata.rowGroups[0].columns
        #expect(columns[0].statistics?.min == [0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xD4])
        #expect(columns[0].statistics?.max == [0, 0, 0, 0x0F, 0x42, 0x40])
        #expect(columns[1].statistics?.min == [0, 0, 0, 0, 0, 0, 0, 0x80])
        #expect(columns[1].statistics?.max == [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(columns[1].statistics?.nanCount == 1)
    }

    @Test("a bloom filter knows what was put in, and little else")
    func bloom() throws {
        var filter = BloomFilter(distinct: 5000), random = Seeded(1)
        let hashes = (0..<5000).map { _ in random.next() }
        for hash in hashes { filter.insert(hash) }
        let read = try BloomFilter(serialized: filter.serialized)
        #expect(hashes.allSatisfy { read.contains($0) })
        #expect((0..<10_000).filter { _ in read.contains(random.next()) }.count < 150)
    }

    @Test("a footer that a reader would refuse is not written")
    func longFooter() async throws {
        func file(_ footerBytesMax: Int) throws(ParquetError) -> [UInt8] {
            var options = ParquetWriter.Options()
            options.footerBytesMax = footerBytesMax
            var writer = try ParquetWriter(ParquetSchema([.required("a", .int64)]), options: options)
            for n in 0..<100 {
                writer.columns[0].append(Int64(n))
                try writer.endRowGroup()
            }
            try writer.finish()
            return writer.take()
        }
        var limits = ParquetLimits(), isRefused = false
        limits.footerBytesMax = 2_000
        let long = try file(64 << 20)
        var isOpened = true
        do throws(ParquetError) { _ = try await ParquetFile.open(ParquetSource(long), limits: limits) } catch { isOpened = false }
        #expect(!isOpened)
        do throws(ParquetError) { _ = try file(2_000) } catch { if case .tooLarge = error { isRefused = true } }
        #expect(isRefused)
    }

    @Test("rows that do not fit are refused, and say why")
    func misuse() throws {
        var writer = try ParquetWriter(ParquetSchema([.required("a", .int64), .required("b", .int64)]))
        writer.columns[0].append(Int64(1))
        #expect(throws: ParquetError.misuse("column b has 0 rows, column a 1")) { try writer.endRowGroup() }
        var options = ParquetWriter.Options()
        options.lookupColumn = "s"
        var sorted = try ParquetWriter(ParquetSchema([.required("s", .string)]), options: options)
        for text in ["b", "a"] { sorted.columns[0].append(text) }
        #expect(throws: ParquetError.misuse("rows are not sorted by the look-up column s")) { try sorted.endRowGroup() }
        #expect(throws: ParquetError.self) { try ParquetWriter(ParquetSchema([])) }
        options.compression = .gzip
        #expect(throws: ParquetError.self) { try ParquetWriter(ParquetSchema([.required("s", .string)]), options: options) }
    }
}
