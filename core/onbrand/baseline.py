"""Baselines: files of known findings, which ``onbrand check`` then leaves out.

A finding is known by a hash of its brand and its sentence, counted per file: it stays known when
lines move, and is new when its words change. The file holds hashes and paths, and no text of the
drafts; with a sentence at hand, one can tell whether its hash is in the file.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from onbrand.errors import OnbrandError
from onbrand.files import read_text, write_atomic
from onbrand.report.message import printable
from onbrand.results import Report, SentenceVerdict

_HINT = "make a new one with `onbrand check --update-baseline`"
_ABOUT = "Known findings of `onbrand check`: hashes of sentences, no text."


class _BaselineFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    files: dict[str, dict[str, Annotated[int, msgspec.Meta(ge=1)]]]
    about: str = _ABOUT


@dataclass(frozen=True, slots=True)
class Baseline:
    """The findings of earlier runs."""

    path: Path
    files: dict[str, Counter[str]]
    """File, relative to the baseline's folder → how often each fingerprint was found in it."""


def fingerprint(sentence: SentenceVerdict) -> str:
    """Return 16 hexadecimal digits that identify a brand and a sentence, whatever its place."""
    text = unicodedata.normalize("NFC", " ".join(sentence.text.split()))
    data = f"{sentence.brand}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:16]


def load_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        OnbrandError: it is missing, unreadable, damaged or of a newer version.
    """
    if _is_missing(path):
        raise OnbrandError(f"no such baseline; {_HINT}", path=path)
    text = read_text(path)
    try:
        content = msgspec.json.decode(text, type=_BaselineFile)
    except (msgspec.DecodeError, RecursionError) as error:
        byte = re.search(r"\(byte (\d+)\)", str(error))
        line = text.encode().count(b"\n", 0, int(byte[1])) + 1 if byte else None
        raise OnbrandError(f"is no baseline ({error}); {_HINT}", path=path, line=line) from None
    return Baseline(path, {name: Counter(known) for name, known in content.files.items()})


def write_baseline(path: Path, reports: Iterable[Report]) -> int:
    """Record the flagged sentences of ``reports`` as known, as they are before `apply_baseline`.

    Files that were not checked keep their findings as long as they exist.

    Returns:
        The number of findings recorded for the checked files.

    Raises:
        OnbrandError: a file is there that is no baseline, or it cannot be written.
    """
    old = {} if _is_missing(path) else load_baseline(path).files
    files = {name: known for name, known in old.items() if (path.parent / name).exists()}
    found: dict[str, Counter[str]] = {}
    for report in reports:
        counter = found.setdefault(_name(report, path), Counter())
        counter.update(fingerprint(sentence) for sentence in report.flagged)
    files |= found
    content = _BaselineFile(
        version=1,
        files={name: dict(sorted(files[name].items())) for name in sorted(files) if files[name]},
    )
    write_atomic(path, msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
    return sum(counter.total() for counter in found.values())


def apply_baseline(reports: Sequence[Report], baseline: Baseline) -> tuple[list[Report], int]:
    """Clear the flags of known findings; of equal sentences the first ones count as known.

    Returns:
        The reports, and the number of findings that were cleared.
    """
    left = {name: known.copy() for name, known in baseline.files.items()}
    cleared = [_clear(r, left.get(_name(r, baseline.path), Counter())) for r in reports]
    before, after = (sum(len(r.flagged) for r in batch) for batch in (reports, cleared))
    return cleared, before - after


def _clear(report: Report, left: Counter[str]) -> Report:
    sentences = []
    for sentence in report.sentences:
        if sentence.flagged:
            key = fingerprint(sentence)
            if left[key] > 0:
                left[key] -= 1
                sentence = replace(sentence, flagged=False)
        sentences.append(sentence)
    return replace(report, sentences=tuple(sentences))


def _name(report: Report, baseline: Path) -> str:
    """Return the path relative to the baseline's folder, the same in every working folder."""
    try:
        relative = os.path.relpath(report.path, baseline.absolute().parent)
    except ValueError:  # another drive on Windows
        relative = str(Path(report.path).absolute())
    return printable(Path(relative).as_posix())


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it may exist: reading it raises the error to show
        return False
    return False
