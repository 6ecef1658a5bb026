// Tables for other readers, left in ISOTHERM_HUDI_OUT, and with ISOTHERM_HUDI_S3=s3://bucket/prefix?endpoint=... there too: Tests/Scenarios/hudi.py runs
// them through hudi-rs, DuckDB and pyarrow.

import Archive
import Glibc
import ObjectStorage
import Storage
import Testing

@Suite("Tables for other readers")
struct OtherReaders {
    @Test("three rounds of insert, upsert and delete are left where asked", .enabled(if: outFolder != nil), arguments: ["whole", "cleaned", "rolled-back", "emptied"])
    func leave(kind: String) async throws {
        let out = try #require(outFolder), bench = Bench(FolderObjectStore(try FileDirectory(out + "/" + kind)))
        try await Self.write(kind, bench)
        let rows = try await bench.table().snapshot().all().map(\.order), file = try #require(fopen(out + "/" + kind + ".json", "w"))
        fputs(Self.facts(rows), file)
        fclose(file)
        guard let base = s3, kind == "whole" || kind == "cleaned" else { return }
        let parts = base.split(separator: "?", maxSplits: 1), remote = Bench(try ObjectStores.open(location: "\(parts[0])/\(kind)" + (parts.count > 1 ? "?" + parts[1] : "")))
        try await Self.write(kind, remote)
        #expect(try await remote.table().snapshot().all().map(\.order) == rows)
    }

    private static func write(_ kind: String, _ bench: Bench) async throws {
        let writer = try await bench.writer()
        for round in 0..<3 {
            _ = try await writer.upsert((round * 500..<round * 500 + 500).map { SampleOrders.order($0) })
            _ = try await writer.upsert(stride(from: round, to: round * 500 + 500, by: 7).map { SampleOrders.order($0, version: Int64(round + 2)) })
            _ = try await writer.delete(stride(from: round, to: round * 500, by: 11).compactMap { SampleOrders.order($0).key })
            if kind == "cleaned" { _ = try await writer.clean(keeping: 2) }
        }
        if kind == "rolled-back" {
            for allowed in 1..<16 {
                let stopped = try await bench.writer(over: StoppingStore(bench.store, allowed: allowed))
                _ = try? await stopped.upsert((allowed * 40..<allowed * 40 + 60).map { SampleOrders.order($0, version: 9) })
                _ = try await bench.writer().rollBack()
            }
        }
        if kind == "emptied" {
            let january = try await writer.snapshot().all().map(\.order).filter { $0.key?.partition == Partition(year: 2026, month: 1) }
            #expect(try await writer.delete(january.compactMap(\.key)).deleted == january.count)
        }
    }

    /// What our own scan says, in the form of verify_hudi.py's `--expect`, and sums of the lists besides.
    private static func facts(_ orders: [ArchivedOrder]) -> String {
        func money(_ minor: (ArchivedOrder) -> Int64) -> String {
            decimal(orders.reduce(0) { $0 + minor($1) * [1000, 100, 10, 1][$1.currencyDecimals] })
        }
        func number(_ value: (ArchivedOrder) -> Int64) -> Int64 { orders.reduce(0) { $0 + value($1) } }
        let sums = [
            "total": money { $0.totalMinor }, "paid": money { $0.paidMinor }, "line_count": "\(number { Int64($0.lines.count) })",
        ]
        let nested = [
            "quantity": "\(number { $0.lines.reduce(0) { $0 + $1.quantity } })", "captured": money { $0.payments.reduce(0) { $0 + $1.capturedMinor } },
            "shipments": "\(number { Int64($0.shipments.count) })", "tracking": "\(number { Int64($0.tracking.count) })",
            "body_bytes": "\(number { Int64($0.body.count) })", "updated_at": "\(number { $0.updatedAt })",
        ]
        func json(_ facts: [String: String]) -> String { "{" + facts.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ") + "}" }
        return #"{"count": \#(orders.count), "sums": \#(json(sums)), "nested": \#(json(nested))}"#
    }

    private static func decimal(_ thousandths: Int64) -> String {
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

private let outFolder: String? = getenv("ISOTHERM_HUDI_OUT").map { String(cString: $0) }
private let s3: String? = getenv("ISOTHERM_HUDI_S3").map { String(cString: $0) }
