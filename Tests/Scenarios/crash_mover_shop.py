"""The shop of crash_mover.py: its orders, what is known of them before the mover begins, and everything that must hold of a data folder afterwards.

Known is what the server answered: each person's list, and of each order its body, shipments, returns and payments, without the tier. 80 of the orders went through
the shop's own life (payment, parcel, tracking, for some a return); the others were imported as history, over some months. Standard library, and pyarrow for the
archive's files.
"""
import asyncio
import collections
import datetime
import hashlib
import hmac
import io
import json
import os
import sqlite3
import subprocess
import time
import uuid

from crash_mover_site import Violation, expect
from shop_client import Connection, Gone

STAFF = ("X-Isotherm-Purpose: support",)
DUE, LIVED, STAYING, PEOPLE = 200, 80, 30, 6
LIMITS = (1, 7, 100)
# Orders that live in the shop do so that long ago: the server's clock is set back (kill_at.c).
AGO = 110 * 86_400
FINAL = ("delivered", "cancelled", "returned", "part_returned")


def history(now, dice):
    """Those that are due, and some that stay: young ones, and old ones that are not final."""
    for n in range(DUE - LIVED + STAYING):
        stays = n >= DUE - LIVED
        hours = dice.randint(24, 80 * 24) if stays and n % 2 else dice.randint(101 * 24, 170 * 24)
        lines = [{"product": f"p{dice.randrange(9)}", "title": f"Thing of {dice.choice(['oak', 'Ash'])}", "quantity": dice.randint(1, 3), "unit_minor": dice.randint(100, 9000)}
                 for _ in range(dice.randint(1, 4))]
        status = ("delivered" if n % 2 else "confirmed") if stays else dice.choice(["delivered"] * 6 + ["cancelled", "returned", "part_returned"])
        placed = now - datetime.timedelta(hours=hours, seconds=dice.randrange(3600))
        yield {"id": f"A-{n}", "person": f"c{n % PEOPLE}", "placed_at": placed.strftime("%Y-%m-%dT%H:%M:%SZ"), "status": status, "currency": "EUR", "lines": lines,
               "payments": [{"id": "p", "method": "card", "amount_minor": sum(line["quantity"] * line["unit_minor"] for line in lines)}]}


async def live(port, secret, people, number):
    """One order through the shop, to its end."""
    connection = Connection(port)

    async def send(who, path, body, *headers, good=(200, 201)):
        answer = await connection.send(who, "POST", path, body, key=str(uuid.uuid4()), headers=headers)
        expect(answer.status in good, path, answer)
        return answer.json
    for at in number:
        who = f"customer:{people[at % len(people)]}"
        order = await send(who, "/api/orders", {"lines": [{"product": f"thing-{at % 5}", "quantity": 1 + at % 3}, {"product": f"thing-{(at + 1) % 5}", "quantity": 1}]})
        if at % 8 == 7:
            await send(who, f"/api/orders/{order['id']}/cancel", {}, "If-Match: *")
            continue
        payment = await send(who, f"/api/orders/{order['id']}/payments", {"card": "4000000000000002"})
        await send("staff:anna", f"/api/payments/{payment['id']}/capture", {})
        await send("staff:anna", f"/api/orders/{order['id']}/shipments", {"carrier": "post", "tracking_code": order["id"]})
        for kind in ("pickup", "transit", "deliver"):
            event = json.dumps({"carrier": "post", "tracking_code": order["id"], "event": f"{kind}-{order['id']}", "kind": kind, "place": "Leipzig"}).encode()
            moment = str(int(time.time()) - AGO)
            signature = hmac.new(secret, moment.encode() + b"." + event, hashlib.sha256).hexdigest()
            await send(None, "/api/webhooks/carriers", event, f"Isotherm-Signature: t={moment},v1={signature}", good=(200, 201, 202, 204))
        if at % 4 == 0:
            back = await send(who, f"/api/orders/{order['id']}/returns", {"lines": [{"position": 1, "quantity": 1}], "reason": "too_small"})
            for step in ("approve", "receive", "refund"):
                await send("staff:anna", f"/api/returns/{back['id']}/{step}", {})
    connection.close()


