#!/usr/bin/env python3
"""Other readers on our Hudi tables: hudi.py VERIFY DIR ISOTHERM [S3]

DIR is what the Swift suite left with ISOTHERM_HUDI_OUT=DIR: tables in DIR/KIND/cold/orders, and in DIR/KIND.json what our own scan of each gives.
VERIFY is verify_hudi.py: hudi-rs, DuckDB and pyarrow must agree with the timeline, with each other and with our scan, by both orderings. Then
DuckDB answers through the view of docs/cold-tier.md, over every file of the folder, nested sums too, and `isotherm archive query --json` must give its sums by
everything there is. With S3, s3://bucket/prefix?endpoint=URL, the tables are there and DIR has their facts: VERIFY reads them there, and `archive query`
must say the same as of the folder's. Needs hudi, duckdb, pyarrow (Tests/requirements.txt). Exit 0 when all agree.
"""
import glob, json, os, re, subprocess, sys, urllib.parse
import duckdb

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "cold-tier.md")
QUESTIONS = {
    "count": "count(*)", "total": "sum(total)", "paid": "sum(paid)", "line_count": "sum(line_count)",
    "quantity": "sum(list_sum(list_transform(lines, lambda x: x.quantity)))",
    "captured": "sum(list_sum(list_transform(payments, lambda x: x.captured)))",
    "shipments": "sum(len(shipments))", "tracking": "sum(len(tracking))", "body_bytes": "sum(octet_length(encode(body)))",
    "updated_at": "sum(epoch_us(updated_at))",
}


def documented_view(folder):
    """The view as the page has it, with the folder put in."""
    with open(DOC, encoding="utf-8") as fh:
        block = re.search(r"```sql\n(-- DuckDB\n.*?)```", fh.read(), re.S)
    return block[1].replace("'orders/", "'%s/" % folder)


# What `archive query --by` adds up, as SQL: keys, then orders, lines, quantity, total, paid, refunded.
OF_ORDERS = "count(*), sum(line_count), coalesce(sum(list_sum(list_transform(lines, lambda x: x.quantity))), 0), sum(total), sum(paid), sum(refunded) from orders"
BY = {
    "": "select %s" % OF_ORDERS,
    "month": "select strftime(placed_at, '%%Y-%%m') k, %s group by k" % OF_ORDERS,
    "year": "select strftime(placed_at, '%%Y') k, %s group by k" % OF_ORDERS,
    "state": "select status k, %s group by k" % OF_ORDERS,
    "currency,month": "select currency c, strftime(placed_at, '%%Y-%%m') k, %s group by c, k" % OF_ORDERS,
    "seller": "select coalesce(l.seller, '') k, count(distinct order_id), count(*), sum(l.quantity), sum(l.total), null, null "
              "from (select order_id, unnest(lines) l from orders) group by k",
    "payment_method": "select p.method k, count(distinct order_id), null, null, sum(p.amount), sum(p.captured), sum(p.refunded) "
                      "from (select order_id, unnest(payments) p from orders) group by k",
}


def query(isotherm, archive, by):
    """Rows of `archive query`, each a list of texts; and what it read."""
    done = subprocess.run([isotherm, "archive", "query", "--archive", archive, "--json"] + (["--by", by] if by else []), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    heads = answer["by"] + ["orders", "lines", "quantity", "total", "paid", "refunded"]
    return [[None if row[h] is None else str(row[h]) for h in heads] for row in answer["rows"]], answer["read"]


def same_sums(isotherm, archive, con):
    """`archive query` against DuckDB through the view."""
    for by, sql in BY.items():
        mine, read = query(isotherm, archive, by)
        theirs = [[None if cell is None else str(cell) for cell in row] for row in con.execute(sql.replace("%%", "%")).fetchall()]
        assert sorted(mine, key=str) == sorted(theirs, key=str), "archive query --by %s\n got %s\nDuckDB %s" % (by, sorted(mine)[:5], sorted(theirs, key=str)[:5])
    print("  archive query: the same sums as DuckDB's by %s; %s" % (", ".join(by or "nothing" for by in BY), read))


def verified(verify, table, kind, facts, orderings=("updated_at", "version"), **environment):
    for ordering in orderings:
        done = subprocess.run([sys.executable, "-B", verify, table, "--ordering", ordering, "--sum", "total,paid,line_count", "--expect", facts],
                              capture_output=True, text=True, env={**os.environ, **environment})
        answer = json.loads(done.stdout or "{}")
        print("%s, ordering by %s: exit %d, %s, time travel to %d instants" % (kind, ordering, done.returncode, answer.get("files"), len(answer.get("time_travel", {}))))
        assert done.returncode == 0, (answer.get("failed"), answer.get("error"), done.stderr[-2000:])


def on_s3(verify, out, isotherm, location):
    place, _, options = location.partition("?")
    endpoint = urllib.parse.parse_qs(options)["endpoint"][0]
    for kind in ("cleaned", "whole"):
        table = "%s/%s/cold/orders" % (place, kind)
        verified(verify, table, table, "%s/%s.json" % (out, kind), ("version",), AWS_ENDPOINT_URL=endpoint)
        for by in ("", "month", "state", "seller", "payment_method"):
            here, read = query(isotherm, "%s?%s" % (table, options), by)
            there, _ = query(isotherm, "%s/%s/cold" % (out, kind), by)
            assert here == there, (by, here[:5], there[:5])
        print("  archive query: as on the folder; %s" % read)


def main(verify, out, isotherm, s3=None):
    kinds = sorted(os.path.basename(p)[:-5] for p in glob.glob(out + "/*.json"))
    assert kinds, "no tables in " + out
    if s3:
        return on_s3(verify, out, isotherm, s3)
    for kind in kinds:
        table, want = "%s/%s/cold/orders" % (out, kind), json.load(open("%s/%s.json" % (out, kind)))
        verified(verify, table, kind, "%s/%s.json" % (out, kind))
        con = duckdb.connect()
        con.execute(documented_view(table))
        row = con.execute("select %s from orders" % ", ".join(QUESTIONS.values())).fetchone()
        got = dict(zip(QUESTIONS, map(str, row)))
        expected = {"count": str(want["count"]), **want["sums"], **want["nested"]}
        assert got == expected, "DuckDB through the documented view\n got %s\nwant %s" % (got, expected)
        print("  DuckDB through the documented view: %s" % got)
        same_sums(isotherm, table, con)


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) in (4, 5) else sys.exit(__doc__)
