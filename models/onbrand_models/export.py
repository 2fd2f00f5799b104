"""From a sentence-transformer to an encoder bundle."""

from __future__ import annotations

import importlib.util
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
from tokenizers import Tokenizer

from onbrand.encoder import Encoder, EncoderManifest
from onbrand.encoder.bundle import (
    FORMAT,
    INPUTS,
    LICENCE,
    MANIFEST,
    MODEL,
    TOKENIZER,
    BundleFile,
    Parity,
    Speed,
)
from onbrand.errors import OnbrandError, missing_extra
from onbrand.files import read_text, replace_folder, sha256_file
from onbrand_models.sentences import calibration_sentences, parity_sentences
from onbrand_models.source import SourceModel


@dataclass(frozen=True)
class ExportOptions:
    """What the maker of a bundle may choose."""

    layers: str = "all"
    """``all``, ``last``, one number, or a range such as ``0-3``; 0 is the embedding output."""
    max_tokens: int | None = None
    """Longest text in tokens; the model's own limit by default."""
    name: str | None = None


def export_bundle(
    source: SourceModel,
    folder: Path,
    options: ExportOptions | None = None,
    *,
    stage: Callable[[str], None] = lambda _: None,
) -> EncoderManifest:
    """Write an encoder bundle to ``folder``, which is replaced only when all went well.

    Args:
        source: the model.
        folder: where the bundle goes.
        options: what differs from the defaults.
        stage: told what is being done.

    Raises:
        OnbrandError: packages are missing, or the model or the options do not fit.
    """
    options = options or ExportOptions()
    layers = parse_layers(options.layers, source.num_layers)
    max_tokens = options.max_tokens or source.max_tokens
    if not 3 <= max_tokens <= source.max_tokens:
        raise OnbrandError(f"--max-tokens must be 3 to {source.max_tokens} for this model")
    _require("torch", "transformers", "optimum.exporters.onnx", "onnx")
    import onnx

    from onbrand_models.graph import OPSET, pooled_graph
    from onbrand_models.quantise import RECIPE, quantise

    with replace_folder(folder) as fresh:
        tokenizer = _write_tokenizer(source, fresh / TOKENIZER, max_tokens)
        stage("exporting the graph")
        model = pooled_graph(source, layers)
        stage("calibrating and quantising")
        feeds = [
            dict(zip(INPUTS, (np.array([e.ids]), np.array([e.attention_mask])), strict=True))
            for e in tokenizer.encode_batch(calibration_sentences())
        ]
        onnx.save(quantise(model, feeds), fresh / MODEL)
        (fresh / LICENCE).write_text(_licence_text(source), encoding="utf-8")
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
            quantisation=RECIPE,
            target="onnxruntime on any CPU",
            opset=OPSET,
            files={
                name: BundleFile(
                    size=(fresh / name).stat().st_size, sha256=sha256_file(fresh / name)
                )
                for name in (MODEL, TOKENIZER, LICENCE)
            },
        )
        _write_manifest(fresh, manifest)
        stage("measuring parity and speed")
        manifest = msgspec.structs.replace(
            manifest, parity=measure_parity(fresh, source), speed=_measure_speed(fresh)
        )
        _write_manifest(fresh, manifest)
    return manifest


def parse_layers(text: str, depth: int) -> list[int]:
    """Return the layers that ``text`` names in a model of ``depth`` layers.

    Raises:
        OnbrandError: not one of the forms, or a layer that the model does not have.
    """
    first, dash, last = {"all": f"0-{depth}", "last": str(depth)}.get(text, text).partition("-")
    if first.isdecimal() and (last.isdecimal() if dash else not last):
        layers = list(range(int(first), int(last or first) + 1))
        if layers and layers[-1] <= depth:
            return layers
    raise OnbrandError(f"--layers {text!r}: expected all, last or a range within 0-{depth}")


def measure_parity(folder: Path, source: SourceModel) -> Parity:
    """Return how near the bundle's vectors are to those of the source model in PyTorch."""
    from onbrand_models.reference import cosines, reference_vectors

    encoder = Encoder.load(folder)
    texts = parity_sentences()
    expected = reference_vectors(source, texts, encoder.layers, encoder.max_tokens)
    found = cosines(encoder.encode(texts), expected)
    return Parity(
        mean=round(float(found.mean()), 5), min=round(float(found.min()), 5), sentences=len(texts)
    )


def _measure_speed(folder: Path, seconds: float = 2.0) -> Speed:
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


def _write_tokenizer(source: SourceModel, path: Path, max_tokens: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(source.tokenizer))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(path), pretty=False)
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _write_manifest(folder: Path, manifest: EncoderManifest) -> None:
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(content + b"\n")


def _licence_text(source: SourceModel) -> str:
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING"):
        if (source.folder / name).is_file():
            return read_text(source.folder / name)
    known = resources.files("onbrand_models") / "licences" / f"{source.licence}.txt"
    if known.is_file():
        return known.read_text("utf-8")
    return f"{source.name} ({source.origin}) is licensed under: {source.licence}\n"


def _require(*modules: str) -> None:
    for module in modules:
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise missing_extra("exporting an encoder", "export")
