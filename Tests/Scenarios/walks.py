#!/usr/bin/env python3
"""Walks through people's histories while the mover, writers and late changes run in and at one server; not one may see an order twice, or not at all.

    walks.py ISOTHERM [--orders 20000] [--people 1000] [--walks 2000] [--pace 2000] [--recalls 25] [--processes 2] [--seed 1] [--base FOLDER] [--mutate NAME]

Orders are generated (history_model.Made), imported, and hot when the server starts; its own mover (schedule.every_seconds: 1, at most --pace orders a
second) takes them to warm and cold meanwhile, by the preset `default`. Beside it:

    walkers    a random person, a random limit of 1 to 100, half of them with include=cold
    a writer   places orders, pays for them, ships some
    recalls    refunds by webhook, returns asked for, received and called off, and tracking, on orders of any age; each change is read back

For each walk: newest first, no order twice, the total on every page is how many there are; every generated order of the person and every order that was
acknowledged before the walk began is there, with lines word for word, and nothing that was not sent before it ended; a tier it can be in. Of orders that
late changes touch only what those do not change is compared. Never a 5xx.

--base keeps the imported data folder for the next run. --mutate breaks the store underneath, to see that this finds it: `invisible` (an order that the mover
flips leaves the pages that were begun before), `stale` (a recall leaves the directory where it was), `late` (new orders count as older than the walk and
get into its middle). Exit code 1 on the first violation. Standard library only.
"""
import argparse
import collections
import hashlib
import hmac
import json
import mmap
import multiprocessing
import os
import queue
import random
import struct
import subprocess
import sys
import tempfile
import time
import uuid

import history_model as model
import walks_setup
from history_client import Violation, Wire, expect, walk
from shop_client import Server, audit_verify
from walks_setup import run

# One order of the writer's: person, product, quantity, when it was begun, when acknowledged, its identifier.
SLOT = struct.Struct("<IHBxdd16s")
SLOTS_MAX = 1 << 20
PRODUCTS = 50
# What no late change touches.
FIXED = ("id", "reference", "placed_at", "currency", "total_minor")
LINE_FIXED = ("position", "product", "title", "seller", "quantity", "unit_minor", "freight_minor", "total_minor")


class Written:
    """The writer's orders, in memory that all processes see. A slot is filled before its request is sent, and acknowledged after its answer."""

    def __init__(self):
        self.memory = mmap.mmap(-1, 8 + SLOTS_MAX * SLOT.size)
        self.seen, self.of = 0, collections.defaultdict(list)

    def begin(self, person, product, quantity):
        n = struct.unpack_from("<q", self.memory)[0]
        expect(n < SLOTS_MAX, "more orders than slots")
        SLOT.pack_into(self.memory, 8 + n * SLOT.size, person, product, quantity, time.monotonic(), 0.0, bytes(16))
        struct.pack_into("<q", self.memory, 0, n + 1)
        return n

    def acknowledge(self, n, id):
        at = 8 + n * SLOT.size
        self.memory[at + 24:at + 40] = uuid.UUID(id).bytes
        struct.pack_into("<d", self.memory, at + 16, time.monotonic())

    def count(self):
        return struct.unpack_from("<q", self.memory)[0]

    def person(self, person):
        """(identifier or "", product, quantity, acknowledged at or 0) of each order of the person that was begun by now."""
        n = self.count()
        for slot in range(self.seen, n):
            self.of[struct.unpack_from("<I", self.memory, 8 + slot * SLOT.size)[0]].append(slot)
        self.seen = n
        slots = [SLOT.unpack_from(self.memory, 8 + slot * SLOT.size) for slot in self.of.get(person, ())]
        return [(str(uuid.UUID(bytes=id)) if acknowledged else "", product, quantity, acknowledged) for _, product, quantity, _, acknowledged, id in slots]


