"""The engine's front door: load voices once, then score sentences and check drafts.

Data flows one way: source text → blocks → sentences → features → logits → verdict → report.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand.judge import Judge
from onbrand.progress import Progress, silent
from onbrand.text.document import Document, Sentence, parse_named
from onbrand.verdict import Example, Explanation, Report, SentenceVerdict, Verdict, WordShare
from onbrand.voice.avoid import avoid_voice
from onbrand.voice.explain import nearest
from onbrand.voice.library import (
    check_encoder,
    encoder_for,
    load_voices,
    read_current,
    unknown_brand,
)
from onbrand.voice.mixture import unmix
from onbrand.voice.model import MAX_SENTENCE_LOGIT, Voice, log_odds, probability, sigmoid
from onbrand.voice.stack import VoiceStack, check_one_encoder

MAX_EXPLAINED = 500
"""Flagged sentences that get an explanation in one check, the worst first."""


class Scorer:
    """Judges text against brands. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, voices: Sequence[Voice], *, remember: int = 0) -> None:
        """Put an encoder and voices together.

        Args:
            encoder: turns sentences into vectors.
            voices: the brands to judge by.
            remember: how many sentences' judgements to keep (some 500 bytes each), for callers
                that check a text again after every edit. Their encoder needs no cache.

        Raises:
            OnbrandError: a voice was trained on another encoder.
        """
        self.encoder = encoder
        check_one_encoder(voices)
        check_encoder(voices, encoder)
        self.stack = VoiceStack(voices)
        self._judge = Judge(encoder, self.stack, remember)

    @classmethod
    def load(
        cls,
        *folders: str | Path,
        brands: Sequence[str] | None = None,
        encoder: str | Path | None = None,
        threads: int | None = None,
        remember: int = 0,
    ) -> Self:
        """Load voices and the encoder.

        Args:
            folders: folders of voices, voices' own folders, or installations.
            brands: load only these; all by default.
            encoder: an encoder bundle; by default the one that an installation brings for its
                voices, else the one that ships with onbrand.
            threads: see `Encoder.load`.
            remember: how many sentences' judgements to keep, instead of some sentences' vectors.

        Raises:
            OnbrandError: something is missing, damaged or does not fit; the message names it.
        """
        cache = {"cache_size": 0} if remember else {}

        def load(places: Sequence[Path]) -> tuple[Encoder, list[Voice]]:
            voices = load_voices(places, brands)
            bundle = encoder_for(places, brands) if encoder is None else Path(encoder)
            return Encoder.load(bundle, threads=threads, **cache), voices

        return cls(*read_current(map(Path, folders), load), remember=remember)

    @classmethod
    def avoiding(cls, encoder: Encoder, registers: Sequence[str]) -> Self:
        """Return what judges without a voice, by what a text must not read like.

        Args:
            encoder: one that has registers: the one that ships with onbrand.
            registers: names, say "corporate" and "hype".

        Raises:
            OnbrandError: there is no register of a name, or the encoder has none at all.
        """
        return cls(encoder, [avoid_voice(encoder, registers)])

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
        judged = self._judge.judge([_tidy(text) for text in texts])
        return sigmoid(judged["logits"]).astype(np.float32)

    def probabilities(self, text: str) -> dict[str, float]:
        """Return P(on-brand) of one sentence for every brand."""
        logits = self._judge.judge([_tidy(text)])["logits"][0]
        return dict(zip(self.brands, map(probability, logits.tolist()), strict=True))

    def explain(self, sentence: str, brand: str) -> Explanation:
        """Explain one sentence; word spans are offsets into it with white space collapsed."""
        return self._judge.explain([(_tidy(sentence), self.voice(brand).brand)])[0]

    def nearest(self, sentence: str, brand: str, count: int = 3) -> list[Example]:
        """Return the on-brand lines that are most like a sentence, the most alike first.

        There are none where the voice keeps no texts.
        """
        voice = self.voice(brand)
        return nearest(voice, self.encoder.encode([_tidy(sentence)])[0], "on", count)

    def check(
        self,
        text: str,
        *,
        brand: str | None = None,
        path: str = "draft.md",
        gate: float | None = None,
        threshold: float | None = None,
        quotes: bool = False,
        read_as: str | None = None,
    ) -> Report:
        """Check a whole draft; its format follows from the ending of ``path``.

        Args:
            text: the draft's source.
            brand: judge everything as this brand; by default what comments and front matter say,
                or the only voice loaded.
            path: a name for reports. One that does not say a format makes it plain text, with a
                warning.
            gate: P at which the draft goes forward, instead of the voice's own.
            threshold: P below which sentences are flagged, instead of the voice's own.
            quotes: judge block quotes too.
            read_as: the format, whatever the path: "text", "markdown", "mdx" or "html".

        Raises:
            OnbrandError: the brand or the format is not known.
        """
        document = parse_named(text, path, read_as=read_as, quotes=quotes)
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
        ignored: Collection[str] = (),
        lenient: bool = False,
        explained: int = MAX_EXPLAINED,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress = silent,
    ) -> Report:
        """Check a parsed draft (see `check`).

        Args:
            document: the parsed draft.
            path: a name for reports.
            brand: overrides what the document says.
            default_brand: used where the document says nothing.
            gate: instead of the voice's own.
            threshold: instead of the voices' own.
            ignored: `onbrand.labels.keys.text_key` of sentences that are not to be flagged,
                whatever their probability.
            lenient: where a comment names a brand without a voice, warn and do not judge instead
                of raising. The draft's own brand must have one.
            explained: how many flagged sentences to explain, the worst first.
            cancelled: asked between batches whether to give up (raises `Cancelled`).
            progress: told how many sentences are encoded.
        """
        main = brand or document.brand or default_brand or self._only_brand(path)
        own = self.voice(main)
        least = own.manifest.gate if gate is None else gate
        brands = [brand or sentence.brand or main for sentence in document.sentences]
        strangers = [name for name in dict.fromkeys(brands) if name not in self.brands]
        if strangers and not lenient:
            raise unknown_brand(strangers[0], self.brands)
        verdicts = self._judge.verdicts(
            document, brands, threshold, ignored, cancelled=cancelled, progress=progress
        )
        verdicts = with_foreign(verdicts)
        p = _probability(own, verdicts)
        warnings = [self._no_voice(name, verdicts) for name in strangers]
        return Report(
            path=path,
            brand=main,
            probability=p,
            verdict=_draft_verdict(p, least),
            gate=least,
            sentences=tuple(self._explain_worst(document, verdicts, explained, cancelled)),
            warnings=(*document.warnings, *warnings, *self._truncation(verdicts)),
        )

    def _no_voice(self, brand: str, verdicts: Iterable[SentenceVerdict]) -> str:
        line = next(verdict.line for verdict in verdicts if verdict.brand == brand)
        return f"line {line}: {unknown_brand(brand, self.brands).message}"

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
        pairs = [(verdicts[i].text, verdicts[i].brand) for i in worst]
        explanations = self._judge.explain(pairs, cancelled=cancelled)
        for i, why in zip(worst, explanations, strict=True):
            placed = _in_source(why, document.sentences[i])
            verdicts[i] = replace(verdicts[i], explanation=placed)
        return verdicts


