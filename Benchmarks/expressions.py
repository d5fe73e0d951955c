#!/usr/bin/env python3
"""Times an expression of the feature language over ten million rows against DuckDB, each on one thread.

usage: expressions.py [--rounds N] [--json] [--rows N]

`scan` reads the columns from a Parquet file as pandas writes it in each run, `memory` has them in memory: ours in the
batches of the file's row groups, DuckDB's in a table. PYTHON names a Python with the peers of peers/requirements.txt;
without it an environment is made in the cache directory.
"""

import argparse
import json
import subprocess

import harness

EXPRESSION = "case when a > 0.5 then ln(1 + b) / nullif(c, 0) else coalesce(a, b) * 2 end"
"""One of its operations differs by rounding: `ln(1 + x)` is log1p for Lockstep, and DuckDB rounds the sum first."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    python, bench = harness.python(), harness.program("expressions-bench")
    peers = harness.HERE / "peers" / "expressions.py"
    directory = harness.data()
    table = directory / f"expressions-{options.rows}.parquet"
    if not table.exists():
        subprocess.run([python, peers, "data", table, str(options.rows)], check=True)
    rows = []
    for job in ["memory", "scan"]:
        answers = [directory / f"expressions-by-{name}.parquet" for name in ["lockstep", "duckdb"]]
        rows += harness.compare(
            f"expression, {job}",
            {
                "lockstep": [bench, job, table, EXPRESSION, answers[0]],
                "duckdb": [python, peers, "evaluate", job, table, EXPRESSION, answers[1]],
            },
            rounds=options.rounds,
            check=lambda _: harness.require_close(job, python, *answers, "1e-12"),
        )
        for answer in answers:
            answer.unlink()
    for row in rows:
        row["ours_rows_per_second"] = options.rows / row["ours_ms"] * 1e3
        row["peer_rows_per_second"] = options.rows / row["peer_ms"] * 1e3
    print("\n".join(map(json.dumps, rows)) if options.json else harness.table(rows, RATES))


RATES = {
    "ours_rows_per_second": ("ours rows/s", "{:,.0f}"),
    "peer_rows_per_second": ("peer rows/s", "{:,.0f}"),
}


if __name__ == "__main__":
    main()
