"""Files that Polars writes."""

import itertools

import polars as pl

import pyarrow_files
import values

CODECS = ("uncompressed", "snappy", "gzip", "zstd", "lz4")
KINDS = tuple(
    kind
    for kind in pyarrow_files.PARQUET_KINDS
    # Polars has no seconds, half floats, UUIDs, fixed binaries or decimals of more than 38 digits.
    if kind not in ("float16", "uuid", "fixed_binary", "decimal256", "date64", "time_s", "time_ms", "time_us")
    and not kind.startswith("timestamp_s_")
)


def files(harness):
    combinations = itertools.product(
        CODECS,
        values.PATTERNS,
        ((0, None, None), (1, None, None), (900, 1_000, None), (900, 250, 512), (3_000, 900, 4_096)),
    )
    step = 7 if harness.quick else 1
    for number, (codec, pattern, (rows, group, page)) in enumerate(combinations):
        name = f"polars-{codec}-{pattern}-{rows}of{group}-page{page}.parquet"
        if number % step or not harness.wants(name):
            continue
        table = pyarrow_files.measured(values.table(KINDS, rows, pattern, 2_000 + number))
        frame = pl.from_arrow(table)
        path = harness.path(name)
        frame.write_parquet(
            path,
            compression=codec,
            row_group_size=group,
            data_page_size=page,
            statistics="full" if number % 2 else False,
        )
        source = {name: table[name] for name in table.column_names}
        harness.later(harness.read_case, f"polars parquet {codec}", path, source)
    for codec, pattern, stream in itertools.product(("uncompressed", "lz4", "zstd"), values.PATTERNS, (False, True)):
        name = f"polars-ipc-{codec}-{pattern}.{'arrows' if stream else 'arrow'}"
        if not harness.wants(name):
            continue
        table = values.table([kind for kind in KINDS if "vector" not in kind or pattern != "all"], 700, pattern, 31)
        frame = pl.from_arrow(table)
        path = harness.path(name)
        (frame.write_ipc_stream if stream else frame.write_ipc)(path, compression=codec)
        source = {name: table[name] for name in table.column_names}
        harness.later(harness.read_case, f"polars arrow {codec}", path, source)
