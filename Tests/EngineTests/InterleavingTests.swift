// Writes that come in at the worst moment: between two steps of a refresh or a merge, on one thread or held there on another. Deletes and patches name
// places that refreshes and merges move; none may be lost, whatever comes between.

import Engine
import Foundation
import IsothermTesting
import JSON
import Mappings
import Search
import Storage
import Synchronization
import Testing

/// Runs `body` once, at the n-th time that a moment comes.
private final class Trap: Sendable {
    private let moment: ShardMoment
    private let state: Mutex<(left: Int, body: (@Sendable () throws -> Void)?)>
    init(_ moment: ShardMoment, at n: Int, _ body: @escaping @Sendable () throws -> Void) {
        self.moment = moment
        state = Mutex((n, body))
    }
    func reached(_ moment: ShardMoment) {
        guard moment == self.moment else { return }
        let body = state.withLock { s -> (@Sendable () throws -> Void)? in
            s.left -= 1
            guard s.left == 0 else { return nil }
            defer { s.body = nil }
            return s.body
        }
        do { try body?() } catch { Issue.record("\(error)") }
    }
    var sprung: Bool { state.withLock { $0.body == nil } }
}

private final class Gate: @unchecked Sendable {
    private let open = Mutex(false)
    func pass() { for _ in 0..<5000 where !open.withLock({ $0 }) { usleep(1000) } }
    func release() { open.withLock { $0 = true } }
}

private func patch(_ id: String, _ v: Int) -> WriteOperation { WriteOperation(.update, index: "i", id: id, source: Array("{\"doc\":{\"v\":\(v)}}".utf8)) }
private func delete(_ id: String) -> WriteOperation { WriteOperation(.delete, index: "i", id: id) }

