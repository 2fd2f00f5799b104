"""From a sentence encoder in PyTorch to an encoder bundle."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from onbrand.encoder import Encoder, EncoderManifest
from onbrand.encoder.bundle import CARD, FORMAT, LICENCE, MODEL, TOKENIZER, Parity, Speed
from onbrand.encoder.graph import OPSETS
from onbrand.encoder.tokenizer import check_tokenizer
from onbrand.errors import OnbrandError
from onbrand.files import read_text
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.extras import need_export
from onbrand_models.sentences import parity_sentences
from onbrand_models.source import LEAST_TOKENS, SourceModel, plain_name
from onbrand_models.targets import Target
from onbrand_models.writing import (
    bundle_files,
    check_replaceable,
    replace_bundle,
    write_manifest,
)


@dataclass(frozen=True)
class ExportOptions:
    """What the maker of a bundle may choose."""

    layers: str = "all"
    """``all``, ``last``, one number, or a range such as ``0-3``; 0 is the embedding output."""
    max_tokens: int | None = None
    """Longest text in tokens; the model's own limit by default."""
    name: str | None = None
    target: Target = Target.PORTABLE
    opset: int = 18
    """Version of ONNX's operators, one of `OPSETS`."""
    measure: bool = True
    """Measure the speed, which takes two seconds."""


def export_bundle(
    source: SourceModel,
    folder: Path,
    options: ExportOptions | None = None,
    *,
    progress: Progress = silent,
) -> EncoderManifest:
    """Write an encoder bundle to ``folder``, which is replaced only when all went well.

    Args:
        source: the model.
        folder: where the bundle goes: a new folder, or one that holds a bundle.
        options: what differs from the defaults.
        progress: told what is being done.

    Raises:
        OnbrandError: packages are missing, or the model, the options or the folder do not fit.
    """
    options = options or ExportOptions()
    check_replaceable(folder)
    if source.folder.resolve().is_relative_to(folder.resolve()):
        raise OnbrandError("holds the model itself; name another folder", path=folder)
    layers = parse_layers(options.layers, source.num_layers)
    max_tokens = check_options(options, source)
    need_export("exporting an encoder")
    import onnx

    from onbrand_models.graph import pooled_graph
    from onbrand_models.quantise import calibration_feeds, describe, quantise

    with replace_bundle(folder) as fresh:
        tokenizer = _write_tokenizer(source, fresh / TOKENIZER, max_tokens)
        progress(ProgressEvent("exporting the graph"))
        model = pooled_graph(source, layers, options.opset)
        progress(ProgressEvent("calibrating and quantising"))
        model = quantise(model, calibration_feeds(tokenizer), options.target)
        onnx.save(model, fresh / MODEL)
        papers = _write_papers(source, fresh)
        manifest = EncoderManifest(
            format=FORMAT,
            name=options.name or source.name,
            source=source.origin,
            revision=source.weights_sha256(),
            licence=source.licence,
            layers=tuple(layers),
            hidden=source.hidden,
            dim=source.hidden * len(layers),
            max_tokens=max_tokens,
            quantisation=describe(options.target),
            target=options.target.value,
            opset=options.opset,
            files=bundle_files(fresh, (MODEL, TOKENIZER, *papers)),
        )
        write_manifest(fresh, manifest)
        progress(ProgressEvent("measuring parity and speed"))
        manifest = msgspec.structs.replace(
            manifest,
            parity=measure_parity(fresh, source),
            speed=measure_speed(fresh) if options.measure else None,
        )
        write_manifest(fresh, manifest)
    return manifest


def parse_layers(text: str, depth: int) -> list[int]:
    """Return the layers that ``text`` names in a model of ``depth`` layers.

    Raises:
        OnbrandError: not one of the forms, or a layer that the model does not have.
    """
    first, dash, last = {"all": f"0-{depth}", "last": str(depth)}.get(text, text).partition("-")
    if first.isdecimal() and (last.isdecimal() if dash else not last):
        start, end = (_layer(number, depth) for number in (first, last or first))
        # Looked at before a list is made of them: it would fill the memory.
        if start <= end <= depth:
            return list(range(start, end + 1))
    raise OnbrandError(f"--layers {text[:80]!r}: expected all, last or a range within 0-{depth}")


