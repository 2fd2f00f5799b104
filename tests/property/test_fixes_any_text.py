"""Whatever the sentence, an edit is exact, and what must survive does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onbrand.document.positions import Span
from onbrand.fixes import apply_edits
from onbrand.fixes.edits import Brand, is_good, propose
from onbrand.fixes.grammar import survives, tokens_of
from onbrand.fixes.lexicon import load_lexicon
from onbrand.fixes.rewriters import _edit

SOURCES = sorted({" ".join(e.source) for es in load_lexicon()._entries.values() for e in es})
WORDS = st.one_of(
    st.sampled_from([s.replace("{}", "our new team").replace("{who}", "you") for s in SOURCES]),
    st.sampled_from(sorted(load_lexicon().adverbs | load_lexicon().adjectives)),
    st.sampled_from(["a", "an", "the", "our", "is", "shall", "and", ",", "it", "not", "we"]),
    st.sampled_from(["Ann", "12", "£3.50", "“so”", "￼", "team!", "\U0001f680", "–", "—"]),
    st.text(max_size=6),
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=60)
BRANDS = st.builds(
    lambda knows, contracts, *marks: Brand(lambda _: knows, contracts, *marks),
    st.booleans(),
    st.sampled_from([None, True, False]),
    *[st.booleans()] * 3,
)


@given(text=TEXTS, brand=BRANDS)
def test_edits_apply_and_keep_what_must_survive(text: str, brand: Brand) -> None:
    text = " ".join(text.split())
    kept = [token.span for token in tokens_of(text) if token.protected]
    for change in propose(text, brand):
        assert list(change) == sorted(change)
        ends = [edit.span.end for edit in change]
        starts = [edit.span.start for edit in change]
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
        for span, _new in change:
            assert 0 <= span.start <= span.end <= len(text)
            assert not any(span.start < k.end and k.start < span.end for k in kept)
        after = apply_edits(text, change)
        assert survives(text, after)
        assert is_good(text, after)


@given(before=TEXTS, after=TEXTS)
def test_the_difference_of_two_texts_is_one_edit(before: str, after: str) -> None:
    edit = _edit(before, after)
    assert isinstance(edit.span, Span)
    assert apply_edits(before, [edit]) == after