class Shop:
    def __init__(self):
        self.people, self.lists, self.orders, self.due = [], {}, {}, set()
        # Person, limit, cursor, orders before it: walks that readers are in the midst of when the mover begins.
        self.midst = []

    # MARK: Making it

    def make(self, site, dice):
        now = datetime.datetime.now(datetime.timezone.utc)
        with open(f"{site.folder}/history.ndjson", "w") as f:
            for order in history(now, dice):
                f.write(json.dumps(order) + "\n")
        os.makedirs(site.data)
        site.program.must("import", "history", f"{site.folder}/history.ndjson", "--source", "S", "--data", site.data)
        secret = bytes.fromhex(site.program.must("sign", "carrier:post", "--data", site.data, "--secret").strip())
        with site.server(environment=site.program.environment("/nowhere", clock=-AGO)) as server:
            expect(server.wait(), "the server did not start:", server.tail())
            asyncio.run(self.fill(server.port, secret))
        site.serve(self.learn)
        expect(self.settle(site.program.now) == DUE, len(self.due), "orders are due")
        return self

    async def fill(self, port, secret):
        connection = Connection(port)
        for n in range(PEOPLE):
            answer = await connection.send("staff:crash", "GET", f"/api/people/ref:S:c{n}", headers=STAFF)
            self.people.append(answer.json["id"])
        for n in range(5):
            content = {"title": f"Thing {n}", "price_minor": 1_000 + n, "currency": "EUR", "available": 100_000}
            answer = await connection.send("staff:crash", "PUT", f"/api/products/thing-{n}", content, key=f"product-{n}")
            expect(answer.status == 200, answer)
        connection.close()
        await asyncio.gather(*(live(port, secret, self.people, range(first, LIVED, 16)) for first in range(16)))

    async def learn(self, port):
        connection = Connection(port)
        for person in self.people:
            self.lists[person] = await walk(connection, person, 100)
            for order in self.lists[person]:
                self.orders[order["id"]] = await details(connection, order["id"])
            for limit in LIMITS[:2]:
                cursor, shown = None, 0
                for _ in range(3):
                    answer = await page(connection, person, limit, cursor)
                    cursor, shown = answer["next"], shown + len(answer["orders"])
                    if cursor is not None:
                        self.midst.append((person, limit, cursor, shown))
        connection.close()
        expect(len(self.orders) == DUE + STAYING, "the shop has", len(self.orders), "orders")

    def settle(self, now):
        """Which orders the policy moves: worked out here, apart from the program's own code."""
        moment = datetime.datetime.strptime(now, "%Y-%m-%dT%H:%M:%SZ")
        for id, (order, *_) in self.orders.items():
            placed = datetime.datetime.fromisoformat(order["placed_at"].replace("Z", "")[:19])
            if order["status"] in FINAL and (moment - placed).total_seconds() >= 90 * 86_400:
                self.due.add(id)
        return len(self.due)

    # MARK: What readers see

    async def look(self, port, dice, samples=10):
        """Every walk shows every order of its person once, with its body, also one begun before the mover was; so do orders one by one."""
        async def person(who):
            connection = Connection(port)
            for limit in LIMITS:
                self.compare(who, await walk(connection, who, limit), limit, 0)
            await self.go_on(connection, *dice.choice([m for m in self.midst if m[0] == who]))
            connection.close()

        async def some(ids):
            connection = Connection(port)
            for id in ids:
                self.same(id, await details(connection, id))
            connection.close()
        await asyncio.gather(*(person(who) for who in self.people), some(dice.sample(sorted(self.orders), samples)))

    async def walk_on(self, port, gone, person, limit, cursor, shown):
        connection = Connection(port)
        try:
            await self.go_on(connection, person, limit, cursor, shown)
        except Gone:
            await gone()
        finally:
            connection.close()

    async def go_on(self, connection, person, limit, cursor, shown):
        self.compare(person, await walk(connection, person, limit, cursor), limit, shown)

    def same(self, id, found):
        expect(plain(found) == plain(self.orders[id]), "order", id, "is", found, "was", self.orders[id])

    def compare(self, person, found, limit, start):
        expected = self.lists[person][start:]
        ids, wanted = [o["id"] for o in found], [o["id"] for o in expected]
        if ids != wanted:
            count = collections.Counter(ids)
            raise Violation(f"a walk (limit {limit}): {len(set(wanted) - set(ids))} invisible, {sum(n > 1 for n in count.values())} doubled, {len(set(ids) - set(wanted))} strange, "
                            f"{len(ids)} shown of {len(wanted)}")
        for a, b in zip(found, expected):
            expect(plain(a) == plain(b), f"a walk (limit {limit}) shows", a, "was", b)

    async def read_on(self, port, dice, counts, ended, gone):
        """A reader: walks and single orders until the server is gone or the event is set. Gives what it was in the midst of, for after the restart."""
        connection, midst = Connection(port), None
        try:
            while not ended.is_set():
                person, limit = dice.choice(self.people), dice.choice(LIMITS)
                midst = (person, limit, None, 0)
                while True:
                    answer = await page(connection, person, limit, midst[2])
                    got = answer["orders"]
                    self.compare_part(person, got, limit, midst[3])
                    expect(answer["total"] == len(self.lists[person]), "a list's total is", answer["total"], "was", len(self.lists[person]))
                    midst = (person, limit, answer["next"], midst[3] + len(got))
                    counts["pages"] += 1
                    if answer["next"] is None:
                        expect(midst[3] == len(self.lists[person]), "a walk ended after", midst[3], "of", len(self.lists[person]))
                        counts["walks"] += 1
                        midst = None
                        break
                id = dice.choice(sorted(self.orders))
                self.same(id, await details(connection, id))
        except Gone:
            await gone()
        finally:
            connection.close()
        return midst

    def compare_part(self, person, found, limit, start):
        expected = self.lists[person][start:start + limit]
        expect([o["id"] for o in found] == [o["id"] for o in expected], f"a page (limit {limit}, from {start}) shows", [o["id"] for o in found], "was", [o["id"] for o in expected])
        for a, b in zip(found, expected):
            expect(plain(a) == plain(b), f"a page (limit {limit}) shows", a, "was", b)

    # MARK: What lies where

    def stopped(self, site, data):
        """Asked of a folder as it was found after a stop, before anything opened it (a copy)."""
        expect(os.path.exists(f"{data}/hot/isotherm.db"), "hot/isotherm.db is lost")
        db = sqlite3.connect(f"file:{data}/hot/isotherm.db?mode=ro", uri=True)
        try:
            moves = db.execute("SELECT hex(batch_id), step, staging, manifest FROM moves").fetchall()
        finally:
            db.close()
        self.staged(site, moves)

    def expired(self, site):
        left = site.staging.names()
        expect(not left, "left in staging after it expired:", left)
        db = sqlite3.connect(f"file:{site.data}/hot/isotherm.db?mode=ro", uri=True)
        try:
            expect(db.execute("SELECT count(*) FROM moves").fetchone()[0] == 0, "left in the journal after it expired")
        finally:
            db.close()

    def ended(self, site, slept=False):
        """Asked of a folder on which the mover has ended and no server runs; gives the orders that the warm index must have. `slept`: somebody may have staged for a
        batch that was given up meanwhile; it is cleared when it expires."""
        db = sqlite3.connect(f"file:{site.data}/hot/isotherm.db?mode=ro", uri=True)
        try:
            expect([r[0] for r in db.execute("PRAGMA integrity_check")] == ["ok"], "integrity_check")
            expect(db.execute("PRAGMA foreign_key_check").fetchone() is None, "a row refers to one that is not there")
            directory = {text(id): tier for id, tier in db.execute("SELECT order_id, tier FROM order_directory")}
            hot = {text(r[0]) for r in db.execute("SELECT order_id FROM orders")}
            moves = db.execute("SELECT hex(batch_id), step, staging, manifest FROM moves").fetchall()
            left = db.execute("SELECT count(*) FROM move_orders").fetchone()[0]
            gaps = db.execute("SELECT coalesce(max(position), 0) - count(*) FROM outbox").fetchone()[0]
        finally:
            db.close()
        expect(gaps == 0, "the outbox has gaps")
        expect(set(directory) == set(self.orders), "the directory has", len(directory), "orders, not", len(self.orders))
        wrong = {id: tier for id, tier in directory.items() if tier != (site.policy if id in self.due else "hot")}
        expect(not wrong, len(wrong), "orders in another tier than the policy says:", list(wrong.items())[:3])
        expect(hot == {id for id, tier in directory.items() if tier == "hot"}, "rows in hot:", len(hot), "; the directory says", collections.Counter(directory.values()))
        expect(left == 0 and all(step in ("done", "abandoned") for _, step, _, _ in moves), "batches not ended:", [m[:2] for m in moves], left)
        kept = self.staged(site, moves, slept) | ({prefix for _, step, prefix, _ in moves if step == "abandoned"} if slept else set())
        strange = [name for name in site.staging.names() if name.rpartition("/")[0] not in kept or "/.~" in name]
        expect(not strange, "left in staging:", strange)
        half = [name for name in site.archive.names() if "/.~" in "/" + name]
        expect(not half, "left in the archive:", half)
        verified = subprocess.run([site.program.binary, "audit", "verify", "--data", site.data], capture_output=True, text=True)
        expect(verified.returncode == 0, "audit verify:", verified.stdout, verified.stderr)
        cold = [id for id, _ in archived(site.archive)]
        expect(sorted(cold) == sorted(id for id, tier in directory.items() if tier == "cold"), "rows in the archive:", len(cold), "of", len(set(cold)), "orders")
        return {id for id, tier in directory.items() if tier == "warm"}

    def staged(self, site, moves, slept=False):
        """What the journal calls staged is there, as its manifest says; gives the prefixes."""
        kept = set()
        for _, step, prefix, digest in moves:
            if step not in ("staged", "verified", "flipped", "purged", "done") or prefix in site.staged_before:
                continue
            kept.add(prefix)
            manifest, lines = site.staging.read(f"{prefix}/manifest.json"), site.staging.read(f"{prefix}/orders.ndjson")
            expect(manifest is not None and lines is not None, "a batch journalled as", step, "lacks its", "manifest" if manifest is None else "orders")
            expect(hashlib.sha256(manifest).hexdigest() == digest, "the manifest of a batch that is", step, "is not the journalled one")
        # Whatever the journal says: who finds a manifest believes it (a hot tier restored from a backup has another journal).
        for name in site.staging.names():
            if name.endswith("/manifest.json") and not (slept and name.rpartition("/")[0] not in kept):
                manifest, lines = site.staging.read(name), site.staging.read(name.replace("manifest.json", "orders.ndjson"))
                expect(lines is not None and hashlib.sha256(lines).hexdigest() == json.loads(manifest)["sha256"], "a manifest without its orders:", name)
        return kept

    async def warm(self, port, expected):
        connection = Connection(port)
        answer = await connection.send(None, "POST", "/orders-warm/_search", {"size": 1000, "_source": False, "query": {"match_all": {}}})
        connection.close()
        # No order was ever warm: then there is no index.
        expect(answer.status == 200 or (answer.status == 404 and not expected), "the warm index:", answer)
        found = [hit["_id"] for hit in answer.json["hits"]["hits"]] if answer.status == 200 else []
        expect(sorted(found) == sorted(expected), "documents in the warm index:", len(found), "of", len(set(found)), "orders; the directory says", len(expected))


