"""From Slack's messages to draft text."""

from __future__ import annotations

from typing import Any

import pytest

from onbrand.document.document import parse
from onbrand_slack.drafts.message import decode, draft_of, pasted
from onbrand_slack.model import Pasted

OBJECT = "\ufffc"


def rich(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"blocks": [{"type": "rich_text", "elements": list(parts)}], "text": "not preferred"}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words} | ({"style": style} if style else {})


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("Pumps &amp; pipes, 3 &lt; 4 &gt; 2", "Pumps & pipes, 3 < 4 > 2"),
        ("&amp;lt;b&amp;gt; &amp;amp;", "&lt;b&gt; &amp;"),
        (
            "See <https://a.example/x?y=1&amp;z=2|our &amp; their site> now",
            "See our & their site now",
        ),
        ("See <https://a.example/x>", "See https://a.example/x"),
        ("Mail <mailto:a@b.example>", "Mail a@b.example"),
        ("<@U123|dana> and <@W9>", f"@dana and {OBJECT}"),
        ("In <#C1|general> or <#C2>", f"In #general or {OBJECT}"),
        ("<!here>, <!subteam^S1|@writers>, <!subteam^S2>", f"@here, @writers, {OBJECT}"),
        ("Since <!date^1392734382^{date_num}|18 February>.", "Since 18 February."),
        ("Hello :wave::skin-tone-3: there :+1:", "Hello there"),
        ("At 10:30:45 and 9:15", "At 10:30:45 and 9:15"),
        ("Hey <@UBOT>, look", "Hey , look"),
    ],
)
def test_what_slack_escaped_reads_as_it_was_typed(sent: str, typed: str) -> None:
    assert decode(sent, "UBOT") == typed


@pytest.mark.parametrize(
    ("typed", "draft"),
    [
        ("*Bold* and _soft_ and ~old~ and *_both_*.", "Bold and soft and old and both."),
        ("a snake_case_name, 2*3*4, 5 * 3 * 2", "a snake_case_name, 2*3*4, 5 * 3 * 2"),
        ("One line.\nAnother line.\r\n\r\n\nA third.", "One line.\n\nAnother line.\n\nA third."),
        ("Run `make all` to begin.", f"Run {OBJECT} to begin."),
        ("Before.\n```\ncode here\n```\nAfter.", "Before.\n\nAfter."),
        ("Ours.\n> theirs\nOurs again.", "Ours.\n\nOurs again."),
        ("Ours.\n>>> theirs\nand theirs", "Ours."),
        (f"{OBJECT} {OBJECT} Our {OBJECT} pumps.", f"Our {OBJECT} pumps."),
        ("- one\n- two", "- one\n\n- two"),
        ("```only code```", ""),
    ],
)
def test_plain_text_becomes_paragraphs(typed: str, draft: str) -> None:
    assert pasted(typed) == Pasted(draft, "text")


@pytest.mark.parametrize(
    "typed",
    [
        "# Our pumps\n\nThey run.",
        "They run [all day](https://a.example).",
        "They run **all** day.",
        "| a | b |\n|---|:--|\n| c | d |",
    ],
)
def test_markdown_is_known_by_what_only_markdown_has(typed: str) -> None:
    assert pasted(typed) == Pasted(typed, "markdown")


@pytest.mark.parametrize("typed", ["#1 in pumps", "2 ** 3 ** 4", "See [1] (below)", "- one"])
def test_what_also_stands_in_plain_text_is_no_markdown(typed: str) -> None:
    assert pasted(typed).format == "text"


def test_every_line_is_judged_by_itself() -> None:
    lines = ["Our pumps run all day long without a", "Nothing stops them", "Buy one today"]
    draft = pasted("\n".join(lines))
    assert [sentence.text for sentence in parse(draft.text, draft.format).sentences] == lines


def test_rich_text_is_preferred_and_reads_as_it_looks() -> None:
    message = rich(
        section(
            text("Hello "),
            {"type": "user", "user_id": "U1"},
            text(" & all, "),
            {"type": "link", "url": "https://a.example", "text": "read this"},
            text("\nsee "),
            {"type": "link", "url": "https://a.example/b"},
            text(" &amp; "),
            text("bold", bold=True),
            text("\nrun "),
            text("make", code=True),
            text(" on "),
            {"type": "date", "timestamp": 1, "format": "{date}", "fallback": "Monday"},
            {"type": "emoji", "name": "thumbsup", "unicode": "1f44d-1f3fd"},
            {"type": "emoji", "name": "our-own"},
            {"type": "broadcast", "range": "here"},
        ),
    )
    assert draft_of(message) == (
        f"Hello {OBJECT} & all, read this\nsee https://a.example/b &amp; bold\n"
        f"run {OBJECT} on Monday👍🏽@here"
    )


def test_lists_keep_their_items_apart_and_code_and_quotes_are_left_out() -> None:
    items = [section(text("First item")), section(text("Second item"))]
    message = rich(
        section(text("Intro:\n")),
        {"type": "rich_text_list", "style": "bullet", "elements": items},
        {"type": "rich_text_list", "style": "ordered", "elements": items},
        {"type": "rich_text_preformatted", "elements": [text("code")]},
        {"type": "rich_text_quote", "elements": [text("theirs")]},
        section(text("Outro.")),
    )
    draft = pasted(draft_of(message))
    kinds = [(s.kind, s.text) for s in parse(draft.text, draft.format).sentences]
    assert kinds == [
        ("paragraph", "Intro:"),
        *[("list item", "First item"), ("list item", "Second item")] * 2,
        ("paragraph", "Outro."),
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"text": "<@UBOT> Our pumps run."},
        {"text": "<@UBOT>: Our pumps run."},
        {"text": "Our pumps run. <@UBOT>"},
        rich(section({"type": "user", "user_id": "UBOT"}, text(" Our pumps run."))),
    ],
)
def test_our_own_name_is_no_part_of_a_draft(message: dict[str, Any]) -> None:
    assert draft_of(message, "UBOT") == "Our pumps run."


def test_messages_of_other_apps() -> None:
    message = {
        "text": "fallback",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Pumps &amp; pipes"}},
            {"type": "divider"},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "*They* run."},
                "fields": [{"type": "mrkdwn", "text": "All day"}],
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "small print"}]},
            {"type": "markdown", "text": "## More\n**pumps** & [pipes](https://a.example)"},
        ],
    }
    assert draft_of(message) == (
        "Pumps & pipes\n*They* run.\nAll day\n## More\n**pumps** & [pipes](https://a.example)"
    )
    message["blocks"] = [{"type": "image", "alt_text": "a pump"}]
    assert draft_of(message) == "fallback"


def test_forwarded_messages_are_read_and_previews_of_links_are_not() -> None:
    forwarded = {
        "is_share": True,
        "text": "not preferred",
        "message_blocks": [
            {"message": {"blocks": rich(section(text("Our pumps run.")))["blocks"]}}
        ],
    }
    preview = {"from_url": "https://a.example", "title": "A page", "text": "What it says."}
    message = {"text": "acme:", "attachments": [forwarded, preview]}
    assert draft_of(message) == "acme:\n\nOur pumps run."
    assert draft_of(
        {"text": "", "attachments": [{"is_share": True, "text": "Pumps &amp; pipes"}]}
    ) == ("Pumps & pipes")
    assert (
        draft_of({"attachments": [{"pretext": "News", "text": "Pumps run."}]}) == "News\nPumps run."
    )


def test_a_summary_is_asked_for_in_words_of_its_own() -> None:
    assert draft_of({"text": "<@UBOT> summary"}, "UBOT") == "summary"
