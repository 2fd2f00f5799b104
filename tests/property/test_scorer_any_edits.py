"""Whatever is typed, a scorer that remembers says what one says that sees the text afresh."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onbrand.cache import LRURecordCache
from onbrand.document.document import parse
from onbrand.encoder import Encoder
from onbrand.results import Report, SentenceVerdict
from onbrand.scorer import Scorer
from onbrand.voice.storage import load_voices

BLOCKS = [
    "We put oats in a carton.",
    "We put *oats* in a\ncarton. Our `leverage` drives synergies &amp; outcomes!",
    "Utilisation of the documentation is hereby mandated.",
    "Yes.",
    "Wir liefern die Ware am Dienstag aus.",
    "<!-- onbrand brand=quillpot -->",
    "<!-- onbrand-disable-next-line -->",
    "- Dear carton, stop it. 🎉 Dear carton, stop it.",
    "## Delve into the tapestry of oats",
]
drafts = st.lists(st.sampled_from(BLOCKS), max_size=6).map("\n\n".join)


@functools.cache
def scorer(folder: Path, remember: int) -> Scorer:
    encoder = Encoder.load(threads=2, cache_size=0)
    return Scorer(encoder, load_voices([folder]), remember=remember)


def facts(verdict: SentenceVerdict) -> tuple[object, ...]:
    why = verdict.explanation
    words = None if why is None else [(word.span, word.text) for word in why.words]
    habits = None if why is None else why.habits
    place = verdict.span, verdict.line, verdict.column, verdict.text
    return *place, verdict.brand, verdict.flagged, verdict.not_judged, words, habits


def numbers(report: Report) -> list[float]:
    found = [report.probability, *(one.probability for one in report.sentences)]
    for one in report.sentences:
        if one.explanation is not None:
            found += [one.explanation.base, *(word.share for word in one.explanation.words)]
    return [np.nan if number is None else number for number in found]


@given(edits=st.lists(drafts, min_size=1, max_size=4), remember=st.sampled_from([1, 3, 1000]))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_memory_cannot_be_seen(example_voices: Path, edits: list[str], remember: int) -> None:
    for draft in edits:
        seen, fresh = (
            scorer(example_voices, size).check_document(
                parse(draft), path="a", brand=None, default_brand="oatfolk"
            )
            for size in (remember, 0)
        )
        assert [facts(one) for one in seen.sentences] == [facts(one) for one in fresh.sentences]
        assert (seen.verdict, seen.warnings) == (fresh.verdict, fresh.warnings)
        # A sentence's neighbours in a batch change the last bits of its vector.
        np.testing.assert_allclose(numbers(seen), numbers(fresh), atol=1e-4)


texts = st.text("abcdef", min_size=1, max_size=1)


@given(size=st.integers(0, 4), rounds=st.lists(st.lists(texts, max_size=6), max_size=8))
def test_records_are_those_of_their_texts(size: int, rounds: list[list[str]]) -> None:
    record = np.dtype([("number", np.int32)])
    memory = LRURecordCache(size, record)
    used: list[str] = []  # in the order of their last use
    for asked in rounds:
        answers = np.zeros(len(asked), record)
        missing = memory.get_many(asked, answers)
        known = used[-size:] if size else []
        assert list(missing) == [text for text in dict.fromkeys(asked) if text not in known]
        for text, places in missing.items():
            assert [asked[place] for place in places] == [text] * asked.count(text)
            answers["number"][places] = ord(text)
        assert answers["number"].tolist() == [ord(text) for text in asked]
        fresh = np.array([(ord(text),) for text in missing], record)
        memory.put_many(list(missing), fresh)
        for text in [text for text in asked if text not in missing] + list(missing):
            used = [other for other in used if other != text] + [text]
