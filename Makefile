# Everything from a fresh clone: `make demo` shows what this is for, `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
COMPILED := $(VENV)/.compiled
SOURCES := $(shell find calico_lab -name '*.py')
CHECKED := calico_lab tests bench scripts notebooks slides

.PHONY: help setup demo lab slides test test-browser pictures lint unit notebooks soak bench lock schemas clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo       set up, start the local lab, run the round-robin notebook, show the result'
	@echo 'make lab        open JupyterLab on a copy of the notebooks, with the local lab running'
	@echo 'make slides     the three decks, as pages that work offline and as PDF, into $(SLIDES)'
	@echo 'make test       every check: lint, unit, notebooks'
	@echo 'make setup      set up only, into $(VENV)'
	@echo 'make test-browser   what a learner sees in a browser; needs chromium'
	@echo 'make pictures   make the pictures of docs/ anew, in a browser'
	@echo 'make soak       the checks that take minutes: fifty kills, two hundred labs'
	@echo 'make bench      measure'
	@echo 'make lock       pin the dependencies anew'
	@echo 'make schemas    derive the API schemas anew from published packages'
	@echo 'make clean      stop the local lab and delete what set-up made here'

# --- Set-up -----------------------------------------------------------------------------------------------------------

setup: $(COMPILED)
	@$(BIN)/calico-lab fetch > /dev/null

# Compiled here because the environment may forbid Python to do it on the way (PYTHONDONTWRITEBYTECODE).
$(COMPILED): $(INSTALLED) $(SOURCES)
	@$(BIN)/python -m compileall -q calico_lab
	@touch $@

$(INSTALLED): $(BIN)/uv requirements/lab.txt pyproject.toml
	@echo 'Installing the packages of requirements/lab.txt into $(VENV)'
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
		requirements/uv.txt requirements/lab.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
		echo 'Python 3.11 or newer is needed: sudo apt install python3   (or: make PYTHON=python3.12 ...)'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		echo 'Python cannot make virtual environments here: sudo apt install python3-venv'; exit 1; }
	@echo 'Making the virtual environment $(VENV)'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# --- Use --------------------------------------------------------------------------------------------------------------

demo: setup
	@$(BIN)/calico-lab demo

lab: setup
	@$(BIN)/calico-lab notebooks $(if $(OPTIONS),-- $(OPTIONS))

SLIDES := build/slides

slides: setup
	@$(BIN)/calico-lab slides $(SLIDES)

# --- Checks -----------------------------------------------------------------------------------------------------------

test: lint unit notebooks

lint: setup
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_module_sizes.py
	scripts/check_requirements.sh

# What takes minutes: parts that are killed, hosts that are cut off, hundreds of starts, notebooks in mutated labs, and
# the faults that the checks of the longer lessons tell apart.
LONG := tests/soak tests/lab/test_parts_die.py tests/lab/test_cut_off.py tests/lab/test_nothing_is_left.py \
	tests/lab/test_own_cluster.py tests/lab/test_checks.py tests/notebooks \
	tests/lab/test_sessions.py tests/lab/test_hashing.py tests/lab/test_fail_over.py tests/lab/test_guarded.py
# Tests wait more than they compute. Each file stays with one worker, which so shares one lab among its tests, and files
# are begun in the order given: those with labs, which last longest, before the unit tests.
AT_ONCE := --dist loadfile --no-loadscope-reorder --numprocesses

unit: setup
	$(BIN)/pytest tests $(AT_ONCE) 4 $(addprefix --ignore=,$(LONG) tests/browser)

notebooks: setup
	PYTHONPATH=tests $(BIN)/pytest -p support.lab_of_worker --nbval notebooks slides $(AT_ONCE) 3

test-browser: setup
	$(BIN)/pytest tests/browser

pictures: setup
	CALICO_LAB_PICTURES=docs $(BIN)/pytest tests/browser/test_playground.py tests/browser/test_traffic_shift.py \
		tests/browser/test_notebooks.py -k 'plot or keyboard or theme'

soak: setup
	$(BIN)/pytest $(LONG) $(AT_ONCE) 2

bench: setup
	PYTHONPATH=tests $(BIN)/python -m bench

# --- Maintenance ------------------------------------------------------------------------------------------------------

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --upgrade \
	--custom-compile-command 'make lock'

lock: $(BIN)/uv
	$(COMPILE) --output-file requirements/uv.txt requirements/uv.in
	$(COMPILE) --output-file requirements/lab.txt --extra dev pyproject.toml

# kubernetes-validate stays out of the environment: its mere presence slows the import of kubernetes fivefold.
schemas: setup
	$(BIN)/uv run --quiet --no-project --with kubernetes-validate==1.37.0 python scripts/make_schemas.py
	$(BIN)/uv run --quiet --no-project --with xds-protos==1.85.0 python scripts/make_envoy_messages.py

clean:
	@if [ -x $(BIN)/calico-lab ]; then $(BIN)/calico-lab down; fi
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find calico_lab tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +
