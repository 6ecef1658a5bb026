#!/usr/bin/env python3
"""/api over sockets: what tests without them cannot see. One line a check; exit code 1 when one failed.

    shop_http.py BINARY

Live tracking arrives piece by piece and resumes; bodies past the bound are refused; the actor header is believed on the loopback name only; a graceful
end closes open streams; every commit is synced; after `kill -9` under load every acknowledged order is there, once; orders share commits.
"""
import http.client
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(("ok      " if good else "FAILED  ") + what + (f": {detail}" if not good else ""), flush=True)


class Server:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.binary, "serve", "--data", self.folder / "data", "--port", str(self.port)], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def send(self, who, method, path, body=None, connection=None, **headers):
        c = connection or self.connect()
        sent = {"Idempotency-Key": str(uuid.uuid4()), **{k.replace("_", "-"): v for k, v in headers.items()}}
        if who:
            sent["X-Isotherm-Actor"] = who
        if body is not None:
            sent["Content-Type"] = "application/json"
        c.request(method, path, body if isinstance(body, (str, bytes)) or body is None else json.dumps(body), sent)
        answer = c.getresponse()
        text = answer.read()
        try:
            return answer.status, json.loads(text), answer.headers
        except ValueError:
            return answer.status, text, answer.headers

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def order(server, person, product="lamp", key=None, connection=None):
    return server.send(f"customer:{person}", "POST", "/api/orders", {"lines": [{"product": product}]}, connection, **({"Idempotency_Key": key} if key else {}))


