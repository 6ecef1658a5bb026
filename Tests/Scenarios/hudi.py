#!/usr/bin/env python3
"""Other readers on our Hudi tables: hudi.py VERIFY DIR

DIR is what the Swift suite left with ISOTHERM_HUDI_OUT=DIR: tables in DIR/KIND/cold/orders, and in DIR/KIND.json what our own scan of each gives.
VERIFY is verify_hudi.py: hudi-rs, DuckDB and pyarrow must agree with the timeline, with each other and with our scan, by both orderings. Then
DuckDB answers through the view of docs/cold-tier.md, over every file of the folder, nested sums too. Needs hudi, duckdb, pyarrow
(Tests/requirements.txt). Exit 0 when all agree.
"""
import glob, json, os, re, subprocess, sys
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


def main(verify, out):
    kinds = sorted(os.path.basename(p)[:-5] for p in glob.glob(out + "/*.json"))
    assert kinds, "no tables in " + out
    for kind in kinds:
        table, want = "%s/%s/cold/orders" % (out, kind), json.load(open("%s/%s.json" % (out, kind)))
        for ordering in ("updated_at", "version"):
            done = subprocess.run([sys.executable, "-B", verify, table, "--ordering", ordering, "--sum", "total,paid,line_count", "--expect", "%s/%s.json" % (out, kind)],
                                  capture_output=True, text=True)
            answer = json.loads(done.stdout or "{}")
            print("%s, ordering by %s: exit %d, %s, time travel to %d instants" % (
                kind, ordering, done.returncode, answer.get("files"), len(answer.get("time_travel", {}))))
            assert done.returncode == 0, (answer.get("failed"), answer.get("error"), done.stderr[-2000:])
        con = duckdb.connect()
        con.execute(documented_view(table))
        row = con.execute("select %s from orders" % ", ".join(QUESTIONS.values())).fetchone()
        got = dict(zip(QUESTIONS, map(str, row)))
        expected = {"count": str(want["count"]), **want["sums"], **want["nested"]}
        assert got == expected, "DuckDB through the documented view\n got %s\nwant %s" % (got, expected)
        print("  DuckDB through the documented view: %s" % got)


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) == 3 else sys.exit(__doc__)
