"""A bundle beside its source: vectors, verdicts of voices, accuracy of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from onbrand.encoder import Encoder, EncoderManifest
from onbrand.errors import OnbrandError
from onbrand.judge import MIN_WORDS
from onbrand.progress import Progress, ProgressEvent
from onbrand.scorer import Scorer
from onbrand.training.linear import need_sklearn
from onbrand.voice.library import check_encoder, load_voices
from onbrand.voice.model import Voice
from onbrand_models.extras import need_export
from onbrand_models.sentences import parity_sentences
from onbrand_models.source import SourceModel
from onbrand_models.verify.accuracy import check_accuracy
from onbrand_models.verify.budgets import Budgets, Check
from onbrand_models.verify.data import Data, read_data
from onbrand_models.verify.float32 import float32_stand_in
from onbrand_models.verify.parity import Lines, check_source, measured_parity
from onbrand_models.verify.verdicts import REMEMBERED, check_verdicts


@dataclass(frozen=True)
class Comparison:
    """What a bundle is compared with, and on what."""

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
        """Read what is needed, so that nothing is found missing after minutes of work.

        Raises:
            OnbrandError: a package, a folder or drafts for the voices are missing, the data holds
                nothing to compare on, or the source or the voices' encoder is another one.
        """
        need_export("comparing with a source")
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
        """Yield the checks of the bundle ``encoder`` beside its source.

        Args:
            encoder: the bundle.
            budgets: what may differ.
            progress: told what is being done, and how much of it is done.

        Raises:
            OnbrandError: the source cannot be exported, or no sentence of the drafts be judged.
        """
        scorer = self._scorer(encoder) if self.voices else None
        sentences = parity_sentences()
        stretches = [Lines("parity", f"{len(sentences)} built-in lines", sentences)]
        if self.lines:
            what = f"{len(self.lines)} lines of --data"
            stretches.append(Lines("real text", what, self.lines))
        progress(ProgressEvent("the source's vectors"))
        yield from measured_parity(encoder, self.source, stretches, budgets)
        if scorer is None and not self.data.tasks:
            return
        progress(ProgressEvent("the source's export"))
        reference = float32_stand_in(self.source, encoder.manifest)
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
        return Scorer(encoder, self.voices, remember=REMEMBERED)
