"""What a person's history must look like, worked out by Python from the sources alone: no line of the server's is used here.

    olist(folder)            the Olist files merged: who ordered what, when, for how much
    rekey(from, to, ...)     the same files with their customers made into a few hundred, seeded
    Made(seed, ...)          generated orders: each person's follow from (seed, person), so that every process can work them out for itself

An order is a dictionary with the members of an entry of GET /api/people/{id}/orders; what else an entry has is not looked at.
"""
import argparse
import collections
import csv
import datetime
import gzip
import hashlib
import io
import json
import os
import random
import zoneinfo

DAY = 86_400
FINAL = {"delivered", "part_returned", "returned", "cancelled", "expired"}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())


def identifier(at, source, key):
    """UUIDv7 of an imported record (docs/import.md): its moment in seconds and a hash of its source's key."""
    digest = hashlib.sha256(f"{source}\0{key}".encode()).digest()
    high, low = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
    h = f"{(at * 1000) << 16 | 7 << 12 | high & 0xFFF:016x}{2 << 62 | low & ((1 << 62) - 1):016x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def reference(id):
    bits = int.from_bytes(hashlib.sha256(bytes.fromhex(id.replace("-", ""))).digest()[:8], "big")
    letters = [ALPHABET[bits >> 59 - 5 * n & 31] for n in range(12)]
    return "-".join("".join(letters[n:n + 4]) for n in (0, 4, 8))


def order(source, key, at, status, currency, lines, paid):
    """lines: (product, title, seller, quantity, unit, freight)."""
    id = identifier(at, source, key)
    shipped = status in ("shipped", "delivered", "part_returned", "returned")
    entries = [
        {"position": n, "product": product, "title": title, "seller": seller, "quantity": quantity, "unit_minor": unit, "freight_minor": freight,
         "total_minor": unit * quantity + freight, "shipped": quantity if shipped else 0, "returned": 0}
        for n, (product, title, seller, quantity, unit, freight) in enumerate(lines, 1)]
    return {"id": id, "reference": reference(id), "placed_at": moment(at), "status": status, "currency": currency,
            "total_minor": sum(e["total_minor"] for e in entries), "paid_minor": paid, "lines": entries}


def newest_first(orders):
    return sorted(orders, key=lambda o: (o["placed_at"], o["id"]), reverse=True)


def tier(order, now, bands=((90, "hot"), (180, "warm"), (None, "cold"))):
    """Where an order belongs: an age of exactly so many days is past them."""
    if order["status"] not in FINAL:
        return "hot"
    age = now - seconds(order["placed_at"])
    return next(name for days, name in bands if days is None or age < days * DAY)


