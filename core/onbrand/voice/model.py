"""A voice, and all voices on one encoder as one matrix: one product judges a sentence for each."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.errors import OnbrandError
from onbrand.voice.lexical import BLOCKS, Vocabulary, shortness, terms_of, words_of
from onbrand.voice.profile import Profile
from onbrand.voice.registers import RegisterAnswer, Registers, load_registers

FORMAT_VERSION = 1
DEFAULT_GATE = 0.7
"""Drafts at or above this P go forward, those below it to human review."""


class EncoderReference(msgspec.Struct, frozen=True):
    """The encoder that a voice was trained on; its head means nothing on another one."""

    name: str
    fingerprint: str
    dimensions: int


class LabelCounts(msgspec.Struct, frozen=True):
    """What a voice was trained from."""

    on: int
    off: int
    sha256: str
    """Of the sorted label lines, to tell whether two voices saw the same labels."""
    published: int = 0
    """Unlabelled published lines that supported the head."""


class RegisterDraft(msgspec.Struct, frozen=True):
    """What the registers say of a draft: ``slope * (mean - center)`` of its sentences."""

    slope: float
    center: float
    """Mean log-odds of a draft that may as well read like a wrong voice as like the brand."""


class DraftCalibration(msgspec.Struct, frozen=True):
    """Joins what the voice says of a draft's sentences into what it says of the draft.

    A draft is on-brand when both answers say so, the head's and the registers'; the lower one
    counts. Each is asked about the whole draft before they are compared: the lower answers of many
    sentences, joined, would blur what one of the two knows.

    The head's is ``slope * (mean - center) * n**(1 - exponent)``. Exponent 0 would take the
    sentences as independent witnesses, 1 would not gain certainty from length at all; training
    picks what held-out groups of sentences bear out. From `MAX_SENTENCES` on, more sentences add
    no more certainty, for no larger group was looked at.
    """

    slope: float
    exponent: float
    center: float = 0.0
    """Mean log-odds of the head of a draft that may as well be another organisation's."""
    registers: RegisterDraft | None = None
    """None where the voice has no registers."""

    def logit(
        self, heads: NDArray[np.floating], registers: NDArray[np.floating] | None = None
    ) -> float:
        """Return the log-odds that a draft is on-brand.

        Args:
            heads: what the head says of its sentences (at least one), log-odds.
            registers: what the registers say of them.
        """
        head = self.slope * draft_evidence(heads, self.exponent, self.center)
        if self.registers is None or registers is None:
            return head
        return min(
            head, self.registers.slope * draft_evidence(registers, 1.0, self.registers.center)
        )


def draft_evidence(
    sentence_logits: NDArray[np.floating], exponent: float, center: float = 0.0
) -> float:
    """Return ``(mean - center) * n**(1 - exponent)``, no sentence and no length going too far."""
    clipped = np.clip(sentence_logits, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT)
    return float((clipped.mean() - center) * _weight(len(clipped), exponent))


def _weight(sentences: int, exponent: float) -> float:
    return float(min(sentences, MAX_SENTENCES) ** (1.0 - exponent))


MAX_SENTENCE_LOGIT = 5.0
"""No single sentence decides a draft."""
MAX_SENTENCES = 21
"""Sentences in the largest group that drafts are calibrated on."""


class OutOfDomainDetector(msgspec.Struct, frozen=True):
    """What a sentence must have in common with the training lines to be judged.

    Other languages, code and debris lie far out, and a head extrapolates wildly there. So does
    jargon from a small set of labels, which has to be judged: a sentence is unfamiliar only if its
    vector is far from the mean of all training lines, on and off, *and* it has next to none of
    their everyday words. A mean over few tokens scatters more, so short sentences get more room.
    """

    short: float
    """Least cosine at `SHORT_WORDS` words."""
    long: float
    """Least cosine at `LONG_WORDS` words and more."""
    everyday: tuple[str, ...]
    """Words of many training lines, lower case: mostly "the", "of" and the like."""

    def is_in_domain(self, text: str, words: int, cosine: float) -> bool:
        """Tell whether a sentence is familiar enough to be judged.

        Args:
            text: the sentence.
            words: how many it has.
            cosine: of its vector to the mean of the training lines (`VoiceBank.familiarity`).
        """
        if cosine >= self.long + shortness(words) * (self.short - self.long):
            return True
        everyday = frozenset(self.everyday)
        known = sum(word in everyday for word in words_of(text))
        return known >= MIN_COMMON_WORDS_SHARE * max(words, 1)


