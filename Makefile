# `make report` draws the report of the synthetic cohort, `make test` runs the tests, `make check` runs everything that must hold.

PYTHON ?= python3
BIN    := .venv/bin
AXE    := 4.14.1
PIP    := -m pip install --quiet --disable-pip-version-check

.PHONY: report data test check oldest snapshots bench validate screenshots docs accessibility clean
.DEFAULT_GOAL := report
.NOTPARALLEL:

report: .venv/installed            ## the report of data/synthetic/ in out/
	$(BIN)/burnout-stats report data/synthetic/villa_sana.toml -o out/

data: .venv/installed              ## rebuilds data/synthetic/, byte for byte
	$(BIN)/python -m burnout_stats.studies synthetic data/synthetic

test: .venv/workshop               ## all tests
	$(BIN)/pytest -n 2 --dist loadgroup

check: .venv/workshop              ## format, lint, types, floors, and all tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n 2 --dist loadgroup

oldest: .venv-oldest/workshop      ## unit tests and identities with the oldest libraries we promise
	.venv-oldest/bin/pytest -n 2 -m 'not pinned' tests/unit tests/identities

snapshots: .venv/workshop          ## rewrites tests/snapshots/: look at the difference before you commit it
	UPDATE_SNAPSHOTS=1 $(BIN)/pytest tests/architecture tests/unit

bench: .venv/workshop              ## our fit beside statsmodels, by number of subjects (`make bench PEERS=1`: beside every peer; IMPUTATION=1: a thousand imputations; POWER=1: ten thousand planned cohorts; EVENTS=1: a logistic mixed model)
	$(if $(PEERS),$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[bench]')
	$(BIN)/python benchmarks/$(if $(STREAM),stream.py --rows $(STREAM),$(if $(IMPUTATION),imputation.py,$(if $(POWER),power.py,$(if $(EVENTS),events.py $(if $(PEERS),--peers),bench.py $(if $(PEERS),--peers)))))

validate: .venv/workshop           ## the published studies with a thousand replicates each, docs/validation.md, and the simulation studies
	$(BIN)/burnout-stats reproduce --all --replicates 1000
	$(BIN)/burnout-stats validate -o docs/validation.md
	$(BIN)/pytest -n 2 tests/recovery

screenshots: report .venv/workshop ## docs/screenshots/ from out/report.html, by headless Chromium
	$(BIN)/python docs/screenshots/redraw.py

docs: .venv/site                   ## the documentation site in out/docs/, warnings as errors
	$(BIN)/sphinx-build --fail-on-warning --keep-going --jobs 2 --quiet docs out/docs

accessibility: .venv/workshop      ## the report in headless Chromium: axe-core finds nothing, no request leaves the page
	@command -v npm >/dev/null && npm install --silent --no-save --no-package-lock --prefix .venv/axe axe-core@$(AXE) || \
	    echo 'axe-core was not installed: npm or the network is missing here.'
	$(BIN)/pytest -rs tests/accessibility

clean:                             ## away with what `make` has made
	rm -rf .venv .venv-oldest out dist docs/reference docs/notebooks .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Stamps, so that nothing is installed twice: what a report needs, what the workshop needs beyond it, and the same with old libraries.

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo 'Installing what a report needs into .venv; this takes about a minute.'
	@$(BIN)/python $(PIP) --constraint constraints.txt --editable .
	@touch $@

.venv/workshop: pyproject.toml constraints.txt | .venv/bin/python
	@echo 'Installing the workshop into .venv; this takes about two minutes.'
	@$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch .venv/installed $@

.venv/site: pyproject.toml constraints.txt | .venv/bin/python
	@echo 'Installing what the documentation site needs into .venv; this takes about a minute.'
	@$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[docs]'
	@touch $@

.venv-oldest/workshop: pyproject.toml constraints-oldest.txt | .venv-oldest/bin/python
	@echo 'Installing the workshop with old libraries into .venv-oldest; this takes about two minutes.'
	@.venv-oldest/bin/python $(PIP) --constraint constraints-oldest.txt --editable '.[dev]'
	@touch $@

.venv/bin/python .venv-oldest/bin/python:
	@command -v $(PYTHON) >/dev/null || \
	    { echo 'Python is missing here: install Python 3.11 or newer (on Debian and Ubuntu: apt install python3 python3-venv).' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$$($(PYTHON) --version) is too old: name Python 3.11 or newer, for example make PYTHON=python3.12." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo 'This Python cannot make virtual environments: install that part with apt install python3-venv.' >&2; exit 1; }
	$(PYTHON) -m venv $(@:/bin/python=)
