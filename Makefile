# Two commands set up a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CHECKS := $(VENV)/.checks

.PHONY: help demo install test lint types walls unit faults published bench format clean

help:            ## show what can be made
	@grep -hE '^[a-z]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

install: $(READY)   ## create the virtual environment

# torch goes first: with it in place, no later package pulls another build of it.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

# The checks need their tools, and the libraries of every generator and of every format.
$(CHECKS): $(READY) requirements-dev.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --requirement requirements-dev.txt --editable ".[controlnet,networks,volumes]"
	@touch $@

demo: $(READY)      ## install, run the whole path on the built-in data, print where the report is
	$(BIN)/s2s2 demo

test: lint types walls unit   ## install and run every check

lint: $(CHECKS)     ## ruff: errors, style, docstrings, complexity
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(CHECKS)    ## mypy, strict
	$(BIN)/mypy

walls: $(CHECKS)    ## import-linter: who may import whom
	$(BIN)/lint-imports

# One thread a process: two processes that each take all cores stand in each other's way.
unit: export OMP_NUM_THREADS = 1
unit: $(CHECKS)     ## pytest: unit, guard, oracle and story tests, doctests
	$(BIN)/pytest --numprocesses 2 -m "not slow"

faults: export OMP_NUM_THREADS = 1
faults: $(CHECKS)   ## pytest: kills, corrupt and hostile files, limits; what takes long among the tests
	$(BIN)/pytest --numprocesses 2 tests/faults

published: export OMP_NUM_THREADS = 1
published: $(CHECKS)   ## pytest: every setting of the paper's tables, end to end on tiny files
	$(BIN)/pytest --numprocesses 2 tests/contracts/test_published_settings.py

bench: $(CHECKS)    ## run benchmarks/, write benchmarks/results.json
	$(BIN)/python -m benchmarks

format: $(CHECKS)   ## ruff: format and sort imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:              ## remove what was built (never a run folder)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
