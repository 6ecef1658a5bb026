// A random history of writes, merges, snapshots, removals and restores against dictionaries.

import Engine
import IsothermTesting
import JSON
import Search
import Storage
import Testing

@Suite("Snapshots, random histories")
struct SnapshotHistoryTests {
    @Test("every snapshot restores what was there when it was taken", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func history(seed: UInt64) async throws {
        var random = Seeded(seed &* 7919)
        let root = MemoryDirectory(), store = memoryStore(), repository = repository(store, packs: seed % 2 == 0)
        var node = try await nodeInMemory(root)
        var live: [String: [String: String]] = [:], taken: [(name: String, contents: [String: [String: String]])] = [], number = 0
        for name in ["one", "two"] {
            _ = try await node.createIndex(name, IndexCreation(mappings: try JSONValue.parse(shopMapping).object ?? JSONObject()))
            live[name] = [:]
        }
        for step in 0..<160 {
            number += 1
            let index = try #require(live.keys.sorted().randomElement(using: &random))
            switch Int.random(in: 0..<14, using: &random) {
            case 0..<5:
                var operations: [WriteOperation] = []
                for _ in 0..<Int.random(in: 1..<30, using: &random) {
                    let id = "\(Int.random(in: 0..<60, using: &random))"
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        operations.append(WriteOperation(.delete, index: index, id: id))
                        live[index]?[id] = nil
                    } else {
                        let source = "{\"title\":\"red \(step)\",\"stock\":\(number)}"
                        operations.append(WriteOperation(.index, index: index, id: id, source: Array(source.utf8)))
                        live[index]?[id] = source
                    }
                }
                _ = try await node.bulk(operations)
            case 5:
                guard let id = live[index]?.keys.sorted().randomElement(using: &random), let old = live[index]?[id] else { continue }
                try await node.refresh(index)
                _ = try await node.write(WriteOperation(.update, index: index, id: id, source: Array("{\"doc\":{\"stock\":\(-number)}}".utf8)))
                let head = try #require(old.firstRange(of: ",\"stock\":"))
                live[index]?[id] = old[..<head.lowerBound] + ",\"stock\":\(-number)}"
            case 6: try await node.refresh(index)
            case 7: try await node.flush(index)
            case 8: try await node.forceMerge(index)
            case 9, 10:
                _ = try await node.takeSnapshot(SnapshotRequest("s\(number)"), in: repository)
                taken.append(("s\(number)", live))
            case 11:
                guard !taken.isEmpty else { continue }
                let gone = taken.remove(at: Int.random(in: 0..<taken.count, using: &random))
                try await repository.delete([gone.name])
            case 12:
                guard let chosen = taken.randomElement(using: &random) else { continue }
                let suffix = "-\(number)"
                var request = RestoreRequest(chosen.name)
                request.rename = { name throws(EngineError) in name + suffix }
                _ = try await node.restore(request, from: repository)
                for (name, contents) in chosen.contents {
                    #expect(try await found(node, name + suffix) == contents, "seed \(seed), step \(step): \(chosen.name), \(name)")
                    // One of them lives on; two stay few.
                    if live.count < 4, name.utf8.count < 12 { live[name + suffix] = contents } else { try await node.deleteIndex(name + suffix) }
                }
            default:
                await node.close()
                node = try await nodeInMemory(root)
                _ = try await repository.sweep()
            }
        }
        for (name, contents) in live { #expect(try await found(node, name) == contents, "seed \(seed): \(name)") }
        let report = try await repository.verify(reading: true)
        #expect(report.problems == [] && report.unnamed == 0 && report.snapshots == taken.count)
        for (name, contents) in taken {
            var request = RestoreRequest(name)
            request.rename = { name throws(EngineError) in name + "-last" }
            _ = try await node.restore(request, from: repository)
            for (index, documents) in contents {
                #expect(try await found(node, index + "-last") == documents, "seed \(seed): \(name), \(index)")
                try await node.deleteIndex(index + "-last")
            }
        }
        await node.close()
    }

    private func found(_ node: Node, _ index: String) async throws -> [String: String] {
        try await node.refresh(index)
        var found: [String: String] = [:]
        for view in try node.snapshot(of: index).segments {
            for doc in 0..<UInt32(view.docCount) where view.live?[Int(doc)] ?? true {
                let id = try view.segment.columns.id(of: doc)
                #expect(found[id] == nil, "[\(id)] is there twice")
                found[id] = String(decoding: try view.segment.columns.source(of: doc), as: UTF8.self)
            }
        }
        return found
    }
}
