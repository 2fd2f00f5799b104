"""The program of the standalone build: ``onbrand``, and where its training comes from.

The libraries for training are larger than all the rest, and few writers train. ``onbrand
add-training`` fetches them once, by name, version and hash, with the pip that is inside.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).with_name("training.txt")
COMMAND = "add-training"
HELP = f"""\
Usage: onbrand {COMMAND}

  Fetch what `onbrand train`, `evaluate` and `demo` need: scikit-learn and SciPy, from PyPI or the
  index that pip is set to. Versions and hashes are fixed. About 50 MB, once; 190 MB on disk.
"""


def training_folder() -> Path:
    """Return where this build's libraries for training are, or would be."""
    from platformdirs import user_data_path

    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    python = f"{sys.implementation.cache_tag}-{sys.platform}"
    return user_data_path("onbrand", appauthor=False) / "training" / f"{python}-{lock}"


def add_training() -> int:
    """Install them into their folder, whole or not at all, and return the exit code."""
    folder = training_folder()
    if folder.exists():
        print(f"they are there already: {folder}")
        return 0
    from pip._internal.cli.main import main as pip

    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        code = pip(
            [
                *("install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"),
                *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile"),
                *("--target", str(made), "--requirement", str(LOCK)),
            ]
        )
        if code:
            return code
        made.rename(folder)
    except OSError:
        if not folder.exists():  # another one was faster
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    print(f"`onbrand train` works now; the libraries are in {folder}")
    return 0


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == [COMMAND]:
        if sys.argv[2:]:
            print(HELP, end="")
            sys.exit(0 if sys.argv[2] in ("-h", "--help") else 2)
        sys.exit(add_training())
    if sys.argv[1:2] != ["lsp"]:  # it never trains, and starts with every editor
        sys.path.append(os.fspath(training_folder()))
    from onbrand_cli import main as onbrand

    onbrand()


if __name__ == "__main__":
    main()
