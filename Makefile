# `make run` and `make test` are all most people need; `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test tests lint bench bundle lock clean

VENV ?= .venv
DEMO ?= .demo
# Tests share the machine's cores with a browser and the program's own workers. A file's tests stay
# together, so that a server or a county they share is made once; files that drive a browser first,
# because they wait most, and one begun last would run alone.
TEST_WORKERS ?= 2
# The first Python that is new enough. make setup PYTHON=/path/to/python3 overrides it.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	echo $$name; break; fi; done)
export VENV

BIN := $(VENV)/bin
# INSTALL_OPTIONS: pip's own, --no-compile for one.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(INSTALL_OPTIONS)
# Only a change in a compiled kernel makes warming necessary again.
KERNELS := $(shell grep -lE '^(from|import) numba' geo/*.py planning/*.py planning/beats/*.py incidents/*.py 2>/dev/null)

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.installed $(VENV)/.warm ui/board/node_modules/.package-lock.json ## install everything the program needs into .venv
setup-dev: setup $(VENV)/.installed-dev # and what its tests need

$(BIN)/python:
	.ci/venv $(PYTHON)

$(VENV)/.installed: .ci/requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes --only-binary :all: -r .ci/requirements.lock
	$(INSTALL) --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: .ci/requirements-dev.lock | $(VENV)/.installed
	$(INSTALL) --require-hashes --only-binary :all: -r $<
	@touch $@

$(VENV)/.installed-bench: .ci/requirements-bench.lock | $(VENV)/.installed-dev
	$(INSTALL) --require-hashes --only-binary :all: -r $<
	@touch $@

# Compiling takes seconds; done here, no user waits for it.
$(VENV)/.warm: $(VENV)/.installed $(KERNELS)
	$(BIN)/python -m planning.warm
	$(BIN)/python -m incidents.warm
	@touch $@

ui/board/node_modules/.package-lock.json: ui/board/package-lock.json | $(VENV)/.installed
	.ci/browser-libraries
	@touch $@

# README.txt is the last file the demonstration writes.
$(DEMO)/README.txt: | setup
	$(BIN)/gridwright demo $(DEMO)

$(DEMO)/plan.gpkg: | $(DEMO)/README.txt
	$(BIN)/gridwright propose \
	  --villages $(DEMO)/villages.gpkg --households $(DEMO)/households.csv \
	  --roads $(DEMO)/roads.gpkg --water $(DEMO)/water.gpkg --railways $(DEMO)/railways.gpkg \
	  --compounds $(DEMO)/compounds.gpkg --groups $(DEMO)/groups.gpkg \
	  --dedicated $(DEMO)/dedicated.gpkg \
	  -o $@

run: setup $(DEMO)/plan.gpkg ## open the program in the browser with the demonstration county
	$(BIN)/gridwright serve --project $(DEMO)

lint: $(VENV)/.installed-dev ## style, types, the dependency rule, and known faults of what is locked
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python .ci/audit

test: lint tests ## everything that must pass before a change lands

tests: setup-dev # all tests, without style and types
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

bench: setup-dev $(VENV)/.installed-bench ## measure against other programs (benchmarks/README.md)
	$(BIN)/python -m benchmarks

bundle: setup ## one archive in dist/ that installs the program where there is no network (docs/deploy.md)
	.ci/bundle

lock: setup-dev ## resolve pyproject.toml into .ci/*.lock (make lock ARGS=--upgrade for the newest)
	.ci/lock $(ARGS)

clean: ## remove what make made: environment, browser libraries, demonstration county and what was planned in it, caches
	rm -rf .venv .demo dist ui/board/node_modules *.egg-info build \
	  .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
