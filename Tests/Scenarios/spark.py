#!/usr/bin/env python3
"""Spark on our Hudi tables, by the SQL of docs/cold-tier.md: spark.py ISOTHERM TABLE...

Each TABLE is a folder `.../orders`. The page's DDL and view are run as they stand there, with the place put in, and the sums by nothing, month and state must be those of
`isotherm archive query --json`. Needs pyspark and Java (`make spark`); no network.
"""
import json, os, re, subprocess, sys, tempfile
from pyspark.sql import SparkSession

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "cold-tier.md")
SUMS = "count(*), sum(line_count), coalesce(sum(aggregate(lines, 0L, (a, x) -> a + x.quantity)), 0), sum(total), sum(paid), sum(refunded) from orders"
BY = {
    "": "select " + SUMS,
    "month": "select date_format(placed_at, 'yyyy-MM') k, %s group by 1" % SUMS,
    "state": "select status k, %s group by 1" % SUMS,
}


def statements(folder):
    """Spark's statements of the page; its table's columns are those of Athena's DDL."""
    with open(DOC, encoding="utf-8") as fh:
        page = fh.read()
    columns = re.search(r"CREATE EXTERNAL TABLE orders \(\n(.*?)\)\nPARTITIONED BY", page, re.S)[1]
    block = re.search(r"```sql\n(-- Spark\n.*?)```", page, re.S)[1]
    block = block.replace("  -- the columns of Athena's DDL, then\n", columns + ",\n").replace("s3://BUCKET/orders", folder)
    return [one.strip() for one in block.split(";") if one.strip()]


def main(isotherm, tables):
    with tempfile.TemporaryDirectory() as work:
        spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.sql.session.timeZone", "UTC")
                 .config("spark.sql.warehouse.dir", work + "/warehouse").config("spark.driver.extraJavaOptions", "-Dderby.system.home=" + work)
                 .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate())
        spark.sparkContext.setLogLevel("ERROR")
        for table in tables:
            folder = os.path.abspath(table)
            for name in ("VIEW IF EXISTS orders", "TABLE IF EXISTS orders_raw", "TABLE IF EXISTS orders_files"):
                spark.sql("DROP " + name)
            for statement in statements("file://" + folder):
                spark.sql(statement)
            for by, sql in BY.items():
                done = subprocess.run([isotherm, "archive", "query", "--archive", folder, "--json"] + (["--by", by] if by else []), capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
                answer = json.loads(done.stdout)
                heads = answer["by"] + ["orders", "lines", "quantity", "total", "paid", "refunded"]
                mine = sorted([str(row[h]) for h in heads] for row in answer["rows"])
                theirs = sorted([str(cell) for cell in row] for row in spark.sql(sql).collect())
                assert mine == theirs, "%s by %s\n got %s\nSpark %s" % (folder, by, mine[:5], theirs[:5])
                if not by:
                    print("%s, Spark %s: %s" % (folder, spark.version, dict(zip(heads, theirs[0]))))
            print("  the same by %s" % ", ".join(by or "nothing" for by in BY))
        spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:]) if len(sys.argv) > 2 else sys.exit(__doc__)
