"""The shares of the words add up to the logit, for any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onbrand import Scorer

TEXTS = st.one_of(
    st.text(min_size=1, max_size=120),
    st.lists(
        st.sampled_from(
            ["Oats", "we", "don't", "utilise", "synergies!", "🎉", "naïve", "1,450", "“"]
        ),
        min_size=1,
        max_size=30,
    ).map(" ".join),
)


@pytest.fixture(scope="module")
def scorer(example_voices: Path) -> Scorer:
    return Scorer.load(example_voices, threads=1)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXTS)
def test_shares_and_base_add_up_to_the_logit_that_was_scored(scorer: Scorer, text: str) -> None:
    tidy = " ".join(text.split())
    logits = scorer.bank.logits(scorer.encoder.encode([tidy]), [tidy])[0]
    for brand, logit in zip(scorer.brands, logits, strict=True):
        why = scorer.explain(text, brand)
        total = why.base + sum(word.share for word in why.words)
        assert total == pytest.approx(float(logit), abs=1e-4)
        assert why.logit == pytest.approx(total, abs=1e-6)
        # Every character that is no white space belongs to one word.
        covered = "".join(word.span.slice(tidy) for word in why.words)
        assert covered == "".join(tidy.split())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_one_brand_and_many_give_the_same_probability(scorer: Scorer, texts: list[str]) -> None:
    together = scorer.score(texts)
    assert together.shape == (len(texts), len(scorer.brands))
    for column, voice in enumerate(scorer.bank.voices):
        alone = Scorer(scorer.encoder, [voice]).score(texts)[:, 0]
        assert together[:, column] == pytest.approx(alone, abs=1e-5)
