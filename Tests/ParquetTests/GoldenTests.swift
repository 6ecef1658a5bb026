// A file written by version 1 of the writer, opened for ever; and the writer still writes these bytes. ISOTHERM_GOLDEN=1 rewrites it.
// Not packed: how Zstandard packs is its own affair.

import Glibc
import IsothermTesting
import Parquet
import Testing

@Suite("Golden Parquet file")
struct GoldenTests {
    @Test("the golden file's orders are read, and written again are its bytes")
    func golden() async throws {
        let orders = OrderRows.orders(8, seed: 1)
        var options = ParquetWriter.Options()
        options.compression = .uncompressed
        options.pageRowsMax = 3
        options.bloomColumns = ["person_ref"]
        options.lookupColumn = "person_ref"
        let bytes = try OrderRows.file(orders, options: options, groupRows: 5), path = Corpora.golden("parquet/v1/orders.parquet")
        if getenv("ISOTHERM_GOLDEN") != nil { try RoundTripTests.write(bytes, path) }
        let golden = try RoundTripTests.read(path)
        // With another seed for the whole run the rows are others.
        if getenv("ISOTHERM_SEED") == nil {
            let same = golden == bytes
            #expect(same)
        }
        let file = try await ParquetFile.open(ParquetSource(golden))
        #expect(file.metadata.rowCount == 8)
        #expect(file.metadata.createdBy == "isotherm")
        #expect(file.metadata.value("note") == "orders of the tests")
        var ids: [String] = []
        for group in file.metadata.rowGroups.indices {
            let column = try await file.columns(of: group, leaves: [1])[0]
            for i in 0..<column.valueCount { ids.append(column.string(i)) }
        }
        #expect(ids == Array(repeating: "p-000000000000", count: 4) + Array(repeating: "p-000000000001", count: 4))
    }
}
