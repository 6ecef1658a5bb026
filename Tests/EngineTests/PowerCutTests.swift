// Power cuts and failing disks: whatever instant it happens at, every acknowledged write is there afterwards,
// exactly once, and nothing else is.

import Engine
import Indexing
import IsothermTesting
import JSON
import Mappings
import Search
import Storage
import Testing

/// What must be, and what may be, in a shard whose disk may die.
private struct Expectation {
    /// Acknowledged: nil for a deleted document.
    var sure: [String: String?] = [:]
    /// Written since the last acknowledgement.
    var possible: [String: [String?]] = [:]
    /// Answered with an error: may be there or not.
    var unknown: [String: [String?]] = [:]
    /// What to wait for before acknowledging.
    var position = 0
    /// Of a feed: noted, acknowledged, and perhaps noted.
    var followed: Int64 = 0, followedSure: Int64 = 0, followedMaybe: Int64 = 0

    mutating func wrote(_ id: String, _ value: String?) { possible[id, default: []].append(value) }

    mutating func acknowledge() {
        for (id, values) in possible { sure[id] = values[values.count - 1] }
        followedSure = followed
        possible = [:]
    }

    /// After a restart, what was found is what there is.
    mutating func settle(_ found: [String: String]) {
        for id in Set(sure.keys).union(possible.keys).union(unknown.keys) { sure[id] = .some(found[id]) }
        (possible, unknown, position) = ([:], [:], 0)
    }

    func problem(_ found: [String: String]) -> String? {
        for id in Set(sure.keys).union(possible.keys).union(unknown.keys).union(found.keys).sorted() {
            let allowed = [sure[id] ?? nil] + (possible[id] ?? []) + (unknown[id] ?? [])
            if !allowed.contains(found[id]) { return "[\(id)] is \(found[id] ?? "absent"), and should be one of \(allowed.map { $0 ?? "absent" })" }
        }
        return nil
    }
}

extension IndexShard {
    /// All live documents of the segments; fails when an id is there twice.
    func contents() throws -> [String: String] {
        var found: [String: String] = [:]
        for view in snapshot().segments {
            for doc in 0..<view.docCount where view.live?[doc] ?? true {
                let id = try view.segment.columns.id(of: UInt32(doc)), source = try view.segment.columns.source(of: UInt32(doc))
                #expect(found[id] == nil, "[\(id)] is there twice")
                found[id] = String(decoding: source, as: UTF8.self)
            }
        }
        return found
    }
}

/// Two of three histories have updatable columns.
func updatableMapping(_ seed: UInt64) throws -> Mapping {
    if seed % 3 == 1 { return Mapping() }
    return try Mapping(["properties": .object(["v": .object(["type": "long", "updatable": true])])])
}

extension IndexShard {
    /// Every live document's column has the number that its source has.
    func columnsAgree() throws -> Bool {
        for view in snapshot().segments {
            let column = try view.segment.fields["v"].flatMap { try view.segment.columns.numbers($0.ordinal) }
            for doc in 0..<UInt32(view.docCount) where view.live?[Int(doc)] ?? true {
                let source = String(decoding: try view.segment.columns.source(of: doc), as: UTF8.self)
                guard let n = column?.value(of: doc) else {
                    if source == "{}" { continue }
                    return false
                }
                if source != "{\"v\":\(n)}" { return false }
            }
        }
        return true
    }
}

