// What can be set about the store, and the keys it needs.

import GRDB
import Orders
import Secrets

package struct OrdersSQLiteOptions: Sendable {
    /// Commands that may wait; one more is refused (429).
    package var waitingMax = 4_096
    /// Commands in one transaction.
    package var batchMax = 256
    package var readersMax = 4
    package var cacheBytes = 64 << 20
    /// Of a new file. Measured: an order touches some ten pages far apart, and what is synced is whole pages.
    package var pageBytes = 2_048
    /// The log's size at which it is copied into the database, beside the writer.
    package var checkpointBytes = 32 << 20
    /// How much of the last commit's time the next may wait for those just answered to come back: fuller commits, fewer syncs.
    package var lingerShare = 0.1
    package var returnWindowDays: Int64 = 30
    /// A payment not yet covered must come within the order's hold; bounded here.
    package var holdSecondsMax: Int64 = 7 * 86_400

    /// For tests: what happens to the next COMMIT.
    package enum CommitFault: Sendable { case before, after }
    package var commitFault: (@Sendable () -> CommitFault?)?

    package init() {}

    static func configuration(of options: OrdersSQLiteOptions, readonly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readonly
        // A failed COMMIT may leave one open; the writer closes the connection then.
        configuration.allowsUnsafeTransactions = true
        configuration.foreignKeysEnabled = true
        configuration.journalMode = readonly ? .default : .wal
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = options.readersMax
        configuration.label = readonly ? "isotherm.orders.reader" : "isotherm.orders"
        configuration.prepareDatabase { database in
            // Order matters: the size of pages is settled before anything is written, WAL mode included.
            if !readonly { try database.execute(sql: "PRAGMA page_size = \(options.pageBytes)") }
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // Measured: a savepoint keeps the pages it changes in a journal of its own; in a file that is a write for each.
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            try database.execute(sql: "PRAGMA cache_size = -\(options.cacheBytes >> 10)")
            // The checkpointer does it.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        }
        return configuration
    }
}

/// The keys, each for one use.
package struct StoreKeys: Sendable {
    let email: [UInt8]
    let cursors: CursorCodec

    package init(_ ring: KeyRing) {
        email = ring.key("email")
        cursors = CursorCodec(key: ring.key("cursor"))
    }

    /// What an address is looked up by: upper and lower case, and spaces around it, make no difference.
    func emailToken(_ address: String) -> String {
        let folded = String(address.lowercased().drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        return Hexadecimal.text(HMAC.sha256(Array(folded.utf8), key: email))
    }
}