MIN_COMMON_WORDS_SHARE = 0.2
"""Share of everyday words below which a sentence far out is taken for another language."""


class ShortCalibration(msgspec.Struct, frozen=True):
    """Tempers the logit of short sentences: few words are little evidence, whatever they say.

    At `SHORT_WORDS` words the logit becomes ``slope * logit + intercept``, at `LONG_WORDS` it stays
    as it is, in between it goes from one to the other.
    """

    slope: float
    intercept: float

    def factor(self, words: int) -> float:
        """Return what the logit of a sentence of so many words is multiplied by."""
        return 1.0 + shortness(words) * (self.slope - 1.0)

    def offset(self, words: int) -> float:
        """Return what is added to the logit of a sentence of so many words."""
        return shortness(words) * self.intercept


class Metrics(msgspec.Struct, frozen=True):
    """Quality on lines that the model had not seen. Rates from 0 to 1."""

    accuracy: float
    auroc: float
    log_loss: float
    ece: float
    """Expected calibration error, ten bins of equal width."""
    recall_at_5fpr: float
    """Off-brand lines found when 5 % of the on-brand lines are flagged."""


class Share(msgspec.Struct, frozen=True):
    """So many of so many, and between which shares the truth lies, 95 times out of 100."""

    count: int
    of: int
    low: float
    """0 to 1."""
    high: float


class DoubtfulLine(msgspec.Struct, frozen=True):
    """A training line whose label the others contradict."""

    place: str
    """``path:line``."""
    label: str
    """"on" or "off", as it is; published copy counts as "on"."""
    p: float
    """P(on-brand) when held out."""
    text: str = ""
    """Empty where the brand's owner left the texts out."""


class TrainingReport(msgspec.Struct, frozen=True):
    """What can be said of a voice from its own training lines, held out, and from probes."""

    held_out: Metrics
    baseline: Metrics | None
    """A bag of words (TF-IDF and logistic regression) on the same folds; None where there were no
    texts of other brands to compare with."""
    weights: dict[str, float]
    """What the stacker gave each member, by its name; those that did not help have none."""
    folds: int
    grouped: bool
    """Whether folds kept the lines of one document together."""
    pages: Share | None = None
    """The brand's own held-out pages that go forward; None where there are too few lines."""
    page_lines: int = 0
    """Held-out lines that make a page where the documents are too short; 0 where pages are
    documents."""
    probes: dict[str, Share] = {}
    """Wrong voice → pages in it that are stopped, which no voice is trained on."""
    stopped: Share | None = None
    """The same of all wrong voices together."""
    right: Share | None = None
    """Held-out lines on the right side of P 0.5."""
    sources: dict[str, Share] = {}
    """Where off-brand lines come from → those of them on the right side of P 0.5."""
    warnings: tuple[str, ...] = ()
    """Why the figures may flatter, one line each."""
    collect: str = ""
    """Which lines would help most; empty where nothing is plainly missing."""
    doubtful: tuple[DoubtfulLine, ...] = ()
    """The lines that are most likely labelled wrongly, the worst first."""


class Manifest(msgspec.Struct, frozen=True):
    """The content of ``voice.json``."""

    format: int
    brand: str
    created: str
    """ISO 8601, UTC."""
    encoder: EncoderReference
    threshold: float
    """Sentences with a lower P are flagged."""
    gate: float
    draft: DraftCalibration
    short: ShortCalibration
    familiarity: OutOfDomainDetector
    labels: LabelCounts
    profile: Profile
    report: TrainingReport
    files: dict[str, str]
    """File name → SHA-256."""
    registers: RegisterAnswer | None = None
    """How far outside its own range a sentence may read; None where the encoder has no registers,
    and in voices of before there were any."""


