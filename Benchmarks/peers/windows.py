"""Windowed aggregates by DuckDB, with two threads. ../windows.py starts it.

usage: windows.py aggregate windows|join EVENTS SPINE OUTPUT FUNCTION:COLUMN:DAYS…
       windows.py data even|hot|late EVENTS SPINE ROWS KEYS SPINE_ROWS

`windows` is the query with range windows over the union of events and spine; `join` joins each spine row with the events of
its widest window and aggregates with filters, which alone can ask whether an event was known.
"""

import sys

import duckdb
import numpy as np
import pyarrow.parquet

import runner

DAY = 86_400_000_000


def parsed(aggregates):
    for text in aggregates:
        function, column, days = text.split(":")
        yield text.replace(":", "_"), {"stddev": "stddev_samp"}.get(function, function), column, int(days) * DAY


def call(function, column):
    # Integers sum to a wider type.
    text = f"count(distinct {column})" if function == "count_distinct" else f"{function}({column})"
    return text, "::bigint" if function == "sum" and column == "b" else ""


def windows_query(events, spine, aggregates, known):
    if known:
        raise ValueError("one order of rows cannot say what happened and what was known")
    items, frames = [], {}
    for name, function, column, width in parsed(aggregates):
        text, cast = call(function, column)
        items.append(f"({text} over w{width}){cast} as {name}")
        # The old end is open.
        frame = f"partition by key order by t range between {width - 1} preceding and current row"
        frames[width] = f"w{width} as ({frame})"
    return f"""
        select * from (
            select row, {", ".join(items)} from (
                select row, key, epoch_us(event_timestamp) as t, null as a, null as b from read_parquet('{spine}')
                union all
                select null, key, epoch_us(event_time), a, b from read_parquet('{events}')
            )
            window {", ".join(frames.values())}
        ) where row is not null"""


def join_query(events, spine, aggregates, known):
    items = []
    for name, function, column, width in parsed(aggregates):
        text, cast = call(function, column)
        items.append(f"({text} filter (e.t > s.t - {width})){cast} as {name}")
    widest = max(width for _, _, _, width in parsed(aggregates))
    columns = "a, b, epoch_us(known_at) as known" if known else "a, b"
    return f"""
        select s.row, {", ".join(items)}
        from (select row, key, epoch_us(event_timestamp) as t from read_parquet('{spine}')) s
        left join (select key, epoch_us(event_time) as t, {columns} from read_parquet('{events}')) e
        on e.key = s.key and e.t <= s.t and e.t > s.t - {widest} {"and e.known <= s.t" if known else ""}
        group by s.row"""


def aggregate(form, events, spine, output, *aggregates):
    connection = duckdb.connect()
    connection.execute("set threads = 2; set timezone = 'UTC'")
    known = "known_at" in pyarrow.parquet.read_schema(events).names
    query = {"windows": windows_query, "join": join_query}[form](events, spine, aggregates, known)

    def answer(table):
        table = table.sort_by("row").drop_columns(["row"])
        pyarrow.parquet.write_table(table, output)
        yield "rows", table.num_rows
        for name in table.column_names:
            yield name, f"{table[name].null_count} nulls"

    runner.run(lambda: connection.sql(query).to_arrow_table(), answer, warm_ups=1)


def data(kind, events, spine, rows, keys, spine_rows):
    """Events of 90 days in no order, `a` normal and `b` below 1,000, and a spine over the same days.

    Of `hot`, one key has a twentieth of both; of `late`, an event becomes known an hour after it on average.
    """
    import pandas

    random = np.random.default_rng(13)
    start, span = 1_700_000_000_000_000, 90 * DAY

    def key(count):
        key = random.integers(0, keys, count)
        if kind == "hot":
            key[random.random(count) < 0.05] = 0
        return key

    def instants(times):
        return pandas.to_datetime(times, unit="us", utc=True).as_unit("us")

    times = start + random.integers(0, span, rows)
    columns = {"key": key(rows), "event_time": instants(times)}
    if kind == "late":
        columns["known_at"] = instants(times + random.exponential(3_600_000_000, rows).astype(np.int64))
    columns |= {"a": random.normal(size=rows), "b": random.integers(0, 1000, rows)}
    pandas.DataFrame(columns).to_parquet(events)
    times = instants(start + random.integers(0, span, spine_rows))
    pandas.DataFrame({"row": np.arange(spine_rows), "key": key(spine_rows), "event_timestamp": times}).to_parquet(spine)


def main():
    job, *arguments = sys.argv[1:]
    if job == "data":
        data(*arguments[:3], *map(int, arguments[3:]))
    elif job == "aggregate":
        aggregate(*arguments)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
