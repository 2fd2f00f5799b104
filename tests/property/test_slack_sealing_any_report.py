"""Every report and draft comes out of its box as it went in."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from onbrand.document.formats import FORMATS
from onbrand.document.positions import Span
from onbrand.report.message import printable
from onbrand.results import Example, Explanation, Habit, Report, SentenceVerdict, Verdict, WordShare
from onbrand_slack.model import Pasted
from onbrand_slack.store.sealing import Ticket, WorkingCopy, seal, unseal

# Any code point, lone surrogates and NUL included.
texts = st.text(st.characters(), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
probabilities = st.none() | st.floats(0, 1)
spans = st.builds(Span, st.integers(0, 10**9), st.integers(0, 10**9))
examples = st.builds(
    Example, texts, numbers, st.sampled_from(["on", "off"]), source=st.none() | texts
)
explanations = st.builds(
    Explanation,
    *(numbers, numbers),
    words=st.lists(st.builds(WordShare, spans, texts, numbers), max_size=3).map(tuple),
    habits=st.lists(
        st.builds(Habit, texts, texts, numbers, st.tuples(numbers, numbers)), max_size=2
    ).map(tuple),
    nearest_on=st.none() | examples,
    nearest_off=st.none() | examples,
    centroid_similarity=st.none() | numbers,
)
sentences = st.builds(
    SentenceVerdict,
    *(spans, st.integers(1), st.integers(1), texts, texts, probabilities, st.booleans(), numbers),
    not_judged=st.none() | texts,
    truncated=st.booleans(),
    explanation=st.none() | explanations,
).filter(lambda sentence: sentence.line < 2**63 and sentence.column < 2**63)
reports = st.builds(
    Report,
    *(texts, texts, probabilities, st.sampled_from(get_args(Verdict)), numbers),
    sentences=st.lists(sentences, max_size=3).map(tuple),
    warnings=st.lists(texts, max_size=2).map(tuple),
)
copies = st.builds(
    WorkingCopy, reports, st.builds(Pasted, texts, st.sampled_from(list(FORMATS))), texts
)


def cleaned(value: Any) -> Any:
    """The same with lone surrogates as U+FFFD, built without the code that is tested."""
    if isinstance(value, str):
        return printable(value)
    if is_dataclass(value):
        return type(value)(*(cleaned(getattr(value, each.name)) for each in fields(value)))
    if isinstance(value, msgspec.Struct):
        return type(value)(*(cleaned(getattr(value, name)) for name in value.__struct_fields__))
    if isinstance(value, tuple):
        parts = [cleaned(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


@given(copies)
def test_what_is_sealed_comes_out_again(copy: WorkingCopy) -> None:
    ticket = Ticket.new()
    opened = unseal(seal(copy, ticket, "T1"), ticket, "T1")
    assert opened == cleaned(copy)
    # Equality does not tell a Span from a tuple.
    assert repr(opened) == repr(cleaned(copy))


@given(st.binary(max_size=200), texts)
def test_nothing_comes_out_of_any_other_bytes(box: bytes, workspace: str) -> None:
    assert unseal(box, Ticket.new(), workspace) is None
    assert Ticket.parse(workspace) is None
