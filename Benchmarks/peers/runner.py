"""The peers' side of a measurement: what Sources/Measure/Runner.swift does, in Python."""

import json
import sys
import time


def run(work, answer, warm_ups=2):
    """Does `work` once for each line of standard input and reports times, the answer first, as JSON lines."""
    for _ in range(warm_ups - 1):
        work()
    report(answer={name: str(value) for name, value in answer(work())})
    for _ in sys.stdin:
        start = time.perf_counter()
        output = work()
        milliseconds = (time.perf_counter() - start) * 1e3
        del output
        report(ms=milliseconds)
    report(peak_kb=peak_kilobytes())


def report(**line):
    print(json.dumps(line), flush=True)


def peak_kilobytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
