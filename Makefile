# The two commands: `make run` flies the default mission, `make test` runs every test.
# `make help` lists the rest.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
NATIVE := $(wildcard native/src/*.c native/src/*.h native/src/*.inc native/include/*.h native/guard/*.c)
SETUP  := pyproject.toml setup.py hal/build.py hil/plant/build.py
CORES  ?= $(shell nproc 2>/dev/null || echo 1)
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
OUT    ?= runs/$(or $(SCENARIO),first-flight)

.PHONY: run test help all setup dev fetch check-tools fmt lint type native arch bench fuzz soak \
        check-fast docs clean lost

run: $(STAMP) fetch  ## fly the default mission (SCENARIO=name OUT=folder) and print where its report is
	$(BIN)/lumenode run $(SCENARIO) --out $(OUT)

test: $(DEV)  ## every test, C and Python, with linters and types
	$(MAKE) -j$(CORES) -s -C native test
	$(BIN)/python -m pytest -q -n 2 tests

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*##[[:space:]]*/\1|/' | \
		awk -F'|' '{ printf "  %-12s %s\n", $$1, $$2 }'

all: lint type native test  ## what the automatic check runs

setup: $(STAMP)  ## the environment in .venv with the native extension built

dev: $(DEV)  ## setup plus test and lint tools

fetch: $(STAMP)  ## the default imagery, once, hash-checked, into the user's cache
	@$(BIN)/lumenode fetch-data

check-tools:
	@command -v $(PYTHON) >/dev/null || { echo "missing python3: apt install python3"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "python3 is older than 3.11: apt install python3.11, then make PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "missing venv: apt install python3-venv"; exit 2; }
	@test -f "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" || \
		{ echo "missing Python.h: apt install python3-dev"; exit 2; }
	@command -v $${CC:-gcc} >/dev/null || { echo "missing C compiler: apt install gcc"; exit 2; }

$(VENV)/pyvenv.cfg: | check-tools
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# An extension that was deleted is built again.
$(STAMP): $(VENV)/pyvenv.cfg $(SETUP) $(NATIVE) \
		$(if $(wildcard hal/_native*.so),,lost) $(if $(wildcard hal/lumenode-guard),,lost) $(if $(wildcard hil/plant/_plant_native*.so),,lost)
	@echo "installing lumenode and building its native extension (a minute or two the first time)"
	@$(PIP) install -e '.[cpu,broker]'
	@touch $@

lost:

$(DEV): $(STAMP)
	@echo "installing test tools"
	@$(PIP) install -e '.[cpu,broker,test,dev]'
	@touch $@

fmt: $(DEV)  ## format Python and C
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --exit-zero -q .
	$(MAKE) -C native fmt

lint: $(DEV)  ## ruff and clang-format, checking only
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(MAKE) -C native fmt-check

type: $(DEV)  ## mypy, strict
	$(BIN)/mypy

native: $(DEV)  ## C with warnings as errors, analysed, unit tests under ASan and UBSan, coverage
	$(MAKE) -j$(CORES) --output-sync -C native lint tidy asan tsan coverage

arch: $(DEV)  ## the rules of the house, as tests
	$(BIN)/python -m pytest -q tests/architecture

check-fast: $(DEV)  ## about half a minute: format, lint, the rules, the fast tests of flight's cores
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/python -m pytest -q -x -n 2 -m 'not slow and not browser and not network' \
		tests/architecture $(addprefix tests/flight/,base commanding io modes power wire)

bench: $(DEV)  ## print speed and size against their limits
	$(BIN)/python benchmarks/first_flight.py
	$(BIN)/python benchmarks/downlink.py --families short
	$(BIN)/python benchmarks/wire.py frames stack
	$(BIN)/python benchmarks/preemption.py
	$(BIN)/python benchmarks/hal.py
	$(BIN)/python benchmarks/inference.py throughput idle guard
	$(BIN)/python benchmarks/executive.py

FUZZED := tests/properties/test_foreign_octets.py tests/scenarios/test_fuzzed_commands.py \
	tests/flight/wire tests/flight/commanding tests/flight/fdir/test_recovery_load.py

fuzz: $(DEV)  ## codecs, commands and C at foreign octets: FUZZ_TIMES (5) as hard as tests, FUZZ_ALL_S (120)
	FUZZ_TIMES=$(or $(FUZZ_TIMES),5) $(BIN)/python -m pytest -q -n 2 $(FUZZED)
	$(MAKE) -s -j2 -C native fuzz

soak: $(DEV)  ## the same for SOAK_S seconds (3600), a node flying in real time beside it
	$(BIN)/python benchmarks/soak.py $(or $(SOAK_S),3600)

docs: $(DEV)  ## write the generated parts of the docs again
	$(BIN)/python docs/generate.py

clean:  ## remove what was built; the environment too
	rm -rf $(VENV) build *.egg-info runs hal/_native* hal/lumenode-guard hil/plant/_plant_native*
	$(MAKE) -C native clean
