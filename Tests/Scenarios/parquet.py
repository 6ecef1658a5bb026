#!/usr/bin/env python3
"""Other readers on our Parquet files, and our reader on theirs.

  parquet.py check DIR             the files that the Swift suite left in DIR (ours-*.parquet with their rows in ours-*.ndjson) are read by
                                   pyarrow and DuckDB; rows, schema, statistics, page index and bloom filters must be what the JSON says
  parquet.py theirs DIR ISOTHERM   pyarrow writes files into DIR; `ISOTHERM inspect FILE --records` must print their rows

ISOTHERM_PARQUET_OUT=DIR swift test --filter ParquetTests makes the first kind. Needs pyarrow and duckdb (Tests/requirements.txt).
Exit 0 when all agree.
"""
import datetime as dt, decimal, json, subprocess, sys
import duckdb
import pyarrow as pa, pyarrow.parquet as pq

UTC = dt.timezone.utc


def plain(v, t):
    """An Arrow value as our JSON has it: unscaled decimals, microseconds, days, hexadecimal bytes."""
    if v is None:
        return None
    if pa.types.is_list(t):
        return [plain(x, t.value_type) for x in v]
    if pa.types.is_struct(t):
        return {t.field(i).name: plain(v[t.field(i).name], t.field(i).type) for i in range(t.num_fields)}
    if isinstance(v, decimal.Decimal):
        return int(v.scaleb(t.scale))
    if isinstance(v, dt.datetime):
        d = v.astimezone(UTC) - dt.datetime(1970, 1, 1, tzinfo=UTC)
        return d.days * 86_400_000_000 + d.seconds * 1_000_000 + d.microseconds
    if isinstance(v, dt.date):
        return (v - dt.date(1970, 1, 1)).days
    return v.hex() if isinstance(v, bytes) else v


def rows(table):
    cols = {f.name: [plain(v, f.type) for v in table[f.name].to_pylist()] for f in table.schema}
    return [dict(zip(cols, r)) for r in zip(*cols.values())]


def same(what, got, want):
    assert len(got) == len(want), (what, len(got), len(want))
    for i, (a, b) in enumerate(zip(got, want)):
        assert a == b, "%s: row %d\n got %s\nwant %s" % (what, i, a, b)
    print("  %s: %d rows agree" % (what, len(want)))


def check(folder):
    for codec in ("zstd", "snappy", "none"):
        path = "%s/ours-%s.parquet" % (folder, codec)
        with open("%s/ours-%s.ndjson" % (folder, codec)) as fh:
            want = [json.loads(l) for l in fh]
        print(path)
        f = pq.ParquetFile(path, page_checksum_verification=True)
        same("pyarrow", rows(f.read()), want)
        con = duckdb.connect()
        con.execute("set timezone='UTC'")
        same("duckdb", rows(con.execute("select * from read_parquet(?)", [path]).to_arrow_table()), want)
        metadata(f, con, path, want)


def metadata(f, con, path, want):
    first = 0
    for g in range(f.metadata.num_row_groups):
        group = f.metadata.row_group(g)
        part = want[first:first + group.num_rows]
        first += group.num_rows
        for c in range(group.num_columns):
            col, s = group.column(c), group.column(c).statistics
            assert col.has_offset_index and (col.has_column_index or "weight" in col.path_in_schema), col.path_in_schema
            if "." in col.path_in_schema or col.path_in_schema in ("sealed_name", "digest", "weight"):
                continue
            t = f.schema_arrow.field(col.path_in_schema).type
            values = [r[col.path_in_schema] for r in part]
            there = [v for v in values if v is not None]
            assert s.null_count == len(values) - len(there), col.path_in_schema
            assert (plain(s.min, t), plain(s.max, t)) == (min(there), max(there)), (col.path_in_schema, s.min, min(there), s.max, max(there))
    print("  statistics and page index are there and right")
    everyone = sorted({r["person_ref"] for r in want})
    groups = f.metadata.num_row_groups
    for key in everyone[:: max(1, len(everyone) // 50)]:
        kept = con.execute("select bloom_filter_excludes from parquet_bloom_probe(?, 'person_ref', ?)", [path, key]).fetchall()
        assert len(kept) == groups and not all(x[0] for x in kept), key
        n = con.execute("select count(*) from read_parquet(?) where person_ref = ?", [path, key]).fetchone()[0]
        assert n == sum(r["person_ref"] == key for r in want), key
    absent = sum(x[0] for i in range(50) for x in con.execute("select bloom_filter_excludes from parquet_bloom_probe(?, 'order_id', ?)", [path, "nobody %d" % i]).fetchall())
    assert absent >= 50 * groups * 0.95, absent
    print("  DuckDB's probes of our bloom filters: none wrongly excluded, %d of %d absent ones excluded" % (absent, 50 * groups))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "check":
        check(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "theirs":
        theirs(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
