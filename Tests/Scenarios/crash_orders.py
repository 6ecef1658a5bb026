#!/usr/bin/env python3
"""Kills a server while 64 clients order, pay and cancel, with refused and poisoned requests among them; then looks at what is left.

    crash_orders.py ISOTHERM [--rounds 200] [--seed 1]

One data folder lives through all rounds. Each: start; send what was unanswered again under its old key; load; SIGKILL at a random moment, now and then while the
server is still starting; then `audit verify`, and crash_orders_file.py looks at the file. What must hold:

    every acknowledged order is there once, with its lines, in a state that was acknowledged or asked for;
    a request that was unanswered, sent again under its key, is one order; one that was acknowledged gets the same bytes again;
    refused and poisoned requests answer as documented and leave nothing;
    available + held + sold of each product is what came in; held and sold are what the orders say;
    the outbox has no gap, tells each order's creation once and every state after it, in order.

Exit code 1 on the first violation. Standard library only.
"""
import argparse
import asyncio
import collections
import itertools
import os
import random
import sys
import tempfile
import time

from crash_orders_file import Violation, expect, look
from shop_client import Connection, Gone, Server, audit_verify

CLIENTS, PLENTY, SCARCE = 64, 100, 20
HOLD = 604_800  # No hold ends by itself during a run.


class Order:
    """What is known of one order: its state as acknowledged, and states asked for that may have come."""
    __slots__ = ("who", "basket", "key", "answer", "sure", "maybe")

    def __init__(self, who, basket, key, answer):
        self.who, self.basket, self.key, self.answer, self.sure, self.maybe = who, basket, key, answer, "pending", set()


class Model:
    def __init__(self):
        self.received = {f"plenty-{n}": 1_000_000 for n in range(PLENTY)} | {f"scarce-{n}": 30 for n in range(SCARCE)}
        self.price = {p: 100 + n for n, p in enumerate(self.received)}
        self.people, self.orders, self.unanswered, self.numbers = [], {}, {}, itertools.count()
        self.count = collections.Counter()

    def key(self, kind):
        return f"{kind}-{next(self.numbers)}"

    def acknowledge(self, key, who, basket, answer):
        body = answer.json
        expect(body["id"] not in self.orders or self.orders[body["id"]].key == key, "two keys were answered with one order:", answer)
        self.orders.setdefault(body["id"], Order(who, basket, key, answer.body))
        expect(self.orders[body["id"]].answer == answer.body, "the same key was answered otherwise:", self.orders[body["id"]].answer, answer)
        self.unanswered.pop(key, None)
        self.count["orders"] += 1
        return body["id"]


def body(basket, **more):
    return {"lines": [{"product": p, "quantity": q} for p, q in basket], "hold_seconds": HOLD, **more}


class Client:
    """One shopper: a request, its answer, the next."""

    def __init__(self, model, connection, who, dice):
        self.model, self.connection, self.who, self.dice, self.own = model, connection, who, dice, []

    async def shop(self):
        acts = [self.place, self.again, self.other_body, self.pay, self.cancel, self.refused, self.poisoned]
        while True:
            await self.dice.choices(acts, [56, 6, 2, 8, 12, 10, 6])[0]()

    def send(self, method, path, content=b"", key=None, headers=()):
        return self.connection.send(f"customer:{self.who}", method, path, content, key, headers)

    def basket(self):
        products = self.dice.sample([f"plenty-{n}" for n in range(PLENTY)], self.dice.randint(1, 3))
        if self.dice.random() < 0.3:
            products.insert(self.dice.randrange(len(products) + 1), f"scarce-{self.dice.randrange(SCARCE)}")
        return [(p, self.dice.randint(1, 3)) for p in products]

    async def place(self):
        key, basket = self.model.key("order"), self.basket()
        self.model.unanswered[key] = (self.who, basket)
        answer = await self.send("POST", "/api/orders", body(basket), key)
        if answer.status == 201:
            self.own.append(self.model.acknowledge(key, self.who, basket, answer))
        else:
            expect(answer.status == 409 and answer.problem == "out-of-stock" and all(p.startswith("scarce") for p in answer.json["left"]), "an order:", answer)
            del self.model.unanswered[key]
            self.model.count["out of stock"] += 1

    async def again(self):
        if self.own:
            order = self.model.orders[self.dice.choice(self.own)]
            answer = await self.send("POST", "/api/orders", body(order.basket), order.key)
            expect(answer.status == 201 and answer.body == order.answer and answer.replayed, "the same key and request again:", answer, order.answer)
            self.model.count["again"] += 1

    async def other_body(self):
        if self.own:
            order = self.model.orders[self.dice.choice(self.own)]
            answer = await self.send("POST", "/api/orders", body(order.basket + [("plenty-0", 1)]), order.key)
            expect(answer.status == 422 and answer.problem == "idempotency-key-reused", "another request under a key:", answer)
            self.model.count["poisoned"] += 1

    async def pay(self):
        id = self.dice.choice(self.own) if self.own else None
        if id and self.model.orders[id].sure == "pending" and not self.model.orders[id].maybe:
            order = self.model.orders[id]
            order.maybe = {"confirmed"}
            answer = await self.send("POST", f"/api/orders/{id}/payments", {"card": "4000000000000002"}, self.model.key("pay"))
            expect(answer.status == 201 and answer.json["status"] == "authorised", "a payment:", answer)
            order.sure, order.maybe = "confirmed", set()
            self.model.count["payments"] += 1

    async def cancel(self):
        id = self.dice.choice(self.own) if self.own else None
        if id and self.model.orders[id].sure != "cancelled":
            order = self.model.orders[id]
            order.maybe = order.maybe | {"cancelled"}
            answer = await self.send("POST", f"/api/orders/{id}/cancel", {}, self.model.key("cancel"), ["If-Match: *"])
            expect(answer.status == 200, "a cancellation:", answer)
            order.sure, order.maybe = "cancelled", set()
            self.model.count["cancellations"] += 1

    async def refused(self):
        model, plenty = self.model, self.dice.choice(range(PLENTY))
        other = self.dice.choice(list(itertools.islice(model.orders, 50)) or [None])
        kind = self.dice.randrange(5)
        if kind == 4 and (other is None or model.orders[other].who == self.who):
            kind = 0
        if kind == 4:
            answer = await self.send("POST", f"/api/orders/{other}/cancel", {}, model.key("refused"), ["If-Match: *"])
        else:
            content = [
                body([(f"plenty-{plenty}", 1), ("nothing", 1)]),
                body([(f"plenty-{plenty}", 2), (f"scarce-{self.dice.randrange(SCARCE)}", 31)]),
                {"lines": [{"product": "plenty-1"}, {"product": f"plenty-{plenty}", "expected_price_minor": 1}]},
                body([(f"plenty-{plenty}", 1)], person=self.dice.choice([p for p in model.people if p != self.who])),
            ][kind]
            answer = await self.send("POST", "/api/orders", content, model.key("refused"))
        expected = [(404, 409), (409,), (409,), (403, 404), (404,)][kind]
        expect(answer.status in expected, "what must be refused", kind, answer)
        model.count["refused"] += 1

    async def poisoned(self):
        content, key, expected = self.dice.choice(POISON)
        answer = await self.send("POST", "/api/orders", content, self.model.key("poisoned") if key is None else key)
        expect(answer.status in expected, "what makes no sense", content[:80], answer)
        self.model.count["poisoned"] += 1


GOOD = b'{"lines":[{"product":"plenty-1","quantity":1}]}'
POISON = [(content, None, (400,)) for content in (
    b"", b"{", b"null", b"[]", b'"x"', b'{"lines":[{"product":"plenty-1"', GOOD + b"}", GOOD[:-1] + b',"lines":[]}', GOOD.replace(b"1}", b'1,"quantity":2}'),
    GOOD.replace(b":1}", b":99999999999999999999}"), GOOD.replace(b":1}", b":1e400}"), GOOD.replace(b":1}", b":-1}"), GOOD.replace(b":1}", b":1.5}"),
    GOOD.replace(b":1}", b':"1"}'), GOOD.replace(b'"plenty-1"', b"null"), GOOD.replace(b'"plenty-1"', b"17"), GOOD.replace(b"plenty-1", b"x" * 513),
    GOOD.replace(b"plenty-1", b"\xff\xfe"), GOOD.replace(b"plenty-1", b"\xed\xa0\x80"), b"[" * 5_000,
    b'{"lines":[' + b",".join([b'{"product":"plenty-1"}'] * 101) + b"]}", b'{"lines":[{"product":"plenty-1"}],"unknown":1}',
    b'{"lines":[{"product":"plenty-1"}],"hold_seconds":9223372036854775807}', b'{"lines":[]}', b'{"lines":{}}', b"\x00" * 64,
)] + [
    (GOOD, "k" * 181, (400,)), (GOOD, "", (400,)), (GOOD, "a\x7fb", (400,)), (b'{"lines":[{"product":"' + b"x" * (1 << 20) + b'"}]}', None, (413,)),
    # Half a surrogate pair is read as U+FFFD: a product that is not there.
    (GOOD.replace(b"plenty-1", b"\\ud800"), None, (400, 404)),
]


async def register(model, connections):
    async def product(connection, name):
        content = {"title": f"Title of {name}", "price_minor": model.price[name], "currency": "EUR", "available": model.received[name]}
        answer = await connection.send("staff:crash", "PUT", f"/api/products/{name}", content, key=f"product-{name}")
        expect(answer.status == 200, answer)
    names = list(model.received)
    for at in range(0, len(names), CLIENTS):
        await asyncio.gather(*(product(c, n) for c, n in zip(connections, names[at:at + CLIENTS])))
    made = await asyncio.gather(*(c.send("staff:crash", "POST", "/api/people", {"name": f"P{n}"}, key=f"person-{n}") for n, c in enumerate(connections)))
    model.people = [a.json["id"] for a in made]


