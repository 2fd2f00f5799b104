"""Emacs with lsp-mode and the setup of examples/editors/emacs-lsp-mode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from editor_project import EPIC, INTELLIGENCE, ROOT, TYPED, Project
from emacs_session import Emacs, emacs_session
from waiting import until, until_equal

pytestmark = pytest.mark.heavy("emacs", "lsp-mode", "tmux")


@pytest.fixture
def emacs(project: Project) -> Iterator[Emacs]:
    """Emacs with the draft open."""
    with emacs_session(project, ROOT / "examples/editors/emacs-lsp-mode/onbrand.el") as session:
        yield session


def test_underlines_what_check_underlines(emacs: Emacs) -> None:
    until_equal(emacs.underlined, [EPIC, INTELLIGENCE])


def test_looks_again_while_the_writer_types(emacs: Emacs) -> None:
    until_equal(emacs.underlined, [EPIC, INTELLIGENCE])
    emacs.screen.press("M->")
    emacs.screen.type(f"\nPut the kettle on first 🚀. {TYPED}")
    until_equal(emacs.underlined, [EPIC, INTELLIGENCE, TYPED])


def test_a_draft_in_the_brands_voice_has_no_underlines(emacs: Emacs, project: Project) -> None:
    emacs.lisp(f'(progn (find-file "{project.clean}") t)')
    emacs.screen.press("M->")
    emacs.screen.type(f"\n{TYPED}")
    until_equal(emacs.underlined, [TYPED])  # so it has been looked at, and the rest is clean


def test_says_why_and_marks_a_sentence_as_on_brand(emacs: Emacs, project: Project) -> None:
    until_equal(emacs.underlined, [EPIC, INTELLIGENCE])
    emacs.lisp(f'(progn (goto-char (point-min)) (search-forward "{EPIC[:20]}") t)')
    place = "(lsp--text-document-position-params)"
    hover = f'(lsp:hover-contents (lsp-request "textDocument/hover" {place}))'
    said = until(lambda: emacs.lisp(hover), "a hover")
    assert "quillpot" in said["value"]
    emacs.screen.press("M-x")
    emacs.screen.type("lsp-execute-code-action\n")
    emacs.screen.shows("Select code action")
    emacs.screen.type("Mark as on-brand")
    emacs.screen.press("Tab", "Enter")
    until_equal(project.labels, {EPIC: "on"})
    until_equal(emacs.underlined, [INTELLIGENCE])
