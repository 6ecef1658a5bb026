#!/bin/bash
# Orders over HTTP from 64 clients, and beside it, before and after on the same disk, what SQLite alone does in one thread with 50 orders a commit.
#
#   bench-orders.sh BINARY FOLDER [SECONDS]
#
# The figures to reach: half of that line, 16 orders a commit, p99 within 10 syncs.
set -euo pipefail
bin=$1 folder=$(mktemp -d -p "$2") seconds=${3:-8} shared=${SHARED:-../shared} server=
cleanup() { [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$folder"; }
trap cleanup EXIT
limits=$shared/bench/limits/orders.py

limit() { [ ! -e "$limits" ] || { mkdir -p "$folder/limit"; python3 -B "$limits" "$folder/limit" | grep 'synchronous=FULL'; rm -rf "$folder/limit"; }; }

limit
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$bin" serve --data "$folder/data" --port "$port" > "$folder/server.log" 2>&1 &
server=$!
for _ in $(seq 200); do curl -fs "http://127.0.0.1:$port" > /dev/null 2>&1 && break; sleep 0.05; done
"$bin" bench orders --url "http://127.0.0.1:$port" --seconds "$seconds" --probe "$folder" --runs 3
kill "$server"; wait "$server" || true; server=
"$bin" audit verify --data "$folder/data"
limit
