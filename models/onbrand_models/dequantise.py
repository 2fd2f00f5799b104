"""From a quantised bundle back to a model in PyTorch: to export it in another way, or to adapt it.

The floats of a tuned encoder need not travel with it: its weights are in the bundle, rounded to
8 bits. Which weight of the model stands where in the graph is learnt by exporting the model that
the bundle was made from once more, with random weights, all of which can be told apart.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from onbrand.encoder import Encoder, EncoderManifest, read_manifest
from onbrand.encoder.bundle import CARD, LICENCE, MODEL, read_file
from onbrand.errors import OnbrandError
from onbrand.files import replace_folder
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.extras import need_export
from onbrand_models.sentences import parity_sentences
from onbrand_models.source import SourceModel, find_source
from onbrand_models.targets import Target
from onbrand_models.writing import check_new_folder

if TYPE_CHECKING:
    import onnx
    from transformers import PreTrainedModel

LEAST_COSINE = 0.99
"""Of the model's vectors to the bundle's, on average: below that they are not the same model."""

_BEYOND_POOLING = ("pooler", "final_norm")
"""Weights that come after the hidden states, in some families; the base's are as good as any."""


def dequantise_bundle(
    bundle: Path, base: SourceModel, folder: Path, *, progress: Progress = silent
) -> float:
    """Write to ``folder`` the model in ``bundle`` with weights in 32-bit floats, for PyTorch.

    It ends with the last layer that the bundle pools. What rounding took is not given back.

    Args:
        bundle: a bundle for any target but ``accurate``.
        base: the model that it was made or tuned from: its shape, its tokenizer, its settings.
        folder: where the model goes: a new folder, or an empty one.
        progress: told what is being done.

    Returns:
        The mean cosine of the model's vectors to the bundle's, on the built-in sentences.

    Raises:
        OnbrandError: the bundle was not made from a model like ``base``, the graph does not show
            all of its weights, packages are missing, or the folder cannot be written.
    """
    check_new_folder(folder)
    need_export("restoring a model")
    import onnx

    from onbrand_models.loading import load_model, save_model
    from onbrand_models.reference import cosines, reference_vectors

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
        if not cosine >= LEAST_COSINE:
            raise _another_model(bundle, base)
    return cosine


def _graph_of_random_twin(
    base: SourceModel, model: PreTrainedModel, manifest: EncoderManifest
) -> tuple[onnx.ModelProto, PreTrainedModel]:
    """Return the fused graph in floats of a model of the same shape, and that model."""
    import torch

    from onbrand_models.graph import pooled_graph
    from onbrand_models.loading import save_model
    from onbrand_models.quantise import fuse

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
    """Give ``model`` the weights in ``graph``; tell whether all were where the pattern has them."""
    import torch

    from onbrand_models.quantise import graph_weights

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
