#!/usr/bin/env python3
"""The official Python client, unmodified, against a running server: what a shop's developer does on the first day.

    official_client.py URL

Loads products with the bulk helpers, searches, filters, aggregates, highlights, pages with search_after, a scroll and a
point in time, updates with optimistic concurrency, and meets errors. Every answer is checked against a computation over
the same products in plain Python. Prints one line per check; the exit code is 1 at the first that fails.
"""
import collections
import random
import sys

from elasticsearch import BadRequestError, ConflictError, Elasticsearch, NotFoundError, helpers

INDEX = "client-products"
COUNT = 2500


def products():
    rng = random.Random(7)
    for i in range(COUNT):
        brand, colour = rng.choice(["Acme", "Bolt", "Crane", "Delta"]), rng.choice(["red", "green", "blue"])
        yield {"sku": f"P{i:05}", "title": f"{colour} {rng.choice(['running shoe', 'rain coat', 'desk lamp'])} by {brand}",
               "brand": brand, "colour": colour, "price": round(rng.uniform(5, 500), 2), "stock": rng.randrange(50),
               "listed": f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"}


def check(what, good, detail=""):
    print(("ok      " if good else "FAILED  ") + what + (f": {detail}" if not good else ""))
    if not good:
        sys.exit(1)


def load(es, docs):
    es.options(ignore_status=404).indices.delete(index=INDEX)
    es.indices.create(index=INDEX, settings={"number_of_replicas": 0}, mappings={"properties": {
        "sku": {"type": "keyword"}, "title": {"type": "text", "analyzer": "english"}, "brand": {"type": "keyword"},
        "colour": {"type": "keyword"}, "price": {"type": "double"}, "stock": {"type": "integer"}, "listed": {"type": "date"}}})
    good, failed = helpers.bulk(es, ({"_index": INDEX, "_id": d["sku"], "_source": d} for d in docs), chunk_size=400, refresh="wait_for")
    check("bulk helper loads everything", good == COUNT and not failed, (good, failed))
    check("count", es.count(index=INDEX)["count"] == COUNT)
    outcomes = [ok for ok, _ in helpers.streaming_bulk(es, [{"_op_type": "create", "_index": INDEX, "_id": docs[0]["sku"], "a": 1}], raise_on_error=False)]
    check("a document that is there already is not created", outcomes == [False])


def search(es, docs):
    shoes = [d for d in docs if "running shoe" in d["title"]]
    answer = es.search(index=INDEX, query={"match": {"title": {"query": "run shoes", "operator": "and"}}}, size=5, track_total_hits=True)
    check("match with stemming", answer["hits"]["total"] == {"value": len(shoes), "relation": "eq"}, answer["hits"]["total"])
    check("hits are ranked", answer["hits"]["hits"][0]["_score"] == answer["hits"]["max_score"])
    bool_query = {"bool": {"must": [{"match": {"title": "shoe"}}], "filter": [{"term": {"brand": "Acme"}}, {"range": {"price": {"gte": 100, "lt": 200}}}],
                           "must_not": [{"term": {"colour": "red"}}]}}
    want = sum(d["brand"] == "Acme" and 100 <= d["price"] < 200 and d["colour"] != "red" for d in shoes)
    check("bool of match, term and range", es.search(index=INDEX, query=bool_query, track_total_hits=True)["hits"]["total"]["value"] == want)
    check("source filter", set(es.search(index=INDEX, source=["sku", "price"], size=1)["hits"]["hits"][0]["_source"]) == {"sku", "price"})
    uri = es.search(index=INDEX, q="brand:Acme AND colour:red", track_total_hits=True)["hits"]["total"]["value"]
    check("query string in the address", uri == sum(d["brand"] == "Acme" and d["colour"] == "red" for d in docs))
    several = es.msearch(searches=[{"index": INDEX}, {"query": {"match_all": {}}, "size": 0}, {"index": "no-such-index"}, {"query": {"match_all": {}}}])
    check("msearch keeps failures apart", [r["status"] for r in several["responses"]] == [200, 404])


def highlight(es):
    hit = es.search(index=INDEX, query={"match": {"title": "lamp"}}, size=1, highlight={"fields": {"title": {}}})["hits"]["hits"][0]
    check("highlight", "<em>lamp</em>" in hit.get("highlight", {}).get("title", [""])[0], hit)


def aggregate(es, docs):
    answer = es.search(index=INDEX, size=0, aggs={
        "brands": {"terms": {"field": "brand"}, "aggs": {"price": {"avg": {"field": "price"}}, "dear": {"filter": {"range": {"price": {"gt": 400}}}}}},
        "prices": {"range": {"field": "price", "ranges": [{"to": 50}, {"from": 50, "to": 200}, {"from": 200}]}},
        "months": {"date_histogram": {"field": "listed", "calendar_interval": "month"}},
        "stock": {"stats": {"field": "stock"}}})["aggregations"]
    counts = collections.Counter(d["brand"] for d in docs)
    check("terms", {b["key"]: b["doc_count"] for b in answer["brands"]["buckets"]} == dict(counts))
    for bucket in answer["brands"]["buckets"]:
        prices = [d["price"] for d in docs if d["brand"] == bucket["key"]]
        check(f"average and filter below {bucket['key']}", abs(bucket["price"]["value"] - sum(prices) / len(prices)) < 1e-6
              and bucket["dear"]["doc_count"] == sum(p > 400 for p in prices))
    bounds = [(-1, 50), (50, 200), (200, 1e9)]
    check("range", [b["doc_count"] for b in answer["prices"]["buckets"]] == [sum(a <= d["price"] < b for d in docs) for a, b in bounds])
    months = collections.Counter(d["listed"][:7] for d in docs)
    check("date_histogram", [b["doc_count"] for b in answer["months"]["buckets"]] == [months[m] for m in sorted(months)])
    check("stats", answer["stock"]["sum"] == sum(d["stock"] for d in docs) and answer["stock"]["count"] == COUNT)


def page(es, docs):
    want = [d["sku"] for d in sorted(docs, key=lambda d: (-d["price"], d["sku"]))]
    got, after = [], None
    while True:
        hits = es.search(index=INDEX, size=300, sort=[{"price": "desc"}, {"sku": "asc"}], search_after=after)["hits"]["hits"]
        if not hits:
            break
        got += [h["_id"] for h in hits]
        after = hits[-1]["sort"]
    check("search_after pages through everything in order", got == want)
    pit = es.open_point_in_time(index=INDEX, keep_alive="1m")["id"]
    es.index(index=INDEX, id="late", document={"sku": "late", "price": 1}, refresh=True)
    frozen = es.search(pit={"id": pit, "keep_alive": "1m"}, size=0, track_total_hits=True)["hits"]["total"]["value"]
    check("a point in time does not see later writes", frozen == COUNT and es.close_point_in_time(id=pit)["num_freed"] == 1)
    es.delete(index=INDEX, id="late", refresh=True)
    scanned = {h["_id"] for h in helpers.scan(es, index=INDEX, size=400, query={"query": {"term": {"brand": "Bolt"}}})}
    check("scan", scanned == {d["sku"] for d in docs if d["brand"] == "Bolt"})


def write(es, docs):
    first = es.get(index=INDEX, id=docs[0]["sku"])
    check("get", first["_source"] == docs[0])
    updated = es.update(index=INDEX, id=docs[0]["sku"], doc={"stock": 99}, if_seq_no=first["_seq_no"], if_primary_term=first["_primary_term"], refresh=True)
    check("update", updated["result"] == "updated" and updated["_version"] == first["_version"] + 1)
    try:
        es.index(index=INDEX, id=docs[0]["sku"], document=docs[0], if_seq_no=first["_seq_no"], if_primary_term=first["_primary_term"])
        check("a stale write is refused", False)
    except ConflictError as error:
        check("a stale write is refused", error.error == "version_conflict_engine_exception")
    got = es.mget(index=INDEX, ids=[docs[1]["sku"], "nobody"])["docs"]
    check("mget", [d["found"] for d in got] == [True, False])
    check("exists", es.exists(index=INDEX, id=docs[1]["sku"]) and not es.exists(index=INDEX, id="nobody"))
    es.indices.put_alias(index=INDEX, name="client-alias", filter={"term": {"brand": "Delta"}})
    check("a filtered alias", es.count(index="client-alias")["count"] == sum(d["brand"] == "Delta" for d in docs))
    gone = es.delete_by_query(index=INDEX, query={"term": {"brand": "Crane"}}, refresh=True)
    check("delete_by_query", gone["deleted"] == sum(d["brand"] == "Crane" for d in docs)
          and es.count(index=INDEX, query={"term": {"brand": "Crane"}})["count"] == 0)


def err(es):
    for what, wanted, call in [
        ("an unknown index", NotFoundError, lambda: es.search(index="no-such-index")),
        ("an unknown query", BadRequestError, lambda: es.search(index=INDEX, query={"mtach": {"title": "x"}})),
        ("a missing document", NotFoundError, lambda: es.get(index=INDEX, id="nobody")),
    ]:
        try:
            call()
            check(f"{what} is an error", False)
        except wanted:
            check(f"{what} is an error", True)


def main():
    with Elasticsearch(sys.argv[1], http_compress=True, request_timeout=30) as es:
        check("the client takes us for Elasticsearch 8", es.info()["version"]["number"].startswith("8.19"))
        docs = list(products())
        load(es, docs)
        search(es, docs)
        aggregate(es, docs)
        page(es, docs)
        write(es, docs)
        err(es)
        highlight(es)
        check("analyze", [t["token"] for t in es.indices.analyze(analyzer="english", text="Running Shoes")["tokens"]] == ["run", "shoe"])
        check("cat", INDEX in es.cat.indices(h="index"))
        check("health", es.cluster.health()["status"] in ("green", "yellow"))
        es.indices.delete(index=INDEX)
    print("every check passed")


if __name__ == "__main__":
    main()
