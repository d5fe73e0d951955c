"""CSV that other programs write, and the spellings that RFC 4180 allows."""

import csv
import io
import itertools

import numpy as np
import pyarrow as pa
import pyarrow.csv

import values

KINDS = ("bool", "int64", "float64", "float32", "string", "timestamp_us_utc")


def typed(kinds):
    names = {
        "bool": "bool",
        "int64": "int64",
        "float64": "float64",
        "float32": "float32",
        "string": "string",
        "timestamp_us_utc": "timestamp",
    }
    return ",".join(f"{kind}={names[kind]}" for kind in kinds)


def texts(array):
    """The spellings that other writers use; None for null."""
    kind = array.type
    if pa.types.is_boolean(kind):
        return [None if value is None else str(value).lower() for value in array.to_pylist()]
    if pa.types.is_timestamp(kind):
        numbers = array.cast(pa.int64()).to_pylist()
        return [None if value is None else str(np.datetime64(value, "us")) + "Z" for value in numbers]
    if pa.types.is_floating(kind):
        # repr of a float32 widened to 64 bits has more digits than it needs, and reads back the same.
        return [None if value is None else float_text(value) for value in array.to_pylist()]
    return [None if value is None else str(value) for value in array.to_pylist()]


def float_text(value):
    spelled = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return spelled.get(repr(value)) or (np.format_float_scientific(value) if abs(value) > 1e16 else repr(value))


def write(table, delimiter, line_end, bom, quote_all, null):
    """A file by rules of RFC 4180; the empty string is quoted, null is not."""
    lines = [delimiter.join(quoted(name, delimiter, quote_all) for name in table.column_names)]
    columns = [texts(table[name].combine_chunks()) for name in table.column_names]
    for row in zip(*columns):
        lines.append(delimiter.join(null if cell is None else quoted(cell, delimiter, quote_all) for cell in row))
    text = line_end.join(lines) + line_end
    return (b"\xef\xbb\xbf" if bom else b"") + text.encode()


def quoted(text, delimiter, always):
    if (
        always
        or text in ("", "NA", "null")
        or text[:1] == "\ufeff"
        or any(c in text for c in (delimiter, '"', "\n", "\r"))
    ):
        return '"' + text.replace('"', '""') + '"'
    return text


def files(harness):
    group = "csv, declared types"
    combinations = itertools.product(
        (",", ";", "\t", "|"), ("\n", "\r\n"), (False, True), (False, True), ("", "NA"), values.PATTERNS, (0, 1, 700)
    )
    step = 11 if harness.quick else 1
    for number, (delimiter, line_end, bom, quote_all, null, pattern, rows) in enumerate(combinations):
        name = f"csv-{number}-{pattern}-{rows}.csv"
        if number % step or not harness.wants(name):
            continue
        table = values.table(KINDS, rows, pattern, 3_000 + number)
        path = harness.path(name)
        with open(path, "wb") as file:
            file.write(write(table, delimiter, line_end, bom, quote_all, null))
        extra = ("--types", typed(KINDS), "--delimiter", delimiter) + (("--null", null) if null else ())
        source = {name: table[name] for name in table.column_names}
        harness.later(harness.read_case, group, path, source, extra, "arrow", True)
    inferred(harness)


def inferred(harness):
    """Types found from the cells, for files as pyarrow, pandas and Python's csv module write them."""
    group = "csv, inferred types"
    rows = 300
    for number, pattern in enumerate(("none", "some", "runs")):
        table = values.table(("int64", "float64", "string"), rows, pattern, 40 + number)
        # A column of text has letters, so that no column of digits is taken for numbers.
        letters = pa.array([None if value is None else "x" + value for value in table["string"].to_pylist()])
        # Finite floats: other writers spell the rest in other ways.
        floats = table["float64"].to_numpy(zero_copy_only=False)
        floats = pa.array(np.where(np.isfinite(floats), floats, 0.5) + 0.0, mask=np.asarray(table["float64"].is_null()))
        table = pa.table({"int64": table["int64"], "float64": floats, "string": letters})
        source = {name: table[name] for name in table.column_names}
        writers = {"pyarrow": arrow_csv, "pandas": pandas_csv, "python": python_csv}
        for writer, write_file in writers.items():
            name = f"csv-inferred-{writer}-{pattern}.csv"
            if not harness.wants(name):
                continue
            path = harness.path(name)
            write_file(table, path)
            harness.later(harness.read_case, group, path, source, (), "arrow", True)


def arrow_csv(table, path):
    pyarrow.csv.write_csv(table, path)


def pandas_csv(table, path):
    # Nullable types: plain ones would turn integers with nulls into floats.
    import pandas

    types = {pa.int64(): pandas.Int64Dtype(), pa.float64(): pandas.Float64Dtype(), pa.string(): pandas.StringDtype()}
    table.to_pandas(types_mapper=types.get).to_csv(path, index=False)


def python_csv(table, path):
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.column_names)
    for row in zip(*(table[name].to_pylist() for name in table.column_names)):
        writer.writerow(["" if value is None else value for value in row])
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(text.getvalue())
