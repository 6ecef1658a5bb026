"""A server of our own and many connections to it at once, for scenarios that load the shop. Standard library only.

One thread, asyncio, HTTP/1.1 written by hand: http.client with 64 threads spends most of its time waiting for Python's lock.
"""
import asyncio
import http.client
import json
import socket
import subprocess
import sys
import time


class Gone(Exception):
    """The server ended, or ended the connection, before it answered."""


class Answer:
    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """The last word of an RFC 9457 type; "" where there is none."""
        try:
            return json.loads(self.body).get("type", "").rpartition(":")[2]
        except (ValueError, AttributeError):
            return ""

    @property
    def replayed(self):
        return b"idempotency-replayed: true" in self.headers

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Connection:
    """One connection, one request at a time. It is opened again after an answer that ended it."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def send(self, who, method, path, body=b"", key=None, headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":")).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
        if who:
            head.append(f"X-Isotherm-Actor: {who}")
        if key is not None:
            head.append(f"Idempotency-Key: {key}")
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
            return await self._answer()
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Gone(repr(error)) from None
        except asyncio.CancelledError:
            self.close()
            raise

    async def _answer(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        headers, length = head.lower(), 0
        at = headers.find(b"\r\ncontent-length:")
        if at >= 0:
            length = int(headers[at + 17:headers.index(b"\r\n", at + 17)])
        body = await self.reader.readexactly(length) if length else b""
        if b"\r\nconnection: close" in headers:
            self.close()
        return Answer(int(head[9:12]), headers, body)

    def close(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None


class Server:
    def __init__(self, binary, data, log):
        self.binary, self.data, self.log, self.process, self.port, self.config = binary, data, log, None, None, None

    def spawn(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        command = [self.binary, "serve", "--data", self.data, "--host", "127.0.0.1", "--port", str(self.port)] + (["--config", self.config] if self.config else [])
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def start(self, bound=30):
        """Gives the seconds until it answered."""
        began = time.monotonic()
        self.spawn()
        while time.monotonic() - began < bound:
            if self.process.poll() is not None:
                sys.exit(f"the server ended with {self.process.returncode} instead of starting; the end of its log:\n{self.tail()}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=bound)
                connection.request("GET", "/")
                if connection.getresponse().status == 200:
                    connection.close()
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.01)
        self.kill()
        sys.exit(f"the server did not start within {bound} s; the end of its log:\n{self.tail()}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)

    def tail(self):
        with open(self.log.name, errors="replace") as f:
            return f.read()[-2000:]


def audit_verify(binary, data):
    """Words of what is wrong with the chain; "" when it is whole."""
    done = subprocess.run([binary, "audit", "verify", "--data", data], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"audit verify: {done.stdout}{done.stderr}"
