#!/usr/bin/env python3
"""Times the as-of join of a training set against DuckDB and Polars, with two threads each.

usage: asof.py [--rounds N] [--json] [--history ROWS] [--spine ROWS] [--keys N]

Lockstep ingests the history into a repository of its own, so the segments are those that users have. The peers read the same
segments, and DuckDB also the unsorted file as pandas writes it. PYTHON names a Python with the peers of
peers/requirements.txt; without it an environment is made in the cache directory.
"""

import argparse
import json
import pathlib
import socket
import subprocess
import time

import harness

ROOT = harness.HERE.parent
DEFINITIONS = """\
kind: Entity
name: user
join_keys: { key: int64 }
---
kind: Source
name: events
columns: { key: int64, event_time: timestamp, a: float64, b: float64, c: float64 }
event_time: { column: event_time }
---
kind: FeatureView
name: latest
entities: [user]
source: events
features:
  - { name: a, type: float64 }
  - { name: b, type: float64 }
  - { name: c, type: float64 }
---
kind: FeatureService
name: model
features:
  - latest: [a, b, c]
"""


def lockstep():
    """The program, built in the repository."""
    build = ["swift", "build", "-c", "release", "--package-path", ROOT, "--product", "lockstep"]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    path = subprocess.run([*build, "--show-bin-path"], check=True, capture_output=True, text=True).stdout
    return pathlib.Path(path.strip()) / "lockstep"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def prepare(directory, program):
    """Ingests the history and locks the service."""
    (directory / "features").mkdir(exist_ok=True)
    (directory / "features" / "events.yaml").write_text(DEFINITIONS)
    port = free_port()
    (directory / "lockstep.yaml").write_text(f"project: bench\nservice: http://127.0.0.1:{port}\n")
    log = open(directory / "dev.log", "w")
    service = subprocess.Popen([program, "dev", "--port", str(port)], cwd=directory, stdout=log, stderr=log)
    try:
        for _ in range(600):
            if service.poll() is not None:
                harness.fail(f"lockstep dev ended; see {directory / 'dev.log'}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        for command in [["apply"], ["ingest", "events", "history.parquet"], ["lock", "model"]]:
            subprocess.run([program, *command], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    finally:
        service.terminate()
        service.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--history", type=int, default=5_000_000)
    parser.add_argument("--spine", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100_000)
    options = parser.parse_args()
    python = harness.python()
    peers = harness.HERE / "peers" / "asof.py"
    directory = harness.data() / f"asof-{options.history}-{options.spine}-{options.keys}"
    if not (directory / "lockstep.lock").exists():
        directory.mkdir(exist_ok=True)
        sizes = [str(options.history), str(options.keys), str(options.spine)]
        subprocess.run([python, peers, "data", directory, *sizes], check=True)
        prepare(directory, lockstep())
    pins = json.loads((directory / "lockstep.lock").read_text())["pins"]
    (digest,) = [pin["digest"].removeprefix("sha256:") for pin in pins if pin["kind"] == "segment"]
    objects = directory / ".lockstep" / "objects"
    segment = objects / "sha256" / digest[:2] / digest
    bench = harness.program("asof-bench")
    spine = directory / "spine.parquet"

    def ours(form):
        return [bench, directory / "lockstep.lock", objects, spine, "2", form]

    rows = []
    for job, form in [("asof", "trusted"), ("asof, digests verified", "verified")]:
        rows += harness.compare(
            job,
            {
                "lockstep": ours(form),
                "duckdb, segments": [python, peers, "join", "duckdb", spine, segment, "__event_time"],
                "duckdb, unsorted": [python, peers, "join", "duckdb", spine, directory / "history.parquet", "event_time"],
                "polars, segments": [python, peers, "join", "polars", spine, segment, "__event_time"],
            },
            rounds=options.rounds,
        )
    print("\n".join(map(json.dumps, rows)) if options.json else harness.table(rows))


if __name__ == "__main__":
    main()
