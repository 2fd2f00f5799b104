"""The Python on the pages runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import onbrand
from docs_samples import ROOT, Block, blocks

PYTHON = [block for block in blocks("python") if block.page in ("README.md", "docs/api.md")]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_an_example_runs_and_prints_what_it_says(
    block: Block,
    example_voices: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "voices").symlink_to(example_voices)
    draft = ROOT / "examples/drafts/quillpot-tax-season.md"
    (tmp_path / "draft.md").write_bytes(draft.read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(block.body, str(block), "exec"), {})  # our own pages
    assert capsys.readouterr().out


def test_both_pages_have_an_example() -> None:
    assert {block.page for block in PYTHON} == {"README.md", "docs/api.md"}


def test_every_public_name_is_documented() -> None:
    page = (ROOT / "docs/api.md").read_text("utf-8")
    assert [name for name in onbrand.__all__ if f"`{name}" not in page] == []
