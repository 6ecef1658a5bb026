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
    /// Pages in the log at which it is copied into the database.
    package var checkpointPages = 4_000
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
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA cache_size = -\(options.cacheBytes >> 10)")
            if !readonly { try database.execute(sql: "PRAGMA wal_autocheckpoint = \(options.checkpointPages)") }
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
