"""Training a voice from labelled lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onbrand import Encoder, Scorer
from onbrand.labels.files import LabelLine, read_labels
from onbrand.progress import ProgressEvent
from onbrand.training.train import train_voice
from onbrand.voice.model import Voice
from onbrand.voice.storage import load_voice
from onbrand_cli.demo import brand_files

BRAND = "varnholt-pumps"


@pytest.fixture(scope="module")
def lines() -> list[LabelLine]:
    return [line for line in read_labels(brand_files()) if line.brand == BRAND]


@pytest.fixture(scope="module")
def voice(lines: list[LabelLine], encoder: Encoder) -> Voice:
    return train_voice(BRAND, lines, encoder)


def test_the_same_labels_give_the_same_voice(
    voice: Voice, lines: list[LabelLine], encoder: Encoder
) -> None:
    told: list[ProgressEvent] = []
    again = train_voice(BRAND, lines, encoder, progress=told.append)
    np.testing.assert_array_equal(voice.head.weights, again.head.weights)
    assert replace_time(voice) == replace_time(again)
    shares = [event.share for event in told]
    assert shares == sorted(shares)
    assert (len(told) > 5, shares[-1]) == (True, 1.0)


def replace_time(voice: Voice) -> object:
    import msgspec

    return msgspec.structs.replace(voice.manifest, created="")


def test_the_report_beats_a_bag_of_words_and_says_how_it_was_held_out(voice: Voice) -> None:
    report = voice.manifest.report
    assert report.held_out.accuracy > report.baseline.accuracy
    assert report.grouped
    assert report.folds > 2
    assert voice.manifest.labels.on == voice.manifest.labels.off == 80


def test_no_more_than_the_budget_of_on_brand_lines_is_flagged(
    lines: list[LabelLine], encoder: Encoder
) -> None:
    strict = train_voice(BRAND, lines, encoder, alarm_budget=0.0)
    loose = train_voice(BRAND, lines, encoder, alarm_budget=0.3)
    assert strict.manifest.threshold < loose.manifest.threshold <= 0.35


def test_swapped_labels_turn_the_voice_around(
    voice: Voice, lines: list[LabelLine], encoder: Encoder
) -> None:
    swapped = [replace(line, label="off" if line.label == "on" else "on") for line in lines]
    opposite = train_voice(BRAND, swapped, encoder)
    texts = [line.text for line in lines]
    ours = Scorer(encoder, [voice]).score(texts)[:, 0]
    theirs = Scorer(encoder, [opposite]).score(texts)[:, 0]
    assert np.corrcoef(ours, theirs)[0, 1] < -0.9


def test_random_labels_teach_nothing(lines: list[LabelLine], encoder: Encoder) -> None:
    random = np.random.default_rng(3)
    guesses = random.permutation([line.label for line in lines])
    noise = [replace(line, label=str(g)) for line, g in zip(lines, guesses, strict=True)]
    held_out = train_voice(BRAND, noise, encoder).manifest.report.held_out
    assert held_out.accuracy < 0.65
    # And it does not claim otherwise; only the registers, which no label teaches, hold a few lines
    # to read unlike the rest.
    assert held_out.log_loss < 0.9


def test_ten_lines_of_each_class_are_enough_to_get_a_voice(
    lines: list[LabelLine], encoder: Encoder
) -> None:
    few = [line for line in lines if line.label == "on"][:10]
    few += [line for line in lines if line.label == "off"][:10]
    small = train_voice(BRAND, [replace(line, doc=None) for line in few], encoder)
    assert not small.manifest.report.grouped
    assert 0.0 <= small.manifest.threshold <= 0.35


def test_texts_can_be_left_out(lines: list[LabelLine], encoder: Encoder) -> None:
    private = train_voice(BRAND, lines, encoder, keep_texts=False)
    assert private.examples.texts == ()
    why = Scorer(encoder, [private]).explain("Tighten the bolts to 40 Nm.", BRAND)
    assert why.nearest_on is None
    assert why.centroid_similarity is not None


def test_other_languages_and_debris_are_not_judged(example_voices: Path) -> None:
    scorer = Scorer.load(example_voices / BRAND)
    text = (
        "Tighten the six bolts crosswise to 40 Nm before you start the pump.\n\n"
        "Unsere Pumpen laufen seit zwanzig Jahren ohne Störung, und das soll auch so bleiben.\n\n"
        "Nous avons lancé une carte pour les indépendants, et elle ne coûte rien.\n\n"
        "asdkj qwlek zxmcn qpwoe lskdj zmxnc alskd qpwie\n\nYes.\n"
    )
    good, german, french, debris, short = scorer.check(text, path="draft.md").sentences
    assert good.not_judged is None
    assert german.not_judged == french.not_judged == debris.not_judged == "unfamiliar text"
    assert short.not_judged == "too short"
    assert not german.flagged and german.probability is None


@pytest.mark.parametrize(
    "jargon",
    [
        "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes.",
        "OMG this is literally the best thing ever, you guys!!!",
        "The Parties hereto agree to indemnify the Licensor from any claims arising hereunder.",
    ],
)
def test_english_in_any_voice_is_judged(example_voices: Path, jargon: str) -> None:
    scorer = Scorer.load(example_voices)
    for brand in scorer.brands:
        (sentence,) = scorer.check(jargon, brand=brand, path="draft.txt").sentences
        assert sentence.not_judged is None


def test_few_words_are_little_evidence(example_voices: Path) -> None:
    short = load_voice(example_voices / BRAND).manifest.short
    assert 0.0 <= short.slope < 1.0
    assert short.factor(4) == pytest.approx(short.slope)
    assert short.factor(12) == short.factor(80) == 1.0
    assert short.factor(4) <= short.factor(7) <= short.factor(11)
