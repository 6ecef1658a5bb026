"""The data folder that walks.py begins with, and the server's configuration: a shop with parcels in warm, and generated orders, all of them hot."""
import json
import os
import re
import sqlite3
import subprocess
import sys
import time

import history_model as model
from history_client import Wire, expect

HERE = os.path.dirname(os.path.abspath(__file__))
TIERS = os.path.join(HERE, "../../config/tiers.yaml")


def run(*command, good=(0,)):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in good:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout.strip()


def configure(folder, pace):
    """The repository's own tiers, with a mover that runs all the time at a pace; gives the configuration file."""
    with open(TIERS) as f:
        text = f.read()
    for name, value in (("every_seconds", 1), ("orders_per_second_max", pace), ("archive_batch_orders", 2000)):
        text, count = re.subn(rf"(?m)^(\s*{name}:).*$", rf"\1 {value}", text)
        expect(count == 1, f"config/tiers.yaml has no {name}")
    tiers, path = os.path.join(folder, "tiers.yaml"), os.path.join(folder, "isotherm.yaml")
    with open(tiers, "w") as f:
        f.write(text)
    with open(path, "w") as f:
        f.write(f"shop:\n  tiers: {tiers}\n")
    return path


def post(wire, path, body, key=None, good=(200, 201), method="POST"):
    status, answer = wire.send(method, path, body, headers=[f"Idempotency-Key: {key}"] if key else [])
    expect(status in good, f"{method} {path} answered {status}:", answer)
    return json.loads(answer)


def parcels(wire, count, products):
    """Orders that were placed, paid, shipped and delivered over HTTP: (shipment, order) each."""
    for n in range(products):
        post(wire, f"/api/products/new-{n}", {"title": f"New {n}", "price_minor": 500 + n, "currency": "EUR", "available": 1_000_000_000}, method="PUT")
    person = post(wire, "/api/people", {"name": "Parcels"})["id"]
    made = []
    for n in range(count):
        order = post(wire, "/api/orders", {"person": person, "lines": [{"product": f"new-{n % products}", "quantity": 1}]}, f"parcel-{n}")["id"]
        pay = post(wire, f"/api/orders/{order}/payments", {"card": "4000000000000002"}, f"parcel-pay-{n}")["id"]
        post(wire, f"/api/payments/{pay}/capture", {}, f"parcel-capture-{n}")
        shipment = post(wire, f"/api/orders/{order}/shipments", {"carrier": "post", "tracking_code": f"parcel-{n}", "lines": [{"position": 1, "quantity": 1}]})["id"]
        for kind in ("pickup", "transit", "out", "deliver"):
            post(wire, f"/api/shipments/{shipment}/events", {"event": f"parcel-{n}-{kind}", "kind": kind, "place": "Hof"})
        made.append((shipment, order))
    return made


def build(isotherm, server, folder, made, products, count=60):
    """Fills `server.data`; gives the parcels."""
    server.start()
    delivered = parcels(Wire(server.port, "staff:walks"), count, products)
    server.stop()
    # In a hundred days they are warm; the generated orders come after and stay hot.
    later = model.moment(int(time.time()) + 100 * model.DAY)
    run(isotherm, "tier", "run", "--data", server.data, "--policies", TIERS, "--policy", "default", "--now", later)
    path = os.path.join(folder, "orders.ndjson")
    began = time.monotonic()
    made.write(path)
    written = time.monotonic()
    run(isotherm, "import", "history", path, "--source", made.source, "--data", server.data)
    size = os.path.getsize(path)
    os.remove(path)
    print(f"{made.orders} orders of {made.people} persons generated in {written - began:.0f} s ({size >> 20} MB), imported in {time.monotonic() - written:.0f} s", flush=True)
    return delivered


MUTATIONS = {
    # What a reader that filters by something the flip changes would show.
    "invisible": """CREATE TRIGGER mutated AFTER UPDATE OF tier ON order_directory WHEN old.tier <> new.tier BEGIN
        UPDATE order_directory SET added_seq = new.added_seq + 1000000000 WHERE order_id = new.order_id; END""",
    # A recall that does not flip: the copy on the shelf, of the version before, goes on being shown.
    "stale": """CREATE TRIGGER mutated AFTER UPDATE OF tier ON order_directory WHEN new.tier = 'hot' BEGIN
        UPDATE order_directory SET tier = old.tier, version = old.version WHERE order_id = new.order_id; END""",
    # Orders that count as older than every walk, and come into its middle: a page without as_of.
    "late": """DROP TRIGGER directory_place_in_time; CREATE TRIGGER mutated AFTER INSERT ON order_directory WHEN new.state = 'pending' BEGIN
        UPDATE order_directory SET added_seq = -new.added_seq, placed_at = placed_at - 2000000000 * (new.added_seq % 40000) WHERE order_id = new.order_id; END""",
}


def mutate(data, name):
    with sqlite3.connect(f"{data}/hot/isotherm.db") as store:
        store.executescript(MUTATIONS[name])
