"""The judgement of a sentence by every voice, remembered: what is asked again is a lookup."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

import numpy as np

from onbrand.encoder import Encoder
from onbrand.errors import Cancelled
from onbrand.labels.keys import text_key
from onbrand.memory import MAX_LENGTH, Recent, RecentRecords, Records
from onbrand.progress import Progress, scaled, silent
from onbrand.text.document import Document, Sentence
from onbrand.verdict import Evidence, Explanation, SentenceVerdict
from onbrand.voice.explain import explain
from onbrand.voice.model import (
    DEFAULT_GATE,
    MAX_SENTENCE_LOGIT,
    Voice,
    log_odds,
    probability,
)
from onbrand.voice.ngrams import words_of
from onbrand.voice.stack import VoiceStack

MIN_WORDS = 3
"""Shorter sentences carry next to no evidence of a voice and are not judged."""
CHUNK = 256
"""Sentences whose vectors are in memory at once, 3 MB of the default encoder's; larger chunks
would be no quicker."""
FRAGMENT_ROOM = 0.7
"""How much further outside of the brand's range headings, list items and table cells may read, in
spreads: they are written in another manner than the running text that voices learn from."""
CONTEXT_SLOPE = 2.0
"""Log-odds by which the threshold of a sentence moves for each that the registers say, on average,
of the rest of the draft: who writes one sentence like an advertisement writes the next one so."""
CONTEXT_PRIOR = 3
"""Sentences that count as saying nothing, beside the rest of the draft."""
MAX_CONTEXT, MAX_LENIENCY = 3.0, 1.0
"""Log-odds that the rest of a draft may raise and lower a threshold by …"""
MAX_THRESHOLD = DEFAULT_GATE
"""… and never above this P: a sentence that would go forward by itself is not flagged."""
MAX_EXPLANATIONS = 768
"""Explanations to remember, some 5 kB each."""


class Judge:
    """Judges sentences by all voices at once. Safe to use from several threads.

    Args:
        encoder: what turns sentences into vectors.
        stack: the voices.
        remember: how many judgements to keep, the latest used ones (some 500 bytes each).
    """

    def __init__(self, encoder: Encoder, stack: VoiceStack, remember: int) -> None:
        self._encoder = encoder
        self._stack = stack
        self._voices = {voice.brand: voice for voice in stack.voices}
        brands = len(stack.brands)
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
        self._memory = RecentRecords(remember, self._record)
        self._explanations = Recent[tuple[str, str], Explanation](min(remember, MAX_EXPLANATIONS))
        # Of a function that does not know the judge: a cycle would keep old voices in memory.
        self._not_judged = lru_cache(remember)(partial(why_not_judged, self._voices))

    def judge(
        self,
        texts: Sequence[str],
        *,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress = silent,
    ) -> Records:
        """Return a record of each sentence; one that comes twice is judged once.

        Its fields are ``logits``, ``heads``, ``registers`` (`Answers`) and ``familiarity`` (of all
        brands in their order, float32), ``words`` (their number) and ``truncated``.

        Args:
            texts: sentences, white space collapsed.
            cancelled: asked between batches whether to give up.
            progress: told between batches how many sentences are done.

        Raises:
            Cancelled: ``cancelled`` returned true; what was judged by then is remembered.
        """
        judged = np.empty(len(texts), self._record)
        missing = self._memory.recall(texts, judged)
        done = len(texts) - sum(map(len, missing.values()))
        fresh = list(missing)
        for start in range(0, len(fresh), CHUNK):
            part = fresh[start : start + CHUNK]
            size = sum(len(missing[text]) for text in part)
            told = scaled(progress, start=done, size=size, total=len(texts))
            records = self._judge(part, cancelled, told)
            self._memory.keep(part, records)
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
            brands: of each sentence; one without a voice leaves it unjudged.
            threshold: instead of the voices' own.
            ignored: `text_key` of sentences that are not to be flagged.
            cancelled: see `judge`.
            progress: see `judge`.
        """
        texts = [sentence.text for sentence in document.sentences]
        judged = self.judge(texts, cancelled=cancelled, progress=progress)
        places = {brand: place for place, brand in enumerate(self._stack.brands)}
        at = range(len(brands)), [places.get(brand, 0) for brand in brands]
        logits, heads, registers, familiarity = (
            judged[name][at].tolist() for name in ("logits", "heads", "registers", "familiarity")
        )
        reasons = list(map(self._not_judged, brands, texts, judged["words"].tolist(), familiarity))
        evidence = [
            None if reason else Evidence(head, register)
            for reason, head, register in zip(reasons, heads, registers, strict=True)
        ]
        if threshold is None:
            least = self._thresholds(document.sentences, brands, evidence)
        else:
            least = [threshold] * len(texts)
        truncated = judged["truncated"].tolist()
        lines = document.lines
        verdicts = []
        for i, sentence in enumerate(document.sentences):
            p = None if reasons[i] else probability(logits[i])
            line = lines.line_of(sentence.span.start)
            below = p is not None and p < least[i]
            verdicts.append(
                SentenceVerdict(
                    span=sentence.span,
                    line=line + 1,
                    column=sentence.span.start - lines.line_start(line) + 1,
                    text=sentence.text,
                    brand=brands[i],
                    probability=p,
                    flagged=below and not (ignored and text_key(sentence.text) in ignored),
                    threshold=least[i],
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
        least = [
            _least(self._voices.get(brand), sentence.kind)
            for sentence, brand in zip(sentences, brands, strict=True)
        ]
        for brand in set(brands) & set(self._voices):
            draft = self._voices[brand].manifest.draft.registers
            own = [i for i, name in enumerate(brands) if name == brand and evidence[i] is not None]
            if draft is None or len(own) < 2:
                continue
            said = np.array([e.registers for i in own if (e := evidence[i])])
            said = np.clip(said, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT) - draft.center
            rest = (said.sum() - said) / (len(own) - 1 + CONTEXT_PRIOR)
            moved = np.clip(CONTEXT_SLOPE * rest, -MAX_CONTEXT, MAX_LENIENCY)
            for i, by in zip(own, moved.tolist(), strict=True):
                least[i] = _moved(least[i], -by)
        return least

    def explain(
        self,
        pairs: Sequence[tuple[str, str]],
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Explanation]:
        """Explain sentences.

        Args:
            pairs: each a sentence, white space collapsed, and a brand that has a voice.
            cancelled: asked after each sentence whether to give up.

        Raises:
            Cancelled: ``cancelled`` returned true; what was explained by then is remembered.
        """
        known = {pair: self._explanations.get(pair) for pair in pairs}
        missing = [pair for pair, explanation in known.items() if explanation is None]
        pool = ThreadPoolExecutor(self._encoder.threads, "onbrand-explain")
        try:
            # One alone is not worth a thread, and one thread is the caller's own.
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
        explanation = explain(self._voices[brand], text, tokens, self._stack.registers)
        if len(text) <= MAX_LENGTH:
            self._explanations.put(pair, explanation)
        return explanation

    def _judge(
        self,
        texts: Sequence[str],
        cancelled: Callable[[], bool] | None,
        progress: Progress,
    ) -> Records:
        vectors = self._encoder.encode(texts, cancelled=cancelled, progress=progress)
        records = np.empty(len(texts), self._record)
        answers = self._stack.answers(vectors, texts)
        for name, values in answers._asdict().items():
            records[name] = values
        records["familiarity"] = self._stack.familiarity(vectors)
        records["words"] = [len(words_of(text)) for text in texts]
        records["truncated"] = self._encoder.truncated(texts)
        return records


def why_not_judged(
    voices: Mapping[str, Voice], brand: str, text: str, words: int, familiarity: float
) -> str | None:
    """Return why a brand's voice does not judge a sentence, None where it does.

    Args:
        voices: by brand.
        brand: whose voice is to judge.
        text: the sentence.
        words: how many it has.
        familiarity: `VoiceStack.familiarity` of it.
    """
    voice = voices.get(brand)
    if voice is None:
        return f"no voice for brand {brand!r}"
    if words < MIN_WORDS:
        return "too short"
    if not voice.manifest.familiarity.covers(text, words, familiarity):
        return "unfamiliar text"
    return None


def _least(voice: Voice | None, kind: str) -> float:
    """Return the P below which a sentence of such a block is flagged."""
    if voice is None:
        return 0.0
    answer = voice.manifest.registers
    if answer is None or kind == "paragraph":
        return voice.manifest.threshold
    return probability(answer.edge - answer.slope * FRAGMENT_ROOM)


def _moved(p: float, by: float) -> float:
    """Return a threshold that was moved by some log-odds."""
    if not 0.0 < p < MAX_THRESHOLD:
        return p
    return min(probability(log_odds(p) + by), MAX_THRESHOLD)
