PYTHON ?= python3

.PHONY: demo test oracle build lint format clean setup

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

build: setup
	swift build -c release

lint:
	swift format lint --strict --recursive Sources Tests examples Package.swift

format:
	swift format --in-place --recursive Sources Tests examples Package.swift

clean:
	swift package clean
	rm -rf examples/flights/.lockstep examples/flights/.data examples/flights/.derived examples/flights/lockstep.lock

setup:
	@scripts/setup.sh
