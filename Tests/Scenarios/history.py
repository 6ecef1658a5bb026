#!/usr/bin/env python3
"""Olist over three tiers: every person's history over HTTP equals lists that Python merged from the CSVs.

    history.py ISOTHERM OLIST [--people 300] [--sample 400] [--seed 1] [--reconcile] [--lose-warm]

Imports, runs the mover (case-study, 2018-09-03T18:00:00Z), starts a server. Then, against history_model.py:

    every order is in the tier that its age and state say, by walk and by `tier status`;
    the walks at limits 1, 2, 7 and 100 with include=cold of a seeded sample and of those with two or three orders (--sample 0: of everybody): identifiers,
    references, newest first, totals, states, tiers, lines word for word; and one of their orders by GET /api/orders/...;
    the walk without include=cold of every person, where a cold order is a stub with its total, and /frames.

--reconcile: the mover runs three times, hot is then restored from a backup of before the last two, and reconciled; everything above must hold all the same, every
order must be in the archive or not as the directory says (`archive verify`), and none lost.

--lose-warm: a snapshot of the warm index is taken before the last run. After it the folder of all indexes is removed, and so is what was staged when the snapshot was
taken (its week is over); the snapshot is restored and reconciled. Everything above must hold, and every order of warm be found by search. With --reconcile both tiers are lost, and what hot has again is moved once more.

--people N: the same on the files re-keyed to N persons, some with thousands of orders. Exit code 1 on the first difference. Standard library only.
"""
import argparse
import collections
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zlib

import history_model as model
from history_client import Violation, Wire, expect, walk
from shop_client import Server

NOW = "2018-09-03T18:00:00Z"
POLICIES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../config/tiers.yaml")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout.strip()


def same(got, wanted, what):
    """Entry by entry, the members that the model has."""
    for place, (g, w) in enumerate(zip(got, wanted)):
        expect(all(g.get(k, "missing") == v for k, v in w.items()), f"{what}, order {place}:", {k: (g.get(k), v) for k, v in w.items() if g.get(k) != v}, g)
    expect(len(got) == len(wanted), f"{what}: {len(got)} orders for {len(wanted)}")


def stub(order):
    return {k: v for k, v in order.items() if k != "lines"} | {"lines": []} if order["tier"] == "cold" else order


