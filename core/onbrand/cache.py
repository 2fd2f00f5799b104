"""What was worked out before: bounded memories of the latest used, safe in several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]
MAX_LENGTH = 10_000
"""Characters; what is longer is no sentence, and debris shall not fill the memory."""


Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The latest used values by key, at most ``size`` of them; 0 keeps none."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return the value of ``key``, if it is remembered."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Key, value: Value) -> None:
        """Remember a value, and forget the one that was not used for the longest time."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)


class RecentRecords:
    """Records of sentences, the latest used ones, in one block of memory.

    Args:
        size: how many records to keep; 0 keeps none.
        record: their type. They lie in one block, which takes memory as it fills.
    """

    def __init__(self, size: int, record: np.dtype[np.void]) -> None:
        self._records = np.empty(size, record)
        self._places: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, texts: Sequence[str], records: Records) -> dict[str, list[int]]:
        """Copy what is known into ``records``; return the other texts with their places there."""
        rows: list[int] = []
        places: list[int] = []
        missing: dict[str, list[int]] = {}
        with self._lock:
            for row, text in enumerate(texts):
                place = self._places.get(text)
                if place is None:
                    missing.setdefault(text, []).append(row)
                else:
                    self._places.move_to_end(text)
                    rows.append(row)
                    places.append(place)
            records[rows] = self._records[places]
        return missing

    def keep(self, texts: Sequence[str], records: Records) -> None:
        """Remember the records of texts, in the places of the oldest where all are taken."""
        size = len(self._records)
        if not size:
            return
        with self._lock:
            for text, record in zip(texts, records, strict=True):
                if len(text) > MAX_LENGTH:
                    continue
                place = self._places.pop(text, None)  # another thread may have been quicker
                if place is None and len(self._places) == size:
                    _, place = self._places.popitem(last=False)
                self._places[text] = len(self._places) if place is None else place
                self._records[self._places[text]] = record
