"""Files that pyarrow writes, with all of its options."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

import values

CODECS = ("none", "snappy", "gzip", "zstd", "lz4")
SIGNED = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
TIMES = tuple(kind for kind in values.KINDS if kind.startswith("timestamp_")) + (
    "date32",
    "date64",
    "time_s",
    "time_ms",
    "time_us",
    "time_ns",
)
NUMBERS = SIGNED + TIMES
TEXT = ("string", "large_string", "binary", "large_binary")
FIXED = ("fixed_binary", "decimal32", "decimal64", "decimal128", "decimal_whole", "decimal_wide", "uuid", "float16")
FLOATS = ("float32", "float64")
# Arrow IPC has these, Parquet has not or gives them back as another type.
PARQUET_KINDS = tuple(kind for kind in values.KINDS if kind not in ("decimal256",))

# For each strategy, which encoding which kinds can have.
ENCODINGS = {
    "plain": {kind: "PLAIN" for kind in PARQUET_KINDS if not kind.startswith("dictionary_")},
    "dictionary": {kind: None for kind in PARQUET_KINDS},
    "delta": {
        **{kind: "DELTA_BINARY_PACKED" for kind in NUMBERS},
        **{kind: "DELTA_LENGTH_BYTE_ARRAY" for kind in TEXT},
        "bool": "RLE",
    },
    "delta_byte_array": {kind: "DELTA_BYTE_ARRAY" for kind in TEXT + FIXED},
    "byte_stream_split": {kind: "BYTE_STREAM_SPLIT" for kind in FLOATS + FIXED + NUMBERS},
}


def leaf(kind):
    """The path of a column's values in the Parquet schema."""
    return f"{kind}.list.element" if "vector" in kind else kind


def write(table, path, strategy, codec, page_size, version, group_rows, **more):
    kinds = ENCODINGS[strategy]
    options = dict(
        compression=codec,
        data_page_size=page_size,
        data_page_version=version,
        row_group_size=group_rows,
        write_page_checksum=True,
    )
    if strategy == "dictionary":
        options["use_dictionary"] = True
    else:
        options["use_dictionary"] = False
        options["column_encoding"] = {leaf(kind): kinds[kind] for kind in table.column_names}
    options.update(more)
    pq.write_table(table, path, **options)


def sources(table):
    """A table as names and arrays."""
    return {name: table[name] for name in table.column_names}


def measured(table, knows_sizes=False):
    """The table without the lists that have no row to tell their length, but where the format has it in the type."""
    kept = [
        name
        for name in table.column_names
        if "vector" not in name or table[name].null_count < len(table) or (knows_sizes and name == "fixed_vector")
    ]
    return table.select(kept)


def parquet(harness):
    """Every kind × encoding × codec × null pattern × page size and version × row group size."""
    combinations = list(
        itertools.product(
            ENCODINGS,
            CODECS,
            values.PATTERNS,
            ((1 << 20, "1.0"), (1 << 20, "2.0"), (256, "1.0"), (256, "2.0")),
            ((0, 100), (1, 100), (2, 1), (900, 1_000), (900, 250)),
        )
    )
    step = 23 if harness.quick else 1
    for number, (strategy, codec, pattern, (page_size, version), (rows, group)) in enumerate(combinations):
        name = f"pyarrow-{strategy}-{codec}-{pattern}-page{page_size}v{version[0]}-{rows}of{group}.parquet"
        if number % step or not harness.wants(name):
            continue
        table = measured(values.table(ENCODINGS[strategy], rows, pattern, number))
        path = harness.path(name)
        write(table, path, strategy, codec, page_size, version, group)
        to = ("arrow", "parquet", "arrows", "csv")[number % 4] if number % 3 == 0 else "arrow"
        harness.later(harness.read_case, f"pyarrow parquet {strategy} {codec}", path, sources(table), (), to)