@Suite("Interleavings")
struct InterleavingTests {
    /// Four segments of two documents each.
    private func shard(writers: Int = 2) throws -> IndexShard {
        var bench = try ShardBench()
        bench.mapping = try updatableMapping(0)
        bench.settings.writers = writers
        let shard = try bench.open()
        for i in 0..<4 {
            try shard.ok(put("\(i)", #"{"v":0}"#))
            try shard.ok(put("k\(i)", #"{"v":0}"#))
            try shard.refresh()
        }
        return shard
    }

    enum Deed: CaseIterable { case delete, patch, patchTwice, replace, deleteAndPut, patchAndDelete }
    enum After: CaseIterable { case nothing, refresh, refreshAndMerge }

    /// What the deed does to document 1; a writer of its own.
    private static func run(_ deed: Deed, _ shard: IndexShard) throws -> String? {
        switch deed {
        case .delete: try shard.ok(delete("1"))
        case .patch: try shard.ok(patch("1", 7))
        case .patchTwice:
            try shard.ok(patch("1", 6))
            try shard.ok(patch("1", 7))
        case .replace: try shard.ok(put("1", #"{"v":7}"#))
        case .deleteAndPut:
            try shard.ok(delete("1"))
            try shard.ok(put("1", #"{"v":7}"#))
        case .patchAndDelete:
            try shard.ok(patch("1", 7))
            try shard.ok(delete("1"))
        }
        return deed == .delete || deed == .patchAndDelete ? nil : #"{"v":7}"#
    }

    @Test("a delete, patch or new version that comes between two steps of a merge or refresh is not lost", arguments: Deed.allCases, After.allCases)
    func between(deed: Deed, after: After) throws {
        for moment in ShardMoment.allCases {
            for before in [false, true] {
                let shard = try shard()
                // Something in the slots already, older than the merge.
                if before { try shard.ok(patch("0", 3)) }
                let expected = Mutex<String?>(nil)
                // While a buffer waits to be sealed nothing may wait for seals.
                let seals = moment == .detached || moment == .published || moment == .slotsPassed
                let trap = Trap(moment, at: 1) {
                    let text = try Self.run(deed, shard)
                    expected.withLock { $0 = text }
                    if after != .nothing, !seals { try shard.refresh() }
                }
                var settings = shard.settings
                settings.observer = { trap.reached($0) }
                settings.mergePolicy.segmentsPerTier = 1
                shard.settings = settings
                try shard.ok(patch("2", 5))
                if moment == .mergeBegun || moment == .mergeWritten || moment == .mergePublished { try shard.mergeOnce() } else { try shard.refresh() }
                #expect(trap.sprung)
                if after == .refreshAndMerge {
                    try shard.mergeOnce()
                    try shard.refresh()
                    try shard.forceMerge(segmentsMax: 1)
                }
                try shard.refresh()
                var model = ["0": before ? #"{"v":3}"# : #"{"v":0}"#, "2": #"{"v":5}"#, "3": #"{"v":0}"#, "1": expected.withLock { $0 }]
                for i in 0..<4 { model["k\(i)"] = #"{"v":0}"# }
                #expect(try shard.contents() == model.compactMapValues { $0 }, "\(moment), \(before)")
                #expect(try shard.columnsAgree(), "\(moment), \(before)")
                for (id, text) in model { #expect(try shard.text(id) == text) }
            }
        }
    }

    @Test("a buffer that leaves its slot while a refresh looks for the oldest keeps the maps that its deletes and patches need")
    func leaving() throws {
        for deed in [Deed.delete, .patch] {
            // One slot: another that nobody uses would keep the maps by itself.
            let shard = try shard(writers: 1), held = Gate(), detached = Gate(), done = Gate()
            let phase = Mutex(0)
            let expected = Mutex<String?>(nil)
            var settings = shard.settings
            settings.mergePolicy.segmentsPerTier = 1
            settings.observer = { moment in
                let step = phase.withLock { $0 }
                switch (moment, step) {
                case (.slotsPassed, 0):
                    phase.withLock { $0 = 1 }
                    do {
                        // Into a slot that the refresh has passed as empty; then its segment is merged away.
                        let text = try Self.run(deed, shard)
                        expected.withLock { $0 = text }
                        try shard.mergeOnce()
                    } catch { Issue.record("\(error)") }
                    phase.withLock { $0 = 2 }
                case (.slotsSeen, 2):
                    phase.withLock { $0 = 3 }
                    let thread = Thread {
                        var full = shard.settings
                        full.bufferBytesMax = 1
                        shard.settings = full
                        do { try shard.ok(put("big", #"{"v":1}"#)) } catch { Issue.record("\(error)") }
                        done.release()
                    }
                    thread.start()
                    detached.pass()
                case (.detached, 3):
                    phase.withLock { $0 = 4 }
                    detached.release()
                    held.pass()
                default: break
                }
            }
            shard.settings = settings
            try shard.refresh()
            #expect(phase.withLock { $0 } == 4)
            held.release()
            done.pass()
            try shard.refresh()
            #expect(try shard.contents()["1"] == expected.withLock { $0 })
            #expect(try shard.contents().count == (deed == .delete ? 8 : 9))
            #expect(try shard.columnsAgree())
        }
    }

    @Test("a delete that comes between a buffer's publishing and the version map's hearing of it finds the document where a merge has taken it")
    func stale() throws {
        let shard = try shard(writers: 1), passed = Gate(), done = Gate()
        let phase = Mutex(0)
        var settings = shard.settings
        settings.mergePolicy.segmentsPerTier = 1
        settings.bufferBytesMax = 1
        settings.observer = { moment in
            switch (moment, phase.withLock { $0 }) {
            case (.published, 0):
                phase.withLock { $0 = 1 }
                do {
                    try shard.mergeOnce()
                    phase.withLock { $0 = 2 }
                    Thread {
                        do { try shard.refresh() } catch { Issue.record("\(error)") }
                        done.release()
                    }.start()
                    passed.pass()
                    // The refresh has passed the slot as empty, and waits for this buffer's end.
                    try shard.ok(delete("big"))
                } catch { Issue.record("\(error)") }
            case (.slotsPassed, 2):
                phase.withLock { $0 = 3 }
                passed.release()
            default: break
            }
        }
        shard.settings = settings
        try shard.ok(put("big", #"{"v":1}"#))
        done.pass()
        #expect(phase.withLock { $0 } == 3)
        try shard.refresh()
        #expect(try shard.contents()["big"] == nil)
        #expect(try shard.contents().count == 8)
    }

    @Test("a patch of a document in a buffer, or in one being sealed, is not lost")
    func buffered() throws {
        let shard = try shard()
        try shard.ok(put("n", #"{"v":1}"#))
        #expect(try shard.ok(patch("n", 2)).version == 2)
        #expect(try shard.text("n") == #"{"v":2}"#)
        let detached = Gate(), held = Gate(), done = Gate()
        var settings = shard.settings
        settings.observer = { moment in
            guard moment == .detached else { return }
            detached.release()
            held.pass()
        }
        shard.settings = settings
        let refresher = Thread { try? shard.refresh() }
        refresher.start()
        detached.pass()
        // It waits until the buffer is a segment, then patches that.
        let writer = Thread {
            do { #expect(try shard.ok(patch("n", 3)).version == 3) } catch { Issue.record("\(error)") }
            done.release()
        }
        writer.start()
        usleep(20_000)
        held.release()
        done.pass()
        try shard.refresh()
        #expect(try shard.contents()["n"] == #"{"v":3}"#)
        #expect(shard.stats.patchTotal == 1)
    }
}
