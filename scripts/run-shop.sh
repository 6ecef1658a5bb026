#!/bin/bash
# Loads the sample shop into a data folder that does not have it yet, then serves it: run-shop.sh BINARY DATA PORT
set -euo pipefail
bin=$1 data=$2 port=$3
if ! grep -qs '"shop"' "$data"/indexes/*/index.json; then
  "$bin" bulk shop corpora/shop/products.ndjson --mapping indexes/shop.json --data "$data"
fi
# The store is the master of price and stock; a shop made before there was one gets it now.
[ -e "$data/hot/isotherm.db" ] || "$bin" import products corpora/shop/products.ndjson --data "$data" --currency EUR
cat <<TEXT

The sample shop is served on http://127.0.0.1:$port (stop with Ctrl-C). Try:

  curl -s 'http://127.0.0.1:$port/shop/_search?pretty' -H 'Content-Type: application/json' -d '{
    "query": {"match": {"all": "red running shoes"}}, "size": 3, "_source": ["title", "price"],
    "aggs": {"brands": {"terms": {"field": "brand"}}}}'

  The README takes one order from here to delivered and refunded; /api/openapi.json describes the calls.

TEXT
exec "$bin" serve --data "$data" --host 127.0.0.1 --port "$port"
