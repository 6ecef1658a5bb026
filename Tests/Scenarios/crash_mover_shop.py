"""The shop of crash_mover.py: its orders, what is known of them before the mover begins, and everything that must hold of a data folder afterwards.

Known is what the server answered: each person's list, and of each order its body, shipments, returns and payments, without the tier. Standard library, and pyarrow
for the archive's files.
"""
import asyncio
import collections
import datetime
import hashlib
import hmac
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time
import uuid

from shop_client import Connection, Server

STAFF = ("X-Isotherm-Purpose: support",)
NOW = "2026-01-01T00:00:00Z"
ORDERS, STAYING, PEOPLE = 200, 30, 6
LIMITS = (1, 7, 100)

POLICIES = """policy: warm
policies:
  warm:
    orders:
      - {tier: hot, from: 0, to: 90}
      - {tier: warm, from: 90}
  cold:
    orders:
      - {tier: hot, from: 0, to: 90}
      - {tier: cold, from: 90}
mover:
  batch_orders: 500
"""


class Violation(Exception):
    pass


def expect(good, *what):
    if not good:
        raise Violation(" ".join(str(w) for w in what))


def history(dice):
    """Orders of the past: 200 that are due, and some that stay: young ones, and old ones that are not final."""
    moment = datetime.datetime.strptime(NOW, "%Y-%m-%dT%H:%M:%SZ")
    for n in range(ORDERS + STAYING):
        stays = n >= ORDERS
        hours = dice.randint(24, 80 * 24) if stays and n % 2 else dice.randint(91 * 24, 170 * 24)
        lines = [{"product": f"p{dice.randrange(9)}", "title": f"Thing of {dice.choice(['oak', 'Ash'])}", "quantity": dice.randint(1, 3), "unit_minor": dice.randint(100, 9000)}
                 for _ in range(dice.randint(1, 4))]
        status = ("delivered" if n % 2 else "confirmed") if stays else dice.choice(["delivered"] * 6 + ["cancelled", "returned", "part_returned"])
        placed = moment - datetime.timedelta(hours=hours, seconds=dice.randrange(3600))
        yield {"id": f"A-{n}", "person": f"c{dice.randrange(PEOPLE)}", "placed_at": placed.strftime("%Y-%m-%dT%H:%M:%SZ"), "status": status, "currency": "EUR", "lines": lines,
               "payments": [{"id": "p", "method": "card", "amount_minor": sum(line["quantity"] * line["unit_minor"] for line in lines)}]}


class Tool:
    """The program under test, and the folder that scenario works in."""

    def __init__(self, binary, work, shim):
        self.binary, self.work, self.shim = binary, work, shim
        self.policies = f"{work}/tiers.yaml"
        with open(self.policies, "w") as f:
            f.write(POLICIES)

    def run(self, data, policy, *options, environment=None, **more):
        command = [self.binary, "tier", "run", "--json", "--data", data, "--policies", self.policies, "--policy", policy, "--now", NOW, *options]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})}, timeout=120, **more)

    def preload(self, data, **variables):
        return {"LD_PRELOAD": self.shim, "KILL_ROOT": os.path.realpath(data), **{f"KILL_{k.upper()}": str(v) for k, v in variables.items()}}

    def must(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=120)
        expect(done.returncode == 0, arguments[0], "failed:", done.stdout[-500:], done.stderr[-500:])
        return done.stdout

    def serve(self, data, body):
        """Runs a coroutine of the port against a server on the folder."""
        log = open(f"{data}.log", "w")
        server = Server(self.binary, data, log)
        try:
            server.start()
            return asyncio.run(body(server.port))
        except SystemExit as error:
            raise Violation(f"the server: {error}") from None
        finally:
            if server.process.poll() is None:
                server.stop()
            server.kill()
            log.close()


