#!/usr/bin/env python3
"""What DuckDB needs to write the orders that we wrote, and what codec and disk could do: bench-parquet.py FILE-OR-TABLE [codec]. Needs duckdb and pyarrow.

A file is one of `WritingBench`, a folder an archive's table: its newest slices. The rows are read into a table in memory first; only COPY is timed, best of
ROUNDS (3), on two threads and on one, synced. The limits are taken over the documents (`body`, where there is one), whole row groups at once."""
import glob, os, re, sys, time
import duckdb
import pyarrow as pa

ROUNDS = int(os.environ.get("ROUNDS", "3"))
path, codec = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else "zstd")


def newest(table):
    slices = {}
    for file in glob.glob(table + "/year=*/month=*/*.parquet"):
        group, _, instant = os.path.basename(file)[:-8].split("_")
        slices[group] = max(slices.get(group, ("", "")), (instant, file))
    return sorted(file for _, file in slices.values())


files = newest(path) if os.path.isdir(path) else [path]
ours = sum(map(os.path.getsize, files))
out = os.path.join(os.path.dirname(os.path.abspath(path)), "duckdb.parquet")
con = duckdb.connect()
con.execute("set timezone='UTC'; set preserve_insertion_order=true")
con.execute("create table t as select * from read_parquet(?, hive_partitioning = false)", [files])
rows = con.execute("select count(*) from t").fetchone()[0]
print("%d rows in %d files of ours, %d bytes (largest %d)" % (rows, len(files), ours, max(map(os.path.getsize, files))))
# The same options as our writer's: level 3 is ZSTD's own default, and DuckDB's.
for threads in (2, 1):
    con.execute("set threads=%d" % threads)
    times, processor = [], []
    for _ in range(ROUNDS):
        start, cpu = time.time(), time.process_time()
        con.execute("copy t to '%s' (format parquet, codec '%s')" % (out, codec))
        with open(out, "rb+") as f:
            os.fsync(f.fileno())
        times.append(time.time() - start)
        processor.append(time.process_time() - cpu)
    size = os.path.getsize(out)
    print("duckdb %s, %d threads: %.2f s (%.2f of processors), %d rows/s, %d bytes; ours are %.3f of that" % (
        duckdb.__version__, threads, min(times), min(processor), rows / min(times), size, ours / size))
os.remove(out)

columns = [c[0] for c in con.execute("describe t").fetchall()]
if "body" in columns:
    bodies = [b"".join(d.encode() if isinstance(d, str) else bytes(d) for d in chunk) for chunk in [
        [r[0] for r in con.execute("select body from t limit 400 offset %d" % at).fetchall()] for at in range(0, min(rows, 40_000), 400)]]
    count, size = min(rows, 40_000), sum(map(len, bodies))
    for name, kind in (("lz4", pa.Codec("lz4_raw")), ("zstd 3", pa.Codec("zstd", 3))):
        best, packed = 1e9, 0
        for _ in range(ROUNDS):
            start = time.time()
            packed = sum(len(kind.compress(b, asbytes=True)) for b in bodies)
            best = min(best, time.time() - start)
        print("%s alone on one thread: %d documents/s, %.0f MB/s, to %.3f" % (name, count / best, size / best / 1e6, packed / size))
    block = os.urandom(8 << 20)
    start = time.time()
    with open(out, "wb") as f:
        for _ in range(64):
            f.write(block)
        f.flush()
        os.fsync(f.fileno())
    speed = 64 * len(block) / (time.time() - start)
    os.remove(out)
    print("disk alone: %.0f MB/s written and synced, that is %d orders/s of %d bytes" % (speed / 1e6, speed / (ours / rows), ours / rows))
print("load average at the end: " + open("/proc/loadavg").read().split(" ")[0])
