#!/usr/bin/env python3
"""HTTP at its edges: compressed, large, many, slow and broken requests, and a graceful end.

    http_limits.py BINARY

Starts a server of its own with small limits on a free port of 127.0.0.1, and stops it. One line per check; the exit
code is 1 if one failed.
"""
import gzip
import http.client
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib

CONFIG = """
http:
  body_megabytes_max: 2
  requests_in_flight_max: 4
"""
failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(("ok      " if good else "FAILED  ") + what + (f": {detail}" if not good else ""))


class Server:
    def __init__(self, binary, folder):
        (folder / "config.yaml").write_text(CONFIG)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        started = time.monotonic()
        self.process = subprocess.Popen([binary, "serve", "--data", folder / "data", "--port", str(self.port), "--config", folder / "config.yaml"],
                                        stdout=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()
        self.ready = time.monotonic() - started

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def send(self, method, path, body=None, headers=None, connection=None):
        c = connection or self.connect()
        c.request(method, path, body, {"Content-Type": "application/json", **(headers or {})}, encode_chunked="Transfer-Encoding" in (headers or {}))
        answer = c.getresponse()
        text = answer.read()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text


def bodies(server):
    query = b'{"query": {"match_all": {}}}'
    check("a gzip body", server.send("POST", "/_search", gzip.compress(query), {"Content-Encoding": "gzip"})[0] == 200)
    check("a deflate body", server.send("POST", "/_search", zlib.compress(query), {"Content-Encoding": "deflate"})[0] == 200)
    check("a damaged gzip body", server.send("POST", "/_search", gzip.compress(query)[:-9], {"Content-Encoding": "gzip"})[0] == 400)
    check("an encoding nobody knows", server.send("POST", "/_search", query, {"Content-Encoding": "br"})[0] == 415)
    status, answer = server.send("POST", "/_search", gzip.compress(b" " * (64 << 20)), {"Content-Encoding": "gzip"})
    check("a small body that unfolds to a large one", status == 413 and answer["error"]["type"] == "content_too_long_exception", answer)
    status, answer = server.send("POST", "/_search", b" " * (3 << 20))
    check("a body that is too large", status == 413 and answer["status"] == 413, answer)
    status, _ = server.send("POST", "/_search", (b" " * (1 << 20) for _ in range(4)), {"Transfer-Encoding": "chunked"})
    check("a body that grows too large", status == 413, status)
    check("a body nested too deep", server.send("POST", "/_search", b"[" * 100_000)[0] == 400)
    check("the server is well after all that", server.send("GET", "/")[0] == 200)


def connections(server):
    c = server.connect()
    server.send("GET", "/", connection=c)
    port = c.sock.getsockname()[1]
    for _ in range(20):
        server.send("POST", "/_search", b"{}", connection=c)
    check("one connection serves many requests", c.sock is not None and c.sock.getsockname()[1] == port)
    for raw, wanted in [(b"GARBAGE\r\n\r\n", b"400"), (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n", b"400"), (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b"40")]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
            s.sendall(raw)
            answer = s.recv(200)
            check(f"{raw[:12]!r} is refused", wanted in answer.split(b"\r\n")[0] or answer == b"", answer)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        s.sendall(b"POST /_search HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n")
        check("who expects to be told to continue is told", b"100 Continue" in s.recv(200))
        s.sendall(b"{}")
        check("and then answered", b"200 OK" in s.recv(2000))


def crowd(server):
    """Four requests that never end hold all places; the fifth is turned away at once, and later let in."""
    held = []
    for _ in range(4):
        s = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        s.sendall(b"POST /_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        held.append(s)
    time.sleep(0.3)
    status, answer = server.send("GET", "/")
    check("a request too many is refused", status == 429 and answer["error"]["type"] == "es_rejected_execution_exception", answer)
    for s in held:
        s.close()
    time.sleep(0.3)
    check("places are given back", server.send("GET", "/")[0] == 200)


def end(server):
    lines = "".join('{"index": {"_index": "last", "_id": "%d"}}\n{"title": "red lamp %d"}\n' % (i, i) for i in range(12_000)).encode()
    answers = []
    worker = threading.Thread(target=lambda: answers.append(server.send("POST", "/_bulk", lines, {"Content-Type": "application/x-ndjson"})))
    worker.start()
    time.sleep(0.05)
    server.process.send_signal(signal.SIGTERM)
    worker.join()
    check("a request in flight is finished after SIGTERM", answers and answers[0][0] == 200 and not answers[0][1]["errors"], str(answers)[:200])
    code = server.process.wait(timeout=30)
    check("the server ends by itself, with code 0", code == 0, code)


def early(binary, folder):
    """A signal is heard from the moment that the server says it is ready."""
    codes = []
    for n in range(24):
        server = Server(binary, folder)
        server.process.send_signal((signal.SIGTERM, signal.SIGINT)[n % 2])
        try:
            codes.append(server.process.wait(timeout=20))
        except subprocess.TimeoutExpired:
            codes.append("goes on")
            server.process.kill()
            server.process.wait()
    check("a server that is ended as soon as it is ready ends", codes == [0] * 24, codes)


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, pathlib.Path(folder))
        try:
            check("one line says that it is ready", "ready" in server.line and str(server.port) in server.line, server.line)
            check("it is ready within 200 ms of its start, and twice that under load", server.ready < 0.4, server.ready)
            bodies(server)
            connections(server)
            crowd(server)
            end(server)
            early(binary, pathlib.Path(folder))
            server = Server(binary, pathlib.Path(folder))
            check("what was acknowledged is there after a restart", server.send("GET", "/last/_count")[1].get("count") == 12_000)
        finally:
            if server.process.poll() is None:
                server.process.terminate()
                server.process.wait(timeout=30)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