def parquet_options(harness):
    """The options that change types or layout, one at a time."""
    group = "pyarrow parquet options"
    rows = 500
    kinds = [kind for kind in PARQUET_KINDS]
    cases = {
        "int96": (dict(use_deprecated_int96_timestamps=True), TIMES),
        "decimal-as-integer": (
            dict(store_decimal_as_integer=True),
            ("decimal32", "decimal64", "decimal_whole", "decimal128"),
        ),
        "coerce-ms": (
            dict(coerce_timestamps="ms", allow_truncated_timestamps=True),
            ("timestamp_s_naive", "timestamp_ms_utc"),
        ),
        "coerce-us": (dict(coerce_timestamps="us", allow_truncated_timestamps=True), TIMES),
        "version-1.0": (dict(version="1.0"), kinds),
        "version-2.4": (dict(version="2.4"), kinds),
        "no-statistics": (dict(write_statistics=False), kinds),
        "page-index": (dict(write_page_index=True), kinds),
        "no-schema": (dict(store_schema=False), kinds),
        "legacy-lists": (dict(use_compliant_nested_type=False), ("vector3", "large_vector", "fixed_vector", "vector1")),
        "small-dictionary": (dict(dictionary_pagesize_limit=64), kinds),
        "brotli": (dict(compression="brotli"), ("int64", "string")),
        "no-checksums": (dict(write_page_checksum=False), kinds),
        "sorted": (dict(sorting_columns=[pq.SortingColumn(0)]), kinds),
    }
    for (name, (options, names)), version, pattern in itertools.product(
        cases.items(), ("1.0", "2.0"), ("none", "some")
    ):
        file = f"pyarrow-option-{name}-v{version[0]}-{pattern}.parquet"
        if not harness.wants(file):
            continue
        names = list(names)
        if name == "int96":
            # The day count of INT96 is from 4713 BC, but pyarrow goes through nanoseconds of 64 bits.
            names = [kind for kind in names if "_ns_" in kind]
        if name == "coerce-us" or name == "version-1.0" or name == "version-2.4":
            names = [kind for kind in names if kind != "time_ns" or name == "coerce-us"]
        table = values.table(names, rows, pattern, 7)
        path = harness.path(file)
        options = dict(options)
        pq.write_table(table, path, data_page_version=version, data_page_size=512, **options)
        source = sources(table)
        if name == "brotli":
            harness.later(refused_codec, harness, path)
            continue
        harness.later(harness.read_case, group, path, source)


def refused_codec(harness, path):
    """A codec that is not read is refused by its name."""
    out = path + ".arrow"
    code, _, error = harness.run("convert", path, out)
    harness.count("pyarrow parquet options, refused")
    if code != 2 or "brotli" not in error.lower() or path not in error:
        harness.fail(
            "pyarrow parquet options, refused", f"{path}: {code} {error}", harness.command("convert", path, out)
        )


def special(harness):
    """The edge cases that no cross product of small tables has."""
    group = "pyarrow parquet edges"
    random = np.random.default_rng(3)
    many = 70_000
    tables = {
        "long-strings": pa.table({"s": ["x" * 70_000, None, "é" * 35_000, ""] * 3, "b": [b"\x00" * 70_000] * 12}),
        "big-dictionary": pa.table(
            {
                "s": [f"{i * 7919 % many:05}" for i in range(many)],
                "n": pa.array(random.permutation(many)),
                "d": pa.array(random.permutation(many) / 8),
            }
        ),
        "one-value": pa.table({"s": ["a"] * many, "n": pa.array(np.zeros(many, "int64")), "b": [True] * many}),
        "no-columns": pa.table({"a": pa.array([], pa.int64())}),
        "wide": pa.table({f"column {i}": [i, None] for i in range(400)}),
        "odd-names": pa.table({"": [1], "a,b": [2], 'quote"': [3], "é": [4], "dotted.name": [5], "new\nline": [6]}),
        "all-null-groups": pa.table({"n": pa.array([None] * 300 + list(range(300)) + [None] * 300, pa.int64())}),
    }
    for (name, table), codec, version, dictionary in itertools.product(
        tables.items(), ("none", "snappy", "lz4"), ("1.0", "2.0"), (True, False)
    ):
        file = f"pyarrow-edge-{name}-{codec}-v{version[0]}-{'dictionary' if dictionary else 'plain'}.parquet"
        if not harness.wants(file) or (harness.quick and codec == "snappy"):
            continue
        path = harness.path(file)
        pq.write_table(
            table,
            path,
            compression=codec,
            data_page_version=version,
            use_dictionary=dictionary,
            dictionary_pagesize_limit=1 << 22,
            row_group_size=300 if name == "all-null-groups" else None,
        )
        harness.later(harness.read_case, group, path, sources(table))
    empty_groups(harness, group)


def empty_groups(harness, group):
    """A file whose first and middle row groups have no rows."""
    file = "pyarrow-edge-empty-groups.parquet"
    if not harness.wants(file):
        return
    kinds = [kind for kind in PARQUET_KINDS]
    table = values.table(kinds, 300, "some", 11)
    path = harness.path(file)
    with pq.ParquetWriter(path, table.schema) as writer:
        for part in (
            table.slice(0, 0),
            table.slice(0, 100),
            table.slice(0, 0),
            table.slice(100, 200),
            table.slice(0, 0),
        ):
            writer.write_table(part)
    harness.later(harness.read_case, group, path, sources(table))


