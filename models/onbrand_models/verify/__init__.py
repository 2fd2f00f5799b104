"""Verification of an encoder bundle, from its files to its voices' verdicts on real text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from onbrand.encoder import Encoder, EncoderManifest, read_manifest
from onbrand.encoder.bundle import MODEL, TOKENIZER, read_file
from onbrand.errors import OnbrandError
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand.scorer import MIN_WORDS, Scorer
from onbrand.training.logistic import need_sklearn
from onbrand.voice.model import Voice
from onbrand.voice.storage import check_encoder, load_voices
from onbrand_models.library_noise import require_extra
from onbrand_models.source import SourceModel
from onbrand_models.validation import parity_sentences
from onbrand_models.verify.graph import check_files, check_graph, check_tokenizer
from onbrand_models.verify.parity import (
    Lines,
    check_source,
    check_vectors,
    measured_parity,
    recorded_parity,
)
from onbrand_models.verify.tolerances import DEFAULT, Budgets, Check
from onbrand_models.verify.voices import (
    CACHED_SENTENCES,
    Data,
    check_accuracy,
    check_verdicts,
    read_data,
    reference_encoder,
)

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
    """Check the bundle in ``folder`` and yield each result when it is known.

    The checks end at a graph that fails, as it must not run, and at a tokenizer that does not load.

    Args:
        folder: the bundle.
        against: the model it was made from, to measure parity; else the manifest's is read.
        budgets: how much may differ from the source.
        data: folders of drafts, of ``TASK.train.jsonl`` and ``TASK.test.jsonl`` pairs, or both.
        voices: folders of voices that were trained on the bundle, to judge the drafts.
        progress: receives the stage and how much is done.

    Raises:
        OnbrandError: there is no bundle, its files are not as in the manifest, or an argument is
            missing or does not fit.
    """
    if against is None and (data or voices):
        raise OnbrandError("--data and --voices compare with a source; name it with --against")
    manifest = read_manifest(folder)
    comparison = None
    if against is not None:
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


@dataclass(frozen=True)
class Comparison:
    """The source that a bundle is compared with, and the data for it."""

    source: SourceModel
    data: Data
    lines: Sequence[str]
    """Real text of ``data``, to measure parity on."""
    voices: Sequence[Voice]

    @classmethod
    def prepare(
        cls,
        source: SourceModel,
        manifest: EncoderManifest,
        data: Sequence[Path],
        voices: Sequence[Path],
    ) -> Self:
        """Read and check everything first, so that no error comes after minutes of work.

        Raises:
            OnbrandError: a package, a folder or drafts for the voices are missing, the data holds
                nothing to compare on, or the source or the voices' encoder is another one.
        """
        require_extra("comparing with a source")
        check_source(source, manifest)
        text = read_data(data)
        if text.tasks:
            need_sklearn()
        lines = text.lines()
        if data and not lines and not text.tasks:
            raise OnbrandError(
                f"--data holds no line of {MIN_WORDS} words or more, so nothing to compare on; "
                "name a folder with real text"
            )
        loaded = load_voices(voices) if voices else []
        check_encoder(
            loaded,
            manifest,
            what="the bundle",
            advice="name voices that were trained on the bundle",
        )
        if loaded and not text.drafts:
            raise OnbrandError("--voices judge drafts; name a folder of them with --data")
        return cls(source, text, lines, loaded)

    def checks(self, encoder: Encoder, budgets: Budgets, progress: Progress) -> Iterator[Check]:
        """Yield the checks that compare a bundle with its source.

        Args:
            encoder: the bundle.
            budgets: how much may differ.
            progress: receives the stage and how much is done.

        Raises:
            OnbrandError: the source cannot be exported, or no sentence of the drafts can be judged.
        """
        scorer = self._scorer(encoder) if self.voices else None
        sentences = parity_sentences()
        samples = [Lines("parity", f"{len(sentences)} built-in lines", sentences)]
        if self.lines:
            what = f"{len(self.lines)} lines of --data"
            samples.append(Lines("real text", what, self.lines))
        progress(ProgressEvent("the source's vectors"))
        yield from measured_parity(encoder, self.source, samples, budgets)
        if scorer is None and not self.data.tasks:
            return
        progress(ProgressEvent("the source's export"))
        reference = reference_encoder(self.source, encoder.manifest)
        if scorer is not None:
            yield check_verdicts(
                scorer,
                self._scorer(reference),
                self.data.drafts,
                budgets,
                found=self.data.found,
                progress=progress,
            )
        for folder in self.data.tasks:
            yield check_accuracy(encoder, reference, folder, budgets, progress=progress)

    def _scorer(self, encoder: Encoder) -> Scorer:
        return Scorer(encoder, self.voices, remember=CACHED_SENTENCES)
