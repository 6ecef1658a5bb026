// The redo log of one shard: what was acknowledged and is not yet in a commit. Group commit: requests append,
// then wait for a position to be durable; whoever waits first syncs for everybody who appended meanwhile.
//
// Positions count the bytes appended since the log was opened, over all generations.
//
// Invariants
//     1  `durable` <= what was handed to the file <= `appended`.
//     2  After one failed write or sync nothing is ever acknowledged again (`failure`): the shard must be opened anew.
//     3  A generation's file is whole and synced before the next one exists.

internal import Bytes
package import Storage

package final class Translog: @unchecked Sendable {
    private let directory: any Directory
    private let monitor = Monitor()
    /// Runs syncs for those who wait without blocking a thread.
    private let io: ThreadPool?

    // Guarded by `monitor`.
    private var file: any WritableFile
    private var buffer = ByteWriter()
    private var currentGeneration: UInt64
    /// Position at which the current file begins.
    private var base = 0
    private var appended: Int
    /// End of the last operation: what there is to make durable. Markers need no sync.
    private var lastOperation: Int
    private var durable: Int
    private var syncing = false
    private var failure: StorageError?
    private var waiters: [(position: Int, continuation: CheckedContinuation<StorageError?, Never>)] = []
    private var scheduled = false
    private var firstGeneration: UInt64
    private var operations = 0
    private var bytesBefore = 0

    private static let bufferMax = 1 << 20

    /// Starts a new generation after `previous` (its number and valid length), which is synced already.
    package init(_ directory: any Directory, generation: UInt64, previousLength: Int, io: ThreadPool?) throws(StorageError) {
        self.directory = directory
        self.io = io
        currentGeneration = generation
        firstGeneration = generation
        file = try Self.make(directory, generation, previousLength)
        appended = TranslogFile.headerSize
        lastOperation = appended
        durable = appended
    }

    package static func fileName(_ generation: UInt64) -> String { String(generation) }

    // MARK: - Appending

    /// - Returns: the position to wait for.
    package func append(_ operation: LoggedOperation) throws(StorageError) -> Int {
        try monitor.locked { () throws(StorageError) in
            if let failure { throw failure }
            put(operation)
            lastOperation = appended
            operations += 1
            if buffer.count >= Self.bufferMax { try handOver() }
            return appended
        }
    }

    /// Blocks until everything up to `position` is durable.
    package func sync(upTo position: Int) throws(StorageError) {
        monitor.lock()
        defer { monitor.unlock() }
        while durable < position {
            if let failure { throw failure }
            if syncing { monitor.wait() } else { syncOnce() }
        }
    }

    /// Blocks until everything appended so far is durable.
    package func sync() throws(StorageError) { try sync(upTo: monitor.locked { lastOperation }) }

    /// Suspends until everything up to `position` is durable.
    package func whenDurable(_ position: Int) async throws(StorageError) {
        guard let io else { return try sync(upTo: position) }
        let failed: StorageError? = await withCheckedContinuation { continuation in
            let answer: StorageError?? = monitor.locked {
                if durable >= position { return .some(nil) }
                if let failure { return .some(failure) }
                waiters.append((position, continuation))
                if !scheduled {
                    scheduled = true
                    io.submit { [self] in serveWaiters() }
                }
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        if let failed { throw failed }
    }

    // MARK: - Generations

    package var generation: UInt64 { monitor.locked { currentGeneration } }

    /// Closes the current file, whole and synced, and begins the next.
    /// - Returns: the new generation: every operation appended before the call lies below it.
    package func roll() throws(StorageError) -> UInt64 {
        try monitor.locked { () throws(StorageError) in
            while syncing { monitor.wait() }
            if let failure { throw failure }
            do throws(StorageError) {
                try handOver()
                try file.sync()
                durable = appended
                let length = appended - base
                try file.close()
                file = try Self.make(directory, currentGeneration + 1, length)
                bytesBefore += length
                currentGeneration += 1
                base = appended
                appended += TranslogFile.headerSize
                lastOperation = max(lastOperation, base)
                durable = appended
            } catch {
                fail(error)
                throw error
            }
            resumeWaiters()
            monitor.wakeAll()
            return currentGeneration
        }
    }

    /// Removes generations below `generation`, which a commit has made superfluous.
    package func trim(below generation: UInt64, operationsLeft: Int) throws(StorageError) {
        for name in try directory.list() {
            if let number = UInt64(name), number < generation { try directory.remove(name) }
        }
        monitor.locked {
            firstGeneration = generation
            bytesBefore = 0
            operations = operationsLeft
        }
    }

    /// Operations and bytes not yet in a commit.
    package var size: (operations: Int, bytes: Int) { monitor.locked { (operations, bytesBefore + appended - base) } }

    package func countReplayed(_ operations: Int, bytes: Int, from generation: UInt64) {
        monitor.locked {
            self.operations += operations
            bytesBefore += bytes
            firstGeneration = generation
        }
    }

    package var failed: StorageError? { monitor.locked { failure } }

    /// Lets the file go. What was not synced is not acknowledged.
    package func close() {
        monitor.locked {
            while syncing { monitor.wait() }
            try? file.close()
            fail(StorageError(.io, path: directory.path, "the translog is closed"))
        }
    }

    // MARK: - Recovery

    /// What `recover` found: the log goes on with generation `next`.
    package struct Recovered: Sendable {
        package var next: UInt64
        package var previousLength: Int
        package var operations: Int
        package var bytes: Int
    }

    /// Replays generations `first` and later. A torn tail is left out; damage is an error that names file and offset.
    package static func recover(
        _ directory: any Directory, from first: UInt64, _ body: (LoggedOperation) throws(EngineError) -> Void
    ) throws(EngineError) -> Recovered {
        var generations = try storage { () throws(StorageError) in try directory.list().compactMap { UInt64($0) }.filter { $0 >= first }.sorted() }
        var files: [(MappedBytes, TranslogFile.Header)] = []
        for (i, generation) in generations.enumerated() {
            guard generation == first + UInt64(i) else { throw missing(directory, first + UInt64(i)) }
            let file = try storage { () throws(StorageError) in try directory.map(fileName(generation)) }
            do throws(StorageError) {
                files.append((file, try TranslogFile.header(file)))
            } catch {
                // Beginning a generation was interrupted: nothing was acknowledged in it.
                guard i == generations.count - 1, i > 0, file.count <= TranslogFile.headerSize, error.kind == .corrupt else { throw EngineError(error) }
                try storage { () throws(StorageError) in
                    try directory.remove(fileName(generation))
                    try directory.sync()
                }
                generations.removeLast()
                break
            }
        }
        guard !generations.isEmpty else { throw missing(directory, first) }
        var found = Recovered(next: generations[generations.count - 1] + 1, previousLength: 0, operations: 0, bytes: 0)
        for (i, (file, header)) in files.enumerated() {
            guard header.generation == generations[i] else {
                throw EngineError(StorageError(.corrupt, path: file.path, "holds generation \(header.generation)", at: 16))
            }
            let end = i + 1 < files.count ? files[i + 1].1.previousLength : nil
            let (valid, operations) = try TranslogFile.replay(file, generation: header.generation, end: end, body)
            found.operations += operations
            found.bytes += valid
            found.previousLength = valid
        }
        // What was replayed may be in the page cache only; the next generation's header will vouch for it.
        let last = fileName(found.next - 1)
        try storage { () throws(StorageError) in try directory.sync(last) }
        return found
    }

    // MARK: -

    private static func storage<R>(_ body: () throws(StorageError) -> R) throws(EngineError) -> R {
        do throws(StorageError) { return try body() } catch { throw EngineError(error) }
    }

    private static func missing(_ directory: any Directory, _ generation: UInt64) -> EngineError {
        EngineError(StorageError(.corrupt, path: directory.path + "/" + fileName(generation), "a translog generation is missing"))
    }

    private static func make(_ directory: any Directory, _ generation: UInt64, _ previousLength: Int) throws(StorageError) -> any WritableFile {
        let file = try directory.create(fileName(generation))
        try file.append(TranslogFile.encode(TranslogFile.Header(generation: generation, previousLength: previousLength)))
        try file.sync()
        try directory.sync()
        return file
    }

    private func put(_ operation: LoggedOperation) {
        let before = buffer.count
        TranslogFile.append(operation, to: &buffer, base: appended - base - before, generation: currentGeneration, synced: max(0, durable - base))
        appended += buffer.count - before
    }

    /// Gives the buffer to the file.
    private func handOver() throws(StorageError) {
        guard buffer.count > 0 else { return }
        do throws(StorageError) {
            try file.append(buffer.bytes)
            buffer.bytes.removeAll(keepingCapacity: true)
        } catch {
            fail(error)
            throw error
        }
    }

    /// One sync for everything appended; the lock is let go meanwhile. Errors are left in `failure`.
    private func syncOnce() {
        syncing = true
        let target = appended, file = file
        var error: StorageError?
        do throws(StorageError) {
            try handOver()
            monitor.unlock()
            defer { monitor.lock() }
            try file.sync()
        } catch let failed { error = failed }
        syncing = false
        if let error { fail(error) } else {
            durable = max(durable, target)
            put(.marker)
            try? handOver()
        }
        resumeWaiters()
        monitor.wakeAll()
    }

    private func serveWaiters() {
        monitor.locked {
            while !waiters.isEmpty {
                if syncing { monitor.wait() } else { syncOnce() }
            }
            scheduled = false
        }
    }

    private func resumeWaiters() {
        var left: [(position: Int, continuation: CheckedContinuation<StorageError?, Never>)] = []
        for waiter in waiters {
            if durable >= waiter.position { waiter.continuation.resume(returning: nil) }
            else if let failure { waiter.continuation.resume(returning: failure) }
            else { left.append(waiter) }
        }
        waiters = left
    }

    private func fail(_ error: StorageError) {
        if failure == nil { failure = error }
        resumeWaiters()
        monitor.wakeAll()
    }
}
