"""Installations that are damaged say so, are repaired where that can be, and lose nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from release_samples import write_release

from onbrand.errors import OnbrandError
from onbrand.installation import read_installed, voices_of
from onbrand_releases.install import roll_back, update


@pytest.mark.parametrize("damage", ["all", "index", "file"])
def test_damage_after_a_rollback_is_told(release: Path, root: Path, damage: str) -> None:
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    update(root)
    roll_back(root)
    voices = voices_of(root)
    if damage == "all":
        shutil.rmtree(voices.parent)
    elif damage == "index":
        (voices.parent / "index.json").write_text("[")
    else:
        (voices / "acme" / "head.safetensors").write_bytes(b"")
    with pytest.raises(OnbrandError) as caught:
        update(root)
    assert caught.value.message == (
        "release 1 is damaged, and release 2 was rolled back here; "
        f"to take it all the same: onbrand voices update {root} --again"
    )
    assert update(root, again=True).release == 2
    assert update(root).status == "up to date"


def test_a_newer_release_mends_what_was_gone_back_to(release: Path, root: Path) -> None:
    write_release(release, 2, voices={"acme": 1, "beta": 0})
    update(root)
    roll_back(root)
    shutil.rmtree(voices_of(root).parent)
    write_release(release, 3)
    assert update(root).release == 3


@pytest.mark.parametrize("again", [False, True])
def test_a_wrong_current_release_costs_nothing(release: Path, root: Path, again: bool) -> None:
    good = voices_of(root)
    pointer = root / "installed.json"
    text = pointer.read_text()
    pointer.write_text(re.sub('"current": ".*"', '"current": "1-000000000000"', text))
    with pytest.raises(OnbrandError, match="delete the folder and install again") as caught:
        update(root, again=again)
    assert "is damaged: 1-000000000000, the current release, cannot be read" in str(caught.value)
    with pytest.raises(OnbrandError, match="there is no release before 1"):
        roll_back(root)
    assert (good / "acme" / "voice.json").is_file()
    pointer.write_text(text)
    assert update(root).status == "up to date"
    new = write_release(release, 2, voices={"acme": 1})
    pointer.write_text(re.sub('"current": ".*"', '"current": "1-000000000000"', text))
    archive = release / new.voices[0].archive
    archive.rename(release / "away")
    with pytest.raises(OnbrandError, match=archive.name):
        update(root)
    assert (good / "acme" / "voice.json").is_file()
    (release / "away").rename(archive)
    assert update(root).release == 2
    assert read_installed(root).previous == "1-000000000000"


def test_when_the_release_was_published_is_told(release: Path, root: Path) -> None:
    published = {1: "2025-11-22T10:00:00+00:00", 2: "2026-01-02T10:00:00+00:00"}
    assert update(root).created == published[1]
    write_release(release, 2, voices={"acme": 1}, created=published[2])
    assert update(root).created == published[2]
    assert roll_back(root).created == published[1]
    waiting = update(root)
    assert (waiting.status, waiting.release, waiting.created) == ("waiting", 1, published[1])
    assert update(root, again=True).created == published[2]
    (voices_of(root) / "acme" / "head.safetensors").unlink()
    assert update(root).created == published[2]
