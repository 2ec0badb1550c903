PYTHON ?= python3
PY := .venv/bin/python

# Quiet, and without a look for a newer pip.
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
HASHED := --require-hashes --only-binary :all:
COMPILE := .tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: setup run test test-all shipped nightly hostile check bench peers interop demo cluster lock audit manifests licences clean

SHIPPED := tests/deploy/test_started.py

setup: .venv/ready

.venv/ready: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing into .venv: two to four minutes, 1.2 GB"
ifdef LOCKED
	$(PIP) $(HASHED) -r requirements/dev.txt
	$(PIP) $(HASHED) --no-deps -r requirements/agents.txt
	$(PIP) --no-deps --no-build-isolation --editable .
else
	$(PIP) --editable ".[local,cluster,otel,dev]"
	$(PIP) --no-deps -r requirements/agents.in
endif
	touch $@

run: setup
	$(PY) -m supervisor serve

demo: setup
	$(PY) -m supervisor demo --out demo

test: setup
	$(PY) -m pytest -n 3 --dist worksteal -m "not thorough"

test-all: setup
	$(PY) -m pytest -n 3 --dist loadfile --simulations 800 --hypothesis-profile thorough --ignore $(SHIPPED)

# Builds the images and starts them and the unit: five minutes or more, as root, with mmdebstrap, buildah, bubblewrap and systemd-container.
shipped: setup
	$(PY) -m pytest $(SHIPPED)

nightly: setup
	$(PY) -m tests.simulation.nightly $(if $(SECONDS),--seconds $(SECONDS),--hours $(or $(HOURS),8))

hostile: setup .venv/hostile
	$(PY) -m tests.hostile

.venv/hostile: setup.cfg
	-$(PIP) --editable ".[hostile]"
	touch $@

check: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

bench: setup .venv/bench
	$(PY) -m bench

.venv/bench: setup.cfg
	$(PY) -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	touch $@

peers: .peers/ready

.peers/ready: bench/peers/openai-agents.txt bench/peers/pipecat.txt
	for each in openai-agents pipecat; do \
		$(PYTHON) -m venv .peers/$$each || exit; \
		.peers/$$each/bin/pip install --quiet --disable-pip-version-check -r bench/peers/$$each.txt || exit; \
	done
	touch $@

interop: setup .interop/ready
	$(PY) -m bench.interop

.interop/ready:
	for each in livekit pipecat pydantic s2s; do $(PYTHON) -m venv .interop/$$each || exit; done
	.interop/livekit/bin/pip install --quiet --disable-pip-version-check "livekit-agents >= 1.8, < 2" "livekit-plugins-openai >= 1.8, < 2"
	.interop/pipecat/bin/pip install --quiet --disable-pip-version-check "pipecat-ai[openai] >= 1.14, < 2"
	.interop/pydantic/bin/pip install --quiet --disable-pip-version-check "pydantic-ai-slim[openai,realtime] >= 2.68, < 3"
	.interop/s2s/bin/pip install --quiet --disable-pip-version-check --no-deps "speech-to-speech == 1.1.0"
	.interop/s2s/bin/pip install --quiet --disable-pip-version-check fastapi httpx huggingface-hub jsonschema nltk numpy "openai == 2.28.0" pillow pydantic PyYAML rich scipy soxr uvicorn websockets
	touch $@

cluster: setup
	$(PY) -m bench.cluster

lock: .tools/ready
	$(COMPILE) setup.cfg requirements/build.in --extra local --extra cluster --extra otel --extra dev -o requirements/dev.txt
	$(COMPILE) setup.cfg requirements/build.in --extra local --extra cluster -c requirements/dev.txt -o requirements/local.txt
	$(COMPILE) setup.cfg requirements/build.in --extra cluster -c requirements/dev.txt -o requirements/server.txt
	$(COMPILE) --no-deps requirements/agents.in -o requirements/agents.txt

audit: .tools/ready
	.tools/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/dev.txt -r requirements/agents.txt

.tools/ready: requirements/tools.in
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check -r requirements/tools.in
	touch $@

manifests: .tools/ready
	.tools/bin/kubernetes-validate --strict --kubernetes-version 1.37 deploy/kubernetes/*.yaml
	.tools/bin/kubernetes-validate --strict --kubernetes-version 1.29 deploy/kubernetes/*.yaml

licences: setup
	$(PY) -m tests.test_licences

clean:
	rm -rf .venv .tools .interop .peers demo build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
