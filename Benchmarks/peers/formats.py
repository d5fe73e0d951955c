"""One job of the formats benchmark by a peer, on one thread. ../formats.py starts it.

usage: formats.py read-parquet|read-csv PEER FILE
       formats.py write-parquet PEER FILE OUTPUT lz4|zstd|none [checksums]
       formats.py data DIRECTORY       makes the Parquet file
       formats.py flights              prints the columns of the flights file
PEER is pyarrow, duckdb or polars.
"""

import os
import sys

# Before the libraries are loaded: they size their pools then.
os.environ["OMP_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import runner

FLIGHTS = {
    **dict.fromkeys(["year", "month", "day", "dep_time", "sched_dep_time"], "int64"),
    "dep_delay": "float64",
    **dict.fromkeys(["arr_time", "sched_arr_time"], "int64"),
    "arr_delay": "float64",
    "carrier": "string",
    "flight": "int64",
    **dict.fromkeys(["tailnum", "origin", "dest"], "string"),
    "air_time": "float64",
    **dict.fromkeys(["distance", "hour", "minute"], "int64"),
    "time_hour": "timestamp",
}
"""The columns of the flights file and their types, as Lockstep spells them."""


def digests(table):
    """What a table says: its rows, and of each column the nulls and a number of its bits; see ColumnDigest.swift."""
    yield "rows", table.num_rows
    weights = 2 * np.arange(table.num_rows, dtype=np.uint64) + np.uint64(1)
    for name in table.column_names:
        column = table[name].combine_chunks()
        nulls = column.null_count
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            bits = column.fill_null(0).to_numpy().view(np.uint64)
        else:
            column = column.cast(pa.large_string()).fill_null("")
            offsets = np.frombuffer(column.buffers()[1], dtype=np.int64)[: len(column) + 1]
            sums = np.concatenate([[0], np.cumsum(np.frombuffer(column.buffers()[2], dtype=np.uint8), dtype=np.int64)])
            bits = ((np.diff(offsets) << 32) + np.diff(sums[offsets])).astype(np.uint64)
        yield name, f"{nulls} {int((bits * weights).sum(dtype=np.uint64))}"


def read_parquet(peer, path):
    if peer == "pyarrow":
        return lambda: pyarrow.parquet.read_table(path, use_threads=False), lambda table: table
    if peer == "polars":
        import polars

        return lambda: polars.read_parquet(path), lambda frame: frame.to_arrow()
    connection = duck()
    return lambda: connection.sql(f"from read_parquet('{path}')").to_arrow_table(), lambda table: table


def read_csv(peer, path):
    if peer == "pyarrow":
        types = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}
        types["timestamp"] = pa.timestamp("us", "UTC")
        options = pyarrow.csv.ConvertOptions(
            column_types={name: types[type] for name, type in FLIGHTS.items()},
            null_values=["", "NA"],
            strings_can_be_null=True,
        )
        one = pyarrow.csv.ReadOptions(use_threads=False)
        return lambda: pyarrow.csv.read_csv(path, read_options=one, convert_options=options), lambda table: table
    if peer == "polars":
        import polars

        types = {"int64": polars.Int64, "float64": polars.Float64, "string": polars.String}
        schema = {name: types.get(type, polars.Datetime("us", "UTC")) for name, type in FLIGHTS.items()}
        return lambda: polars.read_csv(path, schema=schema, null_values=["", "NA"]), lambda frame: frame.to_arrow()
    types = {"int64": "bigint", "float64": "double", "string": "varchar", "timestamp": "timestamptz"}
    columns = ", ".join(f"'{name}': '{types[type]}'" for name, type in FLIGHTS.items())
    query = f"from read_csv('{path}', header = true, nullstr = ['', 'NA'], columns = {{{columns}}})"
    connection = duck()
    return lambda: connection.sql(query).to_arrow_table(), lambda table: table


def write_parquet(peer, path, output, compression, *checksums):
    table = pyarrow.parquet.read_table(path, use_threads=False)
    back = lambda _: pyarrow.parquet.read_table(output, use_threads=False, page_checksum_verification=bool(checksums))
    if peer == "pyarrow":
        options = {"compression": compression, "write_page_checksum": bool(checksums)}
        return lambda: pyarrow.parquet.write_table(table, output, **options), back
    if peer == "polars":
        import polars

        frame = polars.from_arrow(table)
        compression = "uncompressed" if compression == "none" else compression
        return lambda: frame.write_parquet(output, compression=compression), back
    connection = duck()
    connection.register("points", table)
    connection.sql("create table t as from points")
    codec = {"lz4": "lz4_raw", "zstd": "zstd", "none": "uncompressed"}[compression]
    return lambda: connection.sql(f"copy t to '{output}' (format parquet, compression {codec})"), back


def duck():
    import duckdb

    connection = duckdb.connect()
    connection.sql("set threads = 1; set timezone = 'UTC'")
    return connection


def make_data(directory):
    """Five million rows of five columns in a Parquet file as pandas writes it, the same on every machine."""
    import pandas

    rows = 5_000_000
    random = np.random.default_rng(7)
    year = np.array(["2013-01-01", "2014-01-01"], dtype="datetime64[us]").astype(np.int64)
    frame = pandas.DataFrame(
        {
            "key": random.integers(0, 1_000_000, rows),
            "time": pandas.to_datetime(np.sort(random.integers(*year, rows)), unit="us", utc=True),
            "amount": np.round(random.gamma(2, 40, rows), 2),
            "score": random.normal(size=rows),
            "count": random.integers(0, 500, rows),
        }
    )
    frame.to_parquet(os.path.join(directory, "points.parquet"))


def main(job, *arguments):
    if job == "data":
        return make_data(*arguments)
    if job == "flights":
        return print(*(f"{name}={type}" for name, type in FLIGHTS.items()))
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    work, table = {"read-parquet": read_parquet, "read-csv": read_csv, "write-parquet": write_parquet}[job](*arguments)
    runner.run(work, lambda output: digests(table(output)))


if __name__ == "__main__":
    main(*sys.argv[1:])
