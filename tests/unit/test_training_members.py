"""Members of a voice: anything that answers linearly can join one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from onbrand import Encoder, Scorer
from onbrand.labels.files import LabelLine, read_labels
from onbrand.training.ensemble import DenseMember, HeadBuilder, LexicalMember, Lines
from onbrand.training.train import train_voice
from onbrand.voice.lexical import Vocabulary
from onbrand.voice.model import Voice
from onbrand_cli.demo import brand_files

BRAND = "varnholt-pumps"
SENTENCE = "Tighten the six bolts crosswise to 40 Nm, and you will love it!"
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class MeansMember:
    """The nearer of the two classes' means, on raw vectors; ``sign`` -1 makes it mislead."""

    name: str = "means"
    candidates: int = 1
    min_gain: float | None = None
    sign: float = 1.0

    def direction(self, lines: Lines, rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], float]:
        vectors, on = lines.vectors[rows].astype(np.float64), lines.on[rows]
        own, other = vectors[on].mean(axis=0), vectors[~on].mean(axis=0)
        weights = self.sign * 20 * (own - other)
        return weights, -float(weights @ (own + other)) / 2

    def held_out(self, lines: Lines, train: NDArray[np.intp], held: NDArray[np.intp]) -> Pair:
        weights, bias = self.direction(lines, train)
        whole, short = (v[held] @ weights + bias for v in (lines.vectors, lines.short_vectors))
        return whole[:, None], short[:, None]

    def fit_into(self, lines: Lines, candidate: int, share: float, into: HeadBuilder) -> None:
        assert candidate == 0
        weights, bias = self.direction(lines, np.arange(len(lines.on)))
        into.add(share * weights, share * bias)


@pytest.fixture(scope="module")
def few() -> list[LabelLine]:
    lines = [line for line in read_labels(brand_files()) if line.brand == BRAND]
    return [line for label in ("on", "off") for line in lines if line.label == label][::4]


@pytest.fixture(scope="module")
def plain(few: list[LabelLine], encoder: Encoder) -> Voice:
    return train_voice(BRAND, few, encoder)


def test_a_new_member_joins_a_voice_and_shares_stay_exact(
    plain: Voice, few: list[LabelLine], encoder: Encoder
) -> None:
    voice = train_voice(BRAND, few, encoder, extra_members=[MeansMember()])
    assert "means" not in plain.manifest.report.weights
    assert voice.manifest.report.weights["means"] > 0
    assert not np.array_equal(voice.head.weights, plain.head.weights)
    scorer = Scorer(encoder, [voice])
    why = scorer.explain(SENTENCE, BRAND)
    p = float(scorer.score([SENTENCE])[0, 0])
    assert why.base + sum(word.share for word in why.words) == pytest.approx(why.logit)
    assert why.logit == pytest.approx(np.log(p / (1 - p)), abs=1e-3)


def test_a_member_that_does_not_earn_its_place_leaves_no_trace(
    plain: Voice, few: list[LabelLine], encoder: Encoder
) -> None:
    misleading = MeansMember("misleading", min_gain=0.002, sign=-1.0)
    voice = train_voice(BRAND, few, encoder, extra_members=[misleading])
    assert voice.manifest.report.weights == plain.manifest.report.weights
    np.testing.assert_array_equal(voice.head.weights, plain.head.weights)
    assert voice.head.bias == plain.head.bias


def test_what_members_add_is_one_head(few: list[LabelLine]) -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    mean = vectors.mean(axis=0)
    total = HeadBuilder(3, 0.5)
    total.add(np.array([1.0, 2.0, 3.0]), 0.25, mean)
    total.add(np.array([0.0, -2.0, 1.0]), -1.0)
    total.add_terms(Vocabulary(("wone",), np.ones(1, np.float32)), np.array([0.7]), 0.125)
    head = total.head(mean)
    wanted = 0.5 + (vectors - mean) @ [1, 2, 3] + 0.25 + vectors @ [0, -2, 1] - 1.0 + 0.125
    assert vectors @ head.weights + head.bias == pytest.approx(wanted, abs=1e-5)
    assert head.term_weights.tolist() == pytest.approx([0.7])
    with pytest.raises(ValueError, match="only one member"):
        total.add_terms(head.vocabulary, np.array([1.0]), 0.0)


def test_members_do_not_look_at_held_out_lines(few: list[LabelLine], encoder: Encoder) -> None:
    from onbrand.training.logistic import TermMatrix

    texts = [line.text for line in few]
    vectors = encoder.encode(texts)
    on = np.array([line.label == "on" for line in few])
    held = np.arange(0, len(on), 5)
    train = np.setdiff1d(np.arange(len(on)), held)

    def answers(labels: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
        terms = TermMatrix.count([*texts, *texts])
        lines = Lines(texts, labels, [None] * len(texts), vectors, vectors, terms)
        members = DenseMember(), LexicalMember()
        return [said for m in members for said in m.held_out(lines, train, held)]

    turned = on.copy()
    turned[held] = ~turned[held]
    for before, after, candidates in zip(answers(on), answers(turned), (3, 3, 1, 1), strict=True):
        assert before.shape == (len(held), candidates)
        np.testing.assert_array_equal(before, after)