def check(port, jobs, results):
    """One process's share: (person, orders, limits, with frames)."""
    wire, walks = Wire(port), 0
    try:
        for person, orders, limits in jobs:
            for limit in limits:
                same(walk(wire, f"ref:olist:{person}", limit), orders, f"{person} at limit {limit}")
                walks += 1
            same(walk(wire, f"ref:olist:{person}", 20, cold=False), [stub(o) for o in orders], f"{person} without include=cold")
            walks += 1
            if limits:
                one = orders[zlib.crc32(person.encode()) % len(orders)]
                same([wire.get(f"/api/orders/{one['id']}?include=cold")], [one], f"order {one['id']}")
            got = wire.get(f"/api/people/ref:olist:{person}/orders/frames")
            wanted = model.frames(orders, int(time.time()))
            expect(all(got[k] == v for k, v in wanted.items()), f"{person}: frames are", got, "and not", wanted)
        results.put((None, walks, wire.requests))
    except (Violation, OSError, EOFError) as error:
        results.put((f"{type(error).__name__}: {error}", walks, wire.requests))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("olist")
    parser.add_argument("--people", type=int, default=0)
    parser.add_argument("--sample", type=int, default=400, help="walks at all limits of so many persons; 0: of everybody")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reconcile", action="store_true", help="restore hot from a backup of before the last two of three runs, and reconcile")
    parser.add_argument("--lose-warm", action="store_true", help="lose all indexes, restore warm from a snapshot of before the last run, and reconcile")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = a.olist
        if a.people:
            source = os.path.join(folder, "olist")
            model.rekey(a.olist, source, a.people, a.seed)
        history, now = model.olist(source), model.seconds(NOW)
        census = collections.Counter()
        for orders in history.values():
            for order in orders:
                order["tier"] = model.tier(order, now)
                census[order["tier"]] += 1
        most = max(map(len, history.values()))
        print(f"{len(history)} persons with {sum(census.values())} orders, at most {most}; by age and state {dict(census)}", flush=True)
        data = os.path.join(folder, "data")
        print(run(a.isotherm, "import", "olist", source, "--data", data, "--quiet").splitlines()[-1])
        move = [a.isotherm, "tier", "run", "--data", data, "--policy", "case-study", "--policies", POLICIES, "--now"]
        again, staged = a.reconcile or a.lose_warm, os.path.join(data, "staging", "moves")
        repository = os.path.join(folder, "snapshots")
        if again:
            print(run(*move, "2018-04-10T00:00:00Z"))
            backup = run(a.isotherm, "backup", folder, "--data", data)
            print(run(*move, "2018-07-01T00:00:00Z"))
        if a.lose_warm:
            print(run(a.isotherm, "snapshot", "create", "weekly", "--data", data, "--repo", repository, "--indices", "orders-warm"))
            expired = os.listdir(staged)
        print(run(*move, NOW), flush=True)
        if a.lose_warm:
            shutil.rmtree(os.path.join(data, "indexes"))
            for batch in expired:
                shutil.rmtree(os.path.join(staged, batch))
            print(run(a.isotherm, "snapshot", "restore", "weekly", "--data", data, "--repo", repository))
        if a.reconcile:
            print(run(a.isotherm, "restore", backup, "--data", data))
        if again:
            report = json.loads(run(a.isotherm, "tier", "reconcile", "--data", data, "--policies", POLICIES, "--json"))
            print("reconciled:", report, flush=True)
            expect(not report["lost"], "reconciled:", report)
            expect(not a.reconcile or report["adopted"] > 5_000, "reconciled:", report)
            if a.reconcile and a.lose_warm:
                # What moved since the backup is hot in it, and its copies went with warm: due again.
                expect(report["tiers"]["hot"] > census["hot"] + 1_000, "reconciled:", report)
                print(run(*move, NOW), flush=True)
            elif a.lose_warm:
                expect(report["reloaded"] > 1_000, "reconciled:", report)
            print(run(a.isotherm, "archive", "verify", "--data", data).splitlines()[-1], flush=True)
        with open(os.path.join(folder, "log"), "w") as log:
            server = Server(a.isotherm, data, log)
            server.start()
            try:
                serve(server, history, a)
                found = Wire(server.port).get("/orders-warm/_count")["count"]
                expect(found == census["warm"], f"the warm index has {found} orders for {census['warm']}")
                tiers = json.loads(run(a.isotherm, "tier", "status", "--data", data, "--json"))["tiers"]
                if tiers != {tier: census[tier] for tier in ("hot", "warm", "cold")}:
                    sys.exit(f"VIOLATION: tier status says {tiers}")
            finally:
                server.kill()


def serve(server, history, a):
    dice, began = random.Random(a.seed), time.monotonic()
    people = sorted(history)
    chosen = set(people if a.sample == 0 else dice.sample(people, min(a.sample, len(people))))
    jobs = []
    for person in people:
        # At limit 1 a history of thousands is as many requests; in the short form the longest are left to the other limits.
        long = len(history[person]) > 500 and a.sample != 0
        every = person in chosen or 1 < len(history[person]) < 4
        jobs.append((person, history[person], ([7, 100] if long else [7, 1, 2, 100]) if every else []))
    # The longest first, so that both processes end together.
    jobs.sort(key=lambda job: -len(job[1]) * len(job[2]))
    results, processes = multiprocessing.Queue(), 2
    workers = [multiprocessing.Process(target=check, args=(server.port, jobs[n::processes], results), daemon=True) for n in range(processes)]
    for worker in workers:
        worker.start()
    outcomes = [results.get(timeout=1_800) for _ in workers]
    for worker in workers:
        worker.join()
    wrong = [error for error, _, _ in outcomes if error]
    if wrong:
        sys.exit("VIOLATION: " + "\n".join(wrong) + "\nthe end of the server's log:\n" + server.tail())
    took = time.monotonic() - began
    requests = sum(o[2] for o in outcomes)
    print(f"{sum(o[1] for o in outcomes)} walks, {len(people)} persons' frames: equal to the merged CSVs; {requests} requests in {took:.1f} s, {requests / took:.0f}/s")


if __name__ == "__main__":
    main()
