"""What holds for the vectors of any texts at all."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onbrand.encoder import Encoder

any_text = st.text(st.characters(), max_size=60)
any_texts = st.lists(any_text, min_size=1, max_size=12)
few = settings(max_examples=40, deadline=None)


@functools.cache
def encoder(cache_size: int) -> Encoder:
    return Encoder.load(threads=2, cache_size=cache_size)


@few
@given(any_texts, st.randoms(use_true_random=False))
def test_the_order_of_the_texts_does_not_matter(texts: list[str], random) -> None:
    order = random.sample(range(len(texts)), len(texts))
    straight = encoder(0).encode(texts)
    shuffled = encoder(0).encode([texts[i] for i in order])
    np.testing.assert_allclose(shuffled, straight[order], atol=1e-5)


@few
@given(any_texts, any_texts)
def test_the_cache_cannot_be_seen(before: list[str], texts: list[str]) -> None:
    encoder(16).encode(before)
    np.testing.assert_allclose(encoder(16).encode(texts), encoder(0).encode(texts), atol=1e-5)


@few
@given(any_texts)
def test_token_parts_add_up_to_the_vector(texts: list[str]) -> None:
    vectors = encoder(0).encode(texts)
    for text, vector, tokens in zip(texts, vectors, encoder(0).encode_tokens(texts), strict=True):
        np.testing.assert_allclose(tokens.parts.sum(axis=0), vector, atol=1e-5)
        starts, ends = tokens.spans.T
        assert ((starts >= 0) & (starts <= ends) & (ends <= len(text))).all()
