# One word for each task. `make run` and `make test` are all a newcomer needs; `make help` lists the rest.

SHELL   := /bin/bash
SWIFT   ?= swift
BIN     := .build/release/isotherm
PORT    ?= 9200
DATA    ?= data
SHARED  ?= ../shared
# What building needs from Debian; the name before the colon says what for: libcurl, ICU, LZ4, Snappy, SQLite, libcrypto, Snowball, Zstandard, zlib.
PACKAGES := pkg-config libcurl4-openssl-dev libicu-dev liblz4-dev libsnappy-dev libsqlite3-dev libssl-dev libstemmer-dev libzstd-dev zlib1g-dev
CHECK   := --explicit-target-dependency-import-check error

.PHONY: help run test fast build serve corpus index inspect bench million orders crash crash-orders crash-mover snapshots race history walks archive-bench powercuts compat clients spark soldout fuzz golden format tidy packages venv clean

help: ## List the tasks.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: build corpus ## Build, load the sample shop, serve it on 127.0.0.1:9200.
	@scripts/run-shop.sh $(BIN) $(DATA) $(PORT)

test: packages venv ## Build with tests, run all of them, then the scenarios; the last line sums up.
	@SWIFT=$(SWIFT) SHARED=$(SHARED) scripts/test.sh

fast: packages ## Build what changed and run the unit tests.
	$(SWIFT) build -c release --build-tests $(CHECK)
	$(SWIFT) test -c release --skip-build

build: packages ## Build the release binary, .build/release/isotherm.
	$(SWIFT) build -c release $(CHECK) --product isotherm

serve: build ## Serve the data folder: make serve DATA=data PORT=9200.
	$(BIN) serve --data $(DATA) --host 127.0.0.1 --port $(PORT)

corpus: ## Make the sample shop, where its files are missing.
	@[ -s corpora/shop/products.ndjson ] || python3 -B corpora/shop/generate.py

index: build corpus ## Load the sample shop into a running server: make index PORT=9200.
	$(BIN) bulk shop corpora/shop/products.ndjson --mapping indexes/shop.json --url http://127.0.0.1:$(PORT)

inspect: build ## Print a file of the data folder in words: make inspect FILE=data/indexes/.../1.seg
	@$(BIN) inspect $(FILE)

bench: build ## Compare with other engines: make bench N=100000 PEERS=folder BENCH_WORK=folder
	ISOTHERM_BUILD='$(CURDIR)/$(BIN) bench build {index} {corpus}' ISOTHERM_BENCH='$(CURDIR)/$(BIN) bench serve {index}' \
		$(SHARED)/bench/run.sh $(or $(N),100000)

million: build ## Load, first answer and memory with a million products: make million PEERS=folder BENCH_WORK=folder
	scripts/million.py $(BIN) $(SHARED)

orders: build ## Orders a second over HTTP beside what SQLite alone does: make orders BENCH_WORK=folder
	SHARED=$(SHARED) scripts/bench-orders.sh $(BIN) $(or $(BENCH_WORK),/tmp)

archive-bench: packages venv ## Dump and load to the archive beside DuckDB, codec and disk: make archive-bench N=1000000 BENCH_WORK=folder
	$(SWIFT) build -c release --build-tests $(CHECK)
	scripts/bench-archive.sh $(BIN) $(or $(N),1000000) $(or $(BENCH_WORK),/tmp)

crash: build venv ## Kill a server under load, again and again: make crash ROUNDS=50
	.venv/bin/python -B Tests/Scenarios/crash.py $(BIN) --rounds $(or $(ROUNDS),50)

crash-orders: build ## Kill a server under orders, payments, refused and poisoned requests: make crash-orders ROUNDS=200
	python3 -B Tests/Scenarios/crash_orders.py $(BIN) --rounds $(or $(ROUNDS),200) --seed $(or $(SEED),1)

snapshots: build ## Kill a server that takes, deletes and restores snapshots under writes: make snapshots ROUNDS=100
	python3 -B Tests/Scenarios/snapshots.py $(BIN) --rounds $(or $(ROUNDS),100) --seed $(or $(SEED),1)
