"""Which words are shown as reasons, in every face."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onbrand.report.reasons import both_sides, marked_words, strongest_words, worst_words
from onbrand.text.span import Span
from onbrand.verdict import Explanation, WordShare

FACES = ("core/onbrand/report", "core/onbrand_cli", "lsp_server/onbrand_lsp", "slackbot")


def explained(**shares: float) -> Explanation:
    words = tuple(WordShare(Span(0, 1), text, share) for text, share in shares.items())
    return Explanation(logit=sum(shares.values()), base=0.0, words=words)


def test_the_worst_words_speak_against_the_brand_and_come_worst_first() -> None:
    why = explained(our=-0.1, synergy=-2.0, hello=1.0, leverage=-1.0, paradigm=-0.5)
    assert [word.text for word in worst_words(why)] == ["synergy", "leverage", "paradigm"]
    assert worst_words(None) == marked_words(None, 3) == ()


def test_not_most_words_of_a_sentence_are_marked() -> None:
    assert len(marked_words(explained(a=-1.0, b=-1.0, c=-1.0), 3)) == 2
    assert len(marked_words(explained(**dict.fromkeys("abcdefghij", -1.0)), 3)) == 3
    assert marked_words(explained(a=-1.0), 0) == ()


def test_a_word_that_stands_twice_counts_twice_and_stops_are_left_out() -> None:
    shares = [("very", -0.1), (".", -3.0), ("very", -0.1), ("dear", 0.1), ("!", -0.4), ("do", 1.0)]
    words = [WordShare(Span(0, 1), text, share) for text, share in shares]
    against, in_favour = both_sides(words)
    assert [text for _, text in against] == ["!", "very"]
    assert against[1].share == pytest.approx(-0.2)
    assert [text for _, text in in_favour] == ["do"]


def test_the_strongest_words_are_of_either_side() -> None:
    why = explained(**{f"w{i}": (-1) ** i * i / 10 for i in range(12)})
    assert [word.text for word in strongest_words(why)] == [f"w{i}" for i in range(11, 3, -1)]


@pytest.mark.parametrize("face", FACES)
def test_no_face_chooses_words_by_itself(face: str) -> None:
    files = sorted((Path(__file__).parents[2] / face).rglob("*.py"))
    assert files
    chooses = re.compile(r"\.worst_words\(|sorted\([^)\n]*\.words\b")
    found = [file.name for file in files if chooses.search(file.read_text())]
    assert set(found) <= {"reasons.py"}
