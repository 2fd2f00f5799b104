"""Calibration of drafts, and fitting of the out-of-domain detector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand.training.registers import prior_share
from onbrand.voice.lexical import LONG_WORDS, words_of
from onbrand.voice.model import (
    DEFAULT_GATE,
    MAX_SENTENCES,
    DraftCalibration,
    OutOfDomainDetector,
    RegisterDraft,
    draft_evidence,
    log_odds,
)

SIZES = (1, 2, 3, 5, 8, 13, MAX_SENTENCES)
"""Numbers of sentences of simulated drafts."""
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
OWN_SIZES = (8, 13)
"""Sizes of the groups of the brand's own sentences that should reach the gate …"""
OWN_STOPPED = 0.03
"""… and the share of them that may fail to."""
MAX_ROOM = 1.0
"""Log-odds by which the center may lie below these groups."""
REGISTER_SLOPE = 3.0
"""Slope of a draft's mean register log-odds: fitted on pages of nine open voices and the same pages
in twelve wrong voices, eight of which have no register."""
REGISTER_ROOM = 0.85
"""Log-odds below the brand's own groups at which a wrong voice is as likely, on the same pages …"""
FEW_ROOM = 0.6
"""… and what is added to it if there are few lines to measure the range on."""
WINDOWS = 24
"""Simulated drafts of each size and class."""


def calibrate_drafts(
    heads: NDArray[np.float64],
    on: NDArray[np.bool_],
    docs: Sequence[str | None],
    gate: float = DEFAULT_GATE,
    registers: NDArray[np.float64] | None = None,
) -> DraftCalibration:
    """Fit the draft calibration on groups of out-of-fold sentences of one label.

    Groups are runs of neighbouring lines, with documents kept together, because errors within a
    document are correlated: shuffled lines would give a certainty that real drafts do not have.
    The center is 0, or lower if more than a few of the brand's own groups would not reach the gate.
    The center of the registers lies below all but a few of the brand's own groups.

    Args:
        heads: calibrated out-of-fold logits of the head, shape (lines,).
        on: labels, shape (lines,).
        docs: the document of each line, where known.
        gate: P of a draft at which it goes forward.
        registers: held-out log-odds of the on-brand lines by the registers alone, shape (on-brand
            lines,); None for a voice without registers.
    """
    from sklearn.linear_model import LogisticRegression

    drafts = list(_simulated_drafts(heads, on, docs))
    labels = np.array([label for label, _ in drafts])
    lowest = _lowest_own(drafts)
    by_registers = None
    if registers is not None:
        own_docs = [doc for doc, mine in zip(docs, on, strict=True) if mine]
        by_registers = _register_draft(registers, own_docs)
    best: tuple[float, DraftCalibration] | None = None
    for exponent in EXPONENTS:
        evidence = np.array([draft_evidence(draft, exponent, lowest) for _, draft in drafts])
        model = LogisticRegression(C=1.0, fit_intercept=False).fit(evidence[:, None], labels)
        slope = max(float(model.coef_[0, 0]), 0.0)
        loss = float(np.logaddexp(0.0, np.where(labels, -slope, slope) * evidence).mean())
        if best is None or loss < best[0]:
            reach = log_odds(gate) if 0 < gate < 1 else 0.0
            weight = max(slope * OWN_SIZES[-1] ** (1 - exponent), 1e-6)
            center = min(0.0, lowest - min(reach / weight, MAX_ROOM))
            best = loss, DraftCalibration(slope, exponent, center, by_registers)
    assert best is not None  # noqa: S101 - EXPONENTS is not empty
    return best[1]


def _lowest_own(drafts: Iterable[tuple[bool, NDArray[np.float64]]]) -> float:
    """Return the mean log-odds that all but a few of the brand's own groups reach."""
    means = [draft_evidence(d, 1.0) for label, d in drafts if label and len(d) in OWN_SIZES]
    return float(np.quantile(means, OWN_STOPPED)) if means else 0.0


def _register_draft(registers: NDArray[np.float64], docs: Sequence[str | None]) -> RegisterDraft:
    own = list(_simulated_drafts(registers, np.ones(len(registers), np.bool_), docs))
    room = REGISTER_ROOM + FEW_ROOM * prior_share(len(registers))
    return RegisterDraft(REGISTER_SLOPE, _lowest_own(own) - room)


def _simulated_drafts(
    logits: NDArray[np.float64], on: NDArray[np.bool_], docs: Sequence[str | None]
) -> Iterator[tuple[bool, NDArray[np.float64]]]:
    random = np.random.default_rng(0)
    names = np.array([doc or f"line {i}" for i, doc in enumerate(docs)])
    for label in np.unique(on)[::-1].tolist():
        own = np.flatnonzero(on == label)
        order = {name: k for k, name in enumerate(random.permutation(np.unique(names[own])))}
        run = logits[sorted(own, key=lambda i: order[names[i]])]
        around = np.concatenate([run, run])
        for size in SIZES:
            if size <= len(run):
                for start in random.integers(0, len(run), WINDOWS):
                    yield label, around[start : start + size]


OUTLIER_QUANTILE = 0.01
"""Share of the training lines that may lie beyond the limit …"""
MARGIN = 0.03
"""… and how much further out, in cosine, the limit is set."""
COMMON_WORD_SHARE = 0.03
"""Share of the training lines that a common word has to occur in …"""
MIN_COMMON_LINES = 3
"""… and the minimum number of such lines."""


def fit_out_of_domain(
    texts: Sequence[str], vectors: NDArray[np.float32], shorts: NDArray[np.float32]
) -> OutOfDomainDetector:
    """Fit the out-of-domain detector.

    Short sentences have a limit of their own, so that taglines do not count as foreign text only
    because a mean over five tokens scatters.

    Args:
        texts: the training lines, on and off.
        vectors: their vectors, shape (lines, dim).
        shorts: vectors of lines cut to their first words, shape (any, dim).
    """
    centroid = vectors.mean(axis=0)
    long = [i for i, text in enumerate(texts) if len(text.split()) >= LONG_WORDS]
    whole = vectors[long] if len(long) >= len(texts) // 4 else vectors
    return OutOfDomainDetector(
        short=_border(shorts, centroid),
        long=_border(whole, centroid),
        everyday=_common_words(texts),
    )


def _common_words(texts: Sequence[str]) -> tuple[str, ...]:
    lines_with = Counter(word for text in texts for word in set(words_of(text)))
    enough = max(MIN_COMMON_LINES, COMMON_WORD_SHARE * len(texts))
    return tuple(sorted(word for word, count in lines_with.items() if count >= enough))


def _border(vectors: NDArray[np.float32], centroid: NDArray[np.float32]) -> float:
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(centroid)
    return float(np.quantile(vectors @ centroid / norms, OUTLIER_QUANTILE)) - MARGIN
