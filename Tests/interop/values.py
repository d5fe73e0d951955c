"""Columns of every type, with the values that break readers, from a seed."""

import decimal
import uuid

import numpy as np
import pyarrow as pa

PATTERNS = ("none", "some", "all", "runs", "first", "last")


def null_mask(pattern, rows, random):
    """True where a row is null."""
    mask = np.zeros(rows, dtype=bool)
    if pattern == "some":
        mask = random.random(rows) < 0.3
    elif pattern == "all":
        mask[:] = True
    elif pattern == "runs":
        mask = np.arange(rows) // 70 % 2 == 1
    elif pattern == "first":
        mask[:1] = True
    elif pattern == "last":
        mask[-1:] = True
    return mask


def spread(edges, others, random):
    """One row in three an edge value, in random places."""
    return np.where(random.random(len(others)) < 0.33, random.choice(edges, len(others)), others)


def integers(bits, signed, rows, random):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    # Lockstep has no type above int64; greater uint64 values have a case of their own.
    high = min(high, (1 << 63) - 1)
    dtype = f"{'int' if signed else 'uint'}{bits}"
    shape = random.integers(4)
    if shape == 0:
        others = random.integers(low, high, rows, dtype=dtype, endpoint=True)
    elif shape == 1:
        others = np.sort(random.integers(low, high, rows, dtype=dtype, endpoint=True))
    elif shape == 2:
        return (np.arange(rows) % 100).astype(dtype)
    else:
        others = random.integers(0, 7, rows).astype(dtype)
    return spread(np.array([low, high, 0, 1, max(low, -1)], dtype=dtype), others, random)


NAN_BITS = {
    16: [0x7E00, 0xFE00, 0x7E55],
    32: [0x7FC00000, 0xFFC00000, 0x7F800001, 0x7FC12345, 0xFFFFFFFF],
    64: [0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0x7FF8DEADBEEF0001, 0xFFFFFFFFFFFFFFFF],
}


def floats(bits, rows, random):
    """Floats of all magnitudes, NaN with payloads, zeros and infinities of both signs, subnormals."""
    dtype, unsigned = np.dtype(f"float{bits}"), np.dtype(f"uint{bits}")
    info = np.finfo(dtype)
    plain = np.array(
        [
            0.0,
            -0.0,
            1.5,
            -np.inf,
            np.inf,
            info.max,
            info.min,
            info.tiny,
            info.smallest_subnormal,
            -info.smallest_subnormal,
        ],
        dtype=dtype,
    ).view(unsigned)
    edges = np.concatenate([plain, np.array(NAN_BITS[bits], dtype=unsigned)])
    if random.integers(2):
        others = random.integers(0, np.iinfo(unsigned).max, rows, dtype=unsigned, endpoint=True)
    else:
        others = (np.round(random.normal(0, 100, rows)) / 4).astype(dtype).view(unsigned)
    values = spread(edges, others, random).view(dtype)
    if bits == 16:
        # Widening a half may make a signalling NaN quiet, so there are only quiet ones.
        values.view(unsigned)[np.isnan(values)] |= 0x200
    return values


WORDS = [
    "",
    "a",
    "naïve",
    'comma, "quote"',
    "line\nbreak\r\n",
    "NA",
    " ",
    "𝄞",
    "\ufeffx",
    "0",
    "null",
    "prefix-prefix-1",
]


def strings(rows, random):
    shape = random.integers(4)
    if shape == 0:
        return [WORDS[i] for i in random.integers(0, len(WORDS), rows)]
    if shape == 1:
        return [f"shared prefix of every row {i:06}" for i in range(rows)]
    if shape == 2:
        return [WORDS[i % len(WORDS)] + str(i * i) for i in range(rows)]
    return ["é" * int(n) for n in random.integers(0, 60, rows)]


