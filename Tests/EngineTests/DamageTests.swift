// Damage: whichever byte of whichever file is flipped or cut away, a reader gets an error that names the file,
// or the exact right answer; never a crash, never a wrong answer.

import Engine
import IsothermTesting
import JSON
import Mappings
import QueryDSL
import Search
import Storage
import Testing

/// A small shard of a committed segment with a deletion, and operations that only the translog has.
private struct Sample {
    let files: [(folder: String, name: String, bytes: [UInt8])]
    /// What may be found after the log is cut: the state after each operation of the log.
    let states: [[String: String]]
    var whole: [String: String] { states[states.count - 1] }

    init() throws {
        var bench = try ShardBench()
        bench.mapping = try sampleMapping()
        var shard = try bench.open()
        for i in 0..<5 { try shard.ok(put("\(i)", "{\"t\":\"red fox \(i)\",\"n\":\(i)}")) }
        try shard.flush()
        try shard.ok(WriteOperation(.delete, index: "i", id: "2"))
        try shard.ok(WriteOperation(.update, index: "i", id: "3", source: Array(#"{"doc":{"n":33}}"#.utf8)))
        try shard.flush()
        var states = [try shard.contents()]
        for operation in [put("5", #"{"t":"red hen"}"#), put("0", #"{"t":"grey fox"}"#),
            WriteOperation(.update, index: "i", id: "4", source: Array(#"{"doc":{"n":44}}"#.utf8)), WriteOperation(.delete, index: "i", id: "1")] {
            try shard.ok(operation)
            try shard.translog.sync()
            try shard.refresh()
            states.append(try shard.contents())
        }
        shard.abandon()
        shard = try bench.open()
        #expect(try shard.contents() == states[4])
        #expect(shard.stats.patchTotal == 0 && (states[4]["4"] ?? "").contains("44"))
        shard.abandon()
        self.states = states
        var files: [(String, String, [UInt8])] = []
        for name in try bench.directory.list() { files.append(("", name, try bench.directory.read(name))) }
        let translog = try bench.directory.directory("translog")
        for name in try translog.list() { files.append(("translog", name, try translog.read(name))) }
        self.files = files
        #expect(files.contains { $0.1.hasSuffix(".upd") })
    }

    /// The shard's folder with one file's bytes replaced.
    func folder(replacing index: Int, with bytes: [UInt8]) throws -> MemoryDirectory {
        let root = MemoryDirectory()
        for (i, file) in files.enumerated() {
            let folder = file.folder.isEmpty ? root : try root.directory(file.folder)
            try folder.create(file.name).append(i == index ? bytes : file.bytes)
        }
        return root
    }
}

private func sampleMapping() throws -> Mapping { try Mapping(["properties": .object(["n": .object(["type": "long", "updatable": true])])]) }

/// Opens, reads every document, and searches.
private func read(_ root: any Directory) throws -> [String: String] {
    var settings = ShardSettings()
    settings.seed = 1
    let shard = try IndexShard(opening: root, mapping: LiveMapping(try sampleMapping()), settings: settings)
    defer { shard.abandon() }
    let found = try shard.contents()
    var request = SearchRequest()
    request.query = try Query(json: try JSONValue.parse(#"{"match":{"t":"fox"}}"#))
    let target = SearchExecutor.Target(index: "i", snapshot: shard.snapshot())
    let response = try SearchExecutor(now: 0).search(request, in: [target])
    let wanted = Set(found.filter { $0.value.contains("fox") }.keys)
    #expect(Set(response.hits.map(\.id)) == wanted)
    request.query = try Query(json: try JSONValue.parse(#"{"range":{"n":{"gte":30}}}"#))
    let high = try SearchExecutor(now: 0).search(request, in: [target])
    #expect(Set(high.hits.map(\.id)) == Set(found.filter { $0.value.contains("\"n\":33") || $0.value.contains("\"n\":44") }.keys))
    for (id, text) in found { #expect(try shard.text(id) == text) }
    return found
}

/// Whether an error says which file it is about.
private func names(_ error: any Error, _ file: String) -> Bool { "\(error)".contains(file) }

@Suite("Damage")
struct DamageTests {
    @Test("a flipped bit anywhere is an error that names the file, or does not matter")
    func flips() throws {
        let sample = try Sample()
        for (i, file) in sample.files.enumerated() {
            for at in file.bytes.indices {
                var bytes = file.bytes
                bytes[at] ^= 1 << UInt8(at % 8)
                do {
                    let found = try read(try sample.folder(replacing: i, with: bytes))
                    #expect(found == sample.whole, "\(file.name) byte \(at)")
                } catch {
                    #expect(names(error, file.name), "\(file.name) byte \(at): \(error)")
                }
            }
        }
    }

    @Test("a file cut short anywhere is an error that names it; a log cut short is a log that ended earlier")
    func cuts() throws {
        let sample = try Sample()
        for (i, file) in sample.files.enumerated() {
            for length in 0..<file.bytes.count {
                do {
                    let found = try read(try sample.folder(replacing: i, with: Array(file.bytes[..<length])))
                    if file.folder == "translog" { #expect(sample.states.contains(found), "\(file.name) cut to \(length)") }
                    else { #expect(found == sample.whole, "\(file.name) cut to \(length)") }
                } catch {
                    #expect(names(error, file.name), "\(file.name) cut to \(length): \(error)")
                }
            }
        }
    }

    @Test("a missing file is an error that names it")
    func missing() throws {
        let sample = try Sample()
        for (i, file) in sample.files.enumerated() {
            let root = try sample.folder(replacing: i, with: file.bytes)
            try (file.folder.isEmpty ? root : try root.directory(file.folder)).remove(file.name)
            do {
                let found = try read(root)
                // A segment no commit names is not needed. The newest log may be lost whole: nothing else says that it was there.
                #expect(found == sample.whole || file.folder == "translog" && sample.states.contains(found), "\(file.name)")
            } catch {
                #expect(names(error, file.name) || file.name.hasPrefix("commit-"), "\(file.name): \(error)")
            }
        }
    }

    @Test("another version of a format is told apart from damage")
    func versions() throws {
        let bench = try ShardBench()
        let shard = try bench.open()
        try shard.ok(put("1", "{}"))
        try shard.close()
        let memory = try #require(bench.directory as? MemoryDirectory)
        let name = try #require(try memory.list().first { $0.hasSuffix(".seg") })
        var bytes = try memory.read(name)
        bytes[12] = 9
        try memory.overwrite(name, bytes)
        do {
            _ = try bench.open()
            Issue.record("opened")
        } catch { #expect("\(error)".contains("segment format 9")) }
    }
}
