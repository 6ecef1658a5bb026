// Random histories of one shard against a dictionary, and readers beside writers: what a snapshot shows is one
// moment, in which every document is there once.

import Engine
import IsothermTesting
import Mappings
import Search
import Storage
import Synchronization
import Testing

private final class Flag: Sendable { let raised = Atomic<Bool>(false) }

@Suite("Histories")
struct HistoryTests {
    @Test("after any history a refreshed shard holds what a dictionary would", arguments: UInt64(0)..<40)
    func model(seed: UInt64) throws {
        var random = Seeded(seed), model: [String: String] = [:], versions: [String: Int64] = [:]
        var bench = try ShardBench(seed: seed)
        bench.mapping = try updatableMapping(seed)
        bench.settings.bufferBytesMax = [1, 1 << 14, 64 << 20].randomElement(using: &random) ?? 1
        bench.settings.mergePolicy.segmentsPerTier = 3
        bench.settings.writers = Int.random(in: 1...3, using: &random)
        var shard = try bench.open()
        for _ in 0..<150 {
            let id = "\(Int.random(in: 0..<15, using: &random))"
            switch Int.random(in: 0..<16, using: &random) {
            case 0..<5:
                let text = "{\"v\":\(Int.random(in: 0..<1_000_000, using: &random))}"
                let result = try shard.ok(put(id, text))
                #expect(result.outcome == (model[id] == nil ? .created : .updated))
                if let before = versions[id] { #expect(result.version == before + 1) }
                (model[id], versions[id]) = (text, result.version)
            case 5:
                // Twice, so that patches meet in one buffer and in two.
                for _ in 0..<2 where model[id] != nil {
                    let n = Int.random(in: 0..<1_000_000, using: &random)
                    let result = try shard.ok(WriteOperation(.update, index: "i", id: id, source: Array("{\"doc\":{\"v\":\(n)}}".utf8)))
                    (model[id], versions[id]) = ("{\"v\":\(n)}", result.version)
                    if Bool.random(using: &random) { try shard.refresh() }
                }
            case 6, 7:
                let result = try shard.ok(WriteOperation(.delete, index: "i", id: id))
                #expect(result.outcome == (model[id] == nil ? .notFound : .deleted))
                (model[id], versions[id]) = (nil, nil)
            case 8:
                let n = Int.random(in: 0..<1_000_000, using: &random)
                let result = shard.write(WriteOperation(.update, index: "i", id: id, source: Array("{\"doc\":{\"v\":\(n)}}".utf8))).result
                if model[id] == nil { #expect(result.error?.type == "document_missing_exception") } else {
                    model[id] = "{\"v\":\(n)}"
                    if result.outcome == .updated { #expect(result.version == (versions[id] ?? 0) + 1) }
                    versions[id] = result.version
                }
            case 9..<12:
                try shard.refresh()
                #expect(try shard.contents() == model, "seed \(seed)")
            case 12: try shard.flush()
            case 13: try shard.mergeOnce()
            case 14: #expect(try shard.text(id) == model[id])
            default:
                if Bool.random(using: &random) { try shard.close() } else {
                    try shard.translog.sync()
                    shard.abandon()
                }
                shard = try bench.open()
                #expect(try shard.contents() == model, "seed \(seed)")
            }
        }
        try shard.forceMerge(segmentsMax: 1)
        #expect(try shard.contents() == model, "seed \(seed)")
        #expect(try shard.columnsAgree())
        #expect(shard.stats.segments <= 1)
        #expect(shard.snapshot().docCount == model.count)
    }

    @Test("a reader beside writers, refreshes, merges and flushes sees every document exactly once")
    func readers() async throws {
        var bench = try ShardBench()
        bench.settings.bufferBytesMax = 1 << 15
        bench.settings.mergePolicy.segmentsPerTier = 2
        let shard = try bench.open(), ids = 40, stop = Flag()
        for i in 0..<ids { try shard.ok(put("\(i)", #"{"v":0}"#)) }
        try shard.refresh()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<2 {
                group.addTask {
                    var random = Seeded(UInt64(worker))
                    for n in 1...600 { try shard.ok(put("\(Int.random(in: 0..<ids, using: &random))", "{\"v\":\(n)}")) }
                    if worker == 0 { stop.raised.store(true, ordering: .releasing) }
                }
            }
            group.addTask { while !stop.raised.load(ordering: .acquiring) { try shard.refresh() } }
            group.addTask {
                while !stop.raised.load(ordering: .acquiring) {
                    try shard.mergeOnce()
                    try shard.refresh()
                }
            }
            group.addTask { while !stop.raised.load(ordering: .acquiring) { try shard.flush() } }
            group.addTask {
                while !stop.raised.load(ordering: .acquiring) {
                    let seen = try shard.contents().count
                    #expect(seen == ids)
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        try shard.close()
        #expect(try bench.open().contents().count == ids)
    }

    @Test("deletes that arrive while a merge runs are carried over to its result")
    func carried() throws {
        let shard = try ShardBench().open()
        for i in 0..<10 {
            try shard.ok(put("\(i)", "{\"v\":\(i)}"))
            try shard.refresh()
        }
        // In the buffer, unrefreshed, while their segments are merged away.
        for i in 0..<5 { try shard.ok(WriteOperation(.delete, index: "i", id: "\(i)")) }
        try shard.ok(put("9", #"{"v":99}"#))
        var policy = shard.settings
        policy.mergePolicy.segmentsPerTier = 1
        shard.settings = policy
        #expect(try shard.mergeOnce())
        #expect(shard.snapshot().docCount == 10)
        try shard.refresh()
        #expect(try shard.contents().keys.sorted() == ["5", "6", "7", "8", "9"])
        #expect(try shard.text("9", realtime: false) == #"{"v":99}"#)
    }
}
