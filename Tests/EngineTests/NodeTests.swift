// What a node promises: indexes come and go durably, names stand for what they should, writes find their way.

import Engine
import IsothermTesting
import JSON
import Mappings
import Search
import Storage
import Testing

private func options() -> NodeOptions {
    var options = NodeOptions()
    options.background = false
    options.bufferBytesMax = 8 << 20
    return options
}

private func object(_ json: String) throws -> JSONObject { try JSONValue.parse(json).object ?? JSONObject() }

@Suite("Node")
struct NodeTests {
    @Test("indexes, documents, aliases and settings are there after a restart")
    func restart() async throws {
        let root = MemoryDirectory()
        var node = try await Node.open(root: root, options: options())
        let made = try await node.createIndex("shop", IndexCreation(
            settings: try object(#"{"number_of_shards":1,"index":{"refresh_interval":"5s"}}"#),
            aliases: try object(#"{"all":{},"red":{"filter":{"term":{"colour":"red"}}}}"#)))
        #expect(made.settings["index.refresh_interval"] == "5s")
        let results = try await node.bulk((0..<100).map { WriteOperation(.index, index: "shop", id: "\($0)", source: Array("{\"n\":\($0)}".utf8)) })
        #expect(results.allSatisfy { $0.outcome == .created })
        #expect(results.map(\.id) == (0..<100).map(String.init))
        try await node.putSettings("shop", try object(#"{"index.max_result_window":50}"#))
        for close in [false, true] {
            if close { await node.close() } else { root.releaseLocks() }
            node = try await Node.open(root: root, options: options())
            #expect(node.indexNames == ["shop"])
            #expect(try node.snapshot(of: "shop").docCount == 100)
            #expect(try node.snapshot(of: "shop").settings.resultWindowMax == 50)
            #expect(try node.describe("shop").aliases.map(\.name) == ["all", "red"])
            #expect(try await node.get("all", id: "7").map { String(decoding: $0.source, as: UTF8.self) } == #"{"n":7}"#)
        }
        try await node.deleteIndex("shop")
        await node.close()
        node = try await Node.open(root: root, options: options())
        #expect(node.indexNames == [])
        #expect(try root.directory("indexes").listDirectories() == [])
        await node.close()
    }

    @Test("a data folder is opened once at a time")
    func locked() async throws {
        let root = MemoryDirectory()
        let node = try await Node.open(root: root, options: options())
        await #expect(throws: EngineError.self) { try await Node.open(root: root, options: options()) }
        await node.close()
        await (try Node.open(root: root, options: options())).close()
    }

    @Test("wrong names are refused with the rule they break", arguments: [
        ("Shop", "must be lowercase"), ("_a", "must not start with"), ("a b", "must not contain"), ("a#b", "must not contain '#'"),
        ("api", "reserved"), ("store", "reserved"), ("console", "reserved"), ("..", "must not be"), ("", "must not be empty"), ("-a", "must not start with"),
        (String(repeating: "a", count: 256), "too long"),
    ])
    func names(name: String, rule: String) async throws {
        let node = try await Node.open(root: MemoryDirectory(), options: options())
        do {
            _ = try await node.createIndex(name)
            Issue.record("made")
        } catch {
            #expect(error.type == "invalid_index_name_exception")
            #expect(error.reason.contains(rule))
        }
        await node.close()
    }

    @Test("expressions stand for names, aliases, patterns and exclusions")
    func expressions() async throws {
        let node = try await Node.open(root: MemoryDirectory(), options: options())
        for name in ["a1", "a2", "b1"] { _ = try await node.createIndex(name) }
        try await node.updateAliases([.add(indices: ["a*"], alias: IndexAlias(name: "as", filter: try object(#"{"term":{"x":1}}"#)))])
        func names(_ expression: String) throws -> [String] { try node.resolve(expression).map(\.name) }
        #expect(try names("_all") == ["a1", "a2", "b1"])
        #expect(try names("a*,-a2") == ["a1"])
        #expect(try names("b1,a1") == ["a1", "b1"])
        #expect(try names("as") == ["a1", "a2"])
        #expect(try node.resolve("as")[0].filters.count == 1)
        #expect(try node.resolve("as,a1")[0].filters.count == 0)
        #expect(try names("zz*") == [])
        #expect(throws: EngineError.self) { try names("zz") }
        #expect(try node.resolve("zz,a1", IndexOptions(ignoreUnavailable: true)).map(\.name) == ["a1"])
        await node.close()
    }

    @Test("aliases change together or not at all, and a write goes to the write index")
    func aliases() async throws {
        let node = try await Node.open(root: MemoryDirectory(), options: options())
        for name in ["v1", "v2"] { _ = try await node.createIndex(name) }
        try await node.updateAliases([.add(indices: ["v1"], alias: IndexAlias(name: "live"))])
        #expect(try await node.write(WriteOperation(.index, index: "live", id: "1", source: Array("{}".utf8))).index == "v1")
        await #expect(throws: EngineError.self) {
            try await node.updateAliases([
                .remove(indices: ["v1"], aliases: ["live"], mustExist: true), .add(indices: ["nowhere"], alias: IndexAlias(name: "live")),
            ])
        }
        #expect(try node.describe("v1").aliases.count == 1)
        try await node.updateAliases([.add(indices: ["v2"], alias: IndexAlias(name: "live"))])
        await #expect(throws: EngineError.self) { try await node.write(WriteOperation(.index, index: "live", id: "1", source: Array("{}".utf8))) }
        try await node.updateAliases([.add(indices: ["v2"], alias: IndexAlias(name: "live", isWriteIndex: true))])
        #expect(try await node.write(WriteOperation(.index, index: "live", id: "1", source: Array("{}".utf8))).index == "v2")
        await node.close()
    }

    @Test("an unknown or fixed setting is refused")
    func settings() async throws {
        let node = try await Node.open(root: MemoryDirectory(), options: options())
        await #expect(throws: EngineError.self) { try await node.createIndex("a", IndexCreation(settings: try object(#"{"refresh_intervall":"1s"}"#))) }
        await #expect(throws: EngineError.self) { try await node.createIndex("a", IndexCreation(settings: try object(#"{"refresh_interval":"1 fortnight"}"#))) }
        _ = try await node.createIndex("a")
        await #expect(throws: EngineError.self) { try await node.putSettings("a", try object(#"{"number_of_shards":2}"#)) }
        await node.close()
    }

    @Test("the first write to a name makes its index, and a large bulk request keeps the order of each id's operations")
    func bulk() async throws {
        let node = try await Node.open(root: MemoryDirectory(), options: options())
        let filler = String(repeating: "x", count: 3000)
        let operations = (0..<2000).map {
            WriteOperation(.index, index: "made", id: "\($0 % 500)", source: Array("{\"n\":\($0),\"f\":\"\(filler)\"}".utf8))
        }
        let results = try await node.bulk(operations, refresh: .immediate)
        #expect(results.count == 2000)
        for (i, result) in results.enumerated() { #expect(result.version == Int64(i / 500 + 1)) }
        #expect(try node.snapshot(of: "made").docCount == 500)
        for i in 0..<500 {
            let text = try await node.get("made", id: "\(i)").map { String(decoding: $0.source.prefix(20), as: UTF8.self) }
            #expect(text?.hasPrefix("{\"n\":\(1500 + i),") == true)
        }
        #expect(Set(results.map(\.seqNo)).count == 2000)
        await node.close()
    }

    @Test("a shard that failed takes writes again once it could be opened anew, and has all that was acknowledged")
    func reopened() async throws {
        let disk = FaultyDisk(seed: 1)
        let node = try await Node.open(root: disk.root, options: options())
        _ = try await node.createIndex("i")
        _ = try await node.write(WriteOperation(.index, index: "i", id: "1", source: Array("{}".utf8)))
        disk.failAt(call: 2)
        await #expect(throws: EngineError.self) { try await node.write(WriteOperation(.index, index: "i", id: "2", source: Array("{}".utf8))) }
        await #expect(throws: EngineError.self) { try await node.write(WriteOperation(.index, index: "i", id: "3", source: Array("{}".utf8))) }
        #expect(node.failure(of: "i")?.status == 503)
        try await node.reopenFailed()
        #expect(node.failure(of: "i") == nil)
        _ = try await node.write(WriteOperation(.index, index: "i", id: "3", source: Array("{}".utf8)), refresh: .immediate)
        #expect(try await node.get("i", id: "1") != nil)
        #expect(try await node.get("i", id: "3") != nil)
        await node.close()
    }

    @Test("a bulk load reports what is durable, and is all there in the end")
    func load() async throws {
        let root = MemoryDirectory()
        let node = try await Node.open(root: root, options: options())
        let loader = try await node.bulkLoader("big")
        var results: [WriteResult] = []
        for batch in 0..<10 {
            results += try await loader.load((0..<100).map { WriteOperation(.index, index: "big", source: Array("{\"n\":\(batch * 100 + $0)}".utf8)) })
            #expect(loader.committed == results.count, "results are given as batches become durable")
            #expect(results.count >= (batch - 3) * 100, "four batches are in work at most")
        }
        results += try await loader.finish()
        #expect(results.count == 1000 && results.allSatisfy { $0.error == nil })
        #expect(loader.committed == 1000)
        #expect(try node.snapshot(of: "big").docCount == 1000)
        await node.close()
    }

    @Test("batches in work together keep the order of each id's operations", arguments: UInt64(0)..<10)
    func loadOrder(seed: UInt64) async throws {
        var random = Seeded(seed)
        var options = options()
        options.bufferBytesMax = 1 << 20
        let node = try await Node.open(root: MemoryDirectory(), options: options)
        let loader = try await node.bulkLoader("i")
        // Long documents in one lane make it fall behind the other.
        let filler = String(repeating: "x ", count: 5000)
        var last: [String: Int] = [:], versions: [String: Int64] = [:], sent: [String] = [], results: [WriteResult] = []
        for n in 0..<60 {
            var batch: [WriteOperation] = []
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let id = String(Int.random(in: 0..<30, using: &random)), size = Int.random(in: 0...filler.count, using: &random)
                batch.append(WriteOperation(.index, index: "i", id: id, source: Array("{\"n\":\(sent.count),\"t\":\"\(filler.prefix(n % 2 == 0 ? size : 0))\"}".utf8)))
                last[id] = sent.count
                sent.append(id)
            }
            results += try await loader.load(batch)
        }
        results += try await loader.finish()
        #expect(results.map(\.id) == sent, "in the order sent")
        for result in results {
            #expect(result.version == (versions[result.id] ?? 0) + 1)
            versions[result.id] = result.version
        }
        for (id, n) in last {
            let source = try #require(try await node.get("i", id: id)?.source)
            #expect(String(decoding: source, as: UTF8.self).hasPrefix("{\"n\":\(n),"))
        }
        await node.close()
    }
}
