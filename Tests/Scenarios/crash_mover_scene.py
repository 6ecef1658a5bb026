"""One move of crash_mover.py: the folder before it, what one whole run of it asked for, and what one stop of it comes to.

    hot-warm, warm-cold, hot-cold    by `isotherm tier run`, nothing else running
    serve-...                        by the mover inside a server, while readers walk; they go on with their cursors after the restart
    s3-...                           archive and staging in a bucket, under a prefix of their own for each stop

Standard library only.
"""
import asyncio
import collections
import os
import random
import shutil
import sqlite3
import subprocess
import time
import uuid

from crash_mover_disk import Disk, read_record, traits
from crash_mover_site import Site, expect

MOVES = {"hot-warm": (None, "warm"), "warm-cold": ("warm", "cold"), "hot-cold": (None, "cold")}
READERS = 3
# Microseconds before each operation of a server, so that readers see the mover at each of its steps.
DELAY = 5_000


class Point:
    def __init__(self, scene, way, number, kind, group, remains, seed):
        self.scene, self.way, self.number, self.kind, self.group, self.remains, self.seed = scene, way, number, kind, group, remains, seed

    def __repr__(self):
        return f"{self.scene}: {self.way} {self.number} ({self.kind} {self.group}{', ' + self.remains if self.remains else ''}, seed {self.seed})"


