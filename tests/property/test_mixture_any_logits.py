"""A draft's mixture for any log-odds of its sentences, in any order and of any size."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onbrand.voice.registers import unmix

LOGITS = st.floats(-1e6, 1e6)
DRAFTS = st.lists(LOGITS | st.floats(-8, 8), max_size=40)


@given(logits=DRAFTS)
def test_the_count_is_one_of_a_part_of_the_draft(logits: list[float]) -> None:
    found = unmix(np.array(logits))
    assert found.foreign.shape == (len(logits),)
    assert np.isfinite(found.foreign).all()
    assert ((found.foreign >= 0) & (found.foreign <= 1)).all()
    assert 0 <= found.count <= len(logits)
    assert 0 <= found.share <= 1


@given(logits=st.lists(LOGITS | st.floats(-8, 8), min_size=1, max_size=20), data=st.data())
def test_a_worse_sentence_makes_none_less_foreign(logits: list[float], data: st.DataObject) -> None:
    before = unmix(np.array(logits)).foreign
    at = data.draw(st.integers(0, len(logits) - 1))
    logits[at] -= data.draw(st.floats(0, 1e6))
    after = unmix(np.array(logits)).foreign
    assert (after >= before - 1e-7).all()


@given(logits=DRAFTS, random=st.randoms(use_true_random=False))
def test_the_order_is_no_matter(logits: list[float], random: Random) -> None:
    order = list(range(len(logits)))
    random.shuffle(order)
    straight = unmix(np.array(logits)).foreign
    shuffled = unmix(np.array([logits[i] for i in order])).foreign
    assert shuffled == pytest.approx(straight[order], abs=1e-7)


@given(logits=st.lists(st.floats(-8, 8), min_size=1, max_size=40))
def test_the_less_likely_sentence_is_the_more_foreign(logits: list[float]) -> None:
    foreign = unmix(np.array(sorted(logits))).foreign
    assert (np.diff(foreign) <= 1e-12).all()