def delivered_by_stream(server, ada):
    _, made, _ = order(server, ada)
    server.send(f"customer:{ada}", "POST", f"/api/orders/{made['id']}/payments", {"card": "4000000000000002"})
    _, shipment, _ = server.send("staff:t", "POST", f"/api/orders/{made['id']}/shipments", {"carrier": "post", "tracking_code": "T" + made["id"]})
    path = f"/api/shipments/{shipment['id']}/events"
    server.send("staff:t", "POST", path, {"event": "a", "kind": "pickup"})
    c = server.connect()
    c.request("GET", path, headers={"X-Isotherm-Actor": f"customer:{ada}"})
    answer = c.getresponse()
    check("a stream is one", answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream", answer.status)

    def event():
        found = {}
        while True:
            line = answer.readline().decode().rstrip("\n")
            if not line and "data" in found:
                return found
            if ":" in line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                found[name] = value
    first = event()
    check("what is known comes first", json.loads(first["data"])["event"] == "a", first)
    began = time.monotonic()
    server.send("staff:t", "POST", path, {"event": "b", "kind": "out"})
    second = event()
    check("news comes at once", json.loads(second["data"])["event"] == "b" and time.monotonic() - began < 2, second)
    c.close()
    server.send("staff:t", "POST", path, {"event": "c", "kind": "deliver"})
    status, rest, _ = server.send(f"customer:{ada}", "GET", path, Last_Event_ID=second["id"])
    check("a stream resumes where it was, and ends", status == 200 and b'"event":"c"' in rest and b'"event":"b"' not in rest, rest)
    return path


def edges(server, ada):
    status, body, _ = server.send("staff:t", "POST", "/api/people", b'{"name":"' + b"x" * (1 << 20) + b'"}')
    check("a body past the bound is 413", status == 413 and body["type"].endswith(":too-large"), (status, body))
    status, body, _ = server.send("staff:t", "GET", "/api/status", Host="shop.example")
    check("the actor header is not believed under another host name", status == 401, status)
    status, _, headers = server.send(None, "GET", f"/api/people/{ada}/orders")
    check("nobody is told to say who they are", status == 401 and "Bearer" in headers["WWW-Authenticate"], status)
    for name in ("api", "store", "console"):
        status, _, _ = server.send(None, "PUT", f"/{name}")
        check(f"no index may be called {name}", status in (400, 404, 405), status)
    status, body, _ = server.send(None, "GET", "/api")
    check("/api is the shop's", status == 404 and body["type"].startswith("urn:isotherm:"), body)
    token = subprocess.run([server.binary, "token", "staff:anna", "--data", server.folder / "data"], capture_output=True, text=True).stdout.strip()
    status, _, _ = server.send(None, "GET", "/api/status", Host="shop.example", Authorization=f"Bearer {token}")
    check("a token is believed under any", status == 200, status)


def synced(server, ada):
    """Each of twenty orders, one after the other, is a commit of its own and so a sync of its own: seen from outside, where strace may look."""
    if not shutil.which("strace"):
        print("skipped syncs: strace is not there")
        return
    trace = server.folder / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", trace, "-p", str(server.process.pid)], stderr=subprocess.DEVNULL)
    time.sleep(0.7)
    if tracer.poll() is not None:
        print("skipped syncs: strace may not look")
        return
    good = sum(order(server, ada, "many")[0] == 201 for _ in range(20))
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    count = sum("sync(" in line for line in trace.read_text().splitlines())
    check("every commit is synced", good == 20 and count >= 20, (good, count))


def killed_under_load(server, ada):
    """Clients place orders under keys of their own; the server dies; each key is sent again: one order for each, acknowledged ones with the same bytes."""
    _, before, _ = server.send("staff:t", "GET", "/api/products/many")
    _, page, _ = server.send("staff:t", "GET", f"/api/people/{ada}/orders?q=many&limit=1")
    earlier = page["total"]
    acknowledged, tried, lock = {}, set(), threading.Lock()

    def client():
        c = server.connect()
        try:
            while True:
                key = str(uuid.uuid4())
                with lock:
                    tried.add(key)
                status, body, _ = order(server, ada, "many", key, c)
                if status == 201:
                    with lock:
                        acknowledged[key] = body
        except (OSError, http.client.HTTPException):
            pass
    threads = [threading.Thread(target=client) for _ in range(16)]
    for t in threads:
        t.start()
    time.sleep(1.5)
    server.process.kill()
    server.process.wait()
    for t in threads:
        t.join()
    server.start()
    again = {}
    for key in tried:
        status, body, headers = order(server, ada, "many", key)
        check_quietly(status == 201, f"after the kill {status} {body}")
        again[key] = (body, headers.get("Idempotency-Replayed"))
    lost = [k for k, body in acknowledged.items() if again[k][0] != body or again[k][1] != "true"]
    check(f"none of {len(acknowledged)} acknowledged orders was lost or doubled by kill -9", acknowledged and not lost, lost[:3])
    _, after, _ = server.send("staff:t", "GET", "/api/products/many")
    check("stock and orders add up", before["available"] - after["available"] == len(tried), (before["available"], after["available"], len(tried)))
    _, page, _ = server.send("staff:t", "GET", f"/api/people/{ada}/orders?q=many&limit=1")
    check("the list has each order once", page["total"] == earlier + len(tried), (page["total"], earlier, len(tried)))


def check_quietly(good, detail):
    if not good:
        check("an answer under a key used before", False, detail)


def main():
    with tempfile.TemporaryDirectory() as name:
        server = Server(sys.argv[1], pathlib.Path(name))
        try:
            for product, count in (("lamp", 100), ("many", 1_000_000)):
                status, body, _ = server.send("staff:t", "PUT", f"/api/products/{product}", {"title": product, "price_minor": 1000, "currency": "EUR", "available": count})
                check(f"product {product} is there", status == 200, body)
            _, ada, _ = server.send("staff:t", "POST", "/api/people", {"name": "Ada"})
            delivered_by_stream(server, ada["id"])
            edges(server, ada["id"])
            synced(server, ada["id"])
            killed_under_load(server, ada["id"])
            # A stream of a parcel that is still under way.
            _, made, _ = order(server, ada["id"])
            server.send(f"customer:{ada['id']}", "POST", f"/api/orders/{made['id']}/payments", {"card": "4000000000000002"})
            _, shipment, _ = server.send("staff:t", "POST", f"/api/orders/{made['id']}/shipments", {"carrier": "post", "tracking_code": "open"})
            c = server.connect()
            c.request("GET", f"/api/shipments/{shipment['id']}/events", headers={"X-Isotherm-Actor": f"customer:{ada['id']}"})
            answer = c.getresponse()
            answer.readline()
            began = time.monotonic()
            code = server.stop()
            check("a graceful end ends open streams", code == 0 and time.monotonic() - began < 10, (code, time.monotonic() - began))
            audit = subprocess.run([server.binary, "audit", "verify", "--data", server.folder / "data"], capture_output=True, text=True)
            check("the audit chain is whole", audit.returncode == 0, audit.stdout + audit.stderr)
        finally:
            server.process.kill()
            server.process.wait()
    sys.exit(1 if failures else 0)


main()
