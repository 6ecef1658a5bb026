#!/usr/bin/env python3
"""Kills a server under load, again and again, and checks that every acknowledged write is there, once.

    crash.py ISOTHERM [--rounds 50] [--seed 1]

Each round: start `isotherm serve` on the same folder; compare every document with what was acknowledged; let writers index, update, delete, refresh
and flush for a random moment; SIGKILL. A write that was under way at the kill may or may not be there; anything else that differs is a
violation. Exit code 1 on the first one. Standard library only.
"""
import argparse, http.client, json, os, random, signal, socket, subprocess, sys, tempfile, threading, time

INDEX = "crash"
WRITERS = 3


class Model:
    """What the server must have: per id the acknowledged number (None: deleted or never there), and numbers that may be."""

    def __init__(self):
        self.sure, self.maybe, self.writes, self.failures = {}, {}, 0, []

    def allowed(self, id):
        return {self.sure.get(id)} | self.maybe.get(id, set())

    def settle(self, id, found):
        self.sure[id] = found
        self.maybe.pop(id, None)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def call(connection, method, path, body=None, lines=False):
    data = None if body is None else body if lines else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/x-ndjson" if lines else "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"{}")


def start(binary, folder, log):
    port = free_port()
    process = subprocess.Popen([binary, "serve", "--data", folder, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log)
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode} instead of starting; the end of its log:\n{tail(log)}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            if call(connection, "GET", "/")[0] == 200:
                return process, port, connection
        except OSError:
            time.sleep(0.05)
    process.kill()
    sys.exit("the server did not start within 30 s")


def tail(log):
    with open(log.name, errors="replace") as f:
        return f.read()[-2000:]


def plan(number, counter, model, dice):
    """A bulk request on ids that only this writer has: what each id becomes, and the lines to send."""
    becomes, lines = {}, []
    for id in dict.fromkeys(f"{number}-{dice.randrange(400)}" for _ in range(dice.choice([1, 1, 5, 40]))):
        counter += 1
        kind = dice.random()
        if kind < 0.15:
            becomes[id] = None
            lines.append({"delete": {"_id": id}})
        elif kind < 0.3 and model.sure.get(id) is not None:
            becomes[id] = counter
            lines += [{"update": {"_id": id}}, {"doc": {"n": counter}}]
        else:
            becomes[id] = counter
            lines += [{"index": {"_id": id}}, {"n": counter, "text": f"writer {number} wrote {counter}", "pad": "x" * dice.randrange(2000)}]
    return becomes, lines, counter


def write(number, port, round, model, dice, stop):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    counter = round * 1_000_000 + number * 100_000
    while not stop.is_set():
        becomes, lines, counter = plan(number, counter, model, dice)
        model.writes += len(becomes)
        for id, value in becomes.items():
            model.maybe.setdefault(id, set()).add(value)
        try:
            status, answer = call(connection, "POST", f"/{INDEX}/_bulk", "".join(json.dumps(l) + "\n" for l in lines), lines=True)
            if status != 200:
                return model.failures.append(f"_bulk answered {status}: {answer}")
            for item in answer["items"]:
                (_, result), = item.items()
                if "error" in result:
                    return model.failures.append(f"refused: {result}")
                model.settle(result["_id"], becomes[result["_id"]])
            if dice.random() < 0.05:
                call(connection, "POST", f"/{INDEX}/_refresh")
            if dice.random() < 0.02:
                call(connection, "POST", f"/{INDEX}/_flush")
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return None  # killed


def check(connection, model, round):
    ids = sorted(set(model.sure) | set(model.maybe))
    for at in range(0, len(ids), 500):
        part = ids[at:at + 500]
        status, answer = call(connection, "POST", f"/{INDEX}/_mget", {"ids": part})
        if status != 200:
            sys.exit(f"round {round}: _mget answered {status}: {answer}")
        for id, doc in zip(part, answer["docs"]):
            found = doc["_source"]["n"] if doc.get("found") else None
            if found not in model.allowed(id):
                sys.exit(f"VIOLATION in round {round}: {id} has {found}, acknowledged or possible: {model.allowed(id)}")
            model.settle(id, found)
    call(connection, "POST", f"/{INDEX}/_refresh")
    alive = sum(v is not None for v in model.sure.values())
    _, answer = call(connection, "GET", f"/{INDEX}/_count")
    if answer.get("count") != alive:
        sys.exit(f"VIOLATION in round {round}: {answer.get('count')} documents are counted, {alive} are there")


def load(port, round, process, model, dice):
    """Lets the writers run for a moment, then kills the server under them."""
    stop = threading.Event()
    dices = [random.Random(dice.random()) for _ in range(WRITERS)]
    threads = [threading.Thread(target=write, args=(n, port, round, model, d, stop), daemon=True) for n, d in enumerate(dices)]
    for t in threads:
        t.start()
    time.sleep(0.2 + 1.3 * dice.random())
    process.send_signal(signal.SIGKILL)
    stop.set()
    for t in threads:
        t.join(60)
    if model.failures:
        sys.exit("\n".join(model.failures[:3]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    model, dice, slowest = Model(), random.Random(a.seed), 0.0
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "log"), "w") as log:
        data = os.path.join(folder, "data")
        for round in range(a.rounds + 1):
            began = time.monotonic()
            process, port, connection = start(a.isotherm, data, log)
            slowest = max(slowest, time.monotonic() - began)
            try:
                if round > 0:
                    check(connection, model, round)
                else:
                    call(connection, "PUT", f"/{INDEX}", {"mappings": {"properties": {"n": {"type": "long"}, "text": {"type": "text"}}}})
                if round < a.rounds:
                    load(port, round, process, model, dice)
            finally:
                process.kill()
                process.wait()
        subprocess.run([a.isotherm, "check", "--data", data], check=True)
    alive = sum(v is not None for v in model.sure.values())
    print(f"{a.rounds} kills, {model.writes} writes, {alive} documents at the end, slowest start {slowest:.2f} s: no violation")
    if model.writes < 20 * a.rounds:
        sys.exit("too few writes to mean anything")


if __name__ == "__main__":
    main()
