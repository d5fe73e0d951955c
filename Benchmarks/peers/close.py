"""Compares two Parquet files of answers, column by column, and says how far their floats lie apart.

usage: close.py OURS THEIRS TOLERANCE

Nulls and everything that is not a float must be equal. TOLERANCE is a number of units in the last place, such as 4ulp, or
the greatest |x - y| / (1 + max(|x|, |y|)), such as 1e-9.
"""

import sys

import numpy as np
import pyarrow.parquet


def ordinals(values):
    """Integers that count the floats in order, both zeros being one."""
    bits = values.view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def distances(left, right, in_ulps):
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        if in_ulps:
            apart = np.abs(ordinals(left) - ordinals(right)).astype(float)
        else:
            apart = np.abs(left - right) / (1 + np.maximum(np.abs(left), np.abs(right)))
    # What is not a number, or infinite, on one side only is as far away as can be.
    return np.where(same, 0, np.where(np.isfinite(left) & np.isfinite(right), apart, np.inf))


def difference(ours, theirs, tolerance):
    """What is wrong, or None; and what is to be said of answers that are close enough."""
    in_ulps = tolerance.endswith("ulp")
    most = float(tolerance.removesuffix("ulp"))
    if ours.column_names != theirs.column_names or ours.num_rows != theirs.num_rows:
        return f"ours is {ours.shape}, {ours.column_names}; theirs {theirs.shape}, {theirs.column_names}", None
    worst, unequal = 0, 0
    for name in ours.column_names:
        left, right = ours[name].combine_chunks(), theirs[name].combine_chunks()
        if not left.is_valid().equals(right.is_valid()):
            return f"{name}: the nulls differ", None
        left, right = left.drop_null().to_numpy(), right.drop_null().to_numpy()
        if left.dtype != np.float64:
            if not np.array_equal(left, right):
                return f"{name} differs", None
            continue
        apart = distances(left, right, in_ulps)
        if apart.max(initial=0) > most:
            row = int(apart.argmax())
            return f"{name}: {left[row]!r} and {right[row]!r} are more than {tolerance} apart", None
        worst, unequal = max(worst, apart.max(initial=0)), unequal + int((apart > 0).sum())
    unit = " ulp" if in_ulps else ""
    return None, f"{unequal} of {ours.num_rows * ours.num_columns} values differ, by at most {worst:.3g}{unit}"


def main(ours, theirs, tolerance):
    wrong, right = difference(pyarrow.parquet.read_table(ours), pyarrow.parquet.read_table(theirs), tolerance)
    print(wrong or right)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
