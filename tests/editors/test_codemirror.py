"""CodeMirror with @codemirror/lsp-client, in Node, and the setup of examples/editors/codemirror.

It declares that it pulls diagnostics and never does: the server pushes to it all the same.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from editor_project import BRAND, CLEAN, DRAFT, EPIC, INTELLIGENCE, ROOT, TYPED, Project, program
from waiting import PATIENCE, until_equal

pytestmark = pytest.mark.heavy("codemirror")
HERE = ROOT / "tests/editors/codemirror"
INSTALLED = ROOT / ".editors/codemirror"
SETUP = ROOT / "examples/editors/codemirror"


@dataclass(frozen=True)
class CodeMirror:
    """An editor in a process of its own, which does one thing after the other."""

    process: subprocess.Popen[str]

    def do(self, what: str, **given: Any) -> Any:
        """Have it do something, and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"what": what, **given}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the editor has ended; its errors are above"
        answer = json.loads(line)
        assert "error" not in answer, answer
        return answer["answer"]

    def open(self, project: Project, name: str, text: str, language: str = "markdown") -> None:
        """Show a document."""
        root, uri = project.folder.as_uri(), (project.folder / name).as_uri()
        self.do("open", root=root, uri=uri, language=language, text=text)

    def underlined(self) -> list[str]:
        """Return the words under each diagnostic, from the top."""
        return [found["words"] for found in self.do("underlined")]


@pytest.fixture
def editor(project: Project) -> Iterator[CodeMirror]:
    """An editor that is set up as docs/editors.md says."""
    for file in (HERE / "editor.mjs", *SETUP.glob("*.mjs")):
        shutil.copy(file, project.home)
    (project.home / "node_modules").symlink_to(INSTALLED / "node_modules")
    process = subprocess.Popen(
        [program("node24"), project.home / "editor.mjs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=project.environment,
        cwd=project.folder,
    )
    yield CodeMirror(process)
    process.communicate(timeout=PATIENCE)  # it ends when nobody tells it what to do any more
    assert process.returncode == 0


def test_underlines_what_check_underlines(editor: CodeMirror, project: Project) -> None:
    editor.open(project, "draft.md", DRAFT)
    until_equal(editor.underlined, [EPIC, INTELLIGENCE])
    assert all(found["message"] for found in editor.do("underlined"))
    assert "textDocument/diagnostic" not in editor.do("sent")


def test_looks_again_while_the_writer_types(editor: CodeMirror, project: Project) -> None:
    editor.open(project, "clean.md", CLEAN)
    editor.do("append", text=f"\n\nPut the kettle on first 🚀. {TYPED}\n")
    until_equal(editor.underlined, [TYPED])  # so it has been looked at, and the rest is clean
    editor.do("replace", text=CLEAN)
    until_equal(editor.underlined, [])


def test_says_why(editor: CodeMirror, project: Project) -> None:
    editor.open(project, "draft.md", DRAFT)
    until_equal(editor.underlined, [EPIC, INTELLIGENCE])
    hover = editor.do("hover", words=INTELLIGENCE)
    assert BRAND in hover["contents"]["value"]


def test_a_document_that_is_no_draft_is_left_alone(editor: CodeMirror, project: Project) -> None:
    editor.open(project, "package.json", json.dumps({"description": EPIC}), "json")
    assert editor.do("hover", words="smash") is None
    assert editor.underlined() == []
