"""Registers: how much a sentence reads like hype, corporate-speak, legalese and other wrong voices.

`unmix` models a draft as a mixture: each of its sentences is the brand's or another voice's. The
share of foreign sentences is unknown; it has a beta prior, and the sentences' odds update it. So an
undecided sentence counts as the brand's in a draft that is otherwise the brand's, and as foreign in
a draft that is half foreign. The posterior is exact up to the grid of shares. A lower logit never
lowers the P of any sentence to be foreign, and the order of sentences does not matter.
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
"""Grid points of the share of foreign sentences."""
PRIOR = (1.0, 19.0)
"""Beta prior of the share of foreign sentences, 5 % on average. No label says how often writers
slip, so it is the share of the brand's own sentences that training allows to be underlined."""

_SHARE = (np.arange(SHARES) + 0.5) / SHARES
_LOG_OWN, _LOG_FOREIGN = np.log1p(-_SHARE), np.log(_SHARE)
_LOG_PRIOR = (PRIOR[0] - 1) * _LOG_FOREIGN + (PRIOR[1] - 1) * _LOG_OWN


@dataclass(frozen=True, slots=True)
class Mixture:
    """The foreign sentences of a draft."""

    foreign: NDArray[np.float64]
    """P that each sentence is of another voice, given all others, shape (sentences,)."""

    @property
    def count(self) -> float:
        """Expected number of foreign sentences."""
        return float(self.foreign.sum())

    @property
    def share(self) -> float:
        """Expected share of foreign sentences, 0 in an empty draft."""
        return float(self.foreign.mean()) if len(self.foreign) else 0.0


def unmix(logits: NDArray[np.floating]) -> Mixture:
    """Estimate which sentences of a draft are of another voice.

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
"""Registers that are no faults: a brand has more or less of each."""

MAX_EXCESS = 20.0
"""Spreads to which the distance inside a range is clipped."""
INSIDE_SLOPE = 1.5
"""Log-odds per spread inside the range: one sentence near the edge proves little, but many of them
in a draft do."""
GENERAL_SHARE = 0.6
"""Weight of the general register (any wrong voice against any good one) in every single one."""
SHORT_BLIND = ("telegraphic",)
"""Registers of every short sentence: they count only from `LONG_WORDS` words on."""

_FOLDER = Path(__file__).parents[1] / "data"


def read_as(register: str) -> str:
    """Return what a sentence in a register "reads like"; the name of an unknown register."""
    return READS_LIKE.get(register, register)


class RegisterRange(msgspec.Struct, frozen=True):
    """The usual range of a body of copy in each register, in the order of `Registers.names`."""

    center: tuple[float, ...]
    """Median of each raw register; the last one is the general register's."""
    scale: tuple[float, ...]
    """Standard deviation of the same."""
    upper: tuple[float, ...]
    """95 % quantile of each register with its share of the general one, standardised."""
    spread: tuple[float, ...]
    """Standard deviation of the same sum."""
    room: float
    """How far above its upper end the range still extends, in spreads."""

    def blend(self, other: RegisterRange, share: float) -> RegisterRange:
        """Return this range interpolated towards ``other`` by ``share``, 0 to 1."""

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
        """Return (matrix, offset) of ``excess = raw @ matrix + offset``, shapes (n + 1, n), (n,).

        An excess above 0 is outside the range. It is linear in the vector, like the raw registers.
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
    """A voice's answer to whether a sentence is in a wrong register for it.

    ``logit = edge - slope * (excess - head_share * head)`` for the register that is furthest
    outside the range: the surer the brand's own head is, the more excess is allowed. Where the
    logit is above 0, well inside the range, the slope is `INSIDE_SLOPE`.
    """

    usual: RegisterRange
    edge: float
    """Log-odds of on-brand at the end of the range."""
    slope: float
    head_share: float = 0.0
    """Spreads of excess that one log-odds of the head compensates."""
    names: tuple[str, ...] = ()
    """The registers that count; all of them if empty."""

    def odds(
        self, excess: NDArray[np.floating], heads: NDArray[np.floating] | float = 0.0
    ) -> NDArray[np.float64]:
        """Return the log-odds of on-brand of sentences, shape (sentences,).

        Args:
            excess: the excess in the register that decides, shape (sentences,).
            heads: log-odds of the voice's own head, same shape.
        """
        beyond = np.maximum(excess, -MAX_EXCESS) - self.head_share * heads
        odds = self.edge - self.slope * beyond
        return np.asarray(np.where(odds > 0, odds * INSIDE_SLOPE / self.slope, odds))

    def counts(self, registers: Registers) -> NDArray[np.bool_]:
        """Return which registers count, shape (names,)."""
        return np.array([not self.names or name in self.names for name in registers.names])


class Reading(NamedTuple):
    """The registers' answer on sentences, each of shape (sentences,)."""

    register: NDArray[np.intp]
    """Index of the register that decides: the one furthest outside the range."""
    odds: NDArray[np.float64]
    """Log-odds of on-brand, with the head's compensation."""
    alone: NDArray[np.float64]
    """The same without the head; drafts are judged by this."""


