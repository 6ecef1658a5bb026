#!/bin/bash
# Runs one scenario against the built binary: scenario.sh NAME; without a name, lists them. Each is a function here; it fails by its
# exit code, and exits with 77 when it cannot run (it says why).
#
# SHARED: the folder with corpora and REST tests, ../shared unless set.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.build/release/isotherm python=.venv/bin/python shared=${SHARED:-../shared}
work=$(mktemp -d) server=
cleanup() { [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"; }
trap cleanup EXIT

need() { [ -e "$1" ] || { echo "cannot run: $1 is not there"; exit 77; }; }

# Starts a server on an empty folder, with further options of `serve`; sets $url.
start() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  url=http://127.0.0.1:$port
  "$bin" serve --data "$work/data" --host 127.0.0.1 --port "$port" "$@" > "$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 200); do
    curl -fs "$url" >/dev/null 2>&1 && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  echo "the server did not start:"; tail -20 "$work/server.log"; exit 1
}

tidy() { python3 -B Tests/Tidy/tidy.py; }

# The generator makes the very bytes that are in the repository.
shop_is_reproducible() { python3 -B corpora/shop/generate.py --check; }

ir_measures() { $python -B Tests/Relevance/compare_ir_measures.py "$bin" --rounds 20; }

# Load without a server, verify every checksum, measure, search.
shop() {
  "$bin" bulk shop corpora/shop/products.ndjson --mapping indexes/shop.json --data "$work/data" --quiet
  "$bin" check --data "$work/data"
  "$bin" eval shop --data "$work/data" --queries corpora/shop/queries.tsv --judgments corpora/shop/judgments.csv \
    --template indexes/shop.query.json --gate "$SHOP_GATE"
}
SHOP_GATE='ndcg@10>=0.6'

# Every flipped byte and every cut is found and named.
damage() {
  "$bin" bulk shop corpora/shop/products.ndjson --mapping indexes/shop.json --data "$work/data" --quiet
  python3 -B Tests/Scenarios/damage.py "$bin" "$work/data"
}

# Load over HTTP with a few bad lines among the good: reported by number, the rest is there, exit code 2.
bulk_over_http() {
  start
  { head -50 corpora/shop/products.ndjson; echo '{"id": "broken"'; sed -n '51,100p' corpora/shop/products.ndjson; echo '{"id": "x", "price": "dear"}'; } > "$work/in.ndjson"
  local code=0
  "$bin" bulk shop "$work/in.ndjson" --mapping indexes/shop.json --url "$url" --rejects "$work/bad.ndjson" > "$work/out" 2> "$work/err" || code=$?
  cat "$work/out" "$work/err" "$work/bad.ndjson"
  # Each on a line of its own: `set -e` passes over all but the last of a chain.
  [ $code = 2 ]
  [ "$(wc -l < "$work/bad.ndjson")" = 2 ]
  grep -q '"line":51,' "$work/bad.ndjson"
  grep -q '"line":102,' "$work/bad.ndjson"
  tail -1 "$work/out" | grep -qx 'committed 100'
  curl -fs "$url/shop/_count" | grep -q '"count":100'
  "$bin" search shop 'shoes' --url "$url" | head -3
}

cranfield() {
  need "$shared/corpora/cranfield"
  python3 -B corpora/convert.py cranfield "$shared/corpora/cranfield" "$work/corpus"
  "$bin" bulk cranfield "$work/corpus/documents.ndjson" --mapping indexes/cranfield.json --data "$work/data" --quiet
  "$bin" eval cranfield --data "$work/data" --queries "$work/corpus/queries.tsv" --judgments "$work/corpus/qrels.txt" \
    --gains '1=4,2=3,3=2,4=1,-1=1' --template indexes/cranfield.query.json --gate 'ndcg@10>=0.43'
}

icecat() {
  need "$shared/corpora/icecat-products"
  python3 -B corpora/convert.py icecat "$shared/corpora/icecat-products" "$work/corpus"
  "$bin" bulk icecat "$work/corpus/documents.ndjson" --mapping indexes/icecat.json --data "$work/data" --quiet
  "$bin" eval icecat --data "$work/data" --judgments "$work/corpus/judgments.csv" --template indexes/icecat.query.json --gate 'ndcg@10>=0.735'
  for other in icecat icecat-fields; do
    echo; echo "english and product together, against $other:"
    "$bin" eval icecat --data "$work/data" --judgments "$work/corpus/judgments.csv" --metrics ndcg@10,unjudged@10 \
      --template indexes/icecat-product.query.json --compare-template indexes/$other.query.json
  done
}

# Facets equal a plain count over the source, also after updates and deletes.
icecat_facets() {
  need "$shared/corpora/icecat-products"
  python3 -B corpora/convert.py icecat "$shared/corpora/icecat-products" "$work/corpus"
  start
  "$bin" bulk icecat "$work/corpus/documents.ndjson" --mapping indexes/icecat.json --url "$url" --quiet
  python3 -B Tests/Scenarios/icecat_facets.py "$url" "$work/corpus/documents.ndjson"
}

# Elasticsearch's own REST tests against a server as it is by default; those in the list must pass.
compat() {
  need "$shared/es-compat/run.py"
  start
  $python -B "$shared/es-compat/run.py" --url "$url" --only "@$shared/es-compat/milestones/m1.txt" --expect Tests/Scenarios/es-compat-8.txt
}

# The same tests were written for version 7, whose answers carry `_type`; a server may be told to give those (config/isotherm.yaml).
compat_7() {
  need "$shared/es-compat/run.py"
  start --config Tests/Scenarios/es-compat-7.yaml
  $python -B "$shared/es-compat/run.py" --url "$url" --only "@$shared/es-compat/milestones/m1.txt" --expect Tests/Scenarios/es-compat-7.txt
}

clients() {
  need Tests/Scenarios/official_client.py
  start
  $python -B Tests/Scenarios/official_client.py "$url"
}

# Large, broken, slow and too many requests; a graceful end.
http() { $python -B Tests/Scenarios/http_limits.py "$bin"; }

# The same byte by byte: pipelining, split and smuggling bytes, slow and deaf clients, noise.
http_wire() { python3 -B Tests/Scenarios/http_wire.py "$bin"; }

# Every number of a request at its extremes.
extreme_numbers() { python3 -B Tests/Scenarios/extreme_numbers.py "$bin"; }

# The README's lines from search to refund, as they stand there, against a shop like that of `make run`.
readme_orders() {
  "$bin" bulk shop corpora/shop/products.ndjson --mapping indexes/shop.json --data "$work/data" --quiet
  "$bin" import products corpora/shop/products.ndjson --data "$work/data" --currency EUR
  start
  sed -n '/<!-- scenario: orders -->/,/^```$/p' README.md | sed '/^<!--/d; /^```/d' | sed "s|http://127.0.0.1:9200|$url|; s|\$PWD/.build/release|$(dirname "$bin")|" > "$work/lines.sh"
  [ "$(wc -l < "$work/lines.sh")" -gt 20 ] || { echo "the README has no such lines"; exit 1; }
  (cd "$work" && bash -euo pipefail lines.sh > out)
  cat "$work/out"
  tail -1 "$work/out" | grep -q '"clean":true'
  grep -q '"status":"part_returned".*"lines":\[{"position":1,.*"quantity":2,.*"shipped":2,"returned":1}\].*"total":1,"next":null' "$work/out"
  grep -q '^event: tracking$' "$work/out"
  if grep -q 'urn:isotherm:problem' "$work/out"; then echo "a line of the README was refused"; exit 1; fi
  "$bin" audit verify --data "$work/data"
}

# /api at its edges, over sockets: live tracking, large bodies, who may ask, a graceful end with a stream open.
shop_http() { python3 -B Tests/Scenarios/shop_http.py "$bin"; }

# Starts a real S3 server, Ceph's on loopback; sets $s3, a bucket of tests, and $port. It is stopped with this script.
s3_server() {
  need "$shared/tools/ceph_s3.sh"
  scripts/packages.sh radosgw ceph-mon ceph-osd ceph-common
  port=$(python3 -c 'import socket
while True:
    try:
        held = [socket.socket() for _ in range(3)]
        held[0].bind(("127.0.0.1", 0)); port = held[0].getsockname()[1]
        held[1].bind(("127.0.0.1", port + 1)); held[2].bind(("127.0.0.1", port + 2))
        print(port); break
    except (OSError, OverflowError): pass')
  began=$(date +%s)
  # Whatever happens next, its processes end with this one.
  trap 'bash "$shared/tools/ceph_s3.sh" down "$work/ceph"; cleanup' EXIT
  bash "$shared/tools/ceph_s3.sh" up "$work/ceph" "$port" || { tail -20 "$work/ceph/run/up.log"; exit 1; }
  echo "$(radosgw --version | cut -d' ' -f1-3) answers on 127.0.0.1:$port after $(($(date +%s) - began)) s"
  s3="s3://isotherm-test?endpoint=http://127.0.0.1:$port"
  export AWS_ACCESS_KEY_ID=testkey AWS_SECRET_ACCESS_KEY=testsecret
}

# The object store's tests against a real S3 server, then the archive's tables there, as in `hudi`.
object_store() {
  need "$shared/tools/verify_hudi.py"
  local code=0 port
  s3_server
  ISOTHERM_TEST_S3="$s3" ${SWIFT:-swift} test -c release --skip-build --filter S3ServerTests > "$work/tests.log" 2>&1 || code=$?
  grep -E 'S3 server|✘|Test run|started a server' "$work/tests.log" | grep -v 'started\.' | tail -40
  [ $code = 0 ]
  grep -q 'Suite "Object store on a real S3 server" passed' "$work/tests.log"
  local tables="s3://isotherm-test/hudi?endpoint=http://127.0.0.1:$port"
  ISOTHERM_HUDI_S3=$tables hudi_tables
  $python -B Tests/Scenarios/hudi.py "$shared/tools/verify_hudi.py" "$work/hudi" "$bin" "$tables"
}

# The archive's tables, three rounds of insert, upsert and delete, read by hudi-rs, DuckDB and pyarrow; `archive query` gives DuckDB's sums.
hudi() {
  need "$shared/tools/verify_hudi.py"
  hudi_tables
  $python -B Tests/Scenarios/hudi.py "$shared/tools/verify_hudi.py" "$work/hudi" "$bin"
}

# Leaves the tables in $work/hudi, and where ISOTHERM_HUDI_S3 says.
hudi_tables() {
  mkdir "$work/hudi"
  ISOTHERM_HUDI_OUT="$work/hudi" ${SWIFT:-swift} test -c release --skip-build --filter OtherReaders > "$work/tables.log" 2>&1 || { tail -40 "$work/tables.log"; exit 1; }
}

# Our Parquet files read by pyarrow and DuckDB, theirs by us.
parquet() {
  local code=0
  mkdir "$work/ours" "$work/theirs"
  $python -B Tests/Scenarios/parquet.py make "$work/theirs"
  ISOTHERM_PARQUET_OUT="$work/ours" ISOTHERM_PARQUET_THEIRS="$work/theirs" ${SWIFT:-swift} test -c release --skip-build --filter ParquetTests > "$work/tests.log" 2>&1 || code=$?
  [ $code = 0 ] || { tail -40 "$work/tests.log"; exit 1; }
  $python -B Tests/Scenarios/parquet.py check "$work/ours"
  $python -B Tests/Scenarios/parquet.py theirs "$work/theirs"
}

# Spark, which CI has not: `make spark` puts it into an environment of its own. Also on a table of a data folder's, given in ARCHIVE.
spark() {
  command -v java >/dev/null || { echo "cannot run: there is no java"; exit 77; }
  [ -e .venv-spark/ready ] || { python3 -m venv .venv-spark && .venv-spark/bin/pip install -q --disable-pip-version-check pyspark==4.3.0 && touch .venv-spark/ready; }
  hudi_tables
  .venv-spark/bin/python -B Tests/Scenarios/spark.py "$bin" "$work"/hudi/*/cold/orders ${ARCHIVE:-}
}

# Taken, restored under another name, killed in the middle, damaged; then Elasticsearch's own tests. `make snapshots` kills many times.
snapshots() {
  python3 -B Tests/Scenarios/snapshots.py "$bin" --rounds 6
  need "$shared/es-compat/run.py"
  start
  $python -B "$shared/es-compat/run.py" --url "$url" --only 'snapshot.*' --only 'cat.snapshots' --only 'cat.repositories' --expect Tests/Scenarios/es-compat-snapshots.txt
}

# A few kills; `make crash` does many.
crash() { need Tests/Scenarios/crash.py; $python -B Tests/Scenarios/crash.py "$bin" --rounds 5; }

# A few kills under orders; `make crash-orders` does many.
crash_orders() { python3 -B Tests/Scenarios/crash_orders.py "$bin" --rounds 5; }

# A few stops of the mover, of every kind; `make crash-mover` does all of them, on folders and on S3.
crash_mover() { $python -B Tests/Scenarios/crash_mover.py "$bin" --points 36 --paused 4; }
crash_mover_s3() { s3_server; $python -B Tests/Scenarios/crash_mover.py "$bin" --s3 "$s3" --points "${POINTS:-200}" --seed "${SEED:-1}"; }

# 64 clients and the last 10 of a product; `make race` does a thousand rounds.
race() { python3 -B Tests/Scenarios/race.py "$bin" --rounds 50; }

# Olist over three tiers: every person's history equals lists merged from the CSVs; `make history` walks everybody at every limit.
history() { need "$shared/corpora/olist-orders"; python3 -B Tests/Scenarios/history.py "$bin" "$shared/corpora/olist-orders"; }

# The same, its customers made into 300 with thousands of orders; and hot restored from a backup of before the last two of three runs, and reconciled.
history_rekeyed() { need "$shared/corpora/olist-orders"; python3 -B Tests/Scenarios/history.py "$bin" "$shared/corpora/olist-orders" --people 300 --sample 40 --reconcile --lose-warm; }

# Walks through generated histories while mover, writers and late changes run; `make walks` does 100,000 over a million orders.
walks() { python3 -B Tests/Scenarios/walks.py "$bin"; }

all="tidy shop_is_reproducible ir_measures shop damage bulk_over_http cranfield icecat icecat_facets compat compat_7 clients http http_wire extreme_numbers readme_orders shop_http object_store parquet hudi history history_rekeyed walks snapshots crash crash_orders crash_mover race"
if [ $# = 0 ]; then echo "$all"; else "$1"; fi
