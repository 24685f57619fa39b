# `make` alone lists the targets. Needs Python 3.11 or newer, make and git.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The interpreter that .venv is made of; the first one that is new enough.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
# Processes that the tests are spread over, each with a control plane of its own; 0: this one.
# More than two cores, since much of a test is waiting.
WORKERS ?= 3
PYTEST := $(BIN)/python -m pytest
# More arguments for the program behind a target: `make test ARGS="-k lease"`.
ARGS ?=
# Where `make cluster` keeps its files.
DIR ?= build/cluster

.PHONY: help run test check bench soak cluster lock docs dist clean setup format

help: ## List the targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: $(VENV)/.runtime ## Run the sandbox: a small API server, the adaptor, and the guide's split.
	@$(BIN)/python -m reactor.cli.extension sandbox $(ARGS)

# Without bytecode each worker would write every test's assertions anew. In the order that
# tests/spread.py gives, since xdist's own leaves those of one long test to the end.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev ## Run all tests but the long ones.
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev ## Check format, lint, types, layers and shell scripts.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	$(BIN)/shellcheck install .ci/run

bench: $(VENV)/.dev ## Measure against the limits, on a real kube-apiserver.
	$(BIN)/python -m tests.bench $(ARGS)

soak: $(VENV)/.dev ## Run the long tests: crashes and many changes.
	$(PYTEST) -m soak $(ARGS)

cluster: $(VENV)/.dev ## Run a real etcd and kube-apiserver in the foreground; DIR/kubeconfig.
	$(BIN)/python -m tests.cluster $(DIR) $(ARGS)

format: $(VENV)/.dev ## Format, and mend what can be mended.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## Write anew what docs/ takes from the code.
	$(BIN)/python -m tests.docs

lock: $(VENV)/.dev ## Lock the requirements anew, with hashes; ARGS=--upgrade for newer ones.
	for name in build runtime dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url $(ARGS) \
	    requirements/$$name.in -o requirements/$$name.txt; \
	done

dist: $(VENV)/.dev ## Make all of a release in dist/; ARGS="--platform linux-x86_64" for less.
	built='from tests.cluster import binaries; print(binaries.find(binaries.HELM) or "")'; \
	helm=$$(command -v helm || $(BIN)/python -c "$$built"); \
	$(BIN)/python -m release dist --helm "$$helm" $(ARGS)

clean: ## Remove whatever these targets made, .venv too.
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache bench-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(VENV)/.dev ## Make .venv with everything, ready for the editor.

$(VENV)/.python:
	@python=; for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    python=$$candidate; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "make: no Python 3.11 or newer found: install one, or name it with PYTHON=..." >&2; exit 1; \
	fi; \
	"$$python" -m venv $(VENV)
	@touch $@

# The runtime alone: what `make run` needs, and a part of what everything else needs.
$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | $(VENV)/.python
	@echo "Setting up $(VENV) (once; again when the requirements change) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/build.txt -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Adding what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/dev.txt
	@touch $@
