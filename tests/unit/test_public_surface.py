"""What ``from onbrand import …`` offers, and nothing by accident."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import onbrand


def test_all_is_sorted_and_complete() -> None:
    assert onbrand.__all__ == sorted(onbrand.__all__)
    assert len(set(onbrand.__all__)) == len(onbrand.__all__)
    assert set(onbrand._HOME) | {"__version__"} == set(onbrand.__all__)


@pytest.mark.parametrize("name", onbrand.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(onbrand, name)
    if name != "__version__":
        assert value.__name__ == name
        assert value.__module__.startswith("onbrand.")
        assert inspect.getdoc(value)


def test_names_for_type_checkers_are_those_at_run_time() -> None:
    source = inspect.getsource(onbrand)
    block = source[source.index("if TYPE_CHECKING:") : source.index("__version__ =")]
    typed = set(re.findall(r"\b[A-Za-z]+\b(?=,|\n|\))", re.sub(r"from \S+ import", "", block)))
    assert set(onbrand._HOME) <= typed


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="'onbrand' has no attribute 'Scorrer'"):
        onbrand.Scorrer  # noqa: B018


def test_the_readme_example_of_the_module_works(example_voices: Path) -> None:
    scorer = onbrand.Scorer.load(example_voices, brands=["oatfolk", "quillpot"])
    assert scorer.brands == ("oatfolk", "quillpot")
    text = "Our stakeholders leverage synergies at scale.\n\nHello. Do sit down, dear carton."
    report = scorer.check(text, brand="oatfolk", path="draft.md")
    assert report.verdict in ("forward", "review")
    assert [text[s.span.start : s.span.end] for s in report.flagged] == [
        "Our stakeholders leverage synergies at scale."
    ]
    assert scorer.score([text, "Another."]).shape == (2, 2)


@pytest.mark.parametrize(
    "text", ["", "\ud800", "Half \udc00 a pair is text too, says the API.\r\0\u2028"]
)
def test_any_string_can_be_checked(example_voices: Path, text: str) -> None:
    scorer = onbrand.Scorer.load(example_voices, brands=["oatfolk"])
    report = scorer.check(text)
    assert all(0 <= s.span.start < s.span.end <= len(text) for s in report.sentences)
