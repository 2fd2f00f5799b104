"""``models keygen``: keys that cannot be written, and passphrases of every kind."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from cli_runner import error_of, run

from onbrand_releases.signing import load_private_key, public_key


def test_a_full_disk_is_told_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    key = tmp_path / "release.key"
    assert error_of(run("models", "keygen", "-o", key)) == (
        f"{key}: cannot be written (No space left on device); name another place"
    )
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "release.key"
    key.write_text("mine")
    assert "exists, and a key is never" in error_of(run("models", "keygen", "-o", key))
    assert key.read_text() == "mine"
    assert "cannot be written" in error_of(run("models", "keygen", "-o", key / "below"))


def test_a_passphrase_that_is_not_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONBRAND_KEY_PASSPHRASE", os.fsdecode(b"\xffsecret"))
    key = tmp_path / "release.key"
    done = run("models", "keygen", "-o", key)
    assert done.code == 0, done
    assert done.out == public_key(load_private_key(key)) + "\n"
    assert "(encrypted)" in done.err


def test_a_passphrase_that_is_too_long(tmp_path: Path) -> None:
    key = tmp_path / "release.key"
    done = run("models", "keygen", "-o", key, env={"ONBRAND_KEY_PASSPHRASE": "x" * 1100})
    assert "1,023 is the most" in error_of(done)
    assert not key.exists()
