#!/usr/bin/env python3
"""An independent oracle for the flights example.

Recomputes the whole training set from the raw CSV files with DuckDB and NumPy, sharing nothing with Lockstep but the
documented rules, and compares every value bit for bit with .derived/training.parquet; standard deviations alone may differ
by TOLERANCE. Rules broken on purpose, once each, must make values differ. Then it opens the objects that
lockstep.lock names with pyarrow, DuckDB and a plain safetensors parser.

    python oracle.py [EXAMPLE_DIRECTORY]        (this file's directory by default; needs duckdb, numpy and pyarrow)

The definitions of features/*.yaml are written here a second time, on purpose: change both together.
Exit code 0 when everything agrees, 1 when anything differs.
"""

import fractions
import hashlib
import json
import math
import pathlib
import shutil
import struct
import subprocess
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# features/*.yaml, a second time.
WEATHER_LAG = 10 * MINUTE
WEATHER_TTL = 3 * HOUR
PLANE_TTL = 7 * DAY
CARRIER_TTL = 1 * DAY
BIN_COUNT = 20
DIMENSION = 8

# In units in the last place. docs/semantics.md promises stddev within 2 of the exact value, and the quotient and the root
# below are rounded once each, which together is less than 1.
TOLERANCE = {"carrier_spread": 3}

problems = []


def report(ok, what, detail=""):
    print(f"{'ok  ' if ok else 'FAIL'} {what}{': ' + detail if detail else ''}", flush=True)
    if not ok:
        problems.append(what)


# ── columns: values and validity ─────────────────────────────────────────────────────────────────────────────────────


class Values:
    """A column: `values`, and `valid` where it is not null."""

    def __init__(self, values, valid=None):
        self.values = np.asarray(values)
        self.valid = np.ones(len(self.values), bool) if valid is None else np.asarray(valid, bool)

    def take(self, rows):
        """Row -1 gives null."""
        found = rows >= 0
        safe = np.where(found, rows, 0)
        return Values(self.values[safe], self.valid[safe] & found)

    def both(self, other, values):
        return Values(values, self.valid & other.valid)


class Table:
    """A CSV file: every cell as text, in file order; NA and the empty unquoted cell are null."""

    def __init__(self, connection, path):
        rows = connection.execute(
            "select * from read_csv(?, all_varchar = true, header = true, nullstr = ['NA', ''], "
            "allow_quoted_nulls = false, parallel = false)",
            [str(path)],
        ).fetchnumpy()
        self.text = {
            name: Values(np.ma.getdata(cells), ~np.ma.getmaskarray(cells)) for name, cells in rows.items()
        }
        self.count = len(next(iter(self.text.values())).values)

    def _parsed(self, name, kind):
        text = self.text[name]
        parsed = np.zeros(self.count, kind)
        convert = int if kind == np.int64 else float  # float() rounds correctly
        parsed[text.valid] = [convert(cell) for cell in text.values[text.valid]]
        return Values(parsed, text.valid)

    def int64(self, name):
        return self._parsed(name, np.int64)

    def float64(self, name):
        return self._parsed(name, np.float64)

    def string(self, name):
        text = self.text[name]
        return Values(np.where(text.valid, text.values, None), text.valid)

    def timestamp(self, name):
        """RFC 3339 in UTC, as microseconds."""
        text = self.text[name]
        cells = np.where(text.valid, text.values, "1970-01-01T00:00:00Z").astype(str)
        assert all(cell.endswith("Z") for cell in cells), f"{name} is not all UTC"
        return Values(np.char.rstrip(cells, "Z").astype("datetime64[us]").astype(np.int64), text.valid)


# ── the point-in-time join: DESIGN.md 2 ──────────────────────────────────────────────────────────────────────────────


def winners(connection, keys, event_times, known_times, spine_keys, spine_times, ttl):
    """For each spine row the winning history row, or -1.

    Visible: event_time <= t, known_at <= t, and with a TTL event_time >= t - ttl. Of the visible rows the greatest
    (event_time, known_at, file order) wins. As both sources give known_at as event_time + a constant, the winner at t is
    the last row of the greatest known_at <= t, so one ASOF join finds it; the TTL is then tested on it.
    """
    lags = known_times - event_times
    assert len(np.unique(lags)) <= 1 and (len(lags) == 0 or lags[0] >= 0), "this join needs one lag for the source"
    history = pa.table({
        "key": pa.array(keys.values, pa.string(), mask=~keys.valid), "known": known_times,
        "row": np.arange(len(known_times)),
    })
    spine = pa.table({
        "key": pa.array(spine_keys.values, pa.string(), mask=~spine_keys.valid), "t": spine_times,
        "place": np.arange(len(spine_times)),
    })
    connection.register("history", history)
    connection.register("spine", spine)
    found = connection.execute(
        """
        with last as (select key, known, max(row) as row from history where key is not null group by key, known)
        select coalesce(last.row, -1) as row
        from spine asof left join last on spine.key = last.key and spine.t >= last.known
        order by spine.place
        """
    ).fetchnumpy()["row"]
    found = np.ma.filled(found, -1).astype(np.int64)
    if ttl is not None:
        too_old = (found >= 0) & (event_times[np.maximum(found, 0)] < spine_times - ttl)
        found = np.where(too_old, -1, found)
    return found


