"""Files that Spark writes, and files that lockstep writes read by Spark."""

import glob
import itertools
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

import compare
import harness as harness_module
import our_files
import values

CODECS = ("none", "snappy", "gzip", "lz4", "lz4_raw", "zstd")
# Spark has no unsigned integers, no times of day, no float16 and no UUID.
KINDS = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "float32",
    "float64",
    "string",
    "binary",
    "decimal32",
    "decimal64",
    "decimal128",
    "date32",
    "timestamp_us_utc",
    "timestamp_us_naive",
    "vector3",
)


def session():
    spark = (
        SparkSession.builder.master("local[1]")
        .appName("interop")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
        .config("spark.sql.parquet.int96RebaseModeInWrite", "CORRECTED")
        .config("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED")
        .config("spark.sql.parquet.int96RebaseModeInRead", "CORRECTED")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def files(harness):
    spark = session()
    try:
        read(harness, spark)
        harness.finish()
        write(harness, spark)
    finally:
        spark.stop()


def read(harness, spark):
    """Files that Spark writes."""
    layouts = {
        "": {},
        "int96": {"spark.sql.parquet.outputTimestampType": "INT96"},
        "millis": {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS"},
        "legacy": {"spark.sql.parquet.writeLegacyFormat": "true"},
    }
    versions = {"v1": {}, "v2": {"parquet.writer.version": "PARQUET_2_0"}}
    dictionaries = {"dictionary": {}, "plain": {"parquet.enable.dictionary": "false"}}
    combinations = itertools.product(
        CODECS, layouts.items(), versions.items(), dictionaries.items(), ("none", "some", "all")
    )
    step = 7 if harness.quick else 1
    for number, (codec, (layout, settings), (version, pages), (dictionary, encoding), pattern) in enumerate(
        combinations
    ):
        name = f"spark-{codec}-{layout or 'micros'}-{version}-{dictionary}-{pattern}"
        if number % step or not harness.wants(name):
            continue
        kinds = [kind for kind in KINDS if kind != "vector3" or pattern != "all"]
        if layout == "millis":
            kinds = [kind for kind in kinds if kind != "timestamp_us_utc"] + ["timestamp_ms_utc"]
        table = values.table(kinds, 700, pattern, 8_000 + number)
        source = harness.path(name + ".source.parquet")
        pq.write_table(table, source)
        for key in ("spark.sql.parquet.outputTimestampType", "spark.sql.parquet.writeLegacyFormat"):
            spark.conf.unset(key)
        for key, value in settings.items():
            spark.conf.set(key, value)
        path = harness.path(name)
        writer = spark.read.parquet(source).coalesce(1).write.mode("overwrite").option("compression", codec)
        for key, value in {**pages, **encoding}.items():
            writer = writer.option(key, value)
        writer.option("parquet.page.size", "1024").option("parquet.block.size", "16384").parquet(path)
        part = glob.glob(os.path.join(path, "part-*.parquet"))[0]
        harness.later(harness.read_case, f"spark parquet {codec}", part, compare.as_written(table, part))


def write(harness, spark):
    """Files that lockstep writes."""
    for codec, pattern, rows in itertools.product(("lz4", "zstd", "none"), values.PATTERNS, (0, 1, 700)):
        name = f"spark-reads-{codec}-{pattern}-{rows}"
        if not harness.wants(name):
            continue
        group = f"written as parquet {codec}, by spark"
        table = values.table([kind for kind in our_files.KINDS if "vector" not in kind], rows, pattern, 9_000 + rows)
        random = np.random.default_rng(rows)
        vector = pa.FixedSizeListArray.from_arrays(
            pa.array(values.vectors(3, rows, random).reshape(-1)),
            3,
            mask=pa.array(values.null_mask(pattern, rows, random)),
        )
        table = table.append_column("vector3", vector)
        source, path = harness.path(name + ".source.arrow"), harness.path(name + ".parquet")
        with pa.ipc.new_file(source, table.schema) as writer:
            writer.write_table(table)
        arguments = ["convert", source, path, "--compression", codec, "--row-group-rows", "300"]
        code, _, error = harness.run(*arguments)
        harness.count(group, len(table.column_names))
        if code != 0:
            harness.fail(group, f"{path}: exit {code}: {error}", harness.command(*arguments))
            continue
        # Spark hands the rows back through a file of its own, which pyarrow reads: plain, with nothing to convert.
        copy = path + ".spark"
        spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        frame = spark.read.parquet(path).coalesce(1)
        frame.write.mode("overwrite").option("compression", "none").parquet(copy)
        found = pa.concat_tables([pq.read_table(part) for part in glob.glob(os.path.join(copy, "part-*.parquet"))])
        for column in table.column_names:
            problem = our_files.difference(found[column], compare.expected(table[column]), any_nan=True)
            if problem:
                harness.fail(group, f"{path}: column '{column}': {problem}", harness.command(*arguments))
        harness_module.remove(path)
