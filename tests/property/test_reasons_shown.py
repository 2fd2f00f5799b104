"""What every face shows as reasons: words that a writer can do something about, each once."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsp_samples import ABLE
from lsprotocol import types
from rich.console import Console

from onbrand import Scorer
from onbrand.config import Settings
from onbrand.document.document import parse
from onbrand.document.positions import LineIndex
from onbrand.report import json as json_report
from onbrand.report import text as text_report
from onbrand.results import CheckResults, Explanation, Report, WordShare
from onbrand.voice.lexical import word_spans
from onbrand.voice.reasons import both_sides, strongest_words
from onbrand_cli.demo import draft_files
from onbrand_lsp.analysis import Analysis
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.features.hover import hover

BRAND = "oatfolk"
COMMON = {"a", "an", "the", "and", "or", "of", "to", "in", "on", "for", "is", "are", "it", "that"}
"""The most common function words; the engine knows more."""
MARKS = ("\ufffc", "–", "!", "🎉", "'")
WORDS = (
    "the",
    "Our",
    "our",
    "OUR",
    "best-in-class",
    "can’t",
    "1,450",
    "Oatfolk’s",
    "e.g.",
    "雨です",
)
PIECES = st.sampled_from(MARKS + WORDS)


@given(
    text=st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map(" ".join)),
    shares=st.lists(st.floats(-3, 3), min_size=1, max_size=9),
)
def test_words_are_merged_and_filtered_but_their_shares_stay_exact(
    text: str, shares: Sequence[float]
) -> None:
    spans = word_spans(text)
    words = tuple(
        WordShare(span, span.slice(text), shares[n % len(shares)]) for n, span in enumerate(spans)
    )
    why = Explanation(0.0, 0.0, words, brand=BRAND)
    shown = (*both_sides(why)[0], *both_sides(why)[1])
    for found in (shown, strongest_words(why)):
        check_words([word.text for word in found], BRAND)
        parts = [part for word in found for place in word.places for part in place]
        assert len({part.span for part in parts}) == len(parts), "no share counts twice"
        assert set(parts) <= set(words)
        for word in found:
            assert word.share == pytest.approx(sum(p.share for at in word.places for p in at))
            alike = {span.slice(text).casefold().removesuffix("’s") for span in word.spans}
            assert len({spelt.removesuffix("'s") for spelt in alike}) == 1


def check_words(words: Sequence[str], brand: str) -> None:
    for word in words:
        assert any(map(str.isalnum, word)), "a bare mark"
        assert "\ufffc" not in word
        assert not word.casefold().startswith(brand.partition("-")[0])
    assert len({word.casefold() for word in words}) == len(words), "a word twice"


@pytest.fixture(scope="module")
def scorer(example_voices: Path) -> Scorer:
    return Scorer.load(example_voices, threads=1)


@pytest.fixture(scope="module")
def analysis(scorer: Scorer) -> dict[str, Report]:
    """Source → report of the example drafts, each with a line that has all that is left out."""
    analysis = {}
    for file in draft_files():
        name = file.name.partition("-")[0].title()
        line = f"Our `x` — our *{name}’s* synergy! [y](z.md)"
        source = f"{file.read_text(encoding='utf-8')}\n{line}\n"
        analysis[source] = scorer.check(source, path=file.name)
        assert analysis[source].brand.startswith(name.lower())
    return analysis


@pytest.mark.parametrize("face", ["text", "json", "hover"])
def test_reasons_on_the_example_drafts(
    scorer: Scorer, analysis: dict[str, Report], face: str
) -> None:
    shown = []
    for source, report in analysis.items():
        found = list(FACES[face](report, source, scorer))
        assert len(found) == len(report.flagged) > 0
        for words in found:
            check_words(words, report.brand)
        shown += found
    unclear = sum(all(word.casefold() in COMMON for word in words) for words in shown)
    assert unclear <= 0.02 * len(shown)


def in_text(report: Report, source: str, _scorer: Scorer) -> Iterator[list[str]]:
    stream = io.StringIO()
    text_report.render([report], {report.path: source}, Console(file=stream, width=5_000))
    for line in re.findall(r"(?m)= words: (.+)$", stream.getvalue()):
        yield re.findall("“(.+?)”", line)


def in_json(report: Report, _source: str, _scorer: Scorer) -> Iterator[list[str]]:
    made = json.loads(json_report.render(CheckResults([report], {})))
    for sentence in made["files"][0]["sentences"]:
        if sentence["flagged"]:
            reasons = sentence["reasons"]
            yield [word["text"] for word in [*reasons["against"], *reasons["for"]]]


def in_hovers(report: Report, source: str, scorer: Scorer) -> Iterator[list[str]]:
    snapshot = Snapshot("file:///a.md", 1, "markdown", source, LineIndex(source))
    document = parse(source, "markdown")
    analysis = Analysis(snapshot, document, Settings(), report, scorer, report.brand, None, "an id")
    for sentence in report.flagged:
        found = hover(analysis, sentence.span.start, "utf-16", replace(ABLE, markdown_hover=False))
        assert found is not None
        assert isinstance(found.contents, types.MarkupContent)
        sides = re.findall(r"(?m)^- Speaks (?:against|for): (.+)$", found.contents.value)
        yield re.findall("“(.+?)”", " ".join(sides))


FACES = {"text": in_text, "json": in_json, "hover": in_hovers}
