# Everything runs in .venv, which is made when it is missing or out of date.
# A machine needs python3 (3.11 or newer, with venv) and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := specs/samples/repair-results.json

# Many images of containers set this; each of the thousands of processes would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all test-floors test-newer check coverage fuzz fix format lint types wheel man bench bench-quick clean

# The first screen of the README, its commands run in a folder with this checkout's files.
demo: $(VENV)/ready
	@$(BIN)/python -m tests.readmes

# One process a core, each taking over from the others what they have not begun.
PYTEST := pytest -q -n auto --dist worksteal
PIP_INSTALL := pip install --quiet --disable-pip-version-check

# What takes seconds is left to test-all, and nine of ten examples made by chance.
test: $(VENV)/ready
	NESTDECODE_EXAMPLES=0.1 $(BIN)/$(PYTEST) -m "not slow"

test-all: $(VENV)/ready
	$(BIN)/$(PYTEST)

# The lowest versions that pyproject.toml admits. Here, and with newer Pythons, one of ten examples
# made by chance is enough, and what is marked "once" is left out: test-all has them all.
AGAIN := NESTDECODE_EXAMPLES=0.1
test-floors: $(VENV)/floors/ready
	$(AGAIN) $(VENV)/floors/bin/$(PYTEST) -m "not once"

# Each newer Python that is there, with the newest versions: all tests with the newest of them, the
# quick ones with the others. A name on PATH may be a shim of pyenv with nothing behind it, so each is
# tried.
NEWER := 3.14 3.13 3.12
test-newer: $(VENV)/ready
	@set -e; which=all; \
	for version in $(NEWER); do \
		$(BIN)/python -c "import sys; sys.exit(sys.version_info >= (3, $${version#3.}))" || continue; \
		for python in python$$version "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$version.*/bin/python$$version; do \
			"$$python" -c 'import venv' 2> /dev/null || continue; \
			echo "# Python $$version, $$which tests: $$python"; \
			$(MAKE) --no-print-directory PYTHON="$$python" $$which-python$$version; \
			which=quick; \
			break; \
		done; \
	done; \
	test $$which = quick || echo "# none of Python $(NEWER) is there beside $$($(BIN)/python --version): skipped"

all-python%: $(VENV)/python%/ready
	$(AGAIN) $(VENV)/python$*/bin/$(PYTEST) -m "not once"

quick-python%: $(VENV)/python%/ready
	$(AGAIN) $(VENV)/python$*/bin/$(PYTEST) -m "not slow"

# What quick tests of the library reach of it, branch by branch: at least fail_under in pyproject.toml.
# Tests that run commands as processes of their own, which would take as long again, are left out.
COVERED := addresses attack bytes cases census choosing cli compressed corpus decoder document encoded \
	exact files filter framing fuzz growth habits hostile jobs joined late learnt numbers pattern \
	problems properties queries spec spec_work specs
coverage: $(VENV)/ready
	$(AGAIN) $(BIN)/$(PYTEST) -m "not slow" --cov \
		--cov-report=term-missing:skip-covered $(COVERED:%=tests/test_%.py)

# The adapters with the programs that they are for; one that is not installed makes its tests fail,
# unless HOSTS is another word. .ci/hosts installs them, and unpacks syslog-ng into a folder.
.PHONY: hosts
HOSTS := all
hosts: export SYSLOG_NG_ROOT ?= $(or $(wildcard $(CURDIR)/$(VENV)/syslog-ng),/)
hosts: $(VENV)/hosts/ready
	NESTDECODE_HOSTS=$(HOSTS) $(VENV)/hosts/bin/$(PYTEST) tests/integrations

# Texts broken at random, for a while; findings are kept in tests/cases/fuzz.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/ready
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

# The whole gate.
check: format lint types coverage test-all test-floors test-newer fuzz wheel

# Corrects what can be corrected by itself.
fix: $(VENV)/ready
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format .
	$(BIN)/typos --write-changes

format: $(VENV)/ready
	$(BIN)/ruff format --check .

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/typos
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

types: $(VENV)/ready
	$(BIN)/mypy

# The manual page, from the help of the commands.
man: $(VENV)/ready
	$(BIN)/python -m tests.manual

# The source archive, the wheel made from it, and that wheel by pip, pipx and uvx.
wheel: $(VENV)/ready
	rm -rf dist && $(BIN)/python -m build --no-isolation --outdir dist . > /dev/null
	PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python tests/wheel.py dist

bench: $(VENV)/ready
	$(BIN)/python benchmarks/ratios.py
	$(BIN)/pytest benchmarks/test_workloads.py -q --benchmark-only --benchmark-disable-gc --benchmark-quiet \
		--benchmark-json=benchmarks/results/workloads.json
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/report.py

# The same on small inputs; it leaves the tables alone.
bench-quick: $(VENV)/ready
	mkdir -p .benchmarks
	$(BIN)/python benchmarks/ratios.py --quick --results .benchmarks
	$(BIN)/pytest benchmarks/test_workloads.py -q --benchmark-only --benchmark-disable-gc --benchmark-quiet \
		--benchmark-max-time=0.02 --benchmark-min-rounds=3 \
		--benchmark-json=.benchmarks/workloads.json
	$(BIN)/python benchmarks/compare.py --quick --results .benchmarks
	$(BIN)/python benchmarks/scaling.py --quick --results .benchmarks
	$(BIN)/python benchmarks/report.py --print --results .benchmarks > .benchmarks/README.md

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .coverage*

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nestdecode needs Python 3.11 or newer; set PYTHON=" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "python3 has no venv: install python3-venv, or set PYTHON=" >&2; exit 1; }
	@echo "installing into $(VENV)" >&2
	@$(BIN)/$(PIP_INSTALL) --upgrade "pip>=25.1"
	@$(BIN)/$(PIP_INSTALL) --editable . --group dev
	@touch $@

$(VENV)/floors/ready: $(VENV)/ready tests/floors.py
	@echo "installing into $(VENV)/floors" >&2
	@$(BIN)/python -m venv --clear $(VENV)/floors
	@$(VENV)/floors/bin/$(PIP_INSTALL) --upgrade "pip>=25.1"
	@$(BIN)/python tests/floors.py > $(VENV)/floors/floors.txt
	@$(VENV)/floors/bin/$(PIP_INSTALL) --constraint $(VENV)/floors/floors.txt --editable '.[zstd,json-logger,loguru,otel,structlog]' --group tests
	@touch $@

$(VENV)/hosts/ready: $(VENV)/ready
	@echo "installing into $(VENV)/hosts" >&2
	@$(BIN)/python -m venv --clear $(VENV)/hosts
	@$(VENV)/hosts/bin/$(PIP_INSTALL) --upgrade "pip>=25.1"
	@$(VENV)/hosts/bin/$(PIP_INSTALL) --editable '.[json-logger,kafka,loguru,otel,structlog]' \
		--group hosts
	@touch $@

# Not removed after the tests, as what only leads from one pattern to another would be.
.PRECIOUS: $(VENV)/python%/ready
$(VENV)/python%/ready: $(VENV)/ready
	@echo "installing into $(VENV)/python$*" >&2
	@"$(PYTHON)" -m venv --clear $(VENV)/python$*
	@$(VENV)/python$*/bin/$(PIP_INSTALL) --upgrade "pip>=25.1"
	@$(VENV)/python$*/bin/$(PIP_INSTALL) --editable '.[zstd]' --group tests
	@touch $@
