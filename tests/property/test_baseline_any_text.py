from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from onbrand.baseline import apply_baseline, load_baseline, write_baseline
from onbrand.document.positions import Span
from onbrand.results import Report, SentenceVerdict

TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("ab \n"), max_size=8)


def sentence(text: str, flagged: bool) -> SentenceVerdict:
    return SentenceVerdict(Span(0, len(text)), 1, 1, text, "acme", 0.1, flagged, 0.3)


SENTENCES = st.lists(st.builds(sentence, TEXT, st.booleans()), max_size=5)


def reports(drafts: dict[str, list[SentenceVerdict]]) -> list[Report]:
    return [Report(p, "acme", 0.5, "review", 0.7, tuple(made)) for p, made in drafts.items()]


@given(st.dictionaries(TEXT, SENTENCES, max_size=3), st.randoms())
def test_what_was_recorded_is_known_in_any_order(
    drafts: dict[str, list[SentenceVerdict]], random: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "baseline.json")
        count = write_baseline(file, reports(drafts))
        for sentences in drafts.values():
            random.shuffle(sentences)
        cleared, suppressed = apply_baseline(reports(drafts), load_baseline(file))
    assert suppressed == count == sum(s.flagged for made in drafts.values() for s in made)
    assert not any(report.flagged for report in cleared)


@given(SENTENCES, SENTENCES)
def test_only_what_was_recorded_is_known(
    old: list[SentenceVerdict], new: list[SentenceVerdict]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "baseline.json")
        write_baseline(file, reports({"a.md": old}))
        (left,), suppressed = apply_baseline(reports({"a.md": old + new}), load_baseline(file))
    assert suppressed == sum(s.flagged for s in old)
    assert len(left.flagged) == sum(s.flagged for s in new)
