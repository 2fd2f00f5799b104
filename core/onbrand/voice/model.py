"""A voice, its manifest, and `VoiceBank`, which scores sentences by many voices in one product."""

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
    """The number of lines that a voice was trained on."""

    on: int
    off: int
    sha256: str
    """Digest of the sorted label lines: two voices with the same one saw the same labels."""
    published: int = 0
    """Unlabelled published lines that supported the head."""


class RegisterDraft(msgspec.Struct, frozen=True):
    """The registers' log-odds of a draft: ``slope * (mean - center)`` of its sentences."""

    slope: float
    center: float
    """Mean log-odds of a draft that is as likely in a wrong voice as in the brand's."""


class DraftCalibration(msgspec.Struct, frozen=True):
    """Turns the log-odds of a draft's sentences into the log-odds of the draft.

    A draft is on-brand if both answers are, the head's and the registers'; the lower one counts.
    Each is computed for the whole draft before they are compared, because the lower ones of many
    sentences would blur what one of the two knows.

    The head's answer is ``slope * (mean - center) * n**(1 - exponent)``. Exponent 0 treats the
    sentences as independent evidence, with 1 length adds no certainty; training picks the exponent
    that fits held-out groups of sentences best. Beyond `MAX_SENTENCES`, the largest group that is
    fitted, more sentences add no certainty.
    """

    slope: float
    exponent: float
    center: float = 0.0
    """Mean head log-odds of a draft that is as likely another organisation's as the brand's."""
    registers: RegisterDraft | None = None
    """None where the voice has no registers."""

    def logit(
        self, heads: NDArray[np.floating], registers: NDArray[np.floating] | None = None
    ) -> float:
        """Return the log-odds that a draft is on-brand.

        Args:
            heads: the head's log-odds of its sentences, at least one.
            registers: the registers' log-odds of the same sentences.
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
    """Return ``(mean - center) * n**(1 - exponent)`` with logits and length clipped."""
    clipped = np.clip(sentence_logits, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT)
    return float((clipped.mean() - center) * _weight(len(clipped), exponent))


def _weight(sentences: int, exponent: float) -> float:
    return float(min(sentences, MAX_SENTENCES) ** (1.0 - exponent))


MAX_SENTENCE_LOGIT = 5.0
"""No single sentence decides a draft."""
MAX_SENTENCES = 21
"""Sentences in the largest group that drafts are calibrated on."""


class OutOfDomainDetector(msgspec.Struct, frozen=True):
    """Detects sentences that are unlike all training lines and so are not judged.

    Other languages, code and garbled text lie far from the training lines, where a head
    extrapolates wildly. Jargon may lie as far from a small set of labels, but has to be judged. So
    a sentence is out of domain only if its vector is far from the mean of all training lines, on
    and off, *and* it has hardly any of their common words. A mean over few tokens scatters more, so
    short sentences may lie further out.
    """

    short: float
    """Minimum cosine at `SHORT_WORDS` words."""
    long: float
    """Minimum cosine at `LONG_WORDS` words and more."""
    everyday: tuple[str, ...]
    """Common words of the training lines, lower case: mostly "the", "of" and the like."""

    def is_in_domain(self, text: str, words: int, cosine: float) -> bool:
        """Return whether a sentence is enough like the training lines to be judged.

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
"""Share of common words below which a far-out sentence counts as another language."""


class ShortCalibration(msgspec.Struct, frozen=True):
    """Calibrates the logit of short sentences: few words are little evidence.

    At `SHORT_WORDS` words the logit becomes ``slope * logit + intercept``, from `LONG_WORDS` on it
    is unchanged, and in between it is interpolated (`shortness`).
    """

    slope: float
    intercept: float

    def factor(self, words: int) -> float:
        """Return the factor of the logit of a sentence with this many words."""
        return 1.0 + shortness(words) * (self.slope - 1.0)

    def offset(self, words: int) -> float:
        """Return the offset that is added to the logit of a sentence with this many words."""
        return shortness(words) * self.intercept


class Metrics(msgspec.Struct, frozen=True):
    """Quality on held-out lines. Rates from 0 to 1."""

    accuracy: float
    auroc: float
    log_loss: float
    ece: float
    """Expected calibration error, ten bins of equal width."""
    recall_at_5fpr: float
    """Off-brand lines found when 5 % of the on-brand lines are flagged."""


class Share(msgspec.Struct, frozen=True):
    """A proportion with its 95 % confidence interval."""

    count: int
    of: int
    low: float
    """0 to 1."""
    high: float


class DoubtfulLine(msgspec.Struct, frozen=True):
    """A training line whose label the other lines contradict."""

    place: str
    """``path:line``."""
    label: str
    """"on" or "off", as it is; published copy counts as "on"."""
    p: float
    """P(on-brand) when held out."""
    text: str = ""
    """Empty if the voice was trained without keeping texts."""


class TrainingReport(msgspec.Struct, frozen=True):
    """Quality figures of a voice, from its held-out training lines and from probes."""

    held_out: Metrics
    baseline: Metrics | None
    """A bag of words (TF-IDF and logistic regression) on the same folds; None where there were no
    texts of other brands to compare with."""
    weights: dict[str, float]
    """The stacker's weight of each member, by name; members that were dropped are missing."""
    folds: int
    grouped: bool
    """Whether folds kept the lines of one document together."""
    pages: Share | None = None
    """The brand's own held-out pages that go forward; None where there are too few lines."""
    page_lines: int = 0
    """Held-out lines per page if documents were too short to be pages, else 0."""
    probes: dict[str, Share] = {}
    """Wrong voice → probe pages in it that are stopped; no voice is trained on them."""
    stopped: Share | None = None
    """`probes` of all wrong voices together."""
    right: Share | None = None
    """Held-out lines on the right side of P 0.5."""
    sources: dict[str, Share] = {}
    """Source of off-brand lines → its lines on the right side of P 0.5."""
    warnings: tuple[str, ...] = ()
    """Why the figures may flatter, one line each."""
    collect: str = ""
    """Advice on which lines would help most; empty if nothing is plainly missing."""
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
    """The answer by registers; None if the encoder has no registers, or the voice is older than
    they are."""


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
    """Empty if the voice was trained without keeping texts."""
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
"""Sentences whose n-grams are looked up at once: small enough for the CPU cache."""


@dataclass(frozen=True, slots=True)
class _TermWeights:
    """The n-gram heads of all brands side by side, one row a term."""

    index: dict[str, int]
    """Sorted terms → row, so that each block of n-grams is a run of rows."""
    block_boundary: int
    """The first row of the second block."""
    table: NDArray[np.float32]
    """Shape (terms, 2 * brands): inverse document frequency times weight, then its square for the
    L2 norms. Both are in one row because memory access dominates the cost of a look-up."""

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
        """Return the n-grams' part of each logit, shape (texts, brands)."""
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
    """The answers of voices: natural-log odds of on-brand, each of shape (sentences, brands)."""

    logits: Logits
    """The verdict: the lower of the two answers below, as both have to hold."""
    heads: Logits
    """The head's answer: is it in the brand's manner or in another organisation's?"""
    registers: Logits
    """The registers' answer: does it read like the brand's own copy or like a wrong voice? Infinite
    where a voice has no registers."""


class VoiceBank:
    """Scores sentences against every loaded brand at once."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        """Put the heads of the voices side by side.

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
        """Return both answers of every voice on each sentence.

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
    """Return the registers that the voices use, None if they use none."""
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
    """Check that there are voices, with distinct names and for one encoder.

    Raises:
        OnbrandError: there are none, two have one name, or they need different encoders.
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