crash-mover: build venv ## Stop the mover between the tiers at every operation, by kill and by power cut, on folders; at 200 on S3: make crash-mover POINTS=1000
	@scripts/packages.sh strace
	.venv/bin/python -B Tests/Scenarios/crash_mover.py $(BIN) --strace --points $(or $(POINTS),0) --seed $(or $(SEED),1)
	SHARED=$(SHARED) SEED=$(or $(SEED),1) scripts/scenario.sh crash_mover_s3

race: build ## 64 clients over HTTP after the last 10 of one product, again and again: make race ROUNDS=1000
	python3 -B Tests/Scenarios/race.py $(BIN) --rounds $(or $(ROUNDS),1000) --seed $(or $(SEED),1)

history: build ## Olist over three tiers: everybody's history at every limit against the CSVs.
	python3 -B Tests/Scenarios/history.py $(BIN) $(SHARED)/corpora/olist-orders --sample 0
	python3 -B Tests/Scenarios/history.py $(BIN) $(SHARED)/corpora/olist-orders --sample 100 --reconcile --lose-warm
	python3 -B Tests/Scenarios/history.py $(BIN) $(SHARED)/corpora/olist-orders --sample 0 --people 300 --seed $(or $(SEED),1)

walks: build ## Histories walked while mover, writers and late changes run: make walks WALKS=100000 ORDERS=1000000
	python3 -B Tests/Scenarios/walks.py $(BIN) --walks $(or $(WALKS),100000) --orders $(or $(ORDERS),1000000) --people $(or $(PEOPLE),50000) \
		--recalls $(or $(RECALLS),3) --seed $(or $(SEED),1) $(if $(BENCH_WORK),--base $(BENCH_WORK)/walks)

powercuts: packages ## Power cuts at every operation of a workload of orders: make powercuts CUTS=100000 SEED=7
	$(SWIFT) build -c release --build-tests $(CHECK)
	ISOTHERM_POWER_CUTS=$(or $(CUTS),0) ISOTHERM_SEED=$(or $(SEED),0) $(SWIFT) test -c release --skip-build --filter PowerCutTests

compat: build venv ## Elasticsearch's REST tests against a server of our own.
	SHARED=$(SHARED) scripts/scenario.sh compat
	SHARED=$(SHARED) scripts/scenario.sh compat_7

clients: build venv ## The official Python client against a server of our own.
	SHARED=$(SHARED) scripts/scenario.sh clients

spark: packages ## Spark on the archive's tables, and its sums beside ours; needs Java: make spark ARCHIVE=data/cold/orders
	$(SWIFT) build -c release --build-tests $(CHECK)
	SWIFT=$(SWIFT) SHARED=$(SHARED) ARCHIVE=$(ARCHIVE) scripts/scenario.sh spark

soldout: packages ## A million checks that what was sold out does not show, with buyers and searchers at once.
	$(SWIFT) build -c release --build-tests $(CHECK)
	ISOTHERM_SOLD_OUT_CHECKS=$(or $(CHECKS),1000000) $(SWIFT) test -c release --skip-build --filter SoldOutTests

fuzz: packages ## The unit tests with other seeds; make fuzz SEED=7 replays a run.
	$(SWIFT) build -c release --build-tests $(CHECK)
	@seed=$(or $(SEED),$$RANDOM); echo "SEED=$$seed"; ISOTHERM_SEED=$$seed $(SWIFT) test -c release --skip-build || { echo "replay with make fuzz SEED=$$seed"; exit 1; }

golden: ## Make the sample shop and, given PEERS, Lucene's scores anew; read the diff before committing it.
	python3 -B corpora/shop/generate.py
	@if [ -n "$(PEERS)" ]; then PEERS=$(PEERS) Tests/Golden/lucene/make.sh; else echo "PEERS is not set: Lucene's scores stay as they are"; fi

format: ## Show where the formatter disagrees; changes nothing.
	$(SWIFT) format lint --recursive Sources Tests || true

tidy: ## Layering, file heads, left-over marks, sizes of files.
	@python3 -B Tests/Tidy/tidy.py

packages:
	@scripts/packages.sh $(PACKAGES)

venv: .venv/ready
.venv/ready: Tests/requirements.txt
	@scripts/packages.sh python3-venv
	python3 -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check -r Tests/requirements.txt
	@touch $@

clean: ## Remove what was built; data stays.
	rm -rf .build .venv .venv-spark