/// A random history that goes on until something throws or its steps are done.
private func run(_ shard: IndexShard, _ expectation: inout Expectation, steps: Int, _ random: inout Seeded) throws {
    func write(_ operation: WriteOperation, _ id: String, _ value: String?) throws {
        let (result, position) = shard.write(operation)
        if result.error?.type == "document_missing_exception" { return }
        if let error = result.error {
            expectation.unknown[id, default: []].append(value)
            throw error
        }
        expectation.wrote(id, value)
        expectation.position = position
    }
    for _ in 0..<steps {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6:
            let id = "\(Int.random(in: 0..<12, using: &random))", value = "{\"v\":\(Int.random(in: 0..<1_000_000, using: &random))}"
            try write(put(id, value), id, value)
        case 6..<8:
            // A patch where the index has the field as updatable; the same document anyway.
            let id = "\(Int.random(in: 0..<12, using: &random))", n = Int.random(in: 0..<1_000_000, using: &random)
            try write(WriteOperation(.update, index: "i", id: id, source: Array("{\"doc\":{\"v\":\(n)}}".utf8)), id, "{\"v\":\(n)}")
        case 8..<10:
            let id = "\(Int.random(in: 0..<12, using: &random))"
            try write(WriteOperation(.delete, index: "i", id: id), id, nil)
        case 10 where expectation.followed < .max / 2:
            do { expectation.position = max(expectation.position, try shard.follow(upTo: expectation.followed + 1)) } catch {
                expectation.followedMaybe = expectation.followed + 1
                throw error
            }
            expectation.followed += 1
        case 10..<15:
            do { try shard.translog.sync(upTo: expectation.position) } catch { throw EngineError(error) }
            expectation.acknowledge()
        case 15..<17: try shard.refresh()
        case 17: try shard.flush()
        case 18: try shard.mergeOnce()
        default: try shard.forceMerge(segmentsMax: 2)
        }
    }
}

private func settings(_ seed: UInt64) -> ShardSettings {
    var settings = ShardSettings()
    settings.seed = seed
    settings.refreshMilliseconds = nil
    settings.mergePolicy.segmentsPerTier = 2
    settings.mergePolicy.floorBytes = 1 << 12
    // Some histories seal every few documents.
    if seed % 3 == 0 { settings.bufferBytesMax = 1 }
    return settings
}

private func open(_ disk: FaultyDisk, _ seed: UInt64) throws -> IndexShard {
    try IndexShard(opening: disk.root, mapping: LiveMapping(try updatableMapping(seed)), settings: settings(seed))
}

