"""Which words are shown as reasons, in every face."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onbrand.results import Explanation, WordShare
from onbrand.voice.lexical import word_spans
from onbrand.voice.reasons import (
    MAX_TABLE_WORDS,
    MAX_WORDS_PER_SIDE,
    both_sides,
    marked_words,
    strongest_words,
    worst_words,
)

FACES = ("core/onbrand/report", "core/onbrand_cli", "lsp_server/onbrand_lsp", "slackbot")


def judged(text: str, *, brand: str = "", default: float = -1.0, **shares: float) -> Explanation:
    """Explain a sentence in which every word and mark has a share, the later the less."""
    words = tuple(
        WordShare(span, span.slice(text), shares.get(span.slice(text), default + place / 1000))
        for place, span in enumerate(word_spans(text))
    )
    return Explanation(sum(word.share for word in words), 0.0, words, brand=brand)


def worst(why: Explanation) -> list[str]:
    return [word.text for word in why.worst_words(10)]


def test_the_worst_words_speak_against_the_brand_and_come_worst_first() -> None:
    why = judged("hello synergy leverage paradigm", synergy=-2.0, hello=1.0, leverage=-3.0)
    assert [word.text for word in worst_words(why)] == ["leverage", "synergy", "paradigm"]
    assert worst_words(None) == marked_words(None, 3) == ()


def test_not_most_words_of_a_sentence_are_marked() -> None:
    assert len(marked_words(judged("alpha beta gamma"), 3)) == 2
    assert len(marked_words(judged("alpha beta gamma delta eta theta iota zeta kappa"), 3)) == 3
    assert marked_words(judged("alpha"), 0) == ()


def test_a_word_counts_with_all_its_places() -> None:
    text = "Value adds value, and ACME’s value’s great"
    why = judged(text, Value=-0.1, value=-0.5, adds=-1.5)
    value, adds, *_ = why.worst_words(10)
    assert (adds.text, value.text) == ("adds", "Value")
    assert [span.slice(text) for span in value.spans] == ["Value", "value", "value’s"]
    assert value.share == pytest.approx(-0.1 - 0.5 - 0.994)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("our best-in-class app", ["best-in-class", "app"]),
        ("1,450 24/7", ["1,450", "24/7"]),
        ("about 1,450 users/clients", ["users/clients"]),
        ("good - bad", ["good", "bad"]),
        ("oats,rye", ["oats", "rye"]),
        ("\ufffc sells “oats”! 🎉 …", ["sells", "oats"]),
        ("e.g. the shoes", ["shoes"]),
    ],
)
def test_what_is_joined_is_a_word_and_marks_are_none(text: str, shown: list[str]) -> None:
    assert worst(judged(text)) == shown


@pytest.mark.parametrize(
    ("brand", "text", "shown"),
    [
        ("oatfolk", "Oatfolk’s empowering OATFOLK", ["empowering"]),
        ("letsencrypt", "Let's Encrypt lets encrypted sites", ["lets", "encrypted", "sites"]),
        ("fly-io", "Fly.io machines fly", ["machines", "fly"]),
        ("varnholt-pumps", "Varnholt’s pumps by VARNHOLT Pumps", ["pumps"]),
        ("avoid: hype, corporate", "hype corporate", ["hype", "corporate"]),
        ("acme", "Acme!", []),
    ],
)
def test_the_brand_s_own_name_is_no_reason(brand: str, text: str, shown: list[str]) -> None:
    assert worst(judged(text, brand=brand)) == shown


def test_function_words_speak_only_where_no_other_word_does() -> None:
    assert worst(judged("we offer it", we=-5.0, offer=-0.2)) == ["offer"]
    assert worst(judged("we offer it", we=-5.0, offer=0.2)) == ["we", "it"]
    assert worst(judged("don't offer it", offer=0.2, it=0.1)) == ["don't"]


def test_figures_speak_only_where_no_other_word_does() -> None:
    assert worst(judged("bake 15-30 min", **{"15": -5.0, "30": -5.0})) == ["bake", "min"]
    assert worst(judged("C M.H bake", C=-5.0)) == ["bake"]
    assert worst(judged("from 15-30", **{"15": -0.2, "30": 0.1})) == ["15-30", "from"]


def test_faint_words_are_shown_only_where_there_are_no_others() -> None:
    assert worst(judged("synergy adds value", synergy=-0.1, value=-0.3, adds=-0.1)) == ["value"]
    assert worst(judged("synergy adds", synergy=-0.1, adds=-0.12)) == ["adds", "synergy"]


def test_words_of_both_sides() -> None:
    against, in_favour = both_sides(
        judged("the dear shop sells synergy", dear=2.0, the=3.0, shop=1.0)
    )
    assert [word.text for word in against] == ["sells", "synergy"]
    assert [word.text for word in in_favour] == ["dear", "shop"]
    many = judged(" ".join(f"w{i}" for i in range(9)))
    assert [len(side) for side in both_sides(many)] == [MAX_WORDS_PER_SIDE, 0]


def test_the_strongest_words_are_of_either_side() -> None:
    shares = {f"w{i}": (-1) ** i * i / 10 for i in range(12)}
    found = strongest_words(judged(" ".join(shares), **shares))
    assert [word.text for word in found] == [f"w{i}" for i in range(11, 3, -1)]
    assert len(found) == MAX_TABLE_WORDS


@pytest.mark.parametrize("face", FACES)
def test_no_face_chooses_words_by_itself(face: str) -> None:
    files = sorted((Path(__file__).parents[2] / face).rglob("*.py"))
    assert files
    chooses = re.compile(r"\.worst_words\(|sorted\([^)\n]*\.words\b")
    assert [file.name for file in files if chooses.search(file.read_text())] == []
