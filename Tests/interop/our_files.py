"""Files that lockstep writes, read by pyarrow, DuckDB and Polars."""

import itertools

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

import compare
import harness as harness_module
import values

# Lockstep's own types, each in the Arrow type that a reader gives for it.
KINDS = ("bool", "int64", "float32", "float64", "string", "binary", "timestamp_us_utc", "vector1", "vector3")


def files(harness):
    combinations = itertools.product(
        ("parquet", "arrow", "arrows", "feather"),
        ("lz4", "zstd", "none"),
        values.PATTERNS,
        ((0, None), (1, None), (700, 1_000), (700, 64), (20_000, None)),
    )
    step = 7 if harness.quick else 1
    for number, (form, codec, pattern, (rows, group)) in enumerate(combinations):
        name = f"ours-{form}-{codec}-{pattern}-{rows}of{group}"
        if number % step or not harness.wants(name):
            continue
        kinds = list(KINDS)
        table = values.table(kinds, rows, pattern, 5_000 + number)
        fixed = {
            kind: pa.FixedSizeListArray.from_arrays(
                pa.array(
                    values.vectors(3 if kind == "vector3" else 1, rows, np.random.default_rng(number)).reshape(-1)
                ),
                3 if kind == "vector3" else 1,
                mask=pa.array(values.null_mask(pattern, rows, np.random.default_rng(number))),
            )
            for kind in ("vector1", "vector3")
        }
        table = pa.table({kind: fixed.get(kind, table[kind]) for kind in kinds})
        harness.later(one, harness, name, form, codec, table, group)
    edges(harness)
    csv(harness)


def one(harness, name, form, codec, table, group_rows):
    """Writes a table by lockstep and reads it by all."""
    group = f"written as {form} {codec}"
    source = harness.path(name + ".source.arrow")
    path = harness.path(f"{name}.{form}")
    with pa.ipc.new_file(source, table.schema) as writer:
        writer.write_table(table)
    arguments = ["convert", source, path, "--compression", codec]
    if group_rows and form == "parquet":
        arguments += ["--row-group-rows", str(group_rows), "--sorted-by", "int64"]
    command = harness.command(*arguments)
    code, _, error = harness.run(*arguments)
    if code != 0:
        harness.count(group, len(table.column_names))
        harness.fail(group, f"{path}: exit {code}: {error}", command)
        return
    wanted = {name: compare.expected(table[name]) for name in table.column_names}
    readers = {"pyarrow": by_pyarrow, "polars": by_polars}
    if form == "parquet":
        readers["duckdb"] = by_duckdb
        check_statistics(harness, group, path, command)
    for reader, read in readers.items():
        label = f"{group}, by {reader}"
        harness.count(label, len(wanted))
        try:
            found = read(path, form)
            for name, array in wanted.items():
                # DuckDB has no columns without a name, and gives one.
                problem = difference(found[0 if reader == "duckdb" and not name else name], array)
                if problem:
                    harness.fail(label, f"{path}: column '{name}': {problem}", command)
        except Exception as error:
            harness.fail(label, f"{path}: {type(error).__name__}: {error}", command)
    harness_module.remove(path)
    harness_module.remove(source)


def by_pyarrow(path, form):
    return harness_module.read_result(path, form, {})


def by_polars(path, form):
    if form == "parquet":
        frame = pl.read_parquet(path)
    elif form == "arrows":
        frame = pl.read_ipc_stream(path)
    else:
        frame = pl.read_ipc(path)
    return frame.to_arrow()


def by_duckdb(path, form):
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection.execute("select * from read_parquet(?)", [path]).to_arrow_table()


