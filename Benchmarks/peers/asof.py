"""The as-of join by a peer, with two threads. ../asof.py starts it.

usage: asof.py join PEER SPINE HISTORY TIME      TIME is the name of the history's event time
       asof.py data DIRECTORY ROWS KEYS SPINE    makes history.parquet, unsorted as pandas writes it, and spine.parquet
PEER is duckdb or polars.
"""

import os
import pathlib
import sys

# Before the libraries are loaded: they size their pools then.
os.environ["POLARS_MAX_THREADS"] = "2"

import numpy as np

import runner
from formats import digests

VALUES = ["a", "b", "c"]


def in_spine_order(table):
    """The rows by their number in the spine: a join may give them in any order."""
    return digests(table.sort_by("row"))


def duckdb_join(spine, history, time):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads = 2; set timezone = 'UTC'")
    values = ", ".join(f"h.{name}" for name in VALUES)
    query = (
        f"select s.*, {values} from read_parquet('{spine}') s asof left join read_parquet('{history}') h "
        f"on s.key = h.key and s.event_timestamp >= h.{time}"
    )
    return lambda: connection.sql(query).to_arrow_table()


def polars_join(spine, history, time):
    import polars

    def join():
        left = polars.read_parquet(spine).sort("event_timestamp")
        right = polars.read_parquet(history, columns=["key", time, *VALUES]).sort(time)
        joined = left.join_asof(right, left_on="event_timestamp", right_on=time, by="key", check_sortedness=False)
        return joined.select([*left.columns, *VALUES]).to_arrow()

    return join


def data(directory, rows, keys, spine_rows):
    import pandas

    random = np.random.default_rng(7)
    start, span = 1_700_000_000_000_000, 90 * 86_400_000_000

    def times(count):
        return pandas.to_datetime(start + random.integers(0, span, count), unit="us", utc=True).as_unit("us")

    history = {"key": random.integers(0, keys, rows), "event_time": times(rows)}
    history |= {name: random.normal(size=rows) for name in VALUES}
    pandas.DataFrame(history).to_parquet(pathlib.Path(directory) / "history.parquet")
    spine = {
        "row": np.arange(spine_rows),
        "key": random.integers(0, keys, spine_rows),
        "event_timestamp": times(spine_rows),
    }
    pandas.DataFrame(spine).to_parquet(pathlib.Path(directory) / "spine.parquet")


def main():
    job, *arguments = sys.argv[1:]
    if job == "data":
        data(arguments[0], *map(int, arguments[1:]))
    elif job == "join":
        peer, spine, history, time = arguments
        joins = {"duckdb": duckdb_join, "polars": polars_join}
        runner.run(joins[peer](spine, history, time), in_spine_order)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
