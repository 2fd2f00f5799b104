"""The types of the label store, the rule for which labels are new, and the store's location.

Needs no SQLAlchemy, since most callers that ask for the location have no store.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from onbrand.errors import OnbrandError
from onbrand.labels.files import LabelLine
from onbrand.labels.normalization import check_brand, clean_text, normalise_text

Source = Literal["file", "editor", "slack", "import"]
SOURCES: tuple[Source, ...] = get_args(Source)
_MAX_NAME = 256


@dataclass(frozen=True, slots=True)
class Label:
    """One author's label of one text, made storable by `clean_text` and `check_brand`.

    Raises:
        OnbrandError: a field cannot be stored.
    """

    text: str
    brand: str
    label: Literal["on", "off"]
    author: str = ""
    """A stable name of the author; empty where it is not known."""
    source: Source = "import"
    document: str | None = None
    time: datetime | None = None
    """With a time zone; None: now, and after all labels of this text by the author."""
    id: str | None = None
    """The sender's own id, where a label may be delivered repeatedly; it is stored once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "brand", check_brand(self.brand))
        for name in ("text", "author", "document", "id"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, clean_text(value))
        if not normalise_text(self.text):
            raise OnbrandError("a label needs a text")
        if self.label not in ("on", "off"):
            raise OnbrandError(f'unknown label {self.label!r}; expected "on" or "off"')
        if self.source not in SOURCES:
            raise OnbrandError(f"unknown source {self.source!r}; expected {', '.join(SOURCES)}")
        if self.time is not None and self.time.tzinfo is None:
            raise OnbrandError("the time of a label needs a zone, e.g. 2025-03-04T12:00:00Z")
        for name, value in (("author", self.author), ("id", self.id or "")):
            if len(value) > _MAX_NAME:
                raise OnbrandError(f"the {name} of a label has more than {_MAX_NAME} characters")


def label_of(line: LabelLine, author: str = "") -> Label:
    """Return the label of a line that was read from a file.

    Args:
        line: a labelled line; a source that is not one of `SOURCES` counts as "import".
        author: the author of lines that name none.

    Raises:
        OnbrandError: its time is not ISO 8601 with a zone, or a field cannot be stored.
    """
    if line.label is None:
        raise line.error('"label" is missing; expected "on" or "off"')
    try:
        time = None if line.time is None else datetime.fromisoformat(line.time.strip())
    except ValueError:
        raise line.error(
            f"time {line.time!r:.40} is not ISO 8601; write it like 2025-03-04T12:00:00Z"
        ) from None
    try:
        return Label(
            text=line.text,
            brand=line.brand,
            label=line.label,
            author=line.author or author,
            source=next((known for known in SOURCES if known == line.source), "import"),
            document=line.doc,
            time=time,
        )
    except OnbrandError as error:
        raise line.error(error.message) from None


@dataclass(frozen=True, slots=True)
class ResolvedLabel:
    """The label of a text by the latest label of each author."""

    text: str
    """As in the latest label."""
    brand: str
    label: Literal["on", "off"] | None
    """The majority's label; None for a tie."""
    votes_on: int
    votes_off: int
    authors: tuple[str, ...]
    sources: tuple[str, ...]
    document: str | None
    time: datetime
    """Of the latest label, UTC."""

    @property
    def disputed(self) -> bool:
        """Whether its authors disagree."""
        return bool(self.votes_on and self.votes_off)


@dataclass(frozen=True, slots=True)
class BrandStats:
    """Counts of a brand's labelled texts."""

    brand: str
    on: int
    off: int
    undecided: int
    """Texts with a tie, which training leaves out."""
    disputed: int
    """Texts on which authors disagree, the undecided ones included."""
    authors: int
    sources: dict[str, int]
    """Source → number of texts with an author's latest label from it."""
    last: datetime


_TICK = timedelta(microseconds=1)


class LabelKey(NamedTuple):
    """Identifies the labels of one text by one author."""

    brand: str
    text_key: str
    author: str


class LabelHistory:
    """The stored labels of some texts; decides which further labels are new.

    Args:
        ids: the senders' ids that are stored already.
    """

    def __init__(self, ids: set[str]) -> None:
        self._ids = ids
        self._said: set[tuple[LabelKey, datetime, str]] = set()
        self._last: dict[LabelKey, tuple[datetime, str]] = {}
        self._now = datetime.now(UTC)

    def add(self, key: LabelKey, time: datetime, label: str) -> None:
        """Add a stored label; of those at one time the one added last is the latest."""
        self._said.add((key, time, label))
        if key not in self._last or time >= self._last[key][0]:
            self._last[key] = time, label

    def accept(self, key: LabelKey, label: Label) -> datetime | None:
        """Add a label that is to be stored and return its time; None if it is not new."""
        then, before = self._last.get(key, (None, None))
        time = label.time
        if time is None:
            if label.id is None and label.label == before:
                return None
            # Clocks of machines differ: a label that is given now must be the latest in any case.
            time = self._now if then is None else max(self._now, then + _TICK)
        if label.id in self._ids or (key, time, label.label) in self._said:
            return None
        if label.id is not None:
            self._ids.add(label.id)
        self.add(key, time, label.label)
        return time


LOCATION_VARIABLE = "ONBRAND_LABELS_DB"
PROJECT_STORE = Path(".onbrand", "labels.db")


def default_location(start: Path | None = None) -> str:
    """Return the path or URL of the default label store.

    Args:
        start: the folder whose configuration counts; the working directory by default.
    """
    from onbrand.config import settings_for

    folder = (start or Path.cwd()).resolve()
    return location_for(folder, settings_for(folder / "labels").labels_db)


def location_for(folder: Path, configured: str | None) -> str:
    """Return the path or URL of the label store for a folder.

    In this order: the environment's ``ONBRAND_LABELS_DB``, ``labels_db`` in the configuration, the
    nearest ``.onbrand/labels.db`` from the folder upwards, ``labels.db`` in the user's data folder.
    """
    named = os.environ.get(LOCATION_VARIABLE) or configured
    if named:
        return named
    for parent in (folder, *folder.parents):
        if (parent / PROJECT_STORE).is_file():
            return str(parent / PROJECT_STORE)
    from platformdirs import user_data_path

    return str(user_data_path("onbrand", appauthor=False) / "labels.db")
