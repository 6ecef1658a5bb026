#!/usr/bin/env python3
"""What DuckDB needs to write the orders that `WritingBench` wrote: bench-parquet.py FILE [codec]. Needs duckdb.

The rows are read into a table in memory first; only COPY is timed, best of three, on two threads and on one."""
import os, sys, time
import duckdb

path, codec = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else "zstd")
con = duckdb.connect()
con.execute("set timezone='UTC'; set preserve_insertion_order=true")
con.execute("create table t as select * from read_parquet(?)", [path])
for threads in (2, 1):
    con.execute("set threads=%d" % threads)
    times = []
    for _ in range(3):
        start = time.time()
        con.execute("copy t to '%s.duckdb' (format parquet, codec '%s')" % (path, codec))
        times.append(time.time() - start)
    print("duckdb %s, %d threads: %.2f s, %d bytes; ours %d bytes (%.3f)" % (duckdb.__version__, threads, min(times), os.path.getsize(path + ".duckdb"),
          os.path.getsize(path), os.path.getsize(path) / os.path.getsize(path + ".duckdb")))
os.remove(path + ".duckdb")
