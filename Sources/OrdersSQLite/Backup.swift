// Backup while orders come in, and restore: one file of one moment, looked through by SQLite's own checks. Its pages bear no checksums: a flipped bit in a value that no
// index holds is seen by nobody but `isotherm audit verify`, where it lies in the audit log.
//
// The backup is taken by SQLite's own means, page by page, of one moment. It is written beside its target and renamed when it is complete and synced. Its
// name carries the head of the audit chain, so that a later chain can be told to go on from it. The keys are not in it: they lie in another folder.
//
//     isotherm-<seq of the last audit row>-<first 16 digits of its hash>.db
//
// A store that was restored knows less than warm and cold: orders that had moved would be missing, and late events count twice. So a restore leaves a mark in the
// store's folder, `to-reconcile`, before the store is put in place; nobody serves or moves until `isotherm tier reconcile` took it away.

import Glibc
import GRDB
import Orders
import Secrets

package enum OrderBackup {
    /// What a restore does once the backup was copied and checked, in this order. After a stop before any, the store that was there is whole under one of its names.
    package enum Step: CaseIterable, Sendable { case mark, keepLogs, keepStore, clearLogs, place }

    private static let mark = "to-reconcile"
    /// What SQLite keeps beside a database, and finds by the database's name.
    private static let logs = ["-wal", "-shm", "-journal"]

    /// Writes a backup into a folder that exists; gives its path.
    package static func write(of store: SQLiteOrderStore, to folder: String) async throws(StoreError) -> String {
        guard kind(folder) == S_IFDIR else { throw .invalid("\(folder) is no folder: a backup goes into one that is there") }
        // Safe: the path lives through the call, which keeps no pointer; so in every call below.
        guard unsafe access(folder, W_OK | X_OK) == 0 else { throw .unavailable("\(folder) cannot be written to: \(reason())") }
        let temporary = "\(folder)/.isotherm-\(Bytes16.random()).new", hot = store.path
        defer { remove(temporary) }
        do {
            let source = try DatabaseQueue(path: hot, configuration: OrdersSQLiteOptions.configuration(of: OrdersSQLiteOptions(), readonly: true))
            let target = try DatabaseQueue(path: temporary)
            try source.backup(to: target)
            // A single file: nothing of it may lie in a log beside it.
            try await target.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            let head = try await target.read { try check($0, of: hot) }
            try target.close()
            try source.close()
            let path = "\(folder)/isotherm-\(head.seq)-\(Hexadecimal.text(head.hash.prefix(8))).db"
            try sync(temporary)
            try move(temporary, to: path)
            try sync(folder)
            return path
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unavailable("the backup failed: \(error)")
        }
    }

    /// Puts a backup where a store was, or none was yet. The store must be closed. From then on its folder is to be reconciled.
    /// - Parameter before: is told each step before it is done; tests stop there.
    /// - Returns: where the store that was there is kept, its log beside it; each restore has a name of its own.
    @discardableResult
    package static func restore(
        _ backup: String, to path: String, before: @Sendable (Step) throws(StoreError) -> Void = { _ throws(StoreError) in }
    ) async throws(StoreError) -> String? {
        let temporary = "\(path).restoring"
        // One that was stopped leaves its own.
        remove(temporary)
        defer { remove(temporary) }
        try await copy(backup, to: temporary)
        return try put(temporary, at: path, before)
    }

    /// Whether a store was restored into the folder and not reconciled since: other tiers may know more than it does.
    package static func isToBeReconciled(_ folder: String) throws(StoreError) -> Bool {
        if unsafe access("\(folder)/\(mark)", F_OK) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw .unavailable("cannot look for \(folder)/\(mark): \(reason())") }
        return false
    }

    /// What is said where a store that is to be reconciled is asked for.
    package static func reconcileFirst(_ data: String) -> String {
        "the shop was restored from a backup, and other tiers may know more: run `isotherm tier reconcile --data \(data)` first"
    }

    /// Takes the mark away, durably. The data folder must be locked still, or the mark of another restore could be meant.
    package static func reconciled(_ folder: String) throws(StoreError) {
        guard unsafe unlink("\(folder)/\(mark)") == 0 || errno == ENOENT else { throw .unavailable("cannot remove \(folder)/\(mark): \(reason())") }
        try sync(folder)
    }

    // MARK: -

    /// A whole copy of a backup, checked and synced.
    private static func copy(_ backup: String, to temporary: String) async throws(StoreError) {
        guard let form = kind(backup) else { throw .invalid("\(backup) cannot be read: \(reason())") }
        guard form == S_IFREG else { throw .invalid("\(backup) is no backup of isotherm: give one of the files that `isotherm backup` wrote") }
        guard unsafe access(backup, R_OK) == 0 else { throw .invalid("\(backup) cannot be read: \(reason())") }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let source = try DatabaseQueue(path: backup, configuration: configuration)
            guard try await source.read({ database in try database.tableExists("order_directory") && database.tableExists("audit_log") }) else {
                throw StoreError.invalid("\(backup) is no backup of isotherm: it is a database without a shop's tables")
            }
            let target = try DatabaseQueue(path: temporary)
            try source.backup(to: target)
            _ = try await target.read { try check($0, of: backup) }
            try target.close()
            try source.close()
        } catch {
            let code = (error as? DatabaseError)?.resultCode
            if code == .SQLITE_NOTADB { throw .invalid("\(backup) is no backup of isotherm: it is no SQLite database") }
            if code == .SQLITE_CORRUPT { throw .damaged("\(backup): SQLite cannot read it (\(error)); restore another backup") }
            throw error as? StoreError ?? .unavailable("the restore failed: \(error)")
        }
        try sync(temporary)
    }

    /// Order matters, and every step is durable before the next: the mark, so that nobody serves what is put in place; second names for the logs, so that the store has
    /// them at the moment it gets its new name; no log under the old name when another database comes there, which would take it for its own.
    private static func put(_ temporary: String, at path: String, _ before: (Step) throws(StoreError) -> Void) throws(StoreError) -> String? {
        let home = folder(of: path), kept = unusedName(path), found = logs.filter { isThere(path + $0) }, hasStore = isThere(path)
        try before(.mark)
        try setMark(home)
        try before(.keepLogs)
        for log in found {
            guard unsafe link(path + log, kept + log) == 0 else { throw .unavailable("cannot keep \(path)\(log) as \(kept)\(log): \(reason())") }
        }
        try sync(home)
        try before(.keepStore)
        if hasStore { try move(path, to: kept) }
        try sync(home)
        try before(.clearLogs)
        for log in found {
            guard unsafe unlink(path + log) == 0 else { throw .unavailable("cannot remove \(path)\(log): \(reason())") }
        }
        try sync(home)
        try before(.place)
        try move(temporary, to: path)
        try sync(home)
        return hasStore ? kept : nil
    }

    /// By the moment; nothing has the name, nor a log of that name, which SQLite would take for the store's.
    private static func unusedName(_ path: String) -> String {
        let digits: String = String(Instant.now().description.prefix(19)).filter { $0 != "-" && $0 != ":" }
        let moment = "\(path).before-\(digits)Z"
        var name = moment, count = 1
        while ([""] + logs).contains(where: { isThere(name + $0) }) {
            count += 1
            name = "\(moment)-\(count)"
        }
        return name
    }

    private static func setMark(_ folder: String) throws(StoreError) {
        let path = "\(folder)/\(mark)", file = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .unavailable("cannot write \(path): \(reason())") }
        _ = close(file)
        try sync(path)
        try sync(folder)
    }

    /// SQLite's own check, foreign keys, and where the audit chain ends.
    private static func check(_ database: Database, of name: String) throws -> (seq: Int64, hash: [UInt8]) {
        let words = try String.fetchAll(database, sql: "PRAGMA integrity_check(10)")
        guard words == ["ok"] else { throw StoreError.damaged("\(name): SQLite finds: \(words.joined(separator: "; "))") }
        guard try GRDB.Row.fetchOne(database, sql: "PRAGMA foreign_key_check") == nil else { throw StoreError.damaged("\(name): a row refers to one that is not there") }
        guard let row = try GRDB.Row.fetchOne(database, sql: "SELECT seq, hex(hash) AS hash FROM audit_log ORDER BY seq DESC LIMIT 1") else { return (0, []) }
        return (row["seq"], Hexadecimal.bytes(row["hash"] as String) ?? [])
    }

    /// Nil where nothing can be seen; `errno` says why.
    private static func kind(_ path: String) -> mode_t? {
        var info = stat()
        // Safe: the call fills the struct it is lent.
        return unsafe stat(path, &info) == 0 ? info.st_mode & S_IFMT : nil
    }

    private static func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
    private static func remove(_ temporary: String) { for suffix in [""] + logs { _ = unsafe unlink(temporary + suffix) } }

    private static func move(_ from: String, to path: String) throws(StoreError) {
        guard unsafe rename(from, path) == 0 else { throw .unavailable("cannot rename \(from) to \(path): \(reason())") }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func sync(_ path: String) throws(StoreError) {
        let handle = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { throw .unavailable("cannot open \(path): \(reason())") }
        defer { _ = close(handle) }
        guard fsync(handle) == 0 else { throw .unavailable("cannot sync \(path): \(reason())") }
    }

    /// The last system error in words.
    private static func reason() -> String {
        // Safe: strerror gives a C string that lives on; it is copied at once.
        unsafe String(cString: strerror(errno))
    }
}
