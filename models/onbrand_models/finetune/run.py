"""A run of fine-tuning: from a base model and published copy to an encoder bundle with its card.

Its folders are checked before training: none may lie inside another one or hold other files.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from onbrand.encoder import EncoderManifest
from onbrand.encoder.bundle import CARD
from onbrand.errors import OnbrandError, wrap_errors
from onbrand.files import replace_folder
from onbrand.progress import Progress, ProgressEvent, scaled, silent
from onbrand_models.bundle_writer import check_new_folder, check_replaceable
from onbrand_models.export import ExportOptions, check_options, export_bundle, parse_layers
from onbrand_models.finetune.corpus import Batches, Corpus, count_by_brand
from onbrand_models.finetune.significance import PairedComparison, compare, correct_predictions
from onbrand_models.finetune.trainer import (
    BrandClassifier,
    TrainingArguments,
    TrainResult,
    check_room,
    clear_checkpoints,
    find_device,
    train,
)
from onbrand_models.library_noise import compiler_cache
from onbrand_models.source import SourceModel, find_source, load_model, load_tokenizer, save_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel


_LEARNING_SHARE = 0.9
"""Share of the progress bar for training; the rest is for evaluating and exporting."""


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """Options of a run."""

    training: TrainingArguments = field(default_factory=TrainingArguments)
    batch: int = 32
    """Lines in a batch."""
    max_tokens: int = 96
    """Longer lines are cut in training; the bundle's limit is the model's all the same."""
    blend: float = 1.0
    """Share of the adapted weights in the result, the rest is the base's; less than 1 keeps more of
    what the base knows about other voices (WiSE-FT, Wortsman et al., 2022, arXiv:2109.01903)."""
    device: str = "auto"
    export: ExportOptions = field(default_factory=ExportOptions)


@dataclass(frozen=True, slots=True)
class Adapted:
    """Result of a run."""

    training: TrainResult
    comparison: PairedComparison
    manifest: EncoderManifest | None
    """None if adapting did not help, so that nothing was written."""


@dataclass(frozen=True, slots=True)
class _Start:
    """The untrained model, and the tokenised lines."""

    model: BrandClassifier
    weights: dict[str, torch.Tensor]
    """The encoder's weights before training."""
    train: Batches
    held_out: Batches


