"""Runs an encoder bundle: from texts to vectors, by onnxruntime and tokenizers, without torch."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from onbrand.cache import LRUCache
from onbrand.encoder.bundle import (
    INPUTS,
    MANIFEST,
    MODEL,
    STATES,
    TOKENIZER,
    VECTORS,
    EncoderManifest,
    bundle_at,
    default_bundle,
    read_file,
    read_manifest,
)
from onbrand.encoder.graph import graph_problems, read_graph
from onbrand.encoder.tokenizer import load_tokenizer
from onbrand.errors import Cancelled, OnbrandError, wrap_errors
from onbrand.progress import Progress, ProgressEvent, silent

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

Floats = NDArray[np.float32]

_BATCH_TOKENS = 256
"""Tokens in a batch, padding included: enough for the kernels, and small for the L2 cache."""
_WINDOW = 2048
_CANNOT_ENCODE = "cannot encode this text; export it again from a sound model"
_CANNOT_TOKENIZE = "cannot put this text into tokens; export it again from a sound model"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TokenParts:
    """The share of each token in a text's vector: ``parts.sum(axis=0)`` is the vector."""

    spans: NDArray[np.int32]
    """(tokens, 2): half-open ranges of the text in code points; empty for special tokens."""
    parts: Floats
    """(tokens, dim)"""


class Encoder:
    """Turns texts into the vectors that the voices judge; safe to use from several threads.

    Load one with `Encoder.load`.
    """

    def __init__(
        self,
        manifest: EncoderManifest,
        session: InferenceSession,
        tokenizer: Tokenizer,
        threads: int,
        cache: int,
        folder: Path,
    ) -> None:
        self.manifest = manifest
        self.folder = folder
        self.name = manifest.name
        self.fingerprint = manifest.fingerprint
        self.dim = manifest.dim
        self.hidden = manifest.hidden
        self.layers = manifest.layers
        self.max_tokens = manifest.max_tokens
        self._session = session
        self._tokenizer = tokenizer
        self.threads = threads
        self._cache = LRUCache[str, _Encoded](cache)

    @classmethod
    def load(
        cls, folder: Path | None = None, *, threads: int | None = None, cache_size: int = 4096
    ) -> Self:
        """Load the bundle in ``folder``, or the one that ships with onbrand.

        Args:
            folder: the bundle, or an installation that holds one; every file is checked against
                its manifest first.
            threads: workers for long lists of texts; the CPUs of this process by default.
            cache_size: how many vectors to remember (10 kB each for the default encoder).

        Raises:
            OnbrandError: no bundle there, or a broken or tampered one.
        """
        folder = default_bundle() if folder is None else bundle_at(folder)
        manifest = read_manifest(folder)
        for name in manifest.files.keys() - {MODEL, TOKENIZER}:
            read_file(folder, name, manifest)
        data = read_file(folder, TOKENIZER, manifest)
        tokenizer = load_tokenizer(data, manifest.max_tokens, folder / TOKENIZER)
        session = _session(read_file(folder, MODEL, manifest), manifest, folder)
        return cls(manifest, session, tokenizer, threads or _cpus(), cache_size, folder)

    def encode(
        self,
        texts: Sequence[str],
        *,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress = silent,
    ) -> Floats:
        """Return the vectors of ``texts``, one row each, in their order: (len(texts), dim).

        Args:
            texts: what to encode; duplicates are computed once.
            cancelled: called between batches, in this thread; true to stop.
            progress: takes, between batches, how many of the texts are done.

        Raises:
            Cancelled: ``cancelled`` returned true.
            OnbrandError: the encoder fails, or returns numbers that are not finite.
        """
        rows = np.empty((len(texts), self.dim), np.float32)
        missing: dict[str, list[int]] = {}
        for i, text in enumerate(texts):
            known = self._cache.get(text)
            if known is None:
                missing.setdefault(text, []).append(i)
            else:
                rows[i] = known.vector
        done = len(texts) - sum(map(len, missing.values()))

        def compute(batch: Sequence[_Job]) -> int:
            (vectors,) = self._run([VECTORS], [job.ids for job in batch])
            for job, vector in zip(batch, vectors, strict=True):
                rows[missing[job.text]] = vector
                # A copy: a view of the row would keep the whole batch in memory.
                self._cache.put(job.text, _Encoded(vector.copy(), job.truncated))
            return sum(len(missing[job.text]) for job in batch)

        # A pool per call: callers share the CPUs fairly, and no thread runs between calls.
        pool = ThreadPoolExecutor(self.threads, "onbrand-encoder")
        try:
            for window in _windows(list(missing)):
                batches = list(_batches(self._jobs(window)))
                for count in self._spread(compute, batches, pool):
                    if cancelled is not None and cancelled():
                        raise Cancelled
                    done += count
                    progress(ProgressEvent("encoding", done, len(texts)))
        finally:
            pool.shutdown(cancel_futures=True)
        return rows

    def _spread(
        self,
        compute: Callable[[Sequence[_Job]], int],
        batches: Sequence[Sequence[_Job]],
        pool: ThreadPoolExecutor,
    ) -> Iterator[int]:
        """Yield the result of ``compute`` for each batch, in the order in which they finish."""
        # A single batch, as of an edited sentence, is not worth a thread. With one thread the
        # caller's is used, so that it can stop between two batches.
        if len(batches) == 1 or self.threads == 1:
            yield from map(compute, batches)
            return
        for future in as_completed([pool.submit(compute, batch) for batch in batches]):
            yield future.result()

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenParts]:
        """Return the shares of each text's tokens in its vector, for explanations."""
        outputs = [f"{STATES}.{layer}" for layer in self.layers]
        result = []
        for text, encoding in zip(texts, self._tokenize(texts), strict=True):
            ids = np.array(encoding.ids, np.int64)
            states = np.stack(self._run(outputs, [ids]), axis=2)[0]  # tokens, layers, hidden
            states /= np.linalg.norm(states.sum(axis=0), axis=-1, keepdims=True)
            spans = np.array([_trimmed(text, *span) for span in encoding.offsets], np.int32)
            result.append(TokenParts(spans, states.reshape(len(spans), self.dim)))
        return result

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Tell which texts are longer than ``max_tokens``, so that only their start is encoded."""
        known = {text: self._cache.get(text) for text in texts}
        unknown = [text for text, encoded in known.items() if encoded is None]
        cut = {text: encoded.truncated for text, encoded in known.items() if encoded is not None}
        cut |= {job.text: job.truncated for job in self._jobs(unknown)}
        return [cut[text] for text in texts]

    def _tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        with self._tokenizing():
            encodings: list[Encoding] = self._tokenizer.encode_batch(list(map(_printable, texts)))
        return encodings

    def _jobs(self, texts: Sequence[str]) -> list[_Job]:
        with self._tokenizing():
            encodings = self._tokenizer.encode_batch_fast(list(map(_printable, texts)))
        return [
            _Job(text, np.array(encoding.ids, np.int64), bool(encoding.overflowing))
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def _run(self, outputs: Sequence[str], tokens: Sequence[NDArray[np.int64]]) -> list[Floats]:
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
        mask = np.zeros_like(ids)
        for row, sequence in enumerate(tokens):
            ids[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1
        with wrap_errors(_CANNOT_ENCODE, self.folder):
            result: list[Floats] = self._session.run(
                outputs, dict(zip(INPUTS, (ids, mask), strict=True))
            )
        for name, values in zip(outputs, result, strict=True):
            shape = (len(ids), self.dim) if name == VECTORS else (*ids.shape, self.hidden)
            if values.shape != shape:
                raise self._error(f"gives {name} of shape {values.shape} where {shape} is due")
            if not np.isfinite(values).all():
                raise self._error(
                    "gives vectors that are no finite numbers: its weights are broken"
                )
        return result

    @contextlib.contextmanager
    def _tokenizing(self) -> Iterator[None]:
        try:
            with wrap_errors(_CANNOT_TOKENIZE, self.folder):
                yield
        except OnbrandError as error:
            if isinstance(error.__cause__, Exception):
                raise
            # A panic in Rust code may quote the text.
            raise OnbrandError(_CANNOT_TOKENIZE, path=self.folder) from None

    def _error(self, problem: str) -> OnbrandError:
        return OnbrandError(f"{problem}; export it again from a sound model", path=self.folder)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a token's range without leading space, which some tokenizers include."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end


class _Encoded(NamedTuple):
    vector: Floats
    truncated: bool


class _Job(NamedTuple):
    text: str
    ids: NDArray[np.int64]
    truncated: bool


def _printable(text: str) -> str:
    # The tokenizer refuses lone surrogates; U+FFFD in their place keeps the offsets.
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _windows(texts: list[str]) -> Iterator[list[str]]:
    """Split ``texts`` into chunks, so that the tokens of any number of texts fit in memory."""
    return (texts[i : i + _WINDOW] for i in range(0, len(texts), _WINDOW))


def _batches(jobs: list[_Job]) -> Iterator[list[_Job]]:
    """Split ``jobs`` into batches of similar lengths, the longest first.

    This keeps padding small, and threads do not wait for one long text at the end.
    """
    jobs = sorted(jobs, key=lambda job: -len(job.ids))
    while jobs:
        size = max(1, _BATCH_TOKENS // max(1, len(jobs[0].ids)))
        yield jobs[:size]
        jobs = jobs[size:]


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _session(data: bytes, manifest: EncoderManifest, folder: Path) -> InferenceSession:
    import onnxruntime as ort

    path = folder / MODEL
    try:
        problem = next(graph_problems(read_graph(data), manifest), None)
    except OnbrandError as error:
        problem = error.message
    if problem is not None:
        raise OnbrandError(f"cannot be used: {problem}", path=path)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # The exported graph is optimised already.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Batches differ in shape: patterns of memory use would not be used again.
    options.enable_mem_pattern = False
    # Load it as ONNX, as it was checked, even if its first bytes look like another format.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    with wrap_errors("cannot be loaded", path):
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    session._model_bytes = None  # frees 23 MB, kept for a change of providers
    kinds = {output.name: (output.type, output.shape[-1:]) for output in session.get_outputs()}
    widths = {VECTORS: manifest.dim}
    widths |= {f"{STATES}.{layer}": manifest.hidden for layer in manifest.layers}
    if kinds != {name: ("tensor(float)", [width]) for name, width in widths.items()}:
        raise OnbrandError(
            f"its outputs are not of the sizes that {MANIFEST} promises; export the encoder again",
            path=path,
        )
    return session