class Shop:
    """What the server said before anything moved."""

    def __init__(self):
        self.people, self.orders, self.lists = {}, {}, {}
        # What must be where when the mover has ended.
        self.due = set()

    # MARK: Making it

    def make(self, tool, data, seed):
        dice = random.Random(seed)
        with open(f"{tool.work}/history.ndjson", "w") as f:
            for order in history(dice):
                f.write(json.dumps(order) + "\n")
        os.makedirs(data)
        tool.must("import", "history", f"{tool.work}/history.ndjson", "--source", "S", "--data", data)
        tool.serve(data, self.learn)
        return self

    async def learn(self, port):
        connection = Connection(port)
        for n in range(PEOPLE):
            answer = await connection.send("staff:crash", "GET", f"/api/people/ref:S:c{n}", headers=STAFF)
            self.people[answer.json["id"]] = n
        for person in self.people:
            self.lists[person] = await walk(connection, person, 100)
            for body in self.lists[person]:
                self.orders[body["id"]] = await details(connection, body["id"])
                if body["tier"] == "hot" and self.orders[body["id"]][0]["status"] in ("delivered", "cancelled", "returned", "part_returned") and body["placed_at"] < "2025-10-03":
                    self.due.add(body["id"])
        connection.close()
        expect(len(self.orders) == ORDERS + STAYING and len(self.due) == ORDERS, "the shop has", len(self.orders), "orders,", len(self.due), "due")

    # MARK: What readers see

    async def look(self, port, dice, walks=LIMITS, samples=12, cursors=()):
        """Every walk shows every order of its person once, with its body; so do the orders one by one."""
        async def person(who):
            connection = Connection(port)
            for limit in walks:
                self.compare(who, await walk(connection, who, limit), f"limit {limit}")
            connection.close()

        async def some(ids):
            connection = Connection(port)
            for id in ids:
                found = await details(connection, id)
                expect(plain(found) == plain(self.orders[id]), "order", id, "is", found, "was", self.orders[id])
            connection.close()
        await asyncio.gather(*(person(who) for who in self.people), some(dice.sample(sorted(self.orders), samples)))

    def compare(self, person, found, where):
        expected = self.lists[person]
        ids, wanted = [o["id"] for o in found], [o["id"] for o in expected]
        if ids != wanted:
            count = collections.Counter(ids)
            raise Violation(f"a walk ({where}): {len(set(wanted) - set(ids))} invisible, {sum(n > 1 for n in count.values())} doubled, {len(set(ids) - set(wanted))} strange, "
                            f"{len(ids)} shown of {len(wanted)}")
        for a, b in zip(found, expected):
            expect(plain(a) == plain(b), f"a walk ({where}) shows", a, "was", b)

    # MARK: What lies where

    def files(self, tool, data, policy, dice):
        """Asked of a folder on which the mover has ended and no server runs."""
        db = sqlite3.connect(f"file:{data}/hot/isotherm.db?mode=ro", uri=True)
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
        wrong = {id: tier for id, tier in directory.items() if tier != (policy if id in self.due else "hot")}
        expect(not wrong, len(wrong), "orders in another tier than the policy says:", list(wrong.items())[:3])
        expect(hot == {id for id, tier in directory.items() if tier == "hot"}, "rows in hot:", len(hot), "; the directory says", collections.Counter(directory.values()))
        expect(left == 0 and all(step in ("done", "abandoned") for _, step, _, _ in moves), "batches not ended:", [m[:2] for m in moves], left)
        self.staging(data, moves, is_end=True)
        verified = subprocess.run([tool.binary, "audit", "verify", "--data", data], capture_output=True, text=True)
        expect(verified.returncode == 0, "audit verify:", verified.stdout, verified.stderr)
        cold = cold_rows(f"{data}/cold/orders") if os.path.isdir(f"{data}/cold/orders") else []
        expect(sorted(cold) == sorted(id for id, tier in directory.items() if tier == "cold"), "rows in the archive:", len(cold), "of", len(set(cold)), "orders")
        return {id for id, tier in directory.items() if tier == "warm"}

    def staging(self, data, moves, is_end=False):
        """What the journal calls staged is there, as its manifest says; at the end nothing else is."""
        kept = set()
        for _, step, prefix, manifest in moves:
            if step not in ("staged", "verified", "flipped", "purged", "done"):
                continue
            kept.add(prefix)
            try:
                with open(f"{data}/staging/{prefix}/manifest.json", "rb") as f:
                    content = f.read()
                with open(f"{data}/staging/{prefix}/orders.ndjson", "rb") as f:
                    lines = f.read()
            except FileNotFoundError as error:
                raise Violation(f"a batch journalled as {step} lacks {error.filename.rpartition('/')[2]}") from None
            expect(hashlib.sha256(content).hexdigest() == manifest, "the manifest of a batch", step, "is not the journalled one")
            expect(hashlib.sha256(lines).hexdigest() == json.loads(content)["sha256"], "the staged orders of a batch", step, "are not those of the manifest")
        if is_end:
            for folder, _, names in os.walk(f"{data}/staging"):
                inside = os.path.relpath(folder, f"{data}/staging")
                for name in names:
                    expect(inside in kept and not name.startswith(".~"), "left in staging:", f"{inside}/{name}")

    def stopped(self, data):
        """Asked of a folder as it was found after a stop, before anything opened it."""
        if not os.path.exists(f"{data}/hot/isotherm.db"):
            raise Violation("hot/isotherm.db is lost")
        db = sqlite3.connect(f"file:{data}/hot/isotherm.db?mode=ro", uri=True)
        try:
            moves = db.execute("SELECT hex(batch_id), step, staging, manifest FROM moves").fetchall()
        finally:
            db.close()
        self.staging(data, moves)

    async def warm(self, port, expected):
        connection = Connection(port)
        answer = await connection.send(None, "POST", "/orders-warm/_search", {"size": 1000, "_source": False, "query": {"match_all": {}}})
        connection.close()
        found = [hit["_id"] for hit in answer.json["hits"]["hits"]] if answer.status == 200 else []
        expect(sorted(found) == sorted(expected), "documents in the warm index:", len(found), "of", len(set(found)), "orders; the directory says", len(expected))


