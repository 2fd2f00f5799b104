"""A Vim in a terminal, with a draft open, that answers expressions by writing a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor_project import Project
from terminal import Terminal, terminal
from waiting import until_equal

# Written aside and renamed, so that a file that is there is whole.
ANSWER = """
function! TestAnswer(expression) abort
  call writefile([json_encode(eval(a:expression))], $TEST_ANSWER . '.part')
  call rename($TEST_ANSWER . '.part', $TEST_ANSWER)
endfunction
command! -nargs=1 TestAnswer call TestAnswer(<q-args>)
"""


@dataclass(frozen=True)
class Vim:
    """A running Vim, in normal mode whenever it is asked."""

    answer: Path
    screen: Terminal

    def evidence(self) -> str:
        """Return what the report of a failed test shows."""
        return self.screen.screen()

    def value(self, expression: str) -> Any:
        """Evaluate an expression of Vim script, and return its value."""
        self.screen.type(f":TestAnswer {expression}\n")
        until_equal(self.answer.exists, True)
        found = json.loads(self.answer.read_text("utf-8"))
        self.answer.unlink()
        return found


@contextmanager
def vim_session(project: Project, *, vimrc: str) -> Iterator[Vim]:
    """Run Vim with the draft open; ``vimrc`` is what stands in ``.vimrc``."""
    answer = project.home / "answer.json"
    settings = f"set nocompatible noswapfile\nfiletype plugin on\n{vimrc}\n{ANSWER}"
    (project.home / ".vimrc").write_text(settings, "utf-8")
    command = ["vim", "-i", "NONE", project.draft]
    environment = project.environment | {"TEST_ANSWER": str(answer)}
    with terminal(command, folder=project.folder, env=environment) as screen:
        screen.shows("January")
        yield Vim(answer, screen)
