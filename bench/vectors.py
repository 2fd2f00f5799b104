"""An encoder that keeps every vector of a run, so that nothing is encoded twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder


class KeptEncoder(Encoder):
    """The default encoder; its vectors are kept as float16, and in a file where one is named."""

    kept: dict[str, NDArray[np.float16]]
    file: Path | None

    @classmethod
    def open(cls, file: Path | None = None) -> Self:
        """Load the encoder, and the vectors of an earlier run that used the same one."""
        encoder = cls.load(cache_size=0)
        encoder.kept, encoder.file = {}, file
        if file is not None and file.is_file():
            with np.load(file, allow_pickle=False) as found:
                if str(found["fingerprint"]) == encoder.fingerprint:
                    texts = found["texts"].tobytes().decode("utf-8").split("\0")
                    encoder.kept = dict(zip(texts, found["vectors"], strict=True))
        return encoder

    def encode(self, texts: Sequence[str], **options: Any) -> NDArray[np.float32]:  # noqa: ANN401
        """Return the vectors of texts, shape (texts, dim); see `Encoder.encode`."""
        new = list(dict.fromkeys(text for text in texts if text not in self.kept))
        self.kept.update(zip(new, super().encode(new, **options).astype(np.float16), strict=True))
        rows = np.empty((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            rows[row] = self.kept[text]
        return rows

    def save(self) -> None:
        """Write the vectors to the file, where one is named."""
        if self.file is not None and self.kept:
            joined = np.frombuffer("\0".join(self.kept).encode("utf-8"), np.uint8)
            with self.file.open("wb") as file:
                np.savez(
                    file,
                    fingerprint=self.fingerprint,
                    texts=joined,
                    vectors=np.stack(list(self.kept.values())),
                )
