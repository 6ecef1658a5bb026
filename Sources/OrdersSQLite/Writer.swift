// The one writer: takes what waits, runs each command in a savepoint of one transaction, commits once, then answers all of them.
//
//     callers -> queue (bounded) -> BEGIN IMMEDIATE
//                                   SAVEPOINT, command, RELEASE      or, refused: ROLLBACK TO, RELEASE
//                                   ...
//                                   COMMIT: one sync -> every answer
//
// Invariants
//     1  Nobody is answered before the COMMIT, also those who are refused: what a refusal saw must have been committed.
//     2  After an error SQLite says whether it rolled the whole transaction back. Then nothing of it holds, and its commands run again once, one by one.
//     3  A COMMIT that failed is unknown until the database was opened again: the batch's last audit row is there with its hash, or nothing of the batch is.
//     4  After a sync that failed nothing is answered as done any more, until a new start has read the log from the disk.
//     5  While the database cannot be opened every command is refused, and each batch tries again.

import CIsothermSQLite
import Dispatch
import Glibc
import GRDB
import Orders
import Synchronization

final class Writer: Sendable {
    private struct Job {
        let command: StoreCommand
        let answer: CheckedContinuation<Result<StoreOutcome, StoreError>, Never>
    }
    private struct Waiting {
        var jobs: [Job] = []
        var isRunning = false, isClosed = false
    }

    private let waiting = Mutex(Waiting())
    private let queue = DispatchQueue(label: "isotherm.orders.writer", qos: .userInitiated)
    private let core: WriterCore
    private let options: OrdersSQLiteOptions
    private let checkpointer: Checkpointer

    init(path: String, options: OrdersSQLiteOptions, keys: StoreKeys) throws(StoreError) {
        self.options = options
        checkpointer = Checkpointer(path: path, options: options)
        core = WriterCore(path: path, options: options, keys: keys, checkpointer: checkpointer)
        try core.open()
    }

