"""The corpus of published lines with their brands: cleaning, hold-out split, and batches."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine
from onbrand.report.message import plural

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


MIN_LINES = 50
"""Lines that a brand needs to be trained on."""
HELD_OUT_SHARE = 0.1
"""Share of each brand's lines that is held out from training."""
MAX_HELD_OUT = 2000
"""Lines held out of all brands: more would hardly be more exact, and slow each evaluation."""
MIN_HELD_OUT_PER_BRAND = 4
"""Held-out lines that a brand needs to be evaluated: two to fit a classifier, two to test it."""

_ByDocument = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Lines:
    """Texts and the brands that published them."""

    texts: tuple[str, ...]
    owners: tuple[int, ...]
    """The brand of each text, an index into `Corpus.brands`."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Lines to train on, and lines of other documents to evaluate on."""

    brands: tuple[str, ...]
    train: Lines
    held_out: Lines
    skipped: dict[str, int]
    """Brands with too few lines, with the number of lines."""
    off_brand: int
    """Number of lines that were left out because they are labelled off."""
    split_by_line: frozenset[int]
    """Brands without documents to hold out, so that single lines of training documents were."""

    @property
    def evaluable_brands(self) -> tuple[int, ...]:
        """The brands with enough held-out lines to evaluate an encoder on; at least two."""
        counts = Counter(self.held_out.owners)
        return tuple(
            owner for owner in range(len(self.brands)) if counts[owner] >= MIN_HELD_OUT_PER_BRAND
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        parts = [*self.brands, *self.train.texts, *self.held_out.texts]
        parts += map(str, self.train.owners + self.held_out.owners)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def split_corpus(lines: Iterable[LabelLine]) -> Corpus:
    """Clean published lines and hold out some documents of each brand.

    A line that two brands published is dropped. If fewer than two brands have documents to hold
    out, single lines are held out of the other brands: without any held-out lines nothing would
    show whether adapting helps.

    Args:
        lines: published lines; those labelled off are dropped.

    Raises:
        OnbrandError: fewer than two brands have enough lines.
    """
    given = list(lines)
    published = [line for line in given if line.label != "off"]
    by_brand = _by_brand(published)
    counts = {brand: sum(map(len, docs.values())) for brand, docs in by_brand.items()}
    brands = tuple(sorted(brand for brand, count in counts.items() if count >= MIN_LINES))
    if len(brands) < 2:
        raise _too_few(counts, len(published), len(given))
    share = min(HELD_OUT_SHARE, MAX_HELD_OUT / sum(counts[brand] for brand in brands))
    out, by_line = _choose([by_brand[brand] for brand in brands], share)
    train: list[tuple[str, int]] = []
    held: list[tuple[str, int]] = []
    for owner, brand in enumerate(brands):
        for texts in by_brand[brand].values():
            for text in texts:
                (held if text in out[owner] else train).append((text, owner))
    return Corpus(
        brands,
        _lines(train),
        _lines(held),
        skipped={brand: count for brand, count in counts.items() if brand not in brands},
        off_brand=len(given) - len(published),
        split_by_line=by_line,
    )


def _too_few(counts: dict[str, int], published: int, given: int) -> OnbrandError:
    """Return the error for too small a corpus, with the lines found and those left out."""
    found = ", ".join(f"{brand}: {count}" for brand, count in sorted(counts.items())) or "none"
    if twice := published - sum(counts.values()):
        found += (
            f"; {twice:,} of {plural(published, 'line')} left out, being repeats or published by "
            "several brands"
        )
    if off := given - published:
        found += f"; {plural(off, 'line')} labelled off left out"
    return OnbrandError(
        f"adapting teaches by comparing brands: give at least two brands of {MIN_LINES} "
        f"published lines or more (found {found})"
    )


def _by_brand(lines: Iterable[LabelLine]) -> dict[str, _ByDocument]:
    """Return brand → document → texts, without repeats and texts of several brands."""
    owners: dict[str, set[str]] = defaultdict(set)
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        text = line.one_line
        owners[text].add(line.brand)
        # A line without a document is a document of its own.
        found.setdefault((line.brand, text), text if line.doc is None else line.doc)
    result: dict[str, _ByDocument] = {}
    for (brand, text), doc in found.items():
        docs = result.setdefault(brand, {})
        if len(owners[text]) == 1:
            docs.setdefault(doc, []).append(text)
    return result


def _choose(copy: Sequence[_ByDocument], share: float) -> tuple[list[set[str]], frozenset[int]]:
    """Return each brand's texts to hold out, and the brands of which they are single lines."""
    chosen = [_held_out(docs, share) for docs in copy]
    few = frozenset(
        owner for owner, texts in enumerate(chosen) if len(texts) < MIN_HELD_OUT_PER_BRAND
    )
    if len(copy) - len(few) >= 2:
        return chosen, frozenset()
    for owner in few:
        texts = [text for texts in copy[owner].values() for text in texts]
        # Each line counts as a document of its own.
        single = {text: [text] for text in texts}
        chosen[owner] = _held_out(single, max(share, MIN_HELD_OUT_PER_BRAND / len(texts)))
    return chosen, few


def _held_out(docs: _ByDocument, share: float) -> set[str]:
    """Return the texts of documents with about ``share`` of a brand's lines; long ones stay."""
    total = sum(map(len, docs.values()))
    chosen: set[str] = set()
    for doc in sorted(docs, key=_shuffled):
        # A long document would take a large part of the training lines away.
        if len(chosen) < share * total and len(chosen) + len(docs[doc]) <= 2 * share * total:
            chosen.update(docs[doc])
    return chosen


def _shuffled(doc: str) -> bytes:
    return hashlib.sha256(doc.encode("utf-8", "surrogatepass")).digest()


def _lines(pairs: Sequence[tuple[str, int]]) -> Lines:
    return Lines(tuple(text for text, _ in pairs), tuple(owner for _, owner in pairs))


def count_by_brand(corpus: Corpus) -> dict[str, int]:
    """Return the number of training lines of each brand."""
    counts = Counter(corpus.train.owners)
    return {brand: counts[owner] for owner, brand in enumerate(corpus.brands)}


_NEIGHBOURS = 16
"""Batches whose lines are sorted by length together, so that little of a batch is padding."""


class Batch(NamedTuple):
    """A batch of tokenised lines."""

    ids: Tensor
    """(lines, tokens) of int64."""
    mask: Tensor
    """(lines, tokens) of int64, 0 at padding."""
    owners: Tensor
    """(lines,) of int64: the brands."""


class Batches:
    """Tokenised lines, shuffled into batches anew for each epoch."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, lines: Lines, *, size: int, max_tokens: int
    ) -> None:
        """Tokenise the lines.

        Args:
            tokenizer: the model's.
            lines: texts and brands.
            size: lines of a batch.
            max_tokens: longer lines are cut.
        """
        self._ids: list[list[int]] = (
            tokenizer(list(lines.texts), truncation=True, max_length=max_tokens)["input_ids"]
            if lines.texts
            else []
        )
        self._owners = lines.owners
        self._size = size
        self._padding = tokenizer.pad_token_id or 0

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-len(self._ids) // self._size)

    def epoch(self, seed: int) -> Iterator[Batch]:
        """Yield every line once; the same seed gives the same batches."""
        rng = random.Random(seed)  # noqa: S311 - an order, not a secret
        order = list(range(len(self._ids)))
        rng.shuffle(order)
        stretch = self._size * _NEIGHBOURS
        chunks = []
        for start in range(0, len(order), stretch):
            near = sorted(order[start : start + stretch], key=lambda i: len(self._ids[i]))
            chunks += [near[i : i + self._size] for i in range(0, len(near), self._size)]
        rng.shuffle(chunks)
        return map(self._batch, chunks)

    def in_order(self) -> Iterator[tuple[Sequence[int], Batch]]:
        """Yield every line once, the longest first: pairs of line numbers and their batch."""
        order = sorted(range(len(self._ids)), key=lambda i: -len(self._ids[i]))
        for start in range(0, len(order), self._size):
            chosen = order[start : start + self._size]
            yield chosen, self._batch(chosen)

    def _batch(self, chosen: Sequence[int]) -> Batch:
        import torch

        longest = max(len(self._ids[i]) for i in chosen)
        ids = torch.full((len(chosen), longest), self._padding)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(chosen):
            ids[row, : len(self._ids[i])] = torch.tensor(self._ids[i])
            mask[row, : len(self._ids[i])] = 1
        return Batch(ids, mask, torch.tensor([self._owners[i] for i in chosen]))
