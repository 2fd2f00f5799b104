"""Where a bundle or a model may be written is known before the work that it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from onbrand.errors import OnbrandError
from onbrand_models.bundle_writer import check_new_folder, check_replaceable

Check = Callable[[Path], None]
both = pytest.mark.parametrize("check", [check_replaceable, check_new_folder])


@both
def test_a_new_folder_an_empty_one_and_one_behind_a_link_will_do(
    check: Check, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    for name in ("empty", "link", "new", "a/b/new"):
        check(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "link"]


@both
def test_what_is_there_is_left_alone(check: Check, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    for name in ("file", "folder"):
        with pytest.raises(OnbrandError, match="left alone; name a new folder"):
            check(tmp_path / name)


def test_a_bundle_may_be_replaced_by_a_bundle_alone(tmp_path: Path) -> None:
    (tmp_path / "encoder.json").write_text("{}")
    check_replaceable(tmp_path)
    with pytest.raises(OnbrandError, match="not empty"):
        check_new_folder(tmp_path)


@both
@pytest.mark.parametrize("name", ["", ".", "..", "/", "nothing/.."])
def test_nobody_saws_off_the_branch_that_he_sits_on(
    check: Check, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(OnbrandError, match="name a new folder"):
        check(Path(name))


@both
def test_a_place_that_cannot_be_written_is_told(check: Check, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file" / "new", Path("/proc/new")):
        with pytest.raises(OnbrandError, match="cannot be written .*; name another folder"):
            check(place)
