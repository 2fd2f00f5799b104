"""The tests themselves: none depends on the order, none on what libraries keep to themselves."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from quick import is_quick

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests").rglob("*.py"))
OURS = {
    "onbrand",
    "onbrand_cli",
    "onbrand_lsp",
    "onbrand_models",
    "onbrand_releases",
    "onbrand_slack",
}
OURS |= {path.stem for path in FILES}
GENERATORS = {"default_rng", "RandomState", "Random", "SystemRandom"}
ALLOWED = {
    "fsspec.open": "documented; a storage that fails in its own way is not to be had otherwise",
    "onnx.save": "documented; stands for a disk that is full",
    "pyromark.events_with_range": "documented; stands for a parser that panics",
}
"""Names of libraries that tests replace, and why they may."""


def executed_on_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that are run when a module is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield node
        yield from executed_on_import(node)


def shared_generators(tree: ast.Module) -> list[int]:
    """Return the lines at which a module makes a generator of random numbers for all its tests."""
    kept = [
        node.value
        for node in executed_on_import(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
    ]
    nodes = [node for value in kept for node in ast.walk(value)]
    at_once = {node.value for node in nodes if isinstance(node, ast.Attribute)}  # used, not kept
    calls = [node for node in nodes if isinstance(node, ast.Call) and node not in at_once]
    return [call.lineno for call in calls if ast.unparse(call.func).split(".")[-1] in GENERATORS]


def is_foreign(module: str) -> bool:
    library = module.partition(".")[0]
    return library not in OURS and library not in sys.stdlib_module_names


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what a module calls things of other people's libraries, and their whole names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in filter(lambda alias: is_foreign(alias.name), node.names):
                yield alias.asname or alias.name.partition(".")[0], alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level and is_foreign(node.module or ""):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def improper_uses(tree: ast.Module) -> Iterator[str]:
    """Yield the names of libraries that a module may not import, read or replace."""
    foreign = dict(imported(tree))
    yield from (name for _, name in imported(tree) if any(map(is_private, name.split("."))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if ast.unparse(node).partition(".")[0] in foreign:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "setattr":
            yield from patched(node, foreign)


def patched(call: ast.Call, foreign: dict[str, str]) -> Iterator[str]:
    """Yield the name of a library that a call of ``monkeypatch.setattr`` replaces."""
    target, name = call.args[:2]
    if isinstance(target, ast.Constant) and is_foreign(str(target.value)):
        yield str(target.value)
    elif ast.unparse(target).partition(".")[0] in foreign and isinstance(name, ast.Constant):
        yield f"{ast.unparse(target)}.{name.value}"


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_no_module_shares_a_generator() -> None:
    found = {path.relative_to(ROOT).as_posix(): shared_generators(parsed(path)) for path in FILES}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_nothing_private_of_a_library_is_used_or_replaced() -> None:
    found = {path.relative_to(ROOT).as_posix(): set(improper_uses(parsed(path))) for path in FILES}
    assert {
        path: names - set(ALLOWED) for path, names in found.items() if names - set(ALLOWED)
    } == {}
    assert set(ALLOWED) <= set().union(*found.values()), "an exception that nothing needs any more"


@pytest.mark.parametrize(
    "code",
    [
        "RNG = np.random.default_rng(7)",
        "class Test:\n    rng: object = random.Random(1)",
        "if True:\n    A, B = 1, np.random.RandomState(3)",
    ],
)
def test_a_shared_generator_is_found(code: str) -> None:
    assert shared_generators(ast.parse(code))


@pytest.mark.parametrize(
    "code", ["def test():\n    rng = random.Random(1)", "NOISE = random.Random(4).randbytes(9)"]
)
def test_a_generator_that_no_other_test_meets_is_none(code: str) -> None:
    assert not shared_generators(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "from numpy._core import x",
        "from numpy import _x",
        "import httpx._client",
        "import httpx\nhttpx._client",
        "from slack_sdk import web\nweb._parts.x = 1",
        "import httpx\nmonkeypatch.setattr(httpx, 'get', None)",
        "import httpx\nmonkeypatch.setattr(httpx.Client, 'get', None)",
        "monkeypatch.setattr('httpx.Client.get', None)",
    ],
)
def test_a_private_use_is_found(code: str) -> None:
    assert list(improper_uses(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "from onbrand_models import source as hub\nmonkeypatch.setattr(hub, '_SECONDS', 1)",
        "import httpx\nhttpx.__version__",
        "import time\nmonkeypatch.setattr(time, 'sleep', None)",
    ],
)
def test_what_is_ours_or_public_is_none(code: str) -> None:
    assert not list(improper_uses(ast.parse(code)))


@pytest.mark.parametrize(
    ("code", "quick"),
    [
        ("import json\nfrom onbrand.document import parse", True),
        ("from onbrand import Span", True),
        ("from onbrand import Encoder", False),
        ("def test():\n    import subprocess", False),
        ("from concurrent.futures import Future", False),
        ("from slack_world import World", False),
    ],
)
def test_what_waits_is_known_from_what_is_imported(code: str, quick: bool) -> None:
    assert is_quick(ast.parse(code)) == quick
