from __future__ import annotations

from onbrand.report.github import render
from report_samples import report, sentence

SOURCE = "Hi.\nWe leverage,\nsynergies. We: empower.\n"


def test_one_line() -> None:
    made = report("a.md", sentence(SOURCE, "We: empower."), verdict="forward")
    assert render([made], {"a.md": SOURCE}) == (
        "::warning file=a.md,line=3,col=12,endColumn=24,endLine=3,title=Off-brand for acme"
        "::Sounds off-brand for acme.\n"
    )


def test_columns_are_left_out_over_lines() -> None:
    part = "We leverage,\nsynergies."
    made = report("a.md", sentence(SOURCE, part, 0.3), verdict="forward")
    assert render([made], {"a.md": SOURCE}).startswith("::notice file=a.md,line=2,endLine=3,title")


def test_a_draft_below_its_gate_is_a_notice() -> None:
    assert render([report("a.md")], {"a.md": ""}) == (
        "::notice file=a.md,line=1,title=Below the gate of acme"
        "::Review: no sentence to judge; P 0.62 for acme, below the gate of 0.70.\n"
    )


def test_what_would_end_a_field_is_escaped() -> None:
    path = "a,b:c\r\n%.md"
    made = report(path, sentence("x", "x", 0.1, brand="a\n::error::%"), verdict="forward")
    (line,) = render([made], {path: "x"}).splitlines()
    assert "file=a%2Cb%3Ac%0D%0A%25.md," in line
    assert "title=Off-brand for a%0A%3A%3Aerror%3A%3A%25::" in line
    assert line.endswith("for a ::error::%25.")


def test_a_clean_draft_says_nothing() -> None:
    assert render([report("a.md", verdict="forward")], {"a.md": ""}) == ""
