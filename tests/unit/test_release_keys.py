"""Whom an installation trusts: the first time, afterwards, and when keys change."""

from __future__ import annotations

from pathlib import Path

import pytest
from release_samples import STRANGER, TRUSTED, update_error, write_release

from onbrand.errors import OnbrandError
from onbrand.installation import read_installed, voices_of
from onbrand_releases.install import install, update
from onbrand_releases.signing import key_digits

OTHER = key_digits(STRANGER)


def test_the_first_time_needs_a_key(release: Path, tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="whom to trust"):
        install(str(release), tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_afterwards_the_pinned_keys_count(release: Path, root: Path) -> None:
    assert install(str(release), root).status == "up to date"
    with pytest.raises(OnbrandError, match=f"does not trust ed25519:{OTHER} so far"):
        install(str(release), root, [OTHER])
    write_release(release, 2, key=STRANGER)
    assert f"is signed by ed25519:{OTHER}, a key that you do not trust" in update_error(root)


def test_the_key_of_a_publisher_changes(release: Path, root: Path) -> None:
    assert update(root, keys=[OTHER]).status == "up to date"
    assert read_installed(root).keys == (TRUSTED, OTHER)
    write_release(release, 2, key=STRANGER)
    assert update(root, keys=[OTHER], only_keys=True).release == 2
    assert read_installed(root).keys == (OTHER,)
    write_release(release, 3)
    assert "a key that you do not trust" in update_error(root)


def test_a_key_is_pinned_even_if_there_is_no_update(release: Path, root: Path) -> None:
    """A server in the hands of who has stolen the old key must not prevent that."""
    cases = (
        (False, (TRUSTED, OTHER), "is no release (it has no index.json)", "pinned all the same)"),
        (True, (OTHER,), "a key that you do not trust", "pinned all the same, and no others)"),
    )
    for only, keys, problem, told in cases:
        if not only:
            release.rename(release.with_name("away"))
        with pytest.raises(OnbrandError) as caught:
            update(root, keys=[OTHER], only_keys=only)
        assert problem in str(caught.value)
        assert str(caught.value).endswith(told)
        assert read_installed(root).keys == keys
        if not only:
            release.with_name("away").rename(release)
    assert voices_of(root).is_dir()
    write_release(release, 2, key=STRANGER)
    assert update(root).release == 2


def test_the_only_keys_are_some(root: Path) -> None:
    with pytest.raises(OnbrandError, match="--only-key needs the keys to trust"):
        update(root, only_keys=True)
    assert read_installed(root).keys == (TRUSTED,)
