"""Builds the standalone `onbrand`, which needs no Python, and the example of the extension.

    python lsp_server/standalone/build.py [standalone | example]

`standalone` makes the folder lsp_server/vscode/standalone for the machine that this runs on;
`example` trains the voice of the walkthrough's first step into lsp_server/vscode/example. Both work
in an environment of their own, .standalone/venv, with the versions and hashes of
requirements/standalone.txt. What is there already, built from these sources, is left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
WORK = ROOT / ".standalone"
EXTENSION = ROOT / "lsp_server/vscode"
LOCK = ROOT / "requirements/standalone.txt"
PYTHON = WORK / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PACKAGES = ("core", "lsp_server/onbrand_lsp", "slackbot", "models", "examples")
"""The folders that the wheel is made of."""

TRAINING = ("scikit-learn", "scipy", "joblib", "cloudpickle", "narwhals", "threadpoolctl")
"""What `onbrand add-training` fetches; `onbrand.spec` leaves it out."""

# What has no wheel for a machine is built there, from the source that the lock names.
NO_WHEEL = {("Windows", "ARM64"): "sentencex"}
BRAND = "quillpot"
DRAFT = """\
# Welcome to onbrand

This draft is written for **Quillpot**, a bank for freelancers that does not exist. Most of it
sounds like Quillpot. Two sentences do not, and they are underlined: rest the pointer on one to
read why.

## The afternoon itself

Put the kettle on first. Then work down this list, and don't skip the biscuits.

Photograph every receipt, even the crumpled ones from the van. Get ready to absolutely smash your \
most epic financial year ever! Tap the button when you're done.

The receipts from the café count too. Quillpot harnesses real-time income intelligence to deliver \
unparalleled visibility. We'll do the sums.
"""
PROJECT = f"""\
# Which voice the drafts in this folder have, and where the trained voices lie.
root = true
brand = "{BRAND}"
voices = ["voices"]
"""


def run(*command: str | Path, quiet: bool = False) -> None:
    """Run a program in the checkout, and end with what it said where it fails.

    Args:
        command: the program and its arguments.
        quiet: show nothing of what it prints while all goes well.
    """
    output = subprocess.PIPE if quiet else None
    done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False)
    if done.returncode:
        said = (done.stderr or b"").decode(errors="replace")
        sys.exit(f"{said}{Path(command[0]).name} {' '.join(map(str, command[1:5]))} … failed")


def digest(paths: Iterable[Path]) -> str:
    """Return a hash of files and of all files in folders: their names and their bytes."""
    state = hashlib.sha256(f"{sys.version} {platform.platform()}".encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                state.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return state.hexdigest()


def has(stamp: str, value: str) -> bool:
    """Return whether a step was done with these sources."""
    file = WORK / stamp
    return file.exists() and file.read_text() == value


def done_with(stamp: str, value: str) -> None:
    """Note that a step was done."""
    (WORK / stamp).write_text(value)


def make_environment() -> None:
    """Make the environment, and install this checkout's onbrand into it."""
    libraries = digest([LOCK])
    if not (has("libraries.stamp", libraries) and PYTHON.exists()):
        shutil.rmtree(WORK, ignore_errors=True)
        venv.create(PYTHON.parents[1], with_pip=True)
        source = NO_WHEEL.get((platform.system(), platform.machine()))
        run(
            *(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *(("--no-binary", source) if source else ()),
            *("--requirement", LOCK),
        )
        done_with("libraries.stamp", libraries)
    own = digest([ROOT / "pyproject.toml", *(ROOT / name for name in PACKAGES)])
    if has("onbrand.stamp", own):
        return
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    run(*pip, "--no-build-isolation", "--no-index", "--force-reinstall", ROOT)
    done_with("onbrand.stamp", own)


def training_lock(lock: str) -> str:
    """Return the part of a lock that training needs and the build leaves out."""
    parts = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)
    return "".join(part for part in parts if part.split("==")[0] in TRAINING)


def make_example() -> None:
    """Train the example's voice, and write its draft and its project file."""
    folder = EXTENSION / "example"
    stamp = digest([HERE / "build.py", WORK / "onbrand.stamp"])
    if has("example.stamp", stamp) and folder.is_dir():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # The voice keeps the labels' path, which is to be the same on every machine.
    labels = f"examples/brands/{BRAND}.jsonl"
    run(PYTHON, "-I", "-m", "onbrand", "train", labels, "--output", folder / "voices", quiet=True)
    (folder / "onbrand.toml").write_text(PROJECT, "utf-8")
    (folder / "draft.md").write_text(DRAFT, "utf-8")
    done_with("example.stamp", stamp)


def strip(folder: Path) -> None:
    """Remove the symbols from libraries, which takes a fifth off; on Linux only.

    Those in the `.libs` folders of wheels are left: their segments were moved, and `strip` would
    put them where no loader takes them.
    """
    if sys.platform != "linux" or shutil.which("strip") is None:
        return
    libraries = [
        file
        for file in folder.rglob("*.so*")
        if file.is_file() and not file.parent.name.endswith(".libs")
    ]
    run("strip", "--strip-unneeded", *libraries)


def make_standalone() -> None:
    """Build the folder, and start what is in it once."""
    folder = EXTENSION / "standalone"
    sources = [HERE / "build.py", HERE / "onbrand.spec", HERE / "program.py"]
    stamp = digest([*sources, WORK / "libraries.stamp", WORK / "onbrand.stamp"])
    if has("standalone.stamp", stamp) and folder.is_dir():
        return
    (WORK / "training.txt").write_text(training_lock(LOCK.read_text("utf-8")), "utf-8")
    pyinstaller = (PYTHON, "-I", "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR")
    folders = ("--distpath", WORK / "dist", "--workpath", WORK / "work")
    run(*pyinstaller, *folders, HERE / "onbrand.spec")
    built = WORK / "dist" / "onbrand"
    strip(built)
    run(built / ("onbrand.exe" if os.name == "nt" else "onbrand"), "--version", quiet=True)
    shutil.rmtree(folder, ignore_errors=True)
    built.rename(folder)
    done_with("standalone.stamp", stamp)


def megabytes(folder: Path) -> float:
    """Return the size of all files in a folder, in millions of bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def main() -> None:
    """Build what the command line names, or both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="?", choices=("standalone", "example"))
    what = parser.parse_args().what
    started = time.monotonic()
    make_environment()
    if what != "standalone":
        make_example()
    if what != "example":
        make_standalone()
        size = megabytes(EXTENSION / "standalone")
        print(f"{EXTENSION / 'standalone'}: {size:.0f} MB, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
