"""Lenses above the draft and its sections."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lsp_samples import check, unjudged

from onbrand_lsp.analysis import Analysis
from onbrand_lsp.features.code_lens import lenses, sections

THREE = "Here is one sentence. Here is the next one. And this is the third.\n\n"


def titles(analysis: Analysis) -> list[tuple[int, str]]:
    found = lenses(analysis, "utf-16")
    assert all(one.command and one.command.command == "onbrand.showVerdict" for one in found)
    return [(one.range.start.line, one.command.title) for one in found if one.command]


def test_the_draft_has_one_above_its_first_line_of_content() -> None:
    source = f"---\ntitle: x\n---\n\n\n{THREE}"
    assert titles(check(source, {"Here is one": 0.1})) == [
        (5, "acme: P 0.58, review - 1 of 3 sentences off-brand")
    ]


@pytest.mark.parametrize("source", ["", "\n\n", "---\ntitle: x\n---\n"])
def test_an_empty_draft_has_one_on_the_first_line(source: str) -> None:
    assert titles(check(source)) == [(0, "acme: not judged - no sentence to judge")]


def test_a_document_that_was_not_judged_has_none() -> None:
    assert lenses(unjudged(check(THREE), None), "utf-16") == []
    assert sections(unjudged(check(THREE), None)) == []


LEVELS = {
    "markdown": ["# A first heading\n\n", "## A second heading\n\n", "### A third heading\n\n"],
    "setext": [
        "A first heading\n=====\n\n",
        "A second heading\n---\n\n",
        "### A third heading\n\n",
    ],
    "mdx": ["# A first heading\n\n", "## A second heading\n\n", "### A third heading\n\n"],
    "html": [f"<h{n}>A {name} heading</h{n}>\n\n" for n, name in ((1, "first"), (2, "second"))]
    + ["<section><H5 class='x'><span>A third heading</span></H5></section>\n\n"],
}


@pytest.mark.parametrize("name", LEVELS)
def test_a_section_ends_at_the_next_heading_of_its_level_or_above(name: str) -> None:
    one, two, three = LEVELS[name]
    text = f"<p>{THREE.strip()}</p>\n\n" if name == "html" else THREE
    analysis = check(
        one + text + two + text + three + text + two + text + one + text,
        format="markdown" if name == "setext" else name,
    )
    found = [(section.title, len(section.sentences)) for section in sections(analysis)]
    assert found == [
        ("A first heading", 16),
        ("A second heading", 8),
        ("A third heading", 4),
        ("A second heading", 4),
        ("A first heading", 4),
    ]


def test_a_section_has_a_verdict_of_its_own() -> None:
    source = f"# First\n\n{THREE}# Next\n\n{THREE}".replace("Here is one", "Bad is one", 1)
    first, following = sections(check(source, {"Bad": 0.001}))
    assert (first.verdict, following.verdict) == ("review", "forward")
    assert first.probability < 0.5 < following.probability


def test_what_is_too_short_or_all_of_the_draft_has_none() -> None:
    assert sections(check("# First\n\nHere is one sentence. Here is the next.\n\n")) == []
    assert sections(check(f"# First\n\n{THREE}")) == []


def test_a_heading_of_two_sentences_is_one_and_shows_its_code() -> None:
    source = f"## It's `brown`! On purpose.\n\n{THREE}{THREE}# Next\n\n{THREE}"
    first, _ = sections(check(source))
    assert first.title == "It's `brown`! On purpose."
    assert len(first.sentences) == 8


def test_a_gate_of_its_own_decides() -> None:
    analysis = check(f"{THREE}# Next\n\n{THREE}")
    assert analysis.report is not None
    strict = replace(analysis, report=replace(analysis.report, gate=0.99))
    assert [section.verdict for section in sections(strict)] == ["review"]
