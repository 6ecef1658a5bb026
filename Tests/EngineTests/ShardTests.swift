// What one shard promises, step by step: versions, real-time reads, refresh, commit and recovery.

import Engine
import IsothermTesting
import JSON
import Mappings
import Search
import Storage
import Testing

/// A shard over a folder in memory, opened as often as a test likes.
struct ShardBench {
    let directory: any Directory
    var settings = ShardSettings()
    var mapping = Mapping()

    init(_ directory: any Directory = MemoryDirectory(), seed: UInt64 = 1) throws {
        self.directory = directory
        settings.seed = seed
        settings.refreshMilliseconds = nil
        try IndexShard.create(in: directory)
    }

    func open() throws -> IndexShard { try IndexShard(opening: directory, mapping: LiveMapping(mapping), settings: settings) }
}

func put(_ id: String, _ source: String) -> WriteOperation { WriteOperation(.index, index: "i", id: id, source: Array(source.utf8)) }

extension IndexShard {
    @discardableResult
    func ok(_ operation: WriteOperation) throws -> WriteResult {
        let result = write(operation).result
        if let error = result.error { throw error }
        return result
    }

    func text(_ id: String, realtime: Bool = true) throws -> String? {
        try get(id, index: "i", realtime: realtime).map { String(decoding: $0.source, as: UTF8.self) }
    }
}

@Suite("Shard")
struct ShardTests {
    @Test("a document is read back at once, and searched after a refresh")
    func realtime() throws {
        let shard = try ShardBench().open()
        #expect(try shard.ok(put("1", #"{"a":1}"#)).outcome == .created)
        #expect(try shard.text("1") == #"{"a":1}"#)
        #expect(try shard.text("1", realtime: false) == nil)
        #expect(shard.snapshot().docCount == 0)
        try shard.refresh()
        #expect(shard.snapshot().docCount == 1)
        #expect(try shard.text("1", realtime: false) == #"{"a":1}"#)
    }

    @Test("versions and sequence numbers rise with every write, also across refreshes")
    func versions() throws {
        let shard = try ShardBench().open()
        for i in 1...5 {
            let result = try shard.ok(put("1", "{\"a\":\(i)}"))
            #expect(result.version == Int64(i))
            #expect(result.seqNo == Int64(i - 1))
            if i % 2 == 0 { try shard.refresh() }
        }
        try shard.refresh()
        #expect(shard.snapshot().docCount == 1)
        #expect(try shard.text("1", realtime: false) == #"{"a":5}"#)
        #expect(try shard.ok(WriteOperation(.delete, index: "i", id: "1")).version == 6)
        #expect(try shard.text("1") == nil)
        #expect(shard.snapshot().docCount == 1)
        try shard.refresh()
        #expect(shard.snapshot().docCount == 0)
        #expect(try shard.ok(put("1", "{}")).version == 7)
    }

    @Test("create refuses a live document, and compare-and-set one that has moved on")
    func conflicts() throws {
        let shard = try ShardBench().open()
        let first = try shard.ok(WriteOperation(.create, index: "i", id: "1", source: Array("{}".utf8)))
        let again = shard.write(WriteOperation(.create, index: "i", id: "1", source: Array("{}".utf8))).result
        #expect(again.error?.type == "version_conflict_engine_exception")
        #expect(again.error?.reason == "[1]: version conflict, document already exists (current version [1])")
        var update = put("1", #"{"a":2}"#)
        (update.ifSeqNo, update.ifPrimaryTerm) = (first.seqNo, first.primaryTerm)
        #expect(try shard.ok(update).outcome == .updated)
        #expect(shard.write(update).result.error?.status == 409)
        var external = put("2", "{}")
        (external.version, external.versionType) = (10, .external)
        #expect(try shard.ok(external).version == 10)
        #expect(shard.write(external).result.error?.status == 409)
        external.versionType = .externalGte
        #expect(try shard.ok(external).version == 10)
    }

    @Test("an update merges objects, and does nothing when nothing changes")
    func updates() throws {
        let shard = try ShardBench().open()
        func update(_ body: String) -> WriteOperation { WriteOperation(.update, index: "i", id: "1", source: Array(body.utf8)) }
        #expect(shard.write(update(#"{"doc":{"a":1}}"#)).result.error?.type == "document_missing_exception")
        #expect(try shard.ok(update(#"{"doc":{"a":1},"upsert":{"o":{"x":1}}}"#)).outcome == .created)
        #expect(try shard.ok(update(#"{"doc":{"o":{"y":2},"l":[1]}}"#)).outcome == .updated)
        #expect(try shard.text("1") == #"{"o":{"x":1,"y":2},"l":[1]}"#)
        let noop = try shard.ok(update(#"{"doc":{"o":{"y":2}}}"#))
        #expect(noop.outcome == .noop)
        #expect(noop.version == 2)
        try shard.refresh()
        #expect(try shard.ok(update(#"{"doc":{"o":{"y":3}}}"#)).version == 3)
        #expect(shard.write(update(#"{"script":"x"}"#)).result.error?.reason.contains("if_seq_no") == true)
    }

    @Test("what was written is there after the shard is opened again, committed or not")
    func recovery() throws {
        let bench = try ShardBench()
        var shard = try bench.open()
        for i in 0..<50 { try shard.ok(put("\(i)", "{\"n\":\(i)}")) }
        try shard.flush()
        for i in 25..<75 { try shard.ok(put("\(i)", "{\"n\":\(i + 1000)}")) }
        for i in 0..<10 { try shard.ok(WriteOperation(.delete, index: "i", id: "\(i)")) }
        try shard.translog.sync()
        shard.abandon()
        for round in 0..<3 {
            shard = try bench.open()
            #expect(shard.snapshot().docCount == 65)
            for i in 0..<75 {
                #expect(try shard.text("\(i)") == (i < 10 ? nil : "{\"n\":\(i < 25 ? i : i + 1000)}"), "round \(round)")
            }
            #expect(shard.stats.maxSeqNo == 109)
            if round == 1 { try shard.close() } else { shard.abandon() }
        }
    }

    @Test("a shard opened many times without a write collects no files")
    func openedOften() throws {
        let bench = try ShardBench()
        for _ in 0..<30 { try bench.open().close() }
        #expect(try bench.directory.directory("translog").list().count <= 10)
        #expect(try bench.directory.list().count == 1)
    }

    @Test("merging keeps every live document once, and drops the rest")
    func merging() throws {
        let bench = try ShardBench()
        let shard = try bench.open()
        for round in 0..<12 {
            for i in 0..<20 where (i + round) % 3 == 0 { try shard.ok(put("\(i)", "{\"r\":\(round)}")) }
            try shard.refresh()
        }
        let before = try (0..<20).map { try shard.text("\($0)") }
        try shard.forceMerge(segmentsMax: 1)
        #expect(shard.stats.segments == 1)
        #expect(shard.stats.deletedDocs == 0)
        #expect(try (0..<20).map { try shard.text("\($0)", realtime: false) } == before)
        try shard.close()
        let again = try bench.open()
        #expect(try (0..<20).map { try again.text("\($0)") } == before)
        #expect(try bench.directory.list().filter { $0.hasSuffix(".seg") }.count == 1)
    }
}
