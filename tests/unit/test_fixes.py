"""Edits that lift a sentence over its threshold, and what they must leave alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest

from onbrand.document.positions import Span
from onbrand.fixes import Edit, apply_edits, find_fixes, score_fixes
from onbrand.fixes.edits import Brand, is_good, propose
from onbrand.fixes.grammar import article_for, inflect, pluralise, survives, tokens_of
from onbrand.fixes.lexicon import load_lexicon
from onbrand.fixes.rewriters import Rewriters
from onbrand.results import SentenceVerdict
from onbrand.scorer import Scorer

PLAIN = Brand(lambda _word: False, contracts=None, exclaims=True)
SHORT = Brand(lambda _word: True, contracts=True, exclaims=False)
LONG = Brand(lambda _word: True, contracts=False, exclaims=True)


def made(text: str, brand: Brand = PLAIN) -> set[str]:
    return {apply_edits(text, change) for change in propose(text, brand)}


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("She utilises it daily.", "She uses it daily."),
        ("It was utilized twice.", "It was used twice."),
        ("Utilize the side door.", "Use the side door."),
        ("Start by utilizing the side door.", "Start by using the side door."),
        ("Wait here prior to boarding.", "Wait here before boarding."),
        ("Call an individual for help.", "Call a person for help."),
        ("Pay a subsequent instalment.", "Pay a next instalment."),
        ("It is a unique offer for you.", "It is an offer for you."),
        ("Meet our truly remarkable team today.", "Meet our team today."),
        ("We sell a bold and exciting menu here.", "We sell a menu here."),
        ("Please note that the door is shut.", "The door is shut."),
        ("Additionally, the door is shut.", "The door is shut."),
        ("It, of course, is shut by noon.", "It is shut by noon."),
        ("It enables our customers to pay late.", "It lets our customers pay late."),
        (
            "The tenant shall pay, and the guest shall wait.",
            "The tenant will pay, and the guest will wait.",
        ),
        ("It imports them seamlessly.", "It imports them."),
        ("Getting Started With Tea", "Get Started With Tea"),
    ],
)  # fmt: skip
def test_what_may_be_said_otherwise(text: str, fixed: str) -> None:
    assert fixed in made(text)


@pytest.mark.parametrize(
    "text",
    [
        "The purchase was a mistake.",  # a noun
        "It is amazing how it works.",  # not before a noun
        "They did it in a meaningful way here.",  # an empty noun
        "It is not very warm here.",  # the sense would change
        "Ask for Seamless Transit at the desk.",  # a name
        'She said "utilize the door" twice.',  # a quotation
        "See https://example.com/utilize/prior-to today.",  # a link
        "Run \ufffc prior-art twice.",  # code
        "It happened so very quickly that day.",
    ],
)
def test_what_stays(text: str) -> None:
    assert not {t for t in made(text) if t != text.replace("meaningful", "useful")} - {
        text.replace("meaningful", "real")
    }


def test_contractions_and_exclamation_marks_go_the_way_of_the_brand() -> None:
    assert "It's open and we're glad!" in made("It is open and we are glad!", SHORT)
    assert "It is open and we are glad." in made("It is open and we are glad!", SHORT)
    assert "We are glad that you are here." in made("We're glad that you're here.", LONG)
    assert made("It is open and we are glad!") == set()
    assert "Here it's." not in made("Here it is.", SHORT)


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("You will be able to make a decision today.", "You will be able to decide today."),
        ("For the avoidance of doubt, the door is shut.", "The door is shut."),
        ("It bakes at such time as we say.", None),
    ],
)
def test_only_good_english_is_proposed(text: str, fixed: str | None) -> None:
    if fixed is None:
        assert made(text) == set()
    else:
        assert fixed in made(text)


def test_emojis_and_a_dash_go_where_the_brand_has_none() -> None:
    bare = PLAIN._replace(emojis=False, dashes=False)
    assert "The tram is late!" in made("The tram 🚀 is late✨!", bare)
    assert "The tram is late." in made("🎉 The tram is late.", bare)
    assert "The tram is late, but clean." in made("The tram is late – but clean.", bare)
    assert made("The tram is late – it is clean.", bare) == set()
    assert made("🎉 The tram is late – but clean.") == set()


def test_irregular_verbs() -> None:
    assert inflect("break", "past") == "broke"
    assert inflect("equip with", "past") == "equipped with"
    assert inflect("hold", "participle") == "held"


def test_every_entry_of_the_lexicon_changes_something_in_plain_words() -> None:
    lexicon = load_lexicon()
    for entries in lexicon._entries.values():
        for entry in entries:
            source = " ".join(entry.source)

            assert source not in entry.targets, source
            for target in entry.targets:
                assert target == " ".join(target.split()), source
                assert target.count("{") == (source.count("{") if target else 0), source


def test_words_are_inflected() -> None:
    forms = [inflect("try to", form) for form in ("base", "s", "past", "participle", "ing")]
    assert forms == ["try to", "tries to", "tried to", "tried to", "trying to"]
    assert [inflect(v, "ing") for v in ("see", "stop", "use", "cut")] == [
        "seeing", "stopping", "using", "cutting"
    ]  # fmt: skip
    assert [inflect("begin", form) for form in ("past", "participle")] == ["began", "begun"]
    assert [*map(pluralise, ("party", "person", "clash"))] == ["parties", "people", "clashes"]
    words = ("hour", "useful", "uninteresting", "one-off", "apple", "FAQ", "8")
    assert [*map(article_for, words)] == ["an", "a", "an", "a", "an", None, None]


def test_what_must_survive() -> None:
    assert survives("Use Ann's 3 keys.", "Take Ann's 3 keys.")
    assert not survives("Use Ann's 3 keys.", "Use Ann's 4 keys.")
    assert not survives("Use Ann's 3 keys.", "Use the 3 keys.")
    assert not survives("Say “no” here.", "Say “yes” here.")
    assert not is_good("We use it.", "We  use it.")
    assert not is_good("We use it.", "We use an key.")
    assert [t.text for t in tokens_of("It's a bolt-on, Ann.") if t.protected] == ["Ann"]


class Counting(Scorer):
    """Likes short words: P falls with every letter beyond four of a word."""

    def __init__(self, voice: object) -> None:
        self._voice = voice

    def voice(self, brand: str):  # type: ignore[no-untyped-def]
        return self._voice

    def judge(self, texts: Sequence[str], brand: str) -> list[float | None]:
        return [0.9 / (1 + sum(max(0, len(word) - 4) for word in text.split())) for text in texts]

    def explain(self, sentence: str, brand: str):  # type: ignore[no-untyped-def]
        from onbrand.results import Explanation

        return Explanation(-1.0, 0.0, ())


@pytest.fixture
def scorer() -> Counting:
    from lsp_samples import voice

    return Counting(voice("acme"))


def flagged(text: str, scorer: Counting, threshold: float) -> SentenceVerdict:
    (p,) = scorer.judge([text], "acme")
    return SentenceVerdict(Span(0, len(text)), 1, 1, text, "acme", p, True, threshold)


def test_only_what_lifts_is_offered_and_one_change_before_two(scorer: Counting) -> None:
    text = "We utilize it prior to tea."
    one = find_fixes(scorer, flagged(text, scorer, 0.15))
    assert one[0].text == "We use it prior to tea."
    text = "We utilize keys at noon and we facilitate tea."
    (both,) = find_fixes(scorer, flagged(text, scorer, 0.4))
    assert both.text == "We use keys at noon and we help with tea."
    assert len(both.edits) == 2
    assert both.probability >= 0.4
    assert find_fixes(scorer, flagged(text, scorer, 0.99)) == ()


def test_a_candidate_that_loses_a_figure_is_not_scored(scorer: Counting) -> None:
    text = "We utilize 12 keys today."
    lost = (Edit(Span(11, 14), ""),)
    assert score_fixes(scorer, flagged(text, scorer, 0.1), [lost]) == [None]


def test_a_rewriter_is_scored_as_everybody_is(
    scorer: Counting, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("onbrand.fixes.rewriters")
    monkeypatch.setattr(log, "handlers", [caplog.handler])  # whatever the server's log does
    monkeypatch.setattr(log, "disabled", False)
    monkeypatch.setattr(log, "propagate", False)
    asked: list[tuple[str, str, tuple[str, ...]]] = []
    forever = threading.Event()

    def toy(text: str, brand: str, reasons: Sequence[str]) -> list[str]:
        asked.append((text, brand, tuple(reasons)))
        return [
            "We use 12 keys now.",
            "We use 13 keys now.",  # another figure
            "We incorporate 12 keys altogether.",  # no better
            text,
        ]

    def broken(text: str, brand: str, reasons: Sequence[str]) -> list[str]:
        raise ValueError(text)

    def slow(text: str, brand: str, reasons: Sequence[str]) -> list[str]:
        forever.wait()
        return []

    text = "We utilize 12 keys today."
    rewriters = Rewriters({"toy": toy, "broken": broken})
    with caplog.at_level(logging.WARNING, log.name):
        fixes = rewriters.find_fixes(scorer, flagged(text, scorer, 0.5), timeout=60)
        rewriters.find_fixes(scorer, flagged(text, scorer, 0.5), timeout=60)
        late = Rewriters({"slow": slow})
        for _ in range(2):
            assert not late.find_fixes(scorer, flagged(text, scorer, 0.5), timeout=0.01)
    forever.set()
    assert [(fix.text, fix.source) for fix in fixes] == [("We use 12 keys now.", "toy")]
    assert apply_edits(text, fixes[0].edits) == fixes[0].text
    assert asked == [(text, "acme", ())] * 2
    said = [record.getMessage() for record in caplog.records]
    assert said.count("rewriter broken failed: ValueError") == 2
    assert sum("slow failed: took longer" in line for line in said) == 1
    assert not any("keys" in line for line in said)
