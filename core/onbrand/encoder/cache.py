"""A small thread-safe cache of sentence vectors."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray


class VectorCache:
    """Least-recently-used vectors by text; at most ``size`` of them, 0 keeps none."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, text: str) -> NDArray[np.float32] | None:
        """Return the vector of ``text``, or None; the caller must not write to it."""
        with self._lock:
            vector = self._vectors.get(text)
            if vector is not None:
                self._vectors.move_to_end(text)
            return vector

    def put(self, text: str, vector: NDArray[np.float32]) -> None:
        """Keep a copy of ``vector``, so that no batch stays alive for the sake of one row."""
        if self._size <= 0:
            return
        copy = vector.copy()
        with self._lock:
            self._vectors[text] = copy
            self._vectors.move_to_end(text)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
