"""The sentence encoder: a bundle of files on disk, and the runtime that turns text into vectors.

Voices, training and `Scorer` take any `SentenceEncoder`; `Encoder` is the one that onbrand ships.
Importing this package is cheap; onnxruntime and tokenizers load with the first encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from onbrand.encoder.bundle import EncoderManifest, default_bundle, find_bundles, read_manifest
from onbrand.encoder.runtime import Encoder, Floats, TokenParts
from onbrand.progress import Progress, silent

__all__ = [
    "Encoder",
    "EncoderManifest",
    "SentenceEncoder",
    "TokenParts",
    "default_bundle",
    "find_bundles",
    "read_manifest",
]


class SentenceEncoder(Protocol):
    """An encoder of any kind; safe to use from several threads.

    The same text always gets the same vector. A subclass may leave out what has a default here.
    """

    threads: int = 1
    """Threads that may use it at once."""

    @property
    def name(self) -> str:
        """The name that messages call it by."""

    @property
    def fingerprint(self) -> str:
        """An id of all that decides its vectors: a voice works with the encoder that it names."""

    @property
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def hidden(self) -> int:
        """How many columns, the last ones, are near for like content; all of them by default."""
        return self.dim

    @property
    def max_tokens(self) -> int:
        """The number of tokens from which texts are truncated; without a limit by default."""
        return 2**31

    def encode(
        self,
        texts: Sequence[str],
        *,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress = silent,
    ) -> Floats:
        """Return the vectors of ``texts``, shape (len(texts), dim); see `Encoder.encode`."""

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenParts]:
        """Return for each text how its tokens add up to its vector (for explanations)."""

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Return which texts are truncated to `max_tokens`; none by default."""
        return [False] * len(texts)
