"""Exports a sentence encoder from PyTorch as an encoder bundle: its graph with pooling appended.

Parity is measured against the sentence vectors in 32-bit floats, from PyTorch.
"""

from __future__ import annotations

import contextlib
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from onbrand.encoder import Encoder, EncoderManifest
from onbrand.encoder.bundle import (
    CARD,
    FORMAT,
    INPUTS,
    LICENCE,
    MODEL,
    STATES,
    TOKENIZER,
    VECTORS,
    Parity,
    Speed,
)
from onbrand.encoder.graph import OPSETS
from onbrand.encoder.tokenizer import check_tokenizer
from onbrand.errors import OnbrandError, summarize
from onbrand.files import read_text
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.bundle_writer import (
    bundle_files,
    check_replaceable,
    replace_bundle,
    write_manifest,
)
from onbrand_models.library_noise import compiler_cache, quiet, require_extra
from onbrand_models.quantise import Target
from onbrand_models.source import (
    MIN_TOKENS,
    SourceModel,
    load_model,
    load_tokenizer,
    one_thread,
    plain_name,
)
from onbrand_models.validation import parity_sentences, validate_tokenizer

if TYPE_CHECKING:
    import onnx

_MAX_BYTES = 2**31 - 2**20
"""Size of an ONNX file, a protocol buffer, at most: 2 GB, with room for all but weights."""


def pooled_graph(source: SourceModel, layers: Sequence[int], opset: int = 18) -> onnx.ModelProto:
    """Export a model to ONNX, with the sentence vectors of ``layers`` as output.

    Layer 0 is the embedding output. Layers above the last one that is pooled are left out.

    Args:
        source: the model.
        layers: which to pool, in ascending order.
        opset: version of ONNX's operators.

    Raises:
        OnbrandError: the weights are damaged, or the architecture cannot be exported.
    """
    import onnx

    try:
        with tempfile.TemporaryDirectory() as folder, compiler_cache():
            path = Path(folder) / "hidden_states.onnx"
            # One layer at least: without it the exporter drops the attention mask.
            _export_hidden_states(source, max(1, *layers), opset, path)
            model = onnx.load(path)
    except OSError as error:
        raise OnbrandError(
            f"has no room for temporary files ({error.strerror or error}); make some, or name "
            "another folder with TMPDIR",
            path=tempfile.gettempdir(),
        ) from None
    return append_pooling(model, layers, source.hidden)


def _export_hidden_states(source: SourceModel, depth: int, opset: int, path: Path) -> None:
    from optimum.exporters.onnx import export
    from optimum.exporters.tasks import TasksManager

    model = load_model(source, depth)
    model.config.output_hidden_states = True
    if sum(p.numel() * p.element_size() for p in model.parameters()) > _MAX_BYTES:
        raise OnbrandError(
            "is too large: an ONNX file ends at 2 GB; choose fewer layers (--layers) or a "
            "smaller model",
            path=source.folder,
        )
    with quiet(), one_thread(), _wrap_export_errors(source, opset):
        factory = TasksManager.get_exporter_config_constructor(
            "onnx", model, task="feature-extraction", library_name="transformers"
        )
        base = factory(model.config)

        class HiddenStates(type(base)):  # type: ignore[misc]
            """Outputs all hidden states, takes no token types: a sentence is one segment."""

            @property
            def inputs(self) -> dict[str, dict[int, str]]:
                return {name: axes for name, axes in super().inputs.items() if name in INPUTS}

            @property
            def outputs(self) -> dict[str, dict[int, str]]:
                return {f"{STATES}.{i}": {0: "batch", 1: "tokens"} for i in range(depth + 1)}

        export(model, HiddenStates(model.config, task="feature-extraction"), path, opset=opset)


@contextlib.contextmanager
def _wrap_export_errors(source: SourceModel, opset: int) -> Iterator[None]:
    try:
        yield
    except OSError:  # of the temporary folder
        raise
    except Exception as error:  # the exporters' errors have no common base
        raise OnbrandError(
            f"cannot be exported with opset {opset} ({summarize(error)})", path=source.folder
        ) from error


