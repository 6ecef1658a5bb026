#!/usr/bin/env python3
"""Tidy as a test: what a reader would stumble over, found by reading the sources as text.

1  A Swift file begins with a comment that says what it is.
2  No left-over marks (TO-DO and its kin), no paths of one machine.
3  No Foundation below Mappings; imports only downwards (the map in Package.swift, by the order of its targets).
4  Files stay under 500 lines; the longest ones known are listed here and may only get shorter.
5  No file over 2 MB is tracked.

Exit code 1 with one line per finding.
"""
import os, re, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINES_MAX = 500
# path -> lines when it was listed. A file that shrinks below 500 lines leaves the list.
KNOWN_LONG = {}
NO_FOUNDATION = {"Bytes", "JSON", "Storage", "Analysis", "Segments"}
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"/(work|root|home)/[a-z]")


def tracked():
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [p for p in out.split("\0") if p and os.path.exists(os.path.join(ROOT, p))]


def target_order():
    text = open(os.path.join(ROOT, "Package.swift"), encoding="utf-8").read()
    names = re.findall(r'(?:layer\(|\.target\(\s*name: |\.executableTarget\(\s*name: )"([A-Za-z]+)"', text)
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def check_swift(path, text, order, findings):
    lines = text.split("\n")
    first = next((l for l in lines if l.strip()), "")
    if not first.startswith("//") and not path.startswith("Tests/"):
        findings.append(f"{path}:1: the first line does not say what this file is")
    parts = path.split("/")
    module = parts[1] if parts[0] == "Sources" else None
    for number, line in enumerate(lines, 1):
        match = re.match(r"\s*(?:@[a-zA-Z_]+(?:\([^)]*\))? )*(?:public |package |internal )?import (?:struct |class |func |enum )?([A-Za-z_]+)", line)
        if not match or not module:
            continue
        name = match[1]
        if module in NO_FOUNDATION and name.startswith("Foundation"):
            findings.append(f"{path}:{number}: {name} below Mappings")
        if name in order and module in order and order[name] >= order[module] and module != "IsothermTesting":
            findings.append(f"{path}:{number}: {module} imports {name}, which lies above it")


def main():
    findings, order, lengths = [], target_order(), []
    for path in tracked():
        full = os.path.join(ROOT, path)
        size = os.path.getsize(full)
        if size > 2_000_000:
            findings.append(f"{path}: {size} bytes; keep it out of the repository")
        if not path.endswith((".swift", ".c", ".h", ".py", ".sh", ".md")) and path not in ("Makefile", ".ci/run"):
            continue
        text = open(full, encoding="utf-8").read()
        if path.endswith(".swift"):
            check_swift(path, text, order, findings)
            lengths.append(text.count("\n"))
        for number, line in enumerate(text.split("\n"), 1):
            if MARKS.search(line):
                findings.append(f"{path}:{number}: a left-over mark")
            if MACHINE.search(line):
                findings.append(f"{path}:{number}: a path of one machine")
        count = text.count("\n")
        if path.endswith((".swift", ".c", ".py")) and count > KNOWN_LONG.get(path, LINES_MAX):
            findings.append(f"{path}: {count} lines, more than {KNOWN_LONG.get(path, LINES_MAX)}; split it")
    print("\n".join(findings))
    lengths.sort()
    if lengths:
        print(f"{len(lengths)} Swift files, median {lengths[len(lengths) // 2]} lines, 90 % under {lengths[len(lengths) * 9 // 10]}; {len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