    func perform(_ command: StoreCommand) async -> Result<StoreOutcome, StoreError> {
        await withCheckedContinuation { continuation in
            let job = Job(command: command, answer: continuation)
            let (refusal, starts) = waiting.withLock { waiting -> (StoreError?, Bool) in
                if waiting.isClosed { return (.unavailable("it is closed"), false) }
                if waiting.jobs.count >= options.waitingMax { return (.busy, false) }
                waiting.jobs.append(job)
                defer { waiting.isRunning = true }
                return (nil, !waiting.isRunning)
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
            if starts { queue.async { self.drain() } }
        }
    }

    /// What was done so far: for metrics and the bench.
    var counts: (commits: Int64, commands: Int64) { core.counts.withLock { $0 } }

    /// Runs something on the writer's own connection, between two batches.
    func maintain<T: Sendable>(_ body: @Sendable (Connection) throws(StoreError) -> T) throws(StoreError) -> T {
        let result: Result<T, StoreError> = queue.sync {
            do throws(StoreError) { return .success(try core.maintain(body)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Runs many changes as one transaction of their own, between two batches: for imports.
    func transact<T: Sendable>(_ body: @Sendable (CommandRunner) throws(StoreError) -> T) throws(StoreError) -> T {
        let result: Result<T, StoreError> = queue.sync {
            // Without it no checkpoint would follow the first, and the log of a long import grow without end.
            defer { if checkpointer.takesRest() || checkpointer.waitsWhenBehind() { core.checkpoint() } }
            do throws(StoreError) { return .success(try core.transact(body)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    func close() {
        waiting.withLock { $0.isClosed = true }
        checkpointer.close()
        queue.sync { core.close() }
    }

    // MARK: -

    private func drain() {
        while let jobs = take() {
            let begun = DispatchTime.now().uptimeNanoseconds
            let results = core.run(jobs.map(\.command))
            let took = DispatchTime.now().uptimeNanoseconds - begun
            for (job, result) in zip(jobs, results) { job.answer.resume(returning: result) }
            if checkpointer.takesRest() { core.checkpoint() }
            linger(for: jobs.count + waiting.withLock { $0.jobs.count }, afterNanoseconds: took)
        }
    }

    /// Those just answered mostly come again at once, each with its next request: a short wait puts them into one commit with those who wait already,
    /// instead of into every second one. It ends as soon as all are there, and is a share of what a commit takes.
    private func linger(for expected: Int, afterNanoseconds took: UInt64) {
        guard expected > 1 else { return }
        let step = useconds_t(clamping: Int(Double(took) * options.lingerShare / 8_000))
        guard step > 0 else { return }
        for _ in 0..<8 {
            if waiting.withLock({ $0.jobs.count }) >= min(expected, options.batchMax) { return }
            usleep(min(step, 500))
        }
    }

    private func take() -> [Job]? {
        waiting.withLock { waiting in
            if waiting.jobs.isEmpty {
                waiting.isRunning = false
                return nil
            }
            let count = min(waiting.jobs.count, options.batchMax)
            let jobs = Array(waiting.jobs.prefix(count))
            waiting.jobs.removeFirst(count)
            return jobs
        }
    }
}

/// What lives on the writer's queue. Safe: every method but `init` and `counts` is called on that serial queue alone, or before it is used.
final class WriterCore: @unchecked Sendable {
    let counts = Mutex<(commits: Int64, commands: Int64)>((0, 0))
    private let path: String, options: OrdersSQLiteOptions, keys: StoreKeys
    private let checkpointer: Checkpointer
    private var database: DatabaseQueue?
    private var runner: CommandRunner?

    init(path: String, options: OrdersSQLiteOptions, keys: StoreKeys, checkpointer: Checkpointer) {
        (self.path, self.options, self.keys, self.checkpointer) = (path, options, keys, checkpointer)
    }

    func open() throws(StoreError) {
        do {
            let database = try DatabaseQueue(path: LogFile.writerPath(path), configuration: OrdersSQLiteOptions.configuration(of: options, readonly: false))
            let migrator = Schema.migrator()
            if try database.read(migrator.hasBeenSuperseded) {
                throw StoreError.unavailable("\(path) was written by a newer version: use that one")
            }
            try migrator.migrate(database)
            try database.writeWithoutTransaction { db in
                // Order matters: GRDB sets NORMAL when it turns the log on, after the configuration's own words; without FULL a COMMIT is not on the disk.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2, try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal" else {
                    throw StoreError.unavailable("\(path) cannot be written with synchronous = FULL")
                }
            }
            runner = try database.writeWithoutTransaction { db in
                let connection = try Connection(db, keepsStatements: true)
                connection.reportLog(to: checkpointer)
                return try CommandRunner(connection, keys: keys, options: options)
            }
            self.database = database
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unavailable("cannot open \(path): \(error)")
        }
    }

    func close() {
        if checkpointer.hasFailed { keepLog() }
        if let connection = runner?.connection { database?.unsafeReentrantWrite { _ in connection.forgetStatements() } }
        runner = nil
        try? database?.close()
        database = nil
    }

    /// The rest of the log, when the checkpointer has copied the most of it.
    func checkpoint() {
        guard let database else { return }
        database.unsafeReentrantWrite { checkpointer.copy($0) }
    }

    func maintain<T>(_ body: (Connection) throws(StoreError) -> T) throws(StoreError) -> T {
        if database == nil { try open() }
        guard let database, let runner else { throw .unavailable("it is closed") }
        do { return try database.unsafeReentrantWrite { _ in try body(runner.connection) } } catch let error as StoreError { throw error } catch {
            throw .unavailable("\(error)")
        }
    }

    /// An error, also of the COMMIT, leaves nothing behind that is known: whoever imports does so again, which adds nothing twice.
    func transact<T>(_ body: (CommandRunner) throws(StoreError) -> T) throws(StoreError) -> T {
        if checkpointer.hasFailed { throw Self.failed }
        if database == nil { try open() }
        guard let database, let runner else { throw .unavailable("it is closed") }
        do {
            return try database.unsafeReentrantWrite { _ in
                try runner.connection.run("BEGIN IMMEDIATE")
                let made = try body(runner)
                try runner.connection.run("COMMIT")
                return made
            }
        } catch {
            if runner.connection.syncFailed { checkpointer.syncFailed() }
            // Opened again: what is kept in memory of the database's state is read anew.
            close()
            throw error as? StoreError ?? .unavailable("\(error)")
        }
    }

    func run(_ commands: [StoreCommand]) -> [Result<StoreOutcome, StoreError>] {
        switch attempt(commands) {
        case .answered(let results): return results
        case .rolledBack:
            return commands.map { command in
                switch attempt([command]) {
                case .answered(let results): results[0]
                case .rolledBack(let error): .failure(error)
                }
            }
        }
    }

    // MARK: -

    private static let failed = StoreError.unavailable("the disk failed to make the database durable; nothing that was answered is lost: restart the server once the disk is well")

    /// SQLite copies the log when the last connection closes: not any more.
    private func keepLog() {
        _ = database?.unsafeReentrantWrite { database in
            // Safe: the handle is the connection's own, in its turn.
            if let handle = unsafe database.sqliteConnection { unsafe isotherm_sqlite_keep_log(UnsafeMutableRawPointer(handle)) }
        }
    }

    private enum Attempt {
        case answered([Result<StoreOutcome, StoreError>])
        /// Nothing of it happened.
        case rolledBack(StoreError)
    }

    private func attempt(_ commands: [StoreCommand]) -> Attempt {
        if checkpointer.hasFailed {
            keepLog()
            return .answered(commands.map { _ in .failure(Self.failed) })
        }
        do throws(StoreError) {
            if database == nil { try open() }
        } catch {
            return .answered(commands.map { _ in .failure(error) })
        }
        guard let database, let runner else { return .answered(commands.map { _ in .failure(.unavailable("it is closed")) }) }
        // The closure does not throw: whatever happens is in its result.
        switch database.unsafeReentrantWrite({ _ in transaction(commands, runner) }) {
        case .answered(let results): return .answered(results)
        case .rolledBack(let error): return .rolledBack(error)
        case .unknown(let results, let error, let unchanged): return .answered(settle(results, after: runner.heads, unchanged: unchanged, error))
        }
    }

    private enum Transaction {
        case answered([Result<StoreOutcome, StoreError>])
        case rolledBack(StoreError)
        case unknown([Result<StoreOutcome, StoreError>], StoreError, unchanged: Bool)
    }

    private func transaction(_ commands: [StoreCommand], _ runner: CommandRunner) -> Transaction {
        let connection = runner.connection
        var results: [Result<StoreOutcome, StoreError>] = []
        results.reserveCapacity(commands.count)
        let before = runner.heads
        do throws(StoreError) {
            try connection.run("BEGIN IMMEDIATE")
        } catch {
            return .answered(commands.map { _ in .failure(error) })
        }
        for command in commands {
            results.append(runner.perform(command))
            if connection.isAutocommit {
                runner.heads = before
                runner.forgetReads()
                return .rolledBack(.unavailable("the database rolled the transaction back"))
            }
        }
        do throws(StoreError) {
            let fault = options.commitFault?()
            if fault == .before { throw .unavailable("a fault before COMMIT, for a test") }
            try connection.run("COMMIT")
            if fault == .after { throw .unavailable("a fault after COMMIT, for a test") }
        } catch {
            if connection.syncFailed { checkpointer.syncFailed() }
            return .unknown(results, error, unchanged: runner.heads == before)
        }
        counts.withLock { counts in
            if runner.heads != before { counts.commits += 1 }
            counts.commands += Int64(commands.count)
        }
        return .answered(results)
    }

    /// After a COMMIT of which nobody knows: opens the database again and looks.
    private func settle(_ results: [Result<StoreOutcome, StoreError>], after heads: Heads, unchanged: Bool, _ error: StoreError) -> [Result<StoreOutcome, StoreError>] {
        close()
        // What can be read now may not be on the disk: nobody is told that something was done.
        if checkpointer.hasFailed { return results.map { result in result.flatMap { _ in .failure(Self.failed) } } }
        do throws(StoreError) {
            try open()
            let isThere = try maintain { connection throws(StoreError) in
                try connection.first("SELECT 1 FROM audit_log WHERE seq = ? AND hash = ?", .int(heads.auditSequence), .blob(heads.auditHash)) { _ in true }
            }
            if isThere == true || unchanged { return results }
        } catch {
            // Still closed: nobody is told that something was done.
            close()
        }
        return results.map { result in result.flatMap { _ in .failure(error) } }
    }
}
