// Copies the write-ahead log into the database beside the writer, so that a commit does not wait for thousands of pages and their sync.
//
//     writer ─ commit ─ log has so many pages ─▶ checkpointer's thread: PASSIVE, twice (what came during the first is little)
//     writer ─ next pause between two batches ◀─ done: PASSIVE once more, for the rest; the log then begins anew
//
// A sync that fails is the end: pages that an earlier, partial checkpoint copied and counted as copied may be lost with it, and SQLite would not copy them again. They
// are still in the log. So nothing more is taken, the log stays as it is, also when connections close, and the next start reads all of it anew.
//
// A PASSIVE checkpoint takes no lock that writers or readers wait for (SQLite, "Write-Ahead Logging", section "Checkpointing"). A reader that stays in an
// old snapshot holds the log: it grows, and is tried again each time it has grown by a quarter more.

import CIsothermSQLite
import Dispatch
import GRDB
import GRDBSQLite
import Orders
import Synchronization

final class Checkpointer: Sendable {
    private struct State {
        var isRunning = false, isClosed = false
        /// The log's pages at which the next one begins.
        var due: Int32
        var pages: Int32 = 0
        var finishes = false
        var hasFailed = false
    }

    private let path: String, options: OrdersSQLiteOptions
    private let pagesMax: Int32
    private let queue = DispatchQueue(label: "isotherm.orders.checkpointer", qos: .utility)
    private let state: Mutex<State>

    init(path: String, options: OrdersSQLiteOptions) {
        (self.path, self.options) = (path, options)
        pagesMax = min(Int32(clamping: max(options.checkpointBytes / options.pageBytes, 1)), Int32.max / 8)
        state = Mutex(State(due: pagesMax))
    }

    /// After each commit.
    func logHas(pages: Int32) {
        let begins = state.withLock { state in
            state.pages = pages
            // The log began anew.
            if pages < pagesMax { state.due = pagesMax }
            guard !state.isRunning, !state.isClosed, !state.finishes, !state.hasFailed, pages >= state.due else { return false }
            state.isRunning = true
            state.due = Int32(clamping: Int(pages) + Int(pagesMax / 4) + 1)
            return true
        }
        if begins { queue.async { self.copy() } }
    }

    /// Whether the writer should copy what is left now: asked between two batches, true once.
    func takesRest() -> Bool {
        state.withLock { state in
            defer { state.finishes = false }
            return state.finishes && !state.hasFailed
        }
    }

    /// Whether the log grows faster than it is copied; then what is being copied was waited for. Who writes without pause asks between two transactions, and copies the rest.
    func waitsWhenBehind() -> Bool {
        guard state.withLock({ !$0.hasFailed && $0.pages >= 4 * pagesMax }) else { return false }
        queue.sync {}
        return true
    }

    /// Whether a sync failed, after which nothing more may be written.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }
    func syncFailed() { state.withLock { $0.hasFailed = true } }

    /// Copies what of the log is not copied yet and nobody needs.
    func copy(_ database: Database) {
        do { _ = try database.checkpoint(.passive) } catch {
            // Others leave everything as it was: it is tried again when the log has grown. A pool that is closed, or a reader, is one of them.
            let code = (error as? DatabaseError)?.extendedResultCode
            if code == .SQLITE_IOERR_FSYNC || code == .SQLITE_IOERR_DIR_FSYNC { syncFailed() }
        }
        if hasFailed, let handle = unsafe database.sqliteConnection { unsafe isotherm_sqlite_keep_log(UnsafeMutableRawPointer(handle)) }
    }

    /// Waits for what is being copied; none begins after.
    func close() {
        state.withLock { $0.isClosed = true }
        queue.sync {}
    }

    // MARK: -

    private func copy() {
        if let database = try? DatabaseQueue(path: path, configuration: OrdersSQLiteOptions.configuration(of: options, readonly: false)) {
            for _ in 0..<2 where !hasFailed { database.unsafeReentrantWrite { copy($0) } }
            try? database.close()
        }
        state.withLock { state in (state.isRunning, state.finishes) = (false, true) }
    }
}