def text(id):
    return str(uuid.UUID(bytes=id))


def plain(value):
    """Without what may differ by tier: its name, what reading it cost, and the numbers that events get as they come in."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("tier", "sequence", "archive")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


async def page(connection, person, limit, cursor):
    path = f"/api/people/{person}/orders?include=cold&limit={limit}" + (f"&cursor={cursor}" if cursor else "")
    answer = await connection.send("staff:crash", "GET", path, headers=STAFF)
    expect(answer.status == 200, "a list:", answer)
    return answer.json


async def walk(connection, person, limit, cursor=None):
    found = []
    for _ in range(10_000):
        answer = await page(connection, person, limit, cursor)
        found += answer["orders"]
        cursor = answer["next"]
        if cursor is None:
            return found
    raise Violation("a walk does not end")


async def details(connection, id):
    parts = []
    for path in ("?include=cold", "/shipments", "/returns", "/payments"):
        answer = await connection.send("staff:crash", "GET", f"/api/orders/{id}{path}", headers=STAFF)
        expect(answer.status == 200, f"GET /api/orders/{id}{path}:", answer)
        parts.append(answer.json)
    return parts


def archived(store):
    """(order, document) of the table's newest slices, by its timeline, as other readers find them."""
    import pyarrow.parquet as parquet
    newest = {}
    for name in store.names():
        if "/.hoodie/" in "/" + name and name.endswith(".commit"):
            table = name.rpartition("/.hoodie/")[0]
            for stats in json.loads(store.read(name))["partitionToWriteStats"].values():
                for stat in stats:
                    newest[stat["fileId"]] = f"{table}/{stat['path']}".strip("/")
    rows = []
    for path in newest.values():
        content = store.read(path)
        expect(content is not None, "the archive's newest file is missing:", path)
        found = parquet.read_table(io.BytesIO(content), columns=["order_id", "body"])
        rows += zip(found["order_id"].to_pylist(), found["body"].to_pylist())
    return rows
