# agentd: `make help` lists every target.
ROOT ?=
FOLDER := $(if $(ROOT),$(ROOT),$(CURDIR))
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KILLS ?= 200
SOAK_MINUTES ?= 20
SEED ?= 100

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.runtime: requirements.lock pyproject.toml
	@echo 'Installing into $(CURDIR)/$(VENV): once, a minute or so ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: run
run: $(VENV)/.runtime ## Run the daemon on ROOT (default: this checkout)
	@folder="$$(realpath -m "$(FOLDER)")"; printf '\nSearch it from another terminal with:\n\n  %s search --root "%s" "where are errors handled"\n\nor ask:\n\n  %s ask --root "%s" "how are errors handled?"\n\n' "$(CURDIR)/$(BIN)/agentctl" "$$folder" "$(CURDIR)/$(BIN)/agentctl" "$$folder"
	@exec $(BIN)/agentd --root "$(FOLDER)"

.PHONY: test
test: $(VENV)/.dev ## Run every test that needs Python alone
	$(BIN)/python -m pytest -m "not system" -q -n 2 --dist loadfile

.PHONY: test-system
test-system: $(VENV)/.dev ## Run the tests that need Debian or npm packages or systemd
	$(BIN)/python -m pytest -m system -q

.PHONY: lint
lint: $(VENV)/.dev ## Check style and the layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## Rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: types
types: $(VENV)/.dev ## Check every type
	$(BIN)/mypy

.PHONY: bench
bench: $(VENV)/.dev ## Measure speed and memory, each figure beside its baseline
	$(BIN)/python -m benchmarks

.PHONY: soak
soak: $(VENV)/.dev ## Kill the daemon KILLS times, then let everything happen at once for SOAK_MINUTES
	PYTHONPATH=tests:tools $(BIN)/python -m soak --kills $(KILLS) --minutes $(SOAK_MINUTES) --seed $(SEED)

.PHONY: eval
eval: $(VENV)/.dev ## Score retrieval on judged sets (in the folder EVAL_SETS)
	$(BIN)/python -m benchmarks.eval --sets "$(EVAL_SETS)"

.PHONY: pictures
pictures: $(VENV)/.dev ## Draw the pictures of the README again
	PYTHONPATH=.:tests:tools $(BIN)/python tools/pictures.py

.PHONY: lock
lock: $(VENV)/.dev ## Resolve the dependencies again and write both lock files
	$(BIN)/python tools/lock.py
