// How fast orders are written, how large the file is, and what a look-up in it reads: the rows that scripts/bench-parquet.py gives to DuckDB.
// Runs only where ISOTHERM_PARQUET_BENCH names how many orders.

import Glibc
import IsothermTesting
import Parquet
import Synchronization
import Testing

@Suite("Parquet writing bench", .serialized, .enabled(if: bench != nil))
struct WritingBench {
    static let schema = ParquetSchema(
        ["_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key", "_hoodie_partition_path", "_hoodie_file_name"].map { .optional($0, .string) } + [
            .optional("order_id", .string), .optional("person_ref", .string), .optional("reference", .string), .optional("status", .string),
            .optional("channel", .string), .optional("currency", .string), .optional("total", .decimal(12, 2)), .optional("shipping", .decimal(12, 2)),
            .optional("tax", .decimal(12, 2)), .optional("line_count", .int32), .optional("placed_at", .timestamp), .optional("updated_at", .timestamp),
            .optional("version", .int64), .optional("sealed_address", .bytes), .optional("sealed_name", .bytes),
            .list("lines", of: [
                .optional("line_no", .int32), .optional("sku", .string), .optional("title", .string), .optional("category", .string),
                .optional("quantity", .int32), .optional("unit_price", .decimal(12, 2)), .optional("seller", .string),
            ]),
            .list("payments", of: [
                .optional("payment_id", .string), .optional("method", .string), .optional("amount", .decimal(12, 2)), .optional("status", .string), .optional("at", .timestamp),
            ]),
            .list("tracking", of: [.optional("at", .timestamp), .optional("status", .string), .optional("carrier", .string), .optional("parcel", .string)]),
            .optional("year", .int32), .optional("month", .int32),
        ])

