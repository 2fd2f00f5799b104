from __future__ import annotations

import pytest

from onbrand_slack.render.elements import mrkdwn, run, verbatim
from onbrand_slack.render.text import clean, clip, escape, length

FAMILY = "👩‍👩‍👧"
WAVE = "👋🏽"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (" one\n two\t\u2028three ", "one two three"),
        ("a\x00b\x1b[31m\ud800c", "a\ufffdb\ufffd[31m\ufffdc"),
        ("abc\u202edef\u2066g\u2069", "abcdefg"),
        ("שלום\u200f!", "שלום\u200f!"),
        (f"{FAMILY} {WAVE}", f"{FAMILY} {WAVE}"),
        ("Press \ufffc now", "Press … now"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_clean_keeps_lines_where_told() -> None:
    assert clean("a\r\n\r\n b\rc\u2029d", lines=True) == "a\n\n b\nc\nd"


def test_escape() -> None:
    assert escape("<!channel> & <@U1>\n&lt;") == "&lt;!channel&gt; &amp; &lt;@U1&gt; &amp;lt;"


@pytest.mark.parametrize(
    ("text", "limit", "clipped"),
    [
        ("short", 5, "short"),
        ("shorter", 5, "shor…"),
        ("one two three", 10, "one two…"),
        ("one twotwotwotwotwotwo", 20, "one twotwotwotwotwo…"),
        (FAMILY + FAMILY, length(FAMILY) + 4, FAMILY + "…"),
        (WAVE * 2, 6, WAVE + "…"),
        ("🇩🇪🇫🇷", 7, "🇩🇪…"),
        ("é" * 2 + "e\u0301" * 2, 4, "éé…"),
        ("a" + "\u0301" * 100, 9, "a" + "\u0301" * 7 + "…"),
        ("💥💥", 3, "💥…"),
        ("💥💥", 2, "…"),
    ],
)
def test_clip(text: str, limit: int, clipped: str) -> None:
    assert clip(text, limit) == clipped
    assert length(clipped) <= limit


def test_nothing_is_ever_empty() -> None:
    assert run("")["text"] == verbatim("\n \u202e")["text"] == mrkdwn("")["text"] == "–"


def test_verbatim_keeps_lines_and_needs_no_escaping() -> None:
    assert verbatim("<!here>\n& *b*\n") == {"type": "text", "text": "<!here>\n& *b*"}
