"""CSV as docs/formats.md has it, read and written without Lockstep."""

import datetime
import re

import numpy as np
import pyarrow as pa

EPOCH = datetime.datetime(1970, 1, 1)


def rows(path, delimiter=","):
    """The rows of a file; null, an unquoted empty cell, is None, which Python's csv module would not tell."""
    with open(path, newline="", encoding="utf-8") as file:
        yield from split(file.read(), delimiter)


def split(text, delimiter=","):
    """RFC 4180 by one expression: a quoted cell or a plain one, and what ends it."""
    cell = re.compile(rf'(?:"((?:[^"]|"")*)"|([^"{re.escape(delimiter)}\r\n]*))({re.escape(delimiter)}|\r?\n|\Z)')
    place, row = 0, []
    while place < len(text) or row:
        match = cell.match(text, place)
        if match is None:
            raise ValueError(f"character {place} is no cell")
        quoted, plain, end = match.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        place = match.end()
        if end != delimiter:
            yield row
            row = []
            if place >= len(text):
                return


def value(text, kind):
    if text is None:
        return None
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[text]
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_timestamp(kind):
        match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}|\d{6}))?Z", text)
        parts = [int(part) for part in match.groups()[:6]]
        micros = int((match.group(7) or "").ljust(6, "0"))
        return (datetime.datetime(*parts) - EPOCH) // datetime.timedelta(microseconds=1) + micros
    if pa.types.is_large_binary(kind):
        if not text.startswith("\\x"):
            raise ValueError(f"{text!r} does not begin with \\x")
        return bytes.fromhex(text[2:])
    return text


def floats(texts, dtype):
    """Each text rounded once to its own width, as the writer promises the shortest text that reads back."""
    return np.array([np.nan if text == "NaN" else dtype(text) for text in texts], dtype)


def column(texts, kind):
    """One column's cells as an Arrow array."""
    mask = np.array([text is None for text in texts], dtype=bool)
    if pa.types.is_floating(kind):
        dtype = np.float32 if kind.bit_width == 32 else np.float64
        return pa.array(floats(["0" if text is None else text for text in texts], dtype), mask=mask)
    if pa.types.is_fixed_size_list(kind):
        zeros = ["0"] * kind.list_size
        lists = [zeros if text is None else text.removeprefix("[").removesuffix("]").split(",") for text in texts]
        if any(len(items) != kind.list_size for items in lists):
            raise ValueError("a vector of another length")
        items = floats([item for items in lists for item in items], np.float32)
        return pa.FixedSizeListArray.from_arrays(pa.array(items, pa.float32()), kind.list_size, mask=pa.array(mask))
    values = [value(text, kind) for text in texts]
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


def read(path, types, delimiter=","):
    """A file as a table of the types given, by name."""
    cells = list(rows(path, delimiter))
    names = cells[0]
    for number, row in enumerate(cells[1:], 2):
        if len(row) != len(names):
            raise ValueError(f"row {number} has {len(row)} cells, the header {len(names)}")
    columns = {name: [row[place] for row in cells[1:]] for place, name in enumerate(names)}
    return pa.table({name: column(columns[name], kind) for name, kind in types.items()})
