"""Quantises a bundle in 32-bit floats, and restores a model in PyTorch from a quantised bundle.

A tuned encoder can be restored from its bundle alone, up to the rounding to 8 bits. Where each
weight of the model is in the graph is found by exporting a model of the same shape once more, with
random weights, and looking for them in the result.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from onbrand.encoder import Encoder, EncoderManifest, read_manifest
from onbrand.encoder.bundle import CARD, LICENCE, MODEL, TOKENIZER, read_file
from onbrand.encoder.tokenizer import load_tokenizer
from onbrand.errors import OnbrandError
from onbrand.files import replace_folder
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.bundle_writer import (
    bundle_files,
    check_new_folder,
    check_replaceable,
    replace_bundle,
)
from onbrand_models.export import (
    cosines,
    pooled_graph,
    reference_vectors,
    write_measured,
)
from onbrand_models.library_noise import require_extra
from onbrand_models.quantise import Target
from onbrand_models.source import SourceModel, find_source, load_model, save_model
from onbrand_models.validation import parity_sentences, validate_encoder, validate_tokenizer

if TYPE_CHECKING:
    import onnx
    from transformers import PreTrainedModel

    from onbrand_models.quantise.static import Feeds


def quantise_bundle(
    bundle: Path,
    folder: Path,
    target: Target = Target.PORTABLE,
    *,
    progress: Progress = silent,
) -> EncoderManifest:
    """Write to ``folder`` the bundle in ``bundle``, quantised for ``target``.

    The manifest records the cosine of the new vectors to those in floats, and the speed on this
    machine.

    Args:
        bundle: a bundle in 32-bit floats.
        folder: for the new bundle; replaced only if quantising succeeds.
        target: the machines it is for.
        progress: receives the stage.

    Raises:
        OnbrandError: not a bundle in floats, the extra is missing, or it cannot be written.
    """
    check_replaceable(folder)
    old, new = bundle.resolve(), folder.resolve()
    if new.is_relative_to(old) or old.is_relative_to(new):
        raise OnbrandError(
            "is the bundle in floats, inside of it or around it; name another folder", path=folder
        )
    require_extra("quantising an encoder", "onnx")
    import onnx

    from onbrand_models.quantise.recipes import describe, quantise

    manifest = read_manifest(bundle)
    if manifest.target != Target.FLOAT32:
        raise OnbrandError(
            f"is quantised already (for {manifest.target}); start from one in floats: "
            "onbrand models export SOURCE --target float32 -o DIR",
            path=bundle,
        )
    progress(ProgressEvent("reading the bundle"))
    floats = Encoder.load(bundle, cache_size=0)
    feeds = _feeds(bundle, manifest)
    validate_encoder(floats, bundle)
    with replace_bundle(folder) as fresh:
        for name in manifest.files.keys() - {MODEL}:
            shutil.copyfile(bundle / name, fresh / name)
        progress(ProgressEvent("calibrating and quantising"))
        model = onnx.load_from_string(read_file(bundle, MODEL, manifest))
        onnx.save(quantise(model, feeds, target), fresh / MODEL)
        unmeasured = msgspec.structs.replace(
            manifest,
            quantisation=describe(target),
            target=target.value,
            files=bundle_files(fresh, manifest.files),
            parity=None,
            speed=None,
        )
        return write_measured(fresh, unmeasured, floats.encode, bundle, progress=progress)


def _feeds(bundle: Path, manifest: EncoderManifest) -> Feeds:
    from onbrand_models.quantise.static import calibration_feeds

    data = read_file(bundle, TOKENIZER, manifest)
    tokenizer = load_tokenizer(data, manifest.max_tokens, bundle / TOKENIZER)
    validate_tokenizer(tokenizer, bundle / TOKENIZER, manifest.max_tokens)
    tokenizer.enable_truncation(manifest.max_tokens)
    return calibration_feeds(tokenizer)


MIN_COSINE = 0.99
"""Mean cosine of the restored model's vectors to the bundle's; less means another model."""

_BEYOND_POOLING = ("pooler", "final_norm")
"""Weights after the pooled hidden states, in some families; the base's stay."""


