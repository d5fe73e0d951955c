"""Passes pyarrow's data through Lockstep's columns in one process, by the Arrow C data interface, and compares.

    python arrow_c_data.py LIBRARY

LIBRARY is the built dynamic library ArrowRoundTrip. Needs pyarrow. Ends with status 1 at the first difference.
"""
import ctypes
import datetime
import decimal
import random
import resource
import sys
import uuid

import pyarrow as pa

library = ctypes.CDLL(sys.argv[1])
for name in ("batch", "column", "stream"):
    getattr(library, f"lockstep_round_trip_{name}").restype = ctypes.c_void_p
library.lockstep_free_text.argtypes = [ctypes.c_void_p]

ARRAY, SCHEMA, STREAM = 80, 72, 40
checks = 0


class Refused(Exception):
    pass


def pointers(*sizes):
    buffers = [(ctypes.c_int64 * (size // 8))() for size in sizes]
    return buffers, [ctypes.addressof(buffer) for buffer in buffers]


def call(function, *arguments):
    text = function(*[ctypes.c_void_p(a) if isinstance(a, int) and a > 1 << 20 else ctypes.c_int64(a) for a in arguments])
    if text:
        message = ctypes.string_at(text).decode()
        library.lockstep_free_text(text)
        raise Refused(message)


def is_released(buffer, size):
    """The release callback stands before the private data, at the end of each structure."""
    return buffer[size // 8 - 2] == 0


def through_batch(batch):
    keep, (array, schema, array_out, schema_out) = pointers(ARRAY, SCHEMA, ARRAY, SCHEMA)
    batch._export_to_c(array, schema)
    try:
        call(library.lockstep_round_trip_batch, array, schema, array_out, schema_out)
    finally:
        assert is_released(keep[0], ARRAY) and is_released(keep[1], SCHEMA), "the input is not released"
    return pa.RecordBatch._import_from_c(array_out, schema_out)


def through_column(column):
    keep, (array, schema, array_out, schema_out) = pointers(ARRAY, SCHEMA, ARRAY, SCHEMA)
    column._export_to_c(array, schema)
    try:
        call(library.lockstep_round_trip_column, array, schema, array_out, schema_out)
    finally:
        assert is_released(keep[0], ARRAY) and is_released(keep[1], SCHEMA), "the input is not released"
    return pa.Array._import_from_c(array_out, schema_out)


def through_stream(reader, fail_after=-1):
    keep, (stream, stream_out) = pointers(STREAM, STREAM)
    reader._export_to_c(stream)
    try:
        call(library.lockstep_round_trip_stream, stream, stream_out, fail_after)
    finally:
        assert is_released(keep[0], STREAM), "the input is not released"
    return pa.RecordBatchReader._import_from_c(stream_out)


def instant(value):
    """Microseconds since 1970 of a date or a naive or aware timestamp."""
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    return (value - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


def expected(array):
    """What Lockstep makes of an array, by way of Python's own values."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        texts = [None if v is None else str(uuid.UUID(bytes=v)) for v in array.storage.to_pylist()]
        return pa.array(texts, pa.large_string())
    if pa.types.is_dictionary(kind):
        entries = expected(array.dictionary)
        values = entries.to_pylist()
        return pa.array([None if i is None else values[i] for i in array.indices.to_pylist()], entries.type)
    values = array.to_pylist()

    def made(target, convert=lambda v: v):
        return pa.array([None if v is None else convert(v) for v in values], target)

    if pa.types.is_null(kind):
        return made(pa.large_string())
    if pa.types.is_boolean(kind):
        return made(pa.bool_())
    if pa.types.is_integer(kind):
        return made(pa.int64())
    if kind in (pa.float16(), pa.float32()):
        return made(pa.float32(), float)
    if kind == pa.float64():
        return made(pa.float64())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return made(pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view():
        return made(pa.large_binary())
    if pa.types.is_fixed_size_binary(kind):
        return made(pa.large_binary())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return made(pa.timestamp("us", "UTC"), instant)
    if pa.types.is_time(kind):
        return made(pa.int64(), lambda v: ((v.hour * 60 + v.minute) * 60 + v.second) * 10**6 + v.microsecond)
    if pa.types.is_duration(kind):
        return made(pa.int64(), lambda v: v // datetime.timedelta(microseconds=1))
    if pa.types.is_decimal(kind):
        if kind.scale == 0 and kind.precision <= 18:
            return made(pa.int64(), int)
        return made(pa.large_string(), lambda v: f"{v:f}")
    if pa.types.is_fixed_size_list(kind):
        return made(pa.list_(pa.float32(), kind.list_size))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return made(pa.list_(pa.float32(), 3))
    raise TypeError(kind)


def compare(found, array, what):
    global checks
    checks += 1
    wanted = expected(array)
    found.validate(full=True)
    # A null list in pyarrow is made of elements that are anything, so that values are compared and not buffers.
    if found.type != wanted.type or repr(found.to_pylist()) != repr(wanted.to_pylist()):
        sys.exit(f"{what} ({array.type}):\n expected {wanted.type} {wanted.to_pylist()[:20]}"
                 f"\n found    {found.type} {found.to_pylist()[:20]}")
    if found.null_count != wanted.null_count:
        sys.exit(f"{what}: {found.null_count} nulls, expected {wanted.null_count}")


def arrays(rows, is_null):
    """One array of each type; `is_null` says which rows are null."""

    def made(value, kind):
        return pa.array([None if is_null(i) else value(i) for i in range(rows)], kind)

    random.seed(rows)
    for bits in (8, 16, 32, 64):
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        yield made(lambda i: (low, high, 0, -1, i % 100)[i % 5], getattr(pa, f"int{bits}")())
        yield made(lambda i: (0, 2 ** min(bits, 63) - 1, i % 100)[i % 3], getattr(pa, f"uint{bits}")())
    floats = [0.0, -0.0, 1.5, float("inf"), float("-inf"), float("nan"), 0.25]
    yield made(lambda i: floats[i % 7], pa.float16())
    yield made(lambda i: floats[i % 7], pa.float32())
    yield made(lambda i: floats[i % 7] if i % 2 else random.random(), pa.float64())
    yield made(lambda i: i % 3 == 0, pa.bool_())
    yield pa.nulls(rows)
    text = ["", "a", "naïve 𝄞", "twelve bytes", "more than twelve bytes", "x" * 1000]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        yield made(lambda i: text[i % 6], kind)
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        yield made(lambda i: bytes([i % 256, 255]) * (i % 11), kind)
    yield made(lambda i: bytes([i % 256, 0, 255]), pa.binary(3))
    yield pa.ExtensionArray.from_storage(pa.uuid(), made(lambda i: uuid.UUID(int=i * 2**100 + i).bytes, pa.binary(16)))
    for unit, step in (("s", 1), ("ms", 1), ("us", 1), ("ns", 1000)):
        for zone in (None, "UTC", "America/New_York", "+05:30"):
            yield made(lambda i: (i - 50) * 123_457 * step, pa.timestamp(unit, zone))
        yield made(lambda i: (i - 50) * 7 * step, pa.duration(unit))
    yield made(lambda i: i * 500 - 10_000, pa.date32())
    yield made(lambda i: (i * 500 - 10_000) * 86_400_000, pa.date64())
    yield made(lambda i: i * 7 % 86_400, pa.time32("s"))
    yield made(lambda i: i * 7, pa.time32("ms"))
    yield made(lambda i: i * 7, pa.time64("us"))
    yield made(lambda i: i * 7_000, pa.time64("ns"))
    for kind in (pa.decimal32(9, 2), pa.decimal64(18, 0), pa.decimal128(18, 0), pa.decimal128(38, 10),
                 pa.decimal256(76, 30), pa.decimal64(12, 12)):
        top = 10 ** (kind.precision - 1)
        yield made(lambda i: decimal.Context(prec=76).scaleb(decimal.Decimal((top, -top, 0, i, -i)[i % 5]), -kind.scale), kind)
    yield made(lambda i: [i, -0.5, float("inf")], pa.list_(pa.float32(), 3))
    if rows and not all(map(is_null, range(rows))):
        yield made(lambda i: [i, -0.5, 2.0], pa.list_(pa.float32()))
        yield made(lambda i: [i, -0.5, 2.0], pa.large_list(pa.float32()))
    words = made(lambda i: f"entry {i % 7}", pa.string())
    yield words.dictionary_encode()
    for index in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.uint32(), pa.int64(), pa.uint64()):
        yield pa.DictionaryArray.from_arrays(made(lambda i: i % 3, index), pa.array([10, None, -30]))
    yield words.dictionary_encode().cast(pa.dictionary(pa.int32(), pa.string_view()))


PATTERNS = {
    "no nulls": lambda i: False,
    "some nulls": lambda i: i % 3 == 1,
    "long runs": lambda i: i // 70 % 2 == 1,
    "all nulls": lambda i: True,
}


def round_trips():
    for pattern, is_null in PATTERNS.items():
        for rows in (0, 1, 7, 64, 65, 200):
            made = list(arrays(rows, is_null))
            for array in made:
                what = f"{rows} rows, {pattern}"
                compare(through_column(array), array, what)
                for start, length in ((0, rows // 2), (1, rows), (rows // 3, rows // 3), (rows, 0)):
                    part = array.slice(start, length)
                    lists = pa.types.is_list(part.type) or pa.types.is_large_list(part.type)
                    if lists and part.null_count == len(part):
                        continue
                    compare(through_column(part), part, f"{what}, from {start}, {length} rows")
            batch = pa.RecordBatch.from_arrays(made, names=[f"column {i}" for i in range(len(made))])
            for part in (batch, batch.slice(rows // 3)):
                lists = [i for i, column in enumerate(part.columns) if pa.types.is_list(column.type)
                         or pa.types.is_large_list(column.type)]
                keep = [i for i in range(part.num_columns) if i not in lists or part.column(i).null_count < part.num_rows]
                part = part.select(keep)
                back = through_batch(part)
                assert back.schema.names == part.schema.names
                for name in part.schema.names:
                    compare(back[name], part[name], f"{rows} rows, {pattern}, in a batch")
                # As a struct array that starts past its children's first row.
                struct = pa.RecordBatch.from_struct_array(part.to_struct_array().slice(part.num_rows // 2))
                back = through_batch(struct)
                for name in struct.schema.names:
                    if struct[name].null_count < len(struct) or not pa.types.is_list(struct[name].type):
                        compare(back[name], struct[name], f"{rows} rows, {pattern}, in a sliced struct")


def streams():
    made = list(arrays(100, PATTERNS["some nulls"]))
    batch = pa.RecordBatch.from_arrays(made, names=[f"column {i}" for i in range(len(made))])
    table = pa.Table.from_batches([batch.slice(0, 30), batch.slice(30, 0), batch.slice(30, 70)])
    back = through_stream(table.to_reader()).read_all()
    for column, array in zip(back.columns, made):
        assert len(column.chunks) == 2
        for chunk in column.chunks:
            compare(chunk, array, "stream")
    empty = pa.RecordBatchReader.from_batches(pa.schema([("x", pa.int64())]), [])
    assert through_stream(empty).read_all().num_rows == 0
    reader = through_stream(table.to_reader(), fail_after=1)
    reader.read_next_batch()
    try:
        reader.read_next_batch()
        sys.exit("a stream that fails does not say so")
    except Exception as error:
        assert "told to fail" in str(error), error
    del reader

    def failing():
        yield batch
        raise RuntimeError("the producer fails")

    refused(lambda: through_stream(pa.RecordBatchReader.from_batches(batch.schema, failing())), "the producer fails")


def refused(function, text):
    global checks
    checks += 1
    try:
        function()
    except Refused as error:
        assert text in str(error), f"expected '{text}' in '{error}'"
    else:
        sys.exit(f"'{text}': not refused")


def refusals():
    def batch(**columns):
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    refused(lambda: through_batch(batch(s=pa.array([{"a": 1}]))), "column 's': its type is struct<a: int64>")
    refused(lambda: through_batch(batch(x=pa.array([2**63], pa.uint64()))), "row 0: 9223372036854775808")
    refused(lambda: through_batch(batch(x=pa.array([0, 1], pa.timestamp("ns", "UTC")))), "row 1: 1 ns")
    refused(lambda: through_batch(batch(x=pa.array([[1.0], [1.0, 2.0]], pa.list_(pa.float32())))), "row 1 has 2 elements")
    refused(lambda: through_batch(batch(x=pa.array([[1.0, None]], pa.list_(pa.float32())))), "row 0 has an element")
    refused(lambda: through_batch(batch(x=pa.array([[None, 1.0]], pa.list_(pa.float32(), 2)))), "row 0 has an element")
    refused(lambda: through_column(pa.array([None], pa.list_(pa.float32()))), "no row to tell")
    refused(lambda: through_batch(batch(x=pa.array([1, 2]).view(pa.duration("s")), y=pa.array([[(1, 2)]] * 2,
            pa.map_(pa.int64(), pa.int64())))), "column 'y'")


def hidden_values():
    """Null rows with something under them come back as nulls, and the something is gone."""
    validity = pa.py_buffer(bytes([0b101]))
    values = pa.py_buffer(b"".join(v.to_bytes(8, "little") for v in (1, 2**63 - 1, 3)))
    array = pa.Array.from_buffers(pa.int64(), 3, [validity, values])
    back = through_column(array)
    compare(back, array, "hidden integers")
    assert bytes(back.buffers()[1])[8:16] == bytes(8)
    ends = pa.py_buffer(b"".join(v.to_bytes(4, "little") for v in (0, 1, 3, 4)))
    array = pa.Array.from_buffers(pa.string(), 3, [validity, ends, pa.py_buffer(b"a\xff\xffb")])
    compare(through_column(array), array, "hidden text")
    array = pa.Array.from_buffers(pa.timestamp("ns", "UTC"), 3,
                                  [validity, pa.py_buffer(bytes(8) + b"\1" * 8 + bytes(8))])
    compare(through_column(array), array, "hidden nanoseconds")


def memory_is_given_back():
    before = pa.total_allocated_bytes()
    batch = pa.RecordBatch.from_arrays([pa.array([float(i) for i in range(100_000)]),
                                        pa.array([str(i) for i in range(100_000)])], names=["a", "b"])
    through_batch(batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        back = through_batch(batch)
        # A column lives on when its batch is gone.
        column = back.column(0)
        del back
        assert column[99_999].as_py() == 99_999.0
        del column
        through_column(batch.column(1))
        through_stream(pa.Table.from_batches([batch]).to_reader()).read_next_batch()
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    # One leak for each round would be over 400 MB.
    assert growth < 60, f"{growth:.0f} MB more after 200 rounds"
    del batch
    assert pa.total_allocated_bytes() == before, f"{pa.total_allocated_bytes() - before} bytes are still held"


start = pa.total_allocated_bytes()
round_trips()
streams()
refusals()
hidden_values()
memory_is_given_back()
import gc

gc.collect()
assert pa.total_allocated_bytes() == start, f"{pa.total_allocated_bytes() - start} bytes are still held"
print(f"{checks} arrays passed through and back")
