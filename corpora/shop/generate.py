#!/usr/bin/env python3
"""Makes the sample shop: products.ndjson, queries.tsv and judgments.csv, the same bytes for the same seed.

    generate.py [--out FOLDER] [--seed 1] [--check]

Works kind by kind (catalogue.py): a model gets its attributes that do not vary and its description; its variants differ
in colour, size, length and the like, so that near duplicates abound as in a real shop. Then all are shuffled and numbered.

Judgments come from what the generator knows of each product, never from a search engine:
    3  the kind and every wanted attribute fit            2  one of several wanted attributes does not fit
    1  the kind fits, less of the rest; or a near kind    0  others, drawn by chance or because they share a word
Only Random.random() and getrandbits() are drawn on, which Python keeps stable over versions.
"""
import argparse, hashlib, json, os, random, re, sys

from catalogue import ADJECTIVES, CLOSING, KINDS, ORIGINS, QUERIES, TITLE_WORDS

VARYING = ["color", "size", "length", "light", "pack"]


class Dice:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def below(self, n):
        return int(self.random.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


def capital(text):
    return text[:1].upper() + text[1:]


def articles(text):
    """"a" before a spoken vowel becomes "an": the sentences are filled in without knowing what follows."""
    return re.sub(r"\b([Aa]) (?=[aeioAEIO]|XB)", r"\1n ", text)


def make_models(kind, dice):
    """Endless models of a kind: what all variants share."""
    while True:
        number = 100 + dice.below(900)
        model = f"{kind['letters']}-{number}"
        fixed = {k: dice.pick(v) for k, v in kind["choices"].items() if k not in VARYING}
        low, high = kind["price"]
        base = low + (high - low) * dice.random.random() ** 2
        yield dict(brand=dice.pick(kind["brands"]), model=model, adjective=dice.pick(ADJECTIVES), noun=dice.pick(kind["nouns"]),
                   title_word=dice.pick(TITLE_WORDS), fixed=fixed, base=base, sentences=dice.shuffled(kind["sentences"])[:4],
                   word=dice.pick(kind["words"]), closing=dice.pick(CLOSING), origin=dice.pick(ORIGINS), year=2021 + dice.below(5))


def make_variants(kind, dice):
    axes = {k: v for k, v in kind["choices"].items() if k in VARYING}
    count = 2 + dice.below(5) if axes else 1
    seen = []
    for _ in range(count):
        variant = {k: dice.pick(v) for k, v in axes.items()}
        if variant not in seen:
            seen.append(variant)
    return seen


def make_product(kind, model, variant, dice):
    attributes = {**model["fixed"], **variant}
    words = {**attributes, "brand": model["brand"], "model": model["model"], "adjective": model["adjective"],
             "noun": model["noun"], "title_word": model["title_word"]}
    opening = f"A {model['adjective']} {model['word']} by {model['brand']}."
    sentences = [capital(s.format(**words)) for s in model["sentences"]]
    suffix = "".join(re.sub(r"[^A-Za-z0-9]", "", v)[:2].upper() for v in variant.values())
    stock = 0 if dice.below(8) == 0 else dice.below(250)
    reviews = int(dice.random.random() ** 3 * 900)
    product = {
        "title": capital(kind["title"].format(**words)),
        "description": articles(" ".join([opening] + sentences + [model["closing"]])),
        "brand": model["brand"], "department": kind["path"][0], "category": kind["path"][-1],
        "category_path": [" > ".join(kind["path"][:n]) for n in range(1, len(kind["path"]) + 1)],
        "sku": model["model"] + ("-" + suffix if suffix else ""), "model": model["model"],
    }
    for name in ("color", "size"):
        if name in attributes:
            product[name] = attributes[name]
    product["attributes"] = {k: v for k, v in attributes.items() if k not in ("color", "size")}
    product.update({
        "price": round(model["base"] * (0.9 + 0.2 * dice.random.random()), 0) - 0.01 if model["base"] > 10 else round(model["base"], 2),
        "rating": round(2.5 + 2.5 * dice.random.random() ** 0.5, 1), "review_count": reviews, "stock": stock, "in_stock": stock > 0,
        "origin": model["origin"],
        "created_at": f"{model['year']}-{1 + dice.below(12):02}-{1 + dice.below(28):02}T{dice.below(24):02}:{dice.below(60):02}:00Z",
    })
    return dict(kind=kind["key"], attributes={**attributes, "brand": model["brand"]}, product=product)


def make_products(seed):
    products = []
    for number, kind in enumerate(KINDS):
        dice = Dice(seed * 1000 + number)
        made, models = [], make_models(kind, dice)
        while len(made) < kind["quota"]:
            model = next(models)
            made += [make_product(kind, model, v, dice) for v in make_variants(kind, dice)]
        products += made[:kind["quota"]]
    products = Dice(seed * 1000 + 999).shuffled(products)
    skus = {}
    for number, p in enumerate(products):
        sku = p["product"]["sku"]
        skus[sku] = skus.get(sku, 0) + 1
        if skus[sku] > 1:
            p["product"]["sku"] = f"{sku}-{skus[sku]}"
        p["product"] = {"id": f"p{number + 1:04}", **p["product"]}
    return products


def grade(item, kinds, wanted, near):
    fits = [item["attributes"].get(k) == v for k, v in wanted.items()]
    if item["kind"] in kinds:
        missing = fits.count(False)
        return 3 if missing == 0 else 2 if missing == 1 and len(fits) > 1 else 1
    if item["kind"] in near and all(fits):
        return 1
    return 0


def tokens(text):
    return set(re.findall(r"[a-z0-9]+", text.lower())) - {"a", "and", "for", "of", "the", "with", "in"}


def make_judgments(products, seed):
    rows = []
    for number, (text, kinds, wanted, near) in enumerate(QUERIES):
        dice = Dice(seed * 1000 + 500 + number)
        others = []
        for item in products:
            g = grade(item, kinds, wanted, near)
            if g > 0:
                rows.append((number + 1, item["product"]["id"], g))
            elif tokens(text) & tokens(item["product"]["title"]) or dice.below(200) == 0:
                others.append(item)
        rows += [(number + 1, item["product"]["id"], 0) for item in dice.shuffled(others)[:40]]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--out", default=here)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="compare with the files in the folder; write nothing")
    a = parser.parse_args()
    products = make_products(a.seed)
    files = {
        "products.ndjson": "".join(json.dumps(p["product"], ensure_ascii=False, separators=(",", ":")) + "\n" for p in products),
        "queries.tsv": "".join(f"{n + 1}\t{q[0]}\n" for n, q in enumerate(QUERIES)),
        "judgments.csv": "query,docid,rating\n" + "".join(f"{q},{d},{g}\n" for q, d, g in make_judgments(products, a.seed)),
    }
    stale = []
    for name, text in files.items():
        path, data = os.path.join(a.out, name), text.encode()
        if a.check:
            if not os.path.exists(path) or open(path, "rb").read() != data:
                stale.append(name)
        else:
            with open(path, "wb") as f:
                f.write(data)
        print(f"{hashlib.sha256(data).hexdigest()}  {name}  {len(data)} bytes, {text.count(chr(10))} lines")
    if stale:
        sys.exit("not what the generator makes: " + ", ".join(stale))


if __name__ == "__main__":
    main()
