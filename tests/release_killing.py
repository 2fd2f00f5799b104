"""Kills installs at every step that touches the disk, and looks at what they leave.

Run as a program: no thread of it may be at work, because each attempt is a fork of it. The one that
onnxruntime starts when it is imported waits.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401

# All that an install loads, so that a fork has only to work.
import filelock  # noqa: F401
import numpy  # noqa: F401
import onnxruntime  # noqa: F401
import safetensors.numpy  # noqa: F401
import tokenizers.implementations  # noqa: F401

from onbrand import Encoder, Scorer
from onbrand.installation import read_installed, release_folder
from onbrand_releases import fetch
from onbrand_releases.install import install, roll_back, update

CHANGES = {
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.truncate",
    "shutil.rmtree", "tempfile.mkdtemp", "tempfile.mkstemp",
}  # fmt: skip


def fork(work: Callable[[], object], after: float | None = None) -> int | None:
    """Do ``work`` in a process of its own, killed after some seconds; 0, 1 or None if killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


def die_at(step: int) -> None:
    """Have this process killed before it changes the disk for the ``step``-th time."""
    steps = itertools.count()

    def count(*_: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in CHANGES or (event == "open" and _writes(arguments)):
            count()

    sys.addaudithook(hook)
    write, copy = fetch._write, Path.write_bytes
    os.fsync = count

    def torn_write(file: object, piece: bytes, path: Path) -> None:
        half = len(piece) // 2
        write(file, piece[:half], path)
        count()
        write(file, piece[half:], path)

    def torn_copy(path: Path, data: bytes) -> int:
        half = len(data) // 2
        copy(path, data[:half])
        count()
        return copy(path, data)

    fetch._write, Path.write_bytes = torn_write, torn_copy


def _writes(arguments: tuple[object, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    return bool(
        set(mode) & set("wax+") if isinstance(mode, str) else flags & (os.O_WRONLY | os.O_RDWR)
    )


def works(root: Path) -> int:
    """Load and use all of the current release, and return its number."""
    installed = read_installed(root)
    assert installed is not None
    folder = release_folder(root, installed.current)
    (bundle,) = (folder / "encoders").iterdir()
    assert Encoder.load(bundle).fingerprint
    scorer = Scorer.load(folder / "voices", encoder=bundle)
    assert scorer.brands == ("acme", "beta")
    assert scorer.score(["We brand the oats simple."]).shape == (1, 2)
    return installed.release


def check_healed(root: Path, number: int) -> None:
    """Check that the run after a kill did all its work and cleared up."""
    assert works(root) == number
    there = sorted(entry.name for entry in root.iterdir())
    assert there == [".lock", "installed.json", "releases"], there
    installed = read_installed(root)
    assert installed is not None
    names = {installed.current, installed.previous} - {None}
    there = {entry.name for entry in (root / "releases").iterdir()}
    assert there == names, (there, names)


def main(action: str, place: Path, source: str, key: str, allowed: list[int | None]) -> None:
    """Kill ``action`` at each step and at random times; prints how often and what was left.

    Args:
        action: install, update or rollback.
        place: holds ``before``, the installation to begin with, if there is one.
        source: of the release.
        key: that signed it.
        allowed: release before (None: nothing was installed) and after.
    """
    root = place / "root"
    work = {
        "install": lambda: install(source, root, [key]),
        "update": lambda: update(root),
        "rollback": lambda: roll_back(root),
    }[action]
    os.fsync = lambda _handle: None  # no power fails here, and disks are slow
    gc.freeze()  # what is shared with the forks stays shared
    told = {"steps": 0, "times": 0, "before": 0, "after": 0}

    def attempt(kill: Callable[[], int | None]) -> bool:
        shutil.rmtree(root, ignore_errors=True)
        if (place / "before").is_dir():
            shutil.copytree(place / "before", root)
        ended = kill()
        assert ended != 1, "it failed by itself"
        installed = read_installed(root)
        left = installed and installed.release
        assert left in allowed, left
        told["before" if left == allowed[0] else "after"] += 1

        def look() -> None:
            if left is not None:
                works(root)
            if action == "rollback" and left == allowed[1]:
                assert update(root).status == "waiting"
            else:
                work()
            check_healed(root, allowed[1])

        assert fork(look) == 0, f"killed at {told}"
        return ended is None

    for step in itertools.count():
        if not attempt(lambda s=step: fork(lambda: (die_at(s), work()))):
            break
        told["steps"] += 1
    start = time.monotonic()
    attempt(lambda: fork(work))
    whole = time.monotonic() - start
    for _ in range(12):
        told["times"] += attempt(lambda: fork(work, after=random.uniform(0, whole)))
    print(json.dumps(told))


if __name__ == "__main__":
    action, place, source, key, allowed = sys.argv[1:]
    main(action, Path(place), source, key, json.loads(allowed))
