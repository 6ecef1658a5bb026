// One shard: write buffers, segments, translog and commit points of one index. Synchronous throughout: Node
// puts it on threads, tests drive it step by step.
//
// The life of a write: parse (IndexShard+Writing) -> buffer, version map, translog append -> the caller waits
// for the translog -> refresh seals buffers into segments and publishes them -> flush commits -> merges.
//
// Locks, in the order in which they may be taken: version stripe, writer slot, mapping, translog, state. Flush
// and merge each have a lock of their own, taken before all others.
//
// Invariants
//     1  Nothing is acknowledged before the translog is durable up to it (or durability is `async`).
//     2  A reader's segments are immutable; what it holds never changes under it.
//     3  After a failure of translog or sealing the shard takes no writes until it is opened again; searches go on.

internal import Bytes
internal import Indexing
package import Mappings
package import Search
internal import Segments
package import Storage
import Synchronization

package final class IndexShard: @unchecked Sendable {
    package let directory: any Directory
    package let mapping: LiveMapping
    package let translog: Translog
    let translogDirectory: any Directory
    let versions = VersionMap()
    let slots: [WriterSlot]
    let state: Mutex<ShardState>
    let seals = SealTracker()
    let flushes = Monitor()
    let merges = Monitor()
    let counters = Counters()
    let nextSeqNo: Atomic<Int64>
    let external = ExternalPosition()
    let commit: Mutex<CommitPoint>
    /// A commit point whose writing failed may be on the disk all the same (its name was there, the folder's sync failed), and would be
    /// the index after a restart: until a newer one is durable its files stay, and its number is not used again. Under the flush's lock.
    let doubtfulCommits = Mutex<[CommitPoint]>([])
    /// Writes the index's description; called by flush when documents have changed the mapping.
    let persistMapping: @Sendable (Mapping) throws(StorageError) -> Void
    let pool: ThreadPool?
    private let currentSettings: Mutex<ShardSettings>
    private let failure = Mutex<EngineError?>(nil)
    private let random: Mutex<any RandomNumberGenerator & Sendable>
    private let scratches = Mutex<[WriteScratch]>([])
    let persistedMapping: Mutex<Int>
    let primaryTerm: Int64 = 1

    struct Counters: ~Copyable, Sendable {
        let indexed = Atomic<Int>(0), deleted = Atomic<Int>(0), patched = Atomic<Int>(0), gets = Atomic<Int>(0)
        let refreshes = Atomic<Int>(0), flushes = Atomic<Int>(0), merges = Atomic<Int>(0)
    }

    // MARK: - Opening

    private static let generationsMax: UInt64 = 8

    /// Lays down an empty shard in an empty folder. It is there once the caller has synced the folder above.
    package static func create(in directory: any Directory) throws(StorageError) {
        let translogs = try directory.directory("translog")
        try Translog(translogs, generation: 1, previousLength: 0, io: nil).close()
        try CommitPoint(generation: 1, translogGeneration: 1).write(to: directory)
    }

    /// Opens the newest commit and does again what the translog has beyond it.
    /// - Parameter pool: for large bulk requests; nil runs them on the caller's thread.
    package init(
        opening directory: any Directory, mapping: LiveMapping, settings: ShardSettings = ShardSettings(), pool: ThreadPool? = nil,
        io: ThreadPool? = nil, persistMapping: @escaping @Sendable (Mapping) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(EngineError) {
        self.directory = directory
        self.mapping = mapping
        self.pool = pool
        self.persistMapping = persistMapping
        currentSettings = Mutex(settings)
        persistedMapping = Mutex(mapping.generation)
        random = Mutex(settings.seed.map { SplitMix($0) } ?? SystemRandomNumberGenerator())
        let opened = try Self.openCommit(directory)
        commit = Mutex(opened.commit)
        translogDirectory = opened.translogs
        var state = opened.state
        slots = (0..<max(1, settings.writers)).map { _ in WriterSlot(number: state.beginBuffer(), epoch: 0) }
        self.state = Mutex(state)
        nextSeqNo = Atomic(opened.commit.maxSeqNo + 1)
        external.raise(to: opened.commit.externalVersion)
        // Twice over the log: once to know that it is whole and where it ends, once to do it again.
        let first = opened.commit.translogGeneration
        let recovered = try Translog.recover(opened.translogs, from: first) { _ throws(EngineError) in }
        do throws(StorageError) {
            translog = try Translog(opened.translogs, generation: recovered.next, previousLength: recovered.previousLength, io: io)
        } catch { throw EngineError(error) }
        translog.countReplayed(recovered.operations, bytes: recovered.bytes, from: first)
        if recovered.operations > 0 { _ = try Translog.recover(opened.translogs, from: first) { operation throws(EngineError) in try replay(operation) } }
        if recovered.operations > 0 { try refresh() }
        // Each opening begins a generation: one that is opened again and again without a write must not collect them.
        if recovered.next - first > Self.generationsMax { try flush(force: true) }
    }

    /// Commits what there is and lets the files go.
    package func close() throws(EngineError) {
        defer { translog.close() }
        if failed == nil { try flush() }
    }

    /// Runs `body` when nothing of this failed shard can touch the folder any more.
    func afterUpkeep<R>(_ body: () throws(EngineError) -> R) throws(EngineError) -> R {
        translog.close()
        return try merges.locked { () throws(EngineError) in
            try flushes.locked { () throws(EngineError) in
                seals.wait()
                return try body()
            }
        }
    }

    /// Lets the files go as a crash would, but for what the operating system keeps: for tests.
    package func abandon() { translog.close() }

    // MARK: - Reading

    /// What a search sees now.
    package func snapshot(settings: SearchSettings = SearchSettings()) -> IndexSnapshot {
        let (views, maxSeqNo, external) = state.withLock { ($0.views, $0.maxSeqNo, $0.externalVersion) }
        return IndexSnapshot(
            segments: views, mapping: mapping.current, maxSequenceNumber: maxSeqNo, externalVersion: external, settings: settings)
    }

    package var stats: IndexStats {
        var s = IndexStats()
        let segments = state.withLock { $0.segments }
        for segment in segments {
            let live = segment.liveCount
            s.docs += live
            s.deletedDocs += segment.segment.docCount - live
            s.storeBytes += segment.length + segment.liveLength + segment.patchLength
        }
        s.segments = segments.count
        (s.translogOperations, s.translogBytes) = translog.size
        s.storeBytes += s.translogBytes
        s.uncommittedOperations = s.translogOperations
        s.bufferBytes = bufferBytes
        s.maxSeqNo = nextSeqNo.load(ordering: .relaxed) - 1
        s.indexTotal = counters.indexed.load(ordering: .relaxed)
        s.patchTotal = counters.patched.load(ordering: .relaxed)
        s.deleteTotal = counters.deleted.load(ordering: .relaxed)
        s.getTotal = counters.gets.load(ordering: .relaxed)
        s.refreshTotal = counters.refreshes.load(ordering: .relaxed)
        s.flushTotal = counters.flushes.load(ordering: .relaxed)
        s.mergeTotal = counters.merges.load(ordering: .relaxed)
        return s
    }

    /// Bytes of documents not yet in segments. Waits for writes in progress.
    package var bufferBytes: Int { slots.reduce(0) { n, slot in n &+ slot.monitor.locked { slot.memoryBytes } } }

    /// Whether a refresh would change what readers see.
    package var isDirty: Bool {
        let written = external.written
        return slots.contains { slot in slot.monitor.locked { !slot.isEmpty } } || state.withLock { $0.hasRetired || $0.externalVersion < written }
    }

    package var settings: ShardSettings {
        get { currentSettings.withLock { $0 } }
        set { currentSettings.withLock { $0 = newValue } }
    }

    // MARK: - Failure

    package var failed: EngineError? { failure.withLock { $0 } }

    /// No writes from now on; the first cause is kept.
    @discardableResult
    package func fail(_ error: StorageError) -> EngineError {
        let cause = EngineError(error)
        let made = EngineError(
            .unavailable, "shard_failed_exception", "the shard failed and takes no writes until it is opened again: \(error)", cause: cause.reason)
        return failure.withLock { f in
            if f == nil { f = made }
            return f ?? made
        }
    }

    func checkUsable() throws(EngineError) { if let failed { throw failed } }

    // MARK: - Chance

    func makeSegmentID() -> SegmentID { random.withLock { r in SegmentID(high: r.next(), low: r.next()) } }

    /// 20 characters, URL-safe: a time, so that neighbours in time are neighbours in the dictionary, and chance.
    func makeDocumentID() -> String {
        let (a, b) = random.withLock { r in (r.next(), r.next()) }
        let time = UInt64(bitPattern: wallMilliseconds())
        var bytes: [UInt8] = []
        for shift in stride(from: 40, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: time >> UInt64(shift))) }
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: a >> UInt64(shift))) }
        bytes.append(UInt8(truncatingIfNeeded: b))
        return Base64URL.encode(bytes)
    }

    // MARK: - Scratch

    func borrowScratch() -> WriteScratch { scratches.withLock { $0.popLast() } ?? WriteScratch() }
    func giveBack(_ scratch: WriteScratch) { scratches.withLock { if $0.count < 16 { $0.append(scratch) } } }
}

/// What a thread needs to parse documents one after another.
final class WriteScratch: @unchecked Sendable {
    // Safe to send: lent to one thread at a time.
    var parser = DocumentParser()
    var document = ParsedDocument()
}

enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    /// Without padding.
    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = [], bits: UInt32 = 0, count = 0
        for b in bytes {
            bits = bits << 8 | UInt32(b)
            count += 8
            while count >= 6 {
                count -= 6
                out.append(alphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { out.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: out, as: UTF8.self)
    }
}

private struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
