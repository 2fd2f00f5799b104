"""Calibrating the verdict on a whole draft from held-out sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from onbrand.voice.model import DEFAULT_GATE, MOST_SENTENCES, DraftCalibration, draft_evidence

SIZES = (1, 2, 3, 5, 8, 13, MOST_SENTENCES)
"""Sentences in a simulated draft."""
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
OWN_SIZES = (8, 13)
"""Sizes of the brand's own groups that are to reach the gate …"""
OWN_STOPPED = 0.03
"""… and the share of them that may not."""
MAX_ROOM = 1.0
"""How far below these the center may lie, in log-odds."""
MAX_CENTER = 0.1
"""And no higher than this: the sentences of real drafts are shorter and less telling than training
lines, so that their mean is nearer to 0."""
WINDOWS = 24
"""Simulated drafts of each size and class."""


def calibrate_drafts(
    logits: NDArray[np.float64],
    on: NDArray[np.bool_],
    docs: Sequence[str | None],
    gate: float = DEFAULT_GATE,
) -> DraftCalibration:
    """Fit the draft calibration on groups of out-of-fold sentences of one label.

    Groups are runs of neighbouring lines, documents kept together, because sentences of one
    document err together: shuffled ones would promise a certainty that real drafts do not have.
    The center lies where all but a few of the brand's own groups reach the gate: what is not like
    the brand's own drafts is for a human to look at, whoever else it may be like.

    Args:
        logits: calibrated out-of-fold logits, shape (lines,).
        on: labels, shape (lines,).
        docs: the document of each line, where known.
        gate: P of a draft at which it goes forward.
    """
    from sklearn.linear_model import LogisticRegression

    drafts = list(_simulated_drafts(logits, on, docs))
    labels = np.array([label for label, _ in drafts])
    means = [draft_evidence(d, 1.0) for label, d in drafts if label and len(d) in OWN_SIZES]
    lowest = float(np.quantile(means, OWN_STOPPED)) if means else 0.0
    best: tuple[float, DraftCalibration] | None = None
    for exponent in EXPONENTS:
        evidence = np.array([draft_evidence(draft, exponent, lowest) for _, draft in drafts])
        model = LogisticRegression(C=1.0, fit_intercept=False).fit(evidence[:, None], labels)
        slope = max(float(model.coef_[0, 0]), 0.0)
        loss = float(np.logaddexp(0.0, np.where(labels, -slope, slope) * evidence).mean())
        if best is None or loss < best[0]:
            reach = math.log(gate / (1 - gate)) if 0 < gate < 1 else 0.0
            weight = max(slope * OWN_SIZES[-1] ** (1 - exponent), 1e-6)
            center = min(MAX_CENTER, lowest - min(reach / weight, MAX_ROOM))
            best = loss, DraftCalibration(slope, exponent, center)
    assert best is not None  # noqa: S101 - EXPONENTS is not empty
    return best[1]


def _simulated_drafts(
    logits: NDArray[np.float64], on: NDArray[np.bool_], docs: Sequence[str | None]
) -> Iterator[tuple[bool, NDArray[np.float64]]]:
    random = np.random.default_rng(0)
    names = np.array([doc or f"line {i}" for i, doc in enumerate(docs)])
    for label in (True, False):
        own = np.flatnonzero(on == label)
        order = {name: k for k, name in enumerate(random.permutation(np.unique(names[own])))}
        run = logits[sorted(own, key=lambda i: order[names[i]])]
        around = np.concatenate([run, run])
        for size in SIZES:
            if size <= len(run):
                for start in random.integers(0, len(run), WINDOWS):
                    yield label, around[start : start + size]
