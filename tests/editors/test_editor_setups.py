"""docs/editors.md shows the set-ups that the editors are tested with."""

from __future__ import annotations

import re
import tomllib

from editor_project import ROOT

SETUPS = ROOT / "examples/editors"
PAGE = (ROOT / "docs/editors.md").read_text("utf-8")
SHOWN = dict(re.findall(r"^```\w+ (\S+/\S+)\n(.*?)^```$", PAGE, re.M | re.S))
UNSHOWN = {"zed/extension.toml", "zed/Cargo.toml"}


def test_the_page_shows_every_setup_as_it_is() -> None:
    files = {
        file.relative_to(SETUPS).as_posix(): file.read_text("utf-8")
        for file in SETUPS.rglob("*")
        if file.is_file()
    }
    assert {name: text for name, text in files.items() if name not in UNSHOWN} == SHOWN


def test_an_editor_that_no_test_runs_is_marked_on_the_page() -> None:
    run = {"VS Code", "Neovim", "Emacs", "Vim", "Kate", "CodeMirror"}
    rows = re.findall(r"^\| \[([^\]]+)\]\(#[^)]*\)[^|]*\|(.*)$", PAGE, re.M)
    assert len(rows) == 11
    for editor, how in rows:
        assert ("not run" in how) == (editor not in run), editor


def test_setups_in_toml_parse() -> None:
    for file in SETUPS.rglob("*.toml"):
        tomllib.loads(file.read_text("utf-8"))