def difference(found, wanted, any_nan=False):
    """As `compare.difference`, readers being free in the kind of list and of text that they give."""
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    kind = found.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        lengths = {n for n in pa.compute.list_value_length(found.drop_null()).to_pylist()}
        if not lengths:
            return (
                None if len(found) == len(wanted) and found.null_count == wanted.null_count else "rows or nulls differ"
            )
        found = compare.vector(found)
    elif pa.types.is_string(kind) or kind == pa.string_view():
        found = found.cast(pa.large_string())
    elif pa.types.is_binary(kind) or kind == pa.binary_view():
        found = found.cast(pa.large_binary())
    elif pa.types.is_timestamp(kind) and kind.tz:
        found = found.cast(compare.TIMESTAMP)
    return compare.difference(found, wanted, any_nan)


def check_statistics(harness, group, path, command):
    """Null counts are right, and bounds hold for every value but NaN."""
    file = pq.ParquetFile(path)
    label = f"{group}, statistics"
    for number in range(file.num_row_groups):
        part = file.read_row_group(number)
        for place in range(file.metadata.num_columns):
            chunk = file.metadata.row_group(number).column(place)
            path_in_file = chunk.path_in_schema
            name = path_in_file if path_in_file in part.column_names else path_in_file.split(".")[0]
            statistics, column = chunk.statistics, part[name]
            harness.count(label)
            if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
                continue
            if statistics is None or statistics.null_count != column.null_count:
                harness.fail(label, f"{path}: column '{name}', row group {number}: null count", command)
                continue
            if not statistics.has_min_max or pa.types.is_timestamp(column.type):
                continue
            for value in column.drop_null().to_pylist():
                if value == value and not statistics.min <= value <= statistics.max:
                    harness.fail(
                        label, f"{path}: column '{name}', row group {number}: {value!r} is out of bounds", command
                    )
                    break


def edges(harness):
    random = np.random.default_rng(17)
    many = 70_000
    tables = {
        "long-strings": pa.table({"s": ["x" * 70_000, None, "é" * 35_000, ""] * 3, "b": [b"\x00" * 70_000] * 12}),
        "big-dictionary": pa.table(
            {"s": [f"{i * 7919 % many:05}" for i in range(many)], "n": random.permutation(many)}
        ),
        "few-values": pa.table(
            {"s": ["a", "b"] * (many // 2), "n": np.arange(many) % 3, "d": (np.arange(many) % 5) / 8}
        ),
        "names": pa.table({"": [1], "a,b": [2], 'quote"': [3], "é": [4], "dotted.name": [5], "new\nline": [6]}),
        "wide": pa.table({f"column {i}": [i, None] for i in range(400)}),
    }
    for (name, table), form, codec in itertools.product(
        tables.items(), ("parquet", "arrow", "arrows"), ("lz4", "zstd", "none")
    ):
        file = f"ours-edge-{name}-{codec}-{form}"
        if harness.wants(file):
            harness.later(one, harness, file, form, codec, table, None)


def csv(harness):
    """CSV that lockstep writes is read by DuckDB and by the rules of RFC 4180 as the same values."""
    group = "written as csv, by duckdb"
    kinds = ("int64", "string", "bool")
    for number, pattern in enumerate(values.PATTERNS):
        name = f"ours-csv-{pattern}"
        if not harness.wants(name):
            continue
        table = values.table(kinds, 500, pattern, 70 + number)
        source, path = harness.path(name + ".source.parquet"), harness.path(name + ".csv")
        pq.write_table(table, source)
        arguments = ["convert", source, path]
        code, _, error = harness.run(*arguments)
        harness.count(group, len(kinds))
        if code != 0:
            harness.fail(group, f"{path}: exit {code}: {error}", harness.command(*arguments))
            continue
        found = (
            duckdb.connect()
            .execute(
                "select * from read_csv(?, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
                "allow_quoted_nulls = false, columns = {'int64': 'bigint', 'string': 'varchar', 'bool': 'boolean'})",
                [path],
            )
            .to_arrow_table()
        )
        for column in kinds:
            problem = difference(found[column], compare.expected(table[column]))
            if problem:
                harness.fail(group, f"{path}: column '{column}': {problem}", harness.command(*arguments))
