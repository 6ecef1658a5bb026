"""A lease holder that is paused, for whoever sleeps through a takeover: A is stopped (SIGSTOP) before and after each of its operations, B takes over and ends, A wakes up.
Taking SQLite's locks are operations too: before one A is between two transactions.

The data folder's lock keeps two movers apart on one machine. What it cannot keep apart, movers on a file system that does not lock, or on two machines with one
archive, is made here of two data folders that share hot, keys, staging and archive by links, each with an index of its own; orders go from hot to cold.

If A holds SQLite's write lock when it is stopped, B cannot take over: it must say so and change nothing, and A ends as if nothing had been. Else B must end, and then A,
awake again, may end or be refused, but changes nothing: the directory, hot's rows, the archive's rows and bytes, journal and staging stay as B left them. (What A was just
staging for a batch that B gave up may still arrive; nobody reads it, and it goes when the batch expires: that is looked at.)
"""
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from crash_mover_disk import file_class, read_record
from crash_mover_scene import Point
from crash_mover_shop import archived
from crash_mover_site import Site, Violation, expect

SHARED = ("hot", "keys", "staging", "cold")


def paused_points(scene, most, matrix, folder, dice):
    points = []
    for at, o in enumerate(operations(scene, folder)):
        points += [Point("paused", "paused", at + 1, o.kind, file_class(o.other or o.path), moment, 0) for moment in ("before", "after") if (o.kind, moment) != ("lock", "after")]
    if most and len(points) > most:
        # Half of them between transactions; none at which it holds the database, where the second mover waits ten seconds.
        free = [p for p in points if not p.group.startswith(("database", "keys")) or p.kind == "lock"]
        locks = [p for p in free if p.kind == "lock"]
        points = dice.sample(locks, most // 2) + dice.sample([p for p in free if p.kind != "lock"], most - most // 2)
        points.sort(key=lambda p: p.number)
    for point in points:
        try:
            outcome = pause(scene, point, folder, dice)
            if outcome is None:
                matrix.missed.append(point)
                continue
            scene.counts[outcome] += 1
            matrix.add(point)
        except (Violation, subprocess.TimeoutExpired) as error:
            matrix.add(point, str(error)[:2000])
    taken = sum(n for outcome, n in scene.counts.items() if outcome.startswith("sleepers"))
    if len(points) > 20 and taken * 4 < len(points):
        matrix.add(points[0], f"of {len(points)} pauses only {taken} were taken over from")


def arrange(scene, folder):
    """Two data folders with what movers share in common."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(f"{scene.base}/data", f"{folder}/shared")
    sites = []
    for name in "ab":
        data = f"{folder}/{name}/data"
        os.makedirs(data)
        for part in SHARED:
            os.makedirs(f"{folder}/shared/{part}", exist_ok=True)
            os.symlink(f"../../shared/{part}", f"{data}/{part}")
        sites.append(Site(scene.program, f"{folder}/{name}", scene.policy))
    return sites


def operations(scene, folder):
    a, _ = arrange(scene, folder)
    done = a.run(scene.program.environment(folder, record=f"{folder}/record", locks=1))
    expect(done.returncode == 0, "a run that is not paused:", done.stdout, done.stderr)
    return [inside(o) for o in read_record(f"{folder}/record", os.path.realpath(folder))]


def inside(operation):
    operation.path, operation.other = within(operation.path), operation.other and within(operation.other)
    return operation


def within(path):
    return path.partition("/")[2] if path.startswith("shared/") else path.partition("/data/")[2]


def pause(scene, point, folder, dice):
    a, b = arrange(scene, folder)
    report = f"{folder}/report"
    sleeper = a.begin(scene.program.environment(folder, at=point.number, when=point.remains, signal="stop", report=report, locks=1))
    try:
        if not stopped(sleeper, report):
            return None
        with open(report) as f:
            _, point.kind, path = f.readline().rstrip("\n").split(" ", 2)
        point.group = file_class(within(os.path.relpath(path, os.path.realpath(folder))))
        held = locks(sleeper.pid, f"{folder}/shared")
        taken = b.run()
        if taken.returncode == 0:
            before = state(b)
        else:
            # SQLITE_BUSY, or SQLITE_PROTOCOL when A sleeps while it reads the log.
            expect(any(word in taken.stderr for word in ("locked", "locking protocol")), "the second mover:", taken.returncode, taken.stdout, taken.stderr)
            # Not by what A was about to do: another of its threads may have been within a transaction.
            named = {name for name in ("isotherm.db", "people.db") if name in taken.stderr}
            expect(held & named if named else held, "the second mover found a lock that the first does not hold, which was at", point.kind, point.group, ":", taken.stderr)
        os.kill(sleeper.pid, signal.SIGCONT)
        said = sleeper.communicate(timeout=60)[0]
    finally:
        if sleeper.poll() is None:
            sleeper.kill()
            sleeper.wait()
    expect(sleeper.returncode >= 0, "the one that slept ended with", sleeper.returncode, said)
    if taken.returncode == 0:
        after = state(b)
        for what in before:
            expect(before[what] == after[what], "the one that slept changed", what, "from", str(before[what])[:500], "to", str(after[what])[:500], "saying", said)
        outcome = "sleepers refused" if sleeper.returncode else "sleepers found nothing to do"
    else:
        expect(sleeper.returncode == 0, "the one that slept, not taken over from, ended with", sleeper.returncode, said)
        outcome = "takeovers refused, the database was locked"
    scene.end(b, dice, slept=True)
    return outcome


def locks(pid, folder):
    """The databases below a folder that a process keeps others from writing to, as the kernel says: with a log beside it by a part of its own, without one by reading too."""
    names = {os.stat(f"{where}/{name}").st_ino: name for where, _, names in os.walk(folder) for name in names if ".db" in name}
    with open("/proc/locks") as f:
        rows = [line.split() for line in f]
    held = [(row[3], names[inode]) for row in rows if row[4] == str(pid) and (inode := int(row[5].rpartition(":")[2])) in names]
    return {name.partition(".db")[0] + ".db" for kind, name in held if kind == "WRITE" or name == "people.db"}


def stopped(process, report):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if os.path.exists(report) and os.path.getsize(report):
            # It says so just before it stops.
            with open(f"/proc/{process.pid}/stat") as f:
                if f.read().rpartition(")")[2].split()[0] == "T":
                    return True
        time.sleep(0.005)
    return False


def state(site):
    db = sqlite3.connect(f"file:{site.data}/hot/isotherm.db?mode=ro", uri=True)
    try:
        found = {
            "the directory": db.execute("SELECT order_id, tier, version, state, paid_minor FROM order_directory ORDER BY order_id").fetchall(),
            "hot's rows": db.execute("SELECT * FROM orders ORDER BY order_id").fetchall(), "the journal": db.execute("SELECT batch_id, step, manifest FROM moves ORDER BY 1").fetchall(),
            "the outbox": db.execute("SELECT * FROM outbox ORDER BY position").fetchall(),
        }
        moves = db.execute("SELECT staging, step FROM moves").fetchall()
    finally:
        db.close()
    found["the archive"] = sorted(archived(site.archive))
    given_up = {prefix for prefix, step in moves if step == "abandoned"}
    found["staging"] = [(name, site.staging.read(name)) for name in site.staging.names() if "/.~" not in name and name.rpartition("/")[0] not in given_up]
    return found