class Walker:
    def __init__(self, port, made, written, busy, seed):
        self.wire, self.made, self.written, self.busy = Wire(port, "staff:walks"), made, written, busy
        self.dice, self.orders, self.unknown, self.tiers = random.Random(seed), 0, [], collections.Counter()

    def one(self):
        dice = self.dice
        person = dice.choice(self.busy) if dice.random() < 0.3 else dice.randrange(self.made.people)
        limit, cold = dice.choice((1, 2, 3, 7, 20, 50, 100, dice.randint(1, 100))), dice.random() < 0.5
        if limit < 7 and self.made.count(person) > 50:
            limit = 7
        before = [slot for slot in self.written.person(person) if slot[3]]
        found = walk(self.wire, f"ref:sandbox:p{person}", limit, cold=cold)
        after = self.written.person(person)
        what = f"a walk of p{person} at limit {limit}{' with cold' if cold else ''}:"
        keys = [(o["placed_at"][:-1], o["id"]) for o in found]
        expect(all(a > b for a, b in zip(keys, keys[1:])), what, "not newest first, or an order twice:", keys)
        have = {o["id"]: o for o in found}
        for wanted in self.made.history(person):
            got = have.pop(wanted["id"], None)
            expect(got is not None, what, f"order {wanted['id']} is not there")
            self.generated(got, wanted, cold, what)
        news = {id: (product, quantity) for id, product, quantity, _ in after if id}
        for id, product, quantity, _ in before:
            expect(id in have, what, f"order {id}, acknowledged before it began, is not there")
        waiting = sum(not id for id, *_ in after)
        for id, got in have.items():
            if id in news:
                self.new(got, *news[id], what)
            else:
                # Seen before its writer was answered: looked at once that is known.
                self.unknown.append((person, id))
                waiting -= 1
        expect(waiting >= 0, what, "orders that nobody sent:", [id for id in have if id not in news])
        self.orders += len(found)

    def generated(self, got, wanted, cold, what):
        at, age = got["tier"], (time.time() - model.seconds(wanted["placed_at"])) / model.DAY
        self.tiers[at] += 1
        touched = self.made.recallable(wanted["number"])
        final = wanted["status"] in model.FINAL
        allowed = {"hot"} if not final and not touched else {"hot", "warm", "cold"} if age >= 729.9 else {"hot", "warm"} if age >= 89.9 else {"hot"}
        expect(at in allowed, what, "a tier it cannot be in:", got)
        if touched:
            expect(all(got[k] == wanted[k] for k in FIXED), what, got, "for", wanted)
        else:
            expect(all(got[k] == wanted[k] for k in FIXED) and got["status"] == wanted["status"] and got["paid_minor"] == wanted["paid_minor"], what, got, "for", wanted)
        if at == "cold" and not cold and not got["lines"]:
            return  # A stub; until the mover has purged it from hot it has its lines still.
        if not touched:
            expect(got["lines"] == wanted["lines"], what, got["lines"], "for", wanted["lines"])
        else:
            lines = [{k: l[k] for k in LINE_FIXED} for l in got["lines"]]
            expect(lines == [{k: l[k] for k in LINE_FIXED} for l in wanted["lines"]], what, got["lines"], "for", wanted["lines"])

    def new(self, got, product, quantity, what):
        lines = [(l["product"], l["quantity"], l["unit_minor"]) for l in got["lines"]]
        expect(lines == [(f"new-{product}", quantity, 500 + product)] and got["total_minor"] == quantity * (500 + product), what, got, f"for new-{product} x {quantity}")

    def settle(self):
        """After the writer ended: what was seen before it was acknowledged was sent."""
        for person, id in self.unknown:
            expect(id in {slot[0] for slot in self.written.person(person)}, f"p{person} was shown order {id}, which nobody sent")


def walker(port, made, written, busy, seed, count, done, gate, results):
    try:
        w = Walker(port, made, written, busy, seed)
        for _ in range(count):
            w.one()
            done.value += 1
        results.put((None, w.wire.requests, w.orders, dict(w.tiers)))
        gate.wait()
        w.settle()
        results.put((None, 0, 0, {}))
    except Exception as error:  # noqa: BLE001: whatever it is, the run has failed and says so
        results.put((f"{type(error).__name__}: {error}", w.wire.requests, w.orders, {}))


def acknowledged(wire, method, path, body, key=None, actor=None, headers=(), good=(200, 201)):
    """Again while the server says that it is busy."""
    for attempt in range(200):
        status, answer = wire.send(method, path, body, actor, [*headers, *([f"Idempotency-Key: {key}"] if key else [])])
        if status != 429:
            break
        time.sleep(0.05)
    expect(status in good, f"{method} {path} answered {status}:", answer, "to", body)
    return json.loads(answer) | {"answered": status}


