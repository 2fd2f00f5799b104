"""The optional parts that some tests need, and whether they are there."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
HIDDEN_PARTS = "ONBRAND_HIDDEN_PARTS"
"""Environment variable: parts that are to be as if they were not installed, parted by commas."""
EXAMPLE_VOICES = "ONBRAND_EXAMPLE_VOICES"
"""Environment variable: a folder with the example voices, which need not be trained then."""

# tests/editors/install.sh puts the editors that Debian does not have there.
PROGRAMS = os.pathsep.join([str(ROOT / ".editors/bin"), os.environ.get("PATH", "")])
FILES = {
    "postgres-server": "/usr/lib/postgresql/*/bin/initdb",
    "eglot": "/usr/share/emacs/site-lisp/elpa/eglot-*",
    "lsp-mode": "/usr/share/emacs/site-lisp/elpa/lsp-mode-*",
    "ale": "/usr/share/vim/vimfiles/pack/*/opt/ale",
    "codemirror": f"{ROOT}/.editors/codemirror/node_modules/@codemirror/lsp-client",
    "vsix": f"{ROOT}/lsp_server/vscode/onbrand.vsix",
    "standalone": f"{ROOT}/lsp_server/vscode/onbrand-linux-*.vsix",
    # tests/hidden_parts/install.sh puts these there.
    "huggingface_hub-0": f"{ROOT}/.parts/huggingface_hub-0",
    "huggingface_hub-2": f"{ROOT}/.parts/huggingface_hub-2",
}
"""Parts that are neither programs on the path nor Python modules."""

NEEDS = {
    # The server's programs are of no use without the driver.
    "postgres": ("postgres-server", "psycopg"),
    "optimum": ("optimum.exporters.onnx",),
}
"""Parts that are made of others."""


def hidden_parts() -> frozenset[str]:
    """Return the parts that this run is to do without."""
    return frozenset(filter(None, os.environ.get(HIDDEN_PARTS, "").split(",")))


def is_program(part: str) -> bool:
    """Return whether a part that is there is a program or a file, and no Python module."""
    return part in FILES or shutil.which(part, path=PROGRAMS) is not None


def is_there(part: str) -> bool:
    """Return whether a test that is marked ``heavy(part)`` can run here."""
    if part in hidden_parts():
        return False
    if part in NEEDS:
        return all(is_there(each) for each in NEEDS[part])
    if part == "postgres-server":
        return bool(os.environ.get("ONBRAND_TEST_POSTGRES") or shutil.which("initdb")) or (
            _has_file(part)
        )
    if part in FILES:
        return _has_file(part)
    if shutil.which(part, path=PROGRAMS):
        return True
    try:
        return importlib.util.find_spec(part) is not None
    except (ModuleNotFoundError, ValueError):  # of a dotted name, or a program's that is none
        return False


def _has_file(part: str) -> bool:
    return any(Path("/").glob(FILES[part].removeprefix("/")))
