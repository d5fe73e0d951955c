"""An expression by DuckDB, on one thread. ../expressions.py starts it.

usage: expressions.py evaluate scan|memory FILE EXPRESSION OUTPUT
       expressions.py data FILE ROWS
"""

import sys

import duckdb
import numpy as np
import pyarrow.parquet

import runner


def evaluate(job, path, expression, output):
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    source = f"read_parquet('{path}')"
    if job == "memory":
        connection.execute(f"create table numbers as from {source}")
        source = "numbers"

    def answer(table):
        pyarrow.parquet.write_table(table, output)
        return [("rows", table.num_rows), ("nulls", table["x"].null_count)]

    runner.run(lambda: connection.sql(f"select {expression} as x from {source}").to_arrow_table(), answer)


def data(path, rows):
    """Half of `a` above 0.5, a twentieth of `a` and `b` null, a tenth of `c` zero; nothing that DuckDB would refuse."""
    import pandas

    random = np.random.default_rng(11)
    a, b, c = random.random(rows), random.exponential(10, rows), random.integers(0, 10, rows).astype(float)
    for column in [a, b]:
        column[random.random(rows) < 0.05] = np.nan
    frame = pandas.DataFrame({"a": a, "b": b, "c": c})
    # As pandas writes missing numbers: null.
    frame.to_parquet(path)


def main():
    job, *arguments = sys.argv[1:]
    if job == "data":
        data(arguments[0], int(arguments[1]))
    elif job == "evaluate":
        evaluate(*arguments)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
