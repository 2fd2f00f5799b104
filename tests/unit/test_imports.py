"""Which package imports which, and that no module imports itself in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "onbrand": ROOT / "core",
    "onbrand_cli": ROOT / "core",
    "onbrand_lsp": ROOT / "lsp_server",
    "onbrand_slack": ROOT / "slackbot",
    "onbrand_models": ROOT / "models",
    "onbrand_releases": ROOT / "models",
}
ARROWS = {
    "onbrand": {"onbrand"},
    "onbrand_releases": {"onbrand", "onbrand_models", "onbrand_releases"},
    "onbrand_models": {"onbrand", "onbrand_models"},
    "onbrand_lsp": {"onbrand", "onbrand_lsp"},
    "onbrand_slack": {"onbrand", "onbrand_slack"},
    "onbrand_cli": set(PACKAGES),
}
"""The engine imports no other package, and only the command line imports all: of the others,
releases verify the encoders that they publish."""
START = "onbrand.__main__"
"""``python -m onbrand`` is the command line."""


@cache
def modules() -> dict[str, Path]:
    """Return every product module's file by its dotted name."""
    found = {}
    for package, folder in PACKAGES.items():
        for file in (folder / package).rglob("*.py"):
            parts = file.relative_to(folder).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """Return the product modules that a module imports, wherever in its text it does."""
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(modules()[module].read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            while name and name not in modules():
                name = name.rpartition(".")[0]
            if name and name != module:
                yield name


def test_packages_import_only_those_they_may() -> None:
    wrong = [
        f"{module} → {name}"
        for module in modules()
        for name in imports(module)
        if name.partition(".")[0] not in ARROWS[module.partition(".")[0]] and module != START
    ]
    assert wrong == []


def test_the_engine_looks_for_no_other_package() -> None:
    """Not by name at run time either."""
    others = PACKAGES.keys() - {"onbrand"}
    for module in modules():
        if module.startswith("onbrand.") and module != START:
            strings = [
                node.value
                for node in ast.walk(ast.parse(modules()[module].read_bytes()))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            assert not others & set(strings), module


def test_no_module_imports_itself_in_a_circle() -> None:
    edges = {module: set(imports(module)) for module in modules()}
    reached = {module: _reach(module, edges) for module in edges}
    # A package's face hands the names of its modules on: with one of them it is no circle.
    inner = [module for module in edges if modules()[module].name != "__init__.py"]
    circles = {
        (one, two)
        for one in inner
        for two in inner
        if one != two and two in reached[one] and one in reached[two]
    }
    assert circles == set()


EXPORT_EXTRA = {"torch", "transformers", "optimum", "onnx", "safetensors", "sklearn", "matplotlib"}
WITHOUT_EXPORT_EXTRA = ("verify", "bench.compare", "export", "quantise.requantize")


def test_what_runs_without_the_export_extra_loads_nothing_of_it() -> None:
    """Bundles are verified, published and compared without it; exporting names it if missing."""
    ahead = [f"onbrand_models.{name}" for name in WITHOUT_EXPORT_EXTRA]
    loaded = dict.fromkeys(ahead, "")
    while ahead:
        module = ahead.pop()
        for statement in ast.parse(modules()[module].read_text("utf-8")).body:
            if isinstance(statement, ast.Import):
                names = [alias.name for alias in statement.names]
            elif isinstance(statement, ast.ImportFrom):
                names = [f"{statement.module}.{alias.name}" for alias in statement.names]
            else:  # what only type checkers see stands below an `if`
                continue
            for name in names:
                while name not in modules() and "." in name:
                    name = name.rpartition(".")[0]
                if name not in loaded:
                    loaded[name] = module
                    ahead += [name] if name in modules() else []
    assert {name: by for name, by in loaded.items() if name in EXPORT_EXTRA} == {}


def _reach(start: str, edges: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = list(edges[start])
    while ahead:
        module = ahead.pop()
        if module not in reached:
            reached.add(module)
            ahead += edges[module]
    return reached
