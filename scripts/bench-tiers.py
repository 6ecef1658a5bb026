#!/usr/bin/env python3
"""How long an order takes to read by its tier, over HTTP, and what a cold one costs at the object store: bench-tiers.py ISOTHERM [--orders N] [--work FOLDER] [--s3 LOCATION]

N generated orders (history_model.Made): nine of ten of one month three years ago, so that the archive's file of that month passes 64 MB, the others warm and hot.
With --s3 (keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) the archive is there instead of in the data folder. One client, kept alive, one request at a
time; --reads of each kind. Exit code 1 when a cold order takes more than 4 requests or 256 KB. Standard library only."""
import argparse
import datetime
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../Tests/Scenarios"))
import history_model as model  # noqa: E402
from history_client import Wire, expect  # noqa: E402
from shop_client import Server  # noqa: E402


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout.strip()


def configure(folder, location):
    with open(os.path.join(HERE, "../config/tiers.yaml")) as f:
        text = f.read()
    if location:
        text, count = re.subn(r"(?m)^(archive:\n(?:  #.*\n)*  location:).*$", rf"\1 {location}", text)
        expect(count == 1, "config/tiers.yaml has no archive.location")
    tiers, path = os.path.join(folder, "tiers.yaml"), os.path.join(folder, "isotherm.yaml")
    for name, content in ((tiers, text), (path, f"shop:\n  tiers: {tiers}\n")):
        with open(name, "w") as f:
            f.write(content)
    return tiers, path


def timed(wire, paths, tier=None):
    times, costs = [], []
    for path in paths:
        start = time.perf_counter()
        answer = wire.get(path)
        times.append((time.perf_counter() - start) * 1000)
        if tier and (answer["tier"] != tier or (answer.get("archive", {}).get("requests", 0) > 0) != (tier == "cold")):
            sys.exit(f"{path} is not read from the {tier} tier: {answer}")
        costs.append((answer["archive"]["requests"], answer["archive"]["bytes"]) if "archive" in answer else (0, 0))
    times.sort()
    return f"p50 {times[len(times) // 2]:.2f} ms, p99 {times[len(times) * 99 // 100]:.2f} ms, longest {times[-1]:.2f} ms", costs


def told(costs):
    requests, size = sorted(r for r, _ in costs), sorted(b for _, b in costs)
    return f"requests p50 {requests[len(requests) // 2]}, most {requests[-1]}; bytes p50 {size[len(size) // 2]}, most {size[-1]}", requests[-1], size[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--orders", type=int, default=240_000)
    parser.add_argument("--reads", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work")
    parser.add_argument("--s3")
    a = parser.parse_args()
    now = int(time.time()) // 3600 * 3600
    today = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
    first = datetime.datetime(today.year - 3, today.month, 1, tzinfo=datetime.timezone.utc)
    old = (today - first).total_seconds() / model.DAY
    made = model.Made(a.seed, max(100, a.orders // 12), a.orders, now, ages=((18, old - 27.5, old - 0.1), (1, 100, 700), (1, 1, 80)))
    with tempfile.TemporaryDirectory(dir=a.work) as folder, open(os.path.join(folder, "log"), "w") as log:
        data, history = os.path.join(folder, "data"), os.path.join(folder, "orders.ndjson")
        tiers, config = configure(folder, a.s3)
        made.write(history)
        run(a.isotherm, "import", "history", history, "--source", made.source, "--data", data)
        start = time.monotonic()
        moved = json.loads(run(a.isotherm, "tier", "run", "--data", data, "--policies", tiers, "--json"))
        files = sorted(map(os.path.getsize, glob.glob(f"{data}/cold/orders/year=*/month=*/*.parquet")))
        print(f"{a.orders} orders, {moved['moved']} moved in {time.monotonic() - start:.0f} s, tiers {moved['tiers']}; "
              + (f"the archive at {a.s3}" if a.s3 else f"largest file of the archive {files[-1] / 1e6:.1f} MB"), flush=True)
        if not a.s3 and a.orders >= 240_000:
            expect(files[-1] >= 64 << 20, "no file of 64 MB")
        server = Server(a.isotherm, data, log)
        server.config = config
        server.start()
        try:
            measure(server, made, a)
        finally:
            server.kill()
        print("load average at the end: " + open("/proc/loadavg").read().split(" ")[0])


def measure(server, made, a):
    dice, wire = random.Random(a.seed), Wire(server.port, "staff:bench")
    bands, picked = ((90, "hot"), (730, "warm"), (None, "cold")), {"hot": [], "warm": [], "cold": []}
    while min(map(len, picked.values())) < a.reads + 1:
        person = dice.randrange(made.people)
        for order in made.history(person):
            tier = model.tier(order, made.now, bands)
            if order["status"] in model.FINAL and len(picked[tier]) <= a.reads:
                picked[tier].append((person, order["id"]))
    times, costs = timed(wire, [f"/api/orders/{picked['cold'].pop()[1]}?include=cold"], "cold")
    print(f"the first cold order after a start: {times}; {told(costs)[0]}")
    wrong = False
    for tier in ("hot", "warm", "cold"):
        times, costs = timed(wire, [f"/api/orders/{id}?include=cold" for _, id in picked[tier]], tier)
        print(f"GET /api/orders/ID?include=cold, {tier}: {times}" + (f"; {told(costs)[0]}" if tier == "cold" else ""), flush=True)
        if tier == "cold":
            wrong = told(costs)[1] > 4 or told(costs)[2] > 256 << 10
    people = [person for person, _ in picked["cold"][:a.reads]]
    for query in ("limit=20", "limit=1", "limit=20&include=cold"):
        times, costs = timed(wire, [f"/api/people/ref:{made.source}:p{person}/orders?{query}" for person in people])
        print(f"GET /api/people/ID/orders?{query}: {times}" + (f"; {told(costs)[0]}" if "cold" in query else ""), flush=True)
    if wrong:
        sys.exit("a cold order took more than 4 requests or 256 KB")


if __name__ == "__main__":
    main()
