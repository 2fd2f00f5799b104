"""Encoders and heads of other kinds: one class each, and voices train and explain with it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from onbrand import Scorer
from onbrand.encoder import SentenceEncoder, TokenParts
from onbrand.labels.files import LabelLine, read_labels
from onbrand.training.train import train_voice
from onbrand.voice.lexical import Vocabulary, word_spans
from onbrand.voice.model import Voice
from onbrand.voice.storage import load_voice, save_voice
from onbrand_cli.demo import brand_files

BRAND = "varnholt-pumps"
SENTENCE = "Tighten the six bolts crosswise to 40 Nm, and you will love it!"


class HashedWords(SentenceEncoder):
    """Static word vectors: the bits of each word's hash, and the sentence is their sum."""

    name, fingerprint, dim = "hashed-words", "hashed-words-1", 64

    def encode(self, texts: Sequence[str], **_: object) -> NDArray[np.float32]:
        return np.stack([parts.parts.sum(axis=0) for parts in self.encode_tokens(texts)])

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenParts]:
        return [self._tokens(text) for text in texts]

    def _tokens(self, text: str) -> TokenParts:
        spans = word_spans(text)
        seeds = [zlib.crc32(span.slice(text).lower().encode()) for span in spans]
        rows = [np.random.default_rng(seed).normal(size=self.dim) for seed in seeds]
        parts = np.array(rows, np.float32).reshape(-1, self.dim) / max(1, len(rows)) ** 0.5
        return TokenParts(np.array(spans, np.int32).reshape(-1, 2), parts)


class NearerMeanHead:
    """The nearer of two means says whose a sentence is: linear, as a `Head` has to be."""

    vocabulary, term_weights = Vocabulary((), np.zeros(0, np.float32)), np.zeros(0, np.float32)

    def __init__(self, own: NDArray[np.float32], other: NDArray[np.float32]) -> None:
        self.weights = 2 * (own - other)
        self.mean = (own + other) / 2
        self.bias = -float(self.weights @ self.mean)


@pytest.fixture(scope="module")
def lines() -> list[LabelLine]:
    return [line for line in read_labels(brand_files()) if line.brand == BRAND]


@pytest.fixture(scope="module")
def voice(lines: list[LabelLine]) -> Voice:
    return train_voice(BRAND, lines[::4], HashedWords())


def check_shares(scorer: Scorer) -> None:
    why = scorer.explain(SENTENCE, BRAND)
    p = float(scorer.score([SENTENCE])[0, 0])
    assert why.base + sum(word.share for word in why.words) == pytest.approx(why.logit)
    assert why.logit == pytest.approx(np.log(p / (1 - p)), abs=1e-3)
    assert len({word.share for word in why.words}) > 5


def test_an_encoder_of_another_kind_trains_and_checks(
    voice: Voice, lines: list[LabelLine], tmp_path: Path
) -> None:
    save_voice(voice, tmp_path / BRAND)
    scorer = Scorer(HashedWords(), [load_voice(tmp_path / BRAND)])
    on, off = (
        scorer.score([line.text for line in lines[1::4] if line.label == label])
        for label in ("on", "off")
    )
    assert np.median(on) > 0.7 > 0.4 > np.median(off)
    report = scorer.check(f"{SENTENCE} Check the oil level daily.", brand=BRAND)
    assert report.probability is not None
    assert len(report.sentences) == 2
    check_shares(scorer)


def test_a_head_of_another_kind_judges_explains_and_is_stored(
    voice: Voice, lines: list[LabelLine], tmp_path: Path
) -> None:
    encoder = HashedWords()
    own, other = (
        encoder.encode([line.text for line in lines if line.label == label]).mean(axis=0)
        for label in ("on", "off")
    )
    scorer = Scorer(encoder, [replace(voice, head=NearerMeanHead(own, other))])
    vector = encoder.encode([SENTENCE])[0]
    nearer = np.sum((vector - other) ** 2) - np.sum((vector - own) ** 2)
    assert scorer.explain(SENTENCE, BRAND).logit == pytest.approx(nearer, abs=1e-4)
    check_shares(scorer)
    save_voice(scorer.voice(BRAND), tmp_path / BRAND)
    again = Scorer(encoder, [load_voice(tmp_path / BRAND)])
    np.testing.assert_allclose(again.score([SENTENCE]), scorer.score([SENTENCE]), atol=1e-6)
