// One SQLite connection with prepared statements: binds, steps, and turns SQLite's errors into the store's. GRDB opens and owns what is beneath.
//
// Statements are prepared once per connection. One that keeps them finds those it has run by the address of their literal: the writer, which runs the same
// thirty for every order, all its life, a reader for one read; between reads they are kept by GRDB. A `Row` is only valid inside the closure it is handed to.

import GRDB
import GRDBSQLite
import Orders

/// What can be bound.
enum Value {
    case int(Int64)
    case text(String)
    case id(Bytes16)
    case blob([UInt8])
    case null

    static func optional(_ instant: Instant?) -> Value { instant.map { .int($0.microseconds) } ?? .null }
    static func optional(_ text: String?) -> Value { text.map { .text($0) } ?? .null }
    static func optional(_ id: Bytes16?) -> Value { id.map { .id($0) } ?? .null }
    static func at(_ instant: Instant) -> Value { .int(instant.microseconds) }
}

// Safe: the handle is GRDB's, which outlives the closure a connection is made in; the writer's is forgotten before GRDB closes it.
@safe package final class Connection {
    private let database: Database
    private let handle: OpaquePointer
    private let keepsStatements: Bool
    private var statements: [UInt: Statement] = [:]
    /// Virtual-machine steps of the statements run since it was set to 0, while counting: what tests call work.
    package var countsSteps = false
    package private(set) var steps: Int64 = 0

    package init(_ database: Database, keepsStatements: Bool = false) throws(StoreError) {
        guard let handle = unsafe database.sqliteConnection else { throw .unavailable("the connection is closed") }
        (self.database, self.keepsStatements) = (database, keepsStatements)
        unsafe self.handle = handle
    }

    /// Whether no transaction is open: after an error, whether SQLite rolled everything back.
    var isAutocommit: Bool { unsafe sqlite3_get_autocommit(handle) != 0 }
    /// Whether the last error was a sync's: what was written since the last one may be lost, though it can still be read.
    var syncFailed: Bool {
        let code = ResultCode(rawValue: unsafe sqlite3_extended_errcode(handle))
        return code == .SQLITE_IOERR_FSYNC || code == .SQLITE_IOERR_DIR_FSYNC
    }
    /// Rows changed by the last statement.
    var changes: Int64 { Int64(unsafe sqlite3_changes(handle)) }
    var lastRowID: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    /// Tells how many pages the log has, after each commit.
    func reportLog(to checkpointer: Checkpointer) {
        // Safe: whoever has the connection holds the checkpointer, and closes the connection before letting go of it.
        let context = unsafe Unmanaged.passUnretained(checkpointer).toOpaque()
        _ = unsafe sqlite3_wal_hook(handle, { context, _, _, pages in
            if let context = unsafe context { unsafe Unmanaged<Checkpointer>.fromOpaque(context).takeUnretainedValue().logHas(pages: pages) }
            return SQLITE_OK
        }, context)
    }

    /// Before closing: SQLite keeps a connection open for as long as a statement of it lives.
    func forgetStatements() { statements.removeAll() }

    /// Runs a statement that gives no rows.
    func run(_ sql: StaticString, _ values: Value...) throws(StoreError) { try each(sql, values) { _ throws(StoreError) in } }

    /// The first row, made into something.
    func first<T>(_ sql: StaticString, _ values: Value..., make: (Row) throws(StoreError) -> T) throws(StoreError) -> T? {
        var found: T?
        let statement = unsafe try bound(sql, values)
        defer { _ = unsafe sqlite3_reset(statement) }
        if unsafe try step(statement) { found = try make(unsafe Row(statement: statement)) }
        return found
    }

    /// All rows, each made into something.
    func all<T>(_ sql: StaticString, _ values: Value..., make: (Row) throws(StoreError) -> T) throws(StoreError) -> [T] {
        var found: [T] = []
        try each(sql, values) { row throws(StoreError) in found.append(try make(row)) }
        return found
    }

    func each(_ sql: StaticString, _ values: [Value], _ body: (Row) throws(StoreError) -> Void) throws(StoreError) {
        let statement = unsafe try bound(sql, values)
        // Order matters: a statement left standing keeps its read transaction open.
        defer { _ = unsafe sqlite3_reset(statement) }
        if countsSteps { _ = unsafe sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1) }
        while unsafe try step(statement) { try body(unsafe Row(statement: statement)) }
        if countsSteps { steps += Int64(unsafe sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1)) }
    }

    /// What EXPLAIN QUERY PLAN says of a statement, one line per step.
    package func plan(_ sql: String) throws -> [String] {
        let statement = try database.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
        // Nothing is run, so nothing need be bound.
        statement.setUncheckedArguments(StatementArguments())
        return try GRDB.Row.fetchAll(statement).map { $0["detail"] as String }
    }

    // MARK: -

    private func bound(_ sql: StaticString, _ values: [Value]) throws(StoreError) -> OpaquePointer {
        let statement = unsafe try prepared(sql)
        for (at, value) in values.enumerated() { unsafe try bind(value, Int32(truncatingIfNeeded: at + 1), statement) }
        return unsafe statement
    }

    private func prepared(_ sql: StaticString) throws(StoreError) -> OpaquePointer {
        // Safe: literals live as long as the program, so their address names them.
        let name = unsafe UInt(bitPattern: sql.utf8Start)
        if keepsStatements, let statement = statements[name] { return unsafe statement.sqliteStatement }
        do {
            let statement = try database.cachedStatement(sql: "\(sql)")
            if keepsStatements { statements[name] = statement }
            return unsafe statement.sqliteStatement
        } catch {
            throw .unavailable("SQLite: \(error)")
        }
    }

    private func bind(_ value: Value, _ at: Int32, _ statement: OpaquePointer) throws(StoreError) {
        // Safe: SQLite copies texts and blobs before these calls return (SQLITE_TRANSIENT).
        let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let code: Int32
        switch value {
        case .int(let number): code = unsafe sqlite3_bind_int64(statement, at, number)
        case .null: code = unsafe sqlite3_bind_null(statement, at)
        case .text(var text):
            code = unsafe text.withUTF8 { utf8 in
                unsafe utf8.withMemoryRebound(to: CChar.self) { unsafe sqlite3_bind_text(statement, at, $0.baseAddress, Int32(clamping: $0.count), transient) }
            }
        case .id(let id):
            code = unsafe withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { unsafe sqlite3_bind_blob(statement, at, $0.baseAddress, 16, transient) }
        case .blob(let bytes):
            // An empty blob is a zero-length one, not NULL.
            code = bytes.isEmpty
                ? unsafe sqlite3_bind_zeroblob(statement, at, 0)
                : unsafe bytes.withUnsafeBytes { unsafe sqlite3_bind_blob(statement, at, $0.baseAddress, Int32(clamping: $0.count), transient) }
        }
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func step(_ statement: OpaquePointer) throws(StoreError) -> Bool {
        switch unsafe sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw failure(code)
        }
    }

    private func failure(_ code: Int32) -> StoreError {
        let text = unsafe String(cString: sqlite3_errmsg(handle))
        let extended = unsafe sqlite3_extended_errcode(handle)
        return .unavailable("SQLite error \(code == extended ? "\(code)" : "\(code)/\(extended)"): \(text)")
    }
}

