"""Voices on disk: ``voice.json``, ``head.safetensors``, perhaps ``examples.jsonl``; no pickle."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.errors import OnbrandError
from onbrand.files import check_writable, open_regular, read_text, replace_folder, sha256_file
from onbrand.installation import repair
from onbrand.voice.model import FORMAT_VERSION, Examples, Head, Manifest, Voice
from onbrand.voice.ngrams import Vocabulary

MANIFEST = "voice.json"
HEAD = "head.safetensors"
EXAMPLES = "examples.jsonl"
_RETRAIN = "train the voice again or copy it anew"


class ExampleLine(msgspec.Struct, omit_defaults=True):
    """One line of ``examples.jsonl``."""

    text: str
    label: str
    source: str | None = None


def is_voice(folder: Path) -> bool:
    """Tell whether a folder holds a voice."""
    return (folder / MANIFEST).is_file()


def mend(voice: Path, otherwise: str = _RETRAIN) -> str:
    """Return what mends a voice; ``otherwise`` does where it is one of one's own."""
    return repair(voice) or otherwise


def check_place(folder: Path) -> None:
    """Check that a voice may be written to ``folder``, before any work is put into it.

    Raises:
        OnbrandError: the folder holds something that is no voice, or nothing can be written there.
    """
    check_writable(folder.absolute().parent)
    taken = folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
    if taken and not is_voice(folder):
        raise OnbrandError("exists and is no voice; choose another output folder", path=folder)


def save_voice(voice: Voice, folder: Path) -> Voice:
    """Write a voice to ``folder``, replacing what was there at once or not at all.

    Returns the voice with the manifest as written (file checksums filled in).

    Raises:
        OnbrandError: the folder cannot be written, or holds something that is no voice.
    """
    from safetensors.numpy import save

    check_place(folder)
    with replace_folder(folder) as fresh:
        (fresh / HEAD).write_bytes(save(_tensors(voice)))
        names = [HEAD]
        if voice.examples.texts:
            lines = zip(
                voice.examples.texts, voice.examples.on, voice.examples.sources, strict=True
            )
            encoded = [
                msgspec.json.encode(ExampleLine(text, "on" if on else "off", source))
                for text, on, source in lines
            ]
            (fresh / EXAMPLES).write_bytes(b"\n".join(encoded) + b"\n")
            names.append(EXAMPLES)
        files = {name: sha256_file(fresh / name) for name in names}
        manifest = msgspec.structs.replace(voice.manifest, files=files)
        pretty = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        (fresh / MANIFEST).write_bytes(pretty + b"\n")
    return Voice(manifest, voice.head, voice.examples, folder)


def _tensors(voice: Voice) -> dict[str, NDArray[np.generic]]:
    head, examples = voice.head, voice.examples
    terms = "\n".join(head.vocabulary.terms).encode("utf-8")
    return {
        "weights": head.weights,
        "bias": np.array([head.bias], dtype=np.float32),
        "mean": head.mean,
        "terms": np.frombuffer(terms, dtype=np.uint8),
        "term_idf": head.vocabulary.idf,
        "term_weights": head.term_weights,
        "example_vectors": examples.vectors,
        "example_on": examples.on.astype(np.uint8),
        "centroid": examples.centroid,
    }


def load_manifest(folder: Path) -> Manifest:
    """Read ``voice.json`` alone.

    Raises:
        OnbrandError: no voice here, not valid, or made by a newer onbrand.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise OnbrandError("no voice here (no voice.json); name a voice's folder", path=folder)
    raw = read_text(path).encode("utf-8")
    try:
        version = msgspec.json.decode(raw, type=dict[str, object]).get("format")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise OnbrandError(
                f"voice format {version}, this onbrand reads up to {FORMAT_VERSION}; "
                "update onbrand",
                path=path,
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise OnbrandError(f"is damaged ({error}); {mend(folder)}", path=path) from None
    strangers = set(manifest.files) - {HEAD, EXAMPLES}
    if strangers or HEAD not in manifest.files:
        named = f"names {sorted(strangers)[0]!r}" if strangers else f"does not name {HEAD}"
        raise OnbrandError(f"{named}, which is no file of a voice; {mend(folder)}", path=path)
    return manifest


def load_voice(folder: Path) -> Voice:
    """Read a voice, checking every file against its checksum and every shape before use.

    Raises:
        OnbrandError: a file is missing, truncated, tampered with, or does not fit the manifest.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    manifest = load_manifest(folder)
    contents = {name: _checked(folder / name, digest) for name, digest in manifest.files.items()}
    try:
        tensors = load(contents[HEAD])
        head, examples = _from_tensors(tensors, manifest, contents.get(EXAMPLES))
    except (SafetensorError, KeyError, ValueError, msgspec.DecodeError) as error:
        reason = f"missing tensor {error}" if isinstance(error, KeyError) else error
        raise OnbrandError(f"is damaged ({reason}); {mend(folder)}", path=folder / HEAD) from None
    return Voice(manifest, head, examples, folder)


def _checked(path: Path, digest: str) -> bytes:
    import hashlib

    try:
        with open_regular(path) as file:
            content = file.read()
    except OSError:
        raise OnbrandError(f"is missing or unreadable; {mend(path.parent)}", path=path) from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise OnbrandError(f"checksum does not match voice.json; {mend(path.parent)}", path=path)
    return content


def _from_tensors(
    tensors: dict[str, NDArray[np.generic]], manifest: Manifest, example_lines: bytes | None
) -> tuple[Head, Examples]:
    dim = manifest.encoder.dimensions
    blob = bytes(tensors["terms"].tobytes())
    # Voices have most terms in common; they need to be in memory once.
    terms = tuple(map(sys.intern, blob.decode("utf-8").split("\n"))) if blob else ()
    lines = tensors["example_vectors"].shape[0]
    _expect(tensors, "weights", np.float32, (dim,))
    _expect(tensors, "bias", np.float32, (1,))
    _expect(tensors, "mean", np.float32, (dim,))
    _expect(tensors, "term_idf", np.float32, (len(terms),))
    _expect(tensors, "term_weights", np.float32, (len(terms),))
    _expect(tensors, "example_vectors", np.int8, (lines, dim))
    _expect(tensors, "example_on", np.uint8, (lines,))
    _expect(tensors, "centroid", np.float32, (dim,))
    texts: list[ExampleLine] = []
    if example_lines is not None:
        texts = msgspec.json.Decoder(ExampleLine).decode_lines(example_lines)
        if len(texts) != lines:
            raise ValueError(f"{len(texts)} example texts for {lines} example vectors")
    head = Head(
        weights=tensors["weights"],  # type: ignore[arg-type]
        bias=float(tensors["bias"][0]),
        mean=tensors["mean"],  # type: ignore[arg-type]
        vocabulary=Vocabulary(terms, tensors["term_idf"]),  # type: ignore[arg-type]
        term_weights=tensors["term_weights"],  # type: ignore[arg-type]
    )
    examples = Examples(
        vectors=tensors["example_vectors"],  # type: ignore[arg-type]
        on=tensors["example_on"].astype(np.bool_),
        texts=tuple(line.text for line in texts),
        sources=tuple(line.source for line in texts),
        centroid=tensors["centroid"],  # type: ignore[arg-type]
    )
    return head, examples


def _expect(
    tensors: dict[str, NDArray[np.generic]], name: str, dtype: type, shape: tuple[int, ...]
) -> None:
    tensor = tensors[name]
    if tensor.dtype != dtype or tensor.shape != shape:
        raise ValueError(f"{name} is {tensor.dtype}{tensor.shape}, not {dtype.__name__}{shape}")
    if tensor.dtype == np.float32 and not np.isfinite(tensor).all():
        raise ValueError(f"{name} holds values that are no numbers")
