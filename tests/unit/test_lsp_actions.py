"""What a writer can do about a sentence, and comments where they change nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lsp_samples import ABLE, OTHERS, check, unjudged
from lsprotocol import types

from onbrand.config import Settings
from onbrand.document.document import parse
from onbrand.document.positions import Span
from onbrand.fixes import Edit, Fix, apply_edits
from onbrand_lsp.analysis import Analysis
from onbrand_lsp.features.code_actions import Offers, code_actions, source_fixes
from onbrand_lsp.features.diagnostics import diagnostics
from onbrand_lsp.features.suppressions import apply, ignore_edits
from onbrand_lsp.rpc.capabilities import ClientSupport

SOURCE = "We leverage synergies daily.\n\nIt ships on Tuesday, of course.\n"
BAD = {"We": 0.1}
START = Span(0, 0)
Trigger = types.CodeActionTriggerKind
KNOWN = Offers(probabilities=OTHERS, has_near=True)
USE = Fix((Edit(Span(3, 11), "use"),), "We use synergies daily.", 0.6)
SHORTER = Fix((Edit(Span(3, 11), "use"), Edit(Span(21, 27), "")), "We use synergies.", 0.5)


def asked(
    analysis: Analysis,
    span: Span = START,
    client: ClientSupport = ABLE,
    found: Sequence[types.Diagnostic] = (),
    offers: Offers = KNOWN,
    **context: Any,
) -> list[Any]:
    wanted = types.CodeActionContext(found, **context)
    return code_actions(analysis, span, wanted, "utf-16", client, offers)


def titles(actions: list[Any]) -> list[str]:
    return [action.title for action in actions]


ALL = [
    "Show how acme says it",
    "Mark as on-brand for acme",
    "Mark as off-brand for acme",
    "Ignore this sentence (comment)",
    "Ignore this sentence in the project (onbrand.toml)",
    "Check this document as borealis",
    "Check this document as c_corp",
]


def test_a_flagged_sentence_has_them_all() -> None:
    actions = asked(check(SOURCE, BAD), trigger_kind=Trigger.Automatic)
    assert titles(actions) == ALL
    assert {action.kind for action in actions} == {types.CodeActionKind.QuickFix}
    assert not any(action.is_preferred for action in actions)


def test_fixes_come_first_and_the_best_one_is_preferred() -> None:
    actions = asked(check(SOURCE, BAD), offers=replace(KNOWN, fixes=[USE, SHORTER]))
    both = "Replace “leverage” with “use”, delete “daily”"
    assert titles(actions) == ["Replace “leverage” with “use”", both, *ALL]
    assert [action.title for action in actions if action.is_preferred] == titles(actions)[:1]
    edits = actions[1].edit.document_changes[0].edits
    places = [(e.range.start.character, e.range.end.character, e.new_text) for e in edits]
    assert places == [(3, 11, "use"), (21, 27, "")]


def test_a_fix_leaves_markup_entities_and_broken_lines_as_they_are() -> None:
    for source, fixed in (
        ("Oh. We **leverage** it here daily.", "Oh. We **use** it here daily."),
        ("We lever*age* it here daily.", None),
        ("We &lt;leverage it here daily.", "We &lt;use it here daily."),
        ("> We\n> leverage it here daily.", "> We\n> use it here daily."),
    ):
        analysis = check(source, BAD, settings=Settings(quotes=True))
        sentence = next(s for s in analysis.report.sentences if s.text.startswith("We"))
        start = sentence.text.index("leverage")
        fix = Fix((Edit(Span(start, start + 8), "use"),), "…", 0.6)
        made = [apply_edits(source, one.edits) for one in source_fixes(analysis, sentence, [fix])]
        assert made == ([fixed] if fixed else [])


def test_words_on_two_lines_are_replaced_where_nothing_else_is_between() -> None:
    for source, fixed in (
        ("We do this prior\nto lunch.", "We do this before lunch."),
        ("> We do this prior\n> to lunch.", None),
        ("We do this prior *to* lunch.", None),
    ):
        analysis = check(source, BAD, settings=Settings(quotes=True))
        (sentence,) = analysis.report.sentences
        fix = Fix((Edit(Span(11, 19), "before"),), "We do this before lunch.", 0.6)
        made = [apply_edits(source, one.edits) for one in source_fixes(analysis, sentence, [fix])]
        assert made == ([fixed] if fixed else [])


def test_who_has_no_near_line_is_shown_none() -> None:
    assert titles(asked(check(SOURCE, BAD), offers=Offers(OTHERS))) == ALL[1:]


def test_a_mark_can_be_taken_back() -> None:
    actions = asked(check(SOURCE, BAD), offers=replace(KNOWN, marked=True))
    assert titles(actions)[:4] == [*ALL[:3], "Take back my mark"]
    assert actions[3].command.command == "onbrand.takeBack"
    assert not any(action.is_preferred for action in actions)


def test_plain_text_gets_no_comment_that_its_readers_would_see() -> None:
    actions = asked(check(SOURCE, BAD, format="text"))
    assert titles(actions) == [title for title in ALL if "comment" not in title]


def test_commands_name_the_document_the_sentence_and_the_brand() -> None:
    actions = asked(check(SOURCE, BAD))
    commands = {a.command.command: a.command.arguments[0] for a in actions if a.command}
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 28}}
    uri, text = "file:///project/draft.md", "We leverage synergies daily."
    label = {"uri": uri, "version": 3, "text": text, "brand": "acme", "label": "off"}
    assert commands["onbrand.label"] == label
    assert commands["onbrand.ignoreInProject"] == {"uri": uri, "text": text, "range": place}
    assert commands["onbrand.showExamples"] == {"uri": uri, "range": place, "brand": "acme"}
    assert commands["onbrand.checkAs"] == {"uri": uri, "brand": "c_corp"}


def test_other_sentences_have_actions_only_for_who_asks() -> None:
    analysis, there = check(SOURCE, BAD), Span(32, 32)
    assert asked(analysis, there, trigger_kind=Trigger.Automatic) == []
    some = [title for title in ALL if not title.startswith("Ignore")]
    assert titles(asked(analysis, there, trigger_kind=Trigger.Invoked)) == some
    assert titles(asked(analysis, there)) == some
    assert not any(action.is_preferred for action in asked(analysis, there))


def test_of_several_the_first_flagged_one_is_meant() -> None:
    analysis = check("It is fine here. We leverage it here. We really do it.\n", BAD)
    for span in (Span(0, 50), Span(17, 17), Span(16, 18)):
        first = asked(analysis, span)[1]
        assert first.command.arguments[0]["text"] == "We leverage it here."


@pytest.mark.parametrize(
    ("only", "some"),
    [
        (None, True),
        ([types.CodeActionKind.QuickFix], True),
        ([types.CodeActionKind.Source, "quickfix"], True),
        ([""], True),
        ([types.CodeActionKind.Refactor], False),
        (["quickfix.other"], False),
        ([], True),
    ],
)
def test_kinds_that_were_not_asked_for_are_left_out(only, some: bool) -> None:
    assert bool(asked(check(SOURCE, BAD), only=only)) is some


def test_where_nothing_was_judged_there_is_nothing_to_do() -> None:
    assert asked(unjudged(check(SOURCE, BAD), None)) == []
    assert asked(check(SOURCE, BAD), Span(29, 29)) == []


def test_actions_belong_to_the_diagnostics_of_their_sentence() -> None:
    analysis = check(f"{SOURCE}\nWe leverage more of it.\n", BAD)
    first, second = diagnostics(analysis, "utf-16", ABLE)
    foreign = replace_source(first, "vale")
    actions = asked(analysis, found=[foreign, second, first])
    assert all(action.diagnostics == [first] for action in actions)
    # A client that keeps no data is known by the range.
    for one in (first, second):
        one.data = None
    assert all(a.diagnostics == [first] for a in asked(analysis, found=[second, first]))
    # With underline = "words" the range is that of a word in the sentence.
    start = first.range.start
    first.range = types.Range(start, types.Position(start.line, start.character + 2))
    assert all(a.diagnostics == [first] for a in asked(analysis, found=[second, first]))


def replace_source(one: types.Diagnostic, source: str) -> types.Diagnostic:
    return types.Diagnostic(one.range, one.message, code=one.code, source=source, data=one.data)


def test_a_client_without_literals_gets_commands() -> None:
    actions = asked(check(SOURCE, BAD), client=replace(ABLE, code_action_literals=False))
    assert titles(actions) == [title for title in ALL if "comment" not in title]
    assert {type(action) for action in actions} == {types.Command}


def test_the_edit_names_the_version_where_the_client_can_tell() -> None:
    above = types.Range(types.Position(0, 0), types.Position(0, 0))
    edit = types.TextEdit(above, "<!-- onbrand-disable-next-line -->\n")
    document = types.OptionalVersionedTextDocumentIdentifier("file:///project/draft.md", 3)
    versioned = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, [edit])])
    assert asked(check(SOURCE, BAD))[3].edit == versioned
    plain = asked(check(SOURCE, BAD), client=replace(ABLE, document_changes=False))[3].edit
    assert plain == types.WorkspaceEdit(changes={"file:///project/draft.md": [edit]})


def test_the_project_s_file_is_named_and_needs_a_place() -> None:
    shared = Settings(source=Path("/project/pyproject.toml"))
    assert "Ignore this sentence in the project (pyproject.toml)" in titles(
        asked(check(SOURCE, BAD, settings=shared))
    )
    nowhere = asked(check(SOURCE, BAD, uri="untitled:Untitled-1"))
    assert not any("project" in title for title in titles(nowhere))


NEXT = "<!-- onbrand-disable-next-line -->"
LINE = "<!-- onbrand-disable-line -->"
OFF, ON = "<!-- onbrand-disable -->", "<!-- onbrand-enable -->"
# Each with the sentence that begins with "Bad" ignored; the second where its line is as well.
EDITS = {
    "paragraph": ("A line.\n\nBad one here.\n", f"A line.\n\n{NEXT}\nBad one here.\n"),
    "first": ("Bad one here.", f"{NEXT}\nBad one here."),
    "windows": ("A line.\r\n\r\nBad one here.", f"A line.\r\n\r\n{NEXT}\r\nBad one here."),
    "byte order mark": ("\ufeffBad one here.\n", f"\ufeff{NEXT}\nBad one here.\n"),
    "front matter": ("---\na: b\n---\nBad one.\n", f"---\na: b\n---\n{NEXT}\nBad one.\n"),
    "heading": ("Text.\n## Bad heading\n", f"Text.\n{NEXT}\n## Bad heading\n"),
    "underlined": ("Bad heading\n===\nText.\n", f"{NEXT}\nBad heading\n===\nText.\n"),
    "underlined, second line": (
        "The long\nlong. Bad heading\n===\n",
        f"The long\nlong. {OFF}Bad heading{ON}\n===\n",
        f"The long\nlong. Bad heading {LINE}\n===\n",
    ),
    "shared line": (
        "Good one here. Bad one here. Good again here.\n",
        f"Good one here. {OFF}Bad one here.{ON} Good again here.\n",
        f"{NEXT}\nGood one here. Bad one here. Good again here.\n",
    ),
    "shared line, first": (
        "Bad one here. **Good** one here.\n",
        f"{OFF}\nBad one here.{ON} **Good** one here.\n",
        f"{NEXT}\nBad one here. **Good** one here.\n",
    ),
    "wrapped paragraph": (
        "Good one\nhere. Bad one\nhere. Good one\nhere.\n",
        f"Good one\nhere. {OFF}Bad one\nhere.{ON} Good one\nhere.\n",
        f"Good one\nhere. Bad one\nhere. Good one {LINE}\nhere.\n",
    ),
    "last of a paragraph": ("Good one here.\nBad one.\n", f"Good one here.\nBad one. {LINE}\n"),
    "hard break": ("Bad one here.  \nGood one.\n", f"{NEXT}\nBad one here.  \nGood one.\n"),
    "hard break before": (
        "Good one.  \nBad one.  \nX y z.",
        f"Good one.  \nBad one. {LINE}  \nX y z.",
    ),
    "item": ("- Good one\n- Bad one\n", f"- Good one\n  {NEXT}\n- Bad one\n"),
    "first item": ("Text.\n\n- Bad one\n- Good\n", f"Text.\n\n{NEXT}\n- Bad one\n- Good\n"),
    "loose item": ("1. Good\n\n2. Bad one\n", f"1. Good\n\n   {NEXT}\n2. Bad one\n"),
    "nested item": ("- Good\n  - Bad one\n", f"- Good\n  {NEXT}\n  - Bad one\n"),
    "task": ("- [x] Good\n- [ ] Bad one\n", f"- [x] Good\n  {NEXT}\n- [ ] Bad one\n"),
    "item's second paragraph": ("- Good\n\n  Bad one\n", f"- Good\n\n  {NEXT}\n  Bad one\n"),
    "alert": ("> [!TIP]\n> Bad one.\n", f"> [!TIP]\n> {NEXT}\n> Bad one.\n"),
    "table": (
        "| Good | Also good |\n|---|---|\n| Bad one here | Good one here |\n",
        f"| Good | Also good |\n|---|---|\n| {OFF}Bad one here{ON} | Good one here |\n",
        f"| Good | Also good |\n|---|---|\n| Bad one here {LINE} | Good one here |\n",
    ),
    "emphasis": (
        "*Bad one here.* Good one here.\n",
        f"*{OFF}Bad one here.{ON}* Good one here.\n",
        f"{NEXT}\n*Bad one here.* Good one here.\n",
    ),
    "div": ("<div>\nBad one here.\n</div>\n", f"<div>\n{NEXT}\nBad one here.\n</div>\n"),
    "wrapped, in plain text": ("Good one\nhere. Bad one\nhere too.\n",),
    "in plain text": ("Good one.\nBad one here.\n", f"Good one.\n{NEXT}\nBad one here.\n"),
    "shared, in plain text": ("Good. Bad one.\n", None, f"{NEXT}\nGood. Bad one.\n"),
    "title of html": ("<title>\nBad one\n</title>\n",),
    "paragraph of html": (
        "<p>Bad one here. Good one here.</p>\n",
        f"<p>{OFF}Bad one here.{ON} Good one here.</p>\n",
        f"{NEXT}\n<p>Bad one here. Good one here.</p>\n",
    ),
    "paragraph of mdx": ("Text.\n\nBad one.\n", f"Text.\n\n{{/* {NEXT[5:-4]} */}}\nBad one.\n"),
    "item of mdx": ("- Good\n\n- Bad one\n", f"- Good\n\n  {{/* {NEXT[5:-4]} */}}\n- Bad one\n"),
    "wrapped, in mdx": (
        "Good one here.\nBad one.\n",
        f"Good one here.\nBad one. {{/* {LINE[5:-4]} */}}\n",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_comment_stands_where_it_changes_nothing_else(name: str) -> None:
    source, *expected = EDITS[name]
    assert source is not None
    kinds = {"text": "text", "html": "html", "mdx": "mdx"}
    format_ = kinds.get(name.rpartition(" ")[2], "markdown")
    document = parse(source, format_)  # type: ignore[arg-type]
    index = next(n for n, s in enumerate(document.sentences) if s.text.startswith("Bad"))
    edits = ignore_edits(document, index)
    assert [apply(source, edit.insertions) for edit in edits] == [e for e in expected if e]
    exact = [True] if expected and expected[0] else []
    assert [edit.exact for edit in edits] == exact + [False] * (len(edits) - len(exact))


def test_the_title_says_when_others_are_silenced_too() -> None:
    shared = asked(check("We leverage it here. It ships on Tuesday.\n", BAD))
    assert titles(shared)[3:5] == ["Ignore this sentence (comment)", "Ignore this line (comment)"]


def test_quotes_count_where_they_are_judged() -> None:
    source = "> Good one.\n>\n> - Bad one\n"
    document = parse(source, quotes=True)
    (edit,) = ignore_edits(document, 1, quotes=True)
    assert apply(source, edit.insertions) == f"> Good one.\n>\n> {NEXT}\n> - Bad one\n"


def test_of_two_equal_sentences_the_comment_is_put_at_the_one_meant() -> None:
    analysis = check("We leverage it.\n\nWe leverage it.\n", BAD)
    edit = asked(analysis, Span(17, 17))[3].edit.document_changes[0].edits[0]
    assert edit.range.start.line == 2