@dataclass(frozen=True, slots=True)
class Registers:
    """The registers of one encoder."""

    fingerprint: str
    """Fingerprint of the encoder that they belong to."""
    names: tuple[str, ...]
    weights: NDArray[np.float32]
    """Shape (dim, names + 1 + scales): the names, the general register, the scales."""
    bias: NDArray[np.float32]
    """Shape (names + 1 + scales,)."""
    reference: RegisterRange
    """The range of good published copy: 2 % of it lie outside in some register."""
    alone: tuple[float, ...]
    """Room of each register used alone, with which 2 % of good copy lie outside."""
    scale_range: tuple[tuple[float, float], ...]
    """Mean and standard deviation of each scale over good published copy."""
    short_room: float
    """Extra room of short sentences, which scatter more."""
    slope: float
    """Log-odds per spread of excess."""

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
        """Return what to subtract from the excess by number of words, shape (sentences, names)."""
        short = np.array([shortness(count) for count in words])[:, None]
        blind = np.array([name in SHORT_BLIND for name in self.names])
        silent = (np.array(words)[:, None] < LONG_WORDS) & blind
        return np.where(silent, np.inf, short * self.short_room)

    def excess(
        self, vectors: NDArray[np.float32], words: Sequence[int], usual: RegisterRange
    ) -> NDArray[np.float64]:
        """Return how far outside a range each sentence is, shape (sentences, names)."""
        return _excess(self.raw(vectors), self.allowance(words), usual)

    def read(
        self,
        raw: NDArray[np.float32],
        allowance: NDArray[np.float64],
        answer: RegisterAnswer,
        heads: NDArray[np.floating],
    ) -> Reading:
        """Return the registers' answer on sentences for one voice.

        Args:
            raw: `raw` of the sentences, the same for every voice.
            allowance: `allowance` of the sentences.
            answer: the voice's.
            heads: log-odds of the voice's own head, shape (sentences,).
        """
        excess = _excess(raw, allowance, answer.usual)
        excess[:, ~answer.counts(self)] = -np.inf
        register = excess.argmax(axis=1)
        furthest = np.take_along_axis(excess, register[:, None], axis=1)[:, 0]
        return Reading(register, answer.odds(furthest, heads), answer.odds(furthest))

    def head(
        self, register: int, words: int, answer: RegisterAnswer, odds: float
    ) -> tuple[NDArray[np.float64], float, float]:
        """Return (weights, bias, factor) of the log-odds of a sentence that a register decides.

        The log-odds are ``weights . vector + bias + factor * head``, weights of shape (dim,).

        Args:
            register: index of the register that decides.
            words: number of words of the sentence.
            answer: the voice's.
            odds: the sentence's `Reading.odds`.
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
        """Return the range of a body of copy, given as (sentences, dim) vectors, with no room."""
        raw = self.raw(vectors).astype(np.float64)
        center, scale = np.median(raw, axis=0), raw.std(axis=0) + 1e-9
        standard = (raw - center) / scale
        joined = standard[:, :-1] + GENERAL_SHARE * standard[:, -1:]
        upper, spread = np.quantile(joined, 0.95, axis=0), joined.std(axis=0) + 1e-9
        return RegisterRange(
            _floats(center), _floats(scale), _floats(upper), _floats(spread), room=0.0
        )

    def check_names(self, names: Collection[str]) -> None:
        """Check that these are names of registers.

        Raises:
            OnbrandError: one is unknown; the message lists the known ones.
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
    """Return the room with which at most a share of sentences has an excess.

    It is computed as if there were one sentence more, so that the bound also holds for the next
    one (Angelopoulos et al. 2022, Conformal risk control).

    Args:
        excess: excess of sentences with no room, shape (sentences,).
        share: the share of sentences that may lie outside, 0 to 1.
    """
    falling = np.sort(excess)[::-1]
    beyond = max(0, int(share * (len(falling) + 1)) - 1) if share > 0 else 0
    return float(falling[min(beyond, len(falling) - 1)])


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


class _File(msgspec.Struct, frozen=True):
    """The metadata of a file of registers."""

    fingerprint: str
    names: tuple[str, ...]
    reference: RegisterRange
    alone: tuple[float, ...]
    scale_range: tuple[tuple[float, float], ...]
    short_room: float
    slope: float


@lru_cache(4)
def load_registers(fingerprint: str) -> Registers | None:
    """Return the registers of the encoder with this fingerprint; None if it has none."""
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
    """Write registers where `load_registers` finds them; return the path."""
    from safetensors.numpy import save

    from onbrand.files import write_atomic

    about = _File(**{name: getattr(registers, name) for name in _File.__struct_fields__})
    path = folder / f"registers-{registers.fingerprint[:12]}.safetensors"
    tensors = {"weights": registers.weights.astype(np.float16), "bias": registers.bias}
    write_atomic(path, save(tensors, {"registers": msgspec.json.encode(about).decode()}))
    return path
