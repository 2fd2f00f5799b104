"""A scorer that remembers works on changed sentences only, and says what a forgetful one says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from onbrand import scorer as judge
from onbrand.document.document import parse
from onbrand.encoder import Encoder
from onbrand.errors import Cancelled, OnbrandError
from onbrand.labels.normalization import text_key
from onbrand.results import Report
from onbrand.scorer import Scorer, draft_probability
from onbrand.voice.model import Voice
from onbrand.voice.storage import load_voices

OFF_BRAND = "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes."
OTHER = "Utilisation of the aforementioned documentation is hereby strictly mandated by us."
ON_BRAND = "We put oats in a carton so that you can pour them on your cereal."
DRAFT = f"# Oats\n\n{ON_BRAND} Fine.\n\n{OFF_BRAND} {ON_BRAND}\n"


class Watched(Encoder):
    """An encoder without a memory of its own that notes the sentences it is asked for."""

    encoded: list[str]
    split: list[str]

    def encode(self, texts: Any, **options: Any) -> Any:
        self.encoded += texts
        return super().encode(texts, **options)

    def encode_tokens(self, texts: Any) -> Any:
        self.split += texts
        return super().encode_tokens(texts)

    def work(self) -> tuple[list[str], list[str]]:
        """Return what was asked for since the last time: vectors, vectors of tokens."""
        done = self.encoded, self.split
        self.encoded, self.split = [], []
        return done


@pytest.fixture(scope="module")
def voices(example_voices: Path) -> list[Voice]:
    return load_voices([example_voices])


@pytest.fixture
def watched() -> Watched:
    encoder = Watched.load(cache_size=0)
    encoder.encoded, encoder.split = [], []
    return encoder


@pytest.fixture
def scorer(watched: Watched, voices: list[Voice]) -> Scorer:
    return Scorer(watched, voices, remember=100)


def check(scorer: Scorer, text: str, **options: Any) -> Report:
    options = {"brand": "oatfolk"} | options
    return scorer.check_document(parse(text), path="a.md", **options)


def test_only_a_changed_sentence_is_worked_on(scorer: Scorer, watched: Watched) -> None:
    check(scorer, DRAFT)
    encoded, split = watched.work()
    assert encoded == ["Oats", ON_BRAND, "Fine.", OFF_BRAND]
    assert OFF_BRAND in split
    check(scorer, DRAFT)
    assert watched.work() == ([], [])
    check(
        scorer, "A new line on top of all the others.\n\n" + DRAFT.replace("Fine.", "Not so fine.")
    )
    encoded, split = watched.work()
    assert encoded == ["A new line on top of all the others.", "Not so fine."]
    assert OFF_BRAND not in split


def test_a_sentence_that_moved_is_explained_where_it_stands(scorer: Scorer) -> None:
    before = check(scorer, DRAFT)
    moved = "Hello there, *dear* carton.\n\n" + DRAFT.replace(
        OFF_BRAND, OFF_BRAND[:4] + "**" + OFF_BRAND[4:16] + "**" + OFF_BRAND[16:]
    )
    after = check(scorer, moved)
    for source, report in ((DRAFT, before), (moved, after)):
        (flagged,) = [one for one in report.flagged if one.text == OFF_BRAND]
        assert flagged.explanation is not None
        assert [word.span.slice(source) for word in flagged.explanation.words] == [
            word.text for word in flagged.explanation.words
        ]


def test_without_memory_everything_is_worked_on_again(
    watched: Watched, voices: list[Voice]
) -> None:
    scorer = Scorer(watched, voices)
    first = check(scorer, DRAFT), watched.work()
    assert (check(scorer, DRAFT), watched.work()) == first


def test_the_sentences_unused_for_longest_are_forgotten(
    watched: Watched, voices: list[Voice]
) -> None:
    scorer = Scorer(watched, voices, remember=2)
    for text in ("One two three.", "Four five six.", "One two three.", "Seven eight nine."):
        scorer.score([text])
    watched.work()
    scorer.score(["One two three.", "Seven eight nine."])
    assert watched.work() == ([], [])
    scorer.score(["Four five six."])
    assert watched.work() == (["Four five six."], [])


def test_a_new_scorer_knows_nothing(watched: Watched, voices: list[Voice]) -> None:
    check(Scorer(watched, voices, remember=100), DRAFT)
    watched.work()
    check(Scorer(watched, voices, remember=100), DRAFT)
    assert len(watched.work()[0]) == 4


def test_what_was_judged_before_a_cancellation_is_kept(
    scorer: Scorer, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "CHUNK", 2)
    chunks = iter([False, True])
    with pytest.raises(Cancelled):
        check(scorer, DRAFT, cancelled=lambda: next(chunks))
    watched.work()
    check(scorer, DRAFT)
    assert len(watched.work()[0]) == 2


def test_progress_counts_what_is_known_and_ends_with_all(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "CHUNK", 2)
    scorer.score([ON_BRAND])
    told: list[float] = []
    check(scorer, DRAFT, progress=lambda event: told.append(event.done))
    assert told == sorted(told)
    assert (told[0] > 2, told[-1]) == (True, 5)


def test_threads_share_a_scorer(scorer: Scorer) -> None:
    drafts = [DRAFT, DRAFT.replace("Fine.", "Not so fine."), OTHER, DRAFT + OTHER] * 4
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda draft: check(scorer, draft), drafts))
    for draft, report in zip(drafts, together, strict=True):
        alone = check(scorer, draft)
        # Two threads that judge one sentence at once may differ in the last bits.
        assert report.probability == pytest.approx(alone.probability, abs=1e-4)
        assert [one.text for one in report.flagged] == [one.text for one in alone.flagged]


def test_ignored_sentences_are_not_flagged_and_still_count(scorer: Scorer) -> None:
    flagged = check(scorer, DRAFT)
    ignored = check(scorer, DRAFT, ignored={text_key(OFF_BRAND.replace(" ", "  "))})
    assert [one.text for one in flagged.flagged] != []
    assert OFF_BRAND not in [one.text for one in ignored.flagged]
    assert ignored.probability == flagged.probability
    assert [one.probability for one in ignored.sentences] == [
        one.probability for one in flagged.sentences
    ]


STRANGER = f"{ON_BRAND}\n\n<!-- onbrand brand=quilpot -->\n\n{OFF_BRAND} {OTHER}\n"


def test_a_strange_brand_in_a_comment_is_an_error(scorer: Scorer) -> None:
    with pytest.raises(OnbrandError, match="did you mean 'quillpot'"):
        check(scorer, STRANGER, brand=None, default_brand="oatfolk")


def test_a_lenient_check_judges_the_rest(scorer: Scorer) -> None:
    report = check(scorer, STRANGER, brand=None, default_brand="oatfolk", lenient=True)
    own, *others = report.sentences
    assert own.probability is not None
    assert {one.not_judged for one in others} == {"no voice for brand 'quilpot'"}
    assert [(one.brand, one.probability, one.flagged) for one in others] == [
        ("quilpot", None, False)
    ] * 2
    assert report.probability == check(scorer, ON_BRAND).probability
    (warning,) = report.warnings
    assert warning.startswith("line 5: no voice for brand 'quilpot'; did you mean 'quillpot'?")


def test_a_lenient_check_needs_a_voice_for_the_draft(scorer: Scorer) -> None:
    with pytest.raises(OnbrandError, match="no voice for brand 'quilpot'"):
        check(scorer, DRAFT, brand="quilpot", lenient=True)


def test_probabilities_of_all_brands(scorer: Scorer, watched: Watched) -> None:
    check(scorer, DRAFT)
    watched.work()
    asked = scorer.probabilities(f" {OFF_BRAND}\n")
    assert watched.work() == ([], [])
    assert list(asked) == list(scorer.brands)
    for brand, p in asked.items():
        (verdict,) = check(scorer, OFF_BRAND, brand=brand).sentences
        assert verdict.probability == p


def test_explanations_are_remembered_by_brand(scorer: Scorer, watched: Watched) -> None:
    first = scorer.explain(OFF_BRAND, "oatfolk")
    assert scorer.explain(f"  {OFF_BRAND} ", "oatfolk") is first
    assert scorer.explain(OFF_BRAND, "quillpot") != first
    assert watched.work() == ([], [OFF_BRAND, OFF_BRAND])


def test_nearest_lines(scorer: Scorer) -> None:
    lines = scorer.nearest(ON_BRAND, "oatfolk", 5)
    assert len({line.text for line in lines}) == 5
    assert {line.label for line in lines} == {"on"}
    similarities = [line.similarity for line in lines]
    assert similarities == sorted(similarities, reverse=True)
    closest = scorer.explain(ON_BRAND, "oatfolk").nearest_on
    assert closest is not None
    assert (lines[0].text, lines[0].source) == (closest.text, closest.source)
    itself = scorer.nearest(lines[3].text, "oatfolk", 1)
    assert [line.text for line in itself] == [lines[3].text]
    assert len(scorer.nearest(ON_BRAND, "oatfolk")) == 3


def test_the_probability_of_a_part(scorer: Scorer) -> None:
    report = check(scorer, DRAFT)
    voice = scorer.voice("oatfolk")
    assert draft_probability(voice, report.sentences) == report.probability
    good, bad = (
        draft_probability(voice, [one for one in report.sentences if one.text == text])
        for text in (ON_BRAND, OFF_BRAND)
    )
    assert good is not None
    assert bad is not None
    assert good > 0.5 > bad
    assert draft_probability(voice, [one for one in report.sentences if one.not_judged]) is None
    assert draft_probability(voice, []) is None
