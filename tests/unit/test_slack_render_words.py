from __future__ import annotations

import pytest
from block_kit import problems
from slack_golden import Json, check_golden, offered, said

from onbrand_slack.answer import BrandSettings
from onbrand_slack.drafts.command import parse
from onbrand_slack.names import Action
from onbrand_slack.render import words

ACME, OAT = BrandSettings("acme", "C7", gate=0.75), BrandSettings("oatfolk")
MADE = {
    "guide": words.guide("acme"),
    "guide-without-brands": words.guide(),
    "brands": words.brands([ACME, OAT], own="oatfolk", channel="C1", channel_brand="acme"),
    "no-brands": words.brands([]),
    "chosen": words.chosen("acme"),
    "chosen-none": words.chosen(None),
    "unknown-brand": words.unknown_brand("a<cme", ["acme", "oatfolk"]),
    "in-line": words.in_line(12, 21),
    "queue-full": words.queue_full(3.2),
    "stranger": words.stranger("label"),
    "not-allowed": words.not_allowed("decide", ("U1", "U2")),
    "sent-to-review": words.sent_to_review("C7"),
}


@pytest.mark.parametrize("name", MADE)
def test_golden(name: str) -> None:
    check_golden(f"words-{name}", MADE[name])


def test_the_guide_names_every_way_in() -> None:
    text = said(MADE["guide"])
    for way in ("/onbrand acme ", "Check brand voice", "@onbrand summary", "message to me"):
        assert way in text
    assert offered(MADE["guide"]) == [Action.HOME_CHECK]
    assert "/onbrand use BRAND" in said(MADE["guide-without-brands"])


def test_brands_begin_with_those_that_count_here() -> None:
    many = [BrandSettings(f"a-{n}") for n in range(100)] + [ACME]
    made = words.brands(many, channel="C1", channel_brand="acme")
    assert said(made).startswith("•  *acme* _(<#C1>)_ – gate 0.75")
    assert "and 61 more" in said(made)
    assert made["text"].startswith("101 brands: ")
    assert problems(made) == []


def test_brands_with_wide_letters_fit_and_none_is_lost_unsaid() -> None:
    made = words.brands([BrandSettings("𝔄" * 63 + f"{n:02}", "C7") for n in range(40)])
    assert problems(made) == []
    shown = said(made).count("•  *")
    assert 0 < shown < 40
    assert f"and {40 - shown} more" in said(made)


def test_without_brands_the_next_step_is_told() -> None:
    assert "onbrand train" in MADE["no-brands"]["text"]
    assert words.unknown_brand("acme", []) == MADE["no-brands"]


@pytest.mark.parametrize(
    ("seconds", "span"),
    [
        (0.1, "about 5 seconds"),
        (21, "about 20 seconds"),
        (54, "about 55 seconds"),
        (60, "about 1 minute"),
        (200, "about 3 minutes"),
    ],
)
def test_spans_are_round(seconds: float, span: str) -> None:
    assert f"in {span}." in words.in_line(1, seconds)["text"]


def test_the_place_in_line() -> None:
    assert words.in_line(1, 5)["text"].startswith("1 draft before yours; ")
    assert "yours was not taken" in words.queue_full(2)["text"]


@pytest.mark.parametrize("doing", ["label", "decide", "configure"])
def test_refusals(doing: words.Doing) -> None:
    made: list[Json] = [words.stranger(doing), words.not_allowed(doing)]
    assert [problems(message) for message in made] == [[], []]
    assert "admins of this workspace" in made[1]["text"]


@pytest.mark.parametrize(
    ("brands", "own", "kinds"),
    [
        ([], None, ["check", "help", "brands"]),
        (["acme"], "acme", ["check", "help", "brands"]),
        (["acme", "oatfolk"], "acme", ["check", "help", "brands", "use"]),
    ],
)
def test_prompts_are_understood_as_they_stand(
    brands: list[str], own: str | None, kinds: list[str]
) -> None:
    prompts = words.prompts(brands, own)
    assert [parse(prompt["message"], brands).kind for prompt in prompts] == kinds
    assert all(prompt["title"] for prompt in prompts)