def writer(port, made, written, busy, seed, stop, counts, results, rate=60):
    """Orders, payments, some parcels."""
    try:
        wire, dice, people, n, began = Wire(port, "staff:walks"), random.Random(f"{seed}/writer"), {}, 0, time.monotonic()
        while not stop.is_set():
            person, product, quantity = dice.choice(busy), dice.randrange(PRODUCTS), dice.randint(1, 3)
            if person not in people:
                one = made.history(person)[0]
                people[person] = wire.get(f"/api/orders/{one['id']}")["person"]
            slot = written.begin(person, product, quantity)
            id = acknowledged(wire, "POST", "/api/orders", {"person": people[person], "lines": [{"product": f"new-{product}", "quantity": quantity}]}, f"walks-{n}")["id"]
            written.acknowledge(slot, id)
            counts["orders"] += 1
            if dice.random() < 0.7:
                pay = acknowledged(wire, "POST", f"/api/orders/{id}/payments", {"card": "4000000000000002"}, f"walks-pay-{n}")["id"]
                acknowledged(wire, "POST", f"/api/payments/{pay}/capture", {}, f"walks-capture-{n}")
                counts["paid"] += 1
                if dice.random() < 0.3:
                    acknowledged(wire, "POST", f"/api/orders/{id}/shipments", {"carrier": "post", "tracking_code": f"walks-{n}", "lines": [{"position": 1, "quantity": quantity}]})
                    counts["shipped"] += 1
            n += 1
            time.sleep(max(0, began + n / rate - time.monotonic()))
        results.put((None, wire.requests, 0, {}))
    except Exception as error:  # noqa: BLE001: whatever it is, the run has failed and says so
        results.put((f"{type(error).__name__}: {error}", 0, 0, {}))


