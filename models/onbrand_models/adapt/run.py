"""From a base model and published copy to an adapted encoder bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from onbrand.encoder import EncoderManifest
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand_models.adapt.batches import Batches
from onbrand_models.adapt.card import model_card
from onbrand_models.adapt.checkpoint import check_room, clear_checkpoints
from onbrand_models.adapt.copy import PublishedCopy
from onbrand_models.adapt.device import find_device
from onbrand_models.adapt.evidence import Evidence, compare, named_right
from onbrand_models.adapt.folders import check_folders
from onbrand_models.adapt.loop import Learnt, Schedule, learn
from onbrand_models.adapt.objective import BrandClassifier
from onbrand_models.adapt.result import export_adapted
from onbrand_models.export import ExportOptions, check_options, parse_layers
from onbrand_models.loading import load_model, load_tokenizer
from onbrand_models.quiet import compiler_cache
from onbrand_models.source import SourceModel

_LEARNING_SHARE = 0.9
"""Of all work, for the progress bar; the rest is checking and exporting."""


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """What may be chosen."""

    schedule: Schedule = field(default_factory=Schedule)
    batch: int = 32
    """Lines in a batch."""
    max_tokens: int = 96
    """Longer lines are cut while learning; the bundle's own limit stays the model's."""
    blend: float = 1.0
    """Share of the adapted weights in the result, the rest is the base's: less than 1 keeps more of
    what the base knows of other voices (WiSE-FT, Wortsman et al., 2022, arXiv:2109.01903)."""
    device: str = "auto"
    export: ExportOptions = field(default_factory=ExportOptions)


@dataclass(frozen=True, slots=True)
class Adapted:
    """What came of it."""

    learnt: Learnt
    evidence: Evidence
    manifest: EncoderManifest | None
    """None: it did not help, so nothing was written."""


@dataclass(frozen=True, slots=True)
class _Start:
    """A model that has learnt nothing yet, and the lines as it reads them."""

    model: BrandClassifier
    weights: dict[str, torch.Tensor]
    """The encoder's, as they are before."""
    learn: Batches
    held_out: Batches


@compiler_cache()
def adapt(
    base: SourceModel,
    copy: PublishedCopy,
    output: Path,
    options: AdaptOptions,
    *,
    work: Path,
    keep_model: Path | None = None,
    card: Callable[[str], str] = lambda text: text,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> Adapted:
    """Fine-tune a model on published copy and write the bundle, if lines held out say it helps.

    Args:
        base: the model to begin with.
        copy: whose lines are whose.
        output: folder of the bundle, replaced only at the end.
        options: rates, sizes, and what to export.
        work: folder for checkpoints; a run that was killed goes on from there. Emptied at the end.
        keep_model: new folder for the adapted model in 32-bit floats, to export it again; written
            together with the bundle.
        card: what to make of the model card.
        progress: told what is being done.
        note: told in a line what each check on the held-out lines has found.
        warn: told of a checkpoint that is not gone on with.

    Raises:
        OnbrandError: the model or the device cannot be used, or a folder not be written.
    """
    check_folders(base.folder, output, work, keep_model)
    start = _start(base, copy, options)
    model, held_out = start.model, start.held_out
    check_room(work, model)
    progress(ProgressEvent("looking at the base"))
    before = named_right(model, held_out, copy)
    learnt = learn(
        model,
        start.learn,
        held_out,
        options.schedule,
        run=_run_name(base, copy, options),
        work=work,
        progress=scaled(progress, start=0.0, size=_LEARNING_SHARE),
        note=note,
        warn=warn,
    )
    _blend(model, start.weights, options.blend)
    progress(ProgressEvent("checking on held-out lines", _LEARNING_SHARE))
    evidence = compare(before, named_right(model, held_out, copy))
    manifest = None
    if evidence.helped:
        name = options.export.name or f"{base.name}-adapted"
        text = card(model_card(name, base, copy, learnt, options.blend, evidence))
        progress(ProgressEvent("exporting", _LEARNING_SHARE + 0.05))
        manifest = export_adapted(
            base, model.encoder, name, text, output, options.export, keep_model
        )
    clear_checkpoints(work)
    progress(ProgressEvent("done", 1.0))
    return Adapted(learnt, evidence, manifest)


def _start(base: SourceModel, copy: PublishedCopy, options: AdaptOptions) -> _Start:
    """Load the model on the device, with a fresh classifier.

    Raises:
        OnbrandError: the options do not fit, or the model or the device cannot be used.
    """
    check_options(options.export, base)
    device = find_device(options.device)
    layers = parse_layers(options.export.layers, base.num_layers)
    # A transformer has a layer at least, even where the embeddings alone are pooled.
    encoder, tokenizer = load_model(base, max(1, *layers)), load_tokenizer(base)
    weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    torch.manual_seed(options.schedule.seed)  # the classifier's first weights
    model = BrandClassifier(encoder, layers, len(copy.brands)).to(device)
    limits = {"size": options.batch, "max_tokens": min(options.max_tokens, base.max_tokens)}
    lines, held_out = (Batches(tokenizer, part, **limits) for part in (copy.learn, copy.held_out))
    return _Start(model, weights, lines, held_out)


def _blend(model: BrandClassifier, base: dict[str, torch.Tensor], share: float) -> None:
    """Move the encoder's weights back towards the base's, to ``share`` of the way."""
    with torch.no_grad():
        for name, value in model.encoder.state_dict().items():
            if value.is_floating_point():
                value.lerp_(base[name].to(value.device), 1 - share)


def _run_name(base: SourceModel, copy: PublishedCopy, options: AdaptOptions) -> str:
    """Name what decides the result, so that a checkpoint of something else is not taken up."""
    learning = (options.schedule, options.batch, options.max_tokens, options.export.layers)
    parts = (base.weights_sha256(), copy.digest, repr(learning))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
