"""Writing what came of a run: the bundle, and the model in floats where it is wanted."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from onbrand.encoder import EncoderManifest
from onbrand.encoder.bundle import CARD
from onbrand.errors import wrap_errors
from onbrand.files import replace_folder
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.loading import save_model
from onbrand_models.source import SourceModel, find_source
from onbrand_models.writing import check_new_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel


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
        base: what it was made from.
        encoder: the adapted model.
        name: of the adapted model.
        card: its model card, in Markdown.
        output: folder of the bundle, replaced if it holds one.
        options: what to export.
        keep_model: new folder for the model in 32-bit floats, if it is wanted.

    Raises:
        OnbrandError: a folder cannot be written, or the model not be exported.
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
        check_new_folder(keep)  # again: learning has taken its time
        with replace_folder(keep) as fresh:
            yield fresh
