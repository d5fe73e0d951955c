#!/usr/bin/env python3
"""Times the as-of join of a training set against DuckDB, Polars and Feast, with two threads each.

usage: asof.py [--rounds N] [--json] [--history ROWS] [--spine ROWS] [--keys N] [--memory MB] [JOB…]

JOB is one or more of
  trusted   from segments that the process has verified before
  verified  the same, and each run verifies the digest of every segment
  feast     against Feast's get_historical_features with its default file store, at most two rounds
  growth    ten times the history, as ten segments: how much longer it takes, and that it works in --memory MB of memory
            of its own, which is less than the history

Lockstep ingests the history into a repository of its own, so the segments are those that users have. The peers read the same
segments, and DuckDB also the unsorted file as pandas writes it, which is what Feast reads. One thread gives the same bits as
two: it is a peer of `trusted`. PYTHON and PYTHON_FEAST name Pythons with the peers of peers/requirements.txt and
requirements-feast.txt; without them environments are made in the cache directory.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import time

import harness

ROOT = harness.HERE.parent
PEERS = harness.HERE / "peers" / "asof.py"
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
    """The program, built in the repository unless LOCKSTEP_BENCH_PROGRAMS names a directory that has it."""
    if os.environ.get("LOCKSTEP_BENCH_PROGRAMS"):
        return pathlib.Path(os.environ["LOCKSTEP_BENCH_PROGRAMS"]) / "lockstep"
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
        files = sorted(path.name for path in directory.glob("history-*.parquet"))
        for command in [["apply"], *(["ingest", "events", file] for file in files), ["lock", "model"]]:
            subprocess.run([program, *command], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    finally:
        service.terminate()
        service.wait()


class Workload:
    """A spine, and history in files as pandas writes them and in the segments that Lockstep made of them."""

    def __init__(self, python, options, files):
        self.python = python
        suffix = f"-{files}-files" if files > 1 else ""
        self.directory = harness.data() / f"asof-{options.history}-{options.spine}-{options.keys}{suffix}"
        if not (self.directory / "lockstep.lock").exists():
            self.directory.mkdir(exist_ok=True)
            sizes = [str(number) for number in [options.history, options.keys, options.spine, files]]
            subprocess.run([python, PEERS, "data", self.directory, *sizes], check=True)
            prepare(self.directory, lockstep())
        self.objects = self.directory / ".lockstep" / "objects"
        self.spine = self.directory / "spine.parquet"
        self.files = sorted(self.directory.glob("history-*.parquet"))
        pins = json.loads((self.directory / "lockstep.lock").read_text())["pins"]
        digests = [pin["digest"].removeprefix("sha256:") for pin in pins if pin["kind"] == "segment"]
        self.segments = [self.objects / "sha256" / digest[:2] / digest for digest in digests]

    def ours(self, form, threads=2):
        return [harness.program("asof-bench"), self.directory / "lockstep.lock", self.objects, self.spine, threads, form]

    def peer(self, name, segments=True, python=None):
        time, history = ("__event_time", self.segments) if segments else ("event_time", self.files)
        return [python or self.python, PEERS, "join", name, self.spine, time, *history]


def peers(python, options, form):
    """Against DuckDB and Polars."""
    load = Workload(python, options, 1)
    return harness.compare(
        f"asof, {form}",
        {
            "lockstep": load.ours(form),
            **({"lockstep, 1 thread": load.ours(form, threads=1)} if form == "trusted" else {}),
            "duckdb, segments": load.peer("duckdb"),
            "duckdb, unsorted": load.peer("duckdb", segments=False),
            "polars, segments": load.peer("polars"),
        },
        rounds=options.rounds,
    )


def feast(python, options):
    load = Workload(python, options, 1)
    return harness.compare(
        "asof, verified",
        {
            "lockstep": load.ours("verified"),
            "feast, unsorted": load.peer("feast", segments=False, python=harness.python("feast")),
        },
        rounds=min(2, options.rounds),
    )


def growth(python, options):
    """Ten times the history beside the history, and in less memory than it takes."""
    load, larger = Workload(python, options, 1), Workload(python, options, 10)
    size = sum(path.stat().st_size for path in larger.segments) >> 20
    if size <= options.memory:
        harness.fail(f"the history of {size} MB is no larger than the {options.memory} MB it is to be joined in")
    # Everything a process writes to counts against this limit; the files it maps to read them do not.
    limit = ["prlimit", f"--data={options.memory << 20}"]
    return harness.compare(
        "asof, verified, 10x history",
        {
            "lockstep": larger.ours("verified"),
            f"lockstep in {options.memory} of {size} MB": limit + larger.ours("verified"),
            "lockstep, 1 thread": larger.ours("verified", threads=1),
            "duckdb, segments": larger.peer("duckdb"),
        },
        rounds=min(3, options.rounds),
        others={"lockstep, 1x history": load.ours("verified")},
    )


JOBS = {
    "trusted": lambda python, options: peers(python, options, "trusted"),
    "verified": lambda python, options: peers(python, options, "verified"),
    "feast": feast,
    "growth": growth,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--history", type=int, default=5_000_000)
    parser.add_argument("--spine", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--memory", type=int, default=768, help="MB for the job growth")
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    options = parser.parse_args()
    for name in options.jobs:
        if name not in JOBS:
            parser.error(f"no job '{name}'; choose from {', '.join(JOBS)}")
    python = harness.python()
    rows = []
    for name in options.jobs or JOBS:
        rows += JOBS[name](python, options)
    print("\n".join(map(json.dumps, rows)) if options.json else harness.table(rows))


if __name__ == "__main__":
    main()