def _layer(digits: str, depth: int) -> int:
    # Python refuses to read numbers of thousands of digits.
    return int(digits) if len(digits) < 10 else depth + 1


def measure_parity(folder: Path, source: SourceModel) -> Parity:
    """Return how near the bundle's vectors are to those of the source model in PyTorch.

    Raises:
        OnbrandError: the model or the bundle gives what are no numbers.
    """
    from onbrand_models.reference import cosines, reference_vectors

    encoder = Encoder.load(folder)
    texts = parity_sentences()
    expected = reference_vectors(source, texts, encoder.layers, encoder.max_tokens)
    return parity_of(cosines(encoder.encode(texts), expected), source.folder)


def parity_of(cosines: NDArray[np.float32], origin: Path) -> Parity:
    """Return the figures of a manifest on the cosines of some sentences.

    Args:
        cosines: of each sentence's vector to that of what the bundle was made from.
        origin: what it was made from, for errors.

    Raises:
        OnbrandError: not all are numbers.
    """
    if not np.isfinite(cosines).all():
        raise OnbrandError(
            "gives vectors that are nothing or no finite numbers; its weights or its settings are "
            "broken, take a sound copy",
            path=origin,
        )
    mean, least = (min(1.0, round(float(value), 5)) for value in (cosines.mean(), cosines.min()))
    return Parity(mean=mean, min=least, sentences=len(cosines))


def measure_speed(folder: Path, seconds: float = 2.0) -> Speed:
    """Return how many sentences a second the bundle encodes on this machine."""
    encoder = Encoder.load(folder, cache_size=0)
    texts = parity_sentences()
    encoder.encode(texts)
    start, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        encoder.encode(texts)
        done += len(texts)
    return Speed(
        sentences_per_second=round(done / passed, 1),
        threads=encoder.threads,
        machine=f"{platform.system()} {platform.machine()}",
    )


def check_options(options: ExportOptions, source: SourceModel) -> int:
    """Return the length at which texts are cut, in tokens.

    Raises:
        OnbrandError: an option does not fit, or not this model.
    """
    if options.name is not None and options.name != plain_name(options.name):
        raise OnbrandError(
            f"--name {options.name[:80]!r}: expected up to 64 letters, digits, dots, dashes and "
            "underscores, with a letter or digit at both ends"
        )
    if options.opset not in OPSETS:
        raise OnbrandError(
            f"--opset {options.opset}: expected {OPSETS[0]} to {OPSETS[-1]}, "
            "which every onnxruntime that onbrand runs on can read"
        )
    max_tokens = source.max_tokens if options.max_tokens is None else options.max_tokens
    if not LEAST_TOKENS <= max_tokens <= source.max_tokens:
        raise OnbrandError(
            f"--max-tokens must be {LEAST_TOKENS} to {source.max_tokens} for this model"
        )
    return max_tokens


def _write_tokenizer(source: SourceModel, path: Path, max_tokens: int) -> Tokenizer:
    from onbrand_models.loading import load_tokenizer
    from onbrand_models.trying import try_tokenizer

    tokenizer: Tokenizer = load_tokenizer(source).backend_tokenizer
    try_tokenizer(tokenizer, source.tokenizer, max_tokens)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    check_tokenizer(tokenizer.to_str().encode(), source.tokenizer)
    path.write_text(tokenizer.to_str(), encoding="utf-8")
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _write_papers(source: SourceModel, folder: Path) -> list[str]:
    """Write the licence, and the model card where there is one; return the files' names."""
    (folder / LICENCE).write_text(_licence_text(source), encoding="utf-8")
    card = source.folder / CARD
    if not card.is_file():
        return [LICENCE]
    (folder / CARD).write_text(read_text(card), encoding="utf-8")
    return [LICENCE, CARD]


def _licence_text(source: SourceModel) -> str:
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING"):
        if (source.folder / name).is_file():
            return read_text(source.folder / name)
    known = resources.files("onbrand_models") / "licences" / f"{source.licence}.txt"
    if known.is_file():
        return known.read_text("utf-8")
    return f"{source.name} ({source.origin}) is licensed under: {source.licence}\n"
