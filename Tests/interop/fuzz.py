"""Damages valid files of every kind, and proves that lockstep neither crashes, hangs nor takes memory without bound.

    python fuzz.py --lockstep PATH [--seed N] [--rounds N] [--keep DIRECTORY]

Each round cuts a file short, flips bits, overwrites, removes or repeats bytes, and runs `lockstep inspect` and
`lockstep convert` on it under a limit of memory and of time. The program must end by itself: with 0 where the damage left
a valid file, with 2 and an error that names the file otherwise, and then without an output file. What fails is kept where
--keep says.
"""

import argparse
import glob
import os
import random
import re
import resource
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq

import harness
import pyarrow_files
import values

MEMORY = 4 << 30
SECONDS = 20


def seeds(directory):
    """Small valid files of every format, encoding and codec."""
    kinds = [kind for kind in values.KINDS if kind not in ("decimal256", "time_ns")]
    table = values.table(kinds, 120, "some", 1)
    paths = []

    def add(name, write):
        path = os.path.join(directory, name)
        write(path)
        paths.append(path)

    for strategy, codec, version in (
        ("plain", "none", "1.0"),
        ("dictionary", "snappy", "1.0"),
        ("delta", "gzip", "2.0"),
        ("delta_byte_array", "zstd", "2.0"),
        ("byte_stream_split", "lz4", "1.0"),
        ("dictionary", "none", "2.0"),
    ):
        part = table.select([kind for kind in kinds if kind in pyarrow_files.ENCODINGS[strategy]])
        for checksums in (True, False):
            # Without checksums the damage reaches the decoders.
            add(
                f"{strategy}-{codec}-{version}-{'checked' if checksums else 'open'}.parquet",
                lambda path: pyarrow_files.write(
                    part, path, strategy, codec, 300, version, 50, write_page_checksum=checksums
                ),
            )
    nested = pa.table({"a": [1, 2], "s": [{"x": 1}, None], "l": [["a"], []]})
    add("nested.parquet", lambda path: pq.write_table(nested, path))
    for layout, form in (("file", "arrow"), ("stream", "arrows")):
        for codec in (None, "lz4", "zstd"):
            add(f"{layout}-{codec}.{form}", lambda path: pyarrow_files.write_arrow(table, path, layout, codec, 50))
    text = "id,name,when,vector\n" + "".join(
        f'{i},"a ""{i}"", b",2024-01-01T00:00:{i % 60:02}Z,"[0.5,{i}]"\n' for i in range(100)
    )
    add("text.csv", lambda path: open(path, "w").write(text))
    return paths


def bombs(directory):
    """Small valid files whose columns would together take several times the memory that a file of their size may."""
    text = pa.array(["x" * (1 << 20)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 900, "int32"), text)
    table = pa.table({f"c{number}": column for number in range(8)})
    paths = [os.path.join(directory, name) for name in ("bomb.parquet", "bomb.arrow")]
    pq.write_table(table, paths[0], compression="zstd")
    pyarrow_files.write_arrow(table, paths[1], "file", "zstd", 900)
    return paths


def damage(content, random):
    """The bytes with one to four faults."""
    content = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        if not content:
            break
        # The ends of a file, where its structure is described, are hit as often as all the rest.
        near = min(len(content), 2_000)
        anywhere, offset = random.randrange(len(content)), random.randrange(near)
        place = random.choice((anywhere, offset, len(content) - 1 - offset))
        fault = random.randrange(7)
        if fault == 0:
            del content[place:]
        elif fault == 1:
            content[place] ^= 1 << random.randrange(8)
        elif fault == 2:
            content[place] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif fault == 3:
            end = min(len(content), place + random.choice((1, 4, 8)))
            content[place:end] = random.choice((b"\x00", b"\xff", b"\x7f")) * (end - place)
        elif fault == 4:
            del content[place : place + random.randrange(1, 20)]
        elif fault == 5:
            content[place:place] = content[place : place + random.randrange(1, 40)]
        else:
            content[place : place + 8] = random.randbytes(8)
    return bytes(content)


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def fault(command, path, output, run):
    """What is wrong with how the program ended, or None; errors are counted, and those that say where in the file."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return f"still runs after {SECONDS} s"
    error = done.stderr.decode(errors="replace")
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}: {error[-300:]}"
    if done.returncode not in (0, 2):
        return f"exit code {done.returncode}: {error[-300:]}"
    if done.returncode == 2:
        placed = re.search(r"at byte \d+|line \d+|row \d+|column '", error)
        run.count("errors that say where" if placed else "errors of the file as a whole")
    if "is not a valid" in error and not re.search(r"at byte \d+|line \d+", error):
        return f"damage without its place: {error[-300:]}"
    if done.returncode == 2 and path not in error:
        return f"an error that does not name the file: {error[-300:]}"
    if done.returncode == 2 and output and os.path.exists(output):
        return "an error, and an output file"
    if glob.glob(glob.escape(path) + "*.part"):
        return "a temporary file is left"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lockstep", default="lockstep", help="the program to test")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40, help="damaged copies of each file")
    parser.add_argument("--keep", help="keep the files that fail in this directory")
    options = parser.parse_args()
    directory, clean = harness.scratch(options.keep)
    lockstep = harness.locate(options.lockstep)
    run = harness.Harness(lockstep, directory)

    def one(source, content, number):
        name, form = os.path.splitext(os.path.basename(source))
        generator = random.Random(f"{options.seed}/{name}/{number}")
        path = os.path.join(directory, f"damaged-{name}-{number}{form}")
        with open(path, "wb") as file:
            file.write(damage(content, generator))
        output = path + ".out.arrow"
        failed = False
        for command in (
            [lockstep, "inspect", path, "--timezone", "UTC", "--json"],
            [lockstep, "convert", path, output, "--timezone", "UTC"],
        ):
            problem = fault(command, path, output if command[1] == "convert" else None, run)
            run.count(f"{command[1]} of damaged {form[1:]}")
            if problem:
                failed = True
                run.fail(f"{command[1]} of damaged {form[1:]}", f"{path}: {problem}", command)
        harness.remove(output)
        if not failed:
            harness.remove(path)

    try:
        for path in bombs(directory):
            output = path + ".out.arrow"
            command = [lockstep, "convert", path, output]
            problem = fault(command, path, output, run)
            run.count("bombs")
            if problem or os.path.exists(output):
                run.fail("bombs", f"{path}: {problem or 'was read'}", command)
        for source in seeds(directory):
            with open(source, "rb") as file:
                content = file.read()
            for number in range(options.rounds):
                run.later(one, source, content, number)
        return run.report()
    finally:
        clean()


if __name__ == "__main__":
    sys.exit(main())
