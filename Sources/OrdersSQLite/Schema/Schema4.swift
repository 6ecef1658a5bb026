// Version 4: fewer pages touched by a new order. Most of what a commit costs is its dirty pages, and an index by person or by key dirties one for each order.
//
//   - Orders of a person by state: pending ones are left out. They are few and new, found by person and time; each leaves this index untouched until it is paid.
//   - Open orders: pending ones are found by the end of their hold.
//   - Idempotency keys lie in the order they came, so forgetting needs no index by age; they are found by 16 bytes of a hash, not by two texts.

import Foundation
import GRDB
import Secrets

let schema4 = """
    DROP INDEX directory_person_state;
    CREATE INDEX directory_person_state ON order_directory(person_ref, state, placed_at, order_id) WHERE state <> 'pending';

    DROP INDEX orders_open;
    CREATE INDEX orders_open ON orders(state, placed_at) WHERE state = 'confirmed' OR state = 'part_shipped' OR state = 'shipped';

    CREATE TABLE idempotency(
        seq INTEGER PRIMARY KEY,
        -- The first 16 bytes of SHA-256(actor, 0, key).
        name BLOB NOT NULL UNIQUE CHECK (length(name) = 16),
        key TEXT NOT NULL,
        request_hash BLOB NOT NULL,
        outcome TEXT NOT NULL CHECK (json_valid(outcome)),
        created_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO idempotency(name, key, request_hash, outcome, created_at)
        SELECT isotherm_key_name(actor, key), key, request_hash, outcome, created_at FROM idempotency_keys ORDER BY created_at, actor, key;
    DROP TABLE idempotency_keys;
    ALTER TABLE idempotency RENAME TO idempotency_keys;
    """

/// What an idempotency key is found by.
enum IdempotencyName {
    static let function = DatabaseFunction("isotherm_key_name", argumentCount: 2, pure: true) { values in
        guard let actor = String.fromDatabaseValue(values[0]), let key = String.fromDatabaseValue(values[1]) else { return nil }
        return Data(of(actor: actor, key: key))
    }

    static func of(actor: String, key: String) -> [UInt8] {
        var bytes = Array(actor.utf8)
        bytes.append(0)
        bytes += key.utf8
        return Array(SHA256.hash(bytes)[..<16])
    }
}