def nested(harness):
    """Nested columns are refused by name, and the others read beside them."""
    group = "pyarrow parquet nested"
    rows = 200
    plain = values.table(("int64", "string", "float64", "vector3"), rows, "some", 5)
    nests = {
        "struct": pa.array([{"x": i, "y": str(i)} if i % 3 else None for i in range(rows)]),
        "map": pa.array([[("k", i)] if i % 3 else None for i in range(rows)], pa.map_(pa.string(), pa.int64())),
        "strings": pa.array([["a", None, str(i)] if i % 3 else [] for i in range(rows)]),
        "structs": pa.array([[{"x": i}] if i % 3 else None for i in range(rows)]),
        "lists": pa.array([[[1.5], []] if i % 3 else None for i in range(rows)], pa.list_(pa.list_(pa.float32()))),
    }
    table = pa.table({"int64": plain["int64"], **nests, **{name: plain[name] for name in plain.column_names[1:]}})
    for codec, version, compliant in itertools.product(("none", "snappy", "zstd"), ("1.0", "2.0"), (True, False)):
        file = f"pyarrow-nested-{codec}-v{version[0]}-{'compliant' if compliant else 'legacy'}.parquet"
        if not harness.wants(file):
            continue
        path = harness.path(file)
        pq.write_table(
            table,
            path,
            compression=codec,
            data_page_version=version,
            use_compliant_nested_type=compliant,
            row_group_size=90,
        )
        harness.later(harness.read_case, group, path, sources(table))


