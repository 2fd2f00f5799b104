from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from block_kit import problems
from slack_answers import TICKET
from slack_golden import Json, check_golden, find, offered, said

from onbrand_slack.answer import (
    BrandSettings,
    Decided,
    HomePage,
    PastCheck,
    Review,
    WorkspaceSettings,
)
from onbrand_slack.model import Source
from onbrand_slack.names import Action
from onbrand_slack.render import home

NOW = datetime(2026, 11, 24, 9, 41, tzinfo=UTC)
ACME = BrandSettings("acme", "C7", gate=0.75, digest_channel="C8", digest_day=4)
CHECK = PastCheck(
    id="c1",
    brand="acme",
    user="U1",
    source=Source.COMMAND,
    probability=0.93,
    verdict="forward",
    gate=0.7,
    flagged=0,
    judged=14,
    time=NOW - timedelta(minutes=50),
    ticket=TICKET,
)
POSTED = replace(
    CHECK,
    source=Source.SHORTCUT,
    probability=0.698,
    verdict="review",
    flagged=1,
    judged=1,
    channel="C2",
    ts="1795512345.000200",
    ticket=None,
)
UNJUDGED = replace(
    CHECK, source=Source.WORKFLOW, probability=None, verdict="not judged", judged=0, ticket=None
)
WAITING = Review("r1", "acme", "U2", "open", 0.41, NOW, "c1", channel="C7", ts="1795512345.000100")
MINE = replace(
    WAITING,
    id="r2",
    author="U1",
    status="changes",
    history=(Decided("U2", "changes", NOW, "Shorter, please."),),
)
FULL = HomePage(
    user="U1",
    brands=[ACME, BrandSettings("oatfolk")],
    default_brand="acme",
    recent=[CHECK, POSTED, UNJUDGED],
    reviews=[WAITING],
    own_reviews=[MINE],
    is_admin=True,
    settings=WorkspaceSettings(retention_days=30),
    voice_gates={"acme": 0.62, "oatfolk": 0.62},
)
NEW = replace(
    FULL,
    default_brand=None,
    recent=[],
    reviews=[],
    own_reviews=[],
    is_admin=False,
    settings=WorkspaceSettings(),
)
EMPTY = replace(NEW, brands=[])
BROKEN = replace(EMPTY, problem="voices/acme: checksum does not match; train it again")
PAGES = {"full": FULL, "new": NEW, "empty": EMPTY, "broken": BROKEN}


@pytest.mark.parametrize("name", PAGES)
def test_golden(name: str) -> None:
    check_golden(f"home-{name}", home.page(PAGES[name]))


def test_everything_stands_in_its_order() -> None:
    headers = [b["text"]["text"] for b in home.page(FULL)["blocks"] if b["type"] == "header"]
    assert headers == [
        "📬 1 draft waiting for your decision",
        "Your drafts in review",
        "Your recent checks",
        "Brands",
    ]


def test_only_admins_get_the_doors_to_settings() -> None:
    doors = {Action.HOME_SETTINGS, Action.HOME_BRAND_SETTINGS, Action.HOME_AUDIT}
    assert doors < set(offered(home.page(FULL)))
    assert not doors & set(offered(home.page(replace(FULL, is_admin=False))))


def test_the_own_brand_is_chosen_where_there_is_one() -> None:
    assert find(home.page(FULL), Action.HOME_BRAND)["initial_option"]["value"] == "acme"
    assert "initial_option" not in find(home.page(NEW), Action.HOME_BRAND)


def test_a_check_opens_by_its_ticket_or_leads_to_its_message() -> None:
    page = home.page(FULL)
    assert find(page, Action.HOME_OPEN_CHECK)["value"] == TICKET
    assert "<https://slack.com/archives/C2/p1795512345000200|the message>" in said(page)
    assert "P 0.698 · 1 of 1 sentence off-brand" in said(page)


def test_nothing_yet_says_what_to_try_and_who_must_act() -> None:
    assert "Nothing yet. Try this in any channel:\n`/onbrand acme " in said(home.page(NEW))
    assert "onbrand train" in said(home.page(EMPTY))
    assert Action.HOME_CHECK not in offered(home.page(EMPTY))
    broken = said(home.page(BROKEN))
    assert broken.startswith("⚠️ voices/acme: checksum")
    assert "onbrand train" not in broken


def test_deleting_asks_first() -> None:
    assert find(home.page(NEW), Action.HOME_FORGET_ME)["confirm"]["confirm"]["text"] == "Delete"


def test_a_review_without_a_message_has_no_link() -> None:
    unposted = replace(FULL, reviews=[replace(WAITING, channel=None, ts=None)], own_reviews=[])
    assert "Decide" not in said(home.page(unposted))
    assert "|Decide>" in said(home.page(FULL))


def test_who_was_forgotten_is_someone() -> None:
    gone = replace(FULL, reviews=[replace(WAITING, author="deleted")])
    assert "someone · <!date^" in said(home.page(gone))


def test_a_workspace_of_many_brands_fits() -> None:
    crowd: Json = home.page(
        replace(
            FULL,
            brands=[replace(ACME, brand=f"brand-{n}") for n in range(500)],
            recent=[CHECK] * 100,
            reviews=[WAITING] * 100,
            own_reviews=[MINE] * 100,
        )
    )
    assert problems(crowd) == []
    assert "and 460 more" in said(crowd)
    assert "and 85 more" in said(crowd)
