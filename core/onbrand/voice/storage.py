"""Voices on disk: ``voice.json``, ``head.safetensors``, perhaps ``examples.jsonl``; no pickle.

They lie in folders of voices and in installations, which may switch to another release at any
moment. A caller that reads more than one thing of an installation does so in
`with_consistent_release`, which resolves all paths once.
"""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from onbrand.encoder.bundle import MANIFEST as BUNDLE
from onbrand.encoder.bundle import read_manifest
from onbrand.errors import OnbrandError
from onbrand.files import (
    FileSignature,
    check_writable,
    file_signature,
    open_regular,
    read_text,
    replace_folder,
    sha256_file,
)
from onbrand.installation import (
    ENCODERS,
    RELEASES,
    VOICES,
    installation_of,
    reinstall_hint,
    voices_of,
)
from onbrand.results import is_brand
from onbrand.voice.lexical import Vocabulary
from onbrand.voice.model import FORMAT_VERSION, Examples, LinearHead, Manifest, Voice

if TYPE_CHECKING:
    from onbrand.encoder import EncoderManifest, SentenceEncoder


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
    """Return whether a folder holds a voice."""
    return (folder / MANIFEST).is_file()


def fix_hint(voice: Path, otherwise: str = _RETRAIN) -> str:
    """Return advice on a damaged voice; ``otherwise`` if it belongs to no installation."""
    return reinstall_hint(voice) or otherwise


def check_output_folder(folder: Path) -> None:
    """Check that a voice can be written to ``folder``, before it is trained.

    Raises:
        OnbrandError: the folder holds something other than a voice, or cannot be written.
    """
    check_writable(folder.absolute().parent)
    taken = folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
    if taken and not is_voice(folder):
        raise OnbrandError("exists and is no voice; choose another output folder", path=folder)


