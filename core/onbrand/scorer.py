"""The engine's front door: load voices once, then score sentences and check drafts.

Data flows one way: source text → blocks → sentences → features → logits → verdict → report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.errors import Cancelled, OnbrandError
from onbrand.text.document import Document, Sentence, format_of, parse
from onbrand.verdict import Explanation, Report, SentenceVerdict, Verdict, WordShare
from onbrand.voice.explain import explain
from onbrand.voice.library import load_voices, unknown_brand
from onbrand.voice.model import Voice, probability, sigmoid
from onbrand.voice.ngrams import words_of
from onbrand.voice.stack import VoiceStack

MIN_WORDS = 3
"""Shorter sentences carry next to no evidence of a voice and are not judged."""
MAX_EXPLAINED = 500
"""Flagged sentences that get an explanation in one check, the worst first."""
CHUNK = 2048
"""Sentences whose vectors are in memory at once, 22 MB of the default encoder's."""


class Scorer:
    """Judges text against brands. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, voices: Sequence[Voice]) -> None:
        """Put an encoder and voices together.

        Raises:
            OnbrandError: a voice was trained on another encoder.
        """
        self.encoder = encoder
        self.stack = VoiceStack(voices)
        for voice in voices:
            wanted = voice.manifest.encoder
            if wanted.fingerprint != encoder.fingerprint:
                raise OnbrandError(
                    f"voice {voice.brand!r} was trained on encoder {wanted.name} "
                    f"({wanted.fingerprint[:12]}), this is {encoder.name} "
                    f"({encoder.fingerprint[:12]}); train it again or name its encoder",
                    path=voice.folder,
                )

    @classmethod
    def load(
        cls,
        *folders: str | Path,
        brands: Sequence[str] | None = None,
        encoder: str | Path | None = None,
        threads: int | None = None,
    ) -> Self:
        """Load voices and the encoder.

        Args:
            folders: folders of voices, or voices' own folders.
            brands: load only these; all by default.
            encoder: an encoder bundle; the one that ships with onbrand by default.
            threads: see `Encoder.load`.

        Raises:
            OnbrandError: something is missing, damaged or does not fit; the message names it.
        """
        voices = load_voices([Path(folder) for folder in folders], brands)
        bundle = None if encoder is None else Path(encoder)
        return cls(Encoder.load(bundle, threads=threads), voices)

    @property
    def brands(self) -> tuple[str, ...]:
        """The loaded brands, in the order of the columns of `score`."""
        return self.stack.brands

    def voice(self, brand: str) -> Voice:
        """Return a brand's voice.

        Raises:
            OnbrandError: no such voice; the nearest known name is offered.
        """
        if brand not in self.brands:
            raise unknown_brand(brand, self.brands)
        return self.stack.voices[self.brands.index(brand)]

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return P(on-brand) of each text against each brand, shape (texts, brands)."""
        tidy = [" ".join(text.split()) for text in texts]
        return sigmoid(self.stack.logits(self.encoder.encode(tidy), tidy)).astype(np.float32)

    def explain(self, sentence: str, brand: str) -> Explanation:
        """Explain one sentence; word spans are offsets into it with white space collapsed."""
        voice = self.voice(brand)
        tidy = " ".join(sentence.split())
        return explain(voice, tidy, self.encoder.encode_tokens([tidy])[0])

    def check(
        self,
        text: str,
        *,
        brand: str | None = None,
        path: str = "draft.md",
        gate: float | None = None,
        threshold: float | None = None,
        quotes: bool = False,
    ) -> Report:
        """Check a whole draft; its format follows from the ending of ``path``.

        Args:
            text: the draft's source.
            brand: judge everything as this brand; by default what comments and front matter say,
                or the only voice loaded.
            path: a name for reports.
            gate: P at which the draft goes forward, instead of the voice's own.
            threshold: P below which sentences are flagged, instead of the voice's own.
            quotes: judge block quotes too.

        Raises:
            OnbrandError: the brand is not known.
        """
        document = parse(text, format_of(path), quotes=quotes)
        return self.check_document(document, brand=brand, path=path, gate=gate, threshold=threshold)

    def check_document(
        self,
        document: Document,
        *,
        path: str,
        brand: str | None = None,
        default_brand: str | None = None,
        gate: float | None = None,
        threshold: float | None = None,
        explained: int = MAX_EXPLAINED,
        cancelled: Callable[[], bool] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Report:
        """Check a parsed draft (see `check`).

        Args:
            document: the parsed draft.
            path: a name for reports.
            brand: overrides what the document says.
            default_brand: used where the document says nothing.
            gate: instead of the voice's own.
            threshold: instead of the voices' own.
            explained: how many flagged sentences to explain, the worst first.
            cancelled: asked between batches whether to give up (raises `Cancelled`).
            progress: told how many sentences are encoded.
        """
        main = brand or document.brand or default_brand or self._only_brand(path)
        own = self.voice(main)
        least = own.manifest.gate if gate is None else gate
        verdicts: list[SentenceVerdict] = []
        logits: list[NDArray[np.float32]] = []
        for start in range(0, len(document.sentences), CHUNK):
            sentences = document.sentences[start : start + CHUNK]
            voices = [self.voice(brand or sentence.brand or main) for sentence in sentences]
            told = None if progress is None else partial(_count_from, progress, start)
            part, judged = self._judge(document, sentences, voices, threshold, cancelled, told)
            verdicts += part
            logits.append(judged)
        p = _draft_probability(own, np.concatenate(logits)) if logits else None
        return Report(
            path=path,
            brand=main,
            probability=p,
            verdict=_draft_verdict(p, least),
            gate=least,
            sentences=tuple(self._explain_worst(document, verdicts, explained, cancelled)),
            warnings=document.warnings + self._truncation(verdicts),
        )

    def _judge(
        self,
        document: Document,
        sentences: Sequence[Sentence],
        voices: Sequence[Voice],
        threshold: float | None,
        cancelled: Callable[[], bool] | None,
        progress: Callable[[int], None] | None,
    ) -> tuple[list[SentenceVerdict], NDArray[np.float32]]:
        """Return the verdict on each sentence, and the logits of those that were judged."""
        texts = [sentence.text for sentence in sentences]
        vectors = self.encoder.encode(texts, cancelled=cancelled, progress=progress)
        columns = [self.brands.index(voice.brand) for voice in voices]
        rows = range(len(texts))
        logits = self.stack.logits(vectors, texts)[rows, columns]
        familiar = self.stack.familiarity(vectors)[rows, columns]
        reasons = [
            _not_judged(text, float(near), voice)
            for text, near, voice in zip(texts, familiar, voices, strict=True)
        ]
        cut = self.encoder.truncated(texts)
        verdicts = [
            _verdict(document, sentence, voice, float(logit), reason, threshold, long)
            for sentence, voice, logit, reason, long in zip(
                sentences, voices, logits, reasons, cut, strict=True
            )
        ]
        return verdicts, logits[[reason is None for reason in reasons]]

    def _truncation(self, verdicts: Sequence[SentenceVerdict]) -> tuple[str, ...]:
        lines = [f"line {verdict.line}" for verdict in verdicts if verdict.truncated]
        limit = f"a sentence is longer than {self.encoder.max_tokens} tokens"
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        return tuple(f"{at}: {limit}{more}; only its start is judged" for at in lines[:1])

    def _only_brand(self, path: str) -> str:
        if len(self.brands) == 1:
            return self.brands[0]
        raise OnbrandError(
            f"which brand? Say --brand, `brand:` in the front matter, or brand in onbrand.toml "
            f"(known: {', '.join(self.brands)})",
            path=path,
        )

    def _explain_worst(
        self,
        document: Document,
        verdicts: list[SentenceVerdict],
        limit: int,
        cancelled: Callable[[], bool] | None,
    ) -> list[SentenceVerdict]:
        flagged = [i for i, verdict in enumerate(verdicts) if verdict.flagged]
        worst = sorted(flagged, key=lambda i: verdicts[i].probability or 0.0)[:limit]
        for i in worst:
            if cancelled is not None and cancelled():
                raise Cancelled
            why = self.explain(verdicts[i].text, verdicts[i].brand)
            placed = _in_source(why, document.sentences[i])
            verdicts[i] = replace(verdicts[i], explanation=placed)
        return verdicts


def _count_from(progress: Callable[[int], None], start: int, count: int) -> None:
    progress(start + count)


def _not_judged(text: str, familiarity: float, voice: Voice) -> str | None:
    if len(words_of(text)) < MIN_WORDS:
        return "too short"
    if not voice.manifest.familiarity.covers(text, familiarity):
        return "unfamiliar text"
    return None


def _verdict(
    document: Document,
    sentence: Sentence,
    voice: Voice,
    logit: float,
    not_judged: str | None,
    threshold: float | None,
    truncated: bool,
) -> SentenceVerdict:
    line, column = document.lines.position(sentence.span.start)
    least = voice.manifest.threshold if threshold is None else threshold
    p = None if not_judged else probability(logit)
    return SentenceVerdict(
        span=sentence.span,
        line=line + 1,
        column=column + 1,
        text=sentence.text,
        brand=voice.brand,
        probability=p,
        flagged=p is not None and p < least,
        threshold=least,
        not_judged=not_judged,
        truncated=truncated,
    )


def _draft_probability(voice: Voice, logits: NDArray[np.float32]) -> float | None:
    if not len(logits):
        return None
    return probability(voice.manifest.draft.logit(logits))


def _draft_verdict(p: float | None, gate: float) -> Verdict:
    if p is None:
        return "not judged"
    return "forward" if p >= gate else "review"


def _in_source(explanation: Explanation, sentence: Sentence) -> Explanation:
    words = tuple(
        WordShare(sentence.source_span(word.span.start, word.span.end), word.text, word.share)
        for word in explanation.words
    )
    return replace(explanation, words=words)
