# Two commands do everything on a machine with Python 3.11 or newer: make demo, make test.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# One test process more than cores: many tests wait for a server, a browser or a child process.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)) + 1)')
# A new folder each time: runs are never overwritten.
DEMO   ?= demo-run-$(shell date +%Y%m%d-%H%M%S)

.PHONY: help setup demo test test-slow coverage mutants check format bench docs lock clean

help:            ## say what there is
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

setup: $(READY)  ## make the environment in .venv

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "lentigo needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up in $(VENV) (a few minutes the first time, mostly for torch) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@# Compiled now, once: otherwise, where Python may write no bytecode, every process
	@# compiles torch and the others anew (11 of the 24 seconds that a training imports).
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python \
	  -c constraints.txt -e '.[train,dev]'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[official]' \
	  2>/dev/null || echo "isic-challenge-scoring was not installed (it takes a C compiler): its test is skipped."
	@touch $@

demo: $(READY)   ## draw lesions, train, judge, and write a report
	$(BIN)/lentigo demo --out $(DEMO)

# The tests start hundreds of processes; each would compile the package anew where Python may
# write no bytecode (0.3 of 1.1 seconds that our own modules take to import).
test test-slow coverage: export PYTHONDONTWRITEBYTECODE =

test: $(READY)   ## all tests (real images are used where ../shared is there)
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q

test-slow: $(READY)  ## the tests that take many minutes
	HYPOTHESIS_PROFILE=search $(BIN)/python -m pytest -m slow -q

coverage: $(READY) ## all tests, and the share of branches that they take
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

mutants: $(READY) ## break lines drawn at random, and see whether a test fails
	$(BIN)/python -m tests.mutation --lines 60 --seed 0

check: $(READY)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## measure beside named peers, in one run each
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(READY)   ## write the generated pages anew
	$(BIN)/python -m lentigo.cli.reference docs/reference.md
	$(BIN)/python -m lentigo.cli.vocabulary_page docs/vocabulary.md
	$(BIN)/python -m lentigo.cli.model_schema lentigo/models/model.schema.json
	$(BIN)/python -m lentigo.cli.evaluation_schema lentigo/evaluation/evaluation.schema.json

lock: $(READY)   ## choose new versions for constraints.txt
	$(BIN)/uv pip compile --quiet --universal --upgrade --all-extras --no-header --no-annotate \
	  --no-emit-index-url --python-version 3.11 pyproject.toml -o constraints.txt

clean:           ## remove what was built (not the runs)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* *.egg-info build dist
