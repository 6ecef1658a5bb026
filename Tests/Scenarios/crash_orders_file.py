"""What crash_orders.py asks of the SQLite file itself, past the store, while no server runs. Standard library only.

Orders that are new since the last look are compared with what was acknowledged and asked for; sums and checks are over the whole file.
"""
import collections
import hashlib
import json
import sqlite3
import uuid


class Violation(Exception):
    pass


def expect(good, *what):
    if not good:
        raise Violation(" ".join(str(w) for w in what))


class Seen:
    """What earlier looks found: the end of the directory and of the outbox, each order's last state told, each product's last level told."""

    def __init__(self):
        self.directory, self.outbox, self.told, self.levels, self.there = 0, 0, {}, {}, {}


def look(path, model, before):
    """Gives ((person, key) pairs of unanswered orders that are in the file, what was seen), for the next look."""
    seen = before[1] if before else Seen()
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        sound(db)
        last = seen.directory
        states = dict(db.execute("SELECT order_id, state FROM orders"))
        keys = unanswered_keys(db, model)
        new_orders(db, model, seen, keys)
        stock(db, model)
        outbox(db, model, seen, states, last)
        kept(db, model)
    finally:
        db.close()
    return keys, seen


def one(db, sql, *values):
    return db.execute(sql, values).fetchone()[0]


def text(id):
    return str(uuid.UUID(bytes=id))


def sound(db):
    words = [row[0] for row in db.execute("PRAGMA integrity_check")]
    expect(words == ["ok"], "integrity_check:", words)
    expect(db.execute("PRAGMA foreign_key_check").fetchone() is None, "a row refers to one that is not there")


def unanswered_keys(db, model):
    return {(who, key) for key, (who, _) in model.unanswered.items()
            if one(db, "SELECT count(*) FROM idempotency_keys WHERE name = ?", key_name(f"customer:{who}", key))}


def key_name(actor, key):
    """What a key is found by: see Schema4.swift."""
    return hashlib.sha256(f"{actor}\0{key}".encode()).digest()[:16]


def new_orders(db, model, seen, keys):
    """Each order since the last look was acknowledged, or is that of one unanswered request; none is missing; states are as acknowledged."""
    rows = db.execute("SELECT order_id, person_ref, added_seq FROM order_directory WHERE added_seq > ? ORDER BY added_seq", (seen.directory,)).fetchall()
    expect([r[2] for r in rows] == list(range(seen.directory + 1, seen.directory + 1 + len(rows))), "added_seq has a gap")
    lines = collections.defaultdict(list)
    for id, product, quantity, total, unit in db.execute(
            "SELECT order_id, product_id, quantity, order_lines.total_minor, unit_minor FROM order_directory CROSS JOIN order_lines USING (order_id) "
            "CROSS JOIN products USING (product) WHERE added_seq > ? ORDER BY order_id, position", (seen.directory,)):
        expect(unit == model.price[product] and total == unit * quantity, "a line's price:", product, unit, total)
        lines[id].append((product, quantity))
    wanted = collections.Counter((who, tuple(model.unanswered[key][1])) for who, key in keys)
    unknown = {}
    for id, person, _ in rows:
        name, who = text(id), text(person)
        order = model.orders.get(name)
        if order:
            expect((order.who, order.basket) == (who, lines[id]), "an order has other lines than were asked for:", name, lines[id], order.basket)
        else:
            wanted[(who, tuple(lines[id]))] -= 1
            unknown[name] = who
    expect(not +wanted, "keys without their order:", +wanted)
    expect(not -wanted, "orders nobody was told of and nobody waits for:", -wanted)
    # The orders of unanswered requests of the last round were acknowledged since, each under its own key.
    for name in seen.there:
        expect(name in model.orders, "an order was doubled: its request sent again gave another one:", name)
    seen.there = unknown
    seen.directory += len(rows)
    expect(seen.directory == len(model.orders) + len(unknown), seen.directory, "orders are there,", len(model.orders), "acknowledged and", len(unknown), "unanswered")
    states = dict(db.execute("SELECT order_id, state FROM order_directory"))
    for name, order in model.orders.items():
        state = states.get(uuid.UUID(name).bytes)
        expect(state is not None, "an acknowledged order is lost:", name, order.key)
        expect(state == order.sure or state in order.maybe, "an order's state:", name, state, "acknowledged", order.sure, "asked for", order.maybe)
        order.sure, order.maybe = state, set()


