"""Emacs with eglot and the setup of examples/editors/emacs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from editor_project import EPIC, INTELLIGENCE, ROOT, TYPED, Project
from emacs_session import Emacs, emacs_session
from waiting import until_equal

pytestmark = pytest.mark.heavy("emacs", "eglot", "tmux")


@pytest.fixture
def emacs(project: Project) -> Iterator[Emacs]:
    """Emacs with the draft open."""
    with emacs_session(project, ROOT / "examples/editors/emacs/onbrand.el") as session:
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


def test_marks_a_sentence_as_on_brand(emacs: Emacs, project: Project) -> None:
    until_equal(emacs.underlined, [EPIC, INTELLIGENCE])
    emacs.screen.press("M-<", "C-s")
    emacs.screen.type(EPIC[:20])
    emacs.screen.press("Enter", "M-x")
    emacs.screen.type("eglot-code-actions\n")
    emacs.screen.shows("Pick an action")
    emacs.screen.type("Mark as on-brand")
    emacs.screen.press("Tab", "Enter")
    until_equal(project.labels, {EPIC: "on"})
    until_equal(emacs.underlined, [INTELLIGENCE])
