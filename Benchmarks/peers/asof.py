"""The as-of join by a peer, with two threads. ../asof.py starts it.

usage: asof.py join PEER SPINE TIME HISTORY…        TIME is the name of the history's event time
       asof.py data DIRECTORY ROWS KEYS SPINE FILES   makes history-0.parquet and so on of ROWS rows each, unsorted as
                                                      pandas writes them, and spine.parquet
PEER is duckdb, polars or feast.
"""

import os
import pathlib
import sys

# Before the libraries are loaded: they size their pools then.
os.environ["POLARS_MAX_THREADS"] = "2"

import numpy as np
import pyarrow.parquet

import runner
from formats import digests

VALUES = ["a", "b", "c"]


def in_spine_order(table):
    """The rows by their number in the spine: a join may give them in any order."""
    return digests(table.sort_by("row"))


def duckdb_join(spine, time, history):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads = 2; set timezone = 'UTC'")
    values = ", ".join(f"h.{name}" for name in VALUES)
    query = (
        f"select s.*, {values} from read_parquet('{spine}') s asof left join read_parquet({history}) h "
        f"on s.key = h.key and s.event_timestamp >= h.{time}"
    )
    return lambda: connection.sql(query).to_arrow_table()


def polars_join(spine, time, history):
    import polars

    def join():
        left = polars.read_parquet(spine).sort("event_timestamp")
        right = polars.read_parquet(history, columns=["key", time, *VALUES]).sort(time)
        joined = left.join_asof(right, left_on="event_timestamp", right_on=time, by="key", check_sortedness=False)
        return joined.select([*left.columns, *VALUES]).to_arrow()

    return join


def feast_join(spine, time, history):
    """Feast's own join over files, with its default store, from a repository that is made for the purpose."""
    os.environ["FEAST_USAGE"] = "False"
    import datetime
    import tempfile

    import dask
    import feast
    import feast.types
    import pandas

    dask.config.set(scheduler="threads", num_workers=2)
    (path,) = history
    repository = tempfile.TemporaryDirectory()
    config = feast.RepoConfig(
        project="bench",
        provider="local",
        registry=f"{repository.name}/registry.db",
        online_store={"type": "sqlite", "path": f"{repository.name}/online.db"},
        entity_key_serialization_version=3,
    )
    store = feast.FeatureStore(config=config)
    user = feast.Entity(name="user", join_keys=["key"], value_type=feast.ValueType.INT64)
    view = feast.FeatureView(
        name="latest",
        entities=[user],
        ttl=datetime.timedelta(0),
        schema=[feast.Field(name=name, dtype=feast.types.Float64) for name in VALUES],
        source=feast.FileSource(path=path, timestamp_field=time),
    )
    store.apply([user, view])

    def join():
        features = [f"latest:{name}" for name in VALUES]
        entities = pandas.read_parquet(spine)
        return store.get_historical_features(entity_df=entities, features=features).to_arrow()

    # The repository lives as long as the join does.
    join.repository = repository
    return join


def with_missing_rows(table, spine):
    """Feast leaves out the spine rows for which it finds nothing: they come back as nulls, to be compared."""
    rows = pyarrow.parquet.read_table(spine)
    return rows.join(table.select(["row", *VALUES]), "row", join_type="left outer").select([*rows.column_names, *VALUES])


def data(directory, rows, keys, spine_rows, files):
    import pandas

    start, span = 1_700_000_000_000_000, 90 * 86_400_000_000

    def times(random, count):
        return pandas.to_datetime(start + random.integers(0, span, count), unit="us", utc=True).as_unit("us")

    directory = pathlib.Path(directory)
    for number in range(files):
        random = np.random.default_rng(number)
        history = {"key": random.integers(0, keys, rows), "event_time": times(random, rows)}
        history |= {name: random.normal(size=rows) for name in VALUES}
        pandas.DataFrame(history).to_parquet(directory / f"history-{number}.parquet")
    random = np.random.default_rng(files)
    spine = {
        "row": np.arange(spine_rows),
        "key": random.integers(0, keys, spine_rows),
        "event_timestamp": times(random, spine_rows),
    }
    pandas.DataFrame(spine).to_parquet(directory / "spine.parquet")


def main():
    job, *arguments = sys.argv[1:]
    if job == "data":
        data(arguments[0], *map(int, arguments[1:]))
    elif job == "join":
        peer, spine, time, *history = arguments
        joins = {"duckdb": duckdb_join, "polars": polars_join, "feast": feast_join}
        answers = {"feast": lambda table: in_spine_order(with_missing_rows(table, spine))}
        warm_ups = 1 if peer == "feast" else 2
        runner.run(joins[peer](spine, time, history), answers.get(peer, in_spine_order), warm_ups)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
