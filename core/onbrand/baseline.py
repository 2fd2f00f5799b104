"""Known findings, so that old text does not block new work.

A finding is known by a hash of its brand and its sentence, counted per file, so it stays known
when lines move and becomes new when its words change. The file holds hashes and paths and no text
of the drafts; who has a sentence can check whether it is in there.
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

_MEND = "make a new one with `onbrand check --update-baseline`"
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
    """By path from the baseline's folder: how often each fingerprint was found."""


def fingerprint(sentence: SentenceVerdict) -> str:
    """Return 16 hexadecimal digits that name a brand and a sentence, wherever it stands."""
    text = unicodedata.normalize("NFC", " ".join(sentence.text.split()))
    data = f"{sentence.brand}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:16]


def load_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        OnbrandError: it is missing, unreadable, damaged or of a newer version.
    """
    if _is_missing(path):
        raise OnbrandError(f"no such baseline; {_MEND}", path=path)
    text = read_text(path)
    try:
        content = msgspec.json.decode(text, type=_BaselineFile)
    except (msgspec.DecodeError, RecursionError) as error:
        byte = re.search(r"\(byte (\d+)\)", str(error))
        line = text.encode().count(b"\n", 0, int(byte[1])) + 1 if byte else None
        raise OnbrandError(f"is no baseline ({error}); {_MEND}", path=path, line=line) from None
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
    """Clear the flag of known findings; of equal sentences the first ones are the known ones.

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
    """Return the file's path from the baseline's folder, the same from every working folder."""
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
    except OSError:  # it may be there: let reading it say why it cannot be read
        return False
    return False
