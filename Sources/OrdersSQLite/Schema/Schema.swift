// The numbered migrations, oldest first. One that was released is never edited: a change is a new number, and a test walks up from every older one.
//
// Conventions: identifiers are 16-byte blobs; instants are microseconds since 1970, UTC; amounts are minor units; states are the words of `Orders/States.swift`.
// Measured: a CHECK with IN and more than two words makes a table of them at every insert; CASE compares.
// Whatever an invariant can be said in SQL is said here, once more than the code says it: CHECK, FOREIGN KEY, UNIQUE, trigger.

import GRDB

package enum Schema {
    package static let migrations: [(name: String, sql: String)] = [
        ("1-orders", schema1), ("2-payments-and-logistics", schema2), ("3-follow-graph", schema3),
        ("4-fewer-pages", schema4), ("5-tiers", schema5), ("6-left-copies", schema6),
        ("7-sealing", schema7), ("8-order-reads", schema8), ("9-names-of-events", schema9),
    ]

    /// The migrator of the first `count` numbers: all of them but in tests.
    package static func migrator(upTo count: Int = migrations.count) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (name, sql) in migrations.prefix(count) {
            migrator.registerMigration(name) { database in
                database.add(function: IdempotencyName.function)
                defer { database.remove(function: IdempotencyName.function) }
                try database.execute(sql: sql)
            }
        }
        return migrator
    }
}