def save_voice(voice: Voice, folder: Path) -> Voice:
    """Write a voice to ``folder``, atomically replacing a voice that is there.

    Returns the voice with the manifest as written (file checksums filled in).

    Raises:
        OnbrandError: the folder cannot be written, or holds something other than a voice.
    """
    from safetensors.numpy import save

    check_output_folder(folder)
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
    """Read ``voice.json`` only.

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
        raise OnbrandError(f"is damaged ({error}); {fix_hint(folder)}", path=path) from None
    unknown = set(manifest.files) - {HEAD, EXAMPLES}
    if unknown or HEAD not in manifest.files:
        named = f"names {sorted(unknown)[0]!r}" if unknown else f"does not name {HEAD}"
        raise OnbrandError(f"{named}, which is no file of a voice; {fix_hint(folder)}", path=path)
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
        raise OnbrandError(
            f"is damaged ({reason}); {fix_hint(folder)}", path=folder / HEAD
        ) from None
    return Voice(manifest, head, examples, folder)


def _checked(path: Path, digest: str) -> bytes:
    import hashlib

    try:
        with open_regular(path) as file:
            content = file.read()
    except OSError:
        raise OnbrandError(
            f"is missing or unreadable; {fix_hint(path.parent)}", path=path
        ) from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise OnbrandError(
            f"checksum does not match voice.json; {fix_hint(path.parent)}", path=path
        )
    return content


def _from_tensors(
    tensors: dict[str, NDArray[np.generic]], manifest: Manifest, example_lines: bytes | None
) -> tuple[LinearHead, Examples]:
    dim = manifest.encoder.dimensions
    blob = bytes(tensors["terms"].tobytes())
    # Voices share most terms: interned, each is in memory once.
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
    head = LinearHead(
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


T = TypeVar("T")
DEFAULT_VOICES = Path("voices")
"""The default folder of voices."""
_TRAIN = "train one with onbrand train"


def with_consistent_release(folders: Iterable[Path], read: Callable[[Sequence[Path]], T]) -> T:
    """Call ``read`` on folders so that it sees one release of each installation; return its result.

    Args:
        folders: folders of voices, single voices, or installations.
        read: gets the folders, an installation replaced by its current release's voices. It is
            called again if a release was removed while it read.

    Raises:
        OnbrandError: what ``read`` raises.
    """
    folders = tuple(folders)
    while True:
        resolved = _resolve_all(folders)
        try:
            result = read(resolved)
        except (OnbrandError, OSError):
            if _resolve_all(folders) == resolved:
                raise
        else:
            if _resolve_all(folders) == resolved or all(map(_is_retained, resolved)):
                return result


def encoder_for(folders: Iterable[Path], brands: Iterable[str] | None = None) -> Path | None:
    """Return the bundle that an installed release brings for its voices.

    None: they need the encoder that ships with onbrand, or one that no release brings. If they need
    different ones, the one that most of them need is returned.

    Args:
        folders: folders of voices, single voices, or installations.
        brands: brands whose voices are used; all by default.

    Raises:
        OnbrandError: a bundle is damaged.
    """
    resolved = _resolve_all(folders)
    bundles = {read_manifest(bundle).fingerprint: bundle for bundle in _bundles(resolved)}
    if not bundles:
        return None
    needed: dict[str, str] = {}
    for candidate in (voice for folder in resolved for voice in _voices_in(folder)):
        with suppress(OnbrandError, OSError):  # loading it reports the error
            manifest = load_manifest(candidate)
            needed.setdefault(manifest.brand, manifest.encoder.fingerprint)
    wanted = Counter(needed[brand] for brand in brands or needed if brand in needed)
    most = wanted.most_common(1)
    return bundles.get(most[0][0]) if most else None


def find_voices(folders: Iterable[Path]) -> dict[str, Path]:
    """Return each brand's voice folder by name; the first folder wins if a brand has several.

    Raises:
        OnbrandError: a folder is missing, or none holds a voice.
    """
    found: dict[str, Path] = {}
    looked = [voices_of(folder) or folder for folder in folders]
    for folder in looked:
        if not folder.is_dir():
            raise OnbrandError(f"no such folder of voices; {_folder_fix_hint(folder)}", path=folder)
        candidates = [folder] if is_voice(folder) else sorted(folder.iterdir())
        for candidate in candidates:
            if not candidate.name.startswith(".") and is_voice(candidate):
                found.setdefault(load_manifest(candidate).brand, candidate)
    if not found:
        where = ", ".join(str(folder) for folder in looked) or "no folder was named"
        hints = dict.fromkeys(map(_folder_fix_hint, looked)) or [_TRAIN]
        raise OnbrandError(f"no voices found ({where}); {', or '.join(hints)}")
    return found


def list_manifests(folders: Iterable[Path]) -> list[tuple[Path, Manifest]]:
    """Return every voice's folder and manifest without reading its head."""

    def read(resolved: Sequence[Path]) -> list[tuple[Path, Manifest]]:
        return [(folder, load_manifest(folder)) for folder in find_voices(resolved).values()]

    return with_consistent_release(folders, read)


def load_voices(folders: Iterable[Path], brands: Sequence[str] | None = None) -> list[Voice]:
    """Load the voices of ``brands``, or all of them.

    Raises:
        OnbrandError: a brand is unknown (the nearest known name is offered), or a voice is damaged.
    """
    found = find_voices(folders)
    for brand in brands or ():
        if brand not in found:
            raise unknown_brand(brand, found)
    return [load_voice(found[brand]) for brand in (brands or found)]


def load_valid_voices(
    folders: Iterable[Path], fingerprint: str, before: Iterable[Voice] = ()
) -> tuple[list[Voice], list[str]]:
    """Load the voices that are valid, for programs that keep running if one is damaged.

    Args:
        folders: folders of voices, single voices, or installations.
        fingerprint: fingerprint of the encoder; voices for another one are left out.
        before: the voices loaded last time; a voice that is damaged now keeps that version.

    Returns:
        The voices, and one line for each that could not be loaded with the reason.
    """
    known = {voice.folder: voice for voice in before}
    voices: dict[str, Voice] = {}
    problems: list[str] = []
    for folder in folders:
        try:
            resolved = voices_of(folder) or folder
            candidates = _voices_in(resolved)
        except (OnbrandError, OSError) as error:
            problems.append(str(error))
            continue
        if not candidates:
            problems.append(f"{folder}: no voices here; {_folder_fix_hint(resolved)}")
        for candidate in candidates:
            try:
                voice = load_voice(candidate)
                _check_fingerprint(voice, fingerprint)
            except (OnbrandError, OSError) as error:
                problems.append(str(error))
                old = known.get(candidate)
                if old is None or old.manifest.encoder.fingerprint != fingerprint:
                    continue
                voice = old
            voices.setdefault(voice.brand, voice)
    return list(voices.values()), problems