def frames(orders, now):
    """GET /api/people/{id}/orders/frames at a moment, in seconds."""
    today = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)

    def months_ago(n):
        month = today.year * 12 + today.month - 1 - n
        first = datetime.date(month // 12, month % 12 + 1, 1)
        last = (datetime.date(first.year + first.month // 12, first.month % 12 + 1, 1) - datetime.timedelta(days=1)).day
        return f"{first.year:04}-{first.month:02}-{min(today.day, last):02}T00:00:00Z"

    def since(text):
        return sum(o["placed_at"] >= text for o in orders)

    years = collections.Counter(int(o["placed_at"][:4]) for o in orders)
    return {"total": len(orders), "last_30_days": since(moment(now - 30 * DAY)), "last_3_months": since(months_ago(3)), "last_6_months": since(months_ago(6)),
            "years": [{"year": y, "count": years[y]} for y in sorted(years, reverse=True)]}


# MARK: Olist

STATES = {"delivered": "delivered", "shipped": "shipped", "canceled": "cancelled", "unavailable": "cancelled", "created": "confirmed", "approved": "confirmed",
          "processing": "confirmed", "invoiced": "confirmed"}
SAO_PAULO = zoneinfo.ZoneInfo("America/Sao_Paulo")


def table(folder, name):
    path = os.path.join(folder, f"olist_{name}_dataset.csv")
    with (open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz")) as f:
        return list(csv.DictReader(io.TextIOWrapper(f, encoding="utf-8-sig", newline="")))


def cents(text):
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def local(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SAO_PAULO).timestamp())


def olist(folder):
    """Orders by person, newest first."""
    people = {row["customer_id"]: row["customer_unique_id"] for row in table(folder, "customers")}
    category = {row["product_id"]: row["product_category_name"] for row in table(folder, "products")}
    lines, paid = collections.defaultdict(list), collections.Counter()
    for row in table(folder, "order_items"):
        product = row["product_id"]
        lines[row["order_id"]].append((int(row["order_item_id"]), (
            product, category.get(product) or product, row["seller_id"] or None, 1, cents(row["price"]), cents(row["freight_value"]))))
    for row in table(folder, "order_payments"):
        paid[row["order_id"]] += cents(row["payment_value"])
    history = collections.defaultdict(list)
    for row in table(folder, "orders"):
        id = row["order_id"]
        history[people[row["customer_id"]]].append(order(
            "olist", id, local(row["order_purchase_timestamp"]), STATES[row["order_status"]], "BRL", [line for _, line in sorted(lines[id])], paid[id]))
    return {person: newest_first(orders) for person, orders in history.items()}


def rekey(folder, out, people, seed, most=5_000):
    """Writes the customers' file anew: so many people, a few with very many orders, none with more than `most`. The other files are linked."""
    dice = random.Random(f"{seed}/rekey")
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith("olist_") and "customers" not in name:
            os.symlink(os.path.abspath(os.path.join(folder, name)), os.path.join(out, name))
    rows = table(folder, "customers")
    # The one with the most comes near the bound; the rest by a power law.
    weights, count = [1 / (n + 1) ** 1.5 for n in range(people)], collections.Counter()
    names = [f"{dice.getrandbits(128):032x}" for _ in range(people)]
    with open(os.path.join(out, "olist_customers_dataset.csv"), "w", newline="") as f:
        writer = csv.DictWriter(f, fieldnames=list(rows[0]))
        writer.writeheader()
        for place, row in enumerate(rows):
            who = place if place < people else dice.choices(range(people), weights)[0]
            while count[who] >= most:
                who = dice.randrange(people)
            count[who] += 1
            writer.writerow(row | {"customer_unique_id": names[who]})


# MARK: Generated

WORDS = "Lampe Regal Stuhl Tisch Decke Kissen Messer Topf Pfanne Tasse Glas Teller Fahrrad Helm Jacke Mütze Schuh Ball Buch Stift Papier Uhr Kabel Akku".split()


class Made:
    """`people` persons with `orders` orders among them, from six years before `now` up to it; the source is `sandbox`, so that its gateway's webhooks are heard.
    `ages` in place of six years: (weight, from, to) in days."""
    source = "sandbox"

    def __init__(self, seed, people, orders, now, ages=()):
        self.seed, self.people, self.now, self.ages = seed, people, now, ages
        dice = random.Random(f"{seed}/counts")
        weights = [min(dice.paretovariate(1.3), 150) for _ in range(people)]
        scale, self.ends, end = (orders - people) / sum(weights), [], 0.0
        # Each person has one at least; the rest by weight, cut where the running sum says.
        for weight in weights:
            end += 1 + weight * scale
            self.ends.append(round(end))
        self.orders = self.ends[-1]

    def count(self, person):
        return self.ends[person] - (self.ends[person - 1] if person else 0)

    def age(self, dice):
        _, since, until = dice.choices(self.ages, [weight for weight, _, _ in self.ages])[0]
        return int(dice.uniform(since, until) * DAY)

    def name(self, person):
        return f"p{person}"

    def records(self, person):
        """What is imported: one dictionary an order, and its moment."""
        dice = random.Random(f"{self.seed}/{person}")
        first, made, at = self.ends[person - 1] if person else 0, [], None
        for number in range(first, self.ends[person]):
            # Now and then at the same moment as the one before: the order of two such is by identifier.
            if at is None or dice.random() > 0.02:
                at = self.now - 120 - (int(dice.random() ** 1.3 * 2190 * DAY) if not self.ages else self.age(dice))
            age = (self.now - at) / DAY
            lines = []
            for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
                product = dice.randrange(10_000)
                lines.append({"product": f"sku-{product}", "title": f"{WORDS[product % 24]} {WORDS[product // 24 % 24]} Nº {product}", "seller": f"s{product % 700}",
                              "quantity": dice.choice((1, 1, 1, 2, 3)), "unit_minor": 199 + product * 37 % 20_000, "freight_minor": dice.choice((0, 0, 490, 990))})
            total = sum(l["quantity"] * l["unit_minor"] + l["freight_minor"] for l in lines)
            turn = dice.random()
            if age < 12 and turn < 0.6:
                status = "confirmed" if turn < 0.3 else "shipped"
            elif turn < 0.004:
                status = "shipped"  # Stuck for years: never moves.
            else:
                status = "cancelled" if turn < 0.04 else "expired" if turn < 0.05 else "returned" if turn < 0.06 else "part_returned" if turn < 0.07 else "delivered"
            record = {"id": str(number), "person": self.name(person), "placed_at": moment(at), "status": status, "currency": "EUR", "lines": lines, "payments": []}
            if status in ("delivered", "part_returned", "returned"):
                # Some arrived this week, whenever they were ordered: those can still be sent back.
                record["delivered_at"] = moment(self.now - 3 * DAY if self.recallable(number) else min(at + dice.randrange(1, 12) * DAY, self.now))
            if status not in ("cancelled", "expired"):
                parts = [total] if dice.random() < 0.9 or total < 2 else [total // 2, total - total // 2]
                record["payments"] = [{"id": str(n), "method": dice.choice(("card", "invoice")), "amount_minor": part} for n, part in enumerate(parts, 1)]
            made.append((at, record))
        return made

    @staticmethod
    def recallable(number):
        """One in sixteen is touched by late changes: of those only what no change touches is compared."""
        return number * 0x9E3779B1 % 2 ** 32 < 2 ** 28

    def history(self, person):
        """The person's orders, newest first, with their numbers."""
        found = []
        for at, r in self.records(person):
            lines = [(l["product"], l["title"], l["seller"], l["quantity"], l["unit_minor"], l["freight_minor"]) for l in r["lines"]]
            o = order(self.source, r["id"], at, r["status"], "EUR", lines, sum(p["amount_minor"] for p in r["payments"]))
            o["number"] = int(r["id"])
            found.append(o)
        return newest_first(found)

    def write(self, path):
        """NDJSON by the time they were placed, as a shop's own history would come."""
        records = sorted(((at, r["id"], json.dumps(r, ensure_ascii=False, separators=(",", ":"))) for p in range(self.people) for at, r in self.records(p)))
        with open(path, "w") as f:
            for _, _, line in records:
                f.write(line + "\n")


def main():
    """Writes generated orders as `isotherm import history` takes them."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file")
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    Made(a.seed, a.people, a.orders, int(datetime.datetime.now().timestamp()) // 3600 * 3600).write(a.file)


if __name__ == "__main__":
    main()
