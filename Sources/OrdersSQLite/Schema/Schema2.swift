// Version 2: payments with their events and refunds, shipments with their tracking, returns.
//
// They refer to the order directory, not to orders: a payment's gateway references and events stay here when the order's body moves on.

let schema2 = """
    CREATE TABLE payments(
        payment_id BLOB NOT NULL PRIMARY KEY CHECK (length(payment_id) = 16),
        order_id BLOB NOT NULL REFERENCES order_directory(order_id),
        gateway TEXT NOT NULL,
        method TEXT NOT NULL,
        gateway_reference TEXT,
        currency TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
        amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
        state TEXT NOT NULL CHECK (CASE state WHEN 'created' THEN 1 WHEN 'action_required' THEN 1 WHEN 'authorised' THEN 1 WHEN 'part_captured' THEN 1 WHEN 'captured' THEN 1 WHEN 'part_refunded' THEN 1 WHEN 'refunded' THEN 1 WHEN 'declined' THEN 1 WHEN 'voided' THEN 1 ELSE 0 END),
        authorised_minor INTEGER NOT NULL DEFAULT 0 CHECK (authorised_minor BETWEEN 0 AND amount_minor),
        captured_minor INTEGER NOT NULL DEFAULT 0 CHECK (captured_minor >= 0 AND captured_minor + voided_minor <= authorised_minor),
        refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
        voided_minor INTEGER NOT NULL DEFAULT 0 CHECK (voided_minor >= 0),
        created_at INTEGER NOT NULL,
        version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX payments_order ON payments(order_id);
    CREATE INDEX payments_open ON payments(created_at)
        WHERE state = 'created' OR state = 'action_required' OR state = 'authorised' OR state = 'part_captured';

    CREATE TABLE payment_events(
        seq INTEGER PRIMARY KEY,
        payment_id BLOB NOT NULL REFERENCES payments,
        gateway TEXT NOT NULL,
        event_id TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (CASE kind WHEN 'require_action' THEN 1 WHEN 'authorise' THEN 1 WHEN 'decline' THEN 1 WHEN 'capture_part' THEN 1 WHEN 'capture_rest' THEN 1 WHEN 'refund_part' THEN 1 WHEN 'refund_rest' THEN 1 WHEN 'void' THEN 1 WHEN 'capture' THEN 1 WHEN 'refund' THEN 1 ELSE 0 END),
        amount_minor INTEGER CHECK (amount_minor >= 0 AND (amount_minor IS NOT NULL OR applied = 0)),
        happened_at INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        applied INTEGER NOT NULL CHECK (applied IN (0, 1)),
        UNIQUE (gateway, event_id)
    ) STRICT;
    CREATE INDEX payment_events_payment ON payment_events(payment_id, seq);
    CREATE INDEX payment_events_ignored ON payment_events(received_at) WHERE applied = 0;
    -- The sums of a payment are those of its events, since nothing else writes them.
    CREATE TRIGGER payment_event_counts AFTER INSERT ON payment_events WHEN new.applied = 1 BEGIN
        UPDATE payments SET
            authorised_minor = authorised_minor + iif(new.kind = 'authorise', new.amount_minor, 0),
            captured_minor = captured_minor + iif(new.kind IN ('capture_part', 'capture_rest'), new.amount_minor, 0),
            refunded_minor = refunded_minor + iif(new.kind IN ('refund_part', 'refund_rest'), new.amount_minor, 0),
            voided_minor = voided_minor + iif(new.kind = 'void', new.amount_minor, 0)
            WHERE payment_id = new.payment_id;
    END;
    -- One that came before its time is taken when its time has come; nothing else about an event changes.
    CREATE TRIGGER payment_event_taken AFTER UPDATE OF applied ON payment_events BEGIN
        UPDATE payments SET
            authorised_minor = authorised_minor + iif(new.kind = 'authorise', new.amount_minor, 0),
            captured_minor = captured_minor + iif(new.kind IN ('capture_part', 'capture_rest'), new.amount_minor, 0),
            refunded_minor = refunded_minor + iif(new.kind IN ('refund_part', 'refund_rest'), new.amount_minor, 0),
            voided_minor = voided_minor + iif(new.kind = 'void', new.amount_minor, 0)
            WHERE payment_id = new.payment_id;
    END;
    CREATE TRIGGER payment_events_unchanged BEFORE UPDATE ON payment_events
        WHEN old.applied = 1 OR new.applied = 0 OR (old.seq, old.payment_id, old.gateway, old.event_id, old.happened_at, old.received_at)
            IS NOT (new.seq, new.payment_id, new.gateway, new.event_id, new.happened_at, new.received_at) BEGIN
        SELECT raise(ABORT, 'payment events are only appended');
    END;
    CREATE TRIGGER payment_events_kept BEFORE DELETE ON payment_events BEGIN SELECT raise(ABORT, 'payment events are kept'); END;

    CREATE TABLE refunds(
        event INTEGER PRIMARY KEY REFERENCES payment_events,
        payment_id BLOB NOT NULL REFERENCES payments,
        amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
        at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX refunds_payment ON refunds(payment_id);

    CREATE TABLE shipments(
        shipment_id BLOB NOT NULL PRIMARY KEY CHECK (length(shipment_id) = 16),
        order_id BLOB NOT NULL REFERENCES order_directory(order_id),
        carrier TEXT NOT NULL,
        tracking_code TEXT NOT NULL,
        state TEXT NOT NULL CHECK (CASE state WHEN 'created' THEN 1 WHEN 'picked_up' THEN 1 WHEN 'in_transit' THEN 1 WHEN 'out_for_delivery' THEN 1 WHEN 'exception' THEN 1 WHEN 'delivered' THEN 1 WHEN 'returning' THEN 1 WHEN 'returned' THEN 1 WHEN 'lost' THEN 1 ELSE 0 END),
        estimated_delivery INTEGER,
        created_at INTEGER NOT NULL,
        version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
        UNIQUE (carrier, tracking_code)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX shipments_order ON shipments(order_id);

    CREATE TABLE shipment_lines(
        shipment_id BLOB NOT NULL REFERENCES shipments ON DELETE CASCADE,
        position INTEGER NOT NULL,
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        PRIMARY KEY (shipment_id, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tracking_events(
        seq INTEGER PRIMARY KEY,
        shipment_id BLOB NOT NULL REFERENCES shipments,
        carrier TEXT NOT NULL,
        event_id TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (CASE kind WHEN 'pickup' THEN 1 WHEN 'transit' THEN 1 WHEN 'out' THEN 1 WHEN 'exception' THEN 1 WHEN 'deliver' THEN 1 WHEN 'return_start' THEN 1 WHEN 'return_done' THEN 1 WHEN 'lose' THEN 1 ELSE 0 END),
        happened_at INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        place TEXT NOT NULL,
        UNIQUE (carrier, event_id)
    ) STRICT;
    CREATE INDEX tracking_shipment ON tracking_events(shipment_id, seq);
    CREATE TRIGGER tracking_unchanged BEFORE UPDATE ON tracking_events BEGIN SELECT raise(ABORT, 'tracking events are only appended'); END;

    CREATE TABLE returns(
        return_id BLOB NOT NULL PRIMARY KEY CHECK (length(return_id) = 16),
        order_id BLOB NOT NULL REFERENCES order_directory(order_id),
        state TEXT NOT NULL CHECK (CASE state WHEN 'requested' THEN 1 WHEN 'approved' THEN 1 WHEN 'rejected' THEN 1 WHEN 'cancelled' THEN 1 WHEN 'received' THEN 1 WHEN 'refunded' THEN 1 WHEN 'exchanged' THEN 1 ELSE 0 END),
        reason TEXT NOT NULL,
        value_minor INTEGER NOT NULL CHECK (value_minor >= 0),
        requested_at INTEGER NOT NULL,
        exchange_order BLOB,
        version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
        CHECK ((state = 'exchanged') = (exchange_order IS NOT NULL))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX returns_order ON returns(order_id);

    CREATE TABLE return_lines(
        return_id BLOB NOT NULL REFERENCES returns ON DELETE CASCADE,
        position INTEGER NOT NULL,
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        PRIMARY KEY (return_id, position)
    ) STRICT, WITHOUT ROWID;
    """
