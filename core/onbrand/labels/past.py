"""Which labels say something new, and when they were said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from onbrand.labels.model import Label

_TICK = timedelta(microseconds=1)


class Speaker(NamedTuple):
    """Who spoke of which text."""

    brand: str
    text_key: str
    author: str


class Past:
    """What the store holds about some texts, kept up as labels join it.

    Args:
        ids: senders' ids that are stored.
    """

    def __init__(self, ids: set[str]) -> None:
        self._ids = ids
        self._said: set[tuple[Speaker, datetime, str]] = set()
        self._last: dict[Speaker, tuple[datetime, str]] = {}
        self._now = datetime.now(UTC)

    def hear(self, speaker: Speaker, time: datetime, label: str) -> None:
        """Take note of a stored word; at equal times the one heard later is the last."""
        self._said.add((speaker, time, label))
        if speaker not in self._last or time >= self._last[speaker][0]:
            self._last[speaker] = time, label

    def admit(self, speaker: Speaker, label: Label) -> datetime | None:
        """Take note of a label to be stored and return its time; None if it says nothing new."""
        then, before = self._last.get(speaker, (None, None))
        time = label.time
        if time is None:
            if label.id is None and label.label == before:
                return None
            # Clocks differ between machines; who speaks now speaks last all the same.
            time = self._now if then is None else max(self._now, then + _TICK)
        if label.id in self._ids or (speaker, time, label.label) in self._said:
            return None
        if label.id is not None:
            self._ids.add(label.id)
        self.hear(speaker, time, label.label)
        return time
