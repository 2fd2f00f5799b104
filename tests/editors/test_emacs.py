"""Emacs with eglot and the setup of examples/editors/emacs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from editor_project import EPIC, INTELLIGENCE, ROOT, TYPED, Project
from terminal import Terminal, terminal
from waiting import PATIENCE, until, until_equal

pytestmark = pytest.mark.heavy("emacs", "eglot", "tmux")
SETUP = ROOT / "examples/editors/emacs/onbrand.el"
UNDERLINED = """
(mapcar (lambda (found)
          (buffer-substring-no-properties (flymake-diagnostic-beg found)
                                          (flymake-diagnostic-end found)))
        (sort (flymake-diagnostics)
              (lambda (a b) (< (flymake-diagnostic-beg a) (flymake-diagnostic-beg b)))))
"""


@dataclass(frozen=True)
class Emacs:
    """A running Emacs that can be asked in Lisp."""

    socket: Path
    screen: Terminal

    def lisp(self, code: str) -> Any:
        """Evaluate Lisp in the buffer that is shown, and return its value."""
        shown = f"(with-current-buffer (window-buffer (selected-window)) {code})"
        written = f"(json-encode (vconcat (list {shown})))"
        done = subprocess.run(
            ["emacsclient", "--socket-name", self.socket, "--eval", written],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(json.loads(done.stdout))[0]

    def evidence(self) -> str:
        """Return what the report of a failed test shows."""
        return self.screen.screen()

    def underlined(self) -> list[str]:
        """Return the words under each diagnostic, from the top."""
        return self.lisp(f"(vconcat {UNDERLINED})")


@pytest.fixture
def emacs(project: Project) -> Iterator[Emacs]:
    """Emacs with the draft open, set up as docs/editors.md says."""
    home, socket = project.home / ".emacs.d", project.home / "emacs"
    home.mkdir()
    shutil.copy(SETUP, home / "init.el")
    (home / "early-init.el").write_text("(setq native-comp-deferred-compilation nil)")
    serve = f'(progn (require (quote json)) (setq server-name "{socket}") (server-start))'
    command = ["emacs", "-nw", "--eval", serve, project.draft]
    with terminal(command, folder=project.folder, env=project.environment) as screen:
        until(socket.exists, "Emacs to listen")
        yield Emacs(socket, screen)


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
