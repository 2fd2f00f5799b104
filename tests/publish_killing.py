"""Kills publications at every step that touches the disk, and looks at what they leave.

Run as a program: it must have no threads of its own, because each attempt is a fork of it.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from release_archives import described
from release_killing import die_at, fork
from release_samples import KEY, NAME, TRUSTED, tiny_voice
from tiny_encoder import tiny_encoder

from onbrand.encoder import EncoderManifest
from onbrand_releases.archive import check_archive, unpack
from onbrand_releases.index import Index, read_index
from onbrand_releases.publish import publish
from onbrand_releases.release_folder import Content


def whole(folder: Path, index: str = "index.json") -> Index:
    """Return a release's index after unpacking all that it names."""
    found = read_index((folder / index).read_bytes(), {TRUSTED})
    with tempfile.TemporaryDirectory() as aside:
        for package in (*found.voices, *found.encoders):
            unpack(folder / package.archive, package, Path(aside, package.archive))
    return found


def check_left(folder: Path, old: Index | None) -> int:
    """Check that what a kill has left is the old release or the new one; returns its number."""
    if old is None and not (folder / "index.json").exists():
        return 0
    found = whole(folder)
    for package in () if old is None else (*old.voices, *old.encoders):
        check_archive(folder / package.archive, package)  # laptops are still fetching them
    return found.release


def check_healed(folder: Path) -> None:
    """Check that the publication after a kill left nothing but what belongs there."""
    index = whole(folder)
    known = {package.archive for package in (*index.voices, *index.encoders)}
    if index.release > 1:
        before = whole(folder, f"history/{index.release - 1}.json")
        known |= {package.archive for package in (*before.voices, *before.encoders)}
        known.add(f"history/{before.release}.json")
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == {*known, "index.json", ".lock"}, there


def prepare(place: Path) -> tuple[list[Content], list[Content]]:
    """Return what the old and the new release hold: one voice of two is another.

    Nothing is verified: the encoder's runtime has threads, and so could not be forked.
    """
    encoder = tiny_encoder(place / "tiny")
    bundle = content("encoders", "tiny", "1", encoder, place / "tiny")
    releases = []
    for seed in (0, 1):
        contents = [bundle]
        for brand, number in (("acme", seed), ("beta", 0)):
            folder = place / str(seed) / brand
            voice = tiny_voice(folder, brand, encoder, number)
            contents.append(content("voices", brand, voice.manifest.created, encoder, folder))
        releases.append(contents)
    return releases[0], releases[1]


def content(kind: str, name: str, version: str, encoder: EncoderManifest, folder: Path) -> Content:
    files = described({file.name: file.read_bytes() for file in folder.iterdir()})
    return Content(kind, name, version, encoder.fingerprint, folder, files)


def main(place: Path, first: bool) -> None:
    """Kill a publication at each step and at random times; prints how often and what was left.

    Args:
        place: an empty folder.
        first: whether it is the first one of its folder.
    """
    # A kill loses nothing that was written, and waiting for the disk is most of the time.
    os.fsync = lambda _handle: None
    gc.freeze()  # what is shared with the forks stays shared
    contents = prepare(place)
    release, before = place / "release", place / "before"
    old = None
    if not first:
        fork(lambda: publish(before, lambda _copies: contents[0], KEY, name=NAME))
        old = whole(before)
    told = {"steps": 0, "times": 0, "before": 0, "after": 0}
    number = 1 if old is None else 2

    def work() -> object:
        return publish(release, lambda _copies: contents[1], KEY, name=NAME)

    def attempt(kill: Callable[[], int | None]) -> bool:
        shutil.rmtree(release, ignore_errors=True)
        if old is not None:
            shutil.copytree(before, release)
        ended = kill()
        assert ended != 1, "it failed by itself"
        left = check_left(release, old)
        assert left in (number - 1, number)
        told["after" if left == number else "before"] += 1
        assert fork(work) == 0, "the next one failed"
        assert whole(release).release == left + 1
        check_healed(release)
        return ended is None

    for step in itertools.count():
        if not attempt(lambda s=step: fork(lambda: (die_at(s), work()))):
            break
        told["steps"] += 1
    durations = []

    def timed() -> int | None:
        start = time.monotonic()
        ended = fork(work)
        durations.append(time.monotonic() - start)
        return ended

    attempt(timed)
    for _ in range(12):
        told["times"] += attempt(lambda: fork(work, after=random.uniform(0, durations[0])))
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "first")