def append_pooling(model: onnx.ModelProto, layers: Sequence[int], hidden: int) -> onnx.ModelProto:
    """Add mean pooling over the attention mask, L2 normalisation and concatenation to ``model``.

    The mean is a sum here, since normalisation undoes the division. The hidden states stay outputs
    beside the vectors: they cost nothing unless they are fetched.

    Args:
        model: has outputs ``hidden_states.<layer>``, each (batch, tokens, hidden).
        layers: which of them to pool, in the order of the result.
        hidden: width of one layer.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    graph = model.graph
    axes = {"pooling.tokens": 1, "pooling.last": 2}
    graph.initializer.extend(
        numpy_helper.from_array(np.array([axis], np.int64), name) for name, axis in axes.items()
    )
    node = helper.make_node
    graph.node.extend(
        [
            node("Cast", [INPUTS[1]], ["pooling.cast"], to=TensorProto.FLOAT),
            node("Unsqueeze", ["pooling.cast", "pooling.last"], ["pooling.mask"]),
        ]
    )
    for layer in layers:
        state, name = f"{STATES}.{layer}", f"pooling.{layer}"
        graph.node.extend(
            [
                node("Mul", [state, "pooling.mask"], [f"{name}.masked"]),
                node(
                    "ReduceSum", [f"{name}.masked", "pooling.tokens"], [f"{name}.sum"], keepdims=0
                ),
                node("LpNormalization", [f"{name}.sum"], [f"{name}.vector"], axis=-1, p=2),
            ]
        )
    graph.node.append(
        node("Concat", [f"pooling.{layer}.vector" for layer in layers], [VECTORS], axis=-1)
    )
    del graph.output[:]
    value = helper.make_tensor_value_info
    graph.output.append(value(VECTORS, TensorProto.FLOAT, ["batch", hidden * len(layers)]))
    graph.output.extend(
        value(f"{STATES}.{layer}", TensorProto.FLOAT, ["batch", "tokens", hidden])
        for layer in layers
    )
    checker.check_model(model)
    return model


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export."""

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
    """Write an encoder bundle to ``folder``, which is replaced only if the export succeeds.

    Args:
        source: the model.
        folder: for the bundle: a new folder, or one that holds a bundle.
        options: the defaults where None.
        progress: receives the stage.

    Raises:
        OnbrandError: packages are missing, or the model, the options or the folder do not fit.
    """
    options = options or ExportOptions()
    check_replaceable(folder)
    if source.folder.resolve().is_relative_to(folder.resolve()):
        raise OnbrandError("holds the model itself; name another folder", path=folder)
    layers = parse_layers(options.layers, source.num_layers)
    max_tokens = check_options(options, source)
    require_extra("exporting an encoder")
    import onnx

    from onbrand_models.quantise.recipes import describe, quantise
    from onbrand_models.quantise.static import calibration_feeds

    with replace_bundle(folder) as fresh:
        tokenizer = _write_tokenizer(source, fresh / TOKENIZER, max_tokens)
        progress(ProgressEvent("exporting the graph"))
        model = pooled_graph(source, layers, options.opset)
        progress(ProgressEvent("calibrating and quantising"))
        model = quantise(model, calibration_feeds(tokenizer), options.target)
        onnx.save(model, fresh / MODEL)
        papers = _write_papers(source, fresh)
        unmeasured = EncoderManifest(
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
        return write_measured(
            fresh,
            unmeasured,
            lambda texts: reference_vectors(source, texts, layers, max_tokens),
            source.folder,
            speed=options.measure,
            progress=progress,
        )


def parse_layers(text: str, depth: int) -> list[int]:
    """Parse a choice of layers in a model of ``depth`` layers.

    Raises:
        OnbrandError: not one of the forms, or a layer that the model does not have.
    """
    first, dash, last = {"all": f"0-{depth}", "last": str(depth)}.get(text, text).partition("-")
    if first.isdecimal() and (last.isdecimal() if dash else not last):
        start, end = (_layer(number, depth) for number in (first, last or first))
        # Checked before the list is made: a huge range would fill the memory.
        if start <= end <= depth:
            return list(range(start, end + 1))
    raise OnbrandError(f"--layers {text[:80]!r}: expected all, last or a range within 0-{depth}")


def _layer(digits: str, depth: int) -> int:
    # Python refuses to read numbers of thousands of digits.
    return int(digits) if len(digits) < 10 else depth + 1


def write_measured(
    folder: Path,
    manifest: EncoderManifest,
    reference: Callable[[list[str]], NDArray[np.float32]],
    origin: Path,
    *,
    speed: bool = True,
    progress: Progress = silent,
) -> EncoderManifest:
    """Write the manifest of a new bundle with its parity and speed, and return it.

    Args:
        folder: the bundle, complete but for its manifest.
        manifest: without parity and speed.
        reference: encodes texts with what the bundle was made from: (texts, dim).
        origin: where that is, for errors.
        speed: whether to measure the speed.
        progress: receives the stage.

    Raises:
        OnbrandError: the bundle or its reference gives values that are not finite.
    """
    write_manifest(folder, manifest)
    progress(ProgressEvent("measuring parity and speed"))
    encoder = Encoder.load(folder, cache_size=0)
    texts = parity_sentences()
    parity = _parity(cosines(encoder.encode(texts), reference(texts)), origin)
    measured = measure_speed(encoder) if speed else None
    manifest = msgspec.structs.replace(manifest, parity=parity, speed=measured)
    write_manifest(folder, manifest)
    return manifest


def _parity(cosines: NDArray[np.float32], origin: Path) -> Parity:
    if not np.isfinite(cosines).all():
        raise OnbrandError(
            "gives vectors that are nothing or no finite numbers; its weights or its settings are "
            "broken, take a sound copy",
            path=origin,
        )
    mean, least = (min(1.0, round(float(value), 5)) for value in (cosines.mean(), cosines.min()))
    return Parity(mean=mean, min=least, sentences=len(cosines))


def measure_speed(encoder: Encoder, seconds: float = 2.0) -> Speed:
    """Return how many sentences a second an encoder without a cache encodes on this machine."""
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
        OnbrandError: an option is invalid, or does not fit the model.
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
    if not MIN_TOKENS <= max_tokens <= source.max_tokens:
        raise OnbrandError(
            f"--max-tokens must be {MIN_TOKENS} to {source.max_tokens} for this model"
        )
    return max_tokens


def _write_tokenizer(source: SourceModel, path: Path, max_tokens: int) -> Tokenizer:
    tokenizer: Tokenizer = load_tokenizer(source).backend_tokenizer
    validate_tokenizer(tokenizer, source.tokenizer, max_tokens)
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


def reference_vectors(
    source: SourceModel, texts: Sequence[str], layers: Sequence[int], max_tokens: int
) -> NDArray[np.float32]:
    """Return the concatenated mean-pooled, L2-normalised hidden states: (len(texts), dim)."""
    import torch

    model = load_model(source)
    encoded = load_tokenizer(source)(list(texts), truncation=True, max_length=max_tokens)
    ids: list[list[int]] = encoded["input_ids"]
    rows = np.empty((len(texts), source.hidden * len(layers)), np.float32)
    # Texts of one length go together, so that no padding and no mask affects the reference.
    for length in sorted(set(map(len, ids))):
        chosen = [i for i, tokens in enumerate(ids) if len(tokens) == length]
        batch = torch.tensor([ids[i] for i in chosen])
        with torch.inference_mode(), one_thread():
            states = model(
                batch,
                attention_mask=torch.ones_like(batch),
                output_hidden_states=True,
                return_dict=True,
            ).hidden_states
        pooled = [torch.nn.functional.normalize(states[i].mean(dim=1), dim=-1) for i in layers]
        rows[chosen] = torch.cat(pooled, dim=-1).numpy()
    return rows


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of each row of ``a`` to that of ``b``; NaN if one is zero or not finite."""
    with np.errstate(all="ignore"):  # zero or non-finite rows
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        result: NDArray[np.float32] = (a * b).sum(axis=1) / norms
    return result
