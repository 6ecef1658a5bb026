#!/usr/bin/env python3
"""Other readers on our Parquet files, and our reader on theirs.

  parquet.py check DIR             the files that the Swift suite left in DIR (ours-*.parquet with their rows in ours-*.ndjson) are read by
                                   pyarrow and DuckDB; rows, schema, statistics, page index and bloom filters must be what the JSON says
  parquet.py make DIR              pyarrow and DuckDB write files of many options into DIR; the Swift suite, with ISOTHERM_PARQUET_THEIRS=DIR,
                                   leaves what it read beside each as FILE.read
  parquet.py theirs DIR            compares that; what we do not read must be refused by name

ISOTHERM_PARQUET_OUT=DIR swift test --filter ParquetTests makes the files of `check`. Needs pyarrow and duckdb (Tests/requirements.txt).
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
        same("duckdb", rows(con.sql("select * from read_parquet('%s')" % path).to_arrow_table()), want)
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


def table():
    D, n = decimal.Decimal, 5000
    order = lambda i: {"id": "o-%06d" % (i * 7919 % n), "status": None if i % 7 == 0 else ["a", "b", "c"][i % 3], "n": None if i % 5 == 0 else i * i,
                       "small": i % 11, "total": None if i % 6 == 0 else D(i * 13 - 900).scaleb(-2), "at": dt.datetime(2020, 1, 1, tzinfo=UTC) + dt.timedelta(seconds=i),
                       "x": i / 8, "yes": i % 3 == 0, "raw": b"\x00\xff" * (i % 4), "day": dt.date(2020, 1, 1) + dt.timedelta(days=i % 900),
                       "lines": None if i % 9 == 0 else [None if (i + k) % 13 == 0 else {"sku": "s%d" % (k * i % 50), "price": D(k * 99).scaleb(-2)} for k in range(i % 4)],
                       "tags": [None if k == 2 else "t%d" % k for k in range(i % 4)]}
    schema = pa.schema([("id", pa.string()), ("status", pa.string()), ("n", pa.int64()), ("small", pa.int32()), ("total", pa.decimal128(12, 2)),
                        ("at", pa.timestamp("us", tz="UTC")), ("x", pa.float64()), ("yes", pa.bool_()), ("raw", pa.binary()), ("day", pa.date32()),
                        ("lines", pa.list_(pa.struct([("sku", pa.string()), ("price", pa.decimal128(12, 2))]))), ("tags", pa.list_(pa.string()))])
    return pa.Table.from_pylist([order(i) for i in range(n)], schema=schema)


READ = {"zstd": dict(compression="zstd"), "snappy": dict(compression="snappy"), "none": dict(compression="none"), "plain": dict(use_dictionary=False),
        "pages": dict(data_page_size=500, write_page_index=True), "groups": dict(row_group_size=777), "crc": dict(write_page_checksum=True),
        "format1": dict(version="1.0"), "int-decimals": dict(store_decimal_as_integer=True), "fallback": dict(dictionary_pagesize_limit=300)}
REFUSED = {"v2": (dict(data_page_version="2.0"), "data page version 2"), "gzip": (dict(compression="gzip"), "gzip"), "lz4": (dict(compression="lz4"), "lz4Raw"),
           "delta": (dict(use_dictionary=False, column_encoding={"n": "DELTA_BINARY_PACKED"}), "deltaBinaryPacked"),
           "int96": (dict(use_deprecated_int96_timestamps=True), "int96")}


def make(folder):
    t, names = table(), []
    for name, options in [*READ.items(), *((k, v[0]) for k, v in REFUSED.items())]:
        pq.write_table(t, "%s/%s.parquet" % (folder, name), **{"compression": "zstd", **options})
        names.append(name + ".parquet")
    con = duckdb.connect()
    con.execute("set timezone='UTC'")
    con.execute("create view t as select * from read_parquet(?)" .replace("?", "'%s/zstd.parquet'" % folder))
    for codec in ("zstd", "snappy", "uncompressed"):
        con.execute("copy t to '%s/duckdb-%s.parquet' (format parquet, codec '%s', row_group_size 2048)" % (folder, codec, codec))
        names.append("duckdb-%s.parquet" % codec)
    with open(folder + "/list.txt", "w") as fh:
        fh.write("".join(n + "\n" for n in names))


def theirs(folder):
    want = rows(table())
    for name in [*READ, "duckdb-zstd", "duckdb-snappy", "duckdb-uncompressed"]:
        with open("%s/%s.parquet.read" % (folder, name)) as fh:
            text = fh.read()
        assert text.startswith("{"), (name, text[:200])
        same(name, [json.loads(l) for l in text.splitlines()], want)
    for name, (_, word) in REFUSED.items():
        with open("%s/%s.parquet.read" % (folder, name)) as fh:
            text = fh.read()
        assert text.startswith("unsupported") and word in text, (name, text[:200])
        print("  %s: %s" % (name, text.strip()))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "check":
        check(sys.argv[2])
    elif len(sys.argv) == 3 and sys.argv[1] in ("make", "theirs"):
        globals()[sys.argv[1]](sys.argv[2])
    else:
        sys.exit(__doc__)