def dequantise_bundle(
    bundle: Path, base: SourceModel, folder: Path, *, progress: Progress = silent
) -> float:
    """Write to ``folder`` the model in ``bundle`` with weights in 32-bit floats, for PyTorch.

    It ends with the last layer that the bundle pools. What rounding has lost stays lost.

    Args:
        bundle: a bundle for any target but ``accurate``.
        base: the model that it was made or tuned from: its shape, its tokenizer, its settings.
        folder: for the model: a new folder, or an empty one.
        progress: receives the stage.

    Returns:
        The mean cosine of the model's vectors to the bundle's, on the built-in sentences.

    Raises:
        OnbrandError: the bundle was not made from a model like ``base``, the graph does not show
            all of its weights, packages are missing, or the folder cannot be written.
    """
    check_new_folder(folder)
    require_extra("restoring a model")
    import onnx

    manifest = read_manifest(bundle)
    if manifest.target == Target.ACCURATE:
        raise OnbrandError(
            "is quantised in blocks, which cannot be restored; take one for another target",
            path=bundle,
        )
    if manifest.hidden != base.hidden or manifest.layers[-1] > base.num_layers:
        raise _another_model(bundle, base)
    encoder = Encoder.load(bundle, cache_size=0)
    graph = onnx.load_from_string(read_file(bundle, MODEL, manifest))
    progress(ProgressEvent("looking for the weights"))
    model = load_model(base, max(1, manifest.layers[-1]))
    if not _take_weights(model, graph, _graph_of_random_twin(base, model, manifest)):
        raise _another_model(bundle, base)
    with replace_folder(folder) as fresh:
        save_model(base, model, fresh)
        for name in manifest.files.keys() & {CARD, LICENCE}:
            (fresh / name).write_bytes(read_file(bundle, name, manifest))
        progress(ProgressEvent("comparing with the bundle"))
        texts = parity_sentences()
        vectors = reference_vectors(
            find_source(str(fresh)), texts, manifest.layers, manifest.max_tokens
        )
        cosine = float(cosines(encoder.encode(texts), vectors).mean())
        if not cosine >= MIN_COSINE:
            raise _another_model(bundle, base)
    return cosine


def _graph_of_random_twin(
    base: SourceModel, model: PreTrainedModel, manifest: EncoderManifest
) -> tuple[onnx.ModelProto, PreTrainedModel]:
    """Return the fused graph in floats of a model of the same shape, and that model."""
    import torch

    from onbrand_models.quantise.recipes import fuse

    twin = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.copy_(torch.randn_like(parameter))
    with tempfile.TemporaryDirectory() as folder:
        save_model(base, twin, Path(folder))
        graph = pooled_graph(find_source(folder), manifest.layers, manifest.opset)
    return fuse(graph), twin


def _take_weights(
    model: PreTrainedModel, graph: onnx.ModelProto, pattern: tuple[onnx.ModelProto, PreTrainedModel]
) -> bool:
    """Copy the weights in ``graph`` to ``model``; return whether all are at their known places."""
    import torch

    from onbrand_models.quantise.weights import graph_weights

    pattern_graph, twin = pattern
    names = {value.detach().numpy().tobytes(): name for name, value in twin.named_parameters()}
    places, values = graph_weights(pattern_graph), graph_weights(graph)
    if len(places) != len(values):
        return False
    found: set[str] = set()
    wanted = {
        name: value
        for name, value in model.named_parameters()
        if not any(part in name for part in _BEYOND_POOLING)
    }
    for place, value in zip(places, values, strict=True):
        name = names.get(place.tobytes()) if place is not None else None
        if name is None or value is None:
            continue
        if name not in wanted or wanted[name].shape != value.shape:
            return False
        with torch.no_grad():
            wanted[name].copy_(torch.from_numpy(value.copy()))
        found.add(name)
    return found == wanted.keys()


def _another_model(bundle: Path, base: SourceModel) -> OnbrandError:
    return OnbrandError(
        f"was not made from a model like {base.name}; name the one that it was made or tuned from "
        "(--base)",
        path=bundle,
    )
