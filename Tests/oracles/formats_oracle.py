"""Reads files that Formats wrote with pyarrow and DuckDB, and compares them cell by cell.

Usage: formats_oracle.py FILE.parquet [FILE.csv ...]

Each Parquet file is read by pyarrow (with page checksums verified) and by DuckDB; both must agree on every cell, and
the statistics of each row group must bound its values. A CSV file that stands beside a Parquet file of the same name
must hold the same cells. LZ4 frames (.lz4) must decompress with `lz4 -d` to the file of the same name without .lz4.
Exits 1 at the first difference.
"""

import csv
import datetime
import math
import os
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def same(left, right):
    if isinstance(left, float) and isinstance(right, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right) or (left != left and right != right)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def cells(column):
    """Python values; timestamps as microseconds, since Python's own do not reach every year."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.to_pylist()


def check_parquet(path):
    file = pq.ParquetFile(path, page_checksum_verification=True)
    table = file.read()
    if file.metadata.created_by != "lockstep":
        fail(f"{path}: created by {file.metadata.created_by}")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for position, name in enumerate(table.column_names):
        quoted = '"' + name.replace('"', '""') + '"'
        selected = f"epoch_us({quoted})" if pa.types.is_timestamp(table[name].type) else quoted
        theirs = [row[0] for row in connection.execute(f"select {selected} from read_parquet(?)", [path]).fetchall()]
        ours = cells(table[name])
        if len(ours) != len(theirs):
            fail(f"{path}: {name}: pyarrow reads {len(ours)} rows, DuckDB {len(theirs)}")
        for row, (left, right) in enumerate(zip(ours, theirs)):
            if not same(left, right):
                fail(f"{path}: {name} row {row}: pyarrow reads {left!r}, DuckDB {right!r}")
        check_statistics(file, path, position, name)
    print(f"{path}: {table.num_rows} rows, {table.num_columns} columns")
    return table


def check_statistics(file, path, position, name):
    for group in range(file.num_row_groups):
        statistics = file.metadata.row_group(group).column(position).statistics
        column = file.read_row_group(group, columns=[name])[name]
        if pa.types.is_list(column.type) or statistics is None:
            continue
        if statistics.null_count != column.null_count:
            fail(f"{path}: {name} row group {group}: {statistics.null_count} nulls, in truth {column.null_count}")
        if pa.types.is_timestamp(column.type) or not statistics.has_min_max:
            continue
        for value in column.to_pylist():
            if value is not None and value == value and not statistics.min <= value <= statistics.max:
                fail(f"{path}: {name} row group {group}: {value!r} outside its statistics")


def text(value, kind):
    """The documented CSV spelling, where one is exact; None for null."""
    if value is None:
        return ""
    if pa.types.is_timestamp(kind):
        seconds, micros = divmod(value, 1_000_000)
        if not -62135596800 <= seconds <= 253402300799:
            return None
        moment = EPOCH + datetime.timedelta(seconds=seconds)
        fraction = "" if micros == 0 else f".{micros // 1000:03}" if micros % 1000 == 0 else f".{micros:06}"
        return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + fraction + "Z"
    if pa.types.is_boolean(kind):
        return "true" if value else "false"
    if pa.types.is_binary(kind):
        return "\\x" + value.hex()
    return str(value)


def check_csv(path, table):
    with open(path, newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    if rows[0] != table.column_names or len(rows) - 1 != table.num_rows:
        fail(f"{path}: header or {len(rows) - 1} rows differ from the Parquet file")
    for position, name in enumerate(table.column_names):
        kind = table[name].type
        for row, value in enumerate(cells(table[name])):
            found = rows[row + 1][position]
            if pa.types.is_list(kind) and value is not None:
                elements = [float(element) for element in found.strip("[]").split(",")]
                if not same(pa.array(elements, pa.float32()).to_pylist(), value):
                    fail(f"{path}: {name} row {row}: {found!r} for {value!r}")
            elif pa.types.is_floating(kind) and value is not None:
                if not same(pa.array([float(found)], kind).to_pylist()[0], value):
                    fail(f"{path}: {name} row {row}: {found!r} for {value!r}")
            elif (expected := text(value, kind)) is not None and found != expected:
                fail(f"{path}: {name} row {row}: {found!r}, expected {expected!r}")
    print(f"{path}: the same cells")


def main(paths):
    if not paths:
        fail(__doc__)
    tables = {path: check_parquet(path) for path in paths if path.endswith(".parquet")}
    for path in paths:
        if path.endswith(".csv"):
            beside = os.path.splitext(path)[0] + ".parquet"
            check_csv(path, tables.get(beside) or check_parquet(beside))
        elif path.endswith(".lz4"):
            content = subprocess.run(["lz4", "-d", "-c", path], check=True, capture_output=True).stdout
            with open(path[: -len(".lz4")], "rb") as file:
                if file.read() != content:
                    fail(f"{path}: lz4 -d gives other bytes")
            print(f"{path}: the same bytes")


main(sys.argv[1:])
