# What developers do. `make help` lists it; CI calls the same.

VENV := .venv
BIN := $(VENV)/bin
DATA := .oncue
CASES := ../shared/cases
OUT :=
UV := $(BIN)/uv
# What builds the project is pinned as well; older and newer pips read one variable each.
BUILD_PINS := $(VENV)/build-pins.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help up install test check fmt lint types imports architecture docs docs-check bench bench-endurance bench-actions bench-attacks cost nab soak faults oracle fuzz-expressions lock clean

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-17s %s\n", $$1, $$2}'

up: $(VENV)/runtime ## Start OnCue with the demo, data in .oncue
	$(BIN)/oncue up --demo --data $(DATA)

install: $(VENV)/developer ## Everything for working on OnCue

test: $(VENV)/developer ## All tests
	$(BIN)/pytest -n auto

check: lint types imports architecture docs-check ## Everything but the tests

fmt: $(VENV)/developer ## Format the sources, and mend what ruff can
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format

lint: $(VENV)/developer ## Format and rules, by ruff
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(VENV)/developer ## Types, by mypy
	$(BIN)/mypy

imports: $(VENV)/developer ## Layers, by import-linter
	$(BIN)/lint-imports

architecture: $(VENV)/developer ## The other laws of the house
	$(BIN)/pytest -q tests/architecture

docs: $(VENV)/developer ## Write the generated pages of docs/
	$(BIN)/python scripts/generate_docs.py

docs-check: $(VENV)/developer ## Whether the generated pages are fresh
	$(BIN)/python scripts/generate_docs.py --check

bench: $(VENV)/developer ## Measure; nothing else should run meanwhile
	$(BIN)/python -m bench.first_light

bench-endurance: $(VENV)/developer ## Measure what sleeps, starts and recovers
	$(BIN)/python -m bench.endurance

bench-actions: $(VENV)/developer ## Measure how many HTTP actions one core carries out
	$(BIN)/python -m bench.http_actions

bench-attacks: $(VENV)/developer ## Measure what another account's queries cost those who post events
	$(BIN)/python -m bench.attacks

cost: $(VENV)/developer ## Measure what an execution costs, and write it into docs/
	$(BIN)/python -m bench.cost

nab: $(VENV)/developer ## Score anomalies on NAB's series, and write the table into docs/
	$(BIN)/python -m bench.nab $(NAB)

conformance: $(VENV)/developer ## What the engine makes of other engines' cases; CASES=folder OUT=file
	$(BIN)/python -m tests.conformance $(CASES) $(OUT)

soak: $(VENV)/developer ## Ten times kill -9 under load, then look that all holds
	$(BIN)/python -m tests.soak 10 5000

faults: $(VENV)/developer ## 10 000 executions, each fifth call goes wrong, and five crashes
	$(BIN)/python -m tests.faults 2000

oracle: $(VENV)/developer ## 200 000 random expressions, ours against cel-cpp
	$(BIN)/python -m tests.core.expression.oracle 200000

fuzz-expressions: $(VENV)/developer ## An hour of expressions that nobody would write
	$(BIN)/python -m tests.core.expression.fuzz 60

lock: $(VENV)/developer ## Resolve the dependencies anew
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	    --python-version 3.11 --custom-compile-command 'make lock' \
	    pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	    --python-version 3.11 --custom-compile-command 'make lock' \
	    -c requirements.lock --all-extras --group dev pyproject.toml -o requirements-dev.lock
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'])" | \
	    $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	    --python-version 3.11 --custom-compile-command 'make lock' \
	    -c requirements-dev.lock - -o requirements-build.lock

clean: ## Remove what was built; data stays
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/runtime: requirements.lock pyproject.toml scripts/make_venv.sh
	sh scripts/make_venv.sh $(VENV) requirements.lock
	sed -n 's/^\([A-Za-z0-9._-]*==[^ ]*\) .*/\1/p' requirements-dev.lock >$(BUILD_PINS)
	PIP_CONSTRAINT=$(BUILD_PINS) PIP_BUILD_CONSTRAINT=$(BUILD_PINS) \
	    $(PIP) --only-binary :all: --no-deps --editable .
	@touch $@

$(VENV)/developer: requirements-dev.lock pyproject.toml scripts/make_venv.sh
	sh scripts/make_venv.sh $(VENV) requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/runtime
