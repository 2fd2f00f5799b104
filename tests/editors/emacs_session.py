"""An Emacs in a terminal, with a draft open, that can be asked in Lisp."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor_project import Project
from terminal import Terminal, terminal
from waiting import PATIENCE, until

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


@contextmanager
def emacs_session(project: Project, setup: Path) -> Iterator[Emacs]:
    """Run Emacs with the draft open, set up as docs/editors.md says.

    Args:
        project: the folder with the draft; its home gets the set-up.
        setup: the file that is Emacs' ``init.el``.
    """
    home, socket = project.home / ".emacs.d", project.home / "emacs"
    home.mkdir()
    shutil.copy(setup, home / "init.el")
    (home / "early-init.el").write_text("(setq native-comp-deferred-compilation nil)")
    serve = f'(progn (require (quote json)) (setq server-name "{socket}") (server-start))'
    command = ["emacs", "-nw", "--eval", serve, project.draft]
    with terminal(command, folder=project.folder, env=project.environment) as screen:
        until(socket.exists, "Emacs to listen")
        yield Emacs(socket, screen)
