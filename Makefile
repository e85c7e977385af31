# The entry points. `make demo` and `make test` set up .venv by themselves, once, and need nothing but Python.
PYTHON ?= python3
EXTRAS ?=
ARGS ?=
UV ?= uv

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install --no-compile
PINS := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# A process a core, but four at most: each comes to hold PyTorch, JAX and all that JAX has compiled, 2 GB. One thread each, or threads wait
# for each other. Bytecode is kept, in build/ and for the processes that tests begin too, even where PYTHONDONTWRITEBYTECODE is set: without it
# each of some sixty processes would compile scikit-learn, PyTorch and JAX anew, 5 s instead of 2.
SPREAD := --numprocesses auto --maxprocesses 4 --dist worksteal
QUICK := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/build/bytecode" OMP_NUM_THREADS=1

ifneq ($(filter-out torch cupy,$(EXTRAS)),)
  $(error EXTRAS may be torch, cupy, both or nothing, got "$(EXTRAS)")
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-gpu bench-gpu soak check docs build pins clean

help:  ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: $(VENV)/.run $(VENV)/.project  ## train a network on handwritten digits and draw its loss curve
	@mkdir -p build/demo
	$(BIN)/mlpxp train digits --plot build/demo/loss-curve.png --output build/demo/digits.safetensors

test: check $(EXTRAS:%=$(VENV)/.extra-%)  ## the checks and all tests; EXTRAS="torch cupy" adds PyTorch and CuPy
	$(QUICK) $(BIN)/python -m pytest $(SPREAD)

test-gpu:  ## the tests of the backends on every CUDA GPU library here, in 5 minutes; installs nothing, so PYTHON has to have it all
	@PYTHONPATH=.:backends:$$PYTHONPATH $(PYTHON) -m tests.on_gpu $(ARGS)

bench-gpu:  ## what training costs on a CUDA GPU, in 3 minutes; installs nothing either. ARGS=--rehearse for both: a card is pretended
	@PYTHONPATH=.:backends:$$PYTHONPATH $(PYTHON) -m benchmarks.on_gpu $(ARGS)

soak: $(VENV)/.test $(VENV)/.project  ## the hard tests at length, at most 15 minutes: damaged files, odd values, runs of every kind, killed runs
	$(QUICK) $(BIN)/python -m tests.soak

check: $(VENV)/.test $(VENV)/.project  ## style, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo

docs: $(VENV)/.docs $(VENV)/.project  ## the documentation, in build/docs, with warnings as errors; nothing is fetched for it
	rm -rf docs/reference/generated build/docs
	$(BIN)/python -m sphinx -q -W --keep-going -E -j 2 -b html -d build/doctrees docs build/docs

build: $(VENV)/.test $(VENV)/.project  ## the wheel and the source distribution, in dist/
	$(BIN)/python -m build --no-isolation --outdir dist

pins:  ## make the pins in requirements/ anew (needs uv)
	$(PINS) --upgrade --extra cli --extra plot --extra sklearn pyproject.toml requirements/run.in -o requirements/run.txt
	$(PINS) --upgrade --extra all -c requirements/run.txt pyproject.toml requirements/run.in requirements/test.in -o requirements/test.txt
	$(PINS) --upgrade -c requirements/test.txt requirements/docs.in -o requirements/docs.txt

clean:  ## remove everything that was made here, .venv too
	rm -rf $(VENV) build dist docs/reference/generated .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find mlpxp backends tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# Each stamp says that a step was done with the files it depends on as they are now.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "mlpxp needs Python 3.11 or newer, and $(PYTHON) is not: name another, as in make PYTHON=python3.13 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/.run: requirements/run.txt $(VENV)/.python
	@echo "Installing what mlpxp needs into $(VENV), once."
	@$(PIP) --require-hashes -r $<
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@echo "Installing what the tests need into $(VENV), once."
	@$(PIP) --require-hashes -r $<
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.test
	@echo "Installing what the documentation needs into $(VENV), once."
	@$(PIP) --require-hashes -r $<
	@touch $@

$(VENV)/.extra-%: requirements/%.txt $(VENV)/.test
	@echo "Installing $* into $(VENV), once."
	@$(PIP) -r $<
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.run
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