class Recalls:
    """Late changes, each read back as soon as it was acknowledged."""

    def __init__(self, port, made, secret, parcels, seed, counts):
        self.wire, self.made, self.secret, self.parcels = Wire(port, "staff:walks"), made, secret, parcels
        self.dice, self.counts, self.n, self.refunded, self.back, self.open = random.Random(f"{seed}/recalls"), counts, 0, collections.Counter(), collections.Counter(), {}
        # Every order that was changed: all that was acknowledged must be there at the end, wherever the mover took it since.
        self.changed, self.events = set(), {}

    def key(self):
        self.n += 1
        return f"recall-{self.n}"

    def look(self, id):
        return self.wire.get(f"/api/orders/{id}?include=cold")

    def pick(self):
        """A delivered order with a payment that late changes may touch."""
        for _ in range(10_000):
            person = self.dice.randrange(self.made.people)
            for at, record in self.made.records(person):
                if self.made.recallable(int(record["id"])) and record["status"] == "delivered":
                    return at, record
        raise Violation("no order that may be recalled")

    def one(self):
        if self.parcels and self.dice.random() < 0.2:
            return self.track()
        at, record = self.pick()
        id = model.identifier(at, self.made.source, record["id"])
        before = self.look(id)["tier"]
        if self.dice.choice((self.refund, self.refund, self.returned, self.refused))(id, at, record):
            self.changed.add(id)
            self.counts[f"from {before}"] += 1

    def settle(self):
        for id in self.changed:
            now = self.look(id)
            expect(now["refunded_minor"] == self.refunded[id], f"order {id}: at the end {self.refunded[id]} were given back and acknowledged, it says", now)
            for line in now["lines"]:
                expect(line["returned"] == self.back[id, line["position"]], f"order {id}: at the end {self.back[id, line['position']]} of line {line['position']} came back, it says", now)
            expect(id not in self.open or now["tier"] == "hot", f"order {id} has a return in progress and is not hot:", now)
        for shipment, events in self.events.items():
            found = {e["event"] for e in self.wire.get(f"/api/shipments/{shipment}")["events"]}
            expect(events <= found, f"shipment {shipment} lacks at the end", events - found)
        self.counts["read again at the end"] += len(self.changed) + len(self.events)

    def refund(self, id, at, record):
        n = self.dice.randint(1, len(record["payments"]))
        payment = model.identifier(at, self.made.source + "/payment", f"{record['id']}/{n}")
        if self.refunded[payment] >= record["payments"][n - 1]["amount_minor"]:
            return
        body = json.dumps({"event": f"walks-{os.getpid()}-{self.key()}", "payment": payment, "type": "refund", "amount_minor": 1, "currency": "EUR"}).encode()
        now = int(time.time())
        mac = hmac.new(self.secret, f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        said = acknowledged(self.wire, "POST", "/api/webhooks/payments", body, headers=[f"Isotherm-Signature: t={now},v1={mac}"])
        expect(said["changed"], "a refund changed nothing:", said)
        self.refunded[payment] += 1
        self.refunded[id] += 1
        after = self.look(id)
        expect(after["refunded_minor"] == self.refunded[id], f"order {id}: {self.refunded[id]} were given back and acknowledged, it says", after)
        self.counts["refunds"] += 1
        return True

    def returned(self, id, at, record):
        line = self.dice.randrange(len(record["lines"])) + 1
        if self.back[id, line] >= record["lines"][line - 1]["quantity"] or id in self.open:
            return
        key = self.key()
        back = acknowledged(self.wire, "POST", f"/api/orders/{id}/returns", {"lines": [{"position": line, "quantity": 1}], "reason": "walks"}, key)["id"]
        after = self.look(id)
        expect(after["tier"] == "hot", f"order {id} has a return in progress and is not hot:", after)
        if self.dice.random() < 0.5:
            acknowledged(self.wire, "POST", f"/api/returns/{back}/cancel", {})
        else:
            # Received and never settled: it stays hot.
            acknowledged(self.wire, "POST", f"/api/returns/{back}/approve", {})
            acknowledged(self.wire, "POST", f"/api/returns/{back}/receive", {})
            self.back[id, line] += 1
            self.open[id] = back
            after = self.look(id)
            expect(after["lines"][line - 1]["returned"] == self.back[id, line], f"order {id}: a unit of line {line} came back, it says", after)
        self.counts["returns"] += 1
        return True

    def refused(self, id, at, record):
        """What a delivered order cannot do leaves it where it is."""
        status, body = self.wire.send("POST", f"/api/orders/{id}/cancel", {}, headers=["If-Match: *", f"Idempotency-Key: {self.key()}"])
        expect(status == 409, f"a delivered order was cancelled: {status}", body)
        self.counts["refused"] += 1

    def track(self):
        shipment, order = self.dice.choice(self.parcels)
        event = f"late-{self.key()}"
        acknowledged(self.wire, "POST", f"/api/shipments/{shipment}/events", {"event": event, "kind": "transit", "place": "Hof"})
        found = self.wire.get(f"/api/shipments/{shipment}")
        expect(any(e["event"] == event for e in found["events"]), f"shipment {shipment} lacks event {event}:", found)
        self.events.setdefault(shipment, set()).add(event)
        self.counts["tracked"] += 1


def recaller(port, made, secret, parcels, seed, stop, counts, results, rate):
    try:
        recalls, began, n = Recalls(port, made, secret, parcels, seed, counts), time.monotonic(), 0
        while not stop.is_set():
            recalls.one()
            n += 1
            time.sleep(max(0, began + n / rate - time.monotonic()))
        # The mover has some runs more.
        for _ in range(2):
            time.sleep(3)
            recalls.settle()
        results.put((None, recalls.wire.requests, 0, {}))
    except Exception as error:  # noqa: BLE001: whatever it is, the run has failed and says so
        results.put((f"{type(error).__name__}: {error}", 0, 0, {}))


def serve(server, made, parcels, secret, a):
    context = multiprocessing.get_context("fork")
    written, results, stop = Written(), context.Queue(), context.Event()
    manager = context.Manager()
    counts = manager.dict(collections.Counter({k: 0 for k in ("orders", "paid", "shipped", "refunds", "returns", "refused", "tracked", "read again at the end", "from hot", "from warm", "from cold")}))
    busy = random.Random(f"{a.seed}/busy").sample(range(made.people), max(10, made.people // 20))
    gate, done = context.Event(), [context.Value("q", 0) for _ in range(a.processes)]
    share = a.walks // a.processes
    walkers = [context.Process(target=walker, args=(server.port, made, written, busy, f"{a.seed}/{n}", share, done[n], gate, results), daemon=True) for n in range(a.processes)]
    others = [context.Process(target=writer, args=(server.port, made, written, busy, a.seed, stop, counts, results), daemon=True),
              context.Process(target=recaller, args=(server.port, made, secret, parcels, a.seed, stop, counts, results, a.recalls), daemon=True)]
    began = told = time.monotonic()
    for process in walkers + others:
        process.start()
    totals, tiers, ended = [0, 0], collections.Counter(), 0

    def take(bound):
        nonlocal ended
        error, requests, orders, seen = results.get(timeout=bound)
        if error:
            for process in walkers + others:
                process.kill()
            sys.exit(f"VIOLATION after {sum(d.value for d in done)} walks: {error}\nthe end of the server's log:\n{server.tail()}")
        totals[0] += requests
        totals[1] += orders
        tiers.update(seen)
        ended += 1

    while ended < a.processes:
        try:
            take(5)
        except queue.Empty:
            if server.process.poll() is not None:
                sys.exit(f"VIOLATION: the server ended by itself:\n{server.tail()}")
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"{sum(d.value for d in done)} walks, {dict(counts)}, tiers {census(a.isotherm, server.data)}: no violation so far", flush=True)
    took = time.monotonic() - began
    stop.set()
    for _ in others:
        take(600)
    gate.set()
    for _ in walkers:
        take(120)
    return took, totals, tiers, dict(counts)


def census(isotherm, data):
    return json.loads(run(isotherm, "tier", "status", "--data", data, "--json"))["tiers"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--walks", type=int, default=2_000)
    parser.add_argument("--pace", type=int, default=2_000)
    parser.add_argument("--recalls", type=float, default=25, help="late changes a second, at most")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base")
    parser.add_argument("--mutate", choices=sorted(walks_setup.MUTATIONS))
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(a.base) if a.base else None) as folder, open(os.path.join(folder, "log"), "w") as log:
        server = Server(a.isotherm, os.path.join(folder, "data"), log)
        try:
            made, parcels = begin(server, folder, a)
            if a.mutate:
                walks_setup.mutate(server.data, a.mutate)
            secret = bytes.fromhex(run(a.isotherm, "sign", "payments", "/dev/null", "--secret", "--data", server.data))
            server.config = walks_setup.configure(folder, a.pace)
            before = census(a.isotherm, server.data)
            server.start()
            took, (requests, orders), tiers, counts = serve(server, made, parcels, secret, a)
            after = census(a.isotherm, server.data)
            if server.stop() != 0:
                sys.exit(f"the server did not end well:\n{server.tail()}")
        finally:
            server.kill()
        wrong = audit_verify(a.isotherm, server.data)
        if wrong:
            sys.exit(f"VIOLATION: {wrong}")
    moved = sum(after[t] - before[t] for t in ("warm", "cold"))
    print(f"{a.walks // a.processes * a.processes} walks over {orders} orders ({dict(tiers)}) in {took:.0f} s, {requests / took:.0f} requests/s; meanwhile {counts['orders']} orders placed, "
          f"{counts['paid']} paid for, {counts['refunds']} refunds, {counts['returns']} returns, {counts['tracked']} parcels' events, {counts['refused']} refused, on orders "
          f"{', '.join(f'{counts[k]} {k}' for k in ('from hot', 'from warm', 'from cold'))}, {counts['read again at the end']} read again at the end; tiers {before} -> {after}: no violation")
    if moved < 100 or counts["orders"] < 50 or counts["from warm"] + counts["from cold"] < 10 or counts["refunds"] < 10 or counts["returns"] < 3 or counts["tracked"] < 3:
        sys.exit("too little was under way during the walks to mean anything")


def begin(server, folder, a):
    """The data folder, from --base where it is kept."""
    kept = a.base and os.path.join(a.base, "made.json")
    if kept and os.path.exists(kept):
        with open(kept) as f:
            known = json.load(f)
        expect([known[k] for k in ("seed", "people", "orders")] == [a.seed, a.people, a.orders], f"{a.base} was made with others:", known)
        expect(known["parcels"], f"{a.base} has no parcels for late events: remove it, and it is made anew")
        run("cp", "-r", "--reflink=auto", os.path.join(a.base, "data"), server.data)
        return model.Made(a.seed, a.people, a.orders, known["now"]), known["parcels"]
    now = int(time.time()) // 3600 * 3600
    made = model.Made(a.seed, a.people, a.orders, now)
    parcels = walks_setup.build(a.isotherm, server, folder, made, PRODUCTS)
    if kept:
        os.makedirs(a.base, exist_ok=True)
        run("cp", "-r", "--reflink=auto", server.data, os.path.join(a.base, "data"))
        with open(kept, "w") as f:
            json.dump({"seed": a.seed, "people": a.people, "orders": a.orders, "now": now, "parcels": parcels}, f)
    return made, parcels


if __name__ == "__main__":
    main()
