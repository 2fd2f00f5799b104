"""Slack takes every Home, modal, list and digest, whatever names and how many they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from block_kit import problems
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_golden import nodes

from onbrand_slack.answer import (
    BrandSettings,
    DigestFigures,
    HomePage,
    PastCheck,
    Review,
    WorkspaceSettings,
)
from onbrand_slack.model import Source
from onbrand_slack.names import Action
from onbrand_slack.render import check_form, digest, home, words
from onbrand_slack.render import settings as render
from onbrand_slack.render.text import length

HOSTILE = ["<!channel>", "<@U1>", "*b*", "`c`", "&amp;", "|", ">", "\\", "@here"]
ODD = ["\ud800", "\u202e", "\0", "\r\n", "\u2028", "👩‍👩‍👧", "e\u0301", "𝔄", "word ", " "]
PIECE = st.sampled_from(HOSTILE + ODD) | st.characters(exclude_categories=())
TEXT = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(PIECE, max_size=8),
    st.sampled_from([1, 1, 2, 400]),
)
BRAND = st.from_regex(r"\A\w(?:[\w.-]{0,62}\w)?\Z")
ID = st.sampled_from(["U1", "C1", "D1", "G1", "deleted", "", "<!here>", "U1>"])
IDS = st.lists(ID, max_size=30).map(tuple)
TS = st.sampled_from([None, "1795512345.000100", "1|x", ""])
TIME = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
PROBABILITY = st.none() | st.floats(0, 1)
COUNT = st.integers(0, 10**7)
BRANDS = st.builds(
    BrandSettings,
    BRAND,
    st.none() | ID,
    st.none() | st.floats(0.01, 0.99),
    IDS,
    IDS,
    st.booleans(),
    st.none() | ID,
    st.integers(0, 6),
    st.integers(0, 23),
)
CHECKS = st.builds(
    PastCheck,
    id=st.just("c1"),
    brand=BRAND,
    user=ID,
    source=st.sampled_from(Source),
    probability=PROBABILITY,
    verdict=st.sampled_from(["forward", "review", "not judged"]),
    gate=st.floats(0.01, 0.99),
    flagged=COUNT,
    judged=COUNT,
    time=TIME,
    channel=st.none() | ID,
    ts=TS,
    ticket=st.none() | st.just("c0." + "k" * 43),
)
REVIEWS = st.builds(
    Review,
    id=st.just("r1"),
    brand=BRAND,
    author=ID,
    status=st.sampled_from(["open", "approved", "rejected", "changes"]),
    probability=PROBABILITY,
    opened=TIME,
    check=st.just("c1"),
    channel=st.none() | ID,
    ts=TS,
)


def many(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    times = st.sampled_from([1, 1, 1, 30])
    return st.builds(lambda some, n: some * n, st.lists(one, max_size=4), times)


@settings(max_examples=30, deadline=None)
@given(
    st.builds(
        HomePage,
        user=st.just("U1"),
        brands=many(BRANDS),
        default_brand=st.none() | BRAND,
        recent=many(CHECKS),
        reviews=many(REVIEWS),
        own_reviews=many(REVIEWS),
        is_admin=st.booleans(),
        settings=st.builds(WorkspaceSettings, st.integers(0, 3650), IDS),
        problem=st.none() | TEXT,
    )
)
def test_slack_takes_every_home(page: HomePage) -> None:
    made = home.page(page)
    assert problems(made) == []
    assert any(node.get("action_id") == Action.HOME_FORGET_ME for node in nodes(made))


@settings(max_examples=30, deadline=None)
@given(many(BRANDS), st.none() | BRAND, st.none() | ID, st.booleans())
def test_slack_takes_lists_and_summaries(
    brands: list[BrandSettings], brand: str | None, channel: str | None, is_admin: bool
) -> None:
    listed = words.brands(brands, own=brand, channel=channel, channel_brand=brand)
    summary = render.summary(
        WorkspaceSettings(),
        brands,
        channel=channel,
        channel_brand=brand,
        user_brand=brand,
        is_admin=is_admin,
    )
    known = [settings.brand for settings in brands]
    told = [listed, summary, words.guide(brand), words.chosen(brand)]
    told.append(words.unknown_brand(brand or "x", known))
    assert [problems(message) for message in told] == [[]] * len(told)
    assert len(words.prompts(known, brand)) <= 4


@settings(max_examples=30, deadline=None)
@given(BRANDS, IDS, st.floats(0, 1))
def test_slack_takes_every_settings_modal(brand: BrandSettings, ids: Any, gate: float) -> None:
    assert problems(render.brand_modal(brand, gate)) == []
    kept = WorkspaceSettings(len(ids), ids)
    assert problems(render.workspace_modal(kept, "C1", brand.brand)) == []


@settings(max_examples=30, deadline=None)
@given(
    st.builds(
        DigestFigures,
        brand=BRAND,
        week=st.sampled_from(["2026-W47", "2026-W99", "", "x"]),
        checks=COUNT,
        checks_before=COUNT,
        writers=COUNT,
        forward=COUNT,
        forward_before=COUNT,
        mean_probability=PROBABILITY,
        mean_probability_before=PROBABILITY,
        reviews_opened=COUNT,
        reviews_decided=st.dictionaries(
            st.sampled_from(["approve", "reject", "changes", "reopen", "<!here>"]), COUNT
        ),
        reviews_waiting=COUNT,
        labels_on=COUNT,
        labels_off=COUNT,
        disputed=COUNT,
        habits=st.lists(st.tuples(TEXT | st.just("passive"), COUNT), max_size=6),
    )
)
def test_slack_takes_every_digest(week: DigestFigures) -> None:
    assert problems(digest.message(week)) == []


@settings(max_examples=30, deadline=None)
@given(TEXT, st.none() | BRAND)
def test_slack_takes_every_form_and_its_box_is_not_too_small(draft: str, brand: str | None) -> None:
    view = check_form.view(brand, draft, ticket="c0.key", channel="C1")
    assert problems(view) == []
    filled = [n["initial_value"] for n in nodes(view) if "initial_value" in n]
    assert all(0 < length(text) <= 3000 for text in filled)


STATE = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*Action, "value", "selected_option", "id"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(STATE)
def test_any_state_is_read_without_a_crash(values: object) -> None:
    view = {"state": {"values": values}}
    form = check_form.read(view)
    assert form.errors or (form.brand and (form.text or form.files))
    brand = render.read_brand(view)
    assert render.brand_of("acme", brand.values).digest_day in range(7)
    assert render.read_workspace(view).errors or render.read_workspace(view).values