class Head(Protocol):
    """A head of any kind, as the terms of one linear function.

    ``logit = weights . x + bias + term_weights . tfidf``, calibrated natural-log odds of on-brand
    for the encoder's vector ``x`` and the TF-IDF of the sentence's n-grams. That it is linear is a
    contract: the shares of words are exact only because of it, and one matrix product judges a
    sentence by all voices. A voice is stored as these arrays, and read back as a `LinearHead`.
    """

    @property
    def weights(self) -> NDArray[np.float32]:
        """Shape (dim,), on the encoder's raw features."""

    @property
    def bias(self) -> float:
        """The logit of a sentence whose vector is 0 and which has no known n-gram."""

    @property
    def mean(self) -> NDArray[np.float32]:
        """Shape (dim,): the training lines' mean; ``x - mean`` is the head's own space."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The n-grams that it knows; there may be none."""

    @property
    def term_weights(self) -> NDArray[np.float32]:
        """Shape (terms,), on L2-normalised TF-IDF."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """The head that training makes and files hold; see `Head` for its fields."""

    weights: NDArray[np.float32]
    bias: float
    mean: NDArray[np.float32]
    vocabulary: Vocabulary
    term_weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Examples:
    """The labelled lines, as vectors in the head's own space, to find the nearest one."""

    vectors: NDArray[np.int8]
    """Shape (lines, dim): unit vectors, times 127 over their largest entry. A cosine needs no
    more than a byte, and the file is a quarter of the size."""
    on: NDArray[np.bool_]
    """Shape (lines,)."""
    texts: tuple[str, ...]
    """Empty where the brand's owner left the texts out."""
    sources: tuple[str | None, ...]
    centroid: NDArray[np.float32]
    """Shape (dim,): mean of the on-brand unit vectors, normalised."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One trained brand."""

    manifest: Manifest
    head: Head
    examples: Examples
    folder: Path | None = None
    """Where it was read from or written to."""

    @property
    def brand(self) -> str:
        """The brand's name, also its folder's."""
        return self.manifest.brand


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the rows divided by their length; rows of zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def quantise_rows(vectors: NDArray[np.floating]) -> NDArray[np.int8]:
    """Return unit rows as bytes that keep their direction (cosine error below 0.001)."""
    rows = unit(vectors)
    peak = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12)
    return np.asarray(np.round(rows / peak * 127), np.int8)


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return probabilities from natural-log odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def log_odds(p: float) -> float:
    """Return the natural-log odds of a probability, 0 < p < 1."""
    return math.log(p / (1.0 - p))


def probability(logit: float) -> float:
    """Return the probability that natural-log odds stand for."""
    return 0.5 * (1.0 + math.tanh(0.5 * logit))


Logits = NDArray[np.float32]
CHUNK = 32
"""Sentences whose n-grams are looked up at once: what they gather stays in the cache."""


@dataclass(frozen=True, slots=True)
class _TermWeights:
    """The n-gram heads of all brands side by side, one row a term."""

    index: dict[str, int]
    """Terms in order, so that each block of n-grams is a run of rows."""
    block_boundary: int
    """The first row of the second block."""
    table: NDArray[np.float32]
    """Shape (terms, 2 * brands): inverse document frequency times weight, then its square for the
    L2 norms; together, because what a lookup costs is the way to memory."""

    @classmethod
    def build(cls, voices: Sequence[Voice]) -> _TermWeights:
        terms = sorted({term for voice in voices for term in voice.head.vocabulary.terms})
        index = {term: row for row, term in enumerate(terms)}
        table = np.zeros((len(terms), 2 * len(voices)), np.float32)
        for column, voice in enumerate(voices):
            head = voice.head
            rows = [index[term] for term in head.vocabulary.terms]
            table[rows, column] = head.vocabulary.idf * head.term_weights
            table[rows, len(voices) + column] = head.vocabulary.idf**2
        return cls(index, bisect_left(terms, max(BLOCKS)), table)

    def logits(self, texts: Sequence[str]) -> Logits:
        """Return what the n-grams of each sentence add for each brand, shape (texts, brands)."""
        brands = self.table.shape[1] // 2
        total = np.zeros((len(texts), brands), np.float32)
        found = [Counter(map(self.index.get, terms_of(text))) for text in texts]
        for counts in found:
            counts.pop(None, None)
        rows = np.array([row for counts in found for row in counts], np.intp)
        numbers = np.array([n for counts in found for n in counts.values()])
        owners = np.repeat(np.arange(len(texts)), [len(counts) for counts in found])
        damped = 1.0 + np.log(np.maximum(numbers, 1)).astype(np.float32)
        for block in (rows < self.block_boundary, rows >= self.block_boundary):
            if not block.any():
                continue
            known, starts = np.unique(owners[block], return_index=True)
            values = self.table[rows[block]]
            values *= damped[block, None]
            values[:, brands:] *= damped[block, None]
            sums = np.add.reduceat(values, starts)
            total[known] += sums[:, :brands] / np.maximum(np.sqrt(sums[:, brands:]), 1e-12)
        return total


