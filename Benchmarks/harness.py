"""Runs a job by Lockstep and by its peers in turn, holds their answers against each other, and prints the times.

A runner is a process that does one job whenever it is asked (Sources/Measure/Runner.swift, peers/runner.py). All runners
of a job are started and warmed up first and then asked one after the other, round by round, so that whatever else the
machine does falls on all of them alike.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")


def fail(message):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {message}")


def environment(name, requirements):
    """The Python of an environment in the cache directory that has what is required."""
    home = CACHE / name
    made = home / "requirements.txt"
    if not made.exists() or made.read_text() != requirements:
        print(f"installing in {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "/dev/stdin"]
        subprocess.run(pip, check=True, input=requirements, text=True)
        made.write_text(requirements)
    return str(home / "bin" / "python")


def python(peers="peers"):
    """A Python that has the peers: PYTHON, or an environment that is made once, outside the tree.

    Feast asks for other versions of some libraries than its peers do, so "feast" is an environment of its own, and
    PYTHON_FEAST names another.
    """
    variable, requirements = {"peers": ("PYTHON", "requirements.txt"), "feast": ("PYTHON_FEAST", "requirements-feast.txt")}[
        peers
    ]
    if os.environ.get(variable):
        return os.environ[variable]
    return environment(f"lockstep-{peers}", (HERE / "peers" / requirements).read_text())


def program(name):
    """The path of a Swift runner, built here unless LOCKSTEP_BENCH_PROGRAMS names a directory that has it."""
    if os.environ.get("LOCKSTEP_BENCH_PROGRAMS"):
        return str(pathlib.Path(os.environ["LOCKSTEP_BENCH_PROGRAMS"]) / name)
    build = ["swift", "build", "-c", "release", "--package-path", HERE, "--product", name]
    subprocess.run(build, check=True, stdout=sys.stderr)
    path = subprocess.run([*build, "--show-bin-path"], check=True, capture_output=True, text=True).stdout
    return str(pathlib.Path(path.strip()) / name)


def data():
    """A directory for generated data, kept between runs."""
    directory = CACHE / "lockstep-bench"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


class Runner:
    """A process that does one job on request."""

    def __init__(self, name, command):
        self.name = name
        self.times = []
        self.peak_kb = 0
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.answer = self.read()["answer"]

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            fail(f"{self.name} ended with code {self.process.wait()}: {' '.join(self.process.args)}")
        return json.loads(line)

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        self.times.append(self.read()["ms"])

    def finish(self):
        self.process.stdin.close()
        self.peak_kb = self.read()["peak_kb"]
        self.process.wait()

    @property
    def median(self):
        return statistics.median(self.times)


def compare(job, commands, rounds=5, ignoring=(), others=None, check=None):
    """Measures one job; the first of `commands`, a dict by name, is ours.

    Returns a row for `table` for each peer. Ends the program where the answers differ; `ignoring` names those of them
    that may, such as a file's size. The commands of `others` are measured in the same rounds, and have answers of their
    own. `check` is called with the answers, by name, before anything is timed.
    """
    runners = [Runner(name, command) for name, command in (commands | (others or {})).items()]
    ours, peers = runners[0], runners[1:]
    for peer in peers:
        if peer.name in (others or {}):
            continue
        for key in sorted({*ours.answer, *peer.answer} - {*ignoring}):
            if ours.answer.get(key) != peer.answer.get(key):
                found = f"{ours.name} says {ours.answer.get(key)}, {peer.name} {peer.answer.get(key)}"
                fail(f"{job}: the answers differ in {key}: {found}")
    if check:
        check({runner.name: runner.answer for runner in runners})
    for _ in range(rounds):
        for runner in runners:
            runner.run()
    for runner in runners:
        runner.finish()
    return [
        {
            "job": job,
            "peer": peer.name,
            "ours_ms": ours.median,
            "ours_best_ms": min(ours.times),
            "peer_ms": peer.median,
            "peer_best_ms": min(peer.times),
            "ratio": ours.median / peer.median,
            "ours_peak_mb": ours.peak_kb / 1024,
            "peer_peak_mb": peer.peak_kb / 1024,
        }
        for peer in peers
    ]


def require_close(job, python, ours, theirs, tolerance):
    """Ends the program where two files of answers differ by more than `tolerance`; see peers/close.py."""
    command = [str(word) for word in [python, HERE / "peers" / "close.py", ours, theirs, tolerance]]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if outcome.returncode != 0:
        fail(f"{job}: {outcome.stdout.strip()}")
    print(f"{job}: {outcome.stdout.strip()}", file=sys.stderr)


COLUMNS = {
    "job": ("job", "{}"),
    "peer": ("peer", "{}"),
    "ours_ms": ("ours ms", "{:.0f}"),
    "peer_ms": ("peer ms", "{:.0f}"),
    "ratio": ("ratio", "{:.3f}"),
    "ours_best_ms": ("ours best", "{:.0f}"),
    "peer_best_ms": ("peer best", "{:.0f}"),
    "ours_peak_mb": ("ours peak MB", "{:.0f}"),
    "peer_peak_mb": ("peer peak MB", "{:.0f}"),
}


def table(rows, more=None):
    """The rows as text for people; times are medians. `more` adds columns to `COLUMNS`."""
    columns = COLUMNS | (more or {})
    lines = [[title for title, _ in columns.values()]]
    lines += [[form.format(row[key]) for key, (_, form) in columns.items()] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                     for column, (cell, width) in enumerate(zip(line, widths))) for line in lines)
