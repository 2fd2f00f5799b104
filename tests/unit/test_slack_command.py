"""What a command line means."""

from __future__ import annotations

import pytest

from onbrand.errors import OnbrandError
from onbrand_slack.drafts.command import Command, parse

BRANDS = ("acme", "oatfolk", "tallow-gate")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Command("help")),
        ("  \n", Command("help")),
        ("help", Command("help")),
        ("Help!", Command("help")),
        ("brands", Command("brands")),
        ("settings ", Command("settings")),
        ("help our customers grow", Command("check", text="help our customers grow")),
        ("brands that last", Command("check", text="brands that last")),
        ("acme Our pumps run.", Command("check", "acme", "Our pumps run.")),
        ("acme\nOur pumps run.\nAll day.", Command("check", "acme", "Our pumps run.\nAll day.")),
        ("acme", Command("check", "acme")),
        ("Acme makes pumps.", Command("check", text="Acme makes pumps.")),
        ("Acme: makes pumps.", Command("check", "acme", "makes pumps.")),
        ("TALLOW-GATE:makes pumps.", Command("check", "tallow-gate", "makes pumps.")),
        ("Note: acme makes pumps.", Command("check", text="Note: acme makes pumps.")),
        ("acmeous pumps", Command("check", text="acmeous pumps")),
        ("thread", Command("check", text="thread")),
        ("use acme", Command("use", "acme")),
        ("Use ACME.", Command("use", "acme")),
        ("use our pumps wisely", Command("check", text="use our pumps wisely")),
    ],
)
def test_a_line_is_a_command_or_a_draft(text: str, expected: Command) -> None:
    assert parse(text, BRANDS) == expected


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ('"Our pumps run."', "Our pumps run."),
        ("“Our pumps run.”", "Our pumps run."),
        ("'Our pumps run.'", "Our pumps run."),
        ('"Pumps" and "pipes"', '"Pumps" and "pipes"'),
        ("‘It’s fine’", "‘It’s fine’"),
        ('He said "run"', 'He said "run"'),
        ('"', '"'),
        ('""', '""'),
    ],
)
def test_quotation_marks_around_all_of_it_are_dropped(text: str, draft: str) -> None:
    assert parse(text, BRANDS).text == draft
    assert parse(f"acme {text}", BRANDS) == Command("check", "acme", draft)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Command("check")),
        ("summary", Command("thread")),
        ("Thread?", Command("thread")),
        ("acme summary", Command("thread", "acme")),
        ("Acme: thread", Command("thread", "acme")),
        ("acme", Command("check", "acme")),
        ("summary of our pumps", Command("check", text="summary of our pumps")),
        ("help", Command("help")),
    ],
)
def test_in_a_thread_its_messages_can_be_meant(text: str, expected: Command) -> None:
    assert parse(text, BRANDS, in_thread=True) == expected


def test_the_exact_name_wins_where_two_differ_in_case() -> None:
    assert parse("use Acme", ["acme", "Acme"]).brand == "Acme"
    assert parse("ACME: pumps run", ["acme", "Acme"]).brand == "Acme"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("use", "which brand"),
        ("use oatfok", "did you mean 'oatfolk'"),
        ("use zzz", "known: acme, oatfolk, tallow-gate"),
    ],
)
def test_a_brand_to_use_must_be_known(text: str, says: str) -> None:
    with pytest.raises(OnbrandError, match=says.replace("?", r"\?")):
        parse(text, BRANDS)
