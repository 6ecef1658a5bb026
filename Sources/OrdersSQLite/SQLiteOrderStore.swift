// The order store over one SQLite file: a writer that groups commands into transactions, and a pool of readers that see the newest commit.
//
// The file is in WAL mode with synchronous = FULL: a command that was answered is on the disk.

import CIsothermSQLite
import GRDB
import Orders
import Secrets
import Synchronization

package final class SQLiteOrderStore: OrderStore {
    package let path: String
    let writer: Writer
    let keys: StoreKeys
    private let readers: DatabasePool
    /// Once for the process. Measured: a twentieth of the writer's time.
    private static let isConfigured = isotherm_sqlite_without_statistics() == 0

    /// Opens the file, or makes it, and brings its schema up to this version.
    package init(path: String, keys: KeyRing, options: OrdersSQLiteOptions = OrdersSQLiteOptions()) throws(StoreError) {
        _ = SQLiteOrderStore.isConfigured
        self.path = path
        self.keys = StoreKeys(keys)
        writer = try Writer(path: path, options: options, keys: self.keys)
        do { readers = try DatabasePool(path: path, configuration: OrdersSQLiteOptions.configuration(of: options, readonly: true)) } catch {
            throw .unavailable("cannot open \(path) for reading: \(error)")
        }
    }

    package func perform(_ command: StoreCommand) async throws(StoreError) -> StoreOutcome { try await writer.perform(command).get() }

    /// Commits (each one sync) and commands so far.
    package var counts: (commits: Int64, commands: Int64) { writer.counts }

    /// Waits for what is being written, and lets go of the file.
    package func close() {
        writer.close()
        try? readers.close()
    }

    /// One snapshot for everything the closure reads.
    package func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws(StoreError) -> T) async throws(StoreError) -> T {
        do {
            return try await readers.read { database in try body(Connection(database, keepsStatements: true)) }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// The keys of the people in this store, in a data folder's `keys`.
    package func personKeys(folder: String, readonly: Bool = false) throws(StoreError) -> PersonKeyFile {
        let mark = try writer.maintain { connection throws(StoreError) in try readKeysMark(connection) }
        return try PersonKeyFile(folder: folder, mark: mark, readonly: readonly)
    }

    // MARK: Identity

    package func personRef(_ key: PersonKey) async throws(StoreError) -> PersonRef? {
        switch key {
        case .id(let ref):
            try await read { connection throws(StoreError) in
                try connection.first("SELECT person_ref FROM people WHERE person_ref = ?", .id(ref.value)) { row throws(StoreError) in try row.id(0) }
            }
        case .source(let key): try await sourceID("person", key).map { PersonRef($0) }
        }
    }

    package func orderID(_ key: OrderKey) async throws(StoreError) -> OrderID? {
        switch key {
        case .id(let id):
            try await read { connection throws(StoreError) in
                try connection.first("SELECT order_id FROM order_directory WHERE order_id = ?", .id(id.value)) { row throws(StoreError) in try row.id(0) }
            }
        case .source(let key): try await sourceID("order", key).map { OrderID($0) }
        }
    }

    package func orderID(reference: String) async throws(StoreError) -> OrderID? {
        try await read { connection throws(StoreError) in
            try connection.first("SELECT order_id FROM order_directory WHERE reference = ?", .text(reference.uppercased())) { row throws(StoreError) in try row.id(0) }
        }
    }

    private func sourceID(_ kind: String, _ key: SourceKey) async throws(StoreError) -> Bytes16? {
        try await read { connection throws(StoreError) in
            try connection.first("SELECT id FROM source_keys WHERE kind = ? AND source = ? AND key = ?", .text(kind), .text(key.source), .text(key.key)) {
                row throws(StoreError) in try row.id(0)
            }
        }
    }
}
