#!/usr/bin/env python3
"""Facets against a plain count: 200 random filters over 19,406 products, before and after 5,000 updates and 1,000 deletes.

    icecat_facets.py URL DOCUMENTS [--filters 200] [--seed 1]

URL: a server with the index `icecat` loaded from DOCUMENTS (made by corpora/convert.py). Supplier and colour are counted under random filters,
single (filters hold for all) and multi-select (`facet_filters`: each facet without its own), and must equal a count in Python over the same
documents, totals included. Standard library only.
"""
import argparse, collections, http.client, json, random, sys, urllib.parse

SUPPLIER, COLOUR = "supplier", "attr_t_product_colour"
FIELDS = {SUPPLIER: SUPPLIER, COLOUR: COLOUR + ".keyword"}
IGNORE_ABOVE = 256


class Server:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)

    def call(self, method, path, body=None, lines=False):
        data = None if body is None else body if lines else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": "application/x-ndjson" if lines else "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text)


def facet_value(doc, field):
    value = doc.get(field)
    return value if isinstance(value, str) and (field == SUPPLIER or len(value) <= IGNORE_ABOVE) else None


def random_filter(dice, docs):
    """A filter as Elasticsearch writes it, and the same as a function."""
    doc, kind = dice.choice(docs), dice.randrange(6)
    if kind == 0:
        values = {d[SUPPLIER] for d in dice.sample(docs, dice.randint(1, 4))}
        return {"terms": {SUPPLIER: sorted(values)}}, lambda d: d.get(SUPPLIER) in values
    if kind == 1:
        values = {v for d in dice.sample(docs, 8) for v in [facet_value(d, COLOUR)] if v} or {"Black"}
        return {"terms": {FIELDS[COLOUR]: sorted(values)}}, lambda d: facet_value(d, COLOUR) in values
    if kind in (2, 3):
        low, high = sorted((doc["price"], dice.choice(docs)["price"]))
        return {"range": {"price": {"gte": low, "lt": high + 1}}}, lambda d: low <= d["price"] < high + 1
    if kind == 4:
        name = dice.choice([k for k in doc if k.startswith("attr_")] or [COLOUR])
        return {"exists": {"field": name}}, lambda d: d.get(name) not in (None, [])
    day = doc.get("date_released", "2010-01-01T00:00:00Z")
    return {"range": {"date_released": {"gte": day}}}, lambda d: d.get("date_released", "") >= day


def counts(docs, field):
    return collections.Counter(v for d in docs for v in [facet_value(d, field)] if v is not None)


def buckets(answer, name):
    return {b["key"]: b["doc_count"] for b in answer["aggregations"][name]["buckets"]}


def compare(server, docs, dice, rounds, stage):
    listed = list(docs.values())
    aggs = {name: {"terms": {"field": field, "size": 100_000}} for name, field in FIELDS.items()}
    for n in range(rounds):
        chosen = [random_filter(dice, listed) for _ in range(dice.randint(0, 3))]
        base = [d for d in listed if all(test(d) for _, test in chosen)]
        body = {"size": 0, "track_total_hits": True, "aggs": aggs, "query": {"bool": {"filter": [f for f, _ in chosen]}}}
        want = {name: counts(base, name) for name in FIELDS}
        total = len(base)
        if n % 2:
            picks = {name: {v for d in dice.sample(listed, 12) for v in [facet_value(d, name)] if v} or {"Black"} for name in FIELDS}
            body["facet_filters"] = {name: {"terms": {FIELDS[name]: sorted(values)}} for name, values in picks.items()}
            other = {SUPPLIER: COLOUR, COLOUR: SUPPLIER}
            want = {name: counts([d for d in base if facet_value(d, other[name]) in picks[other[name]]], name) for name in FIELDS}
            total = sum(all(facet_value(d, name) in picks[name] for name in FIELDS) for d in base)
        answer = server.call("POST", "/icecat/_search", body)
        got = answer["hits"]["total"]["value"]
        if got != total:
            sys.exit(f"{stage}, filter {n}: {got} hits, {total} counted\n{json.dumps(body)}")
        for name in FIELDS:
            if buckets(answer, name) != dict(want[name]):
                differ = {k: (buckets(answer, name).get(k), v) for k, v in want[name].items() if buckets(answer, name).get(k) != v}
                sys.exit(f"{stage}, filter {n}, {name}: engine and count differ, as in {list(differ.items())[:5]}\n{json.dumps(body)}")
    print(f"{stage}: {rounds} filters, single and multi-select, all equal over {len(docs)} documents")


def change(server, docs, dice):
    """5,000 updates (whole and partial) and 1,000 deletes in ten rounds, each made searchable, so that they spread over segments."""
    ids, originals = sorted(docs), list(docs.values())
    updated, deleted = dice.sample(ids, 6000), 0
    for part in range(10):
        lines = []
        for id in updated[part * 600:part * 600 + 600]:
            if deleted < (part + 1) * 100 and dice.random() < 0.3:
                deleted += 1
                del docs[id]
                lines.append({"delete": {"_id": id}})
                continue
            donor = dice.choice(originals)
            if dice.random() < 0.5:
                docs[id] = {**donor, "id": id}
                lines += [{"index": {"_id": id}}, docs[id]]
            else:
                part_doc = {SUPPLIER: donor[SUPPLIER], COLOUR: donor.get(COLOUR, "Teal"), "price": donor["price"] + 1}
                docs[id] = {**docs[id], **part_doc}
                lines += [{"update": {"_id": id}}, {"doc": part_doc}]
        answer = server.call("POST", "/icecat/_bulk?refresh=true", "".join(json.dumps(l) + "\n" for l in lines), lines=True)
        if answer["errors"]:
            sys.exit(f"refused: {[i for i in answer['items'] if 'error' in next(iter(i.values()))][:2]}")
    left = dice.sample(sorted(set(ids) - set(updated)), 1000 - deleted)
    for id in left:
        del docs[id]
    if left:
        server.call("POST", "/icecat/_bulk?refresh=true", "".join(json.dumps({"delete": {"_id": id}}) + "\n" for id in left), lines=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("documents")
    parser.add_argument("--filters", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    server, dice = Server(a.url), random.Random(a.seed)
    with open(a.documents, encoding="utf-8") as f:
        docs = {d["id"]: d for d in map(json.loads, f)}
    compare(server, docs, dice, a.filters, "as loaded")
    change(server, docs, dice)
    stats = server.call("GET", "/icecat/_stats")
    segments = stats["_all"]["primaries"].get("segments", {}).get("count")
    compare(server, docs, dice, a.filters, f"after 5,000 updates and 1,000 deletes, in {segments} segments")


if __name__ == "__main__":
    main()