async def send_again(model, connections, seen, dice):
    """What was unanswered, under its old key: done once, whether it was done before the kill (then its key was in the file) or not."""
    async def one(connection, key, who, basket):
        answer = await connection.send(f"customer:{who}", "POST", "/api/orders", body(basket), key)
        was_there = (who, key) in seen
        if answer.status == 201:
            expect(answer.replayed == was_there, "an order sent again: in the file", was_there, "replayed", answer.replayed, answer)
            model.acknowledge(key, who, basket, answer)
            model.count["unanswered, was there" if was_there else "unanswered, was not"] += 1
        else:
            expect(not was_there and answer.status == 409, "an order sent again was refused, in the file", was_there, answer)
            del model.unanswered[key]

    async def sample(connection, id):
        order = model.orders[id]
        answer = await connection.send(f"customer:{order.who}", "GET", f"/api/orders/{id}")
        expect(answer.status == 200 and [(l["product"], l["quantity"]) for l in answer.json["lines"]] == order.basket, "an acknowledged order over HTTP:", answer)
        expect(answer.json["status"] in {order.sure} | order.maybe, "its state", answer.json["status"], "acknowledged", order.sure, order.maybe)
        answer = await connection.send(f"customer:{order.who}", "POST", "/api/orders", body(order.basket), order.key)
        expect(answer.status == 201 and answer.replayed and answer.body == order.answer, "an acknowledged order sent again:", answer)

    again = list(model.unanswered.items())
    await asyncio.gather(*(one(connections[n % CLIENTS], key, *what) for n, (key, what) in enumerate(again[:CLIENTS])))
    expect(len(again) <= CLIENTS, "more unanswered than clients")
    some = dice.sample(list(model.orders), min(24, len(model.orders)))
    await asyncio.gather(*(sample(connections[n], id) for n, id in enumerate(some)))


async def load(server, model, seen, dice, seconds):
    """Everything a round does over HTTP; ends by the kill, or, given no time, after what was unanswered was sent again."""
    connections = [Connection(server.port) for _ in range(CLIENTS)]
    if not model.people:
        await register(model, connections)
    await send_again(model, connections, seen, dice)
    if seconds is None:
        return
    shoppers = [asyncio.create_task(Client(model, c, who, random.Random(dice.random())).shop()) for c, who in zip(connections, model.people)]
    await asyncio.sleep(seconds)
    server.process.kill()
    for result in await asyncio.gather(*shoppers, return_exceptions=True):
        if not isinstance(result, Gone):
            raise result
    for connection in connections:
        connection.close()


def rounds(server, model, dice, count):
    seen, slowest = None, 0.0
    for round in range(count + 1):
        try:
            if round > 0 and round % 10 == 0:
                # Killed while it starts, recovering what the last kill left.
                server.spawn()
                time.sleep(dice.uniform(0, 0.08))
                server.kill()
            slowest = max(slowest, server.start())
            asyncio.run(load(server, model, seen[0] if seen else set(), dice, dice.uniform(0.05, 0.6) if round < count else None))
            if round == count:
                expect(server.stop() == 0, "the server did not end well")
            server.process.wait()
            seen = look(f"{server.data}/hot/isotherm.db", model, seen)
            wrong = audit_verify(server.binary, server.data)
            expect(not wrong, wrong)
            if round and round % 20 == 0:
                print(f"{round} kills, {len(model.orders)} orders: no violation so far", flush=True)
        except Violation as error:
            sys.exit(f"VIOLATION in round {round}: {error}")
        except Gone as error:
            sys.exit(f"VIOLATION in round {round}: the server ended by itself, {error}; the end of its log:\n{server.tail()}")
    return slowest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    model, began = Model(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "log"), "w") as log:
        server = Server(a.isotherm, os.path.join(folder, "data"), log)
        try:
            slowest = rounds(server, model, random.Random(a.seed), a.rounds)
        finally:
            server.kill()
    count = model.count
    print(f"{a.rounds} kills in {time.monotonic() - began:.0f} s, slowest start {slowest:.2f} s: {len(model.orders)} orders acknowledged, "
          f"{count['payments']} payments, {count['cancellations']} cancellations, {count['again']} sent again, {count['out of stock']} out of stock, "
          f"{count['refused']} refused, {count['poisoned']} poisoned; unanswered at a kill: {count['unanswered, was there']} were there, "
          f"{count['unanswered, was not']} were not: no violation")
    if len(model.orders) < 20 * a.rounds or count["unanswered, was there"] + count["unanswered, was not"] < 5 * a.rounds:
        sys.exit("too little was under way at the kills to mean anything")


if __name__ == "__main__":
    main()
