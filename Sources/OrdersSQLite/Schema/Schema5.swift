// Version 5: between the tiers. The mover's lease and journal, and what must be recognised of an order whose body is elsewhere.
//
//   - Payments, their events and idempotency keys do not move (version 2). Of shipments, tracking events and returns the identifiers stay: a carrier's late
//     duplicate is known as one, a new event finds the order it needs back.
//   - The index of orders that may go has only those in a final state: placing and paying leave it untouched.

let schema5 = """
    CREATE TABLE leases(
        name TEXT NOT NULL PRIMARY KEY,
        holder TEXT NOT NULL,
        -- Rises with every new holder: what an older one still sends is refused.
        epoch INTEGER NOT NULL CHECK (epoch > 0),
        until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE moves(
        batch_id BLOB NOT NULL PRIMARY KEY CHECK (length(batch_id) = 16),
        from_tier TEXT NOT NULL CHECK (from_tier IN ('hot', 'warm', 'cold')),
        to_tier TEXT NOT NULL CHECK (to_tier IN ('hot', 'warm', 'cold') AND to_tier <> from_tier),
        step TEXT NOT NULL CHECK (step IN ('selected', 'staged', 'verified', 'flipped', 'purged', 'done', 'abandoned')),
        staging TEXT NOT NULL,
        manifest TEXT NOT NULL DEFAULT '',
        started_at INTEGER NOT NULL,
        finished_at INTEGER CHECK ((finished_at IS NOT NULL) = (step IN ('done', 'abandoned'))),
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX moves_open ON moves(started_at) WHERE finished_at IS NULL;
    CREATE INDEX moves_expiry ON moves(expires_at) WHERE finished_at IS NOT NULL;

    CREATE TABLE move_orders(
        batch_id BLOB NOT NULL REFERENCES moves ON DELETE CASCADE,
        order_id BLOB NOT NULL REFERENCES order_directory(order_id),
        version INTEGER NOT NULL,
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        -- NULL before the flip; 0: it had changed since it was dumped.
        moved INTEGER CHECK (moved IN (0, 1)),
        PRIMARY KEY (batch_id, order_id)
    ) STRICT, WITHOUT ROWID;

    CREATE INDEX directory_movable ON order_directory(tier, placed_at, order_id)
        WHERE state = 'delivered' OR state = 'part_returned' OR state = 'returned' OR state = 'cancelled' OR state = 'expired';

    CREATE TABLE moved_shipments(
        shipment_id BLOB NOT NULL PRIMARY KEY CHECK (length(shipment_id) = 16),
        order_id BLOB NOT NULL REFERENCES order_directory(order_id),
        carrier TEXT NOT NULL,
        tracking_code TEXT NOT NULL,
        state TEXT NOT NULL,
        version INTEGER NOT NULL,
        UNIQUE (carrier, tracking_code)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX moved_shipments_order ON moved_shipments(order_id);

    CREATE TABLE moved_tracking(
        carrier TEXT NOT NULL,
        event_id TEXT NOT NULL,
        shipment_id BLOB NOT NULL REFERENCES moved_shipments ON DELETE CASCADE,
        PRIMARY KEY (carrier, event_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX moved_tracking_shipment ON moved_tracking(shipment_id);

    CREATE TABLE moved_returns(
        return_id BLOB NOT NULL PRIMARY KEY CHECK (length(return_id) = 16),
        order_id BLOB NOT NULL REFERENCES order_directory(order_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX moved_returns_order ON moved_returns(order_id);

    -- Purges so far: a reader of several tiers sees that a body left hot while it was looking elsewhere.
    CREATE TABLE purges(one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL) STRICT;
    INSERT INTO purges(one, count) VALUES (1, 0);
    """
