# Four verbs: install, check, test, run (`make demo`). Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help install demo check test audit soak autobahn bench format lock snapshots clean

help:                ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: .venv/bin/python requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

install: .venv/run.stamp   ## a virtual environment with pinned versions and the pushtui command

demo: .venv/run.stamp      ## a room that plays a conversation, with the screen on it; leaving the screen stops everything
	@$(BIN)/pushtui demo

check: .venv/dev.stamp     ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: .venv/dev.stamp      ## every test
	$(BIN)/python -m pytest

audit: .venv/dev.stamp     ## look the pinned packages up among known vulnerabilities
	@$(BIN)/python .ci/audit.py

soak: .venv/dev.stamp      ## kill the server and cut its power, hundreds of times, and play a thousand times: 20 minutes
	$(BIN)/python -m tests.soak
	PUSHTUI_MODEL_EXAMPLES=1000 $(BIN)/python -m pytest -q tests/server/test_model.py tests/server/test_model_server.py

autobahn: .venv/dev.stamp  ## let the Autobahn test suite judge the WebSocket side; needs a Python 2.7, see PYTHON27
	$(BIN)/python -m tests.autobahn

bench: .venv/dev.stamp     ## measure this machine, and other push servers beside: an hour and a half
	$(BIN)/python -m bench peers
	-$(BIN)/python -m bench
	$(BIN)/python -m bench fanout --json out/fanout.json --markdown out/fanout.md --plots out/plots

format: .venv/dev.stamp    ## put the code in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

snapshots: .venv/dev.stamp ## accept the screens as they are now
	$(BIN)/python -m pytest tests/tui --snapshot-update

lock: .venv/bin/python     ## pin the newest versions that pyproject.toml allows
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-header pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt

clean:               ## remove the virtual environment and caches
	rm -rf .venv .autobahn .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis
