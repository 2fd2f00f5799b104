"""Vim with ALE and the setup of examples/editors/vim-ale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from editor_project import ROOT, TYPED, Project
from vim_session import Vim, vim_session
from waiting import until_equal

pytestmark = pytest.mark.heavy("vim", "ale", "tmux")
SETUP = ROOT / "examples/editors/vim-ale/onbrand.vim"


@pytest.fixture
def vim(project: Project) -> Iterator[Vim]:
    """Vim with the draft open, set up as docs/editors.md says."""
    with vim_session(project, vimrc="packadd ale\n" + SETUP.read_text("utf-8")) as session:
        yield session


def findings(vim: Vim) -> list[dict[str, Any]]:
    """Return what ALE lists for the file that is open."""
    found: list[dict[str, Any]] = vim.value("ale#engine#GetLoclist(bufnr(''))")
    return found


def lines(vim: Vim) -> list[int]:
    """Return the lines with findings."""
    return [found["lnum"] for found in findings(vim)]


def test_lists_what_check_finds(vim: Vim) -> None:
    until_equal(lambda: lines(vim), [5, 7])
    assert all("quillpot’s copy hardly ever does" in found["text"] for found in findings(vim))


def test_looks_again_after_an_edit(vim: Vim, project: Project) -> None:
    until_equal(lambda: lines(vim), [5, 7])
    vim.screen.type(f":edit {project.clean}\n")
    vim.screen.shows("clean.md")
    vim.screen.type(f"GoPut the kettle on first. {TYPED}")
    vim.screen.press("Escape")
    until_equal(lambda: len(findings(vim)), 1)  # so it was looked at, and the rest is clean
    (found,) = findings(vim)
    line = f"Put the kettle on first. {TYPED}"
    # Columns of ASCII lines only: ALE takes UTF-16 units for bytes, whatever the server.
    assert line[found["col"] - 1 : found["end_col"]] == TYPED
