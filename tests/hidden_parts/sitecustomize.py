"""Makes Python modules as if they were not installed, in this process and those it starts.

Python imports this module by itself where its folder is on ``PYTHONPATH``; the modules to hide are
named in ``ONBRAND_HIDDEN_PARTS``. Parts that are no modules are hidden by tests/parts.py.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

OURS = {path.stem for path in Path(__file__).parents[1].glob("*.py")}  # postgres.py, for one
HIDDEN = frozenset(os.environ.get("ONBRAND_HIDDEN_PARTS", "").split(",")) - OURS


class VisibleModules:
    """Finds what `PathFinder` finds, but for what is hidden."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return where a module is, or nothing."""
        if name.partition(".")[0] in HIDDEN:
            return None
        return PathFinder.find_spec(name, path, target)

    find_distributions = PathFinder.find_distributions
    invalidate_caches = PathFinder.invalidate_caches


sys.meta_path[:] = [VisibleModules if each is PathFinder else each for each in sys.meta_path]
