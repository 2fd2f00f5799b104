"""What the editor shows under the cursor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lsp_samples import ABLE, OTHERS, SYNERGY, check, unjudged
from lsprotocol import types

from onbrand.results import Explanation
from onbrand_lsp.analysis import Analysis
from onbrand_lsp.features.hover import hover
from onbrand_lsp.features.payloads import Markup

PLAIN = replace(ABLE, markdown_hover=False)
SOURCE = "We leverage synergies daily.  It ships on Tuesday, of course. Hi.\n"


def shown(analysis: Analysis, at: str | int, why: Explanation | None = None) -> str | None:
    offset = at if isinstance(at, int) else analysis.document.source.index(at)
    found = hover(analysis, offset, "utf-16", PLAIN, OTHERS, why)
    if found is None:
        return None
    assert isinstance(found.contents, types.MarkupContent)
    assert found.contents.kind == types.MarkupKind.PlainText
    return found.contents.value


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.9, "Sounds like acme."),
        (0.5, "Sounds like acme."),
        (0.4, "Uncertain for acme."),
        (0.1, "Sounds off-brand for acme."),
    ],
)
def test_every_judged_sentence_has_its_verdict(probability: float, said: str) -> None:
    text = shown(check(SOURCE, {"We": probability}), "leverage")
    assert text is not None
    lines = text.splitlines()
    assert lines[0] == said
    assert lines[-3] == f"P {probability:.2f}, underlined below 0.31."


def test_a_finding_that_was_taken_back_says_so() -> None:
    analysis = check(SOURCE, {"We": 0.1})
    assert analysis.report is not None
    first = replace(analysis.report.sentences[0], flagged=False, truncated=True)
    report = replace(analysis.report, sentences=(first,))
    text = shown(replace(analysis, report=report), "leverage") or ""
    assert text.startswith("Let pass for acme: somebody marked")
    assert "only its start is judged" in text


def test_reasons_are_the_report_s_unless_better_ones_are_at_hand() -> None:
    analysis = check(SOURCE, {"We": 0.1})
    assert "Speaks" not in (shown(analysis, "leverage") or "")
    asked = shown(analysis, "leverage", SYNERGY)
    assert asked is not None
    assert "Speaks against: “leverage”, “`synergies`”\n" in asked
    assert asked == shown(check(SOURCE, {"We": 0.1}, why={"We": SYNERGY}), "leverage")


def test_the_three_likeliest_other_brands_are_named() -> None:
    others = {"acme": 0.9, "a": 0.1, "b": 0.3, "c": 0.001, "d": 0.2}
    found = hover(check(SOURCE), 0, "utf-16", PLAIN, others)
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    assert found.contents.value.splitlines()[-1] == "P for other brands: b 0.30, d 0.20, a 0.10"


def test_a_sentence_that_was_not_judged_says_why_and_no_more() -> None:
    assert shown(check(SOURCE), "Hi.") == "Not judged for acme: too short."


def test_between_sentences_and_without_a_report_there_is_nothing() -> None:
    analysis = check(SOURCE)
    assert shown(analysis, SOURCE.index("  It") + 1) is None
    assert shown(analysis, len(SOURCE)) is None
    assert shown(unjudged(analysis, None), 0) is None


def test_the_end_of_a_sentence_is_its_own_unless_another_begins_there() -> None:
    text = shown(check("雨です、本当に。We leverage it here.", {"We": 0.1}), "We")
    assert text is not None
    assert text.startswith("Sounds off-brand")
    found = hover(check(SOURCE), SOURCE.index("  It"), "utf-16", ABLE)
    assert found is not None
    assert found.range == types.Range(types.Position(0, 0), types.Position(0, 28))


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("<!-- onbrand-disable-next-line -->", "onbrand does not judge the sentences that start"),
        ("<!-- onbrand-disable-line -- why -->", "onbrand does not judge the sentences that touch"),
        ("<!-- onbrand-disable -->", "onbrand judges nothing from here to <!-- onbrand-enable -->"),
        ("<!--\nonbrand-enable\n-->", "onbrand judges again"),
        (
            "<!-- onbrand brand=borealis -->",
            "From here on sentences are judged as borealis.\n\nIts",
        ),
        ("<!-- onbrand brand=who -->", "From here on sentences are judged as who.\n\nThere is no"),
        ("<!-- onbrand brand= -->", "From here on the document's own brand"),
        ("<!-- onbrand-disabel -->", "Unknown onbrand comment 'disabel'; did you mean"),
        ("{/* onbrand-disable */}", "onbrand judges nothing"),
    ],
)
def test_a_comment_to_onbrand_is_explained(comment: str, said: str) -> None:
    source = f"Some text is here.\n\n{comment}\n\nMore of it is here.\n"
    analysis = check(source, format="mdx" if comment[0] == "{" else "markdown")
    for offset in (0, 5, len(comment)):
        text = shown(analysis, source.index(comment) + offset)
        assert text is not None
        assert text.startswith(said)


@pytest.mark.parametrize("source", ["<!-- a note of somebody else -->\n", "<!-- onbrand-disable\n"])
def test_other_comments_are_not(source: str) -> None:
    assert shown(check(source), 6) is None


def test_the_brand_in_the_front_matter_has_the_draft_s_verdict() -> None:
    source = f"---\nbrand: borealis\n---\n\n{SOURCE}"
    text = shown(check(source), "borealis") or ""
    assert text.startswith("This document is judged as borealis.\n\nForward: 0 of 2 sentences")
    assert "82 on-brand and 80 off-brand" in text
    assert shown(check(source), 0) is None


def test_the_verdict_on_a_part_is_not_taken_for_the_draft_s() -> None:
    analysis = check(f"---\nbrand: borealis\n---\n\n{SOURCE}")
    assert analysis.report is not None
    part = replace(analysis, report=replace(analysis.report, sentences=()))
    text = shown(part, "borealis") or ""
    assert text.startswith("This document is judged as borealis.\n\nIts voice was trained")


def test_a_brand_that_does_not_hold_says_which_does() -> None:
    source = f"---\nbrand: nobody\n---\n\n{SOURCE}"
    problem = shown(unjudged(check(source), "no voice for brand 'nobody'"), "nobody")
    assert problem == ("This document wants to be judged as nobody.\n\nNo voice for brand 'nobody'")
    analysis = check(source.replace("nobody", "borealis"))
    assert analysis.report is not None
    other = replace(analysis, report=replace(analysis.report, brand="acme"))
    assert (shown(other, "borealis") or "").startswith("This document is judged as acme for now.")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a https://x.org/b", r"a https\://x.org/b"),
        ("www.x.org now. Go", r"www\.x.org now. Go"),
        ("me@x.org", r"me\@x.org"),
        ("![a](b) <b> &amp; $x$", r"\!\[a\](b) \<b\> \&amp; \$x\$"),
        ("# a - b", r"\# a - b"),
        ("12. a", r"12\. a"),
        ("the \ufffc of\n # it \ud800", "the … of # it \ufffd"),
    ],
)
def test_somebody_else_s_text_is_never_markup(text: str, written: str) -> None:
    assert Markup(markdown=True).text(text) == written
