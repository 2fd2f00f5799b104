"""Which test modules ``make quick`` runs: those that import nothing that makes a test wait.

Known from the imports, so that a new module is in or out by itself. Nothing is loaded to find out.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
WAITING = (
    *("onbrand.Encoder", "onbrand.Scorer", "onbrand.encoder", "onbrand.scorer", "onnxruntime"),
    *("onbrand.training", "sklearn", "torch"),
    *("onbrand.database", "onbrand.labels.store", "onbrand_slack.store", "sqlalchemy", "sqlite3"),
    *("concurrent", "multiprocessing", "threading"),
    *("socket", "subprocess"),
)
"""Modules and names behind which there is an encoder, a voice in training, a database, a thread or
another process."""
FIXTURES = frozenset({"encoder", "example_voices", "release", "scoring", "slack"})
"""The fixtures of conftest.py files that have one."""


def imported(tree: ast.Module) -> frozenset[str]:
    """Return what a module imports anywhere, and what the helpers in this folder do for it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    helpers = {name.partition(".")[0] for name in names}
    return frozenset(names).union(*map(_imported_by_helper, sorted(helpers)))


@cache
def _imported_by_helper(name: str) -> frozenset[str]:
    file = TESTS / f"{name}.py"
    return imported(ast.parse(file.read_bytes())) if file.exists() else frozenset()


def is_quick(tree: ast.Module) -> bool:
    """Return whether the tests in a module wait for nothing."""
    return not any(
        f"{name}.".startswith(f"{waiting}.") for name in imported(tree) for waiting in WAITING
    )
