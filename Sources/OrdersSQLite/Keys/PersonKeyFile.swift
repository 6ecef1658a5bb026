// The keys of people in `<data>/keys/people.db`: a small SQLite file of its own, in no backup of hot, from which a key can really be removed.
//
//     people     person -> number of its key, or when it was destroyed
//     keys       number -> 32 bytes; zeroes once destroyed
//
// Numbers only rise, so a key is appended, never moved by a split of pages, and destroyed where it lies: SQLite writes a value of the same length in its place.
// The rollback journal holds pages as they were, keys among them. It is kept (PERSIST) instead of given back to the file system, and overwritten after a key was destroyed.
//
// Invariants
//     1  What `make` and `destroy` answered is on the disk (rollback journal, synchronous = EXTRA).
//     2  No byte of a destroyed key is in any file of the folder. What a file system or disk keeps beneath is out of reach.
//     3  A key that another process destroyed is not used from memory: every look begins with the file's change counter.

import Glibc
import GRDB
import Orders
import Secrets
import Synchronization

package final class PersonKeyFile: PersonKeys {
    package let path: String
    private let database: DatabaseQueue
    private let kept = Mutex(Kept())
    private static let format: Int64 = 1
    /// Of people; emptied when full.
    private static let keptMax = 50_000

    private struct Kept {
        var states: [PersonRef: PersonKeyState] = [:]
        /// SQLite's counter of what others committed.
        var others: Int64 = -1
    }

    /// Opens the file, or makes it where nothing says that there must be one.
    /// - Parameters:
    ///   - mark: what hot remembers of the keys that it was last used with.
    ///   - readonly: for commands beside a server.
    package init(folder: String, mark: KeysMark?, readonly: Bool = false) throws(StoreError) {
        path = folder + "/people.db"
        // Safe: the path lives through the call, which keeps no pointer.
        let there = unsafe access(path, F_OK) == 0
        if !there {
            if mark != nil {
                throw .unavailable("\(path) is missing, and personal data of orders that left hot is sealed with its keys: put the newest copy of \(folder) back; a backup of hot does not have it")
            }
            if readonly { throw .unavailable("\(path) is not there yet: start the server once, or run `isotherm tier run`") }
            try PersonKeyFile.make(path, folder)
        }
        do { database = try DatabaseQueue(path: path, configuration: PersonKeyFile.configuration(readonly: readonly)) } catch {
            throw .unavailable("cannot open \(path): \(error)")
        }
        if !readonly { try prepare(mayMake: mark == nil) }
        let found = try self.mark()
        if let mark, found.id != mark.id { throw .unavailable("\(path) is of another shop: put this one's back") }
        if let mark, found.changes < mark.changes {
            throw .unavailable("\(path) is an older copy (\(found.changes) changes; hot was used with \(mark.changes)): put the newest copy of \(folder) back")
        }
        if !readonly { try wipeJournal() }
    }

    package func close() { try? database.close() }

    package func make(for people: [PersonRef]) throws(StoreError) -> [PersonRef: PersonKeyState] {
        var found = try find(people)
        let missing = Set(people.filter { found[$0] == nil }).sorted()
        if missing.isEmpty { return found }
        let random = SecureRandom.bytes(missing.count * SealingKey.byteCount)
        let made = try transaction { connection throws(StoreError) in
            var number = try connection.first("SELECT coalesce(max(number), 0) FROM keys") { $0.int(0) } ?? 0
            for (at, person) in missing.enumerated() {
                // Another process may have been first.
                try connection.run("INSERT OR IGNORE INTO people(person_ref, number) VALUES (?, ?)", .id(person.value), .int(number + 1))
                if connection.changes == 0 { continue }
                number += 1
                try connection.run("INSERT INTO keys(number, key) VALUES (?, ?)", .int(number), .blob(Array(random[(at * 32)..<(at * 32 + 32)])))
                try connection.run("UPDATE meta SET changes = changes + 1")
            }
            return try PersonKeyFile.read(missing, connection)
        }
        found.merge(made) { a, _ in a }
        return found
    }

    package func find(_ people: [PersonRef]) throws(StoreError) -> [PersonRef: PersonKeyState] {
        try reading { connection throws(StoreError) in
            let others = try connection.first("PRAGMA data_version") { $0.int(0) } ?? 0
            var found: [PersonRef: PersonKeyState] = [:]
            let missing = kept.withLock { kept -> [PersonRef] in
                if kept.others != others { kept = Kept(others: others) }
                return people.filter { person in
                    guard let state = kept.states[person] else { return true }
                    found[person] = state
                    return false
                }
            }
            if missing.isEmpty { return found }
            let read = try PersonKeyFile.read(missing, connection)
            keep(read)
            return found.merging(read) { a, _ in a }
        }
    }

    package func destroy(_ people: [PersonRef], at instant: Instant) throws(StoreError) {
        _ = try transaction { connection throws(StoreError) in
            for person in Set(people).sorted() {
                try connection.run(
                    "UPDATE keys SET key = zeroblob(32) WHERE number = (SELECT number FROM people WHERE person_ref = ? AND number IS NOT NULL)", .id(person.value))
                try connection.run(
                    """
                    INSERT INTO people(person_ref, destroyed_at) VALUES (?1, ?2)
                    ON CONFLICT DO UPDATE SET number = NULL, destroyed_at = ?2 WHERE destroyed_at IS NULL
                    """, .id(person.value), .at(instant))
                if connection.changes > 0 { try connection.run("UPDATE meta SET changes = changes + 1") }
            }
            return Dictionary(people.map { ($0, .erased) }, uniquingKeysWith: { a, _ in a })
        }
        try wipeJournal()
    }

    package func mark() throws(StoreError) -> KeysMark {
        let mark = try reading { connection throws(StoreError) in
            try connection.first("SELECT id, changes FROM meta") { row throws(StoreError) in KeysMark(id: try row.id(0), changes: row.int(1)) }
        }
        guard let mark else { throw .damaged("\(path) has no head: put the newest copy back") }
        return mark
    }

    // MARK: - The file

    /// Empty, for its owner alone; its name and its folder's durable.
    private static func make(_ path: String, _ folder: String) throws(StoreError) {
        // Safe: in both calls the path lives through the call, which keeps no pointer.
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .unavailable("cannot make the folder \(folder) (errno \(errno))") }
        let file = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
        guard file >= 0 else { throw .unavailable("cannot write \(path) (errno \(errno))") }
        _ = Glibc.close(file)
        let parent = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "."
        for name in [folder, parent.isEmpty ? "/" : parent] {
            let handle = unsafe open(name, O_RDONLY)
            guard handle >= 0 else { throw .unavailable("cannot open \(name) (errno \(errno))") }
            defer { _ = Glibc.close(handle) }
            guard fsync(handle) == 0 else { throw .unavailable("cannot sync \(name) (errno \(errno))") }
        }
    }

    private static func configuration(readonly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readonly
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(10)
        configuration.label = "isotherm.keys"
        configuration.prepareDatabase { database in
            if readonly { return }
            _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = PERSIST")
            // Order matters: SQLite 3's EXTRA is FULL and, where the journal is removed, its folder's sync.
            try database.execute(sql: "PRAGMA synchronous = EXTRA")
            _ = try Int.fetchOne(database, sql: "PRAGMA secure_delete = ON")
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return configuration
    }

    private func prepare(mayMake: Bool) throws(StoreError) {
        try unguarded { database in
            guard try String.fetchOne(database, sql: "PRAGMA journal_mode") == "persist", try Int.fetchOne(database, sql: "PRAGMA synchronous") == 3,
                try Int.fetchOne(database, sql: "PRAGMA secure_delete") == 1
            else { throw StoreError.unavailable("\(path) cannot be written so that keys can be destroyed") }
            try database.execute(sql: "BEGIN IMMEDIATE")
            do {
                let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") ?? 0
                if tables == 0 {
                    // A process that stopped while it made the file leaves it empty; then hot has no mark either.
                    guard mayMake else { throw StoreError.damaged("\(path) is empty: put the newest copy back") }
                    try database.execute(sql: PersonKeyFile.schema)
                    try Connection(database).run("INSERT INTO meta(one, format, id, changes) VALUES (1, ?, ?, 0)", .int(PersonKeyFile.format), .id(.random()))
                }
                guard try Int64.fetchOne(database, sql: "SELECT format FROM meta") == PersonKeyFile.format else {
                    throw StoreError.unavailable("\(path) was written by a newer version: use that one")
                }
                try database.execute(sql: "COMMIT")
            } catch {
                if database.isInsideTransaction { try? database.execute(sql: "ROLLBACK") }
                throw error
            }
        }
    }

    private static let schema = """
        CREATE TABLE meta(
            one INTEGER PRIMARY KEY CHECK (one = 1),
            format INTEGER NOT NULL,
            id BLOB NOT NULL CHECK (length(id) = 16),
            changes INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE people(
            person_ref BLOB NOT NULL PRIMARY KEY CHECK (length(person_ref) = 16),
            number INTEGER,
            destroyed_at INTEGER,
            CHECK ((number IS NULL) = (destroyed_at IS NOT NULL))
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE keys(number INTEGER PRIMARY KEY, key BLOB NOT NULL CHECK (length(key) = 32)) STRICT;
        """

    /// Overwrites what the journal still holds of pages as they were.
    private func wipeJournal() throws(StoreError) {
        try unguarded { database in
            // While the lock is held and nothing was written nobody uses the journal.
            try database.execute(sql: "BEGIN EXCLUSIVE")
            defer { try? database.execute(sql: "ROLLBACK") }
            // Safe: path and array live through the calls, which keep no pointer and are told the array's length.
            let file = unsafe open(path + "-journal", O_RDWR)
            guard file >= 0 else {
                if errno == ENOENT { return }
                throw StoreError.unavailable("cannot overwrite \(path)-journal (errno \(errno))")
            }
            defer { _ = Glibc.close(file) }
            let end = lseek(file, 0, SEEK_END), zeroes = [UInt8](repeating: 0, count: 65_536)
            var at = 0
            while at < end {
                let count = min(zeroes.count, end - at)
                guard unsafe pwrite(file, zeroes, count, at) == count else { throw StoreError.unavailable("cannot overwrite \(path)-journal (errno \(errno))") }
                at += count
            }
            guard fsync(file) == 0 else { throw StoreError.unavailable("cannot sync \(path)-journal (errno \(errno))") }
        }
    }

    // MARK: - Looking

    private static func read(_ people: [PersonRef], _ connection: Connection) throws(StoreError) -> [PersonRef: PersonKeyState] {
        var found: [PersonRef: PersonKeyState] = [:]
        for person in people {
            found[person] = try connection.first(
                "SELECT p.number, k.key FROM people p LEFT JOIN keys k USING (number) WHERE p.person_ref = ?", .id(person.value)
            ) { row throws(StoreError) in
                if row.isNull(0) { return .erased }
                let bytes = row.blob(1)
                guard let key = SealingKey(bytes), bytes.contains(where: { $0 != 0 }) else { throw .damaged("the key of person \(person) cannot be read: put the newest copy of the keys back") }
                return .key(key)
            }
        }
        return found
    }

    private func keep(_ states: [PersonRef: PersonKeyState]) {
        kept.withLock { kept in
            if kept.states.count + states.count > PersonKeyFile.keptMax { kept.states.removeAll() }
            if states.count <= PersonKeyFile.keptMax { kept.states.merge(states) { _, new in new } }
        }
    }

    private func reading<T>(_ body: (Connection) throws(StoreError) -> T) throws(StoreError) -> T { try unguarded { try body(Connection($0)) } }

    /// - Parameter body: gives what is so after it.
    private func transaction(_ body: (Connection) throws(StoreError) -> [PersonRef: PersonKeyState]) throws(StoreError) -> [PersonRef: PersonKeyState] {
        try unguarded { database in
            try database.execute(sql: "BEGIN IMMEDIATE")
            do {
                let made = try body(Connection(database))
                try database.execute(sql: "COMMIT")
                // In the connection's turn: whoever looks next asks first what others did since.
                keep(made)
                return made
            } catch {
                if database.isInsideTransaction { try? database.execute(sql: "ROLLBACK") }
                throw error
            }
        }
    }

    private func unguarded<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
        do { return try database.unsafeReentrantWrite { try body($0) } } catch let error as StoreError { throw error } catch {
            throw .unavailable("\(path): \(error)")
        }
    }
}
