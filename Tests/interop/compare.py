"""What Lockstep must give for an Arrow array, and whether what it gave is that, bit for bit."""

import uuid
import zoneinfo
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TIMESTAMP = pa.timestamp("us", "UTC")
EPOCH = datetime(1970, 1, 1)


class Refused(Exception):
    """The type is one that Lockstep refuses by name."""


def whole_microseconds(array):
    """The microseconds of timestamps, times of day or durations, whatever their unit."""
    numbers = array.cast(pa.int32()).cast(pa.int64()) if array.type.bit_width == 32 else array.cast(pa.int64())
    factor = {"s": 1_000_000, "ms": 1_000, "us": 1}.get(array.type.unit)
    if factor is None:
        return pc.divide(numbers, 1_000)
    return pc.multiply(numbers, factor)


def instants(wall, zone):
    """Instants of the wall clock of a zone, as PostgreSQL reads it.

    A time that is skipped takes the offset before the change, one that is shown twice the offset after it: of the two
    offsets that Python names by `fold`, the smaller.
    """
    if zone == "UTC":
        return wall
    rules = zoneinfo.ZoneInfo(zone)
    result = []
    for value in wall.to_pylist():
        if value is None:
            result.append(None)
            continue
        moment = EPOCH + timedelta(microseconds=value)
        offsets = [rules.utcoffset(moment.replace(fold=fold)) for fold in (0, 1)]
        result.append(value - min(offsets) // timedelta(microseconds=1))
    return pa.array(result, pa.int64())


def expected(array, zone="UTC"):
    """The array in Lockstep's types; raises `Refused` for one that Lockstep refuses."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind = array.type
    if pa.types.is_dictionary(kind):
        return expected(array.dictionary_decode(), zone)
    if isinstance(kind, pa.UuidType):
        texts = [None if value is None else str(uuid.UUID(bytes=value)) for value in array.storage.to_pylist()]
        return pa.array(texts, pa.large_string())
    if isinstance(kind, pa.JsonType):
        return array.storage.cast(pa.large_string())
    if pa.types.is_boolean(kind):
        return array
    if pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if kind == pa.float16():
        # numpy widens by bits, payloads of NaN included.
        mask = np.asarray(array.is_null())
        if len(array) == 0:
            return pa.array([], pa.float32())
        halves = np.frombuffer(array.buffers()[1], "float16")[array.offset :][: len(array)]
        return pa.array(halves.astype("float32"), mask=mask)
    if pa.types.is_floating(kind):
        return array
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return array.cast(pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return array.cast(pa.large_binary())
    if kind == pa.binary_view():
        return array.cast(pa.large_binary())
    if pa.types.is_decimal(kind):
        if kind.scale == 0 and kind.precision <= 18:
            return pa.array([None if value is None else int(value) for value in array.to_pylist()], pa.int64())
        texts = [None if value is None else format(value, "f") for value in array.to_pylist()]
        return pa.array(texts, pa.large_string())
    if pa.types.is_date(kind):
        days = array.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        return instants(pc.multiply(days, 86_400_000_000), zone).cast(TIMESTAMP)
    if pa.types.is_time(kind):
        return whole_microseconds(array)
    if pa.types.is_duration(kind):
        return whole_microseconds(array)
    if pa.types.is_timestamp(kind):
        numbers = whole_microseconds(array)
        return (numbers if kind.tz else instants(numbers, zone)).cast(TIMESTAMP)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        if kind.value_type == pa.float32():
            return vector(array)
    raise Refused(str(kind))


def vector(array):
    """Lists of floats of one length as a fixed-size list."""
    mask = np.asarray(array.is_null())
    lengths = {n for n in pc.list_value_length(array).to_pylist() if n is not None}
    if pa.types.is_fixed_size_list(array.type):
        lengths = {array.type.list_size}
    if len(lengths) != 1:
        raise Refused("lists of no one length")
    dimension = lengths.pop()
    values = np.zeros((len(array), dimension), "float32")
    values[~mask] = np.asarray(array.drop_null().flatten()).reshape(-1, dimension)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), dimension, mask=pa.array(mask))


def as_written(table, path):
    """The columns of a table, with the NaN that the writer of a Parquet file put into it.

    DuckDB's dictionaries and the Java of Spark take one NaN for another. That nothing else differs from the table is
    checked here, against pyarrow's reading of the file.
    """
    source = {name: table[name] for name in table.column_names}
    names = [name for name in table.column_names if "float" in name or "vector" in name]
    written = pq.read_table(path, columns=names, partitioning=None)
    for name in names:
        problem = difference(expected(written[name]), expected(table[name]), any_nan=True)
        if problem:
            raise ValueError(f"{path}: pyarrow reads another column '{name}' than was to be written: {problem}")
        source[name] = written[name]
    return source


def bits(array):
    """A fixed-width array's bits as integers, zero under nulls."""
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    values = np.asarray(array.fill_null(0))
    return values.view(f"int{values.dtype.itemsize * 8}")


def same_bits(left, right, any_nan):
    """The first row where two arrays of floats or integers differ, or None."""
    unlike = bits(left) != bits(right)
    if any_nan and pa.types.is_floating(left.type):
        unlike &= ~(np.isnan(np.asarray(left.fill_null(0))) & np.isnan(np.asarray(right.fill_null(0))))
    rows = np.flatnonzero(unlike)
    return int(rows[0]) if len(rows) else None


def difference(found, wanted, any_nan=False):
    """How the array found differs from the one wanted, or None. `any_nan` takes one NaN for another."""
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    if isinstance(wanted, pa.ChunkedArray):
        wanted = wanted.combine_chunks()
    if pa.types.is_string(found.type) or pa.types.is_binary(found.type):
        found = found.cast(pa.large_string() if pa.types.is_string(found.type) else pa.large_binary())
    is_vector = pa.types.is_fixed_size_list(wanted.type)
    if found.type != wanted.type and not is_vector:
        return f"type {found.type}, expected {wanted.type}"
    if len(found) != len(wanted):
        return f"{len(found)} rows, expected {len(wanted)}"
    gone = np.flatnonzero(np.asarray(found.is_null()) != np.asarray(wanted.is_null()))
    if len(gone):
        return f"row {gone[0]}: {found[int(gone[0])]}, expected {wanted[int(gone[0])]}"
    if is_vector:
        lengths = pc.unique(pc.list_value_length(found.drop_null())).to_pylist()
        if found.null_count < len(found) and lengths != [wanted.type.list_size]:
            return f"vectors of lengths {lengths}, expected {wanted.type.list_size}"
        place = same_bits(found.drop_null().flatten(), wanted.drop_null().flatten(), any_nan)
        return None if place is None else f"element {place} of the vectors that are not null"
    if pa.types.is_large_string(wanted.type) or pa.types.is_large_binary(wanted.type):
        left, right = found.cast(pa.large_binary()).fill_null(b""), wanted.cast(pa.large_binary()).fill_null(b"")
        rows = np.flatnonzero(~np.asarray(pc.equal(left, right)))
        row = int(rows[0]) if len(rows) else None
    else:
        row = same_bits(found, wanted, any_nan)
    if row is None:
        return None
    return f"row {row}: {shown(found, row)}, expected {shown(wanted, row)}"


def shown(array, row):
    """A value for a message, with its bits where a number alone would not tell two apart."""
    text = repr(array[row].as_py() if not pa.types.is_timestamp(array.type) else array[row].cast(pa.int64()).as_py())
    text = text if len(text) <= 80 else text[:80] + "…"
    if pa.types.is_floating(array.type):
        text += f" ({int(bits(array.slice(row, 1))[0]) & (1 << array.type.bit_width) - 1:#x})"
    return text
