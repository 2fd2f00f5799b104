"""A draft as a mixture: each of its sentences is the brand's, or another voice's.

What share is another voice's is not known beforehand. Each share is as likely as a prior says, and
the sentences' own odds then say how likely it is for this draft. A sentence that is about even is
taken for the brand's in a draft that is all the brand's, and for foreign in one that is half so.

The posterior is exact but for the grid of shares. A lower logit never lowers any sentence's P of
being foreign, and their order is no matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = 64
"""Points at which the share of foreign sentences is looked at."""
PRIOR = (1.0, 19.0)
"""Of the share, a beta distribution: 5 % on average. No label tells how often writers slip, so it
is no more than what training promises to underline in the brand's own drafts."""

_SHARE = (np.arange(SHARES) + 0.5) / SHARES
_LOG_OWN, _LOG_FOREIGN = np.log1p(-_SHARE), np.log(_SHARE)
_LOG_PRIOR = (PRIOR[0] - 1) * _LOG_FOREIGN + (PRIOR[1] - 1) * _LOG_OWN


@dataclass(frozen=True, slots=True)
class Mixture:
    """What the sentences of a draft say together."""

    foreign: NDArray[np.float64]
    """P of each that it is of another voice, given all the others, shape (sentences,)."""

    @property
    def count(self) -> float:
        """Expected number of foreign sentences."""
        return float(self.foreign.sum())

    @property
    def share(self) -> float:
        """Expected share of them, 0 in an empty draft."""
        return float(self.foreign.mean()) if len(self.foreign) else 0.0


def unmix(logits: NDArray[np.floating]) -> Mixture:
    """Tell which sentences of a draft are of another voice.

    Args:
        logits: calibrated log-odds of on-brand of its judged sentences, shape (sentences,).
    """
    odds = np.asarray(logits, np.float64)
    own = _LOG_OWN[:, None] + odds
    either = np.logaddexp(own, _LOG_FOREIGN[:, None])
    weights = _LOG_PRIOR + (either - np.maximum(odds, 0.0)).sum(axis=1)
    likely = np.exp(weights - weights.max())
    foreign = np.exp(_LOG_FOREIGN[:, None] - either)
    return Mixture(np.clip(likely @ foreign / likely.sum(), 0.0, 1.0))
