"""How many sentences of a draft are of another voice."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import betaln

from onbrand.voice.registers import PRIOR, unmix


def exactly(logits: list[float]) -> list[float]:
    """The same by going through all ways to be foreign or not, the share integrated out."""
    total, foreign = 0.0, np.zeros(len(logits))
    for which in product([0, 1], repeat=len(logits)):
        k, n = sum(which), len(which)
        prior = np.exp(betaln(PRIOR[0] + k, PRIOR[1] + n - k) - betaln(*PRIOR))
        odds = sum(logit for logit, other in zip(logits, which, strict=True) if not other)
        total += prior * np.exp(odds)
        foreign += np.array(which) * prior * np.exp(odds)
    return list(foreign / total)


@pytest.mark.parametrize(
    "logits", [[0.0], [-5.0], [4.0, -1.0, 2.0], [-5.0] * 6 + [4.0], [3.0] * 9 + [-5.0] * 2]
)
def test_it_is_what_counting_all_ways_gives(logits: list[float]) -> None:
    assert unmix(np.array(logits)).foreign == pytest.approx(exactly(logits), abs=0.01)


def test_three_blatant_sentences_in_thirty_are_three() -> None:
    draft = np.array([3.0] * 27 + [-5.0] * 3)
    found = unmix(draft)
    assert found.count == pytest.approx(3, abs=0.3)
    assert (found.foreign[-3:] > 0.85).all()
    assert (found.foreign[:-3] < 0.02).all()


def test_the_company_counts() -> None:
    """What is about even is the brand's among its own, and not among others'."""
    own, others = (unmix(np.array([-1.0] + [logit] * 20)).foreign[0] for logit in (4.0, -4.0))
    assert own < 0.2
    assert others > 0.7


def test_an_empty_draft() -> None:
    found = unmix(np.zeros(0))
    assert (found.count, found.share, found.foreign.shape) == (0.0, 0.0, (0,))


@pytest.mark.parametrize("logit", [1e6, -1e6])
def test_nothing_overflows(logit: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        found = unmix(np.full(3_000, logit))
    assert found.share == pytest.approx(0.0 if logit > 0 else 1.0, abs=1e-6)
