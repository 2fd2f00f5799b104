"""The standalone build: its size, in the extension's package too, and what a writer waits for it.

Writes ``bench/results/standalone.json`` and ``standalone.md``. Needs what
``tests/editors/install.sh standalone`` builds. Usage: ``python bench/standalone.py [--runs 9]``
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import child
from figures import Row, write
from language_client import LanguageClient

EXTENSION = Path(__file__).resolve().parents[1] / "lsp_server/vscode"
STANDALONE = EXTENSION / "standalone"
PROGRAM = STANDALONE / "onbrand"
MB = 1e6


def size(folder: Path) -> float:
    """Return the bytes of all files in a folder, in MB."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / MB


def first_diagnostics(project: Path, program: Sequence[str | Path]) -> float:
    """Return seconds from the start of a server's process to a draft's diagnostics."""
    draft = project / "draft.md"
    client = LanguageClient(project, {}, program=program)
    client.open(draft.as_uri(), draft.read_text("utf-8"))
    found = client.pull(draft.as_uri())["items"]
    seconds = time.perf_counter() - client.started
    client.stop()
    if not found:
        raise RuntimeError("the example has no findings, so that nothing was measured")
    return seconds


def version(program: Sequence[str | Path]) -> float:
    """Return seconds that it takes to print the version."""
    started = time.perf_counter()
    child.run([*program, "--version"])
    return time.perf_counter() - started


def measure(runs: int) -> list[Row]:
    """Return the figures; of the times the median, after a first start that does not count."""
    (package,) = EXTENSION.glob("onbrand-linux-*.vsix")
    rows = [
        Row("size, unpacked", size(STANDALONE), "MB", 200),
        Row("the extension's package with it", package.stat().st_size / MB, "MB", 90),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "example"
        shutil.copytree(EXTENSION / "example", project)
        for name, program, bar in (
            ("standalone", (PROGRAM,), 1.5),
            ("this Python", (sys.executable, "-m", "onbrand"), None),
        ):
            first_diagnostics(project, program)
            starts = [first_diagnostics(project, program) for _ in range(runs)]
            versions = [version(program) for _ in range(runs)]
            rows += [
                Row(
                    f"process start to the first diagnostics, {name}",
                    statistics.median(starts),
                    "s",
                    bar,
                ),
                Row(f"`onbrand --version`, {name}", statistics.median(versions), "s"),
            ]
    return rows


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    intro = (
        "# The standalone build\n\nMade by `python bench/standalone.py` on two cores; of the times "
        "the median of nine.\n\n"
    )
    write("standalone", intro, measure(parser.parse_args().runs))


if __name__ == "__main__":
    main()