def winner_by_force(keys, event_times, known_times, key, t, ttl):
    """The rule as it is written, for one spine row."""
    if key is None:
        return -1
    best = -1
    for row in np.flatnonzero(keys.valid & (keys.values == key)):
        if event_times[row] <= t and known_times[row] <= t and (ttl is None or event_times[row] >= t - ttl):
            if best < 0 or (event_times[row], known_times[row], row) > (event_times[best], known_times[best], best):
                best = row
    return best


# ── windows: t - width < event_time <= t and known_at <= t ───────────────────────────────────────────────────────────────


class Windows:
    """For each spine row the history rows in its window: `order[low:high]`, in order of event time.

    Like `winners` this needs one lag for the source: with it, known rows are the first ones by event time.
    `old_end="right"` leaves a row of t - width out, which is the rule; "left" would take it in.
    """

    def __init__(self, keys, event_times, known_times, spine_keys, t, width, old_end="right"):
        assert len(np.unique(known_times - event_times)) == 1
        names = np.unique(keys.values[keys.valid].astype(str))
        codes = np.full(len(keys.values), -1)
        codes[keys.valid] = np.searchsorted(names, keys.values[keys.valid].astype(str))
        self.order = np.lexsort((np.arange(len(codes)), event_times, codes))
        asked = np.where(spine_keys.valid, spine_keys.values, "").astype(str)
        found = np.minimum(np.searchsorted(names, asked), len(names) - 1)
        found = np.where(spine_keys.valid & (names[found] == asked), found, -1)
        self.low, self.high = np.zeros(len(t), int), np.zeros(len(t), int)
        for code in range(len(names)):
            rows = np.flatnonzero(found == code)
            begin, end = np.searchsorted(codes[self.order], [code, code + 1])
            block = self.order[begin:end]
            low = begin + np.searchsorted(event_times[block], t[rows] - width, side=old_end)
            high = begin + np.searchsorted(known_times[block], t[rows], side="right")
            self.low[rows], self.high[rows] = low, np.maximum(low, high)
        # Windows that hold the same rows are aggregated once.
        pairs = self.low * (len(codes) + 1) + self.high
        _, self.first, self.place = np.unique(pairs, return_index=True, return_inverse=True)

    def totals(self, values):
        """Exact sums of integers, by running sums."""
        sums = np.concatenate([[0], np.cumsum(values[self.order])])
        return sums[self.high] - sums[self.low]

    def each(self, column, function, kind):
        """`function` of the values that are not null, in order; None is null, and so is what comes of no values."""
        values, valid = column.values[self.order], column.valid[self.order]
        results = np.zeros(len(self.first), kind)
        present = np.zeros(len(self.first), bool)
        for number, row in enumerate(self.first):
            span = slice(self.low[row], self.high[row])
            cells = values[span][valid[span]]
            if len(cells):
                results[number], present[number] = function(cells), True
        return Values(results[self.place], present[self.place])


def mean(cells):
    """The exact mean, rounded once."""
    return float(sum(map(fractions.Fraction, cells.tolist())) / len(cells))


