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
from onbrand.verdict import Example, Habit
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
