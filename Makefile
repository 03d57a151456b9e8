# Autoencoder Playground: `make run` starts it, `make test` tests it. Both make the environment they need.
# VENV names the environment's folder, PYTHON the interpreter it is made from (3.11 to 3.13), ARGS goes to the command.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test test-fast check audit fuzz format bench pretrained clean

run: $(STAMP)-run
	$(BIN)/python app.py $(ARGS)

# Compiled modules and tests are kept, also where the environment forbids it: each process would compile them all anew.
unexport PYTHONDONTWRITEBYTECODE

# Two processes, each with whole files, so that fixtures are made once, in the order that tests/conftest.py gives them;
# ARGS="-n 0" runs them one after the other.
TOGETHER := -n 2 --dist loadfile --no-loadscope-reorder

test: $(STAMP)-dev
	$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

test-fast: $(STAMP)-dev
	$(BIN)/python -m pytest $(TOGETHER) -m "not slow and not browser" --ignore tests/browser $(ARGS)

check: $(STAMP)-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

# Known vulnerabilities of all that is installed; pip-audit lies in an environment of its own, since it needs much besides.
audit: $(STAMP)-dev $(STAMP)-audit
	$(BIN)/python -m benchmarks.audit $(VENV)/audit/bin/pip-audit

# Uploads that mean harm, ten thousand of them: COUNT and SEED choose others.
COUNT ?= 10000
SEED ?= 0
fuzz: $(STAMP)-dev
	$(BIN)/python -W ignore -m benchmarks.fuzzing $(COUNT) $(SEED)

format: $(STAMP)-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The peers' packages lie in a folder of their own, so that what they pin cannot disturb the playground.
bench: $(STAMP)-dev $(STAMP)-peers
	PLAYGROUND_PEERS=$(VENV)/peers $(BIN)/python -m benchmarks.training $(ARGS)
	$(BIN)/python -m benchmarks.interface
	$(BIN)/python -m benchmarks.latent
	$(BIN)/python -m benchmarks.latent_page
	$(BIN)/python -m benchmarks.paint_page
	$(BIN)/python -m benchmarks.inside_page
	$(BIN)/python -m benchmarks.restoring
	$(BIN)/python -m benchmarks.inpainting
	$(BIN)/python -m benchmarks.penalties
	$(BIN)/python -m benchmarks.retrieval
	$(BIN)/python -m benchmarks.labels
	$(BIN)/python -m benchmarks.classroom

# All shipped models again, from their recipes: about an hour on two cores. MODELS chooses some by name.
MODELS ?= all
pretrained: $(STAMP)-run
	$(BIN)/python -m playground pretrain $(MODELS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Environments: made when missing, filled again when the lists change -------------------------------------------------

$(BIN)/python:
	@for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11 \
	    "$$HOME"/.pyenv/versions/3.13*/bin/python "$$HOME"/.pyenv/versions/3.12*/bin/python "$$HOME"/.pyenv/versions/3.11*/bin/python; do \
	    if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	        echo "Making $(VENV) with $$("$$candidate" --version)"; exec "$$candidate" -m venv "$(VENV)"; \
	    fi; \
	done; echo "Python 3.11, 3.12 or 3.13 with its venv module is needed (Debian: apt install python3-venv)." >&2; exit 1

$(STAMP)-run: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(STAMP)-dev: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(STAMP)-run

$(STAMP)-peers: benchmarks/requirements.txt $(STAMP)-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/peers -r benchmarks/requirements.txt
	@touch $@

$(STAMP)-audit: | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@touch $@
