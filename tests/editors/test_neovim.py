"""Neovim with the setups of examples/editors: of today, which pulls, and of 2022, pushed to."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from editor_project import EPIC, INTELLIGENCE, ROOT, TYPED, Project, program
from terminal import Terminal, terminal
from waiting import PATIENCE, until, until_equal

SETUPS = ROOT / "examples/editors/neovim"
# Diagnostics by the words they cover. Neovim counts bytes, as Lua does.
UNDERLINED = """
return vim.tbl_map(function(found)
  local line = vim.api.nvim_buf_get_lines(0, found.lnum, found.lnum + 1, false)[1]
  return (line or ""):sub(found.col + 1, found.end_col)
end, vim.diagnostic.get(0))
"""
CHOOSE = """
vim.ui.select = function(actions, options, choose)
  onbrand_test_actions = vim.tbl_map(options.format_item, actions)
  for at, action in ipairs(actions) do
    if options.format_item(action):find(TITLE, 1, true) then choose(action, at) end
  end
end
vim.lsp.buf.code_action()
"""
FLOATING = """
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if vim.api.nvim_win_get_config(window).relative ~= "" then
    return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
  end
end
return {}
"""


@dataclass(frozen=True)
class Neovim:
    """A running Neovim that can be asked in Lua."""

    program: Path
    socket: Path
    screen: Terminal

    def lua(self, code: str) -> Any:
        """Run Lua and return what it returns."""
        file = self.socket.with_suffix(".lua")
        file.write_text(code, "utf-8")
        expression = f"luaeval('vim.fn.json_encode({{dofile(_A) or vim.NIL}})', '{file}')"
        done = subprocess.run(
            [self.program, "--server", self.socket, "--remote-expr", expression],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or done.stderr)[0]  # 0.7 prints there

    def evidence(self) -> str:
        """Return what the report of a failed test shows."""
        return self.screen.screen()

    def underlined(self) -> list[str]:
        """Return the words under each diagnostic, from the top."""
        return self.lua(UNDERLINED)


def version(neovim: Path) -> tuple[int, ...]:
    """Return major and minor version."""
    said = subprocess.run([neovim, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


@pytest.fixture(
    params=[
        pytest.param("nvim", marks=pytest.mark.heavy("nvim", "tmux"), id="debian"),
        pytest.param("nvim-0.11", marks=pytest.mark.heavy("nvim-0.11", "tmux"), id="0.11"),
    ]
)
def neovim(
    request: pytest.FixtureRequest, project: Project, socket_folder: Path
) -> Iterator[Neovim]:
    """Neovim with the draft open, set up as docs/editors.md says."""
    path, socket = program(request.param), socket_folder / "nvim"
    config = project.home / ".config/nvim"
    (config / "lsp").mkdir(parents=True)
    if version(path) >= (0, 11):
        shutil.copy(SETUPS / "onbrand.lua", config / "lsp")
        shutil.copy(SETUPS / "init.lua", config)
    else:
        shutil.copy(SETUPS / "onbrand-0.7.lua", config / "init.lua")
    # Otherwise a message of the server makes 0.7 ask for Enter before it answers.
    options = ["-n", "-i", "NONE", "--cmd", "set cmdheight=3"]
    command = [path, "--listen", socket, *options, project.draft]
    with terminal(command, folder=project.folder, env=project.environment) as screen:
        until(socket.exists, "Neovim to listen")
        yield Neovim(path, socket, screen)


def test_underlines_what_check_underlines(neovim: Neovim, project: Project) -> None:
    until_equal(neovim.underlined, project.flagged())
    pulls, encoding = neovim.lua(
        "local client = (vim.lsp.get_clients or vim.lsp.get_active_clients)()[1] "
        "return {vim.lsp.diagnostic.on_diagnostic ~= nil, client.offset_encoding}"
    )
    recent = version(neovim.program) >= (0, 11)
    assert (pulls, encoding) == ((True, "utf-8") if recent else (False, "utf-16"))


def go_to(neovim: Neovim, sentence: str) -> None:
    """Search for a sentence, and wait until it is found.

    Lua goes another way than what is typed, and would overtake it on a busy machine.
    """
    neovim.screen.type(f"/{sentence[:20]}\n")
    there = "return vim.fn.mode() .. vim.fn.strpart(vim.fn.getline('.'), vim.fn.col('.') - 1)"
    until(lambda: str(neovim.lua(there)).startswith(f"n{sentence[:20]}"), "the search")


def test_looks_again_while_the_writer_types(neovim: Neovim) -> None:
    until_equal(neovim.underlined, [EPIC, INTELLIGENCE])
    neovim.screen.type(f"ggOPut the kettle on first 🚀. {TYPED}")
    until_equal(neovim.underlined, [TYPED, EPIC, INTELLIGENCE])
    neovim.screen.press("Escape")
    neovim.screen.type("u")
    until_equal(neovim.underlined, [EPIC, INTELLIGENCE])


def test_a_draft_in_the_brands_voice_has_no_underlines(neovim: Neovim, project: Project) -> None:
    until_equal(neovim.underlined, [EPIC, INTELLIGENCE])
    neovim.screen.type(f":edit! {project.clean}\n")
    until_equal(lambda: neovim.lua("return vim.fn.expand('%:t')"), "clean.md")
    neovim.screen.type(f"GA\n\n{TYPED}")
    until_equal(neovim.underlined, [TYPED])  # so it has been looked at, and the rest is clean


def test_marks_a_sentence_as_on_brand(neovim: Neovim, project: Project) -> None:
    until_equal(neovim.underlined, [EPIC, INTELLIGENCE])
    go_to(neovim, EPIC)
    neovim.lua("local TITLE = 'Mark as on-brand for quillpot'" + CHOOSE)
    until_equal(project.labels, {EPIC: "on"})
    until_equal(neovim.underlined, [INTELLIGENCE])


def test_hover_says_why(neovim: Neovim) -> None:
    until_equal(neovim.underlined, [EPIC, INTELLIGENCE])
    go_to(neovim, EPIC)
    neovim.lua("vim.lsp.buf.hover()")
    text = " ".join(until(lambda: neovim.lua(FLOATING), "the hover"))
    assert "quillpot" in text and "absolutely" in text
