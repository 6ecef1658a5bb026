#!/usr/bin/env python3
"""Flips bytes of a loaded data folder, one at a time, and cuts files: `isotherm check` must say so and name the file, and must not crash.

    damage.py ISOTHERM DATA [--flips 60] [--seed 1]

DATA is left as it was. Only files that the index is made of count: those which `check` read while all was sound.
"""
import argparse, os, random, subprocess, sys


def check(binary, data):
    done = subprocess.run([binary, "check", "--data", data], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def files(data):
    for folder, _, names in os.walk(os.path.join(data, "indexes")):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.getsize(path) and name.endswith((".seg", ".live")) or name.startswith("commit-"):
                yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isotherm")
    parser.add_argument("data")
    parser.add_argument("--flips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    code, out = check(a.isotherm, a.data)
    if code != 0:
        sys.exit(f"the folder is not sound to begin with:\n{out}")
    dice, paths = random.Random(a.seed), sorted(files(a.data))
    if not paths:
        sys.exit("no files to damage")
    for n in range(a.flips):
        path = dice.choice(paths)
        whole = open(path, "rb").read()
        at, cut = dice.randrange(len(whole)), n % 5 == 4
        broken = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ 1 << dice.randrange(8)]) + whole[at + 1:]
        try:
            with open(path, "wb") as f:
                f.write(broken)
            code, out = check(a.isotherm, a.data)
        finally:
            with open(path, "wb") as f:
                f.write(whole)
        what = f"{os.path.basename(path)} {'cut at' if cut else 'flipped at'} {at} of {len(whole)}"
        if code != 1:
            sys.exit(f"{what}: exit code {code}\n{out}")
        if os.path.basename(path).split(".")[0] not in out:
            sys.exit(f"{what}: the message does not name the file\n{out}")
    code, out = check(a.isotherm, a.data)
    if code != 0:
        sys.exit(f"not sound after all was put back:\n{out}")
    print(f"{a.flips} damages found, each by the name of its file ({len(paths)} files)")


if __name__ == "__main__":
    main()
