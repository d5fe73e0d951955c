"""Files that DuckDB writes."""

import itertools

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import compare
import pyarrow_files
import values

CODECS = ("uncompressed", "snappy", "gzip", "zstd", "lz4_raw")
KINDS = tuple(
    kind
    for kind in pyarrow_files.PARQUET_KINDS
    # DuckDB has no half floats and no zones beside UTC, and cannot take every Arrow type. It writes a null FLOAT[n] so
    # that pyarrow refuses the file; without nulls the type is among its own, below.
    if kind not in ("float16", "timestamp_s_utc", "timestamp_ms_utc", "timestamp_ns_utc", "date64", "fixed_vector")
    and not kind.endswith("_zone")
    and not kind.startswith("dictionary_small")
    and not kind.startswith("dictionary_int64")
)


def files(harness):
    combinations = itertools.product(
        CODECS, ("v1", "v2"), values.PATTERNS, ((0, 2_048), (1, 2_048), (3_000, 2_048), (10_000, 122_880))
    )
    step = 7 if harness.quick else 1
    for number, (codec, version, pattern, (rows, group)) in enumerate(combinations):
        name = f"duckdb-{codec}-{version}-{pattern}-{rows}of{group}.parquet"
        if number % step or not harness.wants(name):
            continue
        table = pyarrow_files.measured(values.table(KINDS, rows, pattern, 1_000 + number))
        path = harness.path(name)
        connection = duckdb.connect()
        connection.execute("set timezone = 'UTC'")
        connection.register("source", table)
        connection.execute(
            f"copy (select * from source) to '{path}' (format parquet, codec '{codec}', "
            f"row_group_size {group}, parquet_version {version})"
        )
        harness.later(harness.read_case, f"duckdb parquet {version} {codec}", path, compare.as_written(table, path))
    own_types(harness)


def own_types(harness):
    """Types that are DuckDB's own, from SQL."""
    query = """
        select i as n, (i % 3)::tinyint as small, i::utinyint as unsigned, ('label' || i % 3)::enum_type as label,
            uuid() as id, (i / 7)::decimal(4, 1) as d4, (i / 7)::decimal(9, 3) as d9, (i / 7)::decimal(18, 6) as d18,
            (i / 7)::decimal(38, 12) as d38, '{"a": 1}'::json as document, ['a', 'b'] as list, {'x': i} as struct,
            map {'k': i} as map, interval (i) hour as span, (i::float / 3)::float as f,
            [i::float, 0.5, 1]::float[3] as v,
            i % 2 = 0 as flag, date '2020-02-29' + i::int as day, time '10:00:00' as clock, null::int as nothing
        from range(200) as t(i)
    """
    for version in ("v1", "v2"):
        name = f"duckdb-own-types-{version}.parquet"
        if not harness.wants(name):
            continue
        path = harness.path(name)
        connection = duckdb.connect()
        connection.execute("create type enum_type as enum ('label0', 'label1', 'label2')")
        connection.execute(f"copy ({query}) to '{path}' (format parquet, parquet_version {version})")
        table = pq.read_table(path)
        source = {column: table[column] for column in table.column_names}
        # pyarrow takes an INTERVAL for the bytes it is stored as.
        source["span"] = pa.nulls(200, pa.month_day_nano_interval())
        harness.later(harness.read_case, f"duckdb own types {version}", path, source)
