"""Explanations of a probability: each word's share of the logit, and the nearest examples.

The sentence vector is a sum over tokens and the head is linear, so with the norms held fixed the
logit splits exactly into one share per token and one per n-gram, which is divided among its words.
The rest, which belongs to no word (the intercept, the encoder's special tokens), is the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onbrand.document.positions import Span
from onbrand.encoder import TokenParts
from onbrand.voice.lexical import BLOCKS, sublinear, term_spans, word_spans, words_of
from onbrand.voice.model import Voice, unit
from onbrand.voice.profile import style_deviations
from onbrand.voice.reasons import Example, Explanation, WordShare
from onbrand.voice.registers import Registers


def explain(
    voice: Voice, text: str, tokens: TokenParts, registers: Registers | None = None
) -> Explanation:
    """Explain one sentence by the answer that decides, the head's or a register's.

    Args:
        voice: the brand's voice.
        text: the sentence as it was scored.
        tokens: `SentenceEncoder.encode_tokens` of it.
        registers: those of the encoder, if the voice uses any.
    """
    spans = word_spans(text)
    owner = _word_of_character(text, spans)
    base, shares = _head_shares(voice, text, tokens, owner, len(spans))
    register = None
    vector = tokens.parts.sum(axis=0)
    if registers is not None and (answer := voice.manifest.registers) is not None:
        count = len(words_of(text))
        head = np.array([base + shares.sum()])
        reading = registers.read(
            registers.raw(vector[None]), registers.allowance([count]), answer, head
        )
        if reading.odds[0] < head[0]:
            decides, odds = int(reading.register[0]), float(reading.odds[0])
            register = registers.names[decides]
            # The head still counts, with the weight that the register's answer gives it.
            weights, bias, kept = registers.head(decides, count, answer, odds)
            mean = voice.head.mean
            shares *= kept
            unowned = _add_tokens(shares, owner, weights, mean, tokens)
            base = kept * base + bias + float(mean @ weights) + unowned
    words = tuple(
        WordShare(span, span.slice(text), float(share))
        for span, share in zip(spans, shares, strict=True)
    )
    direction = unit(vector - voice.head.mean)
    cosines = _cosines(voice, direction)
    return Explanation(
        logit=base + float(shares.sum()),
        base=base,
        words=words,
        habits=style_deviations(text, voice.manifest.profile, voice.brand),
        nearest_on=next(iter(_most_alike(voice, cosines, "on", 1)), None),
        nearest_off=next(iter(_most_alike(voice, cosines, "off", 1)), None),
        centroid_similarity=float(direction @ voice.examples.centroid),
        register=register,
        brand=voice.brand,
    )


def _head_shares(
    voice: Voice, text: str, tokens: TokenParts, owner: NDArray[np.int64], words: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the base and each word's share of the log-odds of the brand's own head."""
    head, short = voice.head, voice.manifest.short
    shares = np.zeros(words)
    unowned = _add_tokens(shares, owner, head.weights, head.mean, tokens)
    _add_terms(shares, owner, voice, text)
    base = head.bias + float(head.mean @ head.weights) + unowned
    count = len(words_of(text))
    return base * short.factor(count) + short.offset(count), shares * short.factor(count)


def _word_of_character(text: str, spans: Sequence[Span]) -> NDArray[np.int64]:
    owner = np.full(len(text), -1)
    for word, span in enumerate(spans):
        owner[span.start : span.end] = word
    return owner


def _add_tokens(
    shares: NDArray[np.float64],
    owner: NDArray[np.int64],
    weights: NDArray[np.floating],
    mean: NDArray[np.float32],
    tokens: TokenParts,
) -> float:
    """Add to each word its tokens' part of ``weights . (vector - mean)``.

    An even part of the mean is taken off each token: otherwise every word would carry the large
    component that all text has in common. Returns the part of the tokens that belong to no word.
    """
    per_token = tokens.parts @ weights - float(mean @ weights) / len(tokens.parts)
    unowned = 0.0
    for (start, end), share in zip(tokens.spans, per_token, strict=True):
        word = owner[start] if end > start else -1
        if word >= 0:
            shares[word] += float(share)
        else:
            unowned += float(share)
    return unowned


def _add_terms(
    shares: NDArray[np.float64], owner: NDArray[np.int64], voice: Voice, text: str
) -> None:
    """Add each n-gram's part of the logit to the words it covers, evenly by character."""
    vocabulary = voice.head.vocabulary
    if not vocabulary.terms:
        return
    spans_of: dict[str, list[Span]] = {}
    for term, span in term_spans(text):
        spans_of.setdefault(term, []).append(span)
    index, owners = vocabulary.index, owner.tolist()
    for block in BLOCKS:
        known = [term for term in spans_of if term[0] == block and term in index]
        rows = [index[term] for term in known]
        damped = np.array([sublinear(len(spans_of[term])) for term in known])
        values = damped * vocabulary.idf[rows]
        values *= voice.head.term_weights[rows] / (float(np.linalg.norm(values)) or 1.0)
        for term, value in zip(known, values.tolist(), strict=True):
            share = value / len(spans_of[term])
            for span in spans_of[term]:
                covered = [word for word in owners[span.start : span.end] if word >= 0]
                for word in covered:
                    shares[word] += share / len(covered)


def nearest(
    voice: Voice, vector: NDArray[np.float32], label: Literal["on", "off"], count: int
) -> list[Example]:
    """Return the labelled lines that are most like a sentence, the most alike first.

    Args:
        voice: the brand's voice; without stored texts the result is empty.
        vector: the sentence vector, shape (dim,).
        label: the label of the lines to search.
        count: how many to return at most.
    """
    return _most_alike(voice, _cosines(voice, unit(vector - voice.head.mean)), label, count)


def _cosines(voice: Voice, direction: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of each labelled line to a unit vector in the head's own space."""
    rows = voice.examples.vectors.astype(np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.asarray(rows @ direction / np.maximum(norms, 1e-12), np.float32)


def _most_alike(
    voice: Voice, cosines: NDArray[np.float32], label: Literal["on", "off"], count: int
) -> list[Example]:
    examples = voice.examples
    if not examples.texts:
        return []
    own = np.flatnonzero(examples.on == (label == "on"))
    best = own[np.argsort(-cosines[own], kind="stable")[:count]]
    return [
        Example(examples.texts[line], float(cosines[line]), label, examples.sources[line])
        for line in best.tolist()
    ]
