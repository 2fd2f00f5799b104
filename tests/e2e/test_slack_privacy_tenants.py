"""One workspace tries everything with another's ids: it learns nothing and changes nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_data import ACME, DRAFT, OTHER, REPORT, Data

from onbrand.errors import OnbrandError
from onbrand.labels.model import Label
from onbrand_slack.answer import BrandSettings, Review, WorkspaceSettings
from onbrand_slack.model import Pasted, Source, Tenant
from onbrand_slack.store.checks import Checks, OpenCheck
from onbrand_slack.store.digest import Digests, week_of
from onbrand_slack.store.privacy import Privacy
from onbrand_slack.store.reviews import Reviews
from onbrand_slack.store.sealing import HeldDraft
from onbrand_slack.store.settings import SettingsStore

HELD = HeldDraft(Pasted(DRAFT), Source.COMMAND)


@dataclass
class Theirs:
    """What a workspace stored, and whose ids the other one knows."""

    data: Data
    check: OpenCheck
    review: Review
    waiting: Review
    """One that is not posted."""
    held: str
    """The ticket of a draft that waits for its brand."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.heavy("postgres"))])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Data]:
    location = str(tmp_path / "slack.db")
    if request.param == "postgres":
        location = request.getfixturevalue("postgres_url")
    with Data.open(location) as data:
        yield data


@pytest.fixture
def theirs(data: Data) -> Theirs:
    check = data.check(retention_days=9)
    review, _ = data.reviews.open_for(ACME, check, "U1")
    data.reviews.posted(ACME, review.id, "C5", "18.02")
    data.reviews.decide(ACME, review.id, "U2", "reject", "Too stiff.", "k1")
    waiting, _ = data.reviews.open_for(ACME, data.check(previous=check.ticket), "U1")
    data.reviews.decide(ACME, waiting.id, "U2", "reopen", "", "k2")
    data.settings.set_workspace(ACME, WorkspaceSettings(9, ("U1",)), "U1")
    brand = BrandSettings("acme", gate=0.7, labellers=("U1",), digest_channel="C2", digest_hour=0)
    data.settings.set_brand(ACME, brand, "U1")
    data.settings.set_channel_brand(ACME, "C1", "acme", "U1")
    data.settings.set_user_brand(ACME, "U1", "acme")
    label = Label("Oats.", "acme", "on", author="U1", source="slack", document=check.id)
    data.labels.workspace(ACME.workspace).add([label])
    return Theirs(data, check, review, waiting, data.checks.hold(ACME, "U1", HELD))


def add(theirs: Theirs, tenant: Tenant) -> object:
    ticket = theirs.data.checks.add(
        tenant,
        user="U1",
        brand="acme",
        source=Source.MODAL,
        report=REPORT,
        draft=Pasted(DRAFT),
        previous=theirs.check.ticket,
    )
    return ticket and None


def settled(store: SettingsStore, tenant: Tenant) -> None:
    store.set_workspace(tenant, WorkspaceSettings(0), "U1")
    store.set_brand(tenant, BrandSettings("acme", digest_channel="C3"), "U1")


TRIES: dict[str, Callable[[Theirs, Tenant], Any]] = {
    "Checks.add": add,
    "Checks.open": lambda it, who: it.data.checks.open(who, it.check.ticket),
    "Checks.open_kept": lambda it, who: it.data.checks.open_kept(who, it.check.id),
    "Checks.hold": lambda it, who: it.data.checks.hold(who, "U1", HELD) and None,
    "Checks.held": lambda it, who: it.data.checks.held(who, it.held),
    "Checks.recent": lambda it, who: it.data.checks.recent(who, "U1"),
    "Checks.change": lambda it, who: it.data.checks.change(who, it.check.ticket, REPORT),
    "Reviews.open_for": lambda it, who: it.data.reviews.open_for(who, it.check, "U1"),
    "Reviews.take": lambda it, who: it.data.reviews.take(who, it.waiting.id, "k1"),
    "Reviews.posted": lambda it, who: it.data.reviews.posted(who, it.review.id, "C9", "9.9"),
    "Reviews.get": lambda it, who: it.data.reviews.get(who, it.review.id),
    "Reviews.by_check": lambda it, who: it.data.reviews.by_check(who, it.check.id),
    "Reviews.decide": lambda it, who: it.data.reviews.decide(
        *(who, it.review.id, "U2", "reopen", "Ha.", "k1")
    ),
    "Reviews.waiting": lambda it, who: it.data.reviews.waiting(who),
    "Reviews.of_author": lambda it, who: it.data.reviews.of_author(who, "U1"),
    "SettingsStore.workspace": lambda it, who: it.data.settings.workspace(who).admins,
    "SettingsStore.brand": lambda it, who: it.data.settings.brand(who, "acme").gate,
    "SettingsStore.set_workspace": lambda it, who: settled(it.data.settings, who),
    "SettingsStore.set_brand": lambda it, who: settled(it.data.settings, who),
    "SettingsStore.channel_brand": lambda it, who: it.data.settings.channel_brand(who, "C1"),
    "SettingsStore.set_channel_brand": lambda it, who: it.data.settings.set_channel_brand(
        *(who, "C1", None, "U1")
    ),
    "SettingsStore.user_brand": lambda it, who: it.data.settings.user_brand(who, "U1"),
    "SettingsStore.set_user_brand": lambda it, who: it.data.settings.set_user_brand(
        *(who, "U1", "beta")
    ),
    "Privacy.forget_user": lambda it, who: sum(it.data.privacy.forget_user(who, "U1").values()),
    "Privacy.forget_workspace": lambda it, who: it.data.privacy.forget_workspace(who),
    "Privacy.uninstall": lambda it, who: it.data.privacy.uninstall(who),
    "Privacy.note": lambda it, who: it.data.privacy.note(who, "U1", "export"),
    "Privacy.audit": lambda it, who: list(it.data.privacy.audit(who)),
    "Digests.figures": lambda it, who: (
        it.data.digests.figures(who, "acme", week_of(datetime.now(UTC))).checks
    ),
}
"""Each gives something to the workspace itself, or changes something of it."""
FOR_ALL = {"Privacy.purge", "SettingsStore.due_digests"}
"""Not done for a workspace."""


def test_every_method_is_tried() -> None:
    public = {
        f"{kind.__name__}.{name}"
        for kind in (Checks, Reviews, SettingsStore, Privacy, Digests)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }
    assert public == set(TRIES) | FOR_ALL


@pytest.mark.parametrize("method", TRIES)
def test_of_another_workspace_one_learns_nothing(theirs: Theirs, method: str) -> None:
    before = theirs.data.everything(ACME)
    try:
        learnt = TRIES[method](theirs, OTHER)
    except OnbrandError as error:
        learnt = None
        assert "no longer there" in str(error)
    assert not learnt
    assert theirs.data.everything(ACME) == before
    # The same does something where it is allowed, or the test would show nothing.
    assert TRIES[method](theirs, ACME) or theirs.data.everything(ACME) != before


def test_digests_are_due_for_those_who_asked(theirs: Theirs) -> None:
    due = theirs.data.settings.due_digests(datetime.now(UTC))
    assert [(tenant, settings.brand) for tenant, settings in due] == [(ACME, "acme")]
