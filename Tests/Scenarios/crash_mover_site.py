"""Data folders of crash_mover.py with their settings, the program on them, and the object stores that they write to: folders, or a bucket over S3.

Standard library only.
"""
import asyncio
import datetime
import hashlib
import hmac
import http.client
import itertools
import os
import random
import re
import socket
import subprocess
import threading
import time
import urllib.parse

from shop_client import Server

S3_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "testkey", "AWS_SECRET_ACCESS_KEY": "testsecret", "AWS_REGION": "us-east-1"}


class Violation(Exception):
    pass


def expect(good, *what):
    if not good:
        raise Violation(" ".join(str(w) for w in what))


class Folder:
    """A folder as an object store."""

    def __init__(self, path):
        self.path = path

    def names(self):
        return sorted(os.path.relpath(f"{folder}/{name}", self.path) for folder, _, names in os.walk(self.path) for name in names)

    def read(self, name):
        try:
            with open(f"{self.path}/{name}", "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None


class Bucket:
    """What is below a prefix of a bucket; path style, signature version 4."""

    def __init__(self, location):
        url = urllib.parse.urlsplit(location)
        self.endpoint = urllib.parse.urlsplit(urllib.parse.parse_qs(url.query)["endpoint"][0]).netloc
        self.bucket, self.prefix = url.netloc, url.path.strip("/")

    def _send(self, path, query, method="GET"):
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        path = urllib.parse.quote(path)
        query = "&".join(f"{k}={urllib.parse.quote(v, safe='')}" for k, v in sorted(query.items()))
        empty = hashlib.sha256(b"").hexdigest()
        request = f"{method}\n{path}\n{query}\nhost:{self.endpoint}\nx-amz-content-sha256:{empty}\nx-amz-date:{stamp}\n\nhost;x-amz-content-sha256;x-amz-date\n{empty}"
        scope = f"{day}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = b"AWS4" + S3_ENVIRONMENT["AWS_SECRET_ACCESS_KEY"].encode()
        for part in (day, "us-east-1", "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        connection = http.client.HTTPConnection(self.endpoint, timeout=30)
        connection.request(method, f"{path}?{query}" if query else path, headers={
            "x-amz-content-sha256": empty, "x-amz-date": stamp, "Authorization":
            f"AWS4-HMAC-SHA256 Credential={S3_ENVIRONMENT['AWS_ACCESS_KEY_ID']}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def make(self):
        status, body = self._send(f"/{self.bucket}", {}, "PUT")
        expect(status in (200, 409), "a bucket cannot be made:", status, body[:300])

    def names(self):
        found, token = [], None
        while True:
            status, body = self._send(f"/{self.bucket}", {"list-type": "2", "prefix": self.prefix + "/", **({"continuation-token": token} if token else {})})
            expect(status == 200, "a listing:", status, body[:300])
            found += [name[len(self.prefix) + 1:] for name in re.findall(r"<Key>([^<]*)</Key>", body.decode())]
            more = re.search(r"<NextContinuationToken>([^<]*)<", body.decode())
            if not more:
                return sorted(found)
            token = more.group(1)

    def read(self, name):
        status, body = self._send(f"/{self.bucket}/{self.prefix}/{name}", {})
        expect(status in (200, 404), "an object:", status, body[:300])
        return body if status == 200 else None


def objects(location, folder):
    return Bucket(location) if location else Folder(folder)


class Program:
    """What is under test, and what is loaded before it."""

    def __init__(self, binary, shim, now):
        self.binary, self.shim, self.now = binary, shim, now

    def environment(self, root, **variables):
        return {"LD_PRELOAD": self.shim, "KILL_ROOT": os.path.realpath(root), **{f"KILL_{k.upper()}": str(v) for k, v in variables.items()}}

    def must(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=120)
        expect(done.returncode == 0, arguments[0], "failed:", done.stdout[-500:], done.stderr[-500:])
        return done.stdout


TIERS = """policy: {policy}
policies:
  warm:
    orders:
      - {{tier: hot, from: 0, to: 90}}
      - {{tier: warm, from: 90}}
  cold:
    orders:
      - {{tier: hot, from: 0, to: 90}}
      - {{tier: cold, from: 90}}
mover:
  batch_orders: 500
"""


class Site:
    """A data folder with its settings beside it."""

    def __init__(self, program, folder, policy, archive=None, staging=None, every=0, data=None):
        os.makedirs(folder, exist_ok=True)
        self.program, self.folder, self.policy, self.data = program, folder, policy, data or f"{folder}/data"
        # Batches of the run before the one under test, when they were staged elsewhere.
        self.staged_before = frozenset()
        self.archive, self.staging = objects(archive, f"{self.data}/cold"), objects(staging, f"{self.data}/staging")
        self.tiers, self.config = f"{folder}/tiers.yaml", f"{folder}/isotherm.yaml"
        with open(self.tiers, "w") as f:
            f.write(TIERS.format(policy=policy))
            for what, location in (("archive", archive), ("staging", staging)):
                if location:
                    f.write(f"{what}:\n  location: {location}\n")
            if every:
                f.write(f"schedule:\n  every_seconds: {every}\n")
        with open(self.config, "w") as f:
            f.write(f"shop:\n  tiers: {self.tiers}\n")

    def arguments(self):
        return [self.program.binary, "tier", "run", "--json", "--data", self.data, "--policies", self.tiers, "--now", self.program.now]

    def run(self, environment=None):
        return subprocess.run(self.arguments(), capture_output=True, text=True, env={**os.environ, **S3_ENVIRONMENT, **(environment or {})}, timeout=120)

    def begin(self, environment):
        return subprocess.Popen(self.arguments(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **S3_ENVIRONMENT, **environment})

    def server(self, environment=None, data=None):
        return SiteServer(self, environment or {}, data or self.data)

    def serve(self, body, data=None):
        """Runs a coroutine of the port against a server on the folder, or on a copy of it."""
        with self.server(data=data) as server:
            expect(server.wait(), "the server did not start:", server.tail())
            return asyncio.run(body(server.port))


# Each port once, below those that the system gives away by itself: a port that was free a moment ago can have been given to another worker's server, which then
# answers in this one's place.
PORTS = itertools.cycle(random.sample(range(10_000, 32_000), 22_000))
PORTS_LOCK = threading.Lock()


def free_port():
    with PORTS_LOCK:
        for port in PORTS:
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue


class SiteServer(Server):
    def __init__(self, site, environment, data):
        super().__init__(site.program.binary, data, open(f"{site.folder}/server.log", "w"))
        self.site, self.environment = site, environment

    def __enter__(self):
        self.spawn()
        return self

    def __exit__(self, kind, *_):
        try:
            if self.process.poll() is None:
                self.stop()
        except subprocess.TimeoutExpired:
            # What went wrong before is told first.
            if kind is None:
                raise Violation("the server did not end within 30 s of SIGTERM") from None
        finally:
            self.kill()
            self.log.close()

    def spawn(self):
        popen = subprocess.Popen
        environment = {**os.environ, **S3_ENVIRONMENT, **self.environment}
        self.port = free_port()
        command = [self.binary, "serve", "--data", self.data, "--host", "127.0.0.1", "--port", str(self.port), "--config", self.site.config]
        self.process = popen(command, stdout=self.log, stderr=self.log, env=environment)

    def wait(self, bound=30):
        """Whether it came to answer."""
        end = time.monotonic() + bound
        while time.monotonic() < end and self.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=bound)
                connection.request("GET", "/")
                if connection.getresponse().status == 200:
                    return True
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()
        return False
