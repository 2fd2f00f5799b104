"""Checks of an encoder bundle, from its files to what its voices say of real text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from onbrand.encoder import Encoder, read_manifest
from onbrand.encoder.bundle import MODEL, TOKENIZER, read_file
from onbrand.errors import OnbrandError
from onbrand.progress import Progress, silent
from onbrand_models.source import SourceModel
from onbrand_models.verify.budgets import DEFAULT, Budgets, Check
from onbrand_models.verify.files import check_files
from onbrand_models.verify.graph import check_graph, check_tokenizer
from onbrand_models.verify.parity import recorded_parity
from onbrand_models.verify.vectors import check_vectors

__all__ = ["Budgets", "Check", "verify_bundle"]


def verify_bundle(
    folder: Path,
    against: SourceModel | None = None,
    *,
    budgets: Budgets = DEFAULT,
    data: Sequence[Path] = (),
    voices: Sequence[Path] = (),
    progress: Progress = silent,
) -> Iterator[Check]:
    """Check the bundle in ``folder``, yielding each result as it is known.

    A graph that fails its check is not run, nor a tokenizer that cannot be loaded, so the checks
    end there.

    Args:
        folder: the bundle.
        against: the model it was made from, to measure anew; else the manifest's parity is read.
        budgets: what may differ from the source.
        data: folders of drafts, of ``TASK.train.jsonl`` and ``TASK.test.jsonl`` pairs, or both.
        voices: folders of voices that were trained on the bundle, to judge the drafts.
        progress: told what is being done, and how much of it is done.

    Raises:
        OnbrandError: there is no bundle, or its files are not what the manifest says; something
            that was asked for is missing or does not fit.
    """
    if against is None and (data or voices):
        raise OnbrandError("--data and --voices compare with a source; name it with --against")
    manifest = read_manifest(folder)
    comparison = None
    if against is not None:
        from onbrand_models.verify.comparison import Comparison

        comparison = Comparison.prepare(against, manifest, data, voices)
    yield check_files(folder, manifest)
    graph = check_graph(read_file(folder, MODEL, manifest), manifest)
    yield graph
    if not graph.passed:
        return
    tokens = check_tokenizer(
        folder / TOKENIZER,
        read_file(folder, TOKENIZER, manifest),
        read_file(folder, MODEL, manifest),
        manifest.max_tokens,
    )
    if tokens is not None:
        yield tokens
    try:
        # No cache: it would hide what a batch changes.
        encoder = Encoder.load(folder, cache_size=0)
    except OnbrandError:
        if tokens is not None and not tokens.passed:  # this is why
            return
        raise
    vectors, *rest = check_vectors(encoder)
    yield from (vectors, *rest)
    if not vectors.passed:
        return
    if comparison is None:
        yield recorded_parity(manifest, budgets)
    else:
        yield from comparison.checks(encoder, budgets, progress)
