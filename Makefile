# riskd in one-word verbs; `make` alone prints them. Everything is installed into $(VENV) and nowhere else.

VENV   ?= .venv
PYTHON ?= python3
ARGS   ?=
BIN    := $(VENV)/bin
SOURCES = daemon models tests benchmarks alerts
UV      = $(BIN)/uv pip
COMPILE = $(UV) compile -q --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate
INSTALL = $(UV) install -q --python $(BIN)/python
# PyTorch without CUDA: from the given wheels where PIP_FIND_LINKS names some, else by uv's own switch.
TORCH   = $(if $(PIP_FIND_LINKS),$(addprefix --find-links ,$(PIP_FIND_LINKS)),--torch-backend cpu)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# onnxruntime otherwise keeps a device identifier and usage events for its maker.
export ORT_DISABLE_TELEMETRY := 1
# Debian keeps mosquitto where only root looks.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test check lock train bench soak peers clean

help:
	@echo "make VERB [ARGS='...']"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-7s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.daemon ## install the daemon and its demo from requirements/lock.txt, once

run: $(VENV)/.daemon ## run the demo: offline prices, its own broker, a page in the browser
	@$(BIN)/riskd demo $(ARGS)

demo: $(VENV)/.daemon ## run the demo to its end and exit
	@$(BIN)/riskd demo --exit $(ARGS)

test: $(VENV)/.train ## run every test; brokers and browsers come from apt if you are root
	@.ci/programs
	@$(BIN)/python -m pytest tests $(ARGS)

check: $(VENV)/.train ## lint, format, types (of the training package too), import rules
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check -q $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

lock: $(BIN)/uv ## resolve the requirements anew; ARGS=--upgrade takes newer versions
	@$(COMPILE) $(ARGS) --extra demo --extra postgres --extra lab pyproject.toml -o requirements/lock.txt
	@$(COMPILE) $(ARGS) --group test --group check -c requirements/lock.txt -o requirements/test.txt
	@$(COMPILE) $(ARGS) --group bench -o requirements/bench.txt

train: $(VENV)/.train ## train, judge and export the network; ARGS go to the trainer
	@$(BIN)/python -m riskd_models train $(ARGS)

bench: $(VENV)/.train ## run every benchmark on this machine
	@set -e; for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script" $(ARGS); done

soak: $(VENV)/.train ## run what takes hours: crash points, seeded lives, ten thousand days, clocks, a million steps of a limit
	@.ci/programs
	@failed=; for script in benchmarks/soak/crash_points.py benchmarks/soak/service.py benchmarks/soak/clocks.py \
	  "benchmarks/soak/seeded.py --jobs 2" benchmarks/alert_noise.py; do \
	  echo "$$script"; $(BIN)/python $$script || failed="$$failed $$script"; done; \
	echo "the life of a limit"; RISKD_LIMIT_STEPS=1000000 $(BIN)/python -m pytest -q tests/property/test_limits_property.py -k long_walk || \
	  failed="$$failed limits"; \
	if [ -n "$$failed" ]; then echo "make: figures that do not hold:$$failed" >&2; exit 1; fi

peers: $(VENV)/.peers ## race riskd's optimiser against other people's, which are installed first
	@$(VENV)/peers/bin/python benchmarks/allocation.py --peers all $(ARGS)

clean: ## remove the environment, caches and built wheels; prices and checkpoints stay
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/uv:
	@$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "make: $(PYTHON) is not Python 3.11 or newer with venv; run 'apt-get install python3-venv' and then make again" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q "uv>=0.9,<1"

$(VENV)/.daemon: pyproject.toml requirements/lock.txt | $(BIN)/uv
	@echo "installing the daemon into $(VENV), once" >&2
	@$(INSTALL) -r requirements/lock.txt
	@$(INSTALL) --no-deps -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.daemon
	@$(INSTALL) -r requirements/test.txt
	@touch $@

$(VENV)/.peers: requirements/bench.txt $(VENV)/.daemon
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(VENV)/peers
	@$(UV) install -q --python $(VENV)/peers/bin/python -r requirements/bench.txt
	@$(UV) install -q --python $(VENV)/peers/bin/python --no-deps -e .
	@touch $@

$(VENV)/.train: requirements/train.txt $(VENV)/.test
	@$(INSTALL) $(TORCH) -c requirements/lock.txt -r requirements/train.txt
	@touch $@