def text(id):
    return str(uuid.UUID(bytes=id))


def plain(value):
    """Without what may differ by tier: its name, and the numbers that events get as they come in."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("tier", "sequence")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


COLD = {"option": "&include=cold"}


async def page(connection, person, limit, cursor):
    answer = await connection.send("staff:crash", "GET", f"/api/people/{person}/orders?limit={limit}{COLD['option']}" + (f"&cursor={cursor}" if cursor else ""), headers=STAFF)
    if answer.status == 400 and b"include" in answer.body and COLD["option"]:
        COLD["option"] = ""
        return await page(connection, person, limit, cursor)
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
    for path in ("", "/shipments", "/returns", "/payments"):
        answer = await connection.send("staff:crash", "GET", f"/api/orders/{id}{path}", headers=STAFF)
        expect(answer.status == 200, f"GET /api/orders/{id}{path}:", answer)
        parts.append(answer.json)
    return parts


def cold_rows(table):
    """The orders of the table's newest slices, by its timeline; standard readers do the same."""
    import pyarrow.parquet as parquet
    newest = {}
    for name in sorted(os.listdir(f"{table}/.hoodie") if os.path.isdir(f"{table}/.hoodie") else []):
        if not name.endswith(".commit"):
            continue
        with open(f"{table}/.hoodie/{name}") as f:
            commit = json.load(f)
        for stats in commit["partitionToWriteStats"].values():
            for stat in stats:
                newest[stat["fileId"]] = stat["path"]
    ids = []
    for path in newest.values():
        ids += parquet.read_table(f"{table}/{path}", columns=["order_id"])["order_id"].to_pylist()
    return ids
