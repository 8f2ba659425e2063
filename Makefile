# `make demo` and `make test` need Python 3.10 or later and make, and nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help demo test fast check docs bench format clean

help:
	@echo "make demo    show what quickgaze does (about a minute, results in demo/)"
	@echo "make test    every check and every test, slow ones included"
	@echo "make fast    the quick tests alone"
	@echo "make check   formatting, lint, types and the direction of imports"
	@echo "make docs    build the documentation site (open site/index.html)"
	@echo "make bench   ratios against other libraries and bare backbones (half an hour)"
	@echo "make format  put the code into the house's format"
	@echo "make clean   remove the virtual environment and what was built"

demo: $(VENV)/installed
	$(BIN)/quickgaze demo --out demo

# A worker for each of two processors, with a thread each: more would wait for one another.
test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

fast: $(VENV)/tested
	$(BIN)/python -m pytest -m "not slow"

check: $(VENV)/tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/documented
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/tested
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/tested
	$(BIN)/python benchmarks/all.py

clean:
	rm -rf $(VENV) demo dist build site

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --group dev
	touch $@

$(VENV)/documented: $(VENV)/installed
	$(BIN)/python -m pip install --group docs
	touch $@
