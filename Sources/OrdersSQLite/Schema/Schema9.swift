// Version 9: a payment event that came back from an order's document has a name of ours until the gateway says it again, and then, once, its own.

let schema9 = """
    DROP TRIGGER payment_events_unchanged;
    CREATE TRIGGER payment_events_unchanged BEFORE UPDATE ON payment_events
        WHEN (old.applied = 1 OR new.applied = 0 OR (old.seq, old.payment_id, old.gateway, old.event_id, old.happened_at, old.received_at)
            IS NOT (new.seq, new.payment_id, new.gateway, new.event_id, new.happened_at, new.received_at))
            AND (old.event_id NOT GLOB 'reconciled-*' OR (old.seq, old.payment_id, old.gateway, old.kind, old.amount_minor, old.happened_at, old.received_at, old.applied)
            IS NOT (new.seq, new.payment_id, new.gateway, new.kind, new.amount_minor, new.happened_at, new.received_at, new.applied)) BEGIN
        SELECT raise(ABORT, 'payment events are only appended');
    END;
    """
