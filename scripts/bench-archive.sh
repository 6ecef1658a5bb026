#!/bin/bash
# Dump and load of generated orders to the archive, beside DuckDB writing the same rows, and the limits of codec and disk: bench-archive.sh ISOTHERM N WORK.
# The tests must be built in release (`swift build -c release --build-tests`).
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$1 count=$2 work=$3/archive-bench
test() { ${SWIFT:-swift} test -c release --skip-build --filter "$1" 2>&1 | grep -E '^bench:|✘' || true; }
rm -rf "$work"; mkdir -p "$work"; trap 'rm -rf "$work"' EXIT
echo "== load alone: $count orders in memory into a table of some six months, one commit"
ISOTHERM_ARCHIVE_BENCH=$count ISOTHERM_HUDI_OUT=$work test ArchiveBench
.venv/bin/python -B scripts/bench-parquet.py "$work/bench/cold/orders"
rm -rf "$work/bench"
echo "== the whole path: $count orders of six years in the hot store, moved to the archive"
python3 -B Tests/Scenarios/history_model.py --orders "$count" --people $((count / 20)) "$work/orders.ndjson"
"$bin" import history "$work/orders.ndjson" --source sandbox --data "$work/data"
ISOTHERM_MOVER_BENCH=$work/data test MoverBench
.venv/bin/python -B scripts/bench-parquet.py "$work/data/cold/orders"
