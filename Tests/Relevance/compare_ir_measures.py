#!/usr/bin/env python3
"""Compares `isotherm eval` with ir-measures (PyPI), query by query, over random judgments and runs.

    compare_ir_measures.py ISOTHERM [--rounds 20]

ISOTHERM is the binary. Scores are replaced by falling numbers in the order of the run, so that both sides see the same order where
scores tie. Values must agree to 1e-9. Needs `pip install ir-measures`.
"""
import argparse, json, os, random, subprocess, sys, tempfile

import ir_measures
from ir_measures import AP, P, R, RR, nDCG

MEASURES = {"ndcg@10": nDCG @ 10, "ndcg@3": nDCG @ 3, "ndcg": nDCG, "mrr": RR, "mrr@10": RR @ 10, "map": AP, "map@20": AP @ 20,
            "p@1": P @ 1, "p@10": P @ 10, "recall@5": R @ 5, "recall@50": R @ 50}


def random_case(seed):
    dice = random.Random(seed)
    qrels, run = {}, {}
    for q in range(dice.randint(1, 40)):
        query, documents = f"q{q}", [f"d{i}" for i in range(dice.randint(1, 120))]
        judged = dice.sample(documents, dice.randint(1, len(documents)))
        qrels[query] = {d: dice.choice([-1, 0, 0, 0, 1, 1, 2, 3, 4]) for d in judged}
        if dice.random() < 0.95:
            found = dice.sample(documents, dice.randint(1, len(documents)))
            # Few different scores, so that many tie.
            run[query] = sorted(((d, dice.randint(1, 8) / 2) for d in found), key=lambda x: -x[1])
    run["not-judged"] = [("d1", 1.0)]
    return qrels, run


def ours(binary, folder, qrels, run):
    with open(os.path.join(folder, "qrels.txt"), "w") as f:
        f.writelines(f"{q} 0 {d} {g}\n" for q, ds in qrels.items() for d, g in ds.items())
    with open(os.path.join(folder, "run.txt"), "w") as f:
        f.writelines(f"{q} Q0 {d} {i + 1} {s} t\n" for q, ds in run.items() for i, (d, s) in enumerate(ds))
    out = subprocess.run(
        [binary, "eval", "--judgments", os.path.join(folder, "qrels.txt"), "--run", os.path.join(folder, "run.txt"), "--json",
         "--keep-queries-without-positive", "--resamples", "0", "--metrics", ",".join(MEASURES)],
        check=True, capture_output=True, text=True).stdout
    return json.loads(out)["metrics"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("--rounds", type=int, default=20)
    a = parser.parse_args()
    values, worst = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(a.rounds):
            qrels, run = random_case(seed)
            got = ours(a.isotherm, folder, qrels, run)
            ranked = {q: {d: float(len(ds) - i) for i, (d, _) in enumerate(ds)} for q, ds in run.items()}
            names = {str(m): name for name, m in MEASURES.items()}
            for m in ir_measures.iter_calc(list(MEASURES.values()), qrels, ranked):
                if m.query_id not in qrels:
                    continue
                mine = got[names[str(m.measure)]]["per_query"][m.query_id]
                worst = max(worst, abs(mine - m.value))
                values += 1
                if abs(mine - m.value) > 1e-9:
                    sys.exit(f"seed {seed}, {m.query_id}, {m.measure}: {mine} here, {m.value} by ir-measures")
    print(f"{values} values agree with ir-measures, greatest difference {worst:.1e}")
    if values < a.rounds * len(MEASURES):
        sys.exit("too few values were compared")


if __name__ == "__main__":
    main()
