# Everything happens inside this folder: the virtual environment, pip's and the tools' caches. `make help` lists it all.
# VENV=… puts the environment elsewhere, PYTHON=… names the interpreter, ARGS=… is handed to the tool.

VENV ?= .venv
PY := $(VENV)/bin/python
export PIP_NO_CACHE_DIR := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# pip asks rustc for its version, and rustup would then make a folder in the home
export RUSTUP_HOME ?= $(CURDIR)/.venv/.rustup
PIP := $(PY) -m pip --quiet install --require-virtualenv --no-deps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench lock clean

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-14s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.runtime  ## grade the bundled conversations and write a report (ARGS: options of `grader demo`)
	@$(PY) -m grader demo $(ARGS)

test: $(VENV)/.dev  ## run the tests, all but the slow ones (ARGS: options of pytest)
	@$(PY) -m pytest -m "not slow" $(ARGS)

check: $(VENV)/.dev  ## lint, formatting, types, and the guards over imports, docs and names
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m pytest -q tests/test_guards.py

bench: $(VENV)/.dev  ## measure speed, memory, faults, kills, millions of conversations, calibrations, intervals, reports and reviews in a browser, then the slow tests
	@$(PY) benchmarks/throughput.py
	@$(PY) benchmarks/faults.py
	@$(PY) benchmarks/kill.py
	@$(PY) benchmarks/signals_vs_labels.py
	@$(PY) benchmarks/figures.py
	@$(PY) benchmarks/coverage_sample.py
	@$(PY) benchmarks/coverage_calibration.py
	@$(PY) benchmarks/coverage_plan.py
	@$(PY) benchmarks/coverage_composite.py
	@$(PY) benchmarks/coverage_agreement.py
	@$(PY) benchmarks/coverage_counts.py
	@$(PY) benchmarks/calibration.py
	@$(PY) benchmarks/ingest.py
	@$(PY) benchmarks/report.py
	@$(PY) benchmarks/review.py
	@$(PY) -m pytest -m slow $(ARGS)

lock: $(VENV)/.dev  ## resolve the versions anew within pyproject's bounds (ARGS=--upgrade: the newest)
	@$(PIP) uv
	@for groups in "requirements.lock:build" "requirements-dev.lock:dev"; do \
	  UV_CACHE_DIR=$(VENV)/.uv $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --no-emit-index-url --custom-compile-command "make lock" pyproject.toml --group "$${groups#*:}" \
	    $$(test "$${groups#*:}" = dev && echo -c requirements.lock) -o "$${groups%%:*}" $(ARGS) || exit; done

clean:  ## remove the environment, caches and build output; databases, journals and reports stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
	find grader tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp per set of packages, renewed when the lock or the package's own description changes.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/.made
	@echo "Installing what Grader runs on into $(VENV) (under a minute) …" >&2
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what its tests need …" >&2
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# An environment that works is kept; else the first of these that is 3.11 or newer and can make one.
$(VENV)/.made:
	@if $(PY) -m pip --version >/dev/null 2>&1; then touch $@; exit; fi; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    "$$python" -m venv --clear $(VENV) && touch $@ && exit; exit 1; fi; done; \
	echo "error: no Python 3.11 or newer with venv found" >&2; \
	echo "  → install one (Debian, Ubuntu: apt install python3 python3-venv), or make PYTHON=/path/to/python …" >&2; exit 2
