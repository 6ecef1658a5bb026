#!/usr/bin/env python3
"""Every number of a request at its extremes: the server answers each, and goes on.

    extreme_numbers.py BINARY

Starts a server of its own on a free port of 127.0.0.1, and stops it. What is answered is not looked at, but that it is an answer below 500: sums, differences and
magnitudes of what came from outside trap where nobody thought of their ends. Exit code 1 after any that ended the server, or got no answer or one of 500 and more.
Standard library.
"""
import collections
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

MOST = 2**63 - 1
VALUES = [MOST, -MOST - 1, MOST - 1, 2**31, 2**32, 2**31 - 1, -2**31, -1, 2**62, 1e308, -1e308, 1e19, 5e-324, str(MOST), "1e400", "NaN", "-Infinity"]
MAPPING = {"title": {"type": "text"}, "n": {"type": "long"}, "k": {"type": "keyword"}, "d": {"type": "date"}, "f": {"type": "double"}, "g": {"type": "geo_point"},
           "s": {"type": "long", "updatable": True}}


class Server:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.count, self.faults, self.statuses = 0, [], collections.Counter()
        self.start()

    def start(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([self.binary, "serve", "--data", self.folder / "data", "--port", str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
        self.process.stdout.readline()

    def send(self, method, path, body=None, headers=None):
        self.count += 1
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            self.statuses[method, path.split("/")[1] == "api", answer.status // 100] += 1
            if answer.status >= 500 and answer.status != 501:
                self.fault(f"{answer.status} {text[:200]}", method, path, body)
            return answer.status, text
        except (OSError, http.client.HTTPException) as error:
            time.sleep(0.2)
            self.fault("the server ended" if self.process.poll() is not None else repr(error), method, path, body)
            self.stop()
            self.start()
            return 0, b""
        finally:
            connection.close()

    def fault(self, what, *request):
        self.faults.append(what)
        print("FAILED", what, *request, flush=True)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


def aggregation(kind, **settings):
    return {"size": 0, "aggs": {"a": {kind: settings}}}


def by_number(v, f):
    """Requests about a numeric field."""
    yield {"query": {"term": {f: v}}}
    yield {"query": {"terms": {f: [v, v, 1]}}}
    for bound in ("gt", "gte", "lt", "lte"):
        yield {"query": {"range": {f: {bound: v}}}}
    yield aggregation("histogram", field=f, interval=v)
    yield aggregation("histogram", field=f, interval=1e18, offset=v)
    yield aggregation("histogram", field=f, interval=1e18, extended_bounds={"min": 0, "max": v})
    yield aggregation("histogram", field=f, interval=1, min_doc_count=0, hard_bounds={"min": v, "max": v})
    yield aggregation("range", field=f, ranges=[{"from": v}, {"to": v}, {"from": 1, "to": v}])
    yield aggregation("percentiles", field=f, percents=[v])
    yield aggregation("percentile_ranks", field=f, values=[v])
    for kind in ("sum", "avg", "stats", "extended_stats", "value_count", "terms"):
        yield aggregation(kind, field=f, missing=v)
    yield {"sort": [{f: {"order": "asc", "missing": v}}]}
    yield {"sort": [{f: "asc"}], "search_after": [v]}


def by_date(v):
    digits = str(v).strip("-")
    for length in ("1d", f"{digits}d", f"{digits}ms", f"-{digits}h"):
        yield aggregation("date_histogram", field="d", fixed_interval=length, offset=length)
    yield aggregation("date_histogram", field="d", calendar_interval="month", offset=f"{v}d")
    yield aggregation("date_histogram", field="d", calendar_interval="month", extended_bounds={"min": v, "max": v})
    yield aggregation("date_range", field="d", ranges=[{"from": v}, {"to": v}, {"from": f"now+{v}d"}])
    for text, pattern in ((f"now-{digits}y", None), (f"2026-01-01||+{digits}M/d", None), (str(v), "epoch_second"), (str(v), "epoch_millis"), (f"{v}-01-01", "yyyy-MM-dd"),
                          (f"{v}-W01-1", "xxxx-'W'ww-e")):
        yield {"query": {"range": {"d": {"gte": text, **({"format": pattern} if pattern else {})}}}}
    yield {"query": {"range": {"d": {"gte": v}}}}


def by_text(v):
    for settings in ({"fuzziness": v}, {"fuzziness": 1, "prefix_length": v}, {"fuzziness": 1, "max_expansions": v}, {"minimum_should_match": v}, {"minimum_should_match": f"{v}%"},
                     {"minimum_should_match": f"1<{v}"}, {"boost": v}, {"cutoff_frequency": v}):
        yield {"query": {"match": {"title": {"query": "red sho number", **settings}}}}
    yield {"query": {"match_phrase": {"title": {"query": "red number", "slop": v}}}}
    yield {"query": {"match_phrase_prefix": {"title": {"query": "red sh", "slop": v, "max_expansions": v}}}}
    yield {"query": {"bool": {"should": [{"match": {"title": "red"}}], "minimum_should_match": v}}}
    yield {"query": {"fuzzy": {"title": {"value": "sho", "fuzziness": v, "prefix_length": v, "max_expansions": v}}}}
    yield {"query": {"query_string": {"query": f"title:red~{v} shoe^{v} n:[{v} TO *] \"red shoe\"~{v}"}}}
    yield {"query": {"simple_query_string": {"query": f"red~{v} \"red shoe\"~{v}"}}}
    yield {"query": {"intervals": {"title": {"match": {"query": "red number", "max_gaps": v}}}}}
    yield {"query": {"more_like_this": {"fields": ["title"], "like": "red", "min_term_freq": v, "max_query_terms": v, "min_doc_freq": v}}}
    for kind in ("unified", "plain", "fvh"):
        for setting in ("fragment_size", "number_of_fragments", "no_match_size", "fragment_offset", "phrase_limit", "max_analyzed_offset", "boundary_max_scan"):
            yield {"query": {"match": {"title": "red"}}, "highlight": {"type": kind, setting: v, "fields": {"title": {}}}}
    yield {"suggest": {"s": {"text": "shoo", "term": {"field": "title", "size": v, "shard_size": v, "max_edits": 2}}}}
    yield {"suggest": {"s": {"text": "shoo", "term": {"field": "title", "prefix_length": v, "min_word_length": v, "max_inspections": v, "min_doc_freq": v}}}}
    yield {"suggest": {"s": {"text": "red shoo", "phrase": {"field": "title", "size": v, "gram_size": v, "max_errors": v, "confidence": v}}}}


def of_searches(v):
    for members in (("from",), ("size",), ("from", "size"), ("terminate_after",), ("track_total_hits",), ("min_score",)):
        yield {member: v for member in members}
    yield {"from": 5, "size": v}
    yield {"timeout": f"{v}d"}
    yield {"slice": {"id": v, "max": v}}
    yield {"collapse": {"field": "k", "inner_hits": {"name": "x", "size": v, "from": v}}}
    yield {"rescore": {"window_size": v, "query": {"rescore_query": {"match": {"title": "red"}}, "query_weight": v}}}
    yield {"docvalue_fields": [{"field": "d", "format": str(v)}]}
    for settings in ({"weight": v, "max_boost": v}, {"field_value_factor": {"field": "n", "factor": v, "missing": v}}, {"random_score": {"seed": v, "field": "n"}},
                     {"gauss": {"n": {"origin": v, "scale": v, "offset": v, "decay": 0.5}}}):
        yield {"query": {"function_score": {"query": {"match_all": {}}, **settings}}}
    yield {"query": {"constant_score": {"filter": {"match_all": {}}, "boost": v}}}
    yield {"query": {"geo_distance": {"distance": f"{v}km", "g": {"lat": v, "lon": v}}}}
    for setting in ("size", "shard_size", "min_doc_count", "shard_min_doc_count"):
        yield aggregation("terms", field="k", **{setting: v})
    yield aggregation("cardinality", field="k", precision_threshold=v)
    yield aggregation("top_hits", **{"from": v, "size": v})
    yield aggregation("top_hits", size=v)
    yield aggregation("composite", size=v, sources=[{"x": {"terms": {"field": "n"}}}])
    yield aggregation("composite", size=3, sources=[{"x": {"histogram": {"field": "n", "interval": v}}}], after={"x": v})


def search(server):
    for v in VALUES:
        bodies = [*by_text(v), *by_date(v), *of_searches(v)]
        for field in "nfs":
            bodies += by_number(v, field)
        for body in bodies:
            for index in ("t", "nothing*"):
                server.send("POST", f"/{index}/_search", body)
        for query in ("from=%s", "size=%s", "from=%s&size=10", "terminate_after=%s", "batched_reduce_size=%s", "pre_filter_shard_size=%s", "scroll=%sd&size=1", "scroll=%sms",
                      "timeout=%ss", "track_total_hits=%s", "max_concurrent_shard_requests=%s", "sort=n:asc&from=%s"):
            for index in ("/t", "/nothing*", ""):
                server.send("GET", f"{index}/_search?" + query % v)


def others(server):
    for v in VALUES:
        for path in ("/t/_doc/1?version=%s&version_type=external", "/_tasks?timeout=%ss", "/_cluster/health?timeout=%sms", "/_cluster/health?wait_for_nodes=%s",
                     "/t/_count?terminate_after=%s", "/_snapshot/_all/_all?size=1&offset=%s", "/_snapshot/_all/_all?size=%s&offset=1", "/_nodes/hot_threads?threads=%s",
                     "/t/_termvectors/1?version=%s"):
            server.send("GET", path % v)
        server.send("PUT", f"/t/_doc/x?version={v}&version_type=external", {"n": 1})
        server.send("PUT", f"/t/_doc/1?if_seq_no={v}&if_primary_term={v}", {"n": 1})
        for field in MAPPING:
            server.send("PUT", "/t/_doc/y?refresh=true", {field: v})
        server.send("POST", f"/t/_update/1?retry_on_conflict={v}", {"doc": {"s": v}})
        server.send("POST", f"/t/_update_by_query?max_docs={v}&scroll_size={v}&requests_per_second={v}&conflicts=proceed", {"query": {"term": {"k": "none"}}})
        server.send("POST", f"/t/_delete_by_query?max_docs={v}&scroll_size={v}", {"query": {"term": {"k": "none"}}})
        server.send("POST", "/_reindex", {"max_docs": v, "source": {"index": "t", "size": v}, "dest": {"index": "t2"}})
        server.send("POST", f"/t/_forcemerge?max_num_segments={v}")
        server.send("POST", f"/t/_pit?keep_alive={v}ms")
        server.send("POST", "/t/_search?scroll=1m", {"size": v})
        server.send("POST", "/_analyze", {"tokenizer": {"type": "edge_ngram", "min_gram": v, "max_gram": v}, "text": "red shoe", "filter": [
            {"type": "length", "min": v, "max": v}, {"type": "truncate", "length": v}, {"type": "limit", "max_token_count": v}]})
        server.send("POST", "/t/_rank_eval", {"requests": [{"id": "a", "request": {"query": {"match_all": {}}}, "ratings": [{"_index": "t", "_id": "1", "rating": v}]}],
                                              "metric": {"dcg": {"k": v, "normalize": True}}})
        server.send("PUT", "/t/_settings", {"index": {"max_result_window": v, "number_of_replicas": v, "refresh_interval": v}})
        server.send("POST", "/t/_search", {"from": 5, "size": v})
        server.send("PUT", "/t/_settings", {"index": {"max_result_window": None, "number_of_replicas": None, "refresh_interval": None}})
        server.send("PUT", "/new", {"settings": {"number_of_shards": v, "max_result_window": v, "analysis": {
            "analyzer": {"a": {"type": "custom", "tokenizer": "x"}}, "tokenizer": {"x": {"type": "ngram", "min_gram": v, "max_gram": v}}}}})
        server.send("PUT", "/typed", {"mappings": {"properties": {
            "k": {"type": "keyword", "ignore_above": v}, "p": {"type": "scaled_float", "scaling_factor": v}, "t": {"type": "text", "position_increment_gap": v}}}})
        server.send("PUT", "/typed/_doc/1?refresh=true", {"k": "abc", "p": v, "t": ["a b", "c d"]})
        for index in ("/new", "/typed"):
            server.send("DELETE", index)


def shop(server):
    def send(who, method, path, body=None):
        status, text = server.send(method, path, body, {"X-Isotherm-Actor": who, "X-Isotherm-Purpose": "support", "Idempotency-Key": f"k{server.count}"})
        try:
            return json.loads(text)
        except ValueError:
            return {}

    def product(number, **members):
        send("staff:anna", "PUT", f"/api/products/p{number}", {"title": "a shoe", "price_minor": 500, "currency": "EUR", "available": 10**12, **members})
    for v in [*VALUES, *(10**n for n in range(9, 19))]:
        person = send("service:web", "POST", "/api/people", {"name": "Ada Example"}).get("id", "-")
        customer = f"customer:{person}"
        for path in ("/api/orders?limit=%s", "/api/products?limit=%s", f"/api/people/{person}/orders?limit=%s", f"/api/people/{person}/orders/frames?limit=%s",
                     f"/api/people/{person}/suggestions?limit=%s", f"/api/people/{person}/followers?limit=%s", "/api/orders/%s", "/api/payments/%s", "/api/shipments/%s"):
            send("staff:anna", "GET", path % v)
        product(1)
        product(2)
        product(2, price_minor=v)
        product(2, available=v)
        send("staff:anna", "PUT", "/api/products/p2/price", {"price_minor": v, "currency": "EUR"})
        send("staff:anna", "PUT", "/api/products/p2/stock", {"available": v})
        send("staff:anna", "POST", "/api/products/p2/stock", {"by": v})
        for id in ("p1", "p2"):
            send(customer, "PUT", f"/api/people/{person}/basket/{id}", {"quantity": v})
            for quantities in ((v,), (v, v), (2,), (1_000, 1_000)):
                order = send(customer, "POST", "/api/orders", {"lines": [{"product": id, "quantity": q} for q in quantities]}).get("id", "-")
                payment = send(customer, "POST", f"/api/orders/{order}/payments", {"card": "4242424242424242", "amount_minor": v}).get("id", "-")
                if payment == "-":
                    payment = send(customer, "POST", f"/api/orders/{order}/payments", {"card": "4242424242424242"}).get("id", "-")
                for amount in (v, 1):
                    for act in ("capture", "refund"):
                        send("staff:anna", "POST", f"/api/payments/{payment}/{act}", {"amount_minor": amount})
                send("staff:anna", "POST", f"/api/payments/{payment}/void")
                send("staff:anna", "POST", f"/api/orders/{order}/shipments", {"carrier": "post", "tracking_code": f"c{v}{order}", "lines": [{"position": v, "quantity": v}]})
                send(customer, "POST", f"/api/orders/{order}/returns", {"lines": [{"position": v, "quantity": v}], "reason": "too_small"})
    send("staff:anna", "GET", "/api/reconciliation")
    send("staff:anna", "GET", "/api/status")


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(folder))
        try:
            server.send("PUT", "/t", {"mappings": {"properties": MAPPING}})
            for i in range(20):
                server.send("PUT", f"/t/_doc/{i}?refresh=true", {
                    "title": f"red shoe number {i}", "n": i * 2**58, "k": f"k{i % 3}", "d": f"2026-01-0{i % 9 + 1}", "f": i * 1.5, "s": i})
            search(server)
            others(server)
            shop(server)
            status, text = server.send("GET", "/t/_count")
            if status != 200 or json.loads(text)["count"] < 20:
                server.fault("documents are lost", text)
        finally:
            server.stop()
    for method, isShop in (("POST", False), ("PUT", True), ("POST", True)):
        # Requests that are refused for their shape alone would show nothing.
        if server.statuses[method, isShop, 2] < 20:
            server.faults.append(f"too few {method} of {'the shop' if isShop else 'searches'} were carried out")
            print("FAILED", server.faults[-1], dict(server.statuses))
    print(f"{server.count} requests, {sum(n for (*_, kind), n in server.statuses.items() if kind == 2)} of them carried out, {len(server.faults)} faults")
    sys.exit(1 if server.faults else 0)


if __name__ == "__main__":
    main()
