PY := .venv/bin/python

.PHONY: setup run test check bench demo clean

setup: .venv/ready

.venv/ready: setup.cfg pyproject.toml
	test -x $(PY) || python3 -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --editable ".[local,dev]"
	touch $@

run: setup
	$(PY) -m supervisor serve

demo: setup
	$(PY) -m supervisor demo --out demo

test: setup
	$(PY) -m pytest

check: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

bench: setup
	$(PY) -m bench

clean:
	rm -rf .venv demo build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
