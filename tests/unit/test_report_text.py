from __future__ import annotations

import io
from itertools import pairwise

import pytest
from rich.cells import cell_len
from rich.console import Console

from onbrand.report.snippet import MAX_ROWS, truncate
from onbrand.report.text import render
from onbrand.results import Report, SentenceVerdict
from report_samples import report, samples, sentence


def printed(source: str, *sentences: SentenceVerdict, width: int = 60, **fields: object) -> str:
    stream = io.StringIO()
    render(
        [report("a.md", *sentences, **fields)], {"a.md": source}, Console(file=stream, width=width)
    )
    return stream.getvalue()


def marked(output: str) -> list[str]:
    """Return what stands above the marks, by terminal cells."""
    lines = [line.partition(" | ")[2] or line.partition(" |")[2] for line in output.splitlines()]
    found = []
    for text, marks in pairwise(lines):
        if marks and not set(marks) - set("~^ "):
            start, end = len(marks) - len(marks.lstrip()), len(marks)
            at, part = 0, ""
            for n in range(len(text)):
                at = cell_len(text[:n])
                part += text[n] if start <= at < end else ""
            found.append(part)
    return found


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_plain_output_is_tidy_and_fits(width: int) -> None:
    stream = io.StringIO()
    reports, sources = samples()
    render(reports, sources, Console(file=stream, width=width))
    lines = stream.getvalue().splitlines()
    assert not [line for line in lines if line != line.rstrip()]
    assert not [line for line in lines if " | " in line and cell_len(line) > width]
    assert "\x1b" not in stream.getvalue()
    assert "\0" not in stream.getvalue()
    stream.getvalue().encode()


def test_wide_characters_and_tabs_are_underlined_where_they_stand() -> None:
    source = "\t日本語。\tWe 🎉 leverage. x"
    output = printed(source, sentence(source, "We 🎉 leverage."))
    assert marked(output) == ["We 🎉 leverage."]


def test_each_line_of_a_sentence_is_underlined_without_its_indent() -> None:
    source = "- We\n    leverage\n\n\tsynergies. x"
    part = "We\n    leverage\n\n\tsynergies."
    assert marked(printed(source, sentence(source, part))) == ["We", "leverage", "synergies."]


def test_the_words_that_did_it_are_marked_apart() -> None:
    source = "We leverage synergies."
    output = printed(source, sentence(source, source, words="leverage"))
    assert "   | ~~~^^^^^^^^~~~~~~~~~~~\n" in output
    assert "   = words: “leverage”\n" in output


def test_a_long_line_is_cropped_around_the_sentence() -> None:
    source = "before " * 50 + "We leverage. " + "after " * 50
    output = printed(source, sentence(source, "We leverage."))
    assert marked(output) == ["We leverage."]
    (line,) = [line for line in output.splitlines() if "We leverage." in line]
    assert line.startswith(" 1 | …")
    assert line.endswith("…")
    assert 50 < len(line) <= 60


def test_a_long_sentence_is_wrapped_between_words() -> None:
    source = "Intro. " + "leverage synergies " * 6 + "now. Outro."
    part = source[7:-7]
    rows = marked(printed(source, sentence(source, part)))
    assert len(rows) > 2
    assert " ".join(rows) == part


def test_a_sentence_of_a_megabyte_shows_its_beginning() -> None:
    source = "leverage" * 125_000
    output = printed(source, sentence(source, source))
    assert len(marked(output)) == MAX_ROWS - 1
    assert " | …\n" in output


def test_a_draft_cannot_command_the_terminal() -> None:
    source = "a\x1b]0;x\x07\x9b31m\u202ec"
    output = printed(source, sentence(source, source, brand="\x1b[1m"), warnings=("\x1b[2J",))
    assert not set(output) & set("\x1b\x07\x9b\u202e")


def test_colour_only_where_the_console_wants_it() -> None:
    source = "We leverage."
    stream = io.StringIO()
    console = Console(file=stream, width=60, force_terminal=True, color_system="standard")
    render([report("a.md", sentence(source, source))], {"a.md": source}, console)
    assert "\x1b[" in stream.getvalue()
    assert "\x1b[" not in printed(source, sentence(source, source))


def test_rich_markup_and_emoji_codes_in_a_draft_are_text() -> None:
    source = "We [bold]leverage[/] :smile: [/x]."
    assert f" 1 | {source}\n" in printed(source, sentence(source, source))


def test_one_clean_draft_is_one_line() -> None:
    assert printed("", probability=0.9, verdict="forward") == (
        "a.md: Forward: no sentence to judge; P 0.90 for acme, the gate is 0.70.\n"
    )


def test_a_summary_ends_many_drafts() -> None:
    stream = io.StringIO()
    reports = [Report("a.md", "acme", 0.9, "forward", 0.7), report("b.md")]
    render(reports, {"a.md": "", "b.md": ""}, Console(file=stream, width=80), suppressed=1)
    assert stream.getvalue().splitlines()[-1] == (
        "2 drafts: 1 forward, 1 review; 0 off-brand sentences, "
        "1 known one in the baseline not shown."
    )


def test_the_summary_says_how_many_are_to_be_mended() -> None:
    stream, source = io.StringIO(), "We leverage."
    good = Report("a.md", "acme", 0.9, "forward", 0.7)
    slip = sentence(source, source, foreign=0.9)
    reports = [good, report("b.md", slip, verdict="forward", probability=0.8)]
    render(reports, {"a.md": "", "b.md": source}, Console(file=stream, width=80))
    assert stream.getvalue().splitlines()[-1] == (
        "2 drafts: 2 forward (1 to be mended); 1 off-brand sentence."
    )


@pytest.mark.parametrize(
    ("text", "room", "short"),
    [("short", 5, "short"), ("longer", 5, "long…"), ("日本語", 5, "日本…"), ("a b c", 4, "a b…")],
)
def test_crop(text: str, room: int, short: str) -> None:
    assert truncate(text, room) == short
