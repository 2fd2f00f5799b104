"""Messages on any sentence: one line for a writer, whatever was judged and why."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from onbrand.document.positions import Span
from onbrand.report.message import draft_message, sentence_message
from onbrand.results import Example, Explanation, Habit, Report, SentenceVerdict, WordShare
from onbrand.voice.lexical import word_spans
from onbrand.voice.profile import build_profile, style_deviations
from onbrand.voice.registers import READS_LIKE

BRANDS = st.sampled_from(["acme", "varnholt-pumps", "fly.io", "avoid: hype, corporate"])
WORDS = ("the", "Our", "our", "OUR", "synergy", "Synergy’s", "best-in-class", "acme", "please")
MARKS = ("\ufffc", "–", "!", "🎉", "“", "”", "'", "\n", "\x1b[1m", "\ud800", "15-30", "雨です")
PIECES = st.sampled_from(WORDS + MARKS)
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map(" ".join), st.text(max_size=40))
PROFILES = st.lists(TEXTS, min_size=1, max_size=3).map(build_profile)


@st.composite
def verdicts(draw: st.DrawFn) -> SentenceVerdict:
    """Any flagged sentence with any reasons."""
    text, brand = draw(TEXTS), draw(BRANDS)
    shares: Sequence[float] = draw(st.lists(st.floats(-3, 3), min_size=1, max_size=9))
    words = tuple(
        WordShare(span, span.slice(text), shares[n % len(shares)])
        for n, span in enumerate(word_spans(text))
    )
    why = Explanation(
        -2.0,
        0.0,
        words,
        habits=style_deviations(text, draw(PROFILES), brand),
        nearest_on=draw(st.none() | TEXTS.map(lambda near: Example(near, 0.5, "on"))),
        register=draw(st.sampled_from([None, *READS_LIKE])),
        brand=brand,
    )
    p = draw(st.floats(0, 0.3))
    reasons = draw(st.none() | st.just(why))
    return SentenceVerdict(
        Span(0, len(text)), 1, 1, text, brand, p, flagged=True, threshold=0.31, explanation=reasons
    )


@given(verdicts())
def test_a_finding_is_one_line_for_writers(sentence: SentenceVerdict) -> None:
    said = sentence_message(sentence, nearest=False)
    assert re.match("Reads like |Sounds off-brand for ", said)
    check_line(said)
    named = re.findall("“([^“”]*)”", said)
    assert all(any(map(str.isalnum, word)) for word in named)
    bases = [re.sub("[’']s$", "", word.casefold()) for word in named]
    assert len(set(bases)) == len(bases) <= 3
    assert not re.search(r"\bP [<\d]|of 100|letters a word|grade", said)
    habits = sentence.explanation.habits if sentence.explanation else ()
    told = [habit for habit in habits if habit.message[1:] in said]
    assert told[:1] == list(habits[:1]), "the habit that is broken most"
    assert said.count("; ") <= 2, "no second habit"


@given(verdicts())
def test_the_nearest_line_comes_last(sentence: SentenceVerdict) -> None:
    short, said = sentence_message(sentence, nearest=False), sentence_message(sentence)
    check_line(said)
    assert said.startswith(short)
    near = sentence.explanation.nearest_on if sentence.explanation else None
    assert said[len(short) :].startswith(" Nearest on-brand line: “" if near else "")
    assert bool(said[len(short) :]) is (near is not None)


@given(st.lists(verdicts(), max_size=4), st.floats(0, 1), st.floats(0, 1))
def test_a_verdict_ends_with_its_figures(
    sentences: list[SentenceVerdict], probability: float, gate: float
) -> None:
    verdict = "forward" if probability >= gate else "review"
    brand = sentences[0].brand if sentences else "acme"
    said = draft_message(Report("a.md", brand, probability, verdict, gate, tuple(sentences)))
    check_line(said)
    assert re.match("Forward|Review", said)
    assert re.search(rf"; P \S+( for {re.escape(brand)})?, [a-z ]+ {gate:.2f}\.$", said)


def check_line(said: str) -> None:
    assert not set(said) & {"\ufffc", "\n", "\x1b", "\ud800"}
    assert said == " ".join(said.split())


def test_a_habit_of_the_message_is_a_clause() -> None:
    habit = Habit("colon", "a colon; acme never uses one.", 1, (0, 0))
    why = Explanation(-2.0, 0.0, (), habits=(habit, habit), brand="acme")
    sentence = SentenceVerdict(
        Span(0, 1), 1, 1, "x", "acme", 0.1, flagged=True, threshold=0.31, explanation=why
    )
    assert sentence_message(sentence) == "Sounds off-brand for acme. A colon; acme never uses one."
