"""A voice without labels: it flags sentences that read like given registers (``--avoid``).

Its head gives every sentence the same high log-odds, so that the registers alone decide. Scoring,
explanations and reports treat it like any other voice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import SentenceEncoder
from onbrand.errors import OnbrandError
from onbrand.results import AVOID
from onbrand.voice.lexical import Vocabulary
from onbrand.voice.model import (
    DEFAULT_GATE,
    FORMAT_VERSION,
    DraftCalibration,
    EncoderReference,
    Examples,
    LabelCounts,
    LinearHead,
    Manifest,
    Metrics,
    OutOfDomainDetector,
    RegisterDraft,
    ShortCalibration,
    TrainingReport,
    Voice,
    log_odds,
)
from onbrand.voice.profile import Profile
from onbrand.voice.registers import READS_LIKE, RegisterAnswer, Registers, load_registers

THRESHOLD = 0.3
"""P where the range of good copy ends; sentences below it are flagged."""
SILENT_LOGIT = 6.0
"""Log-odds that the head gives every sentence: above `MAX_SENTENCE_LOGIT`, so it never decides."""
SENTENCE_ROOM = 0.4
"""Room, in spreads, added to what was measured on passages, because single sentences scatter more.
With it about 2 % of the sentences of published documents lie outside the range (172 documents of
the pool of open voices: blogs, guides, newsletters, pages of governments and of products,
podcasts)."""
DRAFT = DraftCalibration(slope=1.0, exponent=1.0, registers=RegisterDraft(slope=0.85, center=0.0))
"""A draft goes forward if the mean log-odds of its sentences are at least 1.0. That holds for 60 of
63 drafts and pages of nine open voices, and for 1 of 36 pages rewritten as hype, corporate-speak,
legalese or by a chatbot. Length does not matter: only the mean counts."""
COMMON_WORDS = (
    *(
        "and",
        "are",
        "be",
        "but",
        "by",
        "can",
        "for",
        "from",
        "has",
        "have",
        "if",
        "is",
        "it",
        "not",
    ),
    *("of", "our", "that", "the", "they", "this", "to", "we", "when", "which", "will", "with"),
    *("you", "your"),
)
"""Common English words that are not words of other languages."""
OUT_OF_DOMAIN = OutOfDomainDetector(
    short=0.36,
    long=0.54,
    everyday=COMMON_WORDS,
)
"""1 in 1,000 lines of the bank of voices is out of domain by this; other languages and code are."""


_DATA = Path(__file__).parents[1] / "data"


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a comma-separated list, as ``--avoid`` takes it.

    Raises:
        OnbrandError: the list has no names.
    """
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not names:
        raise OnbrandError(f"--avoid needs names of registers (known: {', '.join(READS_LIKE)})")
    return names


def avoid_name(names: Sequence[str]) -> str:
    """Return the name of the voice that avoids these registers, whatever their order."""
    return AVOID + ", ".join(name for name in READS_LIKE if name in names)


def avoid_voice(encoder: SentenceEncoder, names: Sequence[str]) -> Voice:
    """Return a voice that flags the sentences that read like one of these registers.

    At most 2 % of the sentences of good published copy are flagged.

    Args:
        encoder: the encoder of the sentences.
        names: names of registers, at least one.

    Raises:
        OnbrandError: a name is unknown, or the encoder has no registers.
    """
    registers = load_registers(encoder.fingerprint)
    if registers is None:
        raise OnbrandError(
            f"encoder {encoder.name} ({encoder.fingerprint[:12]}) has no registers to avoid; "
            "use the one that ships with onbrand, or train a voice"
        )
    if not names:
        raise OnbrandError(f"name a register to avoid (known: {', '.join(registers.names)})")
    registers.check_names(names)
    chosen = tuple(name for name in registers.names if name in names)
    usual = msgspec.structs.replace(registers.reference, room=room_of(registers, chosen))
    edge = log_odds(THRESHOLD)
    return Voice(
        _manifest(encoder, RegisterAnswer(usual, edge, registers.slope, names=chosen)),
        _silent_head(encoder),
        _no_examples(encoder.dim),
    )


def room_of(registers: Registers, chosen: Sequence[str]) -> float:
    """Return the room, in spreads, with which 2 % of good sentences lie outside these ranges.

    It was measured for each register alone and for all together. In between it grows with the
    logarithm of their number, like a quantile of the largest of *k* values with exponential tails.
    """
    one = max(registers.alone[registers.names.index(name)] for name in chosen)
    grown = math.log(len(chosen)) / math.log(len(registers.names))
    return one + (registers.reference.room - one) * grown + SENTENCE_ROOM


def _silent_head(encoder: SentenceEncoder) -> LinearHead:
    return LinearHead(
        weights=np.zeros(encoder.dim, np.float32),
        bias=SILENT_LOGIT,
        mean=_mean_of_copy(encoder),
        vocabulary=Vocabulary((), np.zeros(0, np.float32)),
        term_weights=np.zeros(0, np.float32),
    )


def _mean_of_copy(encoder: SentenceEncoder) -> NDArray[np.float32]:
    """Return the mean vector of open voices, from the background that the encoder has.

    Shares of words are relative to it, and sentences far from it are not judged.
    """
    from safetensors import safe_open

    path = _DATA / f"background-{encoder.fingerprint[:12]}.safetensors"
    with safe_open(path, framework="numpy") as file:
        return np.asarray(file.get_tensor("mean"), np.float32)


def _no_examples(dim: int) -> Examples:
    vectors: NDArray[np.int8] = np.zeros((0, dim), np.int8)
    return Examples(vectors, np.zeros(0, np.bool_), (), (), np.zeros(dim, np.float32))


def _manifest(encoder: SentenceEncoder, answer: RegisterAnswer) -> Manifest:
    none = Metrics(accuracy=0.0, auroc=0.0, log_loss=0.0, ece=0.0, recall_at_5fpr=0.0)
    return Manifest(
        format=FORMAT_VERSION,
        brand=avoid_name(answer.names),
        created="",
        encoder=EncoderReference(encoder.name, encoder.fingerprint, encoder.dim),
        threshold=THRESHOLD,
        gate=DEFAULT_GATE,
        draft=DRAFT,
        short=ShortCalibration(1.0, 0.0),
        familiarity=OUT_OF_DOMAIN,
        labels=LabelCounts(on=0, off=0, sha256=""),
        profile=Profile(0, {}, {}),
        report=TrainingReport(held_out=none, baseline=none, weights={}, folds=0, grouped=False),
        files={},
        registers=answer,
    )
