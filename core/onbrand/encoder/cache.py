"""A small thread-safe cache of what was encoded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Encoded(NamedTuple):
    """What encoding a text gave."""

    vector: NDArray[np.float32]
    """Shape (dim,); not to be written to."""
    truncated: bool
    """Whether only the start of the text went into it."""


class VectorCache:
    """Least-recently-used vectors by text; at most ``size`` of them, 0 keeps none."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, Encoded] = OrderedDict()

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, text: str) -> Encoded | None:
        """Return what encoding ``text`` gave, if it is remembered."""
        with self._lock:
            encoded = self._vectors.get(text)
            if encoded is not None:
                self._vectors.move_to_end(text)
            return encoded

    def put(self, text: str, vector: NDArray[np.float32], *, truncated: bool) -> None:
        """Keep a copy of ``vector``, so that no batch stays alive for the sake of one row."""
        if self._size <= 0:
            return
        copy = Encoded(vector.copy(), truncated)
        with self._lock:
            self._vectors[text] = copy
            self._vectors.move_to_end(text)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