    @Test("orders are written", arguments: groups)
    func write(groupRows: Int) async throws {
        let count = try #require(bench), out = try #require(folder)
        var options = ParquetWriter.Options()
        options.bloomColumns = ["person_ref"]
        options.lookupColumn = "person_ref"
        options.compression = codec
        options.pageIndex = groupRows >= 20_000
        options.compressionLevel = level
        if groupRows < 20_000 { options.statisticsColumns = ["_hoodie_record_key", "_hoodie_commit_time", "order_id", "person_ref", "status", "total", "placed_at", "updated_at"] }
        var writer = try ParquetWriter(Self.schema, options: options), random = Seeded(11)
        let file = try #require(fopen("\(out)/bench-\(groupRows).parquet", "w"))
        var filling = 0.0, encoding = 0.0
        let titles = (0..<5000).map { "Product \($0) " + ["red", "large", "cotton", "steel", "for children"][$0 % 5] + " edition \($0 % 17)" }
        var done = 0
        while done < count {
            let start = now()
            for i in done..<min(count, done + groupRows) { Self.append(i, titles, &writer.columns, &random) }
            done = min(count, done + groupRows)
            let middle = now()
            if groupRows < 20_000 { try writer.endRowGroup() } else { try await writer.endRowGroup(tasks: tasks) }
            encoding += now() - middle
            filling += middle - start
            let bytes = writer.take()
            #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        }
        let start = now()
        try writer.finish()
        let bytes = writer.take()
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        encoding += now() - start
        fclose(file)
        print("bench: \(count) orders, row groups of \(groupRows), \(codec) level \(level): filled in \(filling) s (making the rows included), encoded in \(encoding) s, \(writer.byteCount) bytes")
        try await lookups("\(out)/bench-\(groupRows).parquet", people: count / 6)
    }

    private func lookups(_ path: String, people: Int) async throws {
        let size = try #require(fileSize(path)), counter = Counter()
        let source = ParquetSource(byteCount: size) { (range) throws(ParquetError) in
            counter.count(range.count)
            return bytesOf(path, range)
        }
        var reads: [Int] = [], sizes: [Int] = [], times: [Double] = [], found = 0
        var random = Seeded(5)
        for _ in 0..<200 {
            counter.clear()
            let start = now()
            guard let lookup = try await KeyLookup(source, schema: Self.schema) else {
                print("bench: no look-up index in the tail of \(path)")
                return
            }
            let rows = try await lookup.rows(Array(Self.person(Int(random.next() % UInt64(people))).utf8))
            found += rows[0].entryCount
            times.append(now() - start)
            reads.append(counter.reads)
            sizes.append(counter.bytes)
        }
        sizes.sort()
        times.sort()
        print("bench: 200 people looked up, \(found) orders: at most \(reads.max() ?? 0) reads, bytes p50 \(sizes[100]) p99 \(sizes[198]) max \(sizes[199]), p50 \(times[100] * 1000) ms p99 \(times[198] * 1000) ms")
    }

    static func person(_ n: Int) -> String {
        let a = OrderRows.hex(UInt64(n) &* 0x9E37_79B9_7F4A_7C15 & 0xFFFF_FFFF_FFFF, 12)
        return OrderRows.hex(UInt64(n), 8) + "-" + a.prefix(4) + "-7" + a.dropFirst(4).prefix(3) + "-a" + a.dropFirst(7).prefix(3) + "-" + a
    }

    private static func append(_ i: Int, _ titles: [String], _ c: inout [ColumnValues], _ random: inout Seeded) {
        func pick(_ n: UInt64) -> Int { Int(random.next() % n) }
        let high = OrderRows.hex(random.next(), 16), low = OrderRows.hex(random.next(), 16)
        let id = high.prefix(8) + "-" + high.dropFirst(8).prefix(4) + "-" + high.dropFirst(12) + "-" + low.prefix(4) + "-" + low.dropFirst(4)
        let placed = 1_500_000_000_000_000 + Int64(pick(2_592_000)) * 1_000_000
        c[0].append("20260401000000000")
        c[1].append("20260401000000000_0_\(i)")
        c[2].append(String(id))
        c[3].append("year=2017/month=7")
        c[4].append("af52a425-7d4a-50d0-81d8-4c47b03ffe89-0_3-0-0_20260401000000000.parquet")
        c[5].append(String(id))
        c[6].append(person(i / 6))
        c[7].append("R-\(high.prefix(6))")
        c[8].append(["delivered", "delivered", "delivered", "canceled", "returned"][pick(5)])
        c[9].append(["web", "app", "store"][pick(3)])
        c[10].append("EUR")
        let total = Int64(pick(200_000)), lines = 1 + pick(4)
        c[11].append(decimal: total)
        c[12].append(decimal: [0, 490, 990][pick(3)])
        c[13].append(decimal: total * 19 / 119)
        c[14].append(Int32(lines))
        c[15].append(placed)
        c[16].append(placed + Int64(pick(864_000)) * 1_000_000)
        c[17].append(Int64(pick(5)))
        for leaf in 18...19 {
            var sealed: [UInt8] = []
            for _ in 0..<(leaf == 18 ? 11 : 6) { withUnsafeBytes(of: random.next()) { sealed += $0 } }
            c[leaf].append(sealed)
        }
        for n in 0..<lines {
            let r: UInt8 = n == 0 ? 0 : 1, product = Int(Double(5000) * Double(pick(1000)) * Double(pick(1000)) / 1_000_000)
            c[20].append(Int32(n + 1), repetition: r)
            c[21].append("SKU-\(10_000 + product)", repetition: r)
            c[22].append(titles[product], repetition: r)
            c[23].append("category \(product % 71)", repetition: r)
            c[24].append(Int32(1 + pick(3)), repetition: r)
            c[25].append(decimal: Int64(product * 13 % 9000 + 99), repetition: r)
            c[26].append("seller \(product % 300)", repetition: r)
        }
        c[27].append("pay_" + low)
        c[28].append(["card", "boleto", "voucher"][pick(3)])
        c[29].append(decimal: total)
        c[30].append("captured")
        c[31].append(placed + 1_000_000)
        for n in 0..<3 {
            let r: UInt8 = n == 0 ? 0 : 1
            c[32].append(placed + Int64(n * 86_400 + pick(80_000)) * 1_000_000, repetition: r)
            c[33].append(["packed", "shipped", "delivered"][n], repetition: r)
            c[34].append(["dhl", "ups", "gls"][i % 3], repetition: r)
            c[35].append("JD" + high.prefix(12), repetition: r)
        }
        c[36].append(Int32(2017))
        c[37].append(Int32(7))
    }
}

private final class Counter: Sendable {
    private let state = Mutex((reads: 0, bytes: 0))
    var reads: Int { state.withLock { $0.reads } }
    var bytes: Int { state.withLock { $0.bytes } }
    func count(_ n: Int) { state.withLock { $0 = ($0.reads + 1, $0.bytes + n) } }
    func clear() { state.withLock { $0 = (0, 0) } }
}

private func text(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
private let bench = text("ISOTHERM_PARQUET_BENCH").flatMap { Int($0) }
private let folder = text("ISOTHERM_PARQUET_OUT")
private let level = text("ISOTHERM_PARQUET_LEVEL").flatMap { Int($0) } ?? 3
private let tasks = text("ISOTHERM_PARQUET_TASKS").flatMap { Int($0) } ?? 2
private let codec: Compression = text("ISOTHERM_PARQUET_CODEC") == "snappy" ? .snappy : .zstd
private let groups = (text("ISOTHERM_PARQUET_GROUPS") ?? "122880").split(separator: ",").compactMap { Int($0) }

private func now() -> Double {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) / 1e9
}

private func fileSize(_ path: String) -> Int? {
    var s = stat()
    return stat(path, &s) == 0 ? Int(s.st_size) : nil
}

private func bytesOf(_ path: String, _ range: Range<Int>) -> [UInt8] {
    let file = open(path, O_RDONLY)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: range.count)
    let n = pread(file, &bytes, range.count, range.lowerBound)
    return Array(bytes[..<max(0, n)])
}
