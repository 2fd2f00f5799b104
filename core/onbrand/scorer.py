"""`Scorer`: load voices once, then score sentences and check drafts.

The scores of sentences can be cached, so that checking a draft again after an edit is fast.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from onbrand.cache import MAX_LENGTH, LRUCache, LRURecordCache, Records
from onbrand.document.document import Document, Sentence, parse_named
from onbrand.encoder import Encoder, SentenceEncoder
from onbrand.errors import Cancelled, OnbrandError
from onbrand.labels.normalization import text_key
from onbrand.progress import Progress, scaled, silent
from onbrand.results import (
    Evidence,
    Example,
    Explanation,
    Report,
    SentenceVerdict,
    Verdict,
    WordShare,
)
from onbrand.voice.avoid import avoid_voice
from onbrand.voice.explain import explain, nearest
from onbrand.voice.lexical import words_of
from onbrand.voice.model import (
    DEFAULT_GATE,
    MAX_SENTENCE_LOGIT,
    Voice,
    VoiceBank,
    check_one_encoder,
    log_odds,
    probability,
    sigmoid,
)
from onbrand.voice.registers import unmix
from onbrand.voice.storage import (
    check_encoder,
    encoder_for,
    load_voices,
    unknown_brand,
    with_consistent_release,
)

MIN_WORDS = 3
"""Minimum number of words: shorter sentences show hardly anything of a voice and are not judged."""
CHUNK = 256
"""Sentences whose vectors are in memory at once (3 MB with the default encoder); larger chunks are
not faster."""
FRAGMENT_ROOM = 0.7
"""Extra room, in spreads, of headings, list items and table cells, which differ in style from the
running text that voices are trained on."""
CONTEXT_SLOPE = 2.0
"""Shift of a sentence's threshold, in log-odds, per mean register log-odds of the rest of the
draft: a writer who writes one sentence like an advertisement is likely to write the next one so."""
CONTEXT_PRIOR = 3
"""Number of neutral sentences that are added to the rest of the draft in this mean."""
MAX_CONTEXT, MAX_LENIENCY = 3.0, 1.0
"""Maximum log-odds by which the rest of a draft raises and lowers a threshold …"""
MAX_THRESHOLD = DEFAULT_GATE
"""… and the maximum P of a raised one: what would go forward by itself is not flagged."""
MAX_EXPLANATIONS = 768
"""Maximum number of cached explanations, about 5 kB each."""


class _SentenceScorer:
    """Scores sentences by all voices at once, with a cache. Safe to use from several threads.

    Args:
        encoder: the encoder.
        bank: the voices.
        remember: size of the cache in sentences (about 500 bytes each).
    """

    def __init__(self, encoder: SentenceEncoder, bank: VoiceBank, remember: int) -> None:
        self._encoder = encoder
        self._bank = bank
        self._voices = {voice.brand: voice for voice in bank.voices}
        brands = len(bank.brands)
        self._record = np.dtype(
            [
                ("logits", np.float32, (brands,)),
                ("heads", np.float32, (brands,)),
                ("registers", np.float32, (brands,)),
                ("familiarity", np.float32, (brands,)),
                ("words", np.int32),
                ("truncated", np.bool_),
            ]
        )
        self._cache = LRURecordCache(remember, self._record)
        self._explanations = LRUCache[tuple[str, str], Explanation](min(remember, MAX_EXPLANATIONS))
        # Not a method: a reference cycle through self would keep old voices in memory.
        self._not_judged = lru_cache(remember)(partial(why_not_judged, self._voices))

    def score(
        self,
        texts: Sequence[str],
        *,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress = silent,
    ) -> Records:
        """Return a record per sentence; duplicates are computed once.

        Its fields are ``logits``, ``heads``, ``registers`` (`Answers`) and ``familiarity`` (each of
        all brands in their order, float32), ``words`` (their number) and ``truncated``.

        Args:
            texts: sentences, white space collapsed.
            cancelled: called between batches; True stops the work.
            progress: called between batches with the number of sentences done.

        Raises:
            Cancelled: ``cancelled`` returned true; what was done by then is cached.
        """
        judged = np.empty(len(texts), self._record)
        missing = self._cache.get_many(texts, judged)
        done = len(texts) - sum(map(len, missing.values()))
        fresh = list(missing)
        for start in range(0, len(fresh), CHUNK):
            part = fresh[start : start + CHUNK]
            size = sum(len(missing[text]) for text in part)
            part_progress = scaled(progress, start=done, size=size, total=len(texts))
            records = self._score(part, cancelled, part_progress)
            self._cache.put_many(part, records)
            for text, record in zip(part, records, strict=True):
                judged[missing[text]] = record
            done += size
        return judged

    def verdicts(
        self,
        document: Document,
        brands: Sequence[str],
        threshold: float | None,
        ignored: Collection[str],
        *,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress = silent,
    ) -> list[SentenceVerdict]:
        """Return the verdict on each sentence, without explanations.

        Args:
            document: the draft.
            brands: the brand of each sentence; without a voice it is not judged.
            threshold: replaces the voices' own.
            ignored: `text_key` of sentences that are never flagged.
            cancelled: see `score`.
            progress: see `score`.
        """
        texts = [sentence.text for sentence in document.sentences]
        judged = self.score(texts, cancelled=cancelled, progress=progress)
        columns = {brand: column for column, brand in enumerate(self._bank.brands)}
        at = range(len(brands)), [columns.get(brand, 0) for brand in brands]
        logits, heads, registers, familiarity = (
            judged[name][at].tolist() for name in ("logits", "heads", "registers", "familiarity")
        )
        reasons = list(map(self._not_judged, brands, texts, judged["words"].tolist(), familiarity))
        evidence = [
            None if reason else Evidence(head, register)
            for reason, head, register in zip(reasons, heads, registers, strict=True)
        ]
        if threshold is None:
            thresholds = self._thresholds(document.sentences, brands, evidence)
        else:
            thresholds = [threshold] * len(texts)
        truncated = judged["truncated"].tolist()
        lines = document.lines
        verdicts = []
        for i, sentence in enumerate(document.sentences):
            p = None if reasons[i] else probability(logits[i])
            line = lines.line_of(sentence.span.start)
            below = p is not None and p < thresholds[i]
            verdicts.append(
                SentenceVerdict(
                    span=sentence.span,
                    line=line + 1,
                    column=sentence.span.start - lines.line_start(line) + 1,
                    text=sentence.text,
                    brand=brands[i],
                    probability=p,
                    flagged=below and not (ignored and text_key(sentence.text) in ignored),
                    threshold=thresholds[i],
                    not_judged=reasons[i],
                    evidence=evidence[i],
                    truncated=truncated[i],
                )
            )
        return verdicts

    def _thresholds(
        self,
        sentences: Sequence[Sentence],
        brands: Sequence[str],
        evidence: Sequence[Evidence | None],
    ) -> list[float]:
        """Return the P below which each sentence is flagged, given the rest of the draft."""
        thresholds = [
            _own_threshold(self._voices.get(brand), sentence.kind)
            for sentence, brand in zip(sentences, brands, strict=True)
        ]
        for brand in set(brands) & set(self._voices):
            draft = self._voices[brand].manifest.draft.registers
            own = [i for i, name in enumerate(brands) if name == brand and evidence[i] is not None]
            if draft is None or len(own) < 2:
                continue
            logits = np.array([e.registers for i in own if (e := evidence[i])])
            logits = np.clip(logits, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT) - draft.center
            rest = (logits.sum() - logits) / (len(own) - 1 + CONTEXT_PRIOR)
            moved = np.clip(CONTEXT_SLOPE * rest, -MAX_CONTEXT, MAX_LENIENCY)
            for i, by in zip(own, moved.tolist(), strict=True):
                thresholds[i] = _shifted(thresholds[i], -by)
        return thresholds

    def explain(
        self,
        pairs: Sequence[tuple[str, str]],
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Explanation]:
        """Explain sentences.

        Args:
            pairs: each a sentence, white space collapsed, and a brand that has a voice.
            cancelled: called after each sentence; True stops the work.

        Raises:
            Cancelled: ``cancelled`` returned true; what was explained by then is cached.
        """
        known = {pair: self._explanations.get(pair) for pair in pairs}
        missing = [pair for pair, explanation in known.items() if explanation is None]
        pool = ThreadPoolExecutor(self._encoder.threads, "onbrand-explain")
        try:
            # A single one is explained in this thread, and so are all if one thread is allowed.
            spread = pool.map if missing[1:] and self._encoder.threads > 1 else map
            made = spread(self._explain, missing)
            for pair in missing:
                known[pair] = next(made)
                if cancelled is not None and cancelled():
                    raise Cancelled
        finally:
            pool.shutdown(cancel_futures=True)
        return [explanation for pair in pairs if (explanation := known[pair])]

    def _explain(self, pair: tuple[str, str]) -> Explanation:
        text, brand = pair
        tokens = self._encoder.encode_tokens([text])[0]
        explanation = explain(self._voices[brand], text, tokens, self._bank.registers)
        if len(text) <= MAX_LENGTH:
            self._explanations.put(pair, explanation)
        return explanation

    def _score(
        self,
        texts: Sequence[str],
        cancelled: Callable[[], bool] | None,
        progress: Progress,
    ) -> Records:
        vectors = self._encoder.encode(texts, cancelled=cancelled, progress=progress)
        records = np.empty(len(texts), self._record)
        answers = self._bank.answers(vectors, texts)
        for name, values in answers._asdict().items():
            records[name] = values
        records["familiarity"] = self._bank.familiarity(vectors)
        records["words"] = [len(words_of(text)) for text in texts]
        records["truncated"] = self._encoder.truncated(texts)
        return records


def why_not_judged(
    voices: Mapping[str, Voice], brand: str, text: str, words: int, familiarity: float
) -> str | None:
    """Return why a brand's voice does not judge a sentence, None if it does.

    Args:
        voices: brand → voice.
        brand: the brand to judge by.
        text: the sentence.
        words: its number of words.
        familiarity: its `VoiceBank.familiarity`.
    """
    voice = voices.get(brand)
    if voice is None:
        return f"no voice for brand {brand!r}"
    if words < MIN_WORDS:
        return "too short"
    if not voice.manifest.familiarity.is_in_domain(text, words, familiarity):
        return "unfamiliar text"
    return None


def _own_threshold(voice: Voice | None, kind: str) -> float:
    """Return the P below which a sentence in this kind of block is flagged."""
    if voice is None:
        return 0.0
    answer = voice.manifest.registers
    if answer is None or kind == "paragraph":
        return voice.manifest.threshold
    return probability(answer.edge - answer.slope * FRAGMENT_ROOM)


def _shifted(p: float, by: float) -> float:
    """Return a threshold shifted by some log-odds."""
    if not 0.0 < p < MAX_THRESHOLD:
        return p
    return min(probability(log_odds(p) + by), MAX_THRESHOLD)


MAX_EXPLAINED = 500
"""Maximum number of flagged sentences that a check explains, the worst first."""


class Scorer:
    """Scores text by the voices of brands. Safe to use from several threads."""

    def __init__(
        self, encoder: SentenceEncoder, voices: Sequence[Voice], *, remember: int = 0
    ) -> None:
        """Put an encoder and voices together.

        Args:
            encoder: the encoder that the voices were trained on.
            voices: the voices of the brands.
            remember: number of sentences whose scores are cached (about 500 bytes each), for
                callers that check a text again after every edit. Their encoder needs no cache.

        Raises:
            OnbrandError: a voice was trained on another encoder.
        """
        self.encoder = encoder
        check_one_encoder(voices)
        check_encoder(voices, encoder)
        self.bank = VoiceBank(voices)
        self._sentences = _SentenceScorer(encoder, self.bank, remember)

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
            folders: folders of voices, single voices, or installations.
            brands: load only these; all by default.
            encoder: an encoder bundle; by default the one that an installation brings for its
                voices, else the one that ships with onbrand.
            threads: see `Encoder.load`.
            remember: number of sentences whose scores are cached, instead of their vectors.

        Raises:
            OnbrandError: something is missing, damaged or does not fit; the message names it.
        """
        cache = {"cache_size": 0} if remember else {}

        def load(resolved: Sequence[Path]) -> tuple[Encoder, list[Voice]]:
            voices = load_voices(resolved, brands)
            bundle = encoder_for(resolved, brands) if encoder is None else Path(encoder)
            return Encoder.load(bundle, threads=threads, **cache), voices

        return cls(*with_consistent_release(map(Path, folders), load), remember=remember)

    @classmethod
    def avoiding(cls, encoder: SentenceEncoder, registers: Sequence[str]) -> Self:
        """Return a scorer without a brand: it flags text that reads like these registers.

        Args:
            encoder: an encoder with registers, such as the one that ships with onbrand.
            registers: names of registers, such as "corporate" and "hype".

        Raises:
            OnbrandError: a name is unknown, or the encoder has no registers.
        """
        return cls(encoder, [avoid_voice(encoder, registers)])

    @property
    def brands(self) -> tuple[str, ...]:
        """The loaded brands, in the order of the columns of `score`."""
        return self.bank.brands

    def voice(self, brand: str) -> Voice:
        """Return a brand's voice.

        Raises:
            OnbrandError: there is no such voice; the message suggests the closest name.
        """
        if brand not in self.brands:
            raise unknown_brand(brand, self.brands)
        return self.bank.voices[self.brands.index(brand)]

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return P(on-brand) of each text against each brand, shape (texts, brands)."""
        judged = self._sentences.score([_normalise_whitespace(text) for text in texts])
        return sigmoid(judged["logits"]).astype(np.float32)

    def judge(self, texts: Sequence[str], brand: str) -> list[float | None]:
        """Return P(on-brand) of each sentence for one brand; None for what is not judged.

        Raises:
            OnbrandError: the brand is unknown.
        """
        voice = self.voice(brand)
        clean = [_normalise_whitespace(text) for text in texts]
        records = self._sentences.score(clean)
        column = self.brands.index(voice.brand)
        return [
            None
            if why_not_judged(
                {voice.brand: voice}, voice.brand, text, int(words), float(familiarity)
            )
            else probability(float(logit))
            for text, words, logit, familiarity in zip(
                clean,
                records["words"],
                records["logits"][:, column],
                records["familiarity"][:, column],
                strict=True,
            )
        ]

    def probabilities(self, text: str) -> dict[str, float]:
        """Return P(on-brand) of one sentence for every brand."""
        logits = self._sentences.score([_normalise_whitespace(text)])["logits"][0]
        return dict(zip(self.brands, map(probability, logits.tolist()), strict=True))

    def explain(self, sentence: str, brand: str) -> Explanation:
        """Explain one sentence; word spans are offsets into it with white space collapsed."""
        return self._sentences.explain(
            [(_normalise_whitespace(sentence), self.voice(brand).brand)]
        )[0]

    def nearest(self, sentence: str, brand: str, count: int = 3) -> list[Example]:
        """Return the on-brand lines that are most like a sentence, the closest first.

        The list is empty if the voice keeps no texts.
        """
        voice = self.voice(brand)
        return nearest(
            voice, self.encoder.encode([_normalise_whitespace(sentence)])[0], "on", count
        )

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
        """Check a whole draft; its format follows from the suffix of ``path``.

        Args:
            text: the draft's source.
            brand: judge everything as this brand; by default the brand in comments and front
                matter, or the only voice loaded.
            path: a name for reports. If its suffix is no known format, the draft is read as plain
                text, with a warning.
            gate: P at which the draft goes forward, instead of the voice's own.
            threshold: P below which sentences are flagged, instead of the voice's own.
            quotes: judge block quotes too.
            read_as: the format, whatever the path: "text", "markdown", "mdx" or "html".

        Raises:
            OnbrandError: the brand or the format is unknown.
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
            brand: overrides the brands in the document.
            default_brand: used if the document names no brand.
            gate: replaces the voice's own.
            threshold: replaces the voices' own.
            ignored: `onbrand.labels.normalization.text_key` of sentences that are never flagged,
                whatever their probability.
            lenient: if a comment names a brand without a voice, warn and do not judge instead of
                raising. The draft's own brand must have a voice.
            explained: maximum number of flagged sentences to explain, the worst first.
            cancelled: called between batches; True stops the work (raises `Cancelled`).
            progress: called with the number of encoded sentences.
        """
        main = brand or document.brand or default_brand or self._only_brand(path)
        own = self.voice(main)
        limit = own.manifest.gate if gate is None else gate
        brands = [brand or sentence.brand or main for sentence in document.sentences]
        unknown = [name for name in dict.fromkeys(brands) if name not in self.brands]
        if unknown and not lenient:
            raise unknown_brand(unknown[0], self.brands)
        verdicts = self._sentences.verdicts(
            document, brands, threshold, ignored, cancelled=cancelled, progress=progress
        )
        verdicts = with_foreign(verdicts)
        p = _probability(own, verdicts)
        warnings = [self._unknown_brand_warning(name, verdicts) for name in unknown]
        return Report(
            path=path,
            brand=main,
            probability=p,
            verdict=_draft_verdict(p, limit),
            gate=limit,
            sentences=tuple(self._explain_worst(document, verdicts, explained, cancelled)),
            warnings=(*document.warnings, *warnings, *self._truncation(verdicts)),
            skipped=document.skipped,
        )

    def _unknown_brand_warning(self, brand: str, verdicts: Iterable[SentenceVerdict]) -> str:
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
        explanations = self._sentences.explain(pairs, cancelled=cancelled)
        for i, why in zip(worst, explanations, strict=True):
            placed = _in_source(why, document.sentences[i])
            verdicts[i] = replace(verdicts[i], explanation=placed)
        return verdicts


def draft_probability(voice: Voice, sentences: Iterable[SentenceVerdict]) -> float | None:
    """Return P(on-brand) of a draft or a part of one, None if no sentence in it was judged.

    It combines the sentences (`DraftCalibration`), but is at most the share of them that is the
    brand's: a page of the brand with three foreign sentences in thirty is at 0.90 at most. Only
    flagged sentences count as foreign here: what writers are not shown must not stop a draft.

    Args:
        voice: the voice of the draft's brand.
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
    """Add to each judged sentence the P that it is of another voice, given the draft."""
    verdicts = list(sentences)
    # Sentences count no more beyond these, and 0 and 1 have no log-odds.
    low, high = probability(-MAX_SENTENCE_LOGIT), probability(MAX_SENTENCE_LOGIT)
    judged = [v.probability for v in verdicts if v.probability is not None]
    foreign = iter(unmix(np.array([log_odds(min(max(p, low), high)) for p in judged])).foreign)
    return [
        v if v.probability is None else replace(v, foreign=float(next(foreign))) for v in verdicts
    ]


def _normalise_whitespace(text: str) -> str:
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
