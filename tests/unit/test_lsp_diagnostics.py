"""What is underlined, how badly, and where the nearest on-brand line stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lsp_samples import ABLE, THRESHOLD, check, explanation, unjudged
from lsprotocol import types

from onbrand.config import Settings
from onbrand.document.positions import LineIndex, Span
from onbrand.results import Example, Explanation, WordShare
from onbrand_lsp.analysis import Analysis
from onbrand_lsp.features.diagnostics import (
    DOCS,
    NOTE,
    OFF_BRAND,
    SCREEN,
    UNKNOWN_BRAND,
    diagnostics,
)
from onbrand_lsp.positions import to_span
from onbrand_lsp.rpc.capabilities import ClientSupport

Level = types.DiagnosticSeverity
TWO = "🎉 We leverage synergies daily. It ships on Tuesday.\n\nUnlock value at scale.\n"
FIGURES = {"🎉 We leverage": 0.1, "We leverage": 0.1, "Unlock": 0.3}


def lines_of(analysis: Analysis) -> list[tuple[int, str, Level | None]]:
    found = diagnostics(analysis, "utf-16", ABLE)
    return [(one.range.start.line, str(one.code), one.severity) for one in found]


def test_flagged_sentences_alone_are_underlined_by_certainty() -> None:
    assert lines_of(check(TWO, FIGURES)) == [
        (0, OFF_BRAND, Level.Warning),
        (2, OFF_BRAND, Level.Information),
    ]


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        ("error", Level.Error),
        ("warning", Level.Warning),
        ("information", Level.Information),
        ("hint", Level.Hint),
    ],
)
def test_a_chosen_severity_holds_for_findings_but_not_for_notes(severity, level: Level) -> None:
    analysis = check(TWO, FIGURES, warnings=("line 3: a sentence is too long",))
    found = diagnostics(analysis, "utf-16", ABLE, severity)
    assert {one.severity for one in found if one.code == OFF_BRAND} == {level}
    assert [one.severity for one in found if one.code == NOTE] == [Level.Information]


@pytest.mark.parametrize(("encoding", "end"), [("utf-8", 32), ("utf-16", 30), ("utf-32", 29)])
def test_the_range_is_that_of_the_sentence_in_the_client_s_units(encoding, end: int) -> None:
    source = TWO.replace("🎉 We", "🎉We")
    (first, _) = diagnostics(check(source, {"🎉We": 0.1, "Unlock": 0.3}), encoding, ABLE)
    assert (first.range.start.character, first.range.end.character) == (0, end)


def test_a_client_gets_no_more_than_it_can_show() -> None:
    (one, _) = diagnostics(check(TWO, FIGURES), "utf-16", ABLE)
    assert one.code_description == types.CodeDescription(f"{DOCS}#off-brand")
    assert one.source == "onbrand"
    assert one.data["brand"] == "acme"
    assert len(one.data["text_key"]) == 64
    (bare, _) = diagnostics(check(TWO, FIGURES), "utf-16", ClientSupport())
    assert bare.code_description is None
    assert bare.related_information is None
    assert bare.data == one.data, "which is not shown, and kept by clients that do not say so"


WORDS = "We leverage our synergies daily, and leverage them again.\n"


def leverage(source: str, **more: object) -> Analysis:
    """A flagged sentence in which two words speak against the brand, one of them twice."""
    parts = {"leverage": -2.0, "synergies": -1.0, "daily": 1.0}
    shares = tuple(
        WordShare(Span(found.start(), found.end()), found[0], parts[found[0]])
        for found in re.finditer("|".join(parts), source)
    )
    why = Explanation(-1.0, -0.2, shares)
    return check(source, {"We": 0.1}, why={"We": why}, **more)


def texts(source: str, ranges: Iterable[types.Range]) -> list[str]:
    lines = LineIndex(source)
    return [to_span(one, lines, "utf-16").slice(source) for one in ranges]


def test_the_words_that_speak_most_against_the_brand_come_along() -> None:
    source = f"🎉 Hello there, everybody. {WORDS}"
    (one,) = diagnostics(leverage(source), "utf-16", ClientSupport())
    assert texts(source, [one.range]) == [WORDS.strip()]
    ranges = [
        types.Range(**{k: types.Position(**p) for k, p in r.items()}) for r in one.data["words"]
    ]
    assert texts(source, ranges) == ["leverage", "leverage", "synergies"]


def test_the_words_alone_are_underlined_where_the_settings_say_so() -> None:
    settings = Settings(underline="words")
    (one,) = diagnostics(leverage(WORDS, settings=settings), "utf-16", ABLE)
    assert texts(WORDS, [one.range]) == ["leverage"]
    (also,) = one.related_information or ()
    assert (also.message, texts(WORDS, [also.location.range])) == (
        "Also: “synergies”",
        ["synergies"],
    )
    (bare,) = diagnostics(leverage(WORDS, settings=settings), "utf-16", ClientSupport())
    assert bare.range == one.range
    assert bare.related_information is None
    # A sentence without a word to name is underlined as ever.
    plain = diagnostics(check(TWO, FIGURES, settings=settings), "utf-16", ABLE)
    assert [one.range for one in plain] == [
        one.range for one in diagnostics(check(TWO, FIGURES), "utf-16", ABLE)
    ]


def in_full(figures: Sequence[float], limit: int) -> list[int]:
    """Return which sentences are more than hints; every figure below 0.31 is a finding."""
    source = " ".join(f"We write number {n} here." for n in range(len(figures)))
    ps = {f"We write number {n} ": p for n, p in enumerate(figures)}
    analysis = check(source, ps, settings=Settings(max_findings=limit))
    found = diagnostics(analysis, "utf-16", ABLE)
    assert len(found) == sum(p < THRESHOLD for p in figures), "no finding is lost"
    assert {one.severity for one in found} <= {Level.Warning, Level.Information, Level.Hint}
    shown = texts(source, [one.range for one in found if one.severity != Level.Hint])
    return [int(text.split()[3]) for text in shown]


def test_the_worst_of_a_screen_are_shown_in_full() -> None:
    figures = [0.1, 0.3, 0.02, 0.9, 0.2, 0.02]
    assert in_full(figures, 2) == [2, 5]
    assert in_full(figures, 3) == [0, 2, 5]
    assert in_full(figures, 0) == [0, 1, 2, 4, 5]
    assert in_full([0.2] * SCREEN, 1) == [0], "of equals the first"
    assert in_full([0.2] * (SCREEN + 1), 1) == [0, SCREEN], "and one on the next screen"


@hypothesis_settings(max_examples=20)
@given(st.lists(st.sampled_from([0.01, 0.1, 0.2, 0.9]), max_size=80), st.integers(1, 4))
def test_no_screen_has_more_than_the_limit(figures: list[float], limit: int) -> None:
    shown = in_full(figures, limit)
    for first in range(len(figures)):
        on_screen = [index for index in shown if first <= index < first + SCREEN]
        assert len(on_screen) <= limit
    hidden = {index for index, p in enumerate(figures) if p < THRESHOLD} - {*shown}
    for index in hidden:  # only where enough that are as bad are near
        near = [i for i in shown if abs(i - index) < SCREEN and figures[i] <= figures[index]]
        assert len(near) >= limit


def test_warnings_are_notes_on_their_line_or_the_first_in_order() -> None:
    warnings = ("line 3: what is here", "something else", "line 99: long gone")
    found = diagnostics(check(TWO, FIGURES, warnings=warnings), "utf-16", ABLE)
    assert [(one.range.start.line, one.message) for one in found if one.code == NOTE] == [
        (0, "Something else"),
        (2, "What is here"),
        (3, "Long gone"),
    ]
    positions = [(one.range.start.line, one.range.start.character) for one in found]
    assert positions == sorted(positions)


def test_a_document_that_was_not_judged_is_left_in_peace() -> None:
    analysis = check(TWO, FIGURES, warnings=("line 3: what is here",))
    assert diagnostics(unjudged(analysis, None), "utf-16", ABLE) == []
    assert diagnostics(unjudged(analysis, "onbrand.toml is broken"), "utf-16", ABLE) == []


@pytest.mark.parametrize(
    "source",
    ["---\ntitle: x\nbrand: nobody\n---\nSome text is here.\n", '+++\n\nbrand = "nobody"\n+++\n'],
)
def test_a_brand_without_a_voice_is_underlined_in_the_front_matter(source: str) -> None:
    analysis = unjudged(check(source), "no voice for brand 'nobody'")
    (one,) = diagnostics(analysis, "utf-16", ABLE)
    assert (one.range.start.line, one.code, one.severity) == (2, UNKNOWN_BRAND, Level.Warning)
    assert one.message.startswith("No voice for brand 'nobody'")
    # Another problem, or another brand chosen in its place, is no fault of that line.
    assert diagnostics(check(source), "utf-16", ABLE) == []
    assert diagnostics(replace(analysis, scorer=None), "utf-16", ABLE) == []


def test_a_brand_without_a_voice_is_underlined_in_its_comment_once() -> None:
    source = (
        "One sentence comes first.\n\n<!-- onbrand brand=nobody -->\n"
        "A second of that brand. A third of that brand too.\n"
    )
    said = "line 4: no voice for brand 'nobody' (known: acme, borealis, c_corp)"
    (one,) = diagnostics(check(source, warnings=(said,)), "utf-16", ABLE)
    assert (one.code, one.severity) == (UNKNOWN_BRAND, Level.Warning)
    assert one.range == types.Range(types.Position(2, 0), types.Position(2, 29))


LINE = "We ship it on *Tuesday* & not later."
WHY = explanation(
    {"We": -0.5}, nearest_on=Example("We ship it on Tuesday & not later.", 0.7, "on", "site.md")
)


def related(folder: Path, source: str = "site.md") -> list[tuple[str, int, int]]:
    assert WHY.nearest_on is not None
    why = replace(WHY, nearest_on=replace(WHY.nearest_on, source=source))
    settings = Settings(files=(folder / "onbrand.toml",))
    analysis = check("Unlock value at scale.\n", {"U": 0.1}, why={"U": why}, settings=settings)
    (one,) = diagnostics(analysis, "utf-16", ABLE)
    return [
        (info.location.uri, info.location.range.start.line, info.location.range.end.character)
        for info in one.related_information or ()
    ]


def test_the_nearest_line_is_found_where_it_stands_now(tmp_path: Path) -> None:
    file = tmp_path / "site.md"
    file.write_text(f"# Home\n\n🎉 Hello. {LINE}\n")
    assert related(tmp_path) == [(file.as_uri(), 2, 46)]
    file.write_text(f"\n\n\n\n{LINE}\n")
    os.utime(file, ns=(1, 1))
    assert related(tmp_path) == [(file.as_uri(), 4, 36)]


def test_a_line_that_has_gone_leads_to_the_start_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "site.md").write_text("# Home\n\nAll is new.\n")
    assert related(tmp_path) == [((tmp_path / "site.md").as_uri(), 0, 0)]


def test_the_voice_s_folder_comes_first(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "voices" / "acme"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "site.md").write_text(LINE)
    settings = Settings(files=(tmp_path / "onbrand.toml",))
    analysis = check(
        "Unlock value at scale.\n",
        {"U": 0.1},
        why={"U": WHY},
        settings=settings,
        voices=tmp_path / "voices",
    )
    (one,) = diagnostics(analysis, "utf-16", ABLE)
    (info,) = one.related_information or ()
    assert info.location.uri == (tmp_path / "voices/acme/site.md").as_uri()
    assert info.message == "Nearest on-brand line: “We ship it on Tuesday & not later.”"


@pytest.mark.parametrize(
    "source",
    ["missing.md", "../site.md", "carton side panel", "folder", "big.md", "a\0b", "binary.md", ""],
)
def test_what_is_no_file_of_the_project_is_left_out(tmp_path: Path, source: str) -> None:
    project = tmp_path / "project"
    (project / "folder").mkdir(parents=True)
    (tmp_path / "site.md").write_text(LINE)
    (project / "big.md").write_text(LINE + "x" * 300_000)
    (project / "binary.md").write_bytes(b"\0" * 99)
    assert related(project, source) == []
    assert related(project, str(tmp_path / "site.md")) == []