def stock(db, model):
    should = collections.defaultdict(lambda: [0, 0])
    for product, state, units in db.execute("SELECT product_id, state, sum(quantity) FROM orders JOIN order_lines USING (order_id) JOIN products USING (product) "
                                            "GROUP BY product_id, state"):
        if state in ("pending", "confirmed"):
            should[product][state == "confirmed"] = units
    rows = db.execute("SELECT product_id, available, held, sold, received FROM stock JOIN products USING (product)").fetchall()
    expect(len(rows) == len(model.received), "products are missing")
    for product, available, held, sold, received in rows:
        expect(received == model.received[product] == available + held + sold, "stock and sold:", product, available, held, sold, received)
        expect([held, sold] == should[product], "held and sold are not what the orders say:", product, held, sold, should[product])


def outbox(db, model, seen, states, last):
    """No gap; creations in the order of the directory, each once; the last state told is the state; the last level told is the level."""
    created = []
    for position, content in db.execute("SELECT position, body FROM outbox WHERE position > ? ORDER BY position", (seen.outbox,)):
        expect(position == seen.outbox + 1, "the outbox has a gap before", position)
        seen.outbox, change = position, json.loads(content)
        seen.levels.update(change.get("stock", {}))
        if "order" in change:
            name, state = change["order"], change["state"]
            order = model.orders.get(name)
            if name not in seen.told:
                created.append(name)
                expect(state == "pending", "an order is first told as", state)
                expect(order is None or json.loads(order.answer)["position"] == position, "an order stands elsewhere in the outbox than was answered:", name)
            else:
                expect((seen.told[name], state) in {("pending", "confirmed"), ("pending", "cancelled"), ("confirmed", "cancelled")}, "told:", name, seen.told[name], state)
            seen.told[name] = state
    added = [text(row[0]) for row in db.execute("SELECT order_id FROM order_directory WHERE added_seq > ? ORDER BY added_seq", (last,))]
    expect(created == added, "the outbox tells of", len(created), "new orders, the directory has", len(added))
    expect(seen.told == {text(id): state for id, state in states.items()}, "an order's last state was not told")
    levels = dict(db.execute("SELECT product_id, available FROM stock JOIN products USING (product)"))
    expect(seen.levels == levels, "a product's last level was not told")


def kept(db, model):
    """What stands twice agrees; what was refused left neither key nor audit row."""
    nothing = {
        "orders that differ from the directory": "SELECT count(*) FROM orders JOIN order_directory d USING (order_id) WHERE orders.state <> d.state OR orders.version <> d.version",
        "directory rows without a body": "SELECT count(*) FROM order_directory WHERE order_id NOT IN (SELECT order_id FROM orders)",
        "orders with another total than their lines": "SELECT count(*) FROM orders WHERE total_minor <> (SELECT coalesce(sum(l.total_minor), -1) FROM order_lines l WHERE l.order_id = orders.order_id)",
        "counts that are wrong": "SELECT (SELECT coalesce(sum(count), 0) FROM order_counts) <> (SELECT count(*) FROM order_directory)",
        "keys of refused requests": "SELECT count(*) FROM idempotency_keys WHERE key GLOB 'refused-*' OR key GLOB 'poisoned-*'",
        "audit rows of orders that are not there": "SELECT (SELECT count(*) FROM audit_log WHERE action = 'order.place') <> (SELECT count(*) FROM orders)",
        "payments that are not the sum of their events": "SELECT count(*) FROM payments p WHERE authorised_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM payment_events e "
                                                         "WHERE e.payment_id = p.payment_id AND kind = 'authorise' AND applied = 1)",
        "confirmed orders without their payment": "SELECT count(*) FROM orders WHERE state = 'confirmed' AND total_minor > (SELECT coalesce(sum(authorised_minor), 0) "
                                                  "FROM payments WHERE payments.order_id = orders.order_id)",
    }
    for what, sql in nothing.items():
        expect(one(db, sql) == 0, what)