def draft_probability(voice: Voice, sentences: Iterable[SentenceVerdict]) -> float | None:
    """Return P(on-brand) of a draft or a part of one, None where nothing in it was judged.

    What its sentences say together, but no more than the share of them that is the brand's: a page
    of the brand with three foreign sentences in thirty is at 0.90 at most. Only what is flagged
    counts as foreign here: what a writer is not shown must not stop a draft.

    Args:
        voice: the brand of the draft.
        sentences: the verdicts on its sentences.
    """
    return _probability(voice, with_foreign(sentences))


def _probability(voice: Voice, sentences: Sequence[SentenceVerdict]) -> float | None:
    judged = [sentence for sentence in sentences if sentence.evidence is not None]
    if not judged:
        return None
    heads, registers = np.array([sentence.evidence for sentence in judged]).T
    whole = probability(voice.manifest.draft.logit(heads, registers))
    foreign = sum(sentence.foreign or 0.0 for sentence in judged if sentence.flagged)
    return min(whole, 1.0 - foreign / len(judged))


def with_foreign(sentences: Iterable[SentenceVerdict]) -> list[SentenceVerdict]:
    """Tell of each judged sentence how likely it is of another voice, in this draft."""
    verdicts = list(sentences)
    # Beyond these no sentence counts for more, and 0 and 1 have no log-odds.
    low, high = probability(-MAX_SENTENCE_LOGIT), probability(MAX_SENTENCE_LOGIT)
    judged = [v.probability for v in verdicts if v.probability is not None]
    foreign = iter(unmix(np.array([log_odds(min(max(p, low), high)) for p in judged])).foreign)
    return [
        v if v.probability is None else replace(v, foreign=float(next(foreign))) for v in verdicts
    ]


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _draft_verdict(p: float | None, gate: float) -> Verdict:
    if p is None:
        return "not judged"
    return "forward" if p >= gate else "review"


def _in_source(explanation: Explanation, sentence: Sentence) -> Explanation:
    spans = sentence.source_spans([word.span for word in explanation.words])
    words = [
        WordShare(span, text, share)
        for span, (_, text, share) in zip(spans, explanation.words, strict=True)
    ]
    return replace(explanation, words=tuple(words))
