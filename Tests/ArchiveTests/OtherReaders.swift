// Tables for other readers, left in ISOTHERM_HUDI_OUT: Tests/Scenarios/hudi.py runs them through hudi-rs, DuckDB and pyarrow.

import Archive
import Glibc
import Storage
import Testing

@Suite("Tables for other readers")
struct OtherReaders {
    @Test("three rounds of insert, upsert and delete are left where asked", .enabled(if: outFolder != nil), arguments: ["whole", "cleaned", "rolled-back"])
    func leave(kind: String) async throws {
        let out = try #require(outFolder)
        let bench = Bench(FolderObjectStore(try FileDirectory(out + "/" + kind)))
        let writer = try await bench.writer()
        for round in 0..<3 {
            _ = try await writer.upsert((round * 500..<round * 500 + 500).map { SampleOrders.order($0) })
            _ = try await writer.upsert(stride(from: round, to: round * 500 + 500, by: 7).map { SampleOrders.order($0, version: Int64(round + 2)) })
            _ = try await writer.delete(stride(from: round, to: round * 500, by: 11).compactMap { SampleOrders.order($0).key })
            if kind == "cleaned" { _ = try await writer.clean(keeping: 2) }
        }
        if kind == "rolled-back" {
            for allowed in 1..<9 {
                let stopped = try await bench.writer(over: StoppingStore(bench.store, allowed: allowed))
                _ = try? await stopped.upsert((allowed * 40..<allowed * 40 + 60).map { SampleOrders.order($0, version: 9) })
                _ = try await bench.writer().rollBack()
            }
        }
        let rows = try await bench.table().snapshot().all()
        let thousandths = rows.reduce(Int64(0)) { $0 + $1.order.totalMinor * [1000, 100, 10, 1][$1.order.currencyDecimals] }
        let lines = rows.reduce(0) { $0 + $1.order.lines.count }, paid = rows.reduce(Int64(0)) { $0 + $1.order.paidMinor * [1000, 100, 10, 1][$1.order.currencyDecimals] }
        let text = #"{"count": \#(rows.count), "sums": {"total": "\#(decimal(thousandths))", "paid": "\#(decimal(paid))", "line_count": "\#(lines)"}}"#
        let file = try #require(fopen(out + "/" + kind + ".json", "w"))
        fputs(text, file)
        fclose(file)
    }

    private func decimal(_ thousandths: Int64) -> String {
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

private let outFolder: String? = getenv("ISOTHERM_HUDI_OUT").map { String(cString: $0) }
