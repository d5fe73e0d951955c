#!/usr/bin/env python3
"""Writes files in two versions, the second an edit of the first, and says how many bytes the files that differ have.

    edited_files.py --list
    edited_files.py EDIT 0|1 DIRECTORY
"""

import io
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from PIL import Image

ROWS = 3_000_000


def table():
    chance = numpy.random.default_rng(11)
    return pyarrow.table({
        "id": numpy.arange(ROWS),
        "time": (1_700_000_000_000 + numpy.cumsum(chance.integers(1, 2_000, ROWS))).astype("datetime64[ms]"),
        "amount": numpy.round(chance.lognormal(3, 1, ROWS), 2),
        "score": chance.standard_normal(ROWS),
        "city": [f"city-{number}" for number in chance.zipf(1.5, ROWS) % 900],
    })


def appended(rows):
    return pyarrow.concat_tables([rows, rows.slice(0, ROWS // 100)]).combine_chunks()


def inserted(rows):
    half = ROWS // 2
    return pyarrow.concat_tables([rows.slice(0, half), rows.slice(0, 1_000), rows.slice(half)]).combine_chunks()


def deleted(rows):
    return pyarrow.concat_tables([rows.slice(0, ROWS // 3), rows.slice(ROWS // 3 + 1_000)]).combine_chunks()


def rewritten(rows):
    """Another amount in one row of 10,000."""
    amounts = rows["amount"].to_numpy().copy()
    amounts[::10_000] += 1
    return rows.set_column(rows.column_names.index("amount"), "amount", pyarrow.array(amounts))


EDITS = {"append-1%": appended, "insert-1000-rows": inserted, "delete-1000-rows": deleted, "change-300-rows": rewritten}


def csv(rows, path):
    pyarrow.csv.write_csv(rows, path)


def parquet(rows, path):
    pyarrow.parquet.write_table(rows, path, row_group_size=200_000)


def parquet_cdc(rows, path):
    """Pages that end where the content says, as pyarrow can write them."""
    pyarrow.parquet.write_table(rows, path, row_group_size=ROWS * 2, use_content_defined_chunking=True)


TABLES = {"csv": csv, "parquet": parquet, "parquet-cdc": parquet_cdc}


def picture(number, quality=90):
    """A picture of 9 megapixels with structure and noise, about 4 MB as JPEG."""
    chance = numpy.random.default_rng(number)
    coarse = chance.integers(0, 256, (25, 38, 3), dtype=numpy.uint8)
    large = Image.fromarray(coarse).resize((3_750, 2_500), Image.Resampling.BICUBIC)
    noisy = numpy.asarray(large).astype(numpy.int16) + chance.integers(-12, 13, (2_500, 3_750, 3), dtype=numpy.int16)
    buffer = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(numpy.uint8)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def captioned(content):
    """With a comment segment behind the start of the image: what a change of its metadata does."""
    comment = b"labelled by hand, checked twice"
    return content[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + content[2:]


def pictures(edit, version):
    for number in range(12):
        content = picture(number)
        if version == "1" and number < 6:
            content = captioned(content) if edit == "metadata-of-half" else picture(number, quality=80)
        yield f"picture-{number:02}.jpg", content


def write(edit, version, directory):
    directory.mkdir(exist_ok=True)
    form, change = edit.split("/")
    if form == "jpeg":
        written = dict(pictures(change, version))
    else:
        rows = table() if version == "0" else EDITS[change](table())
        path = directory / f"rows.{form}"
        before = path.read_bytes() if path.exists() else b""
        TABLES[form](rows, path)
        content = path.read_bytes()
        return len(content) if content != before else 0
    changed = 0
    for name, content in written.items():
        path = directory / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
            changed += len(content)
    return changed


def main():
    if sys.argv[1:] == ["--list"]:
        print(*(f"{form}/{edit}" for form in TABLES for edit in EDITS), "jpeg/metadata-of-half", "jpeg/encode-half-anew")
    else:
        edit, version, directory = sys.argv[1:]
        print(write(edit, version, pathlib.Path(directory)))


if __name__ == "__main__":
    main()
