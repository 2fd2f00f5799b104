"""Which files of a folder are drafts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onbrand.discovery import find_drafts


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Hello.")


def names(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in find_drafts(folder)]


def test_drafts_below_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "b.md", "a/c.HTML", "a/b/d.mdx", "code.py", "a/notes", ".hidden.md")
    write(tmp_path, ".git/e.md", "a/node_modules/x/f.md", "a/.cache/g.txt")
    assert names(tmp_path) == ["a/b/d.mdx", "a/c.HTML", "b.md"]


def test_what_is_in_no_known_format_is_handed_back(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b.docx", "c.textile", "d/LICENSE", ".hidden", "~$b.docx")
    left_out: set[Path] = set()
    assert find_drafts(tmp_path, left_out) == [tmp_path / "a.md", tmp_path / "b.docx"]
    assert left_out == {tmp_path / "c.textile", tmp_path / "d/LICENSE"}
    assert find_drafts(tmp_path, text_only=True) == [tmp_path / "a.md"]


def test_a_hidden_folder_that_is_named_is_looked_into(tmp_path: Path) -> None:
    write(tmp_path, ".site/a.md")
    assert names(tmp_path / ".site") == ["a.md"]


def test_what_lies_aside_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.md", ".git/x/a.md", "node_modules/x/a.md")
    scandir, opened = os.scandir, []
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(Path(path)) or scandir(path))
    assert names(tmp_path) == ["a.md"]
    assert opened == [tmp_path]


def test_links(tmp_path: Path) -> None:
    write(tmp_path, "real/a.md")
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts/a.md").symlink_to(tmp_path / "real/a.md")
    (tmp_path / "drafts/gone.md").symlink_to(tmp_path / "gone.md")
    (tmp_path / "drafts/round").symlink_to(tmp_path / "drafts")
    assert names(tmp_path / "drafts") == ["a.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "link.md").symlink_to(tmp_path / "pipe.md")
    left_out: list[Path] = []
    assert find_drafts(tmp_path, irregular=left_out.append) == [tmp_path / "a.md"]
    assert sorted(path.name for path in left_out) == ["link.md", "pipe.md"]
