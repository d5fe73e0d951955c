#!/usr/bin/env python3
"""Times seven windowed aggregates of ten million events for a million spine rows against DuckDB, with two threads each.

usage: windows.py [--rounds N] [--json] [--events ROWS] [--spine ROWS] [--keys N] [JOB…]

JOB is one or more of
  even        events spread evenly over the keys
  distinct    the same, one of the aggregates a count of different values
  hot         one key has a twentieth of the events and of the spine
  late        events that become known after they happened, which range windows cannot ask for

Both sides read Parquet files as pandas writes them and make one column for each aggregate. DuckDB answers with each of two
queries, see peers/windows.py; the times to hold ours against are those of the faster one. PYTHON names a Python with the peers
of peers/requirements.txt; without it an environment is made in the cache directory.
"""

import argparse
import json
import subprocess

import harness

WINDOWS = ["sum:a:7", "count:a:7", "avg:a:1", "min:a:30", "max:a:30", "stddev:a:7", "sum:b:30"]
DISTINCT = [*WINDOWS[:-1], "count_distinct:b:7"]
JOBS = {
    # The data, the aggregates, and the queries that end within a minute or so.
    "even": ("even", WINDOWS, ["windows", "join"]),
    "distinct": ("even", DISTINCT, ["windows", "join"]),
    "hot": ("hot", WINDOWS, ["windows"]),
    "late": ("late", WINDOWS, ["join"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--spine", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    options = parser.parse_args()
    for name in options.jobs:
        if name not in JOBS:
            parser.error(f"no job '{name}'; choose from {', '.join(JOBS)}")
    python, bench = harness.python(), harness.program("windows-bench")
    peers = harness.HERE / "peers" / "windows.py"
    rows = []
    for name in options.jobs or JOBS:
        kind, aggregates, queries = JOBS[name]
        directory = harness.data() / f"windows-{kind}-{options.events}-{options.spine}-{options.keys}"
        events, spine = directory / "events.parquet", directory / "spine.parquet"
        if not spine.exists():
            directory.mkdir(exist_ok=True)
            sizes = [str(number) for number in [options.events, options.keys, options.spine]]
            subprocess.run([python, peers, "data", kind, events, spine, *sizes], check=True)
        job = f"windows, {name}"
        answers = {query: directory / f"by-{query}.parquet" for query in ["lockstep", *queries]}

        def check(_):
            for query in queries:
                # Ours are exact sums, rounded once; those of the peer depend on the order of additions.
                harness.require_close(f"{job}, {query}", python, answers["lockstep"], answers[query], "1e-9")

        commands = {"lockstep": [bench, events, spine, 2, answers["lockstep"], *aggregates]}
        for query in queries:
            command = [python, peers, "aggregate", query, events, spine, answers[query], *aggregates]
            commands[f"duckdb, {query}"] = command
        rows += harness.compare(job, commands, rounds=options.rounds, check=check)
        for answer in answers.values():
            answer.unlink()
    print("\n".join(map(json.dumps, rows)) if options.json else harness.table(rows))


if __name__ == "__main__":
    main()
