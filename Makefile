# Everything happens in .venv beside this file; `make clean` takes it all away again.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-all test-slow check lint types imports format benchmark requirements clean

VENV := .venv
RUN := $(VENV)/bin/python
PORT ?= 8501
ADDRESS ?= localhost
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_DEFAULT_TIMEOUT ?= 120
export PYTHON

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo "make run takes PORT=8502, and ADDRESS=0.0.0.0 to serve other machines;"
	@echo "PYTHON=/path/to/python3.12 picks the interpreter for a new $(VENV)."

run: $(VENV)/.installed ## Start the dashboard and show its address; Ctrl+C stops it
	@headless=true; \
	if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || { [ "$$(uname)" = Darwin ] && [ -z "$$SSH_CONNECTION" ]; }; then \
		headless=false; \
	fi; \
	exec $(RUN) -m streamlit run app.py --server.address=$(ADDRESS) --server.port=$(PORT) \
		--browser.serverAddress=localhost --server.headless=$$headless --server.showEmailPrompt=false

# Two processes begin with the tests in a browser, which often wait, and one with those with workers; who is done first
# takes the others, a file at a time (tests/conftest.py). Each process collects all tests: bytecode spares it to compile
# them.
PYTEST = PYTHONDONTWRITEBYTECODE= $(RUN) -m pytest --numprocesses=3 --no-loadscope-reorder

test: $(VENV)/.installed-dev ## Run the tests, without the slow ones (ARGS="-k pattern" narrows them)
	$(PYTEST) $(ARGS)

test-all: test test-slow ## Run all tests

test-slow: $(VENV)/.installed-dev ## Run the slow tests
	$(PYTEST) -m slow $(ARGS)

check: lint types imports ## Linter, format, types and import contract (-k goes on after a failure)

lint: $(VENV)/.installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(VENV)/.installed-dev
	$(RUN) -m mypy

imports: $(VENV)/.installed-dev
	$(VENV)/bin/lint-imports --no-logo

format: $(VENV)/.installed-dev ## Format the code and mend what the linter can
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

benchmark: $(VENV)/.installed-dev ## Measure training beside Keras, and the page (some minutes)
	$(RUN) -m benchmarks.training
	$(RUN) -m benchmarks.dashboard

# uv names the supported machines in every line's marker; only where a line is not for all of them is it kept.
# A pin that still fits is kept too, unless UPGRADE=--upgrade.
PIN = $(RUN) -m uv pip compile --quiet --universal --fork-strategy fewest --no-annotate \
	--custom-compile-command "make requirements" $(UPGRADE) pyproject.toml
SIMPLIFY = sed -E \
	-e "s/ and platform_python_implementation == 'CPython'//g" \
	-e "/^tensorflow==/s/ ;.*/ ; sys_platform != 'linux' or platform_machine != 'x86_64'/" \
	-e "s/ and \(\(.*'darwin'\) or \(.*'aarch64'.*\) or \(.*'x86_64'.*\) or \(.*'AMD64'.*\)\)$$//" \
	-e "s/ ; python_full_version < '3.14'$$//" \
	-e "s/python_full_version < '3.14' and //"

requirements: $(VENV)/.installed ## Pin the versions again after a change of pyproject.toml
	$(RUN) -m pip install --quiet uv
	$(PIN) --output-file requirements.txt
	$(PIN) --output-file requirements-dev.txt --extra dev --constraint requirements.txt
	for file in requirements.txt requirements-dev.txt; do \
		$(SIMPLIFY) $$file > $(VENV)/pins && cp $(VENV)/pins $$file || exit 1; \
	done

clean: ## Remove .venv, caches and copied assets (not the store with your runs)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		dask-scratch-space build bnlab.egg-info
	find app.py bnlab pages tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements.txt $(RUN)
	@echo "Installing what bnlab needs into $(VENV) (once; some minutes on a slow line) ..."
	@$(RUN) -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing the tools for tests and checks ..."
	@$(RUN) -m pip install --quiet -r requirements-dev.txt
	@touch $@

# The first interpreter that runs, is 3.11 to 3.13 and can make a virtual environment: a name on PATH may be a
# shim of a version that is not installed, and Debian parts venv from python3.
USABLE := import ensurepip, sqlite3, ssl, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
$(RUN):
	@if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; else set -- python3.13 python3.12 python3.11 python3; fi; \
	for python in "$$@"; do \
		if "$$python" -c '$(USABLE)' 2>/dev/null; then \
			echo "Making $(VENV) with $$("$$python" --version)"; \
			"$$python" -m venv --clear $(VENV) && exit || { rm -rf $(VENV); exit 1; }; \
		fi; \
	done; \
	echo "bnlab needs Python 3.11, 3.12 or 3.13 with venv, sqlite3 and ssl, and none of these is one: $$*." >&2; \
	echo "Install one (on Debian and Ubuntu: apt install python3-venv) or name it: make run PYTHON=/path/to/python3." >&2; \
	exit 1
