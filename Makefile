# Everything lives in .venv; outside this folder only `make image` leaves something, an image in the engine.
# `make` alone lists the targets.
PYTHON ?= python3
JOBS ?= 2
WORKERS ?= 3
SEED ?= 1
SEEDS ?= 5
MUTANTS ?= 200
COUNT ?= 20000
MINUTES ?= 60
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help venv demo quadrants table test mutants alterations attack convictions stored kill-matrix server-matrix probe-matrix check bench bench-containers image clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

venv: .venv/.installed  ## set up .venv with everything that development needs

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Faultbed needs Python 3.11 or newer, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one, for example: make venv PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up .venv (once; needs the network)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

.venv/.benchmarks: .venv/.installed
	@echo "Installing what the benchmarks compare with"
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[benchmarks]'
	@touch $@

demo: .venv/.installed  ## RPC call semantics under faults, on real processes: half a minute
	@$(BIN)/faultbed run rpc/demo --jobs $(JOBS)

quadrants: .venv/.installed  ## blocking and not, synchronous and not: how a program waits for one message, in two seconds
	@$(BIN)/faultbed quadrants

table: .venv/.installed  ## every row of the table
	@$(BIN)/faultbed run scenarios/rpc/[0-9]*.yaml --jobs $(JOBS)

test: export PYTHONDONTWRITEBYTECODE =  # else every worker prepares every test file anew, half of what it takes to begin
test: .venv/.installed  ## the tests, WORKERS of them side by side
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

mutants: export FAULTBED_TESTS = all
mutants: .venv/.installed  ## would a test notice? MUTANTS small changes of the pure modules (SEED=1), each tried against the unit tests
	@$(BIN)/python tests/mutants --seed $(SEED) --count $(MUTANTS) --jobs $(JOBS)

alterations: .venv/.installed  ## would the judge notice? COUNT correct histories with one thing altered (SEED=1); prints what stays met
	@PYTHONPATH=tests:tests/scenarios $(BIN)/python tests/scenarios/altered_histories.py --seed $(SEED) --count $(COUNT)

attack: .venv/.installed  ## does theory hold? MINUTES of runs that nobody wrote (SEED=1), JOBS side by side; says how many, and the bound 3/n
	@$(BIN)/faultbed explore --minutes $(MINUTES) --jobs $(JOBS) --seed $(SEED)

convictions: .venv/.installed  ## does the explorer find them? every broken variant from SEEDS seeds: runs until convicted, CPU seconds, size
	@PYTHONPATH=tests/scenarios $(BIN)/python tests/scenarios/conviction.py --seeds $(SEEDS)

stored: .venv/.installed  ## write down anew what tests hold of verdicts, texts and schema; the difference is to be read
	@for teller in orchestrator/sweep/simulated orchestrator/explore/drawn orchestrator/scenario/altered orchestrator/scenario/test_stored_schema \
	  chaos/configured; do PYTHONPATH=tests $(BIN)/python tests/unit/$$teller.py || exit; done
	@$(BIN)/faultbed planes > tests/unit/orchestrator/report/planes.txt
	@for page in multiplexers engines ipc; do PYTHONPATH=tests $(BIN)/python tests/conformance/$${page}_page.py || exit; done

kill-matrix: .venv/.installed  ## run the broken variants again, and write down which check convicts which
	@PYTHONPATH=tests $(BIN)/python tests/scenarios/kill_matrix.py

server-matrix: .venv/.installed  ## run servers that are wrong in the scenarios of mux again, and write down which check convicts which
	@PYTHONPATH=tests $(BIN)/python tests/scenarios/server_matrix.py

probe-matrix: .venv/.installed  ## do every probe on the broken pollers again, and write down which convicts which
	@PYTHONPATH=tests $(BIN)/python tests/conformance/broken_pollers.py
	@PYTHONPATH=tests $(BIN)/python tests/conformance/multiplexers_page.py

check: .venv/.installed  ## style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

bench: .venv/.benchmarks  ## the measured claims: CPU per echo, calls a second, a hop's cost, what judging costs, local IPC
	@$(BIN)/python -I benchmarks/engines
	@$(BIN)/python -I benchmarks/rpc.py
	@$(BIN)/python -I benchmarks/relay.py
	@$(BIN)/python -I benchmarks/checker.py
	@$(BIN)/python -I benchmarks/ipc.py

bench-containers: .venv/.installed  ## what containers cost, fifty of them, and kills at random; needs the image
	@$(BIN)/python -I benchmarks/backends.py
	@$(BIN)/python -I benchmarks/fifty.py
	@$(BIN)/python -I benchmarks/kill_and_clean.py

image: .venv/.installed  ## the image for nodes in containers; BASE=debian where no registry can be reached
	@$(BIN)/faultbed image build $(if $(BASE),--base $(BASE))

clean:  ## remove .venv and caches; results stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis .pytest_cache
	find faultbed nodes chaos orchestrator tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
