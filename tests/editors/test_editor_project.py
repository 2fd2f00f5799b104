"""The drafts that the editors are tried with are what the tests take them for."""

from __future__ import annotations

from editor_project import EPIC, INTELLIGENCE, TYPED, Project


def test_check_finds_what_the_editors_must_underline(project: Project) -> None:
    assert project.flagged(project.draft) == [EPIC, INTELLIGENCE]
    assert project.flagged(project.clean) == []
    project.clean.write_text(project.clean.read_text("utf-8") + f"\n{TYPED}\n", "utf-8")
    assert project.flagged(project.clean) == [TYPED]
