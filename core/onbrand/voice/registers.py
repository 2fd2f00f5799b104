"""Registers: how much a sentence reads like hype, corporate-speak, legalese and other wrong voices.

A draft is taken for a mixture: each of its sentences is the brand's, or another voice's. What share
is another voice's is not known beforehand. Each share is as likely as a prior says, and the
sentences' own odds then say how likely it is for this draft. A sentence that is about even is taken
for the brand's in a draft that is all the brand's, and for foreign in one that is half so. The
posterior is exact but for the grid of shares. A lower logit never lowers any sentence's P of being
foreign, and the order of sentences does not matter.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.errors import OnbrandError
from onbrand.voice.lexical import LONG_WORDS, shortness

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


READS_LIKE = {
    "hype": "hype",
    "corporate": "corporate-speak",
    "legalese": "legalese",
    "chatbot": "a chatbot",
    "chummy": "forced chumminess",
    "academic": "an academic paper",
    "bureaucratic": "officialese",
    "tabloid": "a tabloid",
    "hardsell": "a hard sell",
    "motivational": "a motivational speech",
    "condescending": "talking down",
    "florid": "purple prose",
    "telegraphic": "a telegram",
    "jargon": "tech jargon",
    "apologetic": "an apology",
    "slang": "internet slang",
}
"""Register → what a sentence in it "reads like"."""
SCALES = ("formal", "warm", "plain", "confident")
"""Registers that are no fault: a brand has more or less of each."""

MAX_EXCESS = 20.0
"""No sentence lies further inside a range than this many spreads."""
INSIDE_SLOPE = 1.5
"""Log-odds that one spread is worth where they speak for the brand: sentences that all lie near the
edge are no proof each, and tell together in a draft."""
GENERAL_SHARE = 0.6
"""What the general register, any wrong voice against any good one, adds to each single one."""
SHORT_BLIND = ("telegraphic",)
"""Registers that every short sentence has: they speak only from `LONG_WORDS` words on."""

_FOLDER = Path(__file__).parents[1] / "data"


def read_as(register: str) -> str:
    """Return what a sentence in a register "reads like"; its name where onbrand has no words."""
    return READS_LIKE.get(register, register)


class RegisterRange(msgspec.Struct, frozen=True):
    """What is usual for a body of copy in each register, in the order of `Registers.names`."""

    center: tuple[float, ...]
    """Median of each raw register; the last one is the general register's."""
    scale: tuple[float, ...]
    """Standard deviation of the same."""
    upper: tuple[float, ...]
    """95 % quantile of each register with its share of the general one, standardised."""
    spread: tuple[float, ...]
    """Standard deviation of the same."""
    room: float
    """How far beyond its upper end a sentence may read before it is outside, in spreads."""

    def blend(self, other: RegisterRange, share: float) -> RegisterRange:
        """Return a range between this one and another, of which it takes ``share``, 0 to 1."""

        def between(mine: tuple[float, ...], theirs: tuple[float, ...]) -> tuple[float, ...]:
            return _floats((1 - share) * np.array(mine) + share * np.array(theirs))

        return RegisterRange(
            between(self.center, other.center),
            between(self.scale, other.scale),
            between(self.upper, other.upper),
            between(self.spread, other.spread),
            (1 - share) * self.room + share * other.room,
        )

    def transform(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (matrix, offset) that turn raw registers into excess, shapes (n + 1, n) and (n,).

        Excess above 0 is outside the range; it is linear in the raw registers and so in the vector.
        """
        center, scale = np.array(self.center), np.array(self.scale)
        upper, spread = np.array(self.upper), np.array(self.spread)
        names = len(upper)
        matrix = np.zeros((names + 1, names))
        matrix[np.arange(names), np.arange(names)] = 1 / (scale[:-1] * spread)
        matrix[-1] = GENERAL_SHARE / (scale[-1] * spread)
        usual = center[:-1] / scale[:-1] + GENERAL_SHARE * center[-1] / scale[-1]
        return matrix, -(usual + upper) / spread - self.room


class RegisterAnswer(msgspec.Struct, frozen=True):
    """A voice's answer to the question whether a sentence is in a wrong register for it.

    ``logit = edge - slope * (excess - head_share * head)`` of the register that lies furthest
    outside of the range: the surer the brand's own head, the more it takes. Well inside of the
    range, where the logit is above 0, a spread is worth `INSIDE_SLOPE` only.
    """

    usual: RegisterRange
    edge: float
    """Log-odds of on-brand where the range ends."""
    slope: float
    head_share: float = 0.0
    """Spreads that one log-odds of the head makes up for."""
    names: tuple[str, ...] = ()
    """The registers that count; all of them where there are none."""

    def odds(
        self, excess: NDArray[np.floating], heads: NDArray[np.floating] | float = 0.0
    ) -> NDArray[np.float64]:
        """Return the log-odds of on-brand of sentences, shape (sentences,).

        Args:
            excess: of the register that decides, shape (sentences,).
            heads: what the voice's own head says, log-odds of the same shape.
        """
        beyond = np.maximum(excess, -MAX_EXCESS) - self.head_share * heads
        odds = self.edge - self.slope * beyond
        return np.asarray(np.where(odds > 0, odds * INSIDE_SLOPE / self.slope, odds))

    def counts(self, registers: Registers) -> NDArray[np.bool_]:
        """Return which registers count, shape (names,)."""
        return np.array([not self.names or name in self.names for name in registers.names])


class Reading(NamedTuple):
    """What the registers say of sentences, each of shape (sentences,)."""

    register: NDArray[np.intp]
    """The one that lies furthest outside of the range, so that it decides."""
    odds: NDArray[np.float64]
    """Log-odds of on-brand, with what the voice's own head adds."""
    alone: NDArray[np.float64]
    """The same without the head: what drafts are judged by."""


@dataclass(frozen=True, slots=True)
class Registers:
    """The registers of one encoder."""

    fingerprint: str
    """Of the encoder that they belong to."""
    names: tuple[str, ...]
    weights: NDArray[np.float32]
    """Shape (dim, names + 1 + scales): the names, the general register, the scales."""
    bias: NDArray[np.float32]
    """Shape (names + 1 + scales,)."""
    reference: RegisterRange
    """The range of good published copy; 2 % of it lie outside of it in any register."""
    alone: tuple[float, ...]
    """Room of each register where it alone is asked for: 2 % of good copy lie outside of it."""
    scale_range: tuple[tuple[float, float], ...]
    """Mean and standard deviation of each scale over good published copy."""
    short_room: float
    """What a sentence of few words is allowed in excess of the room: they scatter more."""
    slope: float
    """Log-odds that one spread of excess stands for."""

    def raw(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the raw registers and the general one, shape (sentences, names + 1)."""
        end = len(self.names) + 1
        return np.asarray(vectors @ self.weights[:, :end] + self.bias[:end], np.float32)

    def scales(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each scale in standard deviations from good copy, shape (sentences, scales)."""
        begin = len(self.names) + 1
        mean, std = np.array(self.scale_range, np.float32).T
        return np.asarray((vectors @ self.weights[:, begin:] + self.bias[begin:] - mean) / std)

    def allowance(self, words: Sequence[int]) -> NDArray[np.float64]:
        """Return what is taken off the excess of sentences of so many words, (sentences, names)."""
        short = np.array([shortness(count) for count in words])[:, None]
        blind = np.array([name in SHORT_BLIND for name in self.names])
        silent = (np.array(words)[:, None] < LONG_WORDS) & blind
        return np.where(silent, np.inf, short * self.short_room)

    def excess(
        self, vectors: NDArray[np.float32], words: Sequence[int], usual: RegisterRange
    ) -> NDArray[np.float64]:
        """Return how far outside a range sentences lie in each register, (sentences, names)."""
        return _excess(self.raw(vectors), self.allowance(words), usual)

    def read(
        self,
        raw: NDArray[np.float32],
        allowance: NDArray[np.float64],
        answer: RegisterAnswer,
        heads: NDArray[np.floating],
    ) -> Reading:
        """Return what the registers say of sentences.

        Args:
            raw: of sentences (`raw`), the same for every voice.
            allowance: of the same (`allowance`).
            answer: of the voice.
            heads: what the voice's own head says, log-odds, shape (sentences,).
        """
        excess = _excess(raw, allowance, answer.usual)
        excess[:, ~answer.counts(self)] = -np.inf
        register = excess.argmax(axis=1)
        furthest = np.take_along_axis(excess, register[:, None], axis=1)[:, 0]
        return Reading(register, answer.odds(furthest, heads), answer.odds(furthest))

    def head(
        self, register: int, words: int, answer: RegisterAnswer, odds: float
    ) -> tuple[NDArray[np.float64], float, float]:
        """Return weights, shape (dim,), and bias of the log-odds where a register decides.

        The third value is what the log-odds of the voice's own head are worth beside them.

        Args:
            register: the one that decides.
            words: of the sentence.
            answer: of the voice.
            odds: what `read` says of the sentence.
        """
        slope = INSIDE_SLOPE if odds > 0 else answer.slope
        matrix, offset = answer.usual.transform()
        end = len(self.names) + 1
        column = -slope * matrix[:, register]
        allowed = float(self.allowance([words])[0, register])
        bias = answer.edge * slope / answer.slope - slope * (float(offset[register]) - allowed)
        bias += float(self.bias[:end] @ column)
        return self.weights[:, :end] @ column, bias, slope * answer.head_share

    def measure(self, vectors: NDArray[np.float32]) -> RegisterRange:
        """Return the range of a body of copy, vectors of shape (sentences, dim), without room."""
        raw = self.raw(vectors).astype(np.float64)
        center, scale = np.median(raw, axis=0), raw.std(axis=0) + 1e-9
        standard = (raw - center) / scale
        joined = standard[:, :-1] + GENERAL_SHARE * standard[:, -1:]
        upper, spread = np.quantile(joined, 0.95, axis=0), joined.std(axis=0) + 1e-9
        return RegisterRange(
            _floats(center), _floats(scale), _floats(upper), _floats(spread), room=0.0
        )

    def check_names(self, names: Collection[str]) -> None:
        """Check that these are registers.

        Raises:
            OnbrandError: one is not; the message lists those that are.
        """
        for name in names:
            if name not in self.names:
                raise OnbrandError(
                    f"no register is named {name!r} (known: {', '.join(self.names)})"
                )


def _excess(
    raw: NDArray[np.float32], allowance: NDArray[np.float64], usual: RegisterRange
) -> NDArray[np.float64]:
    matrix, offset = usual.transform()
    return np.asarray(raw @ matrix + offset - allowance)


def room_for(excess: NDArray[np.floating], share: float) -> float:
    """Return how much excess to allow so that no more than a share of sentences goes beyond.

    One sentence more is allowed for than were seen, so that the bound holds for the next one, too
    (Angelopoulos et al. 2022, Conformal risk control).

    Args:
        excess: of sentences, without room, shape (sentences,).
        share: of them that may go beyond, 0 to 1.
    """
    falling = np.sort(excess)[::-1]
    beyond = max(0, int(share * (len(falling) + 1)) - 1) if share > 0 else 0
    return float(falling[min(beyond, len(falling) - 1)])


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


class _File(msgspec.Struct, frozen=True):
    """What stands beside the weights in a file of registers."""

    fingerprint: str
    names: tuple[str, ...]
    reference: RegisterRange
    alone: tuple[float, ...]
    scale_range: tuple[tuple[float, float], ...]
    short_room: float
    slope: float


@lru_cache(4)
def load_registers(fingerprint: str) -> Registers | None:
    """Return the registers of the encoder with this fingerprint; None where it has none."""
    from safetensors import safe_open

    path = _FOLDER / f"registers-{fingerprint[:12]}.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, framework="numpy") as file:
        about = msgspec.json.decode(file.metadata()["registers"], type=_File)
        weights = file.get_tensor("weights").astype(np.float32)
        bias = file.get_tensor("bias").astype(np.float32)
    return Registers(weights=weights, bias=bias, **msgspec.structs.asdict(about))


def save_registers(registers: Registers, folder: Path = _FOLDER) -> Path:
    """Write registers where `load_registers` finds them, and return the file."""
    from safetensors.numpy import save

    from onbrand.files import write_atomic

    about = _File(**{name: getattr(registers, name) for name in _File.__struct_fields__})
    path = folder / f"registers-{registers.fingerprint[:12]}.safetensors"
    tensors = {"weights": registers.weights.astype(np.float16), "bias": registers.bias}
    write_atomic(path, save(tensors, {"registers": msgspec.json.encode(about).decode()}))
    return path
