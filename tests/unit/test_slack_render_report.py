from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pyromark
import pytest
from slack_answers import FINE, FORWARD, REVIEW, answer, explained, sentence

from onbrand_slack.answer import Change
from onbrand_slack.render.report import markdown

GOLDEN = Path(__file__).parent.parent / "golden" / "slack" / "report.md"


def test_golden() -> None:
    change = Change(before=0.2, verdict="review", mended=1, still=2, new=0)
    name, text = markdown(replace(REVIEW, change=change))
    assert name == "onbrand-acme.md"
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("launch.docx", "onbrand-launch.md"),
        ("../../etc/pass wd.md", "onbrand-etc-pass-wd.md"),
        (".docx", "onbrand-docx.md"),
        ("💥", "onbrand-report.md"),
        ("Ünïcode – 日本語.txt", "onbrand-Ünïcode-日本語.md"),
        ("x" * 300, f"onbrand-{'x' * 59}.md"),
    ],
)
def test_name(title: str, name: str) -> None:
    assert markdown(replace(FORWARD, title=title))[0] == name


def test_every_sentence_is_there_and_none_is_mark_up() -> None:
    odd = [
        "# not a title",
        "- no item",
        "1. no item",
        "<b>x</b> &amp;",
        "![a](b)",
        "a_b_ **c** `d`",
    ]
    _, text = markdown(answer(*map(sentence, odd), FINE, explained("*x* y*y", 0.1, "y*y")))
    html = pyromark.html(text)
    assert html.count("<blockquote>") == 8
    assert html.count("<h2>") == 8
    for tag in ("<b>", "<img", "<em>", "<code>", "<ol>", "<a "):
        assert tag not in html
    assert "<p># not a title</p>" in html
    assert "<strong>y*y</strong>" in html
    assert "&lt;b&gt;x&lt;/b&gt; &amp;amp;" in html
