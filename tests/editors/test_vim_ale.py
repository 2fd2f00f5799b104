"""Vim with ALE and the setup of examples/editors/vim-ale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from editor_project import ROOT, TYPED, Project
from terminal import Terminal, terminal
from waiting import until_equal

pytestmark = pytest.mark.heavy("vim", "ale", "tmux")
SETUP = ROOT / "examples/editors/vim-ale/onbrand.vim"


@dataclass(frozen=True)
class Vim:
    """A running Vim; it answers by writing a file."""

    answer: Path
    screen: Terminal

    def evidence(self) -> str:
        """Return what the report of a failed test shows."""
        return self.screen.screen()

    def findings(self) -> list[dict[str, Any]]:
        """Return what ALE lists for the file that is open."""
        asked = f"ALEAnswer {self.answer}.part"
        self.screen.type(f":{asked}\n")
        until_equal(self.answer.exists, True)
        found = json.loads(self.answer.read_text("utf-8"))
        self.answer.unlink()
        return found

    def lines(self) -> list[int]:
        """Return the lines with findings."""
        return [found["lnum"] for found in self.findings()]


@pytest.fixture
def vim(project: Project) -> Iterator[Vim]:
    """Vim with the draft open, set up as docs/editors.md says."""
    answer = project.home / "answer.json"
    # Written aside and renamed, so that a file that is there is whole.
    (project.home / ".vimrc").write_text(
        "set nocompatible noswapfile\nfiletype plugin on\npackadd ale\n"
        + SETUP.read_text("utf-8")
        + "command! -nargs=1 ALEAnswer "
        "call writefile([json_encode(ale#engine#GetLoclist(bufnr('')))], <q-args>) | "
        "call rename(<q-args>, fnamemodify(<q-args>, ':r'))\n",
        "utf-8",
    )
    command = ["vim", "-i", "NONE", project.draft]
    with terminal(command, folder=project.folder, env=project.environment) as screen:
        screen.shows("January")
        yield Vim(answer, screen)


def test_lists_what_check_finds(vim: Vim) -> None:
    until_equal(vim.lines, [5, 7])
    assert all("quillpot’s copy hardly ever does" in found["text"] for found in vim.findings())


def test_looks_again_after_an_edit(vim: Vim, project: Project) -> None:
    until_equal(vim.lines, [5, 7])
    vim.screen.type(f":edit {project.clean}\n")
    vim.screen.shows("clean.md")
    vim.screen.type(f"GoPut the kettle on first. {TYPED}")
    vim.screen.press("Escape")
    until_equal(lambda: len(vim.findings()), 1)  # so it has been looked at, and the rest is clean
    (found,) = vim.findings()
    line = f"Put the kettle on first. {TYPED}"
    # Columns of ASCII lines only: ALE takes UTF-16 units for bytes, whatever the server.
    assert line[found["col"] - 1 : found["end_col"]] == TYPED
