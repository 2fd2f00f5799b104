"""Whatever Slack sends, a message is read without fail and commands are understood."""

from __future__ import annotations

import html
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from onbrand.document.document import parse as parse_draft
from onbrand.errors import OnbrandError
from onbrand_slack.drafts.command import parse
from onbrand_slack.drafts.message import decode, draft_of, pasted

WORDS = st.text(max_size=20) | st.sampled_from(
    ["<@U1>", "<!here>", "&amp;", "*b*", "`c`", "> q", "# h", "```", ":+1:", "\ud800", "a\nb"]
)
TYPES = [
    *("rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "text", "link"),
    *("emoji", "user", "usergroup", "channel", "broadcast", "date", "color", "section", "header"),
    *("rich_text_preformatted", "markdown", "mrkdwn"),
]
KEYS = [
    *("type", "text", "blocks", "elements", "style", "code", "attachments", "is_share"),
    *("is_msg_unfurl", "message_blocks", "message", "fields", "unicode", "user_id", "url"),
    *("range", "fallback", "pretext"),
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from(TYPES)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=40,
)


@given(JSON, st.none() | st.just("U1"))
def test_any_json_at_all_is_read(message: Any, bot_user: str | None) -> None:
    draft = pasted(draft_of(message, bot_user))
    parse_draft(draft.text, draft.format)


@given(st.lists(WORDS, max_size=8).map(" ".join), st.booleans())
def test_any_text_is_a_command_or_a_draft(text: str, in_thread: bool) -> None:
    try:
        command = parse(decode(text), ["acme", "b"], in_thread=in_thread)
    except OnbrandError:
        assert text.strip().casefold().startswith("use")
        return
    assert command.text in decode(text)
    pasted(command.text)


@given(st.text())
def test_what_was_escaped_once_is_decoded_once(typed: str) -> None:
    typed = typed.replace(":", ";")  # no emoji
    assert decode(html.escape(typed, quote=False)) == typed


@given(st.text(alphabet="ab*_~`>\n #|-:[]()", max_size=60))
def test_a_plain_draft_stays_as_it_is_when_it_is_checked_again(typed: str) -> None:
    once = pasted(typed)
    if once.format == "text" and not any(mark in once.text for mark in "*_~`>"):
        again = pasted(once.text)
        assert again.text == once.text or again.format == "markdown"