@compiler_cache()
def adapt(
    base: SourceModel,
    corpus: Corpus,
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
    """Fine-tune a model on published copy, and write the bundle if held-out lines show a gain.

    Args:
        base: the model to fine-tune.
        corpus: the published lines and their brands.
        output: folder of the bundle, replaced at the end only.
        options: of training and of the export.
        work: folder for checkpoints, from which a killed run resumes; emptied at the end.
        keep_model: new folder for the adapted model in 32-bit floats, for other exports; written
            together with the bundle.
        card: changes the text of the model card.
        progress: receives the stage and how much is done.
        note: called with one line on each evaluation on held-out lines.
        warn: called with a message if the checkpoint is of another run.

    Raises:
        OnbrandError: the model or the device cannot be used, or a folder cannot be written.
    """
    check_folders(base.folder, output, work, keep_model)
    start = _start(base, corpus, options)
    model, held_out = start.model, start.held_out
    check_room(work, model)
    progress(ProgressEvent("looking at the base"))
    before = correct_predictions(model, held_out, corpus)
    training = train(
        model,
        start.train,
        held_out,
        options.training,
        run=_run_name(base, corpus, options),
        work=work,
        progress=scaled(progress, start=0.0, size=_LEARNING_SHARE),
        note=note,
        warn=warn,
    )
    _blend(model, start.weights, options.blend)
    progress(ProgressEvent("checking on held-out lines", _LEARNING_SHARE))
    comparison = compare(before, correct_predictions(model, held_out, corpus))
    manifest = None
    if comparison.helped:
        name = options.export.name or f"{base.name}-adapted"
        text = card(model_card(name, base, corpus, training, options.blend, comparison))
        progress(ProgressEvent("exporting", _LEARNING_SHARE + 0.05))
        manifest = export_adapted(
            base, model.encoder, name, text, output, options.export, keep_model
        )
    clear_checkpoints(work)
    progress(ProgressEvent("done", 1.0))
    return Adapted(training, comparison, manifest)


def _start(base: SourceModel, corpus: Corpus, options: AdaptOptions) -> _Start:
    """Load the model to the device with a new classifier, and tokenise the corpus.

    Raises:
        OnbrandError: the options are invalid, or the model or the device cannot be used.
    """
    check_options(options.export, base)
    device = find_device(options.device)
    layers = parse_layers(options.export.layers, base.num_layers)
    # At least one layer, even if the embeddings alone are pooled: a transformer needs it.
    encoder, tokenizer = load_model(base, max(1, *layers)), load_tokenizer(base)
    weights = {name: value.clone() for name, value in encoder.state_dict().items()}
    torch.manual_seed(options.training.seed)  # the classifier's first weights
    model = BrandClassifier(encoder, layers, len(corpus.brands)).to(device)
    limits = {"size": options.batch, "max_tokens": min(options.max_tokens, base.max_tokens)}
    lines, held_out = (
        Batches(tokenizer, part, **limits) for part in (corpus.train, corpus.held_out)
    )
    return _Start(model, weights, lines, held_out)


def _blend(model: BrandClassifier, base: dict[str, torch.Tensor], share: float) -> None:
    """Interpolate the encoder's weights: ``share`` of the trained ones, the rest of the base's."""
    with torch.no_grad():
        for name, value in model.encoder.state_dict().items():
            if value.is_floating_point():
                value.lerp_(base[name].to(value.device), 1 - share)


def _run_name(base: SourceModel, corpus: Corpus, options: AdaptOptions) -> str:
    """Return a hash of all that decides the result: only a checkpoint with the same is resumed."""
    learning = (options.training, options.batch, options.max_tokens, options.export.layers)
    parts = (base.weights_sha256(), corpus.digest, repr(learning))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def check_folders(base: Path, output: Path, work: Path, keep_model: Path | None) -> None:
    """Check the folders that a run reads and writes, before training.

    Args:
        base: folder of the base model.
        output: folder of the bundle.
        work: folder for checkpoints.
        keep_model: folder for the adapted model, if it is wanted.

    Raises:
        OnbrandError: files would be lost, a folder cannot be written, or one of them is or lies in
            another one.
    """
    check_replaceable(output)
    if keep_model is not None:
        check_new_folder(keep_model)
    named = {"--output": output, "--work": work, "--keep-model": keep_model, "--base": base}
    places = [(name, folder) for name, folder in named.items() if folder is not None]
    for (name, folder), (other_name, other) in itertools.combinations(places, 2):
        here, there = folder.resolve(), other.resolve()
        if here.is_relative_to(there) or there.is_relative_to(here):
            how = "is the same folder as" if here == there else "overlaps with"
            raise OnbrandError(
                f"{name} {folder} {how} {other_name} {other}; name a folder for each, "
                "none of them inside another"
            )
    if work.exists() and not work.is_dir():
        raise OnbrandError("is no folder; name another one for checkpoints (--work)", path=work)


def export_adapted(
    base: SourceModel,
    encoder: PreTrainedModel,
    name: str,
    card: str,
    output: Path,
    options: ExportOptions,
    keep_model: Path | None,
) -> EncoderManifest:
    """Write the bundle of an adapted model, and the model itself: both or neither.

    Args:
        base: the model it was made from.
        encoder: the adapted model.
        name: of the adapted model.
        card: its model card, in Markdown.
        output: folder of the bundle, replaced if it holds one.
        options: of the export.
        keep_model: new folder for the model in 32-bit floats, if it is wanted.

    Raises:
        OnbrandError: a folder cannot be written, or the model cannot be exported.
    """
    with (
        tempfile.TemporaryDirectory() as scratch,
        _model_folder(keep_model, Path(scratch) / name) as model,
    ):
        with wrap_errors("cannot be written", keep_model or model):
            save_model(base, encoder, model)
            (model / CARD).write_text(card, encoding="utf-8")
        source = replace(
            find_source(str(model)),
            name=name,
            licence=base.licence,
            origin=f"{base.name} ({base.origin}), adapted to published copy",
        )
        return export_bundle(source, output, options)


@contextlib.contextmanager
def _model_folder(keep: Path | None, scratch: Path) -> Iterator[Path]:
    """Yield an empty folder, which becomes ``keep`` at the end if the block ends well."""
    if keep is None:
        scratch.mkdir()
        yield scratch
    else:
        check_new_folder(keep)  # again: training has taken a while
        with replace_folder(keep) as fresh:
            yield fresh


_MAX_BRANDS = 200
"""Brands that a model card lists by name."""


def model_card(
    name: str,
    base: SourceModel,
    corpus: Corpus,
    training: TrainResult,
    blend: float,
    comparison: PairedComparison,
) -> str:
    """Return the card in Markdown, with the front matter that model hubs read.

    Args:
        name: of the adapted model.
        base: the model it was made from.
        corpus: the lines it was trained on.
        training: result of the training.
        blend: share of the trained weights in the result.
        comparison: base and adapted model on held-out lines.
    """
    counts = sorted(count_by_brand(corpus).items())
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = [f"| {_cell(brand)} | {count} |" for brand, count in counts[:_MAX_BRANDS]]
    if len(counts) > _MAX_BRANDS:
        rows.append(f"| {len(counts) - _MAX_BRANDS} more | |")
    mixed = ""
    if blend < 1:
        mixed = f" Of the way from the base's weights to the learnt ones it goes {blend:.0%}."
    return "\n".join(
        [
            "---",
            f"license: {base.licence.lower()}",
            f"base_model: {base.name}",
            "---",
            "",
            f"# {name}",
            "",
            f"{base.name} ({base.origin}, {base.licence}), fine-tuned on {today} to tell which of "
            f"{len(counts)} voices published a line. It learnt from {len(corpus.train.texts):,} "
            f"lines in {training.state.best_step:,} batches. Nobody labelled them, and the texts "
            f"are not part of the model.{mixed}",
            "",
            _proof(corpus, comparison),
            "",
            "| published by | lines |",
            "|---|---:|",
            *rows,
            "",
        ]
    )


def _proof(corpus: Corpus, comparison: PairedComparison) -> str:
    if len(corpus.split_by_line) == len(corpus.brands):
        where = "that it did not learn from, of documents that it did"
    elif corpus.split_by_line:
        where = "that it did not learn from, some of them of documents that it did"
    else:
        where = "of documents that it did not learn from"
    return (
        f"On {comparison.lines:,} lines {where}, a linear classifier named the right voice for "
        f"{comparison.after:.1%}; with the base for {comparison.before:.1%}. By luck alone that "
        f"would come about in {comparison.format_p_value()} of cases."
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
