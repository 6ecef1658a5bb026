#!/usr/bin/env python3
"""Snapshots of a running server that is killed, and from the command line.

    snapshots.py BINARY [--rounds 6] [--seed 1]

1  The sample shop: snapshot, again without change (nothing is sent), restored beside it under another name: the same answers.
2  A server under writes takes snapshots and is killed (SIGKILL) in the middle of them, again and again, now and then while it removes or
   restores one. After every kill: `isotherm snapshot verify` finds everything sound, every snapshot that was told is there, and each
   restores to what its counts were: every document acknowledged before the snapshot was asked for, none from after it ended.
3  Absolute locations are taken below the configured folders alone.
4  A flipped byte in a blob is named by `verify` (exit code 1) and refused by `restore`.
"""
import argparse, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, threading, time, urllib.error, urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command, code=0):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class Server:
    started = []

    def __init__(self, binary, data, *options):
        self.port = free_port()
        self.process = subprocess.Popen([binary, "serve", "--data", data, "--port", str(self.port), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        Server.started.append(self.process)
        for _ in range(600):
            try:
                self.call("GET", "/")
                return
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                time.sleep(0.05)
        raise AssertionError("the server did not start")

    def call(self, method, path, body=None, ndjson=False):
        data = None if body is None else body if ndjson else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/x-ndjson" if ndjson else "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def end(self, kill=False):
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.process.wait(60)


def sample_shop(binary, work):
    data, repo = f"{work}/shop", f"{work}/repo"
    run(binary, "bulk", "shop", "corpora/shop/products.ndjson", "--mapping", "indexes/shop.json", "--data", data, "--quiet")
    first = json.loads(run(binary, "snapshot", "create", "one", "--data", data, "--repo", repo, "--json"))
    again = json.loads(run(binary, "snapshot", "create", "two", "--data", data, "--repo", repo, "--json"))
    assert first["added_bytes"] == first["bytes"] and first["documents"] == 2080 and again["added_files"] == 0, (first, again)
    run(binary, "snapshot", "restore", "one", "--data", data, "--repo", repo, "--without-aliases", "--rename-pattern", "(.+)", "--rename-replacement", "old-$1")
    for words in ["red shoes", "running", "coffee", "lamp"]:
        answers = [json.loads(run(binary, "search", name, words, "--data", data, "--json"))["hits"] for name in ["shop", "old-shop"]]
        for hit in answers[1]["hits"]:
            hit["_index"] = "shop"
        assert answers[0] == answers[1] and answers[0]["total"]["value"] > 0, words
    run(binary, "check", "--data", data, "--quick")
    run(binary, "snapshot", "delete", "one", "--repo", repo)
    listed = json.loads(run(binary, "snapshot", "ls", "--repo", repo, "--json"))
    assert [s["snapshot"] for s in listed] == ["two"] and "sound" in run(binary, "snapshot", "verify", "--repo", repo)
    print(f"sample shop: {first['bytes']} bytes of {first['documents']} documents, sent as {first['added_stored']} in {first['seconds']:.2f} s; again: nothing sent")
    return data, repo


def killed(binary, work, rounds, chance):
    data, repo = f"{work}/kill", f"{work}/kill/snapshots/r"
    told, counts, kills = {}, {}, 0
    acknowledged, most_sent, number = 0, 0, 0
    for turn in range(rounds):
        server = Server(binary, data)
        status, answer = server.call("PUT", "/_snapshot/r", {"type": "fs", "settings": {"location": "r"}})
        assert status == 200, answer
        status, answer = server.call("GET", "/_snapshot/r/_all?verbose=false")
        assert status == 200, answer
        there = {s["snapshot"] for s in answer["snapshots"]}
        assert there >= set(told), f"turn {turn}: told {sorted(told)}, there {sorted(there)}"
        state = {"sent": acknowledged, "acknowledged": acknowledged, "stop": False}

        def write():
            while not state["stop"]:
                lines = b""
                for n in range(state["sent"], state["sent"] + 50):
                    lines += b'{"index":{"_index":"i","_id":"%d"}}\n{"n":%d,"text":"document %d of some words"}\n' % (n, n, n % 97)
                state["sent"] += 50
                try:
                    status, answer = server.call("POST", "/_bulk", lines, ndjson=True)
                    if status == 200 and not answer["errors"]:
                        state["acknowledged"] = state["sent"]
                except (OSError, ValueError):
                    return

        writer = threading.Thread(target=write)
        writer.start()
        deadline = time.monotonic() + chance.uniform(0.4, 1.6)
        killer = threading.Timer(deadline - time.monotonic(), lambda: server.process.send_signal(signal.SIGKILL))
        killer.start()
        try:
            while True:
                number += 1
                name, before = f"s{number}", state["acknowledged"]
                if told and chance.random() < 0.25:
                    gone = chance.choice(sorted(told))
                    least = told.pop(gone)
                    status, _ = server.call("DELETE", f"/_snapshot/r/{gone}")
                    assert status == 200, status
                elif told and chance.random() < 0.2:
                    server.call("POST", f"/_snapshot/r/{chance.choice(sorted(told))}/_restore?wait_for_completion=true",
                                {"rename_pattern": ".+", "rename_replacement": f"copy-{number}", "indices": "i"})
                else:
                    status, answer = server.call("PUT", f"/_snapshot/r/{name}?wait_for_completion=true", {"indices": "i", "ignore_unavailable": True})
                    assert status == 200, answer
                    told[name] = (before, max(most_sent, state["sent"])) if answer["snapshot"]["indices"] else (0, 0)
        except (OSError, ValueError):
            kills += 1
        state["stop"] = True
        killer.join()
        writer.join()
        server.process.wait(60)
        # What was sent and not acknowledged is sent again: it may be there or not.
        acknowledged, most_sent = state["acknowledged"], max(most_sent, state["sent"])
        if told:
            assert "sound" in run(binary, "snapshot", "verify", "--repo", repo)
        elif os.path.exists(repo):
            # Stopped before the first was made, there is none.
            done = subprocess.run([binary, "snapshot", "verify", "--repo", repo], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0 or "there is no repository here" in done.stdout, done
    server = Server(binary, data)
    status, answer = server.call("POST", "/_snapshot/r/_cleanup")
    assert status == 200, answer
    for name, (least, most) in sorted(told.items()):
        status, answer = server.call("POST", f"/_snapshot/r/{name}/_restore?wait_for_completion=true",
                                     {"rename_pattern": ".+", "rename_replacement": "again", "indices": "i", "ignore_unavailable": True})
        assert status == 200, answer
        assert answer["snapshot"]["indices"] or not least, f"{name} has no index, and had {least} documents"
        if answer["snapshot"]["indices"]:
            status, answer = server.call("GET", "/again/_count")
            assert least <= answer["count"] <= most, f"{name}: {answer['count']} documents, {least} to {most} expected"
            server.call("DELETE", "/again")
    server.end()
    out = run(binary, "snapshot", "verify", "--repo", repo)
    assert "sound" in out and "nothing names" not in out, out
    run(binary, "check", "--data", data, "--quick")
    assert kills and any(least for least, _ in told.values()), f"{kills} kills, told {told}: too little to mean anything"
    print(f"{kills} kills, {number} snapshots, removals and restores begun, {len(told)} snapshots told and restored; {out.strip()}")


def folders(binary, work):
    """Absolute locations: only below the folders that the configuration names; known after a restart."""
    config, allowed = f"{work}/isotherm.yaml", f"{work}/allowed"
    with open(config, "w") as file:
        file.write(f"snapshots:\n  folders: [{allowed}]\n")
    for turn in range(2):
        server = Server(binary, f"{work}/folders", "--config", config)
        for location, expected in [(f"{allowed}/a", 200), (f"{work}/elsewhere", 400), (f"{allowed}/../elsewhere", 400), (f"{allowed}x", 400)]:
            status, answer = server.call("PUT", "/_snapshot/r", {"type": "fs", "settings": {"location": location}})
            assert status == expected, (location, status, answer)
        status, answer = server.call("PUT", f"/_snapshot/r/s{turn}?wait_for_completion=true")
        assert status == 200, answer
        server.end()
    server = Server(binary, f"{work}/folders", "--config", config)
    status, answer = server.call("GET", "/_snapshot/r/_all")
    assert status == 200 and len(answer["snapshots"]) == 2, answer
    server.end()
    assert "2 snapshots" in run(binary, "snapshot", "verify", "--repo", f"{allowed}/a")
    assert not os.path.exists(f"{work}/elsewhere")
    print("absolute locations only below the folders of the configuration")


def damaged(binary, data, repo):
    blobs = f"{repo}/blobs"
    victim = max((os.path.join(blobs, name) for name in os.listdir(blobs)), key=os.path.getsize)
    with open(victim, "r+b") as file:
        file.seek(os.path.getsize(victim) // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    out = run(binary, "snapshot", "verify", "--repo", repo, code=1)
    assert os.path.basename(victim) in out, out
    shutil.rmtree(data)
    done = subprocess.run([binary, "snapshot", "restore", "two", "--data", data, "--repo", repo], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and os.path.basename(victim) in done.stderr, done.stderr
    assert os.listdir(f"{data}/indexes") == [], "something was restored"
    print("a flipped byte is named and nothing is restored")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        try:
            data, repo = sample_shop(given.binary, work)
            killed(given.binary, work, given.rounds, random.Random(given.seed))
            folders(given.binary, work)
            damaged(given.binary, data, repo)
        finally:
            for process in Server.started:
                if process.poll() is None:
                    process.kill()
                    process.wait()


if __name__ == "__main__":
    main()
