"""Published copy: cleaned lines with their brand, some documents of each brand held out."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine

MIN_LINES = 50
"""Lines that a brand needs to take part."""
HELD_OUT = 0.1
"""Share of each brand's lines that is not learnt from."""
MOST_HELD_OUT = 2000
"""Lines in all: more would tell little more, and cost time at each check."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Texts, and by number whose they are."""

    texts: tuple[str, ...]
    owners: tuple[int, ...]
    """Index into `PublishedCopy.brands`."""


@dataclass(frozen=True, slots=True)
class PublishedCopy:
    """Lines to learn from, and lines of other documents to check on."""

    brands: tuple[str, ...]
    learn: Lines
    held_out: Lines
    skipped: dict[str, int]
    """Brands with too few lines, and how many they have."""

    @property
    def digest(self) -> str:
        """Name the copy by its content."""
        parts = [*self.brands, *self.learn.texts, *self.held_out.texts]
        parts += map(str, self.learn.owners + self.held_out.owners)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def prepare(lines: Iterable[LabelLine]) -> PublishedCopy:
    """Clean published lines and hold some documents of each brand out.

    A line that two brands published tells nothing of either and is dropped.

    Args:
        lines: published lines; labels they may have are ignored.

    Raises:
        OnbrandError: fewer than two brands have enough lines.
    """
    by_brand = _by_brand(lines)
    counts = {brand: sum(map(len, docs.values())) for brand, docs in by_brand.items()}
    brands = tuple(sorted(brand for brand, count in counts.items() if count >= MIN_LINES))
    if len(brands) < 2:
        listed = ", ".join(f"{brand}: {count}" for brand, count in sorted(counts.items()))
        raise OnbrandError(
            f"adapting teaches by comparing brands: give at least two brands of {MIN_LINES} "
            f"published lines or more (found {listed or 'none'})"
        )
    share = min(HELD_OUT, MOST_HELD_OUT / sum(counts[brand] for brand in brands))
    learn: list[tuple[str, int]] = []
    held: list[tuple[str, int]] = []
    for owner, brand in enumerate(brands):
        docs = by_brand[brand]
        out = _held_out(docs, share)
        for doc, texts in docs.items():
            (held if doc in out else learn).extend((text, owner) for text in texts)
    return PublishedCopy(
        brands, _lines(learn), _lines(held), {b: n for b, n in counts.items() if b not in brands}
    )


def _by_brand(lines: Iterable[LabelLine]) -> dict[str, dict[str, list[str]]]:
    """Return brand → document → texts, without repeats and texts of several brands."""
    owners: dict[str, set[str]] = defaultdict(set)
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        text = " ".join(line.text.split())
        owners[text].add(line.brand)
        # A line that names no document is one of its own.
        found.setdefault((line.brand, text), text if line.doc is None else line.doc)
    result: dict[str, dict[str, list[str]]] = {}
    for (brand, text), doc in found.items():
        docs = result.setdefault(brand, {})
        if len(owners[text]) == 1:
            docs.setdefault(doc, []).append(text)
    return result


def _held_out(docs: dict[str, list[str]], share: float) -> set[str]:
    """Return documents that hold about ``share`` of a brand's lines; none if all are too long."""
    total = sum(map(len, docs.values()))
    chosen: set[str] = set()
    count = 0
    for doc in sorted(docs, key=_shuffled):
        # A long document must not take away a good part of what there is to learn from.
        if count < share * total and count + len(docs[doc]) <= 2 * share * total:
            chosen.add(doc)
            count += len(docs[doc])
    return chosen


def _shuffled(doc: str) -> bytes:
    return hashlib.sha256(doc.encode("utf-8", "surrogatepass")).digest()


def _lines(pairs: Sequence[tuple[str, int]]) -> Lines:
    return Lines(tuple(text for text, _ in pairs), tuple(owner for _, owner in pairs))


def count_by_brand(copy: PublishedCopy) -> dict[str, int]:
    """Return how many lines of each brand there are to learn from."""
    counts = Counter(copy.learn.owners)
    return {brand: counts[owner] for owner, brand in enumerate(copy.brands)}
