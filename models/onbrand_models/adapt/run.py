"""From a base model and published copy to an adapted encoder bundle."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from onbrand.encoder import EncoderManifest
from onbrand.encoder.bundle import CARD
from onbrand.files import replace_folder
from onbrand_models.adapt.batches import Batches
from onbrand_models.adapt.card import model_card
from onbrand_models.adapt.checkpoint import clear_checkpoints
from onbrand_models.adapt.copy import PublishedCopy
from onbrand_models.adapt.device import find_device
from onbrand_models.adapt.evidence import MIN_LINES, Evidence, named_right
from onbrand_models.adapt.loop import Learnt, Schedule, learn
from onbrand_models.adapt.objective import BrandClassifier
from onbrand_models.export import ExportOptions, check_options, export_bundle, parse_layers
from onbrand_models.loading import load_model, load_tokenizer, save_model
from onbrand_models.source import SourceModel, find_source
from onbrand_models.writing import check_replaceable

if TYPE_CHECKING:
    from transformers import PreTrainedModel

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
    evidence: Evidence | None
    """None: too few lines could be held out to say."""
    manifest: EncoderManifest | None
    """None: it did not help, so nothing was written."""


def adapt(
    base: SourceModel,
    copy: PublishedCopy,
    output: Path,
    options: AdaptOptions,
    *,
    work: Path,
    keep_model: Path | None = None,
    card: Callable[[str], str] = lambda text: text,
    tell: Callable[[str, float], None] = lambda *_: None,
) -> Adapted:
    """Fine-tune a model on published copy and write the bundle, if documents held out say it helps.

    Args:
        base: the model to begin with.
        copy: whose lines are whose.
        output: folder of the bundle, replaced only at the end.
        options: rates, sizes, and what to export.
        work: folder for checkpoints; a run that was killed goes on from there. Emptied at the end.
        keep_model: folder for the adapted model in 32-bit floats, to export it again.
        card: what to make of the model card.
        tell: told what is being done and the share of the work that is, 0 to 1.

    Raises:
        OnbrandError: the model or the device cannot be used, or a folder not be written.
    """
    check_replaceable(output)
    check_options(options.export, base)
    device = find_device(options.device)
    layers = parse_layers(options.export.layers, base.num_layers)
    encoder, tokenizer = load_model(base, max(layers)), load_tokenizer(base)
    base_weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    torch.manual_seed(options.schedule.seed)  # the classifier's first weights
    model = BrandClassifier(encoder, layers, len(copy.brands)).to(device)
    limits = {"size": options.batch, "max_tokens": min(options.max_tokens, base.max_tokens)}
    lines, held_out = (Batches(tokenizer, part, **limits) for part in (copy.learn, copy.held_out))
    tell("looking at the base", 0.0)
    enough = len(copy.held_out.texts) >= MIN_LINES * len(copy.brands)
    before = named_right(model, held_out, copy.held_out) if enough else 0.0
    learnt = learn(
        model,
        lines,
        held_out,
        options.schedule,
        run=_run_name(base, copy, options),
        work=work,
        tell=lambda text, share: tell(text, _LEARNING_SHARE * share),
    )
    _blend(encoder, base_weights, options.blend)
    evidence = None
    if enough:
        tell("checking on held-out documents", _LEARNING_SHARE)
        after = named_right(model, held_out, copy.held_out)
        evidence = Evidence(before, after, len(copy.held_out.texts))
    manifest = None
    if evidence is None or evidence.helped:
        name = options.export.name or f"{base.name}-adapted"
        text = card(model_card(name, base, copy, learnt, options.blend, evidence))
        tell("exporting", _LEARNING_SHARE + 0.05)
        manifest = _export(base, encoder, name, text, output, options, keep_model)
    clear_checkpoints(work)
    tell("done", 1.0)
    return Adapted(learnt, evidence, manifest)


def _blend(encoder: PreTrainedModel, base: dict[str, torch.Tensor], share: float) -> None:
    """Move the encoder's weights back towards the base's, to ``share`` of the way."""
    with torch.no_grad():
        for name, value in encoder.state_dict().items():
            if value.is_floating_point():
                value.lerp_(base[name].to(value.device), 1 - share)


def _run_name(base: SourceModel, copy: PublishedCopy, options: AdaptOptions) -> str:
    """Name what decides the result, so that a checkpoint of something else is not taken up."""
    learning = (options.schedule, options.batch, options.max_tokens, options.export.layers)
    parts = (base.weights_sha256(), copy.digest, repr(learning))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _export(
    base: SourceModel,
    encoder: PreTrainedModel,
    name: str,
    card: str,
    output: Path,
    options: AdaptOptions,
    keep_model: Path | None,
) -> EncoderManifest:
    """Write the bundle, and the model in floats where it is wanted."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / name
        model.mkdir()
        save_model(base, encoder, model)
        (model / CARD).write_text(card, encoding="utf-8")
        source = replace(
            find_source(str(model)),
            name=name,
            licence=base.licence,
            origin=f"{base.name} ({base.origin}), adapted to published copy",
        )
        manifest = export_bundle(source, output, options.export)
        if keep_model is not None:
            with replace_folder(keep_model) as fresh:
                shutil.copytree(model, fresh, dirs_exist_ok=True)
    return manifest
