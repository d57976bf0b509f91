# Everything runs in .venv, which is made when it is missing or out of date.
# A machine needs python3 (3.11 or newer, with venv) and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := specs/samples/repair-results.json

.PHONY: demo test check fuzz format lint types wheel bench bench-quick clean

demo: $(VENV)/ready
	@echo "# the layers of $(SAMPLE), opened:"
	@$(BIN)/nestdecode expand --indent 2 $(SAMPLE)
	@echo "# its image addresses: nestdecode query -r --each 'structData.data[]' $(SAMPLE)"
	@$(BIN)/nestdecode query -r --each 'structData.data[]' $(SAMPLE)

test: $(VENV)/ready
	$(BIN)/pytest

# Texts broken at random, for a while; findings are kept in tests/cases/fuzz.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/ready
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

check: format lint types test fuzz wheel

format: $(VENV)/ready
	$(BIN)/ruff format --check .

lint: $(VENV)/ready
	$(BIN)/ruff check .

types: $(VENV)/ready
	$(BIN)/mypy

# The wheel, in a bare environment, away from the source tree: the main job and no more.
wheel: $(VENV)/ready
	rm -rf dist && $(BIN)/python -m build --no-isolation --outdir dist . > /dev/null
	set -e; \
	sample="$$PWD/$(SAMPLE)"; wheel="$$(echo "$$PWD"/dist/*.whl)"; \
	bare="$$(mktemp -d)"; trap 'rm -rf "$$bare"' EXIT; \
	$(PYTHON) -m venv "$$bare/venv"; \
	"$$bare/venv/bin/pip" install --quiet --disable-pip-version-check "$$wheel"; \
	cd "$$bare"; \
	venv/bin/nestdecode --version; \
	test "$$(venv/bin/nestdecode query -r --each 'structData.data[]' "$$sample" | wc -l)" -eq 4; \
	test "$$(venv/bin/nestdecode query -r --each :urls --spec repair-results "$$sample" | wc -l)" -eq 4; \
	venv/bin/nestdecode expand "$$sample" > auto.json; \
	venv/bin/nestdecode expand --spec repair-results "$$sample" > spec.json; \
	cmp auto.json spec.json; \
	venv/bin/nestdecode spec list; \
	venv/bin/python -m pip check

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
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nestdecode needs Python 3.11 or newer; set PYTHON=" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "python3 has no venv: install python3-venv, or set PYTHON=" >&2; exit 1; }
	@echo "installing into $(VENV)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@
