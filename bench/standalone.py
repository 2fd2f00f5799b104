"""The standalone build: its size, in the extension's package too, and what a writer waits for it.

Writes ``bench/results/standalone.json`` and ``standalone.md``. Needs what
``tests/editors/install.sh standalone`` builds. Usage: ``python bench/standalone.py [--runs 9]``
"""

from __future__ import annotations

import argparse
import os
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


def first_diagnostics(project: Path, program: Sequence[str | Path]) -> tuple[float, float]:
    """Return seconds from a server's start to a draft's diagnostics, and of its processor time.

    The second is of all of its life, and hardly longer where something else keeps the cores busy.
    """
    before = os.times()
    draft = project / "draft.md"
    client = LanguageClient(project, {}, program=program)
    client.open(draft.as_uri(), draft.read_text("utf-8"))
    found = client.pull(draft.as_uri())["items"]
    seconds = time.perf_counter() - client.started
    client.stop()
    if not found:
        raise RuntimeError("the example has no findings, so that nothing was measured")
    after = os.times()
    used = after.children_user + after.children_system
    return seconds, used - before.children_user - before.children_system


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
            wall, processor = (statistics.median(times) for times in zip(*starts, strict=True))
            versions = [version(program) for _ in range(runs)]
            rows += [
                Row(f"process start to the first diagnostics, {name}", wall, "s", bar),
                Row(f"processor time of that, {name}", processor, "s"),
                Row(f"`onbrand --version`, {name}", statistics.median(versions), "s"),
            ]
    return rows


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    intro = (
        f"# The standalone build\n\nMade by `python bench/standalone.py`; of the times the median "
        f"of {runs}. The load of the machine before it was {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores: where it was above theirs, the processor time says how long a "
        "start takes by itself.\n\n"
    )
    write("standalone", intro, measure(runs))


if __name__ == "__main__":
    main()