@Suite("Power cuts")
struct PowerCutTests {
    /// 10 histories a case, each with up to 3 cuts: over 1,000 cuts in all.
    @Test("after a power cut at any instant every acknowledged write is there, once", arguments: UInt64(0)..<34)
    func cuts(block: UInt64) throws {
        for seed in block * 10..<block * 10 + 10 {
            var random = Seeded(seed), expectation = Expectation()
            var disk = FaultyDisk(seed: seed)
            try IndexShard.create(in: disk.root)
            try disk.root.sync()
            for round in 0..<3 {
                var shard: IndexShard?
                // The cut may also fall into opening.
                disk.dieAt(call: Int.random(in: 1...60, using: &random))
                do {
                    shard = try open(disk, seed)
                    if let shard { try run(shard, &expectation, steps: 60, &random) }
                } catch is EngineError {}
                shard?.abandon()
                disk = disk.powerCut()
                let after: IndexShard
                do { after = try open(disk, seed) } catch {
                    Issue.record("seed \(seed), round \(round): \(error)")
                    return
                }
                let found = try after.contents()
                if let problem = expectation.problem(found) {
                    Issue.record("seed \(seed), round \(round): \(problem)")
                    return
                }
                for (id, text) in found { #expect(try after.text(id) == text) }
                #expect(try after.columnsAgree())
                let at = after.snapshot().externalVersion
                #expect(at >= expectation.followedSure && at <= max(expectation.followed, expectation.followedMaybe), "seed \(seed), round \(round)")
                expectation.settle(found)
                (expectation.followed, expectation.followedSure, expectation.followedMaybe) = (at, at, at)
                after.abandon()
            }
        }
    }

    @Test("when call n fails, what was acknowledged is kept, for every n", arguments: [UInt64(7), 8, 9, 12])
    func failures(seed: UInt64) throws {
        for kind in [StorageError.Kind.noSpace, .io] {
            var n = 1, done = false
            while !done {
                try #require(n < 2000)
                var random = Seeded(seed), expectation = Expectation()
                let disk = FaultyDisk(seed: seed)
                try IndexShard.create(in: disk.root)
                try disk.root.sync()
                let shard = try open(disk, seed), before = disk.calls
                disk.failAt(call: n, kind)
                // An operation that fails may be tried again, or not: the history just goes on.
                for _ in 0..<20 {
                    do { try run(shard, &expectation, steps: 5, &random) } catch is EngineError {}
                }
                done = disk.calls - before < n
                disk.heal()
                shard.abandon()
                for after in [disk, disk.powerCut()] {
                    let opened = try open(after, seed), found = try opened.contents()
                    if let problem = expectation.problem(found) { Issue.record("seed \(seed), call \(n): \(problem)") }
                    opened.abandon()
                }
                n += 1
            }
            #expect(n > 50)
        }
    }

    @Test("a commit point whose writing failed may be on the disk: its segments stay until a newer one is durable")
    func doubtfulCommit() throws {
        var flushed = false, n = 0
        while !flushed {
            n += 1
            try #require(n < 100)
            let disk = FaultyDisk(seed: 5)
            try IndexShard.create(in: disk.root)
            try disk.root.sync()
            let shard = try open(disk, 5)
            for id in ["1", "2", "3"] {
                let (_, position) = shard.write(put(id, "{}"))
                try shard.translog.sync(upTo: position)
                try shard.refresh()
            }
            disk.failAt(call: n, .io)
            do {
                try shard.flush()
                flushed = true
            } catch is EngineError {}
            disk.heal()
            try? shard.forceMerge(segmentsMax: 1)
            shard.abandon()
            #expect(try open(disk, 5).contents().count == 3, "call \(n)")
        }
        #expect(n > 5)
    }

    @Test("after a failed sync nothing is acknowledged, until the shard is opened again")
    func failedSync() throws {
        let disk = FaultyDisk(seed: 3)
        try IndexShard.create(in: disk.root)
        let shard = try open(disk, 3)
        let (_, position) = shard.write(put("1", "{}"))
        disk.failAt(call: 2, .io)  // 1: the append, 2: its sync
        #expect(throws: StorageError.self) { try shard.translog.sync(upTo: position) }
        #expect(throws: StorageError.self) { try shard.translog.sync(upTo: position) }
        #expect(shard.write(put("2", "{}")).result.error?.status == 503)
        shard.abandon()
        let again = try open(disk, 3)
        #expect(again.write(put("2", "{}")).result.error == nil)
    }

    @Test("writes reach the disk in the order that durability needs")
    func order() throws {
        let disk = FaultyDisk(seed: 4)
        try IndexShard.create(in: disk.root)
        let shard = try open(disk, 4)
        disk.startTrace()
        let (_, position) = shard.write(put("1", "{}"))
        try shard.translog.sync(upTo: position)
        #expect(disk.trace == ["append disk/translog/2", "sync disk/translog/2", "append disk/translog/2"])
        disk.startTrace()
        try shard.flush()
        let trace = disk.trace
        func place(_ call: String) throws -> Int { try #require(trace.firstIndex(of: call), "\(call) in \(trace)") }
        // The next log begins whole; the segment is synced before its name is, and both before the commit point appears.
        #expect(try place("sync disk/translog/3") < place("sync folder disk/translog"))
        #expect(try place("sync folder disk/translog") < place("create disk/s1.seg"))
        #expect(try place("sync disk/s1.seg") < place("sync folder disk"))
        let named = try #require(trace.lastIndex { $0 == "create disk/commit-2.tmp" })
        #expect(trace[..<named].contains("sync folder disk"))
        #expect(Array(trace[named...].prefix(5)) == [
            "create disk/commit-2.tmp", "append disk/commit-2.tmp", "sync disk/commit-2.tmp", "rename disk/commit-2.tmp to commit-2", "sync folder disk",
        ])
        // Nothing is removed before the commit point is durable.
        #expect(trace[..<(named + 5)].allSatisfy { !$0.hasPrefix("remove") })
        #expect(trace[(named + 5)...].contains("remove disk/translog/2"))
    }
}
