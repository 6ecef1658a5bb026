#!/usr/bin/env python3
"""Turns the shared corpora into what `isotherm bulk` and `isotherm eval` read, in a folder outside the repository.

    convert.py cranfield SOURCE OUT     SOURCE: the folder with cran.all.1400, cran.qry, cranqrel
    convert.py icecat    SOURCE OUT     SOURCE: the folder with 1.json.zip ... and Broad_Query_Set_rated.csv

Writes documents.ndjson, queries.tsv and qrels.txt (cranfield) or judgments.csv (icecat). Nothing is left out or mended:
Cranfield's judgments name a query by its place in the file, so that place is its id; its grades stay as they are
(1 is best, see `isotherm eval --gains '1=4,2=3,3=2,4=1,-1=1'`). Python's standard library only.
"""
import json, os, re, sys, zipfile


def cranfield_records(path):
    """Each record as a dictionary from field letter to text."""
    record, letter = None, None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\r\n")
        if line.startswith(".I"):
            if record:
                yield record
            record, letter = {"I": line[2:].strip()}, None
        elif re.fullmatch(r"\.[TABW]\s*", line):
            letter = line[1]
            record.setdefault(letter, [])
        elif letter:
            record[letter].append(line.strip())
    if record:
        yield record


def join(record, letter):
    return " ".join(record.get(letter, [])).strip()


def cranfield(source, out):
    with open(os.path.join(out, "documents.ndjson"), "w", encoding="utf-8") as f:
        for r in cranfield_records(os.path.join(source, "cran.all.1400")):
            d = {"id": str(int(r["I"])), "title": join(r, "T"), "authors": join(r, "A"), "source": join(r, "B"), "text": join(r, "W")}
            f.write(json.dumps(d, ensure_ascii=False) + "\n")
    with open(os.path.join(out, "queries.tsv"), "w", encoding="utf-8") as f:
        for place, r in enumerate(cranfield_records(os.path.join(source, "cran.qry")), 1):
            f.write(f"{place}\t{join(r, 'W')}\n")
    with open(os.path.join(out, "qrels.txt"), "w", encoding="utf-8") as f:
        for line in open(os.path.join(source, "cranqrel"), encoding="utf-8"):
            if line.split():
                query, document, grade = line.split()
                f.write(f"{query} 0 {document} {grade}\n")


def icecat(source, out):
    with open(os.path.join(out, "documents.ndjson"), "w", encoding="utf-8") as f:
        for n in (1, 2, 3, 4):
            with zipfile.ZipFile(os.path.join(source, f"{n}.json.zip")) as z:
                name = next(x for x in z.namelist() if x.endswith(".json") and not x.startswith("__MACOSX"))
                for d in json.loads(z.read(name)):
                    d["id"] = str(d["id"])
                    f.write(json.dumps(d, ensure_ascii=False) + "\n")
    with open(os.path.join(source, "Broad_Query_Set_rated.csv"), encoding="utf-8") as f:
        text = f.read()
    with open(os.path.join(out, "judgments.csv"), "w", encoding="utf-8") as f:
        f.write(text)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("cranfield", "icecat"):
        sys.exit(__doc__)
    os.makedirs(sys.argv[3], exist_ok=True)
    {"cranfield": cranfield, "icecat": icecat}[sys.argv[1]](sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
