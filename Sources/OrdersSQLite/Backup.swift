// Backup while orders come in, and restore: one file, whole, checked.
//
// The backup is taken by SQLite's own means, page by page, of one moment. It is written beside its target and renamed when it is complete and synced. Its
// name carries the head of the audit chain, so that a later chain can be told to go on from it. The keys are not in it: they lie in another folder.
//
//     isotherm-<seq of the last audit row>-<first 16 digits of its hash>.db

import Glibc
import GRDB
import Orders
import Secrets

package enum OrderBackup {
    /// Writes a backup into a folder that exists; gives its path.
    package static func write(of store: SQLiteOrderStore, to folder: String) async throws(StoreError) -> String {
        let temporary = "\(folder)/.isotherm-\(Bytes16.random()).new"
        defer { for suffix in ["", "-wal", "-shm", "-journal"] { _ = unlink(temporary + suffix) } }
        do {
            let source = try DatabaseQueue(path: store.path, configuration: OrdersSQLiteOptions.configuration(of: OrdersSQLiteOptions(), readonly: true))
            let target = try DatabaseQueue(path: temporary)
            try source.backup(to: target)
            // A single file: nothing of it may lie in a log beside it.
            try await target.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            let head = try await target.read { try check($0) }
            try target.close()
            try source.close()
            let path = "\(folder)/isotherm-\(head.seq)-\(Hexadecimal.text(head.hash.prefix(8))).db"
            try sync(temporary)
            guard rename(temporary, path) == 0 else { throw StoreError.unavailable("cannot write \(path) (errno \(errno))") }
            try sync(folder)
            return path
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unavailable("the backup failed: \(error)")
        }
    }

    /// Puts a backup where a store was, or none was yet. The store must be closed; what was there is kept beside it as `<path>.before`.
    package static func restore(_ backup: String, to path: String) async throws(StoreError) {
        let temporary = "\(path).restoring"
        defer { for suffix in ["", "-wal", "-shm", "-journal"] { _ = unlink(temporary + suffix) } }
        do {
            guard access(backup, R_OK) == 0 else { throw StoreError.invalid("\(backup) cannot be read") }
            var configuration = Configuration()
            configuration.readonly = true
            let source = try DatabaseQueue(path: backup, configuration: configuration), target = try DatabaseQueue(path: temporary)
            try source.backup(to: target)
            _ = try await target.read { try check($0) }
            try target.close()
            try source.close()
            try sync(temporary)
            // Order matters: a log of the old database must not be taken for one of the new.
            for suffix in ["", "-wal", "-shm"] {
                if access(path + suffix, F_OK) == 0, rename(path + suffix, "\(path).before\(suffix)") != 0 {
                    throw StoreError.unavailable("cannot move \(path)\(suffix) aside (errno \(errno))")
                }
            }
            guard rename(temporary, path) == 0 else { throw StoreError.unavailable("cannot write \(path) (errno \(errno))") }
            try sync(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unavailable("the restore failed: \(error)")
        }
    }

    // MARK: -

    /// SQLite's own check, foreign keys, and where the audit chain ends.
    private static func check(_ database: Database) throws -> (seq: Int64, hash: [UInt8]) {
        let words = try String.fetchAll(database, sql: "PRAGMA integrity_check(10)")
        guard words == ["ok"] else { throw StoreError.damaged("SQLite finds: \(words.joined(separator: "; "))") }
        guard try GRDB.Row.fetchOne(database, sql: "PRAGMA foreign_key_check") == nil else { throw StoreError.damaged("a row refers to one that is not there") }
        guard let row = try GRDB.Row.fetchOne(database, sql: "SELECT seq, hex(hash) AS hash FROM audit_log ORDER BY seq DESC LIMIT 1") else { return (0, []) }
        return (row["seq"], Hexadecimal.bytes(row["hash"] as String) ?? [])
    }

    private static func sync(_ path: String) throws(StoreError) {
        let handle = unsafe open(path.isEmpty ? "." : path, O_RDONLY)
        guard handle >= 0 else { throw .unavailable("cannot open \(path) (errno \(errno))") }
        defer { _ = close(handle) }
        guard fsync(handle) == 0 else { throw .unavailable("cannot sync \(path) (errno \(errno))") }
    }
}
