"""From label lines to training sets: repeats once, contradictions out, enough of both classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from itertools import islice

from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine
from onbrand.labels.normalization import text_key

MIN_PER_CLASS = 10
_SHOWN = 5


def ignore(_message: str) -> None:
    """Take no notice of a warning."""


def drop_contradictions(
    lines: Iterable[LabelLine],
    *,
    by: Callable[[LabelLine], Hashable],
    warn: Callable[[str], None] = ignore,
) -> list[LabelLine]:
    """Leave out the lines of which one says on and another off.

    Args:
        lines: labelled lines.
        by: what makes two lines speak of the same thing.
        warn: told of contradictions, one line each and no more than a handful.
    """
    keyed = [(by(line), line) for line in lines]
    firsts: dict[Hashable, LabelLine] = {}
    clashes: dict[Hashable, LabelLine] = {}
    for key, line in keyed:
        if firsts.setdefault(key, line).label != line.label:
            clashes.setdefault(key, line)
    for key, line in islice(clashes.items(), _SHOWN):
        first = firsts[key]
        warn(
            f'{first.path}:{first.line}: labelled "{first.label}" here and "{line.label}" in '
            f"{line.path}:{line.line}; both dropped"
        )
    if len(clashes) > _SHOWN:
        warn(f"{len(clashes) - _SHOWN:,} more texts are labelled both on and off; all dropped")
    return [line for key, line in keyed if key not in clashes]


def group_by_brand(
    lines: Iterable[LabelLine],
    *,
    minimum: int = MIN_PER_CLASS,
    warn: Callable[[str], None] = ignore,
) -> dict[str, list[LabelLine]]:
    """Return each brand's training lines, in the order they were read.

    Exact repeats (same normalised text and label) are kept once; a text that is labelled both ways
    for one brand is dropped on both sides and told to ``warn``. Lines without a label are left out.

    Raises:
        OnbrandError: there are no labelled lines, a brand has fewer than ``minimum`` lines of one
            class, or two brands differ only in case and would share a folder on some systems.
    """
    labelled = [line for line in lines if line.label is not None]
    if not labelled:
        raise OnbrandError('no labelled lines; label lines "on" or "off"')
    _check_spelling(labelled)
    agreed = drop_contradictions(labelled, by=_brand_and_text, warn=warn)
    brands: dict[str, list[LabelLine]] = {line.brand: [] for line in labelled}
    once: dict[tuple[str, str], LabelLine] = {}
    for line in agreed:
        once.setdefault(_brand_and_text(line), line)
    for line in once.values():
        brands[line.brand].append(line)
    for brand, own in brands.items():
        path = next(line.path for line in labelled if line.brand == brand)
        _check_classes(brand, own, minimum, path)
    return brands


def _brand_and_text(line: LabelLine) -> tuple[str, str]:
    return line.brand, text_key(line.text)


def _check_spelling(lines: Iterable[LabelLine]) -> None:
    seen: dict[str, LabelLine] = {}
    for line in lines:
        first = seen.setdefault(line.brand.casefold(), line)
        if first.brand != line.brand:
            raise line.error(
                f'brand "{line.brand}" differs only in case from "{first.brand}" '
                f"({first.path}:{first.line}); use one spelling"
            )


def _check_classes(brand: str, lines: list[LabelLine], minimum: int, path: str) -> None:
    counts: Counter[str | None] = Counter(line.label for line in lines)
    for label, other in (("on", "off"), ("off", "on")):
        if counts[label] >= minimum:
            continue
        if not lines:
            have = "has no lines left, each text is labelled both ways"
        elif not counts[label]:
            have = f'has only "{other}" lines ({counts[other]})'
        else:
            have = f'has {counts[label]} different lines labelled "{label}"'
        raise OnbrandError(
            f'brand "{brand}" {have}; add {minimum - counts[label]} or more labelled "{label}" '
            f"({minimum} of each are the least)",
            path=path,
        )
