from __future__ import annotations

from dataclasses import replace

import pytest

from onbrand.report.message import (
    draft_message,
    figure,
    sentence_message,
    severity,
    tally,
)
from onbrand.verdict import Example, Explanation, Habit
from report_samples import report, sentence

SOURCE = "We leverage synergies."


def test_a_sentence_says_what_did_it() -> None:
    judged = sentence(SOURCE, SOURCE, 0.12, "leverage synergies")
    assert judged.explanation is not None
    why = replace(
        judged.explanation,
        habits=(Habit("words", "34 words;\nAcme usually writes 8-18.", 34, (8, 18)),),
        nearest_on=Example("We ship.", 0.7, "on"),
    )
    judged = replace(judged, explanation=why)
    text = (
        "Sounds off-brand for acme (P 0.12): “leverage”, “synergies”. "
        "34 words; Acme usually writes 8-18."
    )
    assert sentence_message(judged, nearest=False) == text
    assert sentence_message(judged) == text + " Nearest on-brand line: “We ship.”"


def test_a_sentence_without_explanation() -> None:
    judged = sentence(SOURCE, SOURCE, 0.12)
    assert sentence_message(judged) == "Sounds off-brand for acme (P 0.12)."


def test_a_sentence_that_was_not_judged() -> None:
    judged = sentence(SOURCE, SOURCE, None, not_judged="too short")
    assert sentence_message(judged) == "Not judged: too short."


@pytest.mark.parametrize(
    ("probability", "level"), [(0.0, "warning"), (0.15, "warning"), (0.156, "note"), (0.3, "note")]
)
def test_severity_grows_with_certainty(probability: float, level: str) -> None:
    assert severity(sentence(SOURCE, SOURCE, probability)) == level


@pytest.mark.parametrize(
    ("probability", "limit", "text"),
    [
        (0.5, 0.7, "0.50"),
        (0.699, 0.7, "0.699"),
        (0.69999, 0.7, "0.69999"),
        (0.701, 0.7, "0.70"),
        (0.7, 0.7, "0.70"),
        (0.001, 0.7, "<0.01"),
        (1.0, 0.7, "1.00"),
    ],
)
def test_a_figure_never_seems_to_reach_the_limit_that_it_misses(
    probability: float, limit: float, text: str
) -> None:
    assert figure(probability, limit) == text


def test_draft() -> None:
    flagged, fine = sentence(SOURCE, SOURCE), sentence(SOURCE, SOURCE, 0.9)
    short = sentence(SOURCE, "We", None, not_judged="too short")
    assert draft_message(report("a", flagged, fine, short)) == (
        "Review: P 0.62 for acme is below the gate of 0.70; "
        "1 of 2 sentences off-brand, 1 not judged (too short)."
    )
    assert draft_message(report("a", fine, probability=0.81, verdict="forward")) == (
        "Forward: P 0.81 for acme, the gate is 0.70; 0 of 1 sentence off-brand."
    )
    nothing = report("a", short, short, probability=None, verdict="not judged")
    assert draft_message(nothing) == "Not judged: 2 not judged (too short)."


def test_tally_of_an_empty_draft() -> None:
    assert tally(report("a")) == "no sentence to judge"


CORPORATE = Explanation(-2.0, -0.5, (), register="corporate")


def test_a_register_that_decided_is_what_it_reads_like() -> None:
    judged = sentence("We leverage.", "We leverage.", explanation=CORPORATE)
    assert sentence_message(judged) == (
        "Reads like corporate-speak, more than acme’s own copy does (P 0.12)."
    )


def test_without_a_brand_none_is_named() -> None:
    judged = sentence("We leverage.", "We leverage.", brand="avoid: hype, corporate")
    assert sentence_message(judged) == "Reads like a voice to avoid (P 0.12)."
    judged = replace(judged, explanation=CORPORATE)
    assert sentence_message(judged) == "Reads like corporate-speak (P 0.12)."
    verdict = report("a.md", judged, brand="avoid: hype, corporate")
    assert draft_message(verdict) == (
        "Review: P 0.62 is below the gate of 0.70; 1 of 1 sentence in a voice to avoid."
    )
    verdict = replace(verdict, verdict="forward", probability=0.8)
    assert draft_message(verdict).startswith("Forward: P 0.80, the gate is 0.70; 1 of 1")
