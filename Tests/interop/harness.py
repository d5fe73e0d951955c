"""Runs lockstep on files, compares what comes out, and counts the cases."""

import collections
import concurrent.futures
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq

import compare

TIMEOUT = 120


class Harness:
    """The cases of one run: a case is one column of one file that goes one way."""

    def __init__(self, lockstep, directory, only=None, quick=False, keeps=False):
        self.lockstep = lockstep
        self.directory = directory
        self.only = only
        self.quick = quick
        self.keeps = keeps
        self.counts = collections.Counter()
        self.failures = []
        self.lock = threading.Lock()
        self.pool = concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        self.waiting = []

    def wants(self, name):
        """Whether a file is part of this run."""
        return self.only is None or self.only in name

    def path(self, name):
        return os.path.join(self.directory, name)

    def count(self, group, number=1):
        with self.lock:
            self.counts[group] += number

    def fail(self, group, what, command=None):
        with self.lock:
            self.failures.append((group, what))
            print(f"FAILED [{group}] {what}", flush=True)
            if command:
                print(f"    again: {shlex.join(command)}", flush=True)

    def later(self, work, *arguments):
        """Runs work beside the rest; `finish` waits for it."""
        if len(self.waiting) > 64:
            self.finish()
        self.waiting.append(self.pool.submit(work, *arguments))

    def finish(self):
        waiting, self.waiting = self.waiting, []
        for item in waiting:
            item.result()

    def command(self, *arguments):
        return [self.lockstep, *arguments]

    def run(self, *arguments):
        """Runs lockstep; the exit code and both outputs."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=TIMEOUT)
        return done.returncode, done.stdout, done.stderr.strip()

    def read_case(self, group, path, source, extra=(), to="arrow", any_nan=False):
        """Converts a file that another program wrote, and compares every column with the table it was written from.

        `source` maps names to arrays. Columns that Lockstep refuses are expected to be refused by name, and the others
        to be read beside them. `to` is the format in which the result comes back, by pyarrow.
        """
        wanted, refused = {}, []
        for name, array in source.items():
            try:
                wanted[name] = compare.expected(array, zone_of(extra))
            except compare.Refused:
                refused.append(name)
        out = f"{path}.{to}"
        base = (
            ["convert", path, out, "--timezone", "UTC", *extra]
            if "--timezone" not in extra
            else ["convert", path, out, *extra]
        )
        try:
            if refused:
                code, _, error = self.run(*base)
                self.count(f"{group}, refused", len(refused))
                if code != 2 or not all(f"'{name}'" in error for name in refused) or os.path.exists(out):
                    self.fail(group, f"{path}: {refused} not refused by name: {code} {error}", self.command(*base))
                base += ["--columns", ",".join(wanted)]
            if not wanted:
                return
            code, _, error = self.run(*base)
            self.count(group, len(wanted))
            if code != 0:
                self.fail(group, f"{path}: exit {code}: {error}", self.command(*base))
                return
            found = read_result(out, to, wanted)
            for name, array in wanted.items():
                problem = compare.difference(found[name], array, any_nan or to == "csv")
                if problem:
                    self.fail(group, f"{path}: column '{name}': {problem}", self.command(*base))
        except Exception as error:  # a fault of one file must not hide the others
            self.fail(group, f"{path}: {type(error).__name__}: {error}", self.command(*base))
        finally:
            remove(out)
            if not self.keeps:
                remove(path)

    def report(self):
        """Prints the counts; the exit code of the run."""
        self.finish()
        print()
        for group, count in sorted(self.counts.items()):
            failed = sum(1 for failure in self.failures if failure[0] == group)
            print(f"{count:9,}  {group}" + (f"  ({failed} failed)" if failed else ""))
        print(f"{sum(self.counts.values()):9,}  cases, {len(self.failures)} failures")
        return 1 if self.failures else 0


def zone_of(extra):
    return extra[extra.index("--timezone") + 1] if "--timezone" in extra else "UTC"


def remove(path):
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


def read_result(path, format, wanted):
    """What Lockstep wrote, read by pyarrow."""
    if format in ("arrow", "feather"):
        with pa.ipc.open_file(path) as file:
            return file.read_all()
    if format == "arrows":
        with pa.ipc.open_stream(path) as stream:
            return stream.read_all()
    if format == "parquet":
        return pq.ParquetFile(path, page_checksum_verification=True).read()
    import csv_text

    return csv_text.read(path, {name: array.type for name, array in wanted.items()})


def locate(name):
    found = shutil.which(name)
    if not found:
        sys.exit(f"there is no program '{name}'; give --lockstep PATH")
    return os.path.abspath(found)


def scratch(keep):
    """A directory for generated files: the one to keep, or one that goes away."""
    if keep:
        os.makedirs(keep, exist_ok=True)
        return keep, lambda: None
    directory = tempfile.mkdtemp(prefix="interop-")
    return directory, lambda: shutil.rmtree(directory, ignore_errors=True)
