#!/usr/bin/env python3
"""HTTP byte by byte, over plain sockets: what a client may get wrong, or do on purpose.

    http_wire.py BINARY

Pipelining, split bytes, long heads, shapes that smuggle requests, slow and half-closed clients, answers nobody reads, random bytes, a stop with requests in
flight. Starts a server of its own on a free port of 127.0.0.1, and stops it. One line per check; the exit code is 1 if one failed.
"""
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CONFIG = """
http:
  body_megabytes_max: 2
  idle_seconds_max: 2
"""
failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(("ok      " if good else "FAILED  ") + what + (f": {str(detail)[:300]}" if not good else ""), flush=True)


class Server:
    def __init__(self, binary, folder):
        (folder / "config.yaml").write_text(CONFIG)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([binary, "serve", "--data", folder / "data", "--port", str(self.port), "--config", folder / "config.yaml"],
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def connect(self, timeout=10):
        return Wire(socket.create_connection(("127.0.0.1", self.port), timeout=timeout))

    def ask(self, raw, count=1, heads=()):
        """What comes back for these bytes: so many answers, then whether the server closed."""
        with self.connect() as w:
            w.send(raw)
            return [w.answer(i in heads) for i in range(count)]

    def resident(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024

    def is_well(self):
        return self.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0].status == 200


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:120]!r}"


class Wire:
    """One connection, read strictly: what is no answer is status 0."""

    def __init__(self, s):
        self.s, self.rest = s, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def send(self, raw):
        self.s.sendall(raw)

    def fill(self):
        try:
            data = self.s.recv(65536)
        except ConnectionResetError:
            data = b""
        self.rest += data
        return bool(data)

    def until(self, mark):
        while mark not in self.rest:
            if not self.fill():
                return None
        line, self.rest = self.rest.split(mark, 1)
        return line

    def exactly(self, count):
        while len(self.rest) < count:
            if not self.fill():
                break
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def answer(self, head=False):
        text = self.until(b"\r\n\r\n")
        if text is None:
            return Answer(0, {}, self.rest)
        first, *lines = text.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        status = int(first.split()[1])
        if head or status in (100, 204, 304):
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.until(b"\r\n"), 16):
                body += self.exactly(size)
                self.exactly(2)
            self.exactly(2)
            return Answer(status, headers, body)
        return Answer(status, headers, self.exactly(int(headers["content-length"])))

    def closed(self, within=10):
        """Nothing more comes: the server has closed."""
        self.s.settimeout(within)
        try:
            while self.fill():
                pass
            return not self.rest
        except TimeoutError:
            return False


def search(body, extra=b"", version=b"1.1", path=b"/_search"):
    return b"POST %s HTTP/%s\r\nHost: x\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s" % (path, version, extra, len(body), body)


def pipelined(server):
    # Each asks for another path, so that its answer tells which it is.
    paths = [b"/no-such-index-%d/_count" % i for i in range(200)]
    raw = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % p for p in paths)
    answers = server.ask(raw, len(paths))
    check("200 requests sent at once are answered in their order", all(p.split(b"/")[1] in a.body for p, a in zip(paths, answers)),
          [a.status for a in answers][:5])
    bodies = b"".join(search(b'{"size": %d}' % i, path=b"/nothing-%d/_search" % i) for i in range(20))
    check("with bodies too", [a.json()["error"]["index"] for a in server.ask(bodies, 20)] == [f"nothing-{i}" for i in range(20)])
    with server.connect() as w:
        w.send(b"GET /_cat/health HTTP/1.1\r\nHost: x\r\n\r\n" * 3000)
        count = 0
        while w.answer().status == 200:
            count += 1
        check("who sends thousands at once gets some answered, none doubled, and a closed line or all", 100 < count <= 3000, count)
    answers = server.ask(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /_cat/health HTTP/1.1\r\nHost: x\r\n\r\n", 2)
    check("nothing is answered after Connection: close", [a.status for a in answers] == [200, 0] and answers[0].headers.get("connection") == "close", answers)
    answers = server.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n", 3)
    check("a good request before garbage is answered", [a.status for a in answers] == [200, 400, 0], answers)


def split(server):
    raw = search(b'{"query": {"match_all": {}}}') + b"POST /_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" \
        b"3\r\n{\"s\r\n0b;x=y\r\nize\":   1}\n\r\n0\r\nTrailer: t\r\n\r\n"
    with server.connect() as w:
        w.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(raw)):
            w.send(raw[i:i + 1])
        check("requests that come byte by byte are whole", [w.answer().status, w.answer().status] == [200, 200])


