"""Vim with vim-lsp and the setup of examples/editors/vim-lsp.

No package index has vim-lsp: clone https://github.com/prabirshrestha/vim-lsp to .editors/vim-lsp.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from editor_project import EPIC, INTELLIGENCE, ROOT, TYPED, Project
from vim_session import Vim, vim_session
from waiting import until_equal

PLUGIN = ROOT / ".editors/vim-lsp"
pytestmark = [
    pytest.mark.heavy("vim", "tmux"),
    pytest.mark.skipif(not PLUGIN.is_dir(), reason="vim-lsp is not in .editors/vim-lsp"),
]
SETUP = ROOT / "examples/editors/vim-lsp/onbrand.vim"
# What Vim draws: the text under each of the plug-in's marks.
UNDERLINED = """
function! TestUnderlined() abort
  let l:found = []
  for l:lnum in range(1, line('$'))
    for l:prop in prop_list(l:lnum)
      if l:prop.type =~# 'highlight'
        call add(l:found, strpart(getline(l:lnum), l:prop.col - 1, l:prop.length))
      endif
    endfor
  endfor
  return l:found
endfunction
"""


@pytest.fixture
def vim(project: Project) -> Iterator[Vim]:
    """Vim with the draft open, set up as docs/editors.md says."""
    plugin = f"set runtimepath^={PLUGIN}\n"
    quiet = "let g:lsp_diagnostics_virtual_text_enabled = 0\n"
    vimrc = plugin + quiet + SETUP.read_text("utf-8") + UNDERLINED
    with vim_session(project, vimrc=vimrc) as session:
        yield session


def underlined(vim: Vim) -> list[str]:
    """Return the words that Vim underlines, from the top."""
    return [str(words) for words in vim.value("TestUnderlined()")]


def test_underlines_what_check_underlines(vim: Vim) -> None:
    until_equal(lambda: underlined(vim), [EPIC, INTELLIGENCE])


def test_looks_again_after_an_edit(vim: Vim, project: Project) -> None:
    vim.screen.type(f":edit {project.clean}\n")
    vim.screen.shows("clean.md")
    vim.screen.type(f"GoPut the kettle on first 🚀. {TYPED}")
    vim.screen.press("Escape")
    until_equal(lambda: underlined(vim), [TYPED])  # so it was looked at, and the rest is clean


def test_marks_a_sentence_as_on_brand(vim: Vim, project: Project) -> None:
    until_equal(lambda: underlined(vim), [EPIC, INTELLIGENCE])
    vim.screen.type(f"gg/{EPIC[:20]}\n")
    vim.screen.type(":LspCodeAction --ui=float\n")
    vim.screen.shows("Mark as on-brand")
    vim.screen.press("Enter")
    until_equal(project.labels, {EPIC: "on"})
    until_equal(lambda: underlined(vim), [INTELLIGENCE])
