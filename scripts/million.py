#!/usr/bin/env python3
"""A million products: load beside tantivy's (two threads), first answer of a server, memory after 2,000 searches beside Lucene's and tantivy's.

usage: million.py ISOTHERM SHARED [--docs N]      with PEERS and BENCH_WORK as ../shared/bench has them; `make million` calls it.

Prints one line a figure. Loads go through `isotherm bulk --data` with ../shared/bench/http/mapping.json, the server is `isotherm serve` as it is by default.
"""
import argparse, http.client, json, os, re, shutil, socket, subprocess, sys, tempfile, time


def corpus(shared, work, docs):
    data = os.path.join(work, "data")
    os.makedirs(data, exist_ok=True)
    path, queries = os.path.join(data, f"products-{docs}.jsonl"), os.path.join(data, f"queries-products-{docs}.jsonl")
    for target, command in ((path, ["gen_products.py", "-n", str(docs), "-o", path]), (queries, ["gen_queries.py", "products", path, queries])):
        if not os.path.exists(target):
            subprocess.run([sys.executable, "-B", os.path.join(shared, "bench", command[0]), *command[1:]], check=True)
    return path, queries


def load(isotherm, shared, path, folder):
    command = [isotherm, "bulk", "products", path, "--mapping", os.path.join(shared, "bench/http/mapping.json"), "--data", folder, "--quiet"]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        sys.exit(f"isotherm bulk ended with {os.waitstatus_to_exitcode(status)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def peers(shared, path, queries, engines, part):
    """A part of ../shared/bench/bench.py; what it wrote down."""
    work = os.environ["BENCH_WORK"]
    before = set(os.listdir(work))
    name = os.path.splitext(os.path.basename(path))[0]
    command = [sys.executable, "-B", os.path.join(shared, "bench/bench.py"), part, "--corpus", f"{name}={path}", "--engines", engines]
    command += ["--rebuild"] if engines == "tantivy-mt" else [] if part == "build" else ["--queries", queries, "--passes", "1", "--budget", "20", "--commands", "TOP_10"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made = [f for f in set(os.listdir(work)) - before if f.startswith("result-") and f.endswith(".json")]
    with open(os.path.join(work, sorted(made)[-1])) as f:
        return json.load(f)[part]


def first_answer(isotherm, folder):
    """Starts a server and asks until it answers. Returns the server, its port, and the milliseconds from start to answer."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    body = json.dumps({"query": {"match": {"text": "wireless premium"}}})
    started = time.perf_counter()
    process = subprocess.Popen([isotherm, "serve", "--data", folder, "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while time.perf_counter() - started < 60:
        try:
            status, answer = ask(http.client.HTTPConnection("127.0.0.1", port, timeout=30), body)
            if status == 200 and answer["hits"]["hits"]:
                return process, port, (time.perf_counter() - started) * 1000
        except OSError:
            pass
        time.sleep(0.001)
    process.kill()
    sys.exit("the server gave no answer within a minute")


def ask(connection, body):
    connection.request("POST", "/products/_search", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def bodies(queries, count):
    with open(queries) as f:
        lines = [json.loads(line) for line in f]
    for i in range(count):
        line = lines[i % len(lines)]
        text = json.loads(line["query"])["q"] if line["cmd"] == "FACETS" else line["query"]
        body = {"query": {"simple_query_string": {"query": text, "fields": ["text"]}}}
        if line["cmd"] == "FACETS":
            body["aggs"] = {field: {"terms": {"field": field}} for field in ("brand", "category")}
        yield json.dumps(body)


def memory(process):
    with open(f"/proc/{process.pid}/status") as f:
        text = f.read()
    return {name: int(re.search(rf"{name}:\s+(\d+)", text).group(1)) // 1024 for name in ("VmRSS", "RssAnon", "RssFile")}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("isotherm")
    arguments.add_argument("shared")
    arguments.add_argument("--docs", type=int, default=1_000_000)
    a = arguments.parse_args()
    path, queries = corpus(a.shared, os.environ["BENCH_WORK"], a.docs)
    (tantivy,) = peers(a.shared, path, queries, "tantivy-mt", "build")
    print(f"load\ttantivy-mt\twall {tantivy['wall_s']:.1f} s\tcpu {tantivy['cpu_s']:.1f} s\tpeak {tantivy['peak_rss_mb']} MB", flush=True)
    folder = tempfile.mkdtemp(dir=os.environ["BENCH_WORK"])
    try:
        wall, cpu, peak = load(a.isotherm, a.shared, path, folder)
        print(f"load\tisotherm bulk --data\twall {wall:.1f} s\tcpu {cpu:.1f} s\tpeak {peak:.0f} MB\tratio {wall / tantivy['wall_s']:.2f}", flush=True)
        for run in ("first start after the load", "second start", "third start"):
            process, port, milliseconds = first_answer(a.isotherm, folder)
            print(f"first answer\t{run}\t{milliseconds:.0f} ms", flush=True)
            if run == "third start":
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                wrong = sum(ask(connection, body)[0] != 200 for body in bodies(queries, 2000))
                m = memory(process)
                print(f"memory\tisotherm serve, 2,000 searches, {wrong} refused\tresident {m['VmRSS']} MB: anonymous {m['RssAnon']}, pages of mapped files {m['RssFile']}", flush=True)
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peers(a.shared, path, queries, "lucene,tantivy", "build")
    for row in peers(a.shared, path, queries, "lucene,tantivy", "search"):
        print(f"memory\t{row['engine']}, its searches of ../shared/bench\tpeak resident {row['serve_peak_rss_mb']} MB", flush=True)


if __name__ == "__main__":
    main()
