"""What is shown while somebody types, on a clock that the tests turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsp_clock import HandClock
from lsp_samples import check
from lsprotocol import types

from onbrand.document.positions import LineIndex
from onbrand_lsp.analysis import Analysis, AnalysisResult
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.positions import edit_between, to_range
from onbrand_lsp.typing_pause import TypingPause

URI = "file:///project/draft.md"
PAUSE = 1.0


class Desk:
    """A document, its writer, and a judge that dislikes "bad" wherever it reads it.

    It dislikes "meh", too, in a draft with an odd number of characters: as a voice's threshold does
    when the rest of a draft changes.
    """

    def __init__(self, text: str = "", pause: float = PAUSE) -> None:
        self.clock, self.pause = HandClock(), pause
        self.calls = 0
        self.calm = TypingPause(self._called, lambda: self.clock)
        self.snapshot = Snapshot(URI, 1, "markdown", text, LineIndex(text))
        self.rules = "rules"
        self.shown: list[types.Diagnostic] = []
        self.result_id = ""
        self.calm.opened(self.snapshot)
        self.look()

    def _called(self, uri: str) -> None:
        assert uri == URI
        self.calls += 1
        self.look()

    def fresh(self) -> AnalysisResult:
        return judged(self.snapshot, self.rules)

    def look(self) -> list[str]:
        """Have the document checked, as a client does that pulls or is told."""
        found = self.calm.show(self.fresh(), self.pause, "utf-16")
        self.shown, self.result_id = [*found.diagnostics], found.analysis.result_id
        return self.messages()

    def messages(self) -> list[str]:
        return [one.message for one in self.shown]

    def marked(self) -> list[str]:
        lines = self.snapshot.text.split("\n")
        found = []
        for one in self.shown:
            assert one.range.start.line == one.range.end.line
            line = lines[one.range.start.line]
            found.append(line[one.range.start.character : one.range.end.character])
        return found

    def write(self, text: str) -> None:
        """Make this the text."""
        version = self.snapshot.version + 1
        self.snapshot = replace(self.snapshot, text=text, lines=LineIndex(text), version=version)
        self.calm.changed(self.snapshot)

    def type(self, letters: str, gap: float = 0.2) -> None:
        """Type at the end, the client looking after each key."""
        for letter in letters:
            self.clock.advance(gap)
            self.write(self.snapshot.text + letter)
            self.look()


def judged(snapshot: Snapshot, rules: str) -> AnalysisResult:
    text = snapshot.text
    disliked = ("bad", "meh") if len(text) % 2 else ("bad",)
    analysis = check(text, uri=URI)
    assert analysis.report is not None
    sentences = tuple(
        replace(one, flagged=any(word in one.text for word in disliked))
        for one in analysis.report.sentences
    )
    report = replace(analysis.report, sentences=sentences)
    result_id = f"{hash(text)} {rules}"
    analysis = replace(
        analysis, snapshot=snapshot, report=report, result_id=result_id, rules_id=rules
    )
    return AnalysisResult(analysis, [*_underlined(analysis), *_noted(analysis)])


def _underlined(analysis: Analysis) -> Iterable[types.Diagnostic]:
    lines = analysis.snapshot.lines
    for one in analysis.report.flagged if analysis.report else ():
        place = to_range(one.span, lines, "utf-16")
        yield types.Diagnostic(place, f"no: {one.text}", code="off-brand")


def _noted(analysis: Analysis) -> Iterable[types.Diagnostic]:
    """A note on each line that has a "#!" says all of it."""
    for number, line in enumerate(analysis.snapshot.text.split("\n")):
        if "#!" in line:
            place = types.Range(types.Position(number, 0), types.Position(number, len(line)))
            yield types.Diagnostic(place, line, code="note")


def test_a_new_finding_waits_for_a_pause() -> None:
    desk = Desk()
    desk.type("This is bad copy.")
    assert desk.messages() == []
    desk.clock.advance(PAUSE - 0.01)
    assert (desk.messages(), desk.calls) == ([], 0)
    desk.clock.advance(0.01)
    assert (desk.messages(), desk.calls) == (["no: This is bad copy."], 1)
    desk.clock.advance(60)
    assert desk.calls == 1


def test_a_new_finding_comes_when_the_writer_goes_on_to_the_next_sentence() -> None:
    desk = Desk()
    desk.type("This is bad copy. ")
    assert desk.messages() == []
    desk.type("And")
    assert desk.marked() == ["This is bad copy."]


def test_white_space_after_a_sentence_does_not_put_the_pause_off() -> None:
    desk = Desk()
    desk.type("This is bad copy.")
    desk.type("\n", gap=0.9)
    desk.clock.advance(0.1)
    assert desk.marked() == ["This is bad copy."]


@pytest.mark.parametrize("end", ["", " and alter", " [a link](https://x.org)", " `code`", "\n"])
def test_an_unfinished_sentence_gets_nothing_new_however_long_the_pause(end: str) -> None:
    desk = Desk()
    desk.type("This is bad copy" + end)
    desk.clock.advance(60)
    assert desk.look() == []
    assert desk.calm.left(URI)
    desk.look()
    assert len(desk.shown) == 1
    assert desk.result_id == desk.fresh().analysis.result_id


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("It is bad.", True),
        ("It is bad?", True),
        ("Is it **bad.**", True),
        ("“It is bad.”", True),
        ("It is bad…", True),
        ("It is bad,", False),
        ("It is bad", False),
        ("# It is bad", False),
        ("# It is bad\n", True),
        ("It is bad\n\n", True),
        ("It is bad\n", False),
        ("- It is bad\n", False),
        ("- It is bad\n\n", True),
        ("It is bad\n```\ncode", True),
    ],
)
def test_what_is_finished(text: str, finished: bool) -> None:
    desk = Desk()
    desk.type(text)
    desk.clock.advance(60)
    desk.look()
    assert bool(desk.shown) is finished


def test_a_finding_goes_at_once_and_comes_back_only_after_a_pause() -> None:
    desk = Desk("This is bad.")
    assert desk.marked() == ["This is bad."]
    desk.write("This is ba.")
    assert desk.look() == []
    desk.write("This is bad.")
    assert desk.look() == []
    desk.clock.advance(PAUSE)
    assert desk.marked() == ["This is bad."]


def test_a_standing_finding_keeps_its_words_and_moves_along() -> None:
    desk = Desk("Hello. This is bad copy. Bye.")
    for text in (
        "Hello. This is bad copy, on. Bye.",
        "Hello. This is bad copy, or. Bye.",
        "Hello. This is bad copy, or so. Bye.",
        "Hello. This is so bad copy, or so. Bye.",
    ):
        desk.write(text)
        desk.look()
        assert desk.messages() == ["no: This is bad copy."]
        assert desk.marked() == [text[7:-5]]
    desk.clock.advance(PAUSE)
    assert desk.messages() == ["no: This is so bad copy, or so."]


def test_a_standing_finding_moves_with_lines_above_it() -> None:
    desk = Desk("Hello.\n\nThis is bad copy.")
    desk.write("New.\n\nHello.\n\nThis is bad copy.")
    desk.look()
    assert desk.marked() == ["This is bad copy."]


def test_an_edit_elsewhere_is_leaving() -> None:
    desk = Desk("Hello there. Bye.")
    desk.write("Hello bad there. Bye.")
    assert desk.look() == []
    desk.write("Hello bad there. Bye you.")
    desk.look()
    assert desk.marked() == ["Hello bad there."]


def test_elsewhere_nothing_comes_and_nothing_goes_while_somebody_types() -> None:
    desk = Desk("It is meh, so.\n\nYes")  # nineteen characters
    assert desk.marked() == ["It is meh, so."]
    desk.type("s no")
    assert desk.marked() == ["It is meh, so."]
    desk.type("t")
    desk.clock.advance(PAUSE)
    assert desk.messages() == []
    desk.type("h")
    assert desk.messages() == []
    desk.clock.advance(PAUSE)
    assert desk.marked() == ["It is meh, so."]


def test_what_other_rules_take_back_goes_at_once() -> None:
    desk = Desk("It is meh, so.\n\nYes")
    desk.type("s")
    assert desk.marked() == ["It is meh, so."]
    desk.rules = "others"
    assert desk.look() == []


def test_a_sentence_that_is_silenced_loses_its_finding_at_once() -> None:
    desk = Desk("This is bad copy.\n\nYes.")
    desk.write("<!-- onbrand-disable-next-line -->\nThis is bad copy.\n\nYes.")
    desk.look()
    silenced = not desk.fresh().diagnostics
    assert silenced
    assert desk.messages() == []


def test_notes_on_the_line_being_edited_wait_too() -> None:
    desk = Desk()
    desk.type("#! bra")
    assert desk.messages() == []
    desk.clock.advance(PAUSE)
    assert desk.messages() == ["#! bra"]
    desk.type("nd")
    assert desk.messages() == ["#! bra"]
    desk.clock.advance(PAUSE)
    assert desk.messages() == ["#! brand"]


def test_a_finding_about_words_keeps_its_mark() -> None:
    desk = Desk("Hello. This is bad copy.")
    place = types.Range(types.Position(0, 15), types.Position(0, 18))

    def about_words() -> AnalysisResult:
        found = judged(desk.snapshot, "rules")
        at = desk.snapshot.text.index("copy")
        there = types.Range(types.Position(0, at), types.Position(0, at + 4))
        return replace(found, diagnostics=[types.Diagnostic(there, "words", code="off-brand")])

    first = replace(desk.fresh(), diagnostics=[types.Diagnostic(place, "bad", code="off-brand")])
    desk.calm.opened(desk.snapshot)
    desk.calm.show(first, PAUSE, "utf-16")
    desk.write("Hello. Oh, this is bad copy.")
    (shown,) = desk.calm.show(about_words(), PAUSE, "utf-16").diagnostics
    assert shown.message == "bad"
    assert (shown.range.start.character, shown.range.end.character) == (19, 22)


def test_no_pause_shows_all_at_once() -> None:
    desk = Desk(pause=0)
    desk.type("This is bad co")
    assert desk.messages() == ["no: This is bad co"]
    assert desk.clock.timers == []


def test_nothing_is_kept_of_a_closed_document() -> None:
    desk = Desk()
    desk.type("This is bad.")
    desk.calm.closed(URI)
    desk.clock.advance(60)
    assert (desk.calls, desk.calm._drafts) == (0, {})


def test_a_thousand_edits_nobody_looked_at_are_followed() -> None:
    desk = Desk("This is bad copy. Hello")
    for number in range(1000):
        desk.write(f"This is bad copy. Hello {number}")
    desk.look()
    assert desk.marked() == ["This is bad copy."]


@settings(max_examples=200)
@given(st.text("ab \n"), st.text("ab \n"))
def test_one_edit_makes_a_text_into_another(old: str, new: str) -> None:
    edit = edit_between(old, new)
    assert old[: edit.start] + new[edit.start : edit.new_end] + old[edit.old_end :] == new
    assert edit.start <= min(edit.old_end, edit.new_end)


PIECES = st.sampled_from(
    [
        "bad",
        "meh",
        "ok",
        " ",
        ". ",
        ".",
        "\n\n",
        "\n",
        "# ",
        "- ",
        "😀",
        "B",
        "#!",
        "e",
        "**",
        "<p>",
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("type"), PIECES),
        st.tuples(st.just("replace"), st.integers(0, 99), st.integers(0, 6), PIECES),
        st.tuples(st.just("look")),
        st.tuples(st.just("wait"), st.sampled_from([0.1, 0.5, 1.0, 3.0])),
        st.tuples(st.just("save")),
        st.tuples(st.just("judge"), st.sampled_from(["rules", "others"])),
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), STEPS)
def test_after_the_pause_all_is_as_in_a_fresh_document(text: str, steps: list[Any]) -> None:
    desk = Desk(text)
    for kind, *what in steps:
        now = desk.snapshot.text
        if kind == "type":
            desk.write(now + what[0])
        elif kind == "replace":
            at = what[0] % (len(now) + 1)
            desk.write(now[:at] + what[2] + now[at + what[1] :])
        elif kind == "wait":
            desk.clock.advance(what[0])
        elif kind == "save":
            if desk.calm.left(URI):
                desk.look()
        elif kind == "judge":
            desk.rules = what[0]
            desk.look()
        elif kind == "look":
            desk.look()
    desk.look()  # as every client does after the last edit
    desk.clock.advance(PAUSE)
    fresh = [*desk.fresh().diagnostics]
    if desk.shown != fresh:
        # All that may differ is the one sentence that the writer is at the end of.
        different = [one for one in fresh if one not in desk.shown]
        assert len(different) == 1
        assert different[0].code == "off-brand"
        assert len(desk.shown) in (len(fresh), len(fresh) - 1)
        assert [one for one in fresh if one != different[0]] == [
            one for one in desk.shown if one in fresh
        ]
        assert desk.calm.left(URI)
        desk.look()
    assert desk.shown == fresh
    assert desk.result_id == desk.fresh().analysis.result_id
