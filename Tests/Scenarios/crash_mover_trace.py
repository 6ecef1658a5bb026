"""That nothing goes past kill_at.c: one run of a scene under strace, which sees every system call, and the same run's record must agree in number, kind by kind.

What was written is compared for each run as it is (Disk.differs); this is for what leaves no trace in the files, above all syncs. Standard library; strace.
"""
import collections
import os
import re
import subprocess

from crash_mover_disk import read_record
from crash_mover_site import S3_ENVIRONMENT, expect

CALLS = {"write": "write", "pwrite64": "write", "writev": "write", "pwritev": "write", "pwritev2": "write", "copy_file_range": "write", "sendfile": "write", "splice": "write",
         "fsync": "sync", "fdatasync": "sync", "sync_file_range": "sync", "msync": "sync", "ftruncate": "truncate", "fallocate": "truncate",
         "rename": "rename", "renameat": "rename", "renameat2": "rename", "link": "link", "linkat": "link", "symlink": "link", "symlinkat": "link",
         "unlink": "unlink", "unlinkat": "unlink", "rmdir": "unlink", "mkdir": "mkdir", "mkdirat": "mkdir"}


def check_with_strace(scene, folder):
    site = scene.site(folder)
    trace, record, root = f"{folder}/trace", f"{folder}/record", os.path.realpath(site.data)
    preload = [part for k, v in scene.program.environment(site.data, record=record).items() for part in ("-E", f"{k}={v}")]
    done = subprocess.run(["strace", "-f", "-y", "-qq", "-e", "trace=" + ",".join(CALLS), "-o", trace, *preload, *site.arguments()], capture_output=True, text=True,
                          env={**os.environ, **S3_ENVIRONMENT}, timeout=300)
    expect(done.returncode == 0, "under strace:", done.stdout, done.stderr)
    seen, unfinished = collections.Counter(), {}
    with open(trace, errors="replace") as f:
        for line in f:
            thread, _, call = line.partition(" ")
            call = call.strip()
            if call.endswith("<unfinished ...>"):
                unfinished[thread] = call
                continue
            if call.startswith("<... "):
                call = unfinished.pop(thread, "") + call
            name = call.partition("(")[0]
            # By a descriptor of ours, or by a name.
            if name in CALLS and re.search(r"= \d+", call) and (re.match(rf"\w+\(\d+<{re.escape(root)}[/>]", call) or CALLS[name] in ("rename", "link", "unlink", "mkdir") and f'"{root}' in call.replace(f'"{site.data}', f'"{root}')):
                seen[CALLS[name]] += 1
    counted = collections.Counter("unlink" if o.kind == "rmdir" else o.kind for o in read_record(record, root) if o.kind not in ("create", "request"))
    expect(seen == counted, "strace counts", dict(seen), "the record has", dict(counted))
    return sum(seen.values())