def refused(server):
    get = b"GET / HTTP/1.1\r\nHost: x\r\n"
    post = b"POST /_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    cases = [
        ("a header of 100 KB", get + b"A: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        ("300 headers", get + b"A: b\r\n" * 300 + b"\r\n", 431),
        ("many headers, 200 KB", get + b"".join(b"A%d: %s\r\n" % (i, b"b" * 1000) for i in range(200)) + b"\r\n", 431),
        ("an address of 100 KB", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        ("a length and a coding", post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("a coding and a length", post + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 400),
        ("two lengths", post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
        ("two equal lengths", post + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("a list of lengths", post + b"Content-Length: 2, 2\r\n\r\n{}", 400),
        ("a length with a sign", post + b"Content-Length: +2\r\n\r\n{}", 400),
        ("a negative length", post + b"Content-Length: -2\r\n\r\n{}", 400),
        ("a length past 64 bits", post + b"Content-Length: 18446744073709551618\r\n\r\n{}", 400),
        ("a hexadecimal length", post + b"Content-Length: 0x2\r\n\r\n{}", 400),
        ("an empty length", post + b"Content-Length: \r\n\r\n{}", 400),
        ("a folded header", post + b"Content-Length: 2\r\nA: b\r\n c\r\n\r\n{}", 400),
        ("a space before the colon", post + b"Content-Length : 2\r\n\r\n{}", 400),
        ("a header without a name", get + b": a\r\n\r\n", 400),
        ("a NUL in a header", get + b"A: b\0c\r\n\r\n", 400),
        ("a bare CR in a header", get + b"A: b\rContent-Length: 2\r\n\r\n", 400),
        ("a coding nobody knows", post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("two codings", post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 501)),
        ("a coding that does not end in chunked", post + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", (400, 501)),
        ("a coding misspelt", post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (400, 501)),
        ("a coding in HTTP/1.0", b"POST /_search HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("a bad chunk size", post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
        ("a chunk size with a sign", post + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n", 400),
        ("a chunk size past 64 bits", post + b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n", 400),
        ("a chunk longer than it says", post + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", 400),
        ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
        ("two hosts", get + b"Host: y\r\n\r\n", 400),
        ("a version nobody speaks", b"GET / HTTP/3.7\r\nHost: x\r\n\r\n", 400),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("a method nobody knows", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), 400),
        ("a body that announces too much", post + b"Content-Length: 9999999999\r\n\r\n{", 413),
    ]
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    for what, raw, wanted in cases:
        with server.connect() as w:
            w.send(raw + smuggled)
            try:
                w.s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            answer = w.answer()
            good = answer.status in (wanted if isinstance(wanted, tuple) else (wanted,))
            check(f"{what} is {wanted}, and the line is closed", good and answer.json()["status"] == answer.status
                  and answer.headers.get("connection") == "close" and w.closed(), answer)
    with server.connect() as w:
        w.send(b"POST /api/people HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        answer = w.answer()
        check("under /api such refusals are problems", answer.status == 400 and answer.headers["content-type"] == "application/problem+json", answer)


def kinds(server):
    get = server.ask(b"GET /_cat/health HTTP/1.1\r\nHost: x\r\n\r\n")[0]
    head, after = server.ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /_cat/health HTTP/1.1\r\nHost: x\r\n\r\n", 2, heads=[0])
    check("HEAD has no body", head.status == 200 and after.status == 200 and after.body[:2] == get.body[:2], (head, after))
    missing, after = server.ask(b"HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 2, heads=[0])
    check("nor has a refused one", missing.status == 404 and after.status == 200, (missing, after))
    check("there is a date", get.headers.get("date", "").endswith(" GMT"), get.headers)
    with server.connect() as w:
        w.send(b"GET / HTTP/1.0\r\n\r\n")
        first = w.answer()
        check("HTTP/1.0 is answered and closed", first.status == 200 and first.headers.get("connection") == "close" and w.closed(), first)
    with server.connect() as w:
        for _ in range(3):
            w.send(search(b"{}", b"Connection: keep-alive\r\n", b"1.0"))
            answer = w.answer()
            check("HTTP/1.0 may keep its line", answer.status == 200 and answer.headers.get("connection") == "keep-alive", answer)
    with server.connect() as w:
        w.send(b"GET /_cat/health HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
        answer = w.answer()
        check("who would speak something else is answered in HTTP/1.1", answer.status == 200 and w.closed(), answer)
    answer = server.ask(b"GET http://elsewhere:9/_cat/health HTTP/1.1\r\nHost: x\r\n\r\n")[0]
    check("an address may name the server", answer.status == 200, answer)
    with server.connect() as w:
        w.send(b"POST /_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        first = w.answer()
        w.send(b"{}")
        check("who expects to be told to continue is told", [first.status, w.answer().status] == [100, 200], first)
    with server.connect() as w:
        w.send(b"POST /_search HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
        check("unless the body would be refused", w.answer().status == 413)
    with server.connect() as w:
        w.send(search(b"{}") * 3)
        w.s.shutdown(socket.SHUT_WR)
        answers = [w.answer().status for _ in range(4)]
        check("who says no more is answered still", answers == [200, 200, 200, 0], answers)


def large_refusal(server):
    """The whole body is sent before the answer is read, as many clients do: the answer is still there."""
    with server.connect() as w:
        w.send(search(b" " * (12 << 20)))
        answer = w.answer()
        check("who sends a body that is too large can read why", answer.status == 413 and w.closed(), answer)


def slow(server):
    def closes(raw, drip, within):
        with server.connect() as w:
            w.send(raw)
            began = time.monotonic()
            while time.monotonic() - began < within:
                try:
                    w.send(drip)
                    w.s.settimeout(0.25)
                    if not w.fill():
                        return True
                except TimeoutError:
                    pass
                except OSError:
                    return True
            return False
    results = {}
    jobs = {"a line without a request is closed": (b"", b""), "a head that trickles is cut": (b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"b"),
            "a body that trickles is cut": (b"POST /_search HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b" ")}
    threads = [threading.Thread(target=lambda k=k, j=j: results.__setitem__(k, closes(*j, within=6))) for k, j in jobs.items()]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for what in jobs:
        check(what, results[what])


def unread(server):
    """Clients that ask for much and read nothing: each holds a bounded part of the server's memory, and is cut."""
    lines = b"".join(b'{"index":{"_id":"%d"}}\n{"t":"%s"}\n' % (i, b"x" * 1000) for i in range(1000))
    server.ask(b"POST /big/_bulk?refresh=true HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s" % (len(lines), lines))
    ask = search(b'{"size": 1000}', path=b"/big/_search")
    check("an answer of a megabyte", len(server.ask(ask)[0].body) > 1_000_000)
    before, held = server.resident(), []
    for _ in range(20):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", server.port))
        s.setblocking(False)
        raw = ask * 2000
        try:
            while raw:
                raw = raw[s.send(raw):]
        except BlockingIOError:
            pass
        held.append(s)
    time.sleep(1.2)
    grown = server.resident() - before
    # Each asked for two gigabytes.
    check("20 clients that read nothing cost less than 10 MB each", grown < 200, f"{grown} MB")
    check("others are answered meanwhile", server.is_well())
    time.sleep(3.5)
    gone = 0
    for s in held:
        s.setblocking(True)
        s.settimeout(5)
        try:
            while s.recv(1 << 20):
                pass
            gone += 1
        except ConnectionResetError:
            gone += 1
        except TimeoutError:
            pass
        s.close()
    check("and they are cut", gone == 20, gone)


def aborted(server):
    for _ in range(50):
        with server.connect() as w:
            w.send(b"POST /_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\"")
            w.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    for _ in range(50):
        with server.connect() as w:
            w.send(search(b"{}"))
            w.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    check("who drops the line in a body, or before the answer, harms nobody", server.is_well())


def noise(server):
    rng = random.Random(11)
    seeds = [search(b'{"size": 1}'), b"GET /_cat/health HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /api/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"]
    for i in range(600):
        raw = bytearray(rng.choice(seeds) * rng.randrange(1, 4)) if i % 3 else bytearray(rng.randbytes(rng.randrange(1, 2000)))
        for _ in range(rng.randrange(0, 8)):
            at = rng.randrange(len(raw))
            kind = rng.randrange(3)
            if kind == 0:
                raw[at] = rng.randrange(256)
            elif kind == 1:
                del raw[at:at + rng.randrange(1, 20)]
            else:
                raw[at:at] = rng.choice([b"\r\n", b"\0", b": ", b"9" * 30, b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", bytes([rng.randrange(256)])])
            raw = raw or bytearray(b"x")
        with server.connect(5) as w:
            try:
                w.send(bytes(raw))
                w.s.shutdown(socket.SHUT_WR)
                while w.fill():
                    pass
            except TimeoutError:
                check("every line of noise is closed", False, bytes(raw))
                return
            except OSError:
                pass
    check("600 lines of noise are closed, and the server is well", server.is_well() and server.process.poll() is None)


def stopped(server):
    lines = b"".join(b'{"index":{"_index":"last"}}\n{"t":"red lamp %d"}\n' % i for i in range(12_000))
    raw = b"POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s" % (len(lines), lines)
    with server.connect() as busy, server.connect() as half, server.connect() as idle:
        idle.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.answer()
        half.send(search(b'{"size": 3}')[:-4])
        busy.send(raw)
        time.sleep(0.05)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        check("an idle line is closed at the end", idle.closed(5))
        half.send(b": 3}")
        answer = half.answer()
        check("a request half sent may be finished", answer.status == 200 and answer.headers.get("connection") == "close", answer)
        answer = busy.answer()
        check("a request in flight is answered, and its line closed", answer.status == 200 and busy.closed(5), answer)
        code = server.process.wait(30)
        check("the server ends by itself, soon", code == 0 and time.monotonic() - began < 10, (code, time.monotonic() - began))


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, pathlib.Path(folder))
        try:
            for part in (pipelined, split, refused, kinds, large_refusal, slow, unread, aborted, noise):
                part(server)
                check(f"the server is well ({part.__name__})", server.process.poll() is None and server.is_well())
            stopped(server)
        finally:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