def voices_signature(folders: Iterable[Path]) -> FileSignature:
    """Return a signature that changes when a voice's file or an installation's release changes.

    It lists folders, and reads no file but ``installed.json``. A switch of release shows in the
    release's name, because two may happen within one tick of the file system's clock.
    """
    entries = [entry for folder in _resolve_all(folders) for entry in (folder, *_inside(folder))]
    files = (MANIFEST, HEAD, EXAMPLES)
    return file_signature(
        path for entry in entries for path in (entry, *(entry / name for name in files))
    )


def unknown_brand(
    brand: str, known: Iterable[str], *, path: str | None = None, line: int | None = None
) -> OnbrandError:
    """Return the error for a brand without a voice, which a line of ``path`` may have named."""
    names = sorted(filter(is_brand, known))
    near = difflib.get_close_matches(brand.lower(), [name.lower() for name in names], 1, 0.5)
    hint = next((f"; did you mean {name!r}?" for name in names if near == [name.lower()]), "")
    listed = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    message = f"no voice for brand {brand!r}{hint} (known: {listed or 'none'})"
    return OnbrandError(message, path=path, line=line)


def _resolve_all(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Replace each installation by its current release's voices."""
    return tuple(map(_resolve, folders))


def _resolve(folder: Path) -> Path:
    try:
        return voices_of(folder) or folder
    except (OnbrandError, OSError):  # loading it reports the error
        return folder


def _is_retained(folder: Path) -> bool:
    """Return whether a release is still retained: the current and the previous one are."""
    held = installation_of(folder / MANIFEST)
    return held is None or folder.parent.name in (held[1].current, held[1].previous)


def _bundles(resolved: Iterable[Path]) -> list[Path]:
    releases = [folder.parent for folder in resolved if folder.name == VOICES]
    found = [r.glob(f"{ENCODERS}/*/{BUNDLE}") for r in releases if r.parent.name == RELEASES]
    return sorted(manifest.parent for manifests in found for manifest in manifests)


def _folder_fix_hint(folder: Path) -> str:
    """Return the advice on a folder without voices."""
    return fix_hint(folder / MANIFEST, _TRAIN)


def _check_fingerprint(voice: Voice, fingerprint: str) -> None:
    wanted = voice.manifest.encoder
    if wanted.fingerprint != fingerprint:
        raise OnbrandError(
            f"voice {voice.brand!r} was trained on another encoder ({wanted.name}, "
            f"{wanted.fingerprint[:12]}); train it again or name its encoder",
            path=voice.folder,
        )


def check_encoder(
    voices: Iterable[Voice],
    encoder: SentenceEncoder | EncoderManifest,
    *,
    what: str = "this",
    advice: str = "train it again or name its encoder",
) -> None:
    """Check that voices were trained on an encoder.

    Args:
        voices: the voices.
        encoder: the encoder, or its manifest.
        what: the encoder's name in errors.
        advice: what errors advise.

    Raises:
        OnbrandError: a voice was trained on another encoder.
    """
    for voice in voices:
        wanted = voice.manifest.encoder
        if wanted.fingerprint != encoder.fingerprint:
            raise OnbrandError(
                f"voice {voice.brand!r} was trained on encoder {wanted.name} "
                f"({wanted.fingerprint[:12]}), {what} is {encoder.name} "
                f"({encoder.fingerprint[:12]}); {advice}",
                path=voice.folder,
            )


def _voices_in(folder: Path) -> list[Path]:
    if _may_be_voice(folder):
        return [folder]
    return [entry for entry in _inside(folder) if _may_be_voice(entry)]


def _may_be_voice(folder: Path) -> bool:
    try:
        return is_voice(folder)
    except PermissionError:  # loading it reports the error
        return True


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []
