#!/usr/bin/env python3
"""64 clients buy baskets of three products that share the last 10 of one, over HTTP, again and again.

    race.py ISOTHERM [--rounds 1000] [--seed 1]

Each round has new products, and 64 connections which all send before any is answered. A basket lists the shared product and two others in any order, so
that two of them may want the same things the other way round. Then exactly 10 are sold, 54 are refused because the shared one is out; the round
ends within its bound (no deadlock); each order that was acknowledged has its three lines; what is left of every product is what the acknowledged
orders leave (a refused one took nothing). At the end the file is looked at: no row too many or too few. Exit code 1 on the first violation.
Standard library only.
"""
import argparse
import asyncio
import collections
import os
import pathlib
import random
import sqlite3
import sys
import tempfile
import time

from shop_client import Connection, Server, audit_verify

CLIENTS, LAST, OTHERS, STOCK, BOUND = 64, 10, 6, 1_000, 20


class Violation(Exception):
    pass


def expect(good, *what):
    if not good:
        raise Violation(" ".join(str(w) for w in what))


async def stock(connection, product, available):
    answer = await connection.send("staff:race", "PUT", f"/api/products/{product}", {"title": product, "price_minor": 100, "currency": "EUR", "available": available},
                                   key=f"stock-{product}")
    expect(answer.status == 200, "a product was not made:", answer)


async def left(connection, product):
    answer = await connection.send("staff:race", "GET", f"/api/products/{product}")
    expect(answer.status == 200, answer)
    return answer.json["available"]


async def buy(number, connections, people, round, dice):
    """One round; gives the ids of the orders acknowledged and the longest answer's seconds."""
    shared, others = f"r{round}-last", [f"r{round}-{n}" for n in range(OTHERS)]
    await asyncio.gather(*(stock(c, p, LAST if p == shared else STOCK) for c, p in zip(connections, [shared, *others])))
    baskets = []
    for _ in connections:
        basket = [shared, *dice.sample(others, 2)]
        dice.shuffle(basket)
        baskets.append(basket)
    began = time.monotonic()
    answers = await asyncio.gather(*(
        c.send(f"customer:{who}", "POST", "/api/orders", {"lines": [{"product": p} for p in basket]}, key=f"buy-{round}-{n}")
        for n, (c, who, basket) in enumerate(zip(connections, people, baskets))))
    took = time.monotonic() - began
    bought = [(n, a.json["id"]) for n, a in enumerate(answers) if a.status == 201]
    for answer in answers:
        if answer.status != 201:
            expect(answer.status == 409 and answer.problem == "out-of-stock" and answer.json["left"] == {shared: 0}, "refused otherwise than as sold out:", answer)
    expect(len(bought) == LAST, len(bought), "were sold, not", LAST)
    taken = collections.Counter(p for n, _ in bought for p in baskets[n])
    found = await asyncio.gather(*(left(c, p) for c, p in zip(connections, [shared, *others])))
    for product, count in zip([shared, *others], found):
        expect(count == (LAST if product == shared else STOCK) - taken[product], f"{product}: {count} left after {taken[product]} were sold")
    orders = await asyncio.gather(*(connections[n].send(f"customer:{people[n]}", "GET", f"/api/orders/{id}") for n, id in bought))
    for (n, _), answer in zip(bought, orders):
        lines = [line["product"] for line in answer.json["lines"]] if answer.status == 200 else answer
        expect(lines == baskets[n], "an order has not the lines it was asked for:", lines, baskets[n])
    return [id for _, id in bought], took


async def race(server, rounds, dice):
    connections = [Connection(server.port) for _ in range(CLIENTS)]
    made = await asyncio.gather(*(c.send("staff:race", "POST", "/api/people", {"name": f"Buyer {n}"}, key=f"person-{n}") for n, c in enumerate(connections)))
    people, ids, slowest = [a.json["id"] for a in made], [], 0.0
    for round in range(rounds):
        try:
            bought, took = await asyncio.wait_for(buy(round, connections, people, round, dice), BOUND)
        except Violation as error:
            sys.exit(f"VIOLATION in round {round}: {error}")
        except asyncio.TimeoutError:
            sys.exit(f"VIOLATION in round {round}: not all were answered within {BOUND} s")
        ids += bought
        slowest = max(slowest, took)
    status = (await connections[0].send("staff:race", "GET", "/api/status")).json
    for connection in connections:
        connection.close()
    return ids, slowest, status


def look(path, ids, rounds):
    """What the file holds, past the store; the server has stopped."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        def one(sql):
            return db.execute(sql).fetchone()[0]
        expected = {
            "SELECT count(*) FROM orders": LAST * rounds,
            "SELECT count(*) FROM order_directory": LAST * rounds,
            "SELECT count(*) FROM order_lines": 3 * LAST * rounds,
            "SELECT count(*) FROM (SELECT 1 FROM order_lines GROUP BY order_id HAVING count(*) <> 3)": 0,
            "SELECT sum(held) FROM stock": 3 * LAST * rounds,
            "SELECT sum(sold) FROM stock": 0,
            "SELECT count(*) FROM stock WHERE received <> available + held + sold": 0,
            "SELECT count(*) FROM stock JOIN products USING (product) WHERE received <> iif(product_id LIKE '%-last', 10, 1000)": 0,
            "SELECT max(position) - count(*) FROM outbox": 0,
            "SELECT count(*) FROM outbox WHERE body ->> 'order' IS NOT NULL": LAST * rounds,
        }
        wrong = [f"{sql} gives {one(sql)}, not {value}" for sql, value in expected.items() if one(sql) != value]
        there = {row[0].hex() for row in db.execute("SELECT order_id FROM orders")}
        if there != {id.replace("-", "") for id in ids}:
            wrong.append("the orders in the file are not those acknowledged")
        if [r[0] for r in db.execute("PRAGMA integrity_check")] != ["ok"] or db.execute("PRAGMA foreign_key_check").fetchone():
            wrong.append("SQLite's own checks fail")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "log"), "w") as log:
        server = Server(a.isotherm, str(pathlib.Path(folder) / "data"), log)
        server.start()
        began = time.monotonic()
        try:
            ids, slowest, status = asyncio.run(race(server, a.rounds, random.Random(a.seed)))
            took = time.monotonic() - began
            if server.stop() != 0:
                sys.exit(f"the server did not end well:\n{server.tail()}")
        finally:
            server.kill()
        wrong = look(f"{server.data}/hot/isotherm.db", ids, a.rounds)
        wrong += filter(None, [audit_verify(a.isotherm, server.data)])
    for line in wrong:
        print("VIOLATION:", line)
    print(f"{a.rounds} rounds of {CLIENTS} clients in {took:.1f} s: {len(ids)} sold of {CLIENTS * a.rounds} wanted, {LAST} in every round; slowest round "
          f"{slowest * 1000:.0f} ms; {status['commits']} commits: {'no violation' if not wrong else 'VIOLATIONS'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
