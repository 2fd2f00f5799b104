from __future__ import annotations

from dataclasses import replace

import pytest

from onbrand.report.message import (
    draft_message,
    format_probability,
    sentence_message,
    severity,
    tally,
)
from onbrand.results import Example, Explanation, Habit, SentenceVerdict
from report_samples import report, sentence

SOURCE = "We leverage synergies."


def reads(register: str) -> Explanation:
    return Explanation(-2.0, -0.5, (), register=register)


CORPORATE = reads("corporate")
COLON = Habit("colon", "a colon; Acme never uses one", 1, (0, 0))


def test_a_sentence_says_what_did_it() -> None:
    judged = sentence(SOURCE, SOURCE, 0.12, "leverage synergies")
    assert judged.explanation is not None
    why = replace(
        judged.explanation,
        habits=(Habit("words", "34 words;\nAcme rarely writes more than 18.", 34, (8, 18)), COLON),
        nearest_on=Example("We ship.", 0.7, "on"),
    )
    judged = replace(judged, explanation=why)
    text = (
        "Sounds off-brand for acme. Above all: “leverage”, “synergies”. "
        "34 words; Acme rarely writes more than 18."
    )
    assert sentence_message(judged, nearest=False) == text
    assert sentence_message(judged) == text + " Nearest on-brand line: “We ship.”"


def test_a_sentence_without_explanation() -> None:
    judged = sentence(SOURCE, SOURCE, 0.12)
    assert sentence_message(judged) == "Sounds off-brand for acme."


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
    assert format_probability(probability, limit) == text


def test_draft() -> None:
    flagged, fine = sentence(SOURCE, SOURCE), sentence(SOURCE, SOURCE, 0.9)
    short = sentence(SOURCE, "We", None, not_judged="too short")
    assert draft_message(report("a", flagged, fine, short)) == (
        "Review: 1 of 2 sentences off-brand, 1 not judged (too short); "
        "P 0.62 for acme, below the gate of 0.70."
    )
    assert draft_message(report("a", fine, probability=0.81, verdict="forward")) == (
        "Forward: 0 of 1 sentence off-brand; P 0.81 for acme, the gate is 0.70."
    )
    nothing = report("a", short, short, probability=None, verdict="not judged")
    assert draft_message(nothing) == "Not judged: 2 not judged (too short)."


def test_a_draft_that_goes_forward_says_what_to_mend_first() -> None:
    source = "\n".join(f"We leverage {n}." for n in range(9))
    lines = [sentence(source, f"We leverage {n}.", 0.2 - n / 100, foreign=0.9) for n in range(9)]
    fine = sentence(source, "We leverage 8.", 0.9)
    doubtful = replace(lines[8], foreign=0.4)

    def told(*sentences: SentenceVerdict, **fields: object) -> str:
        fields = {"probability": 0.81, "verdict": "forward", **fields}
        return draft_message(report("a", *sentences, **fields))

    rest = "sentences off-brand; P 0.81 for acme, the gate is 0.70."
    assert told(fine, doubtful) == f"Forward: 1 of 2 {rest}"
    assert told(fine, doubtful, lines[2]) == (
        f"Forward, but mend 1 sentence (line 3): 2 of 3 {rest}"
    )
    assert told(*lines[:8], fine) == (
        f"Forward, but mend 8 sentences (lines 4, 5, 6, 7, 8 and 3 more): 8 of 9 {rest}"
    )
    # Known ones of a baseline are not flagged any more, and no news.
    assert told(fine, replace(lines[2], flagged=False)).startswith("Forward: ")
    assert told(fine, lines[2], verdict="review", probability=0.6).startswith("Review: 1 of 2")


def test_a_draft_says_what_its_sentences_read_like() -> None:
    registers = ["hype", "corporate", "corporate", "legalese", "chatbot", "legalese", "corporate"]
    flagged = [sentence(SOURCE, SOURCE, explanation=reads(register)) for register in registers]
    assert draft_message(report("a", *flagged)).startswith(
        "Review: 7 of 7 sentences off-brand; "
        "3 read like corporate-speak, 2 like legalese, 1 like hype; P "
    )
    assert "; 1 reads like hype; P " in draft_message(report("a", flagged[0]))
    # Of long drafts only the worst sentences are explained: no count is better than a wrong one.
    unexplained = sentence(SOURCE, SOURCE)
    assert "8 of 8 sentences off-brand; P " in draft_message(report("a", *flagged, unexplained))


def test_tally_of_an_empty_draft() -> None:
    assert tally(report("a")) == "no sentence to judge"


def test_a_register_that_decided_is_what_it_reads_like() -> None:
    judged = sentence("We leverage.", "We leverage.", explanation=CORPORATE)
    assert sentence_message(judged) == ("Reads like corporate-speak; acme’s copy hardly ever does.")


def test_without_a_brand_none_is_named() -> None:
    judged = sentence("We leverage.", "We leverage.", brand="avoid: hype, corporate")
    assert sentence_message(judged) == "Reads like a voice to avoid."
    judged = replace(judged, explanation=CORPORATE)
    assert sentence_message(judged) == "Reads like corporate-speak."
    verdict = report("a.md", judged, brand="avoid: hype, corporate")
    assert draft_message(verdict) == (
        "Review: 1 of 1 sentence in a voice to avoid; 1 reads like corporate-speak; "
        "P 0.62, below the gate of 0.70."
    )
    verdict = replace(verdict, verdict="forward", probability=0.8)
    assert draft_message(verdict).endswith("; P 0.80, the gate is 0.70.")
