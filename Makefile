# Needs Python 3.11 or newer alone; each target sets up what it needs.
PYTHON ?= python3
VENV = .venv

.PHONY: demo test quick leaks docs bench format clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

demo: $(VENV)/installed   ## the same careless site twice, bare and guarded, and what a browser gets from each
	$(VENV)/bin/privguard demo

test:    ## everything: linters, types, all tests on the oldest and the newest Python, real servers and browsers
	$(PYTHON) scripts/test.py

quick:   ## the tests on the newest Python alone
	$(PYTHON) scripts/test.py --quick

leaks: $(VENV)/installed   ## what pages contact in real browsers, bare and guarded, into docs/reference/leaks.md
	$(VENV)/bin/python -m pip install --quiet --editable ".[test]"
	$(VENV)/bin/python tests/browsers/leaks.py

docs: $(VENV)/installed   ## the documentation, in docs/_build/html
	$(VENV)/bin/python -m pip install --quiet --editable ".[docs]"
	$(VENV)/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/installed   ## what a request costs
	$(VENV)/bin/python benchmarks/request.py

format: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --editable ".[test]"
	$(VENV)/bin/python -m ruff check --fix . ; $(VENV)/bin/python -m ruff format .

clean:
	rm -rf .venv .venv-* build dist docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
