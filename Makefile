PYTHON ?= python3

.PHONY: demo test oracle interop bench-formats bench-asof bench-expressions bench-windows bench-snapshots fuzz-expressions build lint format clean setup

# Sets up what is missing, builds, and runs the example on real data.
demo: setup
	swift build -c release
	examples/flights/demo.sh

test: setup
	swift build --build-tests --explicit-target-dependency-import-check error
	swift test --skip-build

# Compares every value of the demo's training set, bins, embeddings and segments with the rules written again in Python.
# Run it after make demo; PYTHON names one with duckdb, numpy and pyarrow.
oracle:
	$(PYTHON) examples/flights/oracle.py

# Compares every type, encoding and codec with pyarrow, DuckDB, Polars and Spark, both ways, and damages files. It makes an
# environment with them in the user's cache where PYTHON is not given; Spark needs Java.
interop: setup
	swift build -c release
	Tests/interop/run.sh

# Times reading and writing files against pyarrow, DuckDB and Polars.
bench-formats: setup
	$(PYTHON) Benchmarks/formats.py

# Times the as-of join of a training set against DuckDB, Polars and Feast, and with ten times the history.
bench-asof: setup
	$(PYTHON) Benchmarks/asof.py

# Times an expression of the feature language over ten million rows against DuckDB.
bench-expressions: setup
	$(PYTHON) Benchmarks/expressions.py

# Times seven windowed aggregates of ten million events against DuckDB.
bench-windows: setup
	$(PYTHON) Benchmarks/windows.py

# Times snapshots against DVC and restic.
bench-snapshots: setup
	$(PYTHON) Benchmarks/snapshots.py

# Compares 200,000 random expressions with PostgreSQL; LOCKSTEP_FUZZ_SEED gives others.
fuzz-expressions: setup
	swift build --build-tests
	LOCKSTEP_FUZZ_CASES=$${LOCKSTEP_FUZZ_CASES:-200000} swift test --skip-build --filter ExpressionsTests

build: setup
	swift build -c release

lint:
	swift format lint --strict --recursive Sources Tests Benchmarks/Package.swift Benchmarks/Sources examples Package.swift

format:
	swift format --in-place --recursive Sources Tests Benchmarks/Package.swift Benchmarks/Sources examples Package.swift

clean:
	swift package clean
	rm -rf examples/flights/.lockstep examples/flights/.data examples/flights/.derived examples/flights/lockstep.lock

setup:
	@scripts/setup.sh
