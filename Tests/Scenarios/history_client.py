"""One blocking connection, and a walk through a person's history: what history.py and walks.py ask a server with. Standard library only.

http.client takes some 150 us an answer; this takes 40, so that two processes ask a few thousand times a second.
"""
import json
import socket


class Violation(Exception):
    """The server said what cannot be."""


def expect(holds, *what):
    if not holds:
        raise Violation(" ".join(w if isinstance(w, str) else repr(w)[:1500] for w in what))


class Wire:
    """HTTP/1.1, one request at a time, kept alive."""

    def __init__(self, port, actor="staff:history"):
        self.port, self.actor, self.socket, self.left, self.requests, self.headers = port, actor, None, b"", 0, b""

    def send(self, method, path, body=None, actor=None, headers=()):
        """Status and body. A connection that ended before any answer is opened again once: a GET is safe to ask twice, and nothing else is sent so."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"X-Isotherm-Actor: {actor or self.actor}", *headers]
        if content or method != "GET":
            head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        message = "\r\n".join(head).encode() + b"\r\n\r\n" + content
        self.requests += 1
        if self.socket is None:
            self.open()
        try:
            self.socket.sendall(message)
            return self.answer()
        except (ConnectionError, EOFError):
            self.close()
            if method != "GET":
                raise
        self.open()
        self.socket.sendall(message)
        return self.answer()

    def get(self, path, actor=None):
        status, body = self.send("GET", path, actor=actor)
        expect(status == 200, f"{path} answered {status}:", body)
        return json.loads(body)

    def answer(self):
        buffer = self.left
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            buffer += self.more()
        head = self.headers = buffer[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17:].split(b"\r\n", 1)[0]) if at >= 0 else 0
        end += 4
        while len(buffer) < end + length:
            buffer += self.more()
        self.left = buffer[end + length:]
        if b"\r\nconnection: close" in head:
            self.close()
        return int(buffer[9:12]), buffer[end:end + length]

    def more(self):
        part = self.socket.recv(1 << 18)
        if not part:
            raise EOFError("the server ended the connection")
        return part

    def open(self):
        self.socket, self.left = socket.create_connection(("127.0.0.1", self.port), timeout=120), b""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None


def walk(wire, person, limit, cold=True, costs=None):
    """All pages by one cursor; each full but the last, each with the same total, which is how many there were."""
    query, found, total = f"/api/people/{person}/orders?limit={limit}" + ("&include=cold" if cold else ""), [], None
    path = query
    while True:
        page = wire.get(path)
        found += page["orders"]
        expect(total is None or total == page["total"], f"{path}: the total was {total} and is", page["total"])
        total = page["total"]
        if costs is not None and "cold" in page:
            costs.append(page["cold"])
        if page["next"] is None:
            break
        expect(len(page["orders"]) == limit, f"{path}: a page that is not the last has {len(page['orders'])} orders")
        expect(len(found) <= total, f"{path}: more orders than its total of {total}")
        path = query + "&cursor=" + page["next"]
    expect(len(found) == total, f"{query}: {len(found)} orders, and a total of {total}:", [o["id"] for o in found])
    return found
