#!/usr/bin/env python3
"""Stops the mover before, within and after everything it asks of the disk and of the object store, by kill and by power cut; then looks at what is left.

    crash_mover.py ISOTHERM [--points 0] [--seed 1] [--scenes hot-warm,...] [--s3 s3://BUCKET?endpoint=URL]

A batch of 200 orders moves from tier to tier in the program itself, with kill_at.c loaded before it. For each stop, on a folder of its own:

    kill     the process gets SIGKILL before, half-way through (writes), or after its n-th operation, for every n
    cut      the disk is made as a power cut beside the n-th operation of a run that was written down may have left it (crash_mover_disk.py)

then a server on a copy must show every order once, with its body, in walks at limits 1, 7 and 100, also in walks that began before; the mover, run again, must end,
now and then killed once more on its way; and then every order is in the tier that the policy says, its body there and nowhere else, nothing half-made is left, and
the same walks show the same. Scenes with a server (serve-...) have readers walking all the while, who go on with their cursors after the restart. Last a lease holder
is paused at every operation, another takes over, and the first wakes up (crash_mover_paused.py). The matrix of what was done is printed.

Exit code 1 after any violation, 77 when it cannot run. Standard library; pyarrow for the archive.
"""
import argparse
import collections
import concurrent.futures
import datetime
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from crash_mover_disk import Disk
from crash_mover_paused import paused_points
from crash_mover_scene import MOVES, Scene
from crash_mover_shop import Shop
from crash_mover_site import Bucket, Program, Site, Violation
from crash_mover_trace import check_with_strace

WAYS = ("kill before", "kill half", "kill after", "cut before", "cut after", "paused")
SCENES = [*MOVES, *(f"serve-{name}" for name in MOVES)]
WORKERS = 2


class Matrix:
    def __init__(self, began):
        self.lock, self.began, self.cells, self.violations, self.missed = threading.Lock(), began, collections.defaultdict(lambda: [0, 0]), [], []

    def add(self, point, wrong=None):
        with self.lock:
            cell = self.cells[point.scene, point.kind, point.group, point.way]
            cell[0] += 1
            if wrong:
                cell[1] += 1
                self.violations.append((point, wrong))
                print(f"VIOLATION {point}: {wrong}", flush=True)
            if self.count % 200 == 0:
                print(f"{self.count} points in {time.monotonic() - self.began:.0f} s, {len(self.violations)} violations", flush=True)

    @property
    def count(self):
        return sum(c[0] for c in self.cells.values())

    def show(self):
        print(f"\n{'scene':<16}{'operation':<10}{'file':<18}" + "".join(f"{way:>13}" for way in WAYS))
        for row in sorted({key[:3] for key in self.cells}):
            cells = (self.cells.get((*row, way)) for way in WAYS)
            print(f"{row[0]:<16}{row[1]:<10}{row[2]:<18}" + "".join(f"{(f'{c[0]} / {c[1]}' if c else '-'):>13}" for c in cells))
        print("(points / violations)")


def choose(points, most, dice):
    """All; or so many, with every scene, operation, file and way among them as far as they reach."""
    if most == 0 or len(points) <= most:
        return points
    dice.shuffle(points)
    chosen, seen = [], collections.Counter()

    def traits(p):
        return (p.way, p.kind), (p.scene, p.group), (p.scene, p.way), (p.kind, p.group)
    while len(chosen) < most:
        best = min(points, key=lambda p: sum(seen[t] for t in traits(p)))
        points.remove(best)
        chosen.append(best)
        seen.update(traits(best))
    return chosen


def work(scenes, points, matrix, folder, most):
    disks = {}
    for point in points:
        scene = scenes[point.scene]
        if len(matrix.violations) >= most:
            return
        try:
            if point.way.startswith("cut") and not scene.bucket and point.scene not in disks:
                disks[point.scene] = Disk(f"{scene.base}/data", scene.operations)
            if scene.stop(point, disks.get(point.scene), folder):
                matrix.add(point)
            else:
                matrix.missed.append(point)
        except (Violation, subprocess.TimeoutExpired) as error:
            matrix.add(point, str(error)[:2000])
            if os.environ.get("CRASH_MOVER_KEEP"):
                shutil.copytree(folder, f"{os.environ['CRASH_MOVER_KEEP']}/{point.scene}-{point.way.replace(' ', '-')}-{point.number}", dirs_exist_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--points", type=int, default=0, help="how many, of all scenes together; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--s3", help="a bucket with its endpoint: the scenes are then on it")
    parser.add_argument("--only", default="", help="points whose description has this")
    parser.add_argument("--paused", type=int, default=0, help="how many operations a lease holder is paused at; 0: all, below 0: none")
    parser.add_argument("--strace", action="store_true", help="first compare what is counted with what strace sees")
    parser.add_argument("--violations", type=int, default=20, help="after so many it ends")
    a = parser.parse_args()
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        print("cannot run: pyarrow is not there (make venv)")
        sys.exit(77)
    folder = tempfile.mkdtemp(prefix="crash-mover-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        sys.exit(run(a, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(a, folder):
    began, dice = time.monotonic(), random.Random(a.seed)
    shim = f"{folder}/kill_at.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, os.path.join(os.path.dirname(os.path.abspath(__file__)), "kill_at.c"), "-ldl", "-lpthread"], check=True)
    program = Program(os.path.abspath(a.isotherm), shim, datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    base = Site(program, f"{folder}/base", "warm")
    shop = Shop().make(base, dice)
    names = [name for name in a.scenes.split(",") if name]
    if a.s3:
        Bucket(a.s3).make()
        names = [f"s3-{name}" for name in names if name in MOVES]
    scenes = {name: Scene(program, shop, base.data, name, folder, a.s3) for name in names}
    everything = [p for scene in scenes.values() for p in scene.points(dice)]
    for scene in scenes.values():
        seen = f"; strace sees the same, {check_with_strace(scene, f'{folder}/strace')} calls" if a.strace and not scene.serves else ""
        print(f"{scene.name}: {len(scene.operations)} operations{seen}")
    points = choose([p for p in everything if a.only in repr(p)], a.points, dice)
    # A disk goes forward only.
    points.sort(key=lambda p: (p.scene, p.number, p.way.endswith("after"), p.way))
    matrix, share = Matrix(began), (len(points) + WORKERS - 1) // WORKERS
    print(f"{len(points)} of {len(everything)} points, after {time.monotonic() - began:.0f} s", flush=True)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        parts = [points[n * share:(n + 1) * share] for n in range(WORKERS)]
        for future in [pool.submit(work, scenes, part, matrix, f"{folder}/worker-{n}", a.violations) for n, part in enumerate(parts)]:
            future.result()
    if a.paused >= 0 and "hot-cold" in scenes:
        paused_points(scenes["hot-cold"], a.paused, matrix, f"{folder}/paused", dice)
    matrix.show()
    counts = sum((scene.counts for scene in scenes.values()), collections.Counter())
    print(f"{matrix.count} points, {len(matrix.missed)} not reached, {len(matrix.violations)} violations, in {time.monotonic() - began:.0f} s; "
          + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    return 1 if matrix.violations or len(matrix.missed) * 20 > len(points) else 0


if __name__ == "__main__":
    main()