def median(cells):
    """The least value that at least half of the values do not exceed: an order statistic, never interpolated."""
    return np.sort(cells)[-(-len(cells) // 2) - 1]


def traffic(sources, spine_keys, t, **rule):
    """The features of carrier_traffic."""
    landings = sources.landings
    events, known = landings["__event_time"].values, landings["__known_at"].values
    hours, day = (
        Windows(landings["carrier"], events, known, spine_keys, t, width, **rule) for width in (6 * HOUR, DAY)
    )
    delay, ones = landings["arr_delay"], np.ones(len(events), np.int64)
    x = np.where(delay.valid, delay.values, 0)
    columns = {"carrier_landed": Values(hours.totals(ones))}
    known_delays, late = hours.totals(delay.valid.astype(np.int64)), hours.totals((x > 15).astype(np.int64))
    columns["carrier_late_share"] = Values(late / np.maximum(known_delays, 1), known_delays > 0)
    columns["carrier_worst"] = day.each(delay, np.max, np.int64)
    columns["carrier_middle"] = day.each(delay, median, np.int64)
    # n Σx² - (Σx)² is a whole number below 2^53, so only the quotient and the root are rounded.
    n, total, squares = day.totals(delay.valid.astype(np.int64)), day.totals(x), day.totals(x * x)
    assert (n * squares < 2**53).all()
    columns["carrier_spread"] = Values(np.sqrt((n * squares - total * total) / np.maximum(n * (n - 1), 1)), n > 1)
    tailnum = landings["tailnum"]
    columns["carrier_planes"] = day.each(tailnum, lambda cells: len(set(cells.tolist())), np.int64)
    columns["carrier_planes"].valid[:] = True  # a count over nothing is zero
    columns["carrier_far_delay"] = far_delay(landings, day, lambda distance: distance > 1000)
    return columns, {"carrier_traffic over 6h": hours, "carrier_traffic over 1d": day}


def far_delay(landings, windows, condition):
    delay, distance = landings["arr_delay"], landings["distance"]
    counts = delay.valid & distance.valid & condition(distance.values)
    total = windows.totals(np.where(counts, delay.values, 0))
    return Values(total, windows.totals(counts.astype(np.int64)) > 0)


def readings(sources, spine_keys, t, known=None):
    """The last six hours of weather: sum(precip), and the windows themselves."""
    weather = sources.weather
    events = weather["__event_time"].values
    known = weather["__known_at"].values if known is None else known
    windows = Windows(weather["origin"], events, known, spine_keys, t, 6 * HOUR)
    return windows.each(weather["precip"], lambda cells: math.fsum(cells.tolist()) + 0.0, np.float64), windows


# ── expressions and bins ─────────────────────────────────────────────────────────────────────────────────────────────


def either(left, right):
    """`or` with three values."""
    left_true, right_true = left.valid & left.values, right.valid & right.values
    return Values(left_true | right_true, left_true | right_true | (left.valid & right.valid))


def coalesce(first, second):
    return Values(np.where(first.valid, first.values, second.values), first.valid | second.valid)


def quantile_edges(column, bins):
    """Inverted-CDF quantiles, exactly: sorted[ceil(k * N / n) - 1]; equal ones merge, the minimum is no edge."""
    finite = np.sort(column.values[column.valid & np.isfinite(column.values)])
    edges = []
    for k in range(1, bins):
        edge = finite[-(-k * len(finite) // bins) - 1]
        if edge > finite[0] and (not edges or edge > edges[-1]):
            edges.append(edge)
    return np.array(edges) + 0.0  # -0.0 is 0.0


def bin_ids(column, edges):
    """bin(v) = #{ b : b <= v }; NaN has the bin after the last."""
    ids = np.searchsorted(edges, column.values, side="right")
    ids = np.where(np.isnan(column.values), len(edges) + 1, ids)
    return Values(ids.astype(np.int64), column.valid)


# ── the training set ─────────────────────────────────────────────────────────────────────────────────────────────────


class Sources:
    """The three sources of features/, with event_time and known_at."""

    def __init__(self, connection, data):
        self.flights = flights = Table(connection, data / "flights.csv")
        weather = Table(connection, data / "weather.csv")
        planes = Table(connection, data / "planes.csv")

        self.weather = {"origin": weather.string("origin")}
        for name in ("temp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"):
            self.weather[name] = weather.float64(name)
        self.weather["time_hour"] = weather.timestamp("time_hour")
        self.weather["__event_time"] = self.weather["time_hour"]
        self.weather["__known_at"] = Values(self.weather["time_hour"].values + WEATHER_LAG)

        self.all_flights = {name: flights.string(name) for name in ("carrier", "tailnum", "dest")}
        for name in ("minute", "dep_delay", "arr_delay", "air_time", "distance"):
            self.all_flights[name] = flights.int64(name)
        self.all_flights["time_hour"] = flights.timestamp("time_hour")
        every = self.all_flights
        landed = np.flatnonzero(every["dep_delay"].valid & every["air_time"].valid)
        self.landings = {name: column.take(landed) for name, column in every.items()}
        minutes = sum(self.landings[name].values for name in ("minute", "dep_delay", "air_time"))
        self.landings["__event_time"] = Values(self.landings["time_hour"].values + minutes * MINUTE)
        self.landings["__known_at"] = self.landings["__event_time"]

        self.planes = {"tailnum": planes.string("tailnum")}
        for name in ("year", "engines", "seats"):
            self.planes[name] = planes.int64(name)
        self.planes["engine"] = planes.string("engine")
        start = int(np.datetime64("2013-01-01T00:00:00", "us").astype(np.int64))
        self.planes["__event_time"] = Values(np.full(planes.count, start))
        self.planes["__known_at"] = self.planes["__event_time"]

    def named(self, name):
        return {"weather": self.weather, "landings": self.landings, "planes": self.planes}[name]


def training_set(connection, sources, embeddings, edges):
    """The columns of the training set by name, and how each view was joined."""
    flights, every = sources.flights, sources.all_flights
    t = every["time_hour"].values + every["minute"].values * MINUTE
    arr_delay = every["arr_delay"]
    columns = {
        "origin": flights.string("origin"), "tailnum": every["tailnum"], "carrier": every["carrier"],
        "dest": every["dest"],
        "event_timestamp": Values(t), "is_late": Values(arr_delay.values > 15, arr_delay.valid),
        "flight": flights.int64("flight"),
    }
    joins = {}

    def join(view, source, key, ttl):
        events, known = source["__event_time"].values, source["__known_at"].values
        rows = winners(connection, source[key], events, known, columns[key], t, ttl)
        joins[view] = (source[key], events, known, columns[key], t, ttl, rows)
        return rows, {name: column.take(rows) for name, column in source.items()}

    _, row = join("airport_weather", sources.weather, "origin", WEATHER_TTL)
    for name in ("temp", "humid", "wind_speed"):
        columns[name] = row[name]
    columns["gust"] = coalesce(row["wind_gust"], row["wind_speed"])
    for name in ("precip", "pressure", "visib"):
        columns[name] = row[name]
    columns["is_foul"] = either(
        Values(row["visib"].values < 3, row["visib"].valid), Values(row["precip"].values > 0.1, row["precip"].valid)
    )
    columns["rain"], windows = readings(sources, columns["origin"], t)
    usual = windows.each(sources.weather["pressure"], mean, np.float64)
    columns["pressure_change"] = row["pressure"].both(usual, row["pressure"].values - usual.values)
    spans = {"airport_weather over 6h": windows}
    columns["wind_bin"] = bin_ids(row["wind_speed"], edges)

    _, row = join("plane_last_flight", sources.landings, "tailnum", PLANE_TTL)
    for name in ("dep_delay", "arr_delay", "air_time", "distance"):
        columns[f"last_{name}"] = row[name]
    distance, air_time = row["distance"], row["air_time"]
    # round() of a float64 is to even, as in PostgreSQL.
    minutes = np.where(air_time.valid, air_time.values, 1)
    columns["last_speed"] = distance.both(air_time, np.rint(distance.values * 600.0 / minutes) / 10)
    columns["last_dest"] = row["dest"]
    columns["last_was_late"] = Values(row["arr_delay"].values > 15, row["arr_delay"].valid)
    columns["last_landed_at"] = row["__event_time"]

    _, row = join("carrier_last_flight", sources.landings, "carrier", CARRIER_TTL)
    columns["carrier_arr_delay"] = row["arr_delay"]

    aggregates, more = traffic(sources, columns["carrier"], t)
    columns.update(aggregates)
    spans.update(more)

    # departure: computed on demand, from the time asked for and features of other views.
    landed = columns["last_landed_at"]
    columns["ground_minutes"] = Values((t - landed.values) / 1e6 / 60, landed.valid)
    columns["local_hour"] = Values(local_hours(connection, t))
    columns["gust_bin"] = bin_ids(columns["gust"], edges)

    _, row = join("plane_register", sources.planes, "tailnum", None)
    columns["seats"], columns["engines"] = row["seats"], row["engines"]
    columns["age"] = Values(2013 - row["year"].values, row["year"].valid)
    columns["is_jet"] = Values(np.isin(row["engine"].values, ["Turbo-fan", "Turbo-jet"]), row["engine"].valid)

    matrix, places = embeddings
    rows = np.array([places.get(key, -1) for key in columns["dest"].values])
    columns["dest_embedding"] = Values(matrix, None).take(rows)
    return columns, joins, spans


def local_hours(connection, t):
    """The hour that New York's clocks show."""
    connection.register("times", pa.table({"t": t, "place": np.arange(len(t))}))
    return connection.execute(
        "select hour(timezone('America/New_York', make_timestamp(t)::timestamptz)) as hour from times order by place"
    ).fetchnumpy()["hour"].astype(np.int64)


def read_embeddings(connection, path):
    table = Table(connection, path)
    keys = table.string("key")
    matrix = np.stack([table.float64(f"v{i}").values for i in range(DIMENSION)], axis=1).astype(np.float32)
    return matrix, {key: row for row, key in enumerate(keys.values)}


# ── comparison ───────────────────────────────────────────────────────────────────────────────────────────────────────

ARROW_TYPES = {
    "event_timestamp": pa.timestamp("us", "UTC"), "last_landed_at": pa.timestamp("us", "UTC"),
    "is_late": pa.bool_(), "is_foul": pa.bool_(), "last_was_late": pa.bool_(), "is_jet": pa.bool_(),
    "origin": pa.string(), "tailnum": pa.string(), "carrier": pa.string(), "dest": pa.string(), "last_dest": pa.string(),
    "engine": pa.string(), "time_hour": pa.timestamp("us", "UTC"), "__event_time": pa.timestamp("us", "UTC"),
    "__known_at": pa.timestamp("us", "UTC"), "__sequence": pa.int64(),
}
FLOATS = {"temp", "humid", "wind_speed", "wind_gust", "gust", "precip", "pressure", "visib", "last_speed", "rain",
          "pressure_change", "carrier_late_share", "carrier_spread", "ground_minutes"}


def differing_rows(name, expected, actual):
    """The rows that are not the same, bit for bit. `actual` is an arrow array."""
    wanted = ARROW_TYPES.get(name, pa.float64() if name in FLOATS else pa.int64())
    if name == "dest_embedding":
        assert pa.types.is_list(actual.type) and actual.type.value_type == pa.float32(), actual.type
        valid = actual.is_valid().to_numpy(zero_copy_only=False)
        lengths = pc.list_value_length(actual).fill_null(DIMENSION).to_numpy()
        assert (lengths == DIMENSION).all(), "a vector of another length"
        bits = np.zeros((len(actual), DIMENSION), np.uint32)
        bits[valid] = pc.list_flatten(actual).to_numpy(zero_copy_only=False).view(np.uint32).reshape(-1, DIMENSION)
        same = (bits == expected.values.view(np.uint32)).all(axis=1)
    else:
        assert actual.type == wanted, f"{name} is {actual.type}, expected {wanted}"
        valid = actual.is_valid().to_numpy(zero_copy_only=False)
        if wanted == pa.string():
            same = actual.to_numpy(zero_copy_only=False) == expected.values
        elif wanted == pa.float64():
            bits = expected.values.astype(np.float64).view(np.uint64)
            found = actual.fill_null(0.0).to_numpy().view(np.uint64)
            # Of one sign, bit patterns are as far apart as there are doubles between them.
            apart = np.where(found > bits, found - bits, bits - found)
            same = apart <= TOLERANCE.get(name, 0)
        elif wanted == pa.bool_():
            same = actual.fill_null(False).to_numpy(zero_copy_only=False) == expected.values
        else:
            integers = actual.cast(pa.int64()).fill_null(0).to_numpy()
            same = integers == expected.values
    return np.flatnonzero((valid != expected.valid) | (valid & expected.valid & ~same))


def column_of(table, name):
    chunks = table[name].chunks
    return pa.concat_arrays(chunks) if chunks else pa.array([], table.schema.field(name).type)


def untimed(column):
    """Timestamps as their microseconds, whatever the reader calls their time zone."""
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def check_training_set(expected, path):
    table = pq.read_table(path)
    report(table.column_names == list(expected), "the columns and their order", f"{table.num_columns} columns")
    rows = len(expected["event_timestamp"].values)
    report(table.num_rows == rows, "one row for each flight, in file order", f"{table.num_rows} rows")
    if table.num_rows != rows:
        return
    total = 0
    for name in expected:
        if name not in table.column_names:
            continue
        actual = column_of(table, name)
        rows_off = differing_rows(name, expected[name], actual)
        total += len(rows_off)
        detail = f"{table.num_rows} rows, {actual.null_count} null, {len(rows_off)} differ"
        for row in rows_off[:3]:
            want = expected[name].values[row] if expected[name].valid[row] else None
            detail += f"; row {row + 1} expected {want}, found {actual[int(row)].as_py()}"
        report(len(rows_off) == 0, name, detail)
    print(f"     {table.num_rows * len(expected)} values compared, {total} differ")


def check_joins_by_force(joins, sample):
    generator = np.random.default_rng(2013)
    for view, (keys, events, known, spine_keys, t, ttl, rows) in joins.items():
        picked = generator.choice(len(t), sample, replace=False)
        wrong = [
            row for row in picked
            if winner_by_force(keys, events, known, spine_keys.values[row], t[row], ttl) != rows[row]
        ]
        report(not wrong, f"{view}: the rule applied row by row", f"{sample} flights, {len(wrong)} differ")


def check_windows_by_force(sources, expected, spans, sample):
    generator = np.random.default_rng(2013)
    t = expected["event_timestamp"].values
    for name, windows in spans.items():
        view, width = name.split(" over ")
        source, key = (sources.weather, "origin") if view == "airport_weather" else (sources.landings, "carrier")
        width = {"6h": 6 * HOUR, "1d": DAY}[width]
        keys, events, known = source[key], source["__event_time"].values, source["__known_at"].values
        picked = generator.choice(len(t), sample, replace=False)
        wrong = held = 0
        for row in picked:
            rule = np.flatnonzero(
                keys.valid & (keys.values == expected[key].values[row]) & (t[row] - width < events) & (events <= t[row])
                & (known <= t[row])
            )
            wrong += set(rule) != set(windows.order[windows.low[row] : windows.high[row]])
            held += len(rule)
        report(not wrong, f"{name}: the rule applied row by row", f"{sample} flights, {held} rows held, {wrong} differ")


def check_broken_rules(sources, expected, path):
    """The file must not agree with a rule that is wrong: else the comparison above would prove nothing of the right one."""
    table = pq.read_table(path)
    t, carrier = expected["event_timestamp"].values, expected["carrier"]

    def noticed(what, columns):
        counts = {name: len(differing_rows(name, column, column_of(table, name))) for name, column in columns.items()}
        report(all(counts.values()), f"broken on purpose: {what}", f"{counts} values differ")

    closed, _ = traffic(sources, carrier, t, old_end="left")
    noticed("the old end of a window is closed", {name: closed[name] for name in ("carrier_landed", "carrier_far_delay")})
    rain, _ = readings(sources, expected["origin"], t, known=sources.weather["__event_time"].values)
    noticed("readings are known when they are taken", {"rain": rain})
    events, known = sources.landings["__event_time"].values, sources.landings["__known_at"].values
    day = Windows(sources.landings["carrier"], events, known, carrier, t, DAY)
    for what, condition in (
        ("no filter", lambda distance: distance > 0), ("a filter that leaves 1,005 miles out", lambda distance: distance > 1005),
    ):
        noticed(what, {"carrier_far_delay": far_delay(sources.landings, day, condition)})


def check_clocks(connection, data):
    """Scheduled departure is the New York wall clock of the HHMM column, daylight saving included."""
    wrong, count = connection.execute(
        """
        with f as (
            select time_hour::timestamptz + to_minutes(minute::int) as scheduled, sched_dep_time::int as clock,
                   make_date(year::int, month::int, day::int) as day, dep_time, dep_delay
            from read_csv(?, all_varchar = true, header = true)
        ), local as (select *, timezone('America/New_York', scheduled) as wall from f)
        select count(*) filter (where not (wall::date = day and hour(wall) * 100 + minute(wall) = clock
                 and (dep_time = 'NA' or (timezone('America/New_York', scheduled + to_minutes(try_cast(dep_delay as int))))::time
                      = make_time((try_cast(dep_time as int) // 100) % 24, try_cast(dep_time as int) % 100, 0)))),
               count(*) from local
        """,
        [str(data / "flights.csv")],
    ).fetchall()[0]
    return wrong, count


# ── the objects that the lock names ──────────────────────────────────────────────────────────────────────────────────


def object_path(objects, digest):
    name = digest.removeprefix("sha256:")
    raw = objects / "sha256" / name[:2] / name
    return raw if raw.exists() else raw.with_name(name + ".lz4")


def safetensors(content):
    """A plain parser of the format: length, JSON header, tensors."""
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    kinds = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "U8": "u1"}
    end, tensors = 0, {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"tensor {name} begins at {begin}, expected {end}"
        end = stop
        data = np.frombuffer(content[8 + length + begin : 8 + length + stop], kinds[entry["dtype"]])
        tensors[name] = data.reshape(entry["shape"])
    assert 8 + length + end == len(content), "bytes are left over"
    return tensors, metadata


def check_segment(connection, path, pin, source):
    reference = pin["ref"]
    file = pq.ParquetFile(path)
    table = file.read()
    first, last = pin["sequences"]
    report(
        table.num_rows == last - first + 1 == len(source["__event_time"].values),
        f"{reference}: rows", f"{table.num_rows}, sequences {first} to {last}",
    )
    # The same rows as the CSV file, by sequence.
    sequences = column_of(table, "__sequence").to_numpy()
    by_sequence = table.take(np.argsort(sequences, kind="stable"))
    report(np.array_equal(np.sort(sequences), np.arange(first, last + 1)), f"{reference}: each sequence once")
    off = {name: len(differing_rows(name, column, column_of(by_sequence, name))) for name, column in source.items()}
    report(not any(off.values()), f"{reference}: the values of the CSV file, in file order by sequence",
           f"{len(off)} columns, {sum(off.values())} values differ")
    # An object has no extension, so DuckDB is told that it is Parquet.
    literal = "'" + str(path).replace("'", "''") + "'"
    other = duckdb.connect().sql(f"select * from read_parquet({literal})").to_arrow_table()
    same = other.num_rows == table.num_rows and all(
        untimed(column_of(other, name)).equals(untimed(column_of(table, name))) for name in table.column_names
    )
    report(same, f"{reference}: DuckDB and pyarrow read the same values")
    check_order(file, table, reference)
    check_statistics(connection, file, table, literal, reference)


def check_order(file, table, reference):
    """Rows stand in the order that sorting_columns declares: strings by their bytes, ascending, nulls last."""
    groups = [file.metadata.row_group(group).sorting_columns for group in range(file.num_row_groups)]
    declared = [(file.schema.column(c.column_index).path, c.descending, c.nulls_first) for c in groups[0]]
    report(
        [name for name, _, _ in declared][-2:] == ["__event_time", "__known_at"] and all(g == groups[0] for g in groups)
        and not any(descending or nulls_first for _, descending, nulls_first in declared),
        f"{reference}: sorting_columns", f"{[name for name, _, _ in declared]}",
    )
    keys = []
    for name, _, _ in declared:
        column = column_of(table, name)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        cells = [cell.encode() if isinstance(cell, str) else cell for cell in column.to_pylist()]
        keys.append([(cell is None, cell if cell is not None else 0) for cell in cells])
    rows = list(zip(*keys))
    falls = sum(before > after for before, after in zip(rows, rows[1:]))
    report(falls == 0, f"{reference}: sorted as sorting_columns says", f"{len(rows)} rows, {falls} steps down")


def check_statistics(connection, file, table, literal, reference):
    """Every chunk's null count, minimum and maximum are those of its values; DuckDB prunes by them rightly."""
    wrong, begin = [], 0
    for group in range(file.num_row_groups):
        metadata = file.metadata.row_group(group)
        rows = table.slice(begin, metadata.num_rows)
        begin += metadata.num_rows
        for position in range(metadata.num_columns):
            chunk = metadata.column(position)
            values = column_of(rows, chunk.path_in_schema)
            statistics = chunk.statistics
            bounds = pc.min_max(values)
            low, high = bounds["min"].as_py(), bounds["max"].as_py()
            ok = statistics is not None and statistics.null_count == values.null_count
            if ok and low is not None:
                ok = statistics.has_min_max and statistics.min == low and statistics.max == high
            if not ok:
                wrong.append((group, chunk.path_in_schema))
    report(not wrong, f"{reference}: statistics of {file.num_row_groups} row groups", f"{len(wrong)} chunks wrong {wrong[:3]}")
    name = table.column_names[0]
    pruned = 0
    keys = [k for k in pc.unique(column_of(table, name)).to_pylist() if k is not None]
    for key in keys[:40]:
        counted = connection.execute(
            f"select count(*) from read_parquet({literal}) where {name} = ?", [key]
        ).fetchall()[0][0]
        pruned += counted != pc.sum(pc.equal(column_of(table, name), key)).as_py()
    report(pruned == 0, f"{reference}: DuckDB finds every row of a key through the statistics", f"{len(keys[:40])} keys")


def check_lock(connection, example, sources, embeddings, edges):
    text = (example / "lockstep.lock").read_text()
    lock = json.loads(text)
    lines = [line for line in text.split("\n") if not line.startswith('"digest":')]
    stated = lock["digest"]
    report("sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest() == stated, "lock: its digest", stated)
    objects = example / ".lockstep" / "objects"
    wrong, compressed = [], []
    for pin in lock["pins"]:
        path = object_path(objects, pin.get("object", pin["digest"]))
        if not path.exists():
            wrong.append(pin["ref"] + " is missing")
        elif path.suffix == ".lz4":
            compressed.append(path)
        elif "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest() != pin.get("object", pin["digest"]):
            wrong.append(pin["ref"])
    report(not wrong, "lock: the SHA-256 of every object named", f"{len(lock['pins'])} pins {wrong}")

    for pin in lock["pins"]:
        if pin["kind"] == "segment":
            source = sources.named(pin["source"].split("@")[0])
            check_segment(connection, object_path(objects, pin["digest"]), pin, source)
        elif pin["kind"] == "bins":
            tensors, _ = safetensors(object_path(objects, pin["digest"]).read_bytes())
            report(
                np.array_equal(tensors["edges"].view(np.uint64), edges.view(np.uint64)),
                f"{pin['ref']}: edges of a plain safetensors parser are the exact quantiles", f"{len(edges)} edges",
            )
            wind = sources.weather["wind_speed"]
            copies = sum(p["kind"] == "segment" and p["source"].startswith("weather@") for p in lock["pins"])
            counts = np.bincount(bin_ids(wind, edges).values[wind.valid], minlength=len(edges) + 1) * copies
            rows = np.array([len(wind.values), np.sum(~wind.valid), 0, 0, 0]) * copies
            finite = wind.values[wind.valid]
            report(
                np.array_equal(tensors["bin_counts"], counts) and np.array_equal(tensors["row_counts"], rows)
                and np.array_equal(tensors["range"], [finite.min(), finite.max()]),
                f"{pin['ref']}: counts and range", f"weather was ingested {copies} times; {counts.sum()} values",
            )
        elif pin["kind"] == "embeddings":
            tensors, _ = safetensors(object_path(objects, pin["digest"]).read_bytes())
            offsets, key_bytes = tensors["key_offsets"], tensors["key_bytes"].tobytes()
            keys = [key_bytes[a:b].decode() for a, b in zip(offsets, offsets[1:])]
            matrix, places = embeddings
            wanted = matrix[[places[key] for key in keys]] if set(keys) == set(places) else None
            report(
                keys == sorted(keys) and wanted is not None
                and np.array_equal(tensors["matrix"].view(np.uint32), wanted.view(np.uint32)),
                f"{pin['ref']}: keys in byte order and vectors by a plain safetensors parser", f"{len(keys)} keys",
            )

    # The snapshot's assets are the raw files, and its packs hold their bytes.
    for pin in lock["pins"]:
        if pin["kind"] != "snapshot":
            continue
        manifest = json.loads(object_path(objects, pin["object"]).read_bytes())
        files = [asset for asset in manifest["assets"] if asset["kind"] == "file"]
        off = []
        for asset in files:
            raw = (example / ".data" / asset["path"]).read_bytes()
            if "sha256:" + hashlib.sha256(raw).hexdigest() != asset["digest"] or len(raw) != asset["size"]:
                off.append(asset["path"])
        report(not off, f"{pin['ref']}: its assets are the files of .data", f"{len(files)} files {off}")
        packs = [path for path in objects.glob("sha256/*/*") if is_pack(path)]
        report(
            all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in packs),
            "every pack has the digest of its name", f"{len(packs)} packs",
        )
        contents = {}
        for path in packs:
            contents |= pack_contents(path)
        wrong = [
            asset["path"] for asset in files
            if file_content(asset, contents) != (example / ".data" / asset["path"]).read_bytes()
        ]
        report(not wrong, f"{pin['ref']}: a plain reader of packs gives the bytes of every asset", f"{wrong}")
    if shutil.which("lz4") is None:
        print("     lz4 is not installed: compressed objects were not read")
        return
    bad = []
    for path in sorted(set(path for path in compressed if path.suffix == ".lz4")):
        content = subprocess.run(["lz4", "-dc", str(path)], capture_output=True)
        if content.returncode or hashlib.sha256(content.stdout).hexdigest() != path.stem:
            bad.append(path.name)
    report(not bad, "lz4 -dc gives the content of every compressed asset", f"{len(set(compressed))} objects {bad}")


def is_pack(path):
    with open(path, "rb") as file:
        return file.read(8) == b"LSTPACK\x01"


def lz4_block(block, size):
    """One LZ4 block, decoded by hand."""
    output, position = bytearray(), 0
    while True:
        token = block[position]
        position += 1
        length = token >> 4
        if length == 15:
            while True:
                more = block[position]
                position += 1
                length += more
                if more < 255:
                    break
        output += block[position:position + length]
        position += length
        if position == len(block):
            assert len(output) == size
            return bytes(output)
        offset = block[position] | block[position + 1] << 8
        position += 2
        length = token & 15
        if length == 15:
            while True:
                more = block[position]
                position += 1
                length += more
                if more < 255:
                    break
        length += 4
        start = len(output) - offset
        if offset >= length:
            output += output[start:start + length]
        else:
            pattern = output[start:]
            output += (pattern * (length // offset + 1))[:length]


def pack_contents(path):
    """What a pack holds, by digest, read from the front as docs/formats.md says."""
    data, contents, position = path.read_bytes(), {}, 8
    while data[position] != 0xFF:
        encoding = data[position]
        stored, size = struct.unpack_from("<II", data, position + 1)
        block = data[position + 9:position + 9 + stored]
        content = block if encoding == 0 else lz4_block(block, size)
        contents["sha256:" + hashlib.sha256(content).hexdigest()] = content
        position += 9 + stored
    return contents


def file_content(asset, contents):
    """The bytes of a file: its content, or those of its chunks in the order of their list."""
    if "chunks" not in asset:
        return contents.get(asset["digest"])
    chunks = contents[asset["chunks"]]
    assert chunks[:8] == b"LSTCHNK\x01" and chunks[8] == 0
    size, count = struct.unpack_from("<QI", chunks, 9)
    parts = [chunks[21 + 40 * part:53 + 40 * part].hex() for part in range(count)]
    content = b"".join(contents["sha256:" + part] for part in parts)
    return content if len(content) == size else None


def main():
    example = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent).resolve()
    if not (example / ".derived" / "training.parquet").exists():
        sys.exit(f"oracle: {example}/.derived/training.parquet is missing; run: make demo")
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = true")

    print("── the clocks of the raw files ──")
    wrong, count = check_clocks(connection, example / ".data")
    report(wrong == 0, "time_hour + minute is the wall clock of New York, and dep_delay leads to dep_time",
           f"{count} flights, {wrong} differ")

    sources = Sources(connection, example / ".data")
    embeddings = read_embeddings(connection, example / ".derived" / "embeddings.csv")
    edges = quantile_edges(sources.weather["wind_speed"], BIN_COUNT)
    expected, joins, spans = training_set(connection, sources, embeddings, edges)

    print("── the training set, from the raw CSV files ──")
    check_training_set(expected, example / ".derived" / "training.parquet")
    check_joins_by_force(joins, 200)
    check_windows_by_force(sources, expected, spans, 200)
    check_broken_rules(sources, expected, example / ".derived" / "training.parquet")
    print("── the objects of lockstep.lock ──")
    check_lock(connection, example, sources, embeddings, edges)

    print()
    if problems:
        print(f"oracle: {len(problems)} checks failed:")
        for problem in problems:
            print(f"  {problem}")
        sys.exit(1)
    print("oracle: everything agrees")


if __name__ == "__main__":
    main()