def byte_strings(rows, random):
    words = [b"", b"\x00", b"\xff\xfe", b"\x80abc", b'a,b\n"c"']
    if random.integers(2):
        return [words[i] for i in random.integers(0, len(words), rows)]
    return [random.bytes(int(n)) for n in random.integers(0, 40, rows)]


def decimals(precision, scale, rows, random):
    top = 10**precision - 1
    edges = [top, -top, 0, 1, -1]
    context = decimal.Context(prec=100)
    values = []
    for _ in range(rows):
        if random.integers(3) == 0:
            number = edges[random.integers(len(edges))]
        else:
            number = int.from_bytes(random.bytes(40), "little", signed=True)
            number = (abs(number) % 10 ** int(random.integers(1, precision + 1))) * (1 if number > 0 else -1)
        values.append(decimal.Decimal(number).scaleb(-scale, context))
    return values


# Instants that each unit can hold, in microseconds: years 1 to 9999, and for nanoseconds those of 64 bits.
FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
FIRST_NS_US, LAST_NS_US = -9_223_372_036_854_775, 9_223_372_036_854_775


def instants(unit, rows, random):
    """Numbers of a unit since 1970; nanoseconds are whole microseconds, which is what a Lockstep timestamp holds."""
    if unit == "ns":
        edges, low, high = [FIRST_NS_US, LAST_NS_US, 0, -1, 1], FIRST_NS_US, LAST_NS_US
        return spread(np.array(edges), random.integers(low, high, rows), random) * 1_000
    divisor = {"s": 1_000_000, "ms": 1_000, "us": 1}[unit]
    edges = np.array([FIRST_US, LAST_US, 0, -1, 1, 1_357_034_400_000_000]) // divisor
    return spread(edges, random.integers(FIRST_US, LAST_US, rows) // divisor, random)


def vectors(dimension, rows, random):
    return floats(32, rows * dimension, random).reshape(rows, dimension)


def masked(values, kind, mask):
    """An Arrow array of the values, null where the mask is set."""
    if isinstance(values, np.ndarray):
        return pa.array(values, mask=mask).cast(kind)
    return pa.array([None if gone else value for value, gone in zip(values, mask)], kind)


def timestamps(unit, zone, rows, mask, random):
    return pa.array(instants(unit, rows, random), pa.int64(), mask=mask).cast(pa.timestamp(unit, zone))


def vector_array(kind, dimension, rows, mask, random):
    values = vectors(dimension, rows, random)
    items = pa.array(values.reshape(-1))
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(items, dimension, mask=pa.array(mask))
    lengths = np.where(mask, 0, dimension)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    kept = pa.array(values[~mask].reshape(-1))
    large = pa.types.is_large_list(kind)
    shape = pa.LargeListArray if large else pa.ListArray
    return shape.from_arrays(
        pa.array(offsets, pa.int64() if large else pa.int32()), kept, mask=pa.array(mask) if mask.any() else None
    )


def column(name, rows, pattern, random):
    """A column by the name of its kind; `KINDS` has the names."""
    mask = null_mask(pattern, rows, random)
    return KINDS[name](rows, mask, random)


def _int(bits, signed):
    kind = pa.from_numpy_dtype(np.dtype(f"{'int' if signed else 'uint'}{bits}"))
    return lambda rows, mask, random: masked(integers(bits, signed, rows, random), kind, mask)


def _float(bits):
    return lambda rows, mask, random: pa.array(floats(bits, rows, random), mask=mask)


def _text(kind):
    return lambda rows, mask, random: masked(strings(rows, random), kind, mask)


def _bytes(kind):
    return lambda rows, mask, random: masked(byte_strings(rows, random), kind, mask)


def _decimal(kind):
    return lambda rows, mask, random: masked(decimals(kind.precision, kind.scale, rows, random), kind, mask)


def _timestamp(unit, zone):
    return lambda rows, mask, random: timestamps(unit, zone, rows, mask, random)


def _vector(kind, dimension):
    return lambda rows, mask, random: vector_array(kind, dimension, rows, mask, random)


def _uuid(rows, mask, random):
    values = [uuid.UUID(bytes=random.bytes(16)).bytes for _ in range(rows)]
    return pa.ExtensionArray.from_storage(pa.uuid(), masked(values, pa.binary(16), mask))


def _dictionary(index, values):
    def make(rows, mask, random):
        plain = KINDS[values](rows, mask, random)
        encoded = plain.dictionary_encode()
        if len(encoded.dictionary) > 100:
            encoded = (
                plain.slice(0, 0).dictionary_encode()
                if rows == 0
                else plain.take(pa.array(np.arange(rows) % 50)).dictionary_encode()
            )
        return encoded.cast(pa.dictionary(index, encoded.type.value_type))

    return make


KINDS = {
    "bool": lambda rows, mask, random: pa.array(random.integers(0, 2, rows).astype(bool), mask=mask),
    **{f"int{bits}": _int(bits, True) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": _int(bits, False) for bits in (8, 16, 32, 64)},
    "float16": _float(16),
    "float32": _float(32),
    "float64": _float(64),
    "string": _text(pa.string()),
    "large_string": _text(pa.large_string()),
    "binary": _bytes(pa.binary()),
    "large_binary": _bytes(pa.large_binary()),
    "fixed_binary": lambda rows, mask, random: masked([random.bytes(5) for _ in range(rows)], pa.binary(5), mask),
    "decimal32": _decimal(pa.decimal128(9, 2)),
    "decimal64": _decimal(pa.decimal128(18, 4)),
    "decimal128": _decimal(pa.decimal128(38, 10)),
    "decimal256": _decimal(pa.decimal256(70, 30)),
    "decimal_whole": _decimal(pa.decimal128(18, 0)),
    "decimal_wide": _decimal(pa.decimal128(20, 0)),
    "date32": lambda rows, mask, random: pa.array(
        (instants("s", rows, random) // 86_400).astype("int32"), mask=mask
    ).cast(pa.date32()),
    "date64": lambda rows, mask, random: pa.array(instants("s", rows, random) // 86_400 * 86_400_000, mask=mask).cast(
        pa.date64()
    ),
    "time_s": lambda rows, mask, random: pa.array(random.integers(0, 86_400, rows).astype("int32"), mask=mask).cast(
        pa.time32("s")
    ),
    "time_ms": lambda rows, mask, random: pa.array(
        spread(np.array([0, 86_399_999]), random.integers(0, 86_400_000, rows), random).astype("int32"), mask=mask
    ).cast(pa.time32("ms")),
    "time_us": lambda rows, mask, random: pa.array(
        spread(np.array([0, 86_399_999_999]), random.integers(0, 86_400_000_000, rows), random), mask=mask
    ).cast(pa.time64("us")),
    "time_ns": lambda rows, mask, random: pa.array(random.integers(0, 86_400_000_000, rows) * 1_000, mask=mask).cast(
        pa.time64("ns")
    ),
    **{
        f"timestamp_{unit}_{'naive' if zone is None else 'utc' if zone == 'UTC' else 'zone'}": _timestamp(unit, zone)
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "America/New_York")
    },
    "uuid": _uuid,
    "vector1": _vector(pa.list_(pa.float32()), 1),
    "vector3": _vector(pa.list_(pa.float32()), 3),
    "large_vector": _vector(pa.large_list(pa.float32()), 4),
    "fixed_vector": _vector(pa.list_(pa.float32(), 3), 3),
    "dictionary_string": _dictionary(pa.int32(), "string"),
    "dictionary_small": _dictionary(pa.int8(), "string"),
    "dictionary_int64": _dictionary(pa.int16(), "int64"),
}


def table(kinds, rows, pattern, seed):
    """A table of one column for each kind, named like it."""
    random = np.random.default_rng(seed)
    return pa.table({kind: column(kind, rows, pattern, random) for kind in kinds})