/// The row a statement stands on.
// Safe: only made by Connection for the time of one closure.
@safe struct Row {
    fileprivate let statement: OpaquePointer

    func isNull(_ at: Int32) -> Bool { unsafe sqlite3_column_type(statement, at) == SQLITE_NULL }
    func int(_ at: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, at) }
    func optionalInt(_ at: Int32) -> Int64? { isNull(at) ? nil : int(at) }
    func instant(_ at: Int32) -> Instant { Instant(microseconds: int(at)) }
    func optionalInstant(_ at: Int32) -> Instant? { isNull(at) ? nil : instant(at) }

    func text(_ at: Int32) -> String {
        // Safe: SQLite's bytes are copied before the next step.
        guard let start = unsafe sqlite3_column_text(statement, at) else { return "" }
        let count = Int(unsafe sqlite3_column_bytes(statement, at))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
    func optionalText(_ at: Int32) -> String? { isNull(at) ? nil : text(at) }

    func blob(_ at: Int32) -> [UInt8] {
        // Safe: as above.
        guard let start = unsafe sqlite3_column_blob(statement, at) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, at))))
    }

    func id(_ at: Int32) throws(StoreError) -> Bytes16 {
        // Safe: as above; sixteen bytes are there when SQLite says so.
        guard let start = unsafe sqlite3_column_blob(statement, at), unsafe sqlite3_column_bytes(statement, at) == 16 else {
            throw .damaged("an identifier has not sixteen bytes")
        }
        return unsafe Bytes16(
            high: UInt64(bigEndian: start.loadUnaligned(as: UInt64.self)), low: UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
    func id<Kind>(_ at: Int32, as kind: Kind.Type = Kind.self) throws(StoreError) -> ID<Kind> { ID<Kind>(try id(at)) }
    func optionalID(_ at: Int32) throws(StoreError) -> Bytes16? { isNull(at) ? nil : try id(at) }

    /// A state by its word.
    func state<State: RawRepresentable>(_ at: Int32) throws(StoreError) -> State where State.RawValue == String {
        guard let state = State(rawValue: text(at)) else { throw .damaged("a state nobody knows: \(text(at).prefix(40))") }
        return state
    }

    func currency(_ at: Int32) throws(StoreError) -> Currency {
        guard let currency = Currency(code: text(at)) else { throw .damaged("a currency that is none") }
        return currency
    }
}

extension Connection {
    /// The first column of the first row; 0 without one. For checks.
    package func numbers(_ sql: StaticString) throws(StoreError) -> [Int64] { try all(sql) { $0.int(0) } }
    package func texts(_ sql: StaticString) throws(StoreError) -> [String] { try all(sql) { $0.text(0) } }
    package func number(_ sql: StaticString) throws(StoreError) -> Int64 { try first(sql) { $0.int(0) } ?? 0 }
}
