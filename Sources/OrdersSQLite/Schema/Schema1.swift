// Version 1: people, the catalogue's master, stock, baskets, orders, the order directory, and what every command leaves: key, outbox, audit.

let schema1 = """
    -- Personal data stands here and in addresses, nowhere else.
    CREATE TABLE people(
        person_ref BLOB NOT NULL PRIMARY KEY CHECK (length(person_ref) = 16),
        contact TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(contact)),
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- The keyed token of the e-mail address: who has the file without the key finds nobody by address.
    CREATE UNIQUE INDEX people_email ON people(json_extract(contact, '$.email_token')) WHERE json_extract(contact, '$.email_token') IS NOT NULL;

    CREATE TABLE addresses(
        address_id BLOB NOT NULL PRIMARY KEY CHECK (length(address_id) = 16),
        person_ref BLOB NOT NULL REFERENCES people,
        place TEXT NOT NULL CHECK (json_valid(place))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX addresses_person ON addresses(person_ref);

    CREATE TABLE sellers(
        seller_id TEXT NOT NULL PRIMARY KEY CHECK (length(seller_id) BETWEEN 1 AND 200),
        name TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE products(
        product INTEGER PRIMARY KEY,
        product_id TEXT NOT NULL UNIQUE CHECK (length(product_id) BETWEEN 1 AND 512),
        title TEXT NOT NULL,
        seller_id TEXT REFERENCES sellers,
        currency TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
        price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
        version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
        attributes TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(attributes)),
        kept INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX products_brand ON products(json_extract(attributes, '$.brand')) WHERE json_extract(attributes, '$.brand') IS NOT NULL;

    -- No unit is sold twice, none gets lost: every one received is available, held or sold.
    CREATE TABLE stock(
        product INTEGER PRIMARY KEY REFERENCES products,
        available INTEGER NOT NULL CHECK (available >= 0),
        held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
        sold INTEGER NOT NULL DEFAULT 0 CHECK (sold >= 0),
        received INTEGER NOT NULL CHECK (received = available + held + sold)
    ) STRICT;

    CREATE TABLE baskets(
        person_ref BLOB NOT NULL REFERENCES people,
        product INTEGER NOT NULL REFERENCES products,
        quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
        added_at INTEGER NOT NULL,
        PRIMARY KEY (person_ref, product)
    ) STRICT, WITHOUT ROWID;

    -- One small row per order for ever, whatever tier its body is in. added_seq rises with every order that comes in, also an old one.
    CREATE TABLE order_directory(
        added_seq INTEGER PRIMARY KEY,
        order_id BLOB NOT NULL UNIQUE CHECK (length(order_id) = 16),
        reference TEXT NOT NULL UNIQUE,
        person_ref BLOB NOT NULL REFERENCES people,
        placed_at INTEGER NOT NULL CHECK (placed_at >= 0),
        -- 12 * year + month - 1 of placed_at, UTC: a day or so is let pass here, the store computes it.
        month INTEGER NOT NULL CHECK (month BETWEEN 23639 + placed_at / 2678400000000 AND 23641 + placed_at / 2419200000000),
        state TEXT NOT NULL CHECK (CASE state WHEN 'pending' THEN 1 WHEN 'confirmed' THEN 1 WHEN 'part_shipped' THEN 1 WHEN 'shipped' THEN 1 WHEN 'delivered' THEN 1 WHEN 'part_returned' THEN 1 WHEN 'returned' THEN 1 WHEN 'cancelled' THEN 1 WHEN 'expired' THEN 1 ELSE 0 END),
        currency TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
        total_minor INTEGER NOT NULL CHECK (total_minor >= 0),
        paid_minor INTEGER NOT NULL DEFAULT 0 CHECK (paid_minor >= 0),
        version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
        tier TEXT NOT NULL DEFAULT 'hot' CHECK (CASE tier WHEN 'hot' THEN 1 WHEN 'warm' THEN 1 WHEN 'cold' THEN 1 ELSE 0 END),
        place TEXT
    ) STRICT;
    CREATE INDEX directory_person ON order_directory(person_ref, placed_at, order_id);
    CREATE INDEX directory_person_state ON order_directory(person_ref, state, placed_at, order_id);

    -- Kept counts: the total of any list without reading it.
    CREATE TABLE order_counts(
        person_ref BLOB NOT NULL,
        month INTEGER NOT NULL,
        state TEXT NOT NULL,
        count INTEGER NOT NULL CHECK (count >= 0),
        PRIMARY KEY (person_ref, month, state)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER directory_added AFTER INSERT ON order_directory BEGIN
        INSERT INTO order_counts(person_ref, month, state, count)
            VALUES (new.person_ref, new.month, new.state, 1)
            ON CONFLICT DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER directory_moved_on AFTER UPDATE OF state ON order_directory WHEN old.state <> new.state BEGIN
        UPDATE order_counts SET count = count - 1 WHERE person_ref = old.person_ref AND state = old.state
            AND month = old.month;
        INSERT INTO order_counts(person_ref, month, state, count)
            VALUES (new.person_ref, new.month, new.state, 1)
            ON CONFLICT DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER directory_place_in_time BEFORE UPDATE OF person_ref, placed_at, month, order_id ON order_directory BEGIN
        SELECT raise(ABORT, 'an order keeps its person, moment and identifier');
    END;
    CREATE TRIGGER directory_for_ever BEFORE DELETE ON order_directory BEGIN
        SELECT raise(ABORT, 'the order directory forgets nothing');
    END;

    CREATE TABLE orders(
        order_id BLOB NOT NULL PRIMARY KEY REFERENCES order_directory(order_id),
        person_ref BLOB NOT NULL,
        placed_at INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (CASE state WHEN 'pending' THEN 1 WHEN 'confirmed' THEN 1 WHEN 'part_shipped' THEN 1 WHEN 'shipped' THEN 1 WHEN 'delivered' THEN 1 WHEN 'part_returned' THEN 1 WHEN 'returned' THEN 1 WHEN 'cancelled' THEN 1 WHEN 'expired' THEN 1 ELSE 0 END),
        currency TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
        total_minor INTEGER NOT NULL CHECK (total_minor >= 0),
        credit_minor INTEGER NOT NULL DEFAULT 0 CHECK (credit_minor BETWEEN 0 AND total_minor),
        paid_minor INTEGER NOT NULL DEFAULT 0 CHECK (paid_minor >= 0),
        refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND paid_minor),
        version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
        hold_ends_at INTEGER CHECK (state = 'pending' OR hold_ends_at IS NULL),
        delivered_at INTEGER,
        returnable_until INTEGER,
        address_id BLOB REFERENCES addresses,
        exchange_of BLOB,
        attributes TEXT CHECK (attributes IS NULL OR json_valid(attributes))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX orders_open ON orders(state, placed_at)
        WHERE state = 'pending' OR state = 'confirmed' OR state = 'part_shipped' OR state = 'shipped';
    CREATE INDEX orders_holds ON orders(hold_ends_at) WHERE hold_ends_at IS NOT NULL;
    CREATE INDEX orders_source_status ON orders(json_extract(attributes, '$.source_status')) WHERE json_extract(attributes, '$.source_status') IS NOT NULL;

    -- Frozen at the moment of the order: later prices and titles change nothing here.
    CREATE TABLE order_lines(
        order_id BLOB NOT NULL REFERENCES orders ON DELETE CASCADE,
        position INTEGER NOT NULL CHECK (position BETWEEN 1 AND 1000),
        product INTEGER NOT NULL REFERENCES products,
        title TEXT NOT NULL,
        seller_id TEXT,
        quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
        unit_minor INTEGER NOT NULL CHECK (unit_minor >= 0),
        freight_minor INTEGER NOT NULL DEFAULT 0 CHECK (freight_minor >= 0),
        total_minor INTEGER NOT NULL CHECK (total_minor = quantity * unit_minor + freight_minor),
        shipped INTEGER NOT NULL DEFAULT 0 CHECK (shipped BETWEEN 0 AND quantity),
        returned INTEGER NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND shipped),
        PRIMARY KEY (order_id, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER order_lines_frozen BEFORE UPDATE OF order_id, position, product, title, seller_id, quantity, unit_minor, freight_minor, total_minor ON order_lines BEGIN
        SELECT raise(ABORT, 'order lines are frozen');
    END;

    -- What an imported record is called where it came from.
    CREATE TABLE source_keys(
        kind TEXT NOT NULL CHECK (CASE kind WHEN 'order' THEN 1 WHEN 'person' THEN 1 WHEN 'payment' THEN 1 ELSE 0 END),
        source TEXT NOT NULL,
        key TEXT NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        PRIMARY KEY (kind, source, key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE idempotency_keys(
        actor TEXT NOT NULL,
        key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
        request_hash BLOB NOT NULL,
        outcome TEXT NOT NULL CHECK (json_valid(outcome)),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (actor, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_age ON idempotency_keys(created_at);

    -- What those outside must learn, in the order of commits; written in the same transaction as what it tells.
    CREATE TABLE outbox(
        position INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        body TEXT NOT NULL CHECK (json_valid(body))
    ) STRICT;
    CREATE TRIGGER outbox_append_only BEFORE UPDATE ON outbox BEGIN SELECT raise(ABORT, 'the outbox is only appended to'); END;

    -- Who, why, when; each row chained to the one before: hash = SHA-256(hash before, all columns).
    CREATE TABLE audit_log(
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        purpose TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit_log BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
    CREATE TRIGGER audit_kept BEFORE DELETE ON audit_log BEGIN SELECT raise(ABORT, 'the audit log forgets nothing'); END;
    """