def zones(harness):
    """Wall clocks of zones with gaps and overlaps."""
    rows = 2_000
    random = np.random.default_rng(9)
    hour = 3_600_000_000
    # Half-hour steps around the changes of 2013 in New York and in all of 1900 to 2100.
    near = [1_362_880_800_000_000 + i * hour // 2 for i in range(-48, 48)]
    near += [1_383_440_400_000_000 + i * hour // 2 for i in range(-48, 48)]
    far = random.integers(-2_208_988_800_000_000, 4_102_444_800_000_000, rows - len(near))
    table = pa.table({"t": pa.array(np.concatenate([near, far])).cast(pa.timestamp("us"))})
    for zone in ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"):
        for form in ("parquet", "arrow"):
            file = f"pyarrow-zone-{zone.replace('/', '-')}.{form}"
            if not harness.wants(file):
                continue
            path = harness.path(file)
            if form == "parquet":
                pq.write_table(table, path)
            else:
                pa.feather.write_feather(table, path)
            harness.later(harness.read_case, "time zones", path, sources(table), ("--timezone", zone))


def requests(harness):
    """Types that are asked for, where no value can change."""
    rows = 400
    kinds = ("float16", "float32", "decimal32", "decimal64", "decimal128", "decimal_whole", "string", "uuid")
    wide = {
        "float16": "float64",
        "float32": "float64",
        "decimal32": "float64",
        "decimal64": "float64",
        "decimal128": "float64",
        "decimal_whole": "string",
        "string": "bytes",
        "uuid": "bytes",
    }
    for pattern in ("none", "some", "all"):
        table = values.table(kinds, rows, pattern, 61)
        source = {kind: requested(table[kind].combine_chunks(), wide[kind]) for kind in kinds}
        for form in ("parquet", "arrow"):
            file = f"pyarrow-requests-{pattern}.{form}"
            if not harness.wants(file):
                continue
            path = harness.path(file)
            if form == "parquet":
                pq.write_table(table, path)
            else:
                pa.feather.write_feather(table, path)
            types = ",".join(f"{kind}={wide[kind]}" for kind in kinds)
            # A float has a NaN of another width; which one is not promised.
            harness.later(harness.read_case, "types on request", path, source, ("--types", types), "arrow", True)


def requested(array, name):
    """The values in another type, by Python's and numpy's own conversions."""
    if name == "float64" and pa.types.is_floating(array.type):
        return pa.array(
            np.asarray(array.cast(pa.float32()).fill_null(0)).astype("float64"), mask=np.asarray(array.is_null())
        )
    if name == "bytes":
        return array.storage.cast(pa.binary()) if isinstance(array.type, pa.UuidType) else array.cast(pa.binary())
    make, kind = (float, pa.float64()) if name == "float64" else (str, pa.string())
    return pa.array([None if value is None else make(value) for value in array.to_pylist()], kind)


def arrow(harness):
    """Arrow IPC files and streams of every kind."""
    combinations = list(
        itertools.product(
            ("file", "stream"), (None, "lz4", "zstd"), values.PATTERNS, ((0, 10), (1, 10), (900, 1_000), (900, 64))
        )
    )
    step = 5 if harness.quick else 1
    for number, (layout, codec, pattern, (rows, batch_rows)) in enumerate(combinations):
        form = "arrow" if layout == "file" else "arrows"
        name = f"pyarrow-ipc-{layout}-{codec}-{pattern}-{rows}of{batch_rows}.{form}"
        if number % step or not harness.wants(name):
            continue
        table = measured(values.table(values.KINDS, rows, pattern, number), knows_sizes=True)
        path = harness.path(name)
        write_arrow(table, path, layout, codec, batch_rows)
        to = ("arrow", "parquet", "arrows", "csv")[number % 4]
        harness.later(harness.read_case, f"pyarrow arrow {layout} {codec}", path, sources(table), (), to)
    arrow_edges(harness)


def write_arrow(table, path, layout, codec, batch_rows, **more):
    options = pa.ipc.IpcWriteOptions(compression=codec, **more)
    make = pa.ipc.new_file if layout == "file" else pa.ipc.new_stream
    with make(path, table.schema, options=options) as writer:
        for batch in table.to_batches(max_chunksize=batch_rows):
            writer.write_batch(batch)


def arrow_edge_columns(layout, codec):
    """Columns by name, and the options of the writer that they need."""
    random = np.random.default_rng(1)
    kind = pa.dictionary(pa.int32(), pa.string())
    words = [["a", "b", None], ["c", "a", "a"], ["b", None, "d"]]
    grown = [
        pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(["a", "b", "c", "d"][:size]))
        for index, size in (([0, 1, None], 2), ([2, 0, 0], 3), ([1, None, 3], 4))
    ]
    columns = {
        "one-dictionary": pa.array(sum(words, [])).dictionary_encode().cast(kind),
        "views": pa.array(["", None, "short", "longer than twelve bytes é"] * 50, pa.string_view()),
        "byte-views": pa.array([b"", None, b"\xff", b"\x00" * 40] * 50, pa.binary_view()),
        "durations": pa.array([0, None, -1, 86_400], pa.duration("s")),
        "sliced": values.column("string", 300, "some", random).slice(37, 131),
        "sliced-bool": values.column("bool", 300, "some", random).slice(37, 131),
        "nulls": pa.nulls(5, pa.string()),
    }
    columns = {name: (pa.chunked_array([array]), {}) for name, array in columns.items()}
    columns["deltas"] = (pa.chunked_array(grown), {"emit_dictionary_deltas": True})
    if layout == "stream":
        # Each batch brings its own dictionary, which a file cannot have.
        parts = [pa.array(part).dictionary_encode().cast(kind) for part in words]
        columns["replaced"] = (pa.chunked_array(parts), {})
    if codec is None:
        # Compression is of a later version of the metadata.
        version = {"metadata_version": pa.ipc.MetadataVersion.V4}
        columns["old-metadata"] = (pa.chunked_array([pa.array([1, None, 3])]), version)
    return columns


def arrow_edges(harness):
    """Dictionaries that change between batches, views, slices, metadata versions, nested columns."""
    group = "pyarrow arrow edges"
    for layout, codec in itertools.product(("file", "stream"), (None, "lz4", "zstd")):
        form = "arrow" if layout == "file" else "arrows"
        for name, (array, options) in arrow_edge_columns(layout, codec).items():
            file = f"pyarrow-ipc-edge-{name}-{codec}.{form}"
            if not harness.wants(file):
                continue
            path = harness.path(file)
            table = pa.table({"x": array, "n": pa.array(np.arange(len(array)))})
            write_arrow(table, path, layout, codec, None, **options)
            harness.later(harness.read_case, group, path, sources(table))
        file = f"pyarrow-ipc-edge-nested-{codec}.{form}"
        if harness.wants(file):
            path = harness.path(file)
            table = pa.table(
                {
                    "a": [1, 2, None],
                    "s": [{"x": 1}, None, {"x": 3}],
                    "l": [["a"], [], None],
                    "z": ["x", None, "y"],
                    "ree": pa.RunEndEncodedArray.from_arrays([2, 3], pa.array([1, 2])),
                    "lv": pa.array([[1.0], [2.0], None], pa.list_view(pa.float32())),
                }
            )
            write_arrow(table, path, layout, codec, None)
            harness.later(harness.read_case, group, path, sources(table))
    for codec in ("uncompressed", "lz4", "zstd"):
        file = f"pyarrow-feather-{codec}.feather"
        if harness.wants(file):
            path = harness.path(file)
            table = values.table(list(values.KINDS), 500, "some", 21)
            pyarrow.feather.write_feather(table, path, compression=codec, chunksize=200)
            harness.later(harness.read_case, "pyarrow feather", path, sources(table))


def files(harness):
    parquet(harness)
    parquet_options(harness)
    special(harness)
    nested(harness)
    zones(harness)
    requests(harness)
    arrow(harness)
