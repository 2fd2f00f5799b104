"""The language server's features take any text, and what they say of it is true."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pyromark
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsp_samples import ABLE, check, explanation
from lsprotocol import converters, types

from onbrand.config import load_config
from onbrand.document.document import parse
from onbrand.document.positions import Span
from onbrand.errors import OnbrandError
from onbrand.labels.normalization import normalise_text, text_key
from onbrand.results import Example, Habit
from onbrand_lsp.features import lookup, suppressions
from onbrand_lsp.features.code_actions import Offers, code_actions
from onbrand_lsp.features.code_lens import lenses
from onbrand_lsp.features.config_edit import add_ignored
from onbrand_lsp.features.diagnostics import diagnostics
from onbrand_lsp.features.hover import hover
from onbrand_lsp.features.payloads import Markup, status, summary, verdict
from onbrand_lsp.positions import to_span

FORMATS: list[str] = ["markdown", "mdx", "html", "text"]
PIECES = [
    *(
        "# ",
        "## ",
        "- ",
        "1. ",
        "> ",
        "| ",
        " |",
        "|-|-|\n",
        "===\n",
        "---\n",
        "  \n",
        "\n",
        "\n\n",
    ),
    *("<p>", "</p>", "<h2>", "</h2>", "<li>", "<title>", "</title>", "`code`", "*", "**", "[a](b)"),
    *("<!-- onbrand-disable -->", "<!-- onbrand-enable -->", "<!-- onbrand brand=nobody -->"),
    *(
        "{/* onbrand-disable-line */}",
        "<!-- onbrand-disable-nxt -->",
        "<!--",
        "-->",
        "{",
        "}",
        "```",
    ),
    *(
        "    ",
        "\t",
        "\r\n",
        "\r",
        "\u2028",
        "\x0c",
        "\ufeff",
        "\ud800",
        "🎉",
        "\ufffc",
        "&amp;",
        "\\",
    ),
    *(
        "One sentence is here. ",
        "Another one follows it! ",
        "A line of some words",
        "日本語の文です。",
    ),
]
SOUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=24).map("".join)
TEXT = st.text(
    st.sampled_from("*_`[]()<>!#|~&;$\\^{}:/.@+-=1 \n\t\x00\ufffc\ud800aw🎉'\"") | st.characters()
)
FIGURES = {"": 0.1}


@cache
def converter() -> object:
    return converters.get_converter()


def as_json(value: object) -> str:
    return json.dumps(converter().unstructure(value))  # type: ignore[attr-defined]


@pytest.mark.parametrize("read_as", FORMATS)
@given(source=SOUP, encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_feature_takes_any_text(read_as, source: str, encoding, data: st.DataObject) -> None:
    analysis = check(source, FIGURES, format=read_as)
    assert analysis.report is not None
    lines = analysis.snapshot.lines
    found = diagnostics(analysis, encoding, ABLE)
    starts = [(one.range.start.line, one.range.start.character) for one in found]
    assert all(a <= b for a, b in pairwise(starts))
    spans = [to_span(one.range, lines, encoding) for one in found if one.code == "off-brand"]
    assert sorted(spans) == [sentence.span for sentence in analysis.report.flagged]
    at, to = sorted(data.draw(st.tuples(*[st.integers(0, len(source))] * 2)))
    shown = hover(analysis, at, encoding, ABLE, {"acme": 0.1, "borealis": 0.9})
    assert shown is None or shown.range is not None
    context = types.CodeActionContext(found)
    offers = Offers(probabilities={"borealis": 0.9}, has_near=True)
    actions = code_actions(analysis, Span(at, to), context, encoding, ABLE, offers)
    told = verdict(analysis, encoding, {"borealis": 0.9, "c_corp": 0.1}.get)
    assert summary(told).startswith("# draft.md\n")
    as_json([found, shown, actions, lenses(analysis, encoding), status(analysis, ()), told])


@given(source=SOUP, at=st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_the_sentence_at_an_offset_holds_it(source: str, at: int) -> None:
    analysis = check(source)
    assert analysis.report is not None
    holding = [s for s in analysis.report.sentences if s.span.start <= at <= s.span.end]
    found = lookup.sentence_at(analysis, at)
    assert found == (holding[-1] if holding else None)


@pytest.mark.parametrize("read_as", FORMATS)
@given(source=SOUP, data=st.data())
@settings(max_examples=150, deadline=None)
def test_an_ignore_comment_silences_what_it_says_and_nothing_else(
    read_as, source: str, data: st.DataObject
) -> None:
    document = parse(source, read_as)
    if not document.sentences:
        return
    index = data.draw(st.integers(0, len(document.sentences) - 1))
    edits = suppressions.ignore_edits(document, index)
    assert len(edits) <= 2
    for edit in edits:
        assert index in edit.silenced
        after = parse(suppressions.apply(source, edit.insertions), read_as)
        kept = [s.text for n, s in enumerate(document.sentences) if n not in edit.silenced]
        assert [s.text for s in after.sentences] == kept
        assert after.suppressed == document.suppressed + len(edit.silenced)
        assert after.brand == document.brand


@given(text=TEXT)
@settings(max_examples=400, deadline=None)
def test_somebody_else_s_text_is_text_in_markdown(text: str) -> None:
    plain = Markup(markdown=False).text(text)
    written = Markup(markdown=True).text(text)
    assert events(f"x “{written}” x") == {"Paragraph"}
    assert text_of(f"x “{written}” x") == f"x “{plain}” x"


OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
    | pyromark.Options.ENABLE_GFM
)


def events(markdown: str) -> set[str]:
    """What Markdown makes of a text: the names of elements, and of events that are no text."""
    names = set()
    for event in pyromark.events(markdown, options=OPTIONS):
        if isinstance(event, str):
            names.add(event)
        elif "Start" in event:
            tag = event["Start"]
            names.add(tag if isinstance(tag, str) else next(iter(tag)))
        elif not {"End", "Text"} & event.keys():
            names |= event.keys()
    return names


def text_of(markdown: str) -> str:
    found = pyromark.events(markdown, options=OPTIONS)
    return "".join(event["Text"] for event in found if isinstance(event, dict) and "Text" in event)


@given(words=st.lists(TEXT, max_size=3), line=TEXT, source=TEXT, habit=TEXT, brand=TEXT)
@settings(max_examples=200, deadline=None)
def test_a_hover_has_no_markup_but_its_own(
    words, line: str, source: str, habit: str, brand
) -> None:
    why = explanation(
        dict.fromkeys(words, -1.0),
        (Habit("key", habit, 1.0, (0.0, 1.0)),),
        Example(line, 0.5, "on", source),
        Example(source, 0.5, "off", line),
    )
    shown = hover(check("One sentence is here."), 0, "utf-16", ABLE, {brand: 0.5}, why)
    assert shown is not None
    assert isinstance(shown.contents, types.MarkupContent)
    assert events(shown.contents.value) <= {"Paragraph", "Strong", "List", "Item", "SoftBreak"}


CONFIGS = [
    "",
    "# ours\n",
    'brand = "a"',
    'brand = "a"\r\n\r\n[[paths]]\r\nglob = "x"\r\n',
    'ignore = [\n  "One.", # why\n  # more\n]\n\n[[paths]]\nglob = "x"\n',
    'ignore = ["One."]',
]


@given(
    config=st.sampled_from(CONFIGS),
    sentences=st.lists(TEXT.filter(normalise_text), min_size=1, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_an_ignored_sentence_is_read_back(tmp_path_factory, config: str, sentences) -> None:
    made = config
    for sentence in sentences:
        made = add_ignored(made, sentence)
    file: Path = tmp_path_factory.mktemp("ignored") / "onbrand.toml"
    file.write_text(made, encoding="utf-8", newline="")
    keys = [text_key(item) for item in load_config(file).content.ignore]
    assert {text_key(sentence) for sentence in sentences} <= set(keys)
    assert len(keys) == len(set(keys))
    for part in re.findall(r'# \w+|"One."|^\w+ = "\w"', config, re.MULTILINE):
        assert part in made
    assert ("\r\n" in made) == ("\r\n" in config)


@given(text=TEXT | SOUP, pyproject=st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_file_is_added_to_or_left_alone(text: str, pyproject: bool) -> None:
    try:
        made = add_ignored(text, "One sentence.", pyproject=pyproject)
    except OnbrandError as error:
        assert "One sentence" not in str(error)
    else:
        assert "One sentence." in made