class Answers(NamedTuple):
    """What voices say of sentences: natural-log odds of on-brand, each (sentences, brands)."""

    logits: Logits
    """The verdict on a sentence: it is on-brand when both answers say so; the lower one counts."""
    heads: Logits
    """Is it the brand's manner, or another organisation's?"""
    registers: Logits
    """Does it read as the brand's own copy does, or like a wrong voice? Infinite where a voice has
    no registers."""


class VoiceBank:
    """Scores sentences against every loaded brand at once."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        """Stack the voices.

        Raises:
            OnbrandError: there are none, two have one name, or they need different encoders.
        """
        check_one_encoder(voices)
        self.voices = tuple(voices)
        self.brands = tuple(voice.brand for voice in voices)
        self._weights = np.stack([voice.head.weights for voice in voices], axis=1)
        self._bias = np.array([voice.head.bias for voice in voices], np.float32)
        centres = np.stack([voice.head.mean for voice in voices], axis=1)
        self._centres = centres / np.maximum(np.linalg.norm(centres, axis=0), 1e-12)
        self._terms = _TermWeights.build(voices)
        shorts = [voice.manifest.short for voice in voices]
        self._short_slopes = np.array([short.slope for short in shorts], np.float32)
        self._short_bias = np.array([short.intercept for short in shorts], np.float32)
        self.registers = _registers_of(voices)

    def logits(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Logits:
        """Return calibrated natural-log odds of on-brand, shape (sentences, brands).

        Args:
            vectors: the encoder's vectors, shape (sentences, dim).
            texts: the sentences themselves, for the n-grams.
        """
        return self.answers(vectors, texts).logits

    def answers(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Answers:
        """Return what the voices say of sentences.

        Args:
            vectors: the encoder's vectors, shape (sentences, dim).
            texts: the sentences themselves, for the n-grams.
        """
        words = [len(words_of(text)) for text in texts]
        heads = self._heads(vectors, texts, words)
        logits, alone = heads.copy(), np.full_like(heads, np.inf)
        if self.registers is not None:
            raw, allowance = self.registers.raw(vectors), self.registers.allowance(words)
            for column, voice in enumerate(self.voices):
                if (answer := voice.manifest.registers) is not None:
                    reading = self.registers.read(raw, allowance, answer, heads[:, column])
                    logits[:, column] = np.minimum(heads[:, column], reading.odds)
                    alone[:, column] = reading.alone
        return Answers(logits, heads, alone)

    def _heads(
        self, vectors: NDArray[np.float32], texts: Sequence[str], words: Sequence[int]
    ) -> Logits:
        logits = vectors @ self._weights + self._bias
        if self._terms.index:
            for start in range(0, len(texts), CHUNK):
                logits[start : start + CHUNK] += self._terms.logits(texts[start : start + CHUNK])
        for row, count in enumerate(words):
            rest = shortness(count)
            if rest:
                logits[row] += rest * ((self._short_slopes - 1.0) * logits[row] + self._short_bias)
        return np.asarray(logits, np.float32)

    def familiarity(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each sentence's cosine to each brand's training lines, (sentences, brands)."""
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors @ self._centres / np.maximum(norms, 1e-12), np.float32)


def _registers_of(voices: Sequence[Voice]) -> Registers | None:
    """Return the registers that the voices need, if they need any."""
    asked = [voice for voice in voices if voice.manifest.registers is not None]
    if not asked:
        return None
    encoder = asked[0].manifest.encoder
    registers = load_registers(encoder.fingerprint)
    if registers is None:
        raise OnbrandError(
            f"voice {asked[0].brand!r} needs the registers of encoder {encoder.name} "
            f"({encoder.fingerprint[:12]}), which this onbrand does not have; update onbrand, or "
            "train the voice again"
        )
    return registers


def check_one_encoder(voices: Sequence[Voice]) -> None:
    """Check that there are voices, each of a name of its own, all for one encoder.

    Raises:
        OnbrandError: it is not so.
    """
    if not voices:
        raise OnbrandError("no voices; train one with onbrand train")
    names = Counter(voice.brand for voice in voices)
    twice = [name for name, n in names.items() if n > 1]
    if twice:
        raise OnbrandError(f"two voices are named {twice[0]!r}; keep one of them")
    first = voices[0].manifest.encoder
    for voice in voices:
        if voice.manifest.encoder.fingerprint != first.fingerprint:
            raise OnbrandError(
                f"voice {voice.brand!r} needs encoder {voice.manifest.encoder.name} "
                f"({voice.manifest.encoder.fingerprint[:12]}), {voices[0].brand!r} needs "
                f"{first.name} ({first.fingerprint[:12]}); train them on one encoder"
            )
