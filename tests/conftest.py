"""What all tests share: the encoder, the example voices, and skips that say why."""

from __future__ import annotations

import ast
import fcntl
import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from parts import EXAMPLE_VOICES, is_there
from postgres import postgres_server, postgres_url
from quick import FIXTURES, is_quick

if TYPE_CHECKING:
    import numpy as np

    from onbrand import Encoder

__all__ = ["postgres_server", "postgres_url"]

# Time is no matter of a test's: it may run beside anything, on a slow machine.
settings.register_profile("onbrand", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("onbrand")

# Two workers share two cores. PyTorch's threads wait for each other by spinning, so that four of
# them take many times as long as two.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Hundreds of tests start a Python, which must not compile all that it imports each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell lets what it runs in the background ignore Ctrl-C, which children would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test looks at what is installed for whoever runs it, or adds to that.
os.environ["ONBRAND_DATA_DIR"] = str(Path(tempfile.gettempdir(), f"onbrand-tests-{os.getpid()}"))

EVERYTHING = bool(os.environ.get("ONBRAND_ALL_PARTS"))
"""Set by .ci/run: every part is installed, so a skip for want of one is a failure."""


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name files by their argument: their bytes hold the time, which no test may be called by."""
    return argname if isinstance(val, bytes) and len(val) > 40 else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="only unit tests without an encoder, a database, a thread or another process",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even load what is not quick."""
    if not (config.option.quick and collection_path.match("test_*.py")):
        return None
    return None if is_quick(ast.parse(collection_path.read_bytes())) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.option.quick:
        return
    waiting = [
        item
        for item in items
        if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
        or any(item.iter_markers("heavy"))
        or any(item.iter_markers("slow"))
    ]
    config.hook.pytest_deselected(items=waiting)
    items[:] = [item for item in items if item not in set(waiting)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("heavy"):
        missing = [part for part in mark.args if not is_there(part)]
        if missing and EVERYTHING:
            pytest.fail(f"needs {', '.join(missing)}, which .ci/run should have installed")
        if missing:
            pytest.skip(f"needs {', '.join(missing)}, which is not installed here")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say at the end, too, which order it was: quiet runs have no head that does."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"random order, repeated by --randomly-seed={seed}")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same whichever tests ran before."""
    import numpy as np

    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The encoder that ships with onbrand."""
    from onbrand import Encoder

    return Encoder.load()


@pytest.fixture(scope="session")
def example_voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four example voices, trained once for all workers of a test run."""
    from onbrand_cli.demo import brand_files

    if given := os.environ.get(EXAMPLE_VOICES):
        return Path(given)
    # Workers get folders of their own below one that they share.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "example-voices"
    # First those that no other worker trains, then those that one does.
    for wait in (False, True):
        for file in brand_files():
            _train_example(file, folder, wait=wait)
    return folder


def _train_example(file: Path, folder: Path, *, wait: bool) -> None:
    """Train a voice unless it is there, or another worker is at it and we do not wait for it."""
    from onbrand.labels.files import read_labels
    from onbrand.labels.grouping import group_by_brand
    from onbrand_cli.train import train_all

    with suppress(BlockingIOError), (folder.parent / f"{file.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not (folder / file.stem).is_dir():
            train_all(group_by_brand(read_labels([file])), folder)
