#!/usr/bin/env python3
"""Stops the mover before, within and after everything it asks of the disk and of the object store, by kill and by power cut; then looks at what is left.

    crash_mover.py ISOTHERM [--points 0] [--seed 1] [--scenes hot-warm,...]

A batch of 200 orders moves, by `isotherm tier run` as anybody runs it, with kill_at.c loaded before it. For each stop, on a folder of its own:

    kill     the process gets SIGKILL before, half-way through (writes), or after its n-th operation, for every n
    cut      the disk is made as a power cut beside the n-th operation of a run that was written down may have left it (crash_mover_disk.py)

then a server on a copy must show every order once, with its body, in walks at limits 1, 7 and 100; `tier run` again must end, now and then stopped once more by a
kill on its way; and at the end every order is in the tier that the policy says, its body there and nowhere else, nothing half-made is left, and the same walks
show the same. The matrix of what was done is printed. Exit code 1 after any violation.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from crash_mover_disk import Disk, file_class, read_record
from crash_mover_shop import Shop, Tool, Violation, expect

SCENES = {"hot-warm": (None, "warm"), "warm-cold": ("warm", "cold"), "hot-cold": (None, "cold")}
WAYS = ("kill before", "kill half", "kill after", "cut before", "cut after")


class Point:
    def __init__(self, scene, way, number, kind, group, remains, seed):
        self.scene, self.way, self.number, self.kind, self.group, self.remains, self.seed = scene, way, number, kind, group, remains, seed

    def __repr__(self):
        return f"{self.scene}: {self.way} {self.number} ({self.kind} {self.group}{', ' + self.remains if self.remains else ''}, seed {self.seed})"


class Scene:
    """A folder before the mover begins, and what one whole run asked for."""

    def __init__(self, tool, shop, base, name):
        before, self.policy = SCENES[name]
        self.tool, self.shop, self.name, self.base = tool, shop, name, f"{tool.work}/{name}"
        shutil.copytree(base, self.base)
        if before:
            done = tool.run(self.base, before)
            expect(done.returncode == 0, "the run before:", done.stdout, done.stderr)
        # In its own place: paths are written down.
        self.live, record = f"{tool.work}/{name}-live", f"{tool.work}/{name}.record"
        shutil.copytree(self.base, self.live)
        done = tool.run(self.live, self.policy, environment=tool.preload(self.live, record=record))
        expect(done.returncode == 0, "a run that is not stopped:", done.stdout, done.stderr)
        self.operations = read_record(record, os.path.realpath(self.live))
        self.check_end(self.live, random.Random(1))

    def points(self, dice):
        for at, o in enumerate(self.operations):
            group = file_class(o.other or o.path)
            for way in ("kill before", "kill half", "kill after") if o.kind == "write" else ("kill before", "kill after"):
                yield Point(self.name, way, at + 1, o.kind, group, None, dice.getrandbits(32))
            for way, remains in (("cut before", "nothing"), ("cut before", "sectors"), ("cut after", "half"), ("cut after", "sectors")):
                yield Point(self.name, way, at + 1, o.kind, group, remains, dice.getrandbits(32))

    # MARK: One point

    def try_point(self, point, disk, folder):
        """Gives what the point turned out to be: kinds may come in another order in another run."""
        dice = random.Random(point.seed)
        data = f"{folder}/data"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        if point.way.startswith("kill"):
            shutil.copytree(self.base, data)
            kind, group = self.kill(data, point.number, point.way.split(" ")[1], f"{folder}/report")
            if kind is None:
                return None
            point.kind, point.group = kind, group
        else:
            disk.advance(point.number - (point.way == "cut before"))
            disk.image(point.remains, dice, data)
        self.check_stopped(data, dice, folder)
        if dice.random() < 0.25:
            # Stopped again while it goes on.
            self.kill(data, dice.randint(1, len(self.operations)), dice.choice(["before", "after"]), f"{folder}/report-again")
        self.check_end(data, dice)
        return point

    def kill(self, data, number, moment, report):
        done = self.tool.run(data, self.policy, environment=self.tool.preload(data, at=number, when=moment, report=report))
        if done.returncode == 0 and os.path.getsize(report) == 0:
            return None, None
        expect(done.returncode == -9, "the mover ended by itself with", done.returncode, done.stdout, done.stderr)
        with open(report) as f:
            _, kind, path = f.readline().rstrip("\n").split(" ", 2)
        return kind, file_class(path[len(os.path.realpath(data)):].strip("/") if path.startswith("/") else path)

    def check_stopped(self, data, dice, folder):
        copy = f"{folder}/copy"
        shutil.copytree(data, copy)
        self.shop.stopped(copy)
        self.tool.serve(copy, lambda port: self.shop.look(port, dice))

    def check_end(self, data, dice):
        done = self.tool.run(data, self.policy)
        expect(done.returncode == 0, "the mover, run again:", done.stdout, done.stderr)
        warm = self.shop.files(self.tool, data, self.policy, dice)

        async def both(port):
            await self.shop.warm(port, warm)
            await self.shop.look(port, dice)
        self.tool.serve(data, both)


class Matrix:
    def __init__(self):
        self.lock, self.cells, self.violations, self.missed = threading.Lock(), collections.defaultdict(lambda: [0, 0]), [], []

    def add(self, point, wrong):
        with self.lock:
            cell = self.cells[point.scene, point.kind, point.group, point.way]
            cell[0] += 1
            if wrong:
                cell[1] += 1
                self.violations.append((point, wrong))
                print(f"VIOLATION {point}: {wrong}", flush=True)

    def show(self):
        rows = sorted({key[:3] for key in self.cells})
        print(f"\n{'scene':<10}{'operation':<10}{'file':<24}" + "".join(f"{way:>14}" for way in WAYS))
        for row in rows:
            cells = (self.cells.get((*row, way)) for way in WAYS)
            print(f"{row[0]:<10}{row[1]:<10}{row[2]:<24}" + "".join(f"{(f'{c[0]} / {c[1]}' if c else '-'):>14}" for c in cells))
        print("(points / violations)")


def choose(points, most, dice):
    """All; or so many, with every operation, file and way there as long as they last."""
    if most == 0 or len(points) <= most:
        return points
    dice.shuffle(points)
    chosen, seen = [], collections.Counter()
    while len(chosen) < most:
        # The point whose traits were chosen the fewest times.
        best = min(points, key=lambda p: max(1, seen[p.way, p.kind]) * 4 + seen[p.scene, p.group] * 2 + seen[p.scene, p.way] + seen[p.kind, p.group])
        points.remove(best)
        chosen.append(best)
        for trait in ((best.way, best.kind), (best.scene, best.group), (best.scene, best.way), (best.kind, best.group)):
            seen[trait] += 1
    return chosen


def work(scenes, points, matrix, folder, began, most):
    disks = {}
    for point in points:
        scene = scenes[point.scene]
        try:
            if point.way.startswith("cut") and point.scene not in disks:
                disks[point.scene] = Disk(scene.base, scene.operations)
            made = scene.try_point(point, disks.get(point.scene), folder)
            if made is None:
                matrix.missed.append(point)
            else:
                matrix.add(made, None)
        except (Violation, subprocess.TimeoutExpired) as error:
            matrix.add(point, str(error)[:2000])
        count = sum(c[0] for c in matrix.cells.values())
        if count % 200 == 0:
            print(f"{count} points in {time.monotonic() - began:.0f} s, {len(matrix.violations)} violations", flush=True)
        if len(matrix.violations) >= most:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--points", type=int, default=0, help="how many; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--only", default="", help="points whose description has this")
    parser.add_argument("--violations", type=int, default=20, help="after so many it ends")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    a = parser.parse_args()
    began, room = time.monotonic(), "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    work_folder = tempfile.mkdtemp(prefix="crash-mover-", dir=room)
    try:
        sys.exit(run(a, work_folder, began))
    finally:
        if a.keep:
            print("left:", work_folder)
        else:
            shutil.rmtree(work_folder, ignore_errors=True)


def run(a, folder, began):
    shim = f"{folder}/kill_at.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, os.path.join(os.path.dirname(os.path.abspath(__file__)), "kill_at.c"), "-ldl", "-lpthread"], check=True)
    tool = Tool(os.path.abspath(a.isotherm), folder, shim)
    shop = Shop().make(tool, f"{folder}/base", a.seed)
    scenes = {name: Scene(tool, shop, f"{folder}/base", name) for name in a.scenes.split(",")}
    dice = random.Random(a.seed)
    everything = [p for scene in scenes.values() for p in scene.points(dice)]
    for name, scene in scenes.items():
        print(f"{name}: {len(scene.operations)} operations")
    points = choose([p for p in everything if a.only in repr(p)], a.points, dice)
    # A disk goes forward only.
    points.sort(key=lambda p: (p.scene, p.number, p.way))
    matrix, halves = Matrix(), [points[:len(points) // 2], points[len(points) // 2:]]
    print(f"{len(points)} of {len(everything)} points, after {time.monotonic() - began:.0f} s", flush=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work, scenes, half, matrix, f"{folder}/worker-{n}", began, a.violations) for n, half in enumerate(halves)]:
            future.result()
    matrix.show()
    done = sum(c[0] for c in matrix.cells.values())
    print(f"{done} points, {len(matrix.missed)} not reached, {len(matrix.violations)} violations, in {time.monotonic() - began:.0f} s")
    return 1 if matrix.violations or len(matrix.missed) * 50 > len(points) else 0


if __name__ == "__main__":
    main()
