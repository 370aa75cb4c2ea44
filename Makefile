# Every target does its own set-up: Python 3.11 or newer and make are all a fresh machine needs.
# The Neo4j half of the tests also wants Java 17 and Maven, or GRAPHPROFILE_TEST_NEO4J_URI (_USER, _PASSWORD).

VENV ?= .venv
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for name in python3.12 python3.13 python3.11 python3 python; do \
	$$name $(NEW_ENOUGH) 2>/dev/null && { echo $$name; break; }; done)
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check format screenshots neo4j bench chaos clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) $(NEW_ENOUGH) || \
		{ echo "graphprofile needs Python 3.11 or newer. Say where: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@echo "Setting up $(VENV) (once; PyTorch is large)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY) ## A real library's readers as profiles, from events to a report
	@$(BIN)/graphprofile demo

test: $(READY) ## All tests, on the embedded engine and on a Neo4j that is started for it
	@$(BIN)/python -m pytest -n auto --no-loadscope-reorder --durations=25

check: $(READY) ## ruff, mypy --strict, bandit, and known holes in what is installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml graphprofile loaders
	@$(BIN)/python tests/audit_packages.py

format: $(READY) ## Put the code into the house's form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

screenshots: $(READY) ## The tests of the page, and a picture of each section in screenshots/ (needs Chromium)
	@GRAPHPROFILE_SCREENSHOTS=screenshots $(BIN)/python -m pytest tests/page

neo4j: $(READY) ## A real Neo4j in the foreground; prints how to reach it
	@$(BIN)/python tests/neo4j_server.py

bench: $(READY) ## Print the figures of this machine
	@$(BIN)/python -m benchmarks

chaos: $(READY) ## Kills, cuts, full disks and bad files while loading, on both engines (hours)
	@$(BIN)/python -m tests.chaos

clean: ## Remove the environment and what was built
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
