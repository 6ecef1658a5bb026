// Instants, partitions, file names, properties, commits: text in, text out.

import Archive
import Bytes
import IsothermTesting
import Testing

@Suite("Names and texts of the archive")
struct NamesTests {
    @Test("instants come back from their 17 digits and keep their order as text", arguments: UInt64(0)..<20)
    func instants(seed: UInt64) throws {
        var random = Seeded(seed)
        var all = (0..<100).map { _ in HudiInstant(milliseconds: Int64(random.next() % 253_402_300_800_000)) }
        for instant in all { #expect(HudiInstant(instant.description) == instant) }
        all.sort()
        #expect(all.map(\.description) == all.map(\.description).sorted())
        #expect(all.allSatisfy { $0.description.utf8.count == 17 })
    }

    @Test("known moments, and what is none")
    func moments() throws {
        #expect(HudiInstant(milliseconds: 1_775_001_600_000).description == "20260401000000000")
        #expect(HudiInstant(milliseconds: 951_782_399_999).description == "20000228235959999")
        #expect(HudiInstant(milliseconds: 951_868_799_999).description == "20000229235959999")
        #expect(HudiInstant(milliseconds: .max).description == "99991231235959999")
        for bad in ["", "20260401", "2026040100000000x", "20260431000000000", "20260230000000000", "20261301000000000", "20260401240000000", "20260401006000000", "20260401000060000", "19691231235959999"] {
            #expect(HudiInstant(bad) == nil, "\(bad)")
        }
        let last = HudiInstant(milliseconds: 5_000)
        #expect(HudiInstant.next(after: last, nowMicroseconds: 1) == HudiInstant(milliseconds: 5_001))
        #expect(HudiInstant.next(after: last, nowMicroseconds: 9_000_000) == HudiInstant(milliseconds: 9_000))
    }

    @Test("partitions are the month in UTC, written without leading zeros")
    func partitions() throws {
        #expect(Partition(placedAt: 1_772_323_199_999_999)?.path == "year=2026/month=2")
        #expect(Partition(placedAt: 1_772_323_200_000_000)?.path == "year=2026/month=3")
        #expect(Partition(placedAt: -1) == nil)
        #expect(Partition(placedAt: .max) == nil)
        #expect(Partition(path: "year=2026/month=3") == Partition(year: 2026, month: 3))
        for bad in ["year=2026/month=03", "year=2026/month=13", "year=2026", "month=3/year=2026", "year=+2026/month=3", "year=2026/month=3/x"] { #expect(Partition(path: bad) == nil, "\(bad)") }
    }

    @Test("file names come back, and foreign ones are refused")
    func fileNames() throws {
        let partition = try #require(Partition(year: 2026, month: 3)), instant = HudiInstant(milliseconds: 1_775_001_600_000)
        let id = FileSlice.fileID(partition, bucket: 3)
        #expect(id == FileSlice.fileID(partition, bucket: 3))
        #expect(id != FileSlice.fileID(partition, bucket: 4))
        #expect(id.utf8.count == 38 && id.hasSuffix("-0") && !id.contains("_"))
        let slice = FileSlice(partition: partition, fileID: id, token: "1-2-3", instant: instant, byteCount: 5, rowCount: 6)
        #expect(FileSlice(path: slice.path, byteCount: 5, rowCount: 6) == slice)
        for bad in [slice.path + "x", "x/" + slice.path, slice.name, slice.path.replacing("_1-2-3", with: ""), slice.path.replacing("20260401", with: "20260431")] {
            #expect(FileSlice(path: bad, byteCount: 5, rowCount: 6) == nil, "\(bad)")
        }
    }

    @Test("properties come back from Java's text, escapes and all")
    func properties() throws {
        let ours = HudiProperties(database: "isotherm", table: "orders", schema: #"{"a":"b=c\\d #!","é":1}"#, buckets: 4)
        #expect(HudiProperties(parsing: ours.serialized) == ours)
        #expect(ours.fault == nil)
        #expect(ours["hoodie.table.checksum"] == "4166224617")
        #expect(HudiProperties.checksum(database: "default", table: "v6_complexkeygen_hivestyle") == 281_415_413)
        let theirs = "#comment\n! another\n\n  a = b\nc\\ d:e\\u00e9\\\n   f\ng\n"
        let read = try #require(HudiProperties(parsing: Array(theirs.utf8)))
        #expect(read["a"] == "b" && read["c d"] == "eéf" && read["g"] == "")
        #expect(HudiProperties(parsing: Array("a=\\u12".utf8)) == nil)
        #expect(HudiProperties(parsing: [0x61, 0xFF]) == nil)
        // Each line is looked for among those before it.
        func lines(_ count: Int) -> [UInt8] { Array((0..<count).map { "\($0)=x\n" }.joined().utf8) }
        #expect(HudiProperties(parsing: lines(1_000))?.entries.count == 1_000)
        #expect(HudiProperties(parsing: lines(1_001)) == nil)
        for end in 0..<theirs.utf8.count { _ = HudiProperties(parsing: Array(theirs.utf8.prefix(end))) }
    }

    @Test("a commit comes back from its JSON; a changed byte gives an error or a commit")
    func commits() throws {
        let partition = try #require(Partition(year: 2026, month: 3)), instant = HudiInstant(milliseconds: 1_775_001_600_000)
        let slice = FileSlice(partition: partition, fileID: FileSlice.fileID(partition, bucket: 0), token: "0-1-2", instant: instant, byteCount: 123, rowCount: 45)
        let stat = HudiCommit.WriteStat(slice: slice, previous: HudiInstant(milliseconds: 1_000), updates: 3, inserts: 2, deletes: 1)
        let commit = HudiCommit(.upsert, [stat]), bytes = commit.serialized(schema: "{}")
        #expect(try HudiCommit(parsing: bytes, instant: instant, place: "") == commit)
        #expect(throws: ArchiveError.self) { try HudiCommit(parsing: bytes, instant: HudiInstant(milliseconds: 0), place: "") }
        for end in 0..<bytes.count { #expect(throws: ArchiveError.self, "cut at \(end)") { try HudiCommit(parsing: Array(bytes[..<end]), instant: instant, place: "") } }
        for at in bytes.indices {
            var bad = bytes
            bad[at] ^= 1 << UInt8(at % 8)
            _ = try? HudiCommit(parsing: bad, instant: instant, place: "")
        }
    }
}