class Scene:
    def __init__(self, program, shop, base, name, folder, bucket=None):
        self.program, self.shop, self.name, self.bucket, self.base = program, shop, name, bucket, f"{folder}/{name}-base"
        self.serves, (before, self.policy) = name.startswith("serve-"), MOVES[name.partition("-")[2] if name.startswith(("serve-", "s3-")) else name]
        shutil.copytree(base, f"{self.base}/data")
        if before:
            done = Site(program, self.base, before).run()
            expect(done.returncode == 0, "the run before:", done.stdout, done.stderr)
        self.counts = collections.Counter()
        self.staged_before = self.batches() if bucket else frozenset()
        site, record = self.site(f"{folder}/{name}-live"), f"{folder}/{name}.record"
        killed, _ = self.move(site, random.Random(1), record=record)
        expect(not killed, "a run that is not stopped was")
        self.operations = read_record(record, os.path.realpath(site.data))
        whole = Disk(f"{self.base}/data", self.operations)
        whole.advance(len(self.operations))
        expect(not whole.differs(site.data), "something wrote past the record:", whole.differs(site.data))
        self.end(site, random.Random(1))

    def site(self, folder):
        """A folder like the base, and its settings."""
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        shutil.copytree(f"{self.base}/data", f"{folder}/data")
        places = {}
        if self.bucket:
            prefix = uuid.uuid4().hex
            places = {what: self.bucket.replace("?", f"/{prefix}/{what}?", 1) for what in ("archive", "staging")}
        site = Site(self.program, folder, self.policy, every=1 if self.serves else 0, **places)
        site.staged_before = self.staged_before
        return site

    def batches(self):
        """What the run before staged, in a folder: the bucket has none of it."""
        db = sqlite3.connect(f"file:{self.base}/data/hot/isotherm.db?mode=ro", uri=True)
        try:
            return frozenset(prefix for prefix, in db.execute("SELECT staging FROM moves"))
        finally:
            db.close()

    def points(self, dice):
        for at, o in enumerate(self.operations):
            kind, group = traits(o.kind, o.other or o.path)
            for way in ("kill before", "kill half", "kill after") if kind == "write" else ("kill before", "kill after"):
                yield Point(self.name, way, at + 1, kind, group, None, dice.getrandbits(32))
            for way, remains in (("cut before", "nothing"), ("cut before", "sectors"), ("cut after", "half"), ("cut after", "sectors")):
                yield Point(self.name, way, at + 1, kind, group, remains, dice.getrandbits(32))

    # MARK: One stop

    def stop(self, point, disk, folder):
        """False when the run ended before that many operations. The point learns what it turned out to be: operations may come in another order in another run."""
        dice, site, midst = random.Random(point.seed), self.site(folder), []
        how, moment = point.way.split(" ")
        if how == "kill" or self.bucket:
            # A bucket cannot be set back: there the power goes in the midst of a run that is written down.
            record = {"record": f"{folder}/record"} if how == "cut" else {}
            stopped, midst = self.move(site, dice, at=point.number, when=moment, report=f"{folder}/report", **record)
            if not stopped:
                return False
            point.kind, point.group = stopped
            if how == "cut":
                disk = Disk(f"{self.base}/data", read_record(record["record"], os.path.realpath(site.data)))
                disk.advance(len(disk.operations))
        else:
            disk.advance(point.number - (moment == "before"))
        if how == "cut":
            shutil.rmtree(site.data)
            disk.image(point.remains, dice, site.data)
        self.look(site, dice, folder)
        if dice.random() < 0.25 and not self.serves:
            # Stopped once more while it goes on.
            stopped, _ = self.move(site, dice, at=dice.randint(1, len(self.operations)), when=dice.choice(["before", "after"]), report=f"{folder}/again")
            self.counts["stopped again"] += bool(stopped)
        if self.serves:
            self.move(site, dice, midst=midst)
        self.end(site, dice)
        return True

    def move(self, site, dice, midst=(), **how):
        """Gives where it was stopped, nothing if it was not, and what readers were in the midst of."""
        if self.serves:
            environment = self.program.environment(site.data, delay=DELAY, **how)
            return self.serve(site, dice, midst, environment, how.get("report"))
        done = site.run(self.program.environment(site.data, **how) if how else {})
        if done.returncode == 0:
            return None, []
        expect(done.returncode == -9 and how.get("at"), "the mover ended by itself with", done.returncode, done.stdout, done.stderr)
        return self.reported(site, how["report"]), []

    @staticmethod
    def reported(site, report):
        with open(report) as f:
            _, kind, path = f.readline().rstrip("\n").split(" ", 2)
        return traits(kind, path[len(os.path.realpath(site.data)):].strip("/") if path.startswith("/") else path)

    def look(self, site, dice, folder):
        """What readers see of a folder as it was left, before the mover goes on: on a copy."""
        copy = f"{folder}/copy"
        shutil.copytree(site.data, copy)
        self.shop.stopped(site, copy)
        if not self.serves:
            site.serve(lambda port: self.shop.look(port, dice), data=copy)

    def end(self, site, dice, slept=False):
        done = site.run()
        expect(done.returncode == 0, "the mover, run again:", done.stdout, done.stderr)
        warm = self.shop.ended(site, slept)
        # (A server of objects refuses requests of another week.)
        if not self.bucket and (slept or dice.random() < 0.2):
            # When what was staged has expired.
            done = site.run(self.program.environment("/nowhere", clock=8 * 86_400))
            expect(done.returncode == 0, "the mover, a week later:", done.stdout, done.stderr)
            self.shop.expired(site)
            self.counts["looks a week later"] += 1

        async def both(port):
            await self.shop.warm(port, warm)
            await self.shop.look(port, dice)
        if self.serves:
            # Without its schedule: nothing is to move while it is looked at.
            site = Site(self.program, f"{site.folder}/still", site.policy, data=site.data)
        site.serve(both)

    # MARK: With readers

    def serve(self, site, dice, midst, environment, report):
        with site.server(environment) as server:
            left = []
            answers = server.wait()
            expect(answers or server.process.poll() is not None, "a server that lives and does not answer:", server.tail())
            if answers:
                left = asyncio.run(self.readers(server, site, dice, midst))
            if server.process.poll() is None:
                server.stop()
            if server.process.returncode == 0:
                return None, left
            expect(server.process.returncode == -9 and report, "the server ended by itself with", server.process.returncode, server.tail())
            return self.reported(site, report), left

    async def readers(self, server, site, dice, midst):
        """Until the server is gone or everything has moved."""
        ended = asyncio.Event()

        async def gone():
            """A connection has ended: so must have the server, and nothing else."""
            for _ in range(100):
                if server.process.poll() is not None:
                    return
                await asyncio.sleep(0.05)
            expect(False, "a server that lives on has closed a reader's connection:", server.tail())

        async def watch():
            end = time.monotonic() + 60
            while server.process.poll() is None and not self.has_moved(site):
                expect(time.monotonic() < end, "the server's mover does not end:", server.tail())
                await asyncio.sleep(0.02)
            ended.set()
        for walk in [w for w in midst if w and w[2]] or dice.sample(self.shop.midst, READERS):
            await self.shop.walk_on(server.port, gone, *walk)
            self.counts["walks gone on with from before the stop" if walk in midst else "walks gone on with from before the move"] += 1
        readers = [self.shop.read_on(server.port, random.Random(dice.random()), self.counts, ended, gone) for _ in range(READERS)]
        _, *left = await asyncio.gather(watch(), *readers)
        return left

    def has_moved(self, site):
        db = sqlite3.connect(f"file:{site.data}/hot/isotherm.db?mode=ro", uri=True)
        try:
            there = db.execute("SELECT count(*) FROM order_directory WHERE tier = ?", (site.policy,)).fetchone()[0]
            return there == len(self.shop.due) and db.execute("SELECT count(*) FROM moves WHERE finished_at IS NULL").fetchone()[0] == 0
        finally:
            db.close()
