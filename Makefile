# `make demo` restores the bundled recording, `make test` runs the tests that every change must pass, `make test-slow`
# those that take minutes, `make test-cluster` those that kill a cluster, `make docs` builds the documentation; all need only Python and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo-output
# PyTorch without CUDA, a fifth of the size, where there is no NVIDIA card and its index can be reached.
CPU_TORCH := https://download.pytorch.org/whl/cpu
# One process a core and one thread each: most tests are too small for more.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal

.PHONY: demo test test-slow test-cluster docs lint clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi > /dev/null && $(BIN)/python -c \
		"from urllib.request import urlopen; urlopen('$(CPU_TORCH)/torch/', timeout=5)" 2> /dev/null; \
	then export PIP_EXTRA_INDEX_URL="$$PIP_EXTRA_INDEX_URL $(CPU_TORCH)"; fi; \
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

$(VENV)/.documented: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

demo: $(VENV)/.installed
	mkdir -p $(OUT)
	$(BIN)/regroove demo $(OUT)

test: $(VENV)/.tested
	$(PYTEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-slow: $(VENV)/.tested
	$(PYTEST) -m slow

test-cluster: $(VENV)/.tested
	$(BIN)/python -m pytest -m cluster

docs: $(VENV)/.documented
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lint: $(VENV)/.tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(OUT) site
