"""What is kept of a check, who gets at it, and what a re-check changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slack_data import ACME, BAD, DRAFT, GOOD, OTHER, REPORT, Data, report, sentence

from onbrand_slack.answer import Change
from onbrand_slack.model import MessageAt, Pasted, Source
from onbrand_slack.store import schema
from onbrand_slack.store.checks import WORKING_TIME, compare
from onbrand_slack.store.sealing import HeldDraft, Ticket


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    with Data.open(str(tmp_path / "slack.db")) as data:
        yield data


def test_a_check_comes_back_with_its_ticket(data: Data) -> None:
    check = data.check()
    assert (check.user, check.brand, check.source) == ("U1", "acme", Source.COMMAND)
    assert (check.report, check.draft, check.title) == (REPORT, Pasted(DRAFT), "plan.txt")
    assert (check.at, check.channel) == (MessageAt("C1", "17.01", "16.01"), "C1")
    assert data.checks.open(ACME, check.ticket) == check
    assert not any(word in repr(check) for word in (check.ticket, "synergises", "plan.txt"))


def test_a_draft_that_is_no_message_remembers_where_it_was_asked(data: Data) -> None:
    check = data.check(at=None, channel="C9")
    assert (check.at, check.channel) == (None, "C9")
    nowhere = data.check(at=None)
    assert (nowhere.at, nowhere.channel) == (None, None)


def test_only_the_ticket_opens_it(data: Data) -> None:
    check = data.check()
    other = Ticket(check.id, Ticket.new().key)
    for ticket in (str(other), check.id, "", "nonsense", str(Ticket.new())):
        assert data.checks.open(ACME, ticket) is None
    assert data.checks.open(OTHER, check.ticket) is None
    assert data.checks.open_kept(ACME, check.id) is None


def test_after_a_day_nobody_opens_it_and_its_scores_stay(data: Data) -> None:
    check = data.check()
    data.pass_time(timedelta(hours=23, minutes=59))
    assert data.checks.open(ACME, check.ticket) is not None
    data.pass_time(timedelta(minutes=1))
    assert data.checks.open(ACME, check.ticket) is None
    assert data.checks.change(ACME, check.ticket, REPORT) is None
    assert [past.probability for past in data.checks.recent(ACME, "U1")] == [0.4]


def test_a_workspace_that_keeps_drafts_opens_them_by_id(data: Data) -> None:
    check = data.check(retention_days=3)
    assert data.checks.open_kept(ACME, check.id) == check
    assert data.checks.open_kept(OTHER, check.id) is None
    assert [past.ticket for past in data.checks.recent(ACME, "U1")] == [check.ticket]
    data.pass_time(timedelta(days=3))
    assert data.checks.open_kept(ACME, check.id) is None
    assert [past.ticket for past in data.checks.recent(ACME, "U1")] == [None]


def test_sentences_are_kept_as_figures(data: Data) -> None:
    judged = [
        sentence("Bad; very.", BAD, "semicolon"),
        sentence("Good.", GOOD),
        sentence("A", None),
    ]
    check = data.check(report=report(judged))
    rows = data.rows(schema.sentences)
    assert [(row["index"], row["probability"], row["flagged"], row["habits"]) for row in rows] == [
        (0, BAD, True, ["semicolon"]),
        (1, GOOD, False, []),
        (2, None, False, []),
    ]
    assert {row["check_id"] for row in rows} == {check.id}
    (past,) = data.checks.recent(ACME, "U1")
    assert (past.judged, past.flagged, past.gate, past.verdict) == (2, 1, 0.5, "review")


def test_a_draft_without_sentences(data: Data) -> None:
    check = data.check(report=report({}, None), draft=Pasted(""))
    assert check.report.sentences == ()
    assert data.checks.recent(ACME, "U1")[0].verdict == "not judged"


def test_no_text_is_in_the_file(data: Data, tmp_path: Path) -> None:
    data.check(retention_days=3)
    data.database.truncate_log()
    stored = (tmp_path / "slack.db").read_bytes()
    assert b"acme" in stored
    for word in (b"paradigm", b"synerg", b"Oats", b"plan.txt", b"draft.txt"):
        assert word not in stored


def test_recent_checks_are_the_users_own_newest_first(data: Data) -> None:
    ids = [data.check().id for _ in range(4)]
    data.check(user="U2")
    data.check(OTHER)
    assert [past.id for past in data.checks.recent(ACME, "U1", limit=3)] == ids[:0:-1]
    (past,) = data.checks.recent(ACME, "U2")
    assert (past.user, past.channel, past.ts, past.ticket) == ("U2", "C1", "17.01", None)


def test_the_version_before_is_kept_by_its_id(data: Data) -> None:
    first = data.check()
    second = data.check(previous=first.ticket)
    data.check(previous="nonsense")
    previous = {row["id"]: row["previous"] for row in data.rows(schema.checks)}
    assert previous[second.id] == first.id
    assert list(previous.values()).count(None) == 2


def test_what_a_re_check_changed(data: Data) -> None:
    before = report({"Still  bad.": BAD, "Mended.": BAD, "Gone.": BAD, "Fine.": GOOD}, 0.2)
    check = data.check(report=before)
    now = report({"New and bad.": BAD, "Still bad.": BAD, "Mended.": GOOD, "Fine.": GOOD}, 0.7)
    assert data.checks.change(ACME, check.ticket, now) == Change(0.2, "review", 2, 1, 1)
    assert data.checks.change(OTHER, check.ticket, now) is None


def test_another_brands_check_is_no_version_before(data: Data) -> None:
    check = data.check(brand="beta")
    assert data.checks.change(ACME, check.ticket, REPORT) is None


def test_what_its_author_was_told_comes_back(data: Data) -> None:
    change = Change(0.2, "review", 2, 1, 0)
    check = data.check(brand_reason="your own brand", change=change)
    assert (check.brand_reason, check.change) == ("your own brand", change)
    assert (data.check().brand_reason, data.check().change) == ("", None)


# --- made again ---------------------------------------------------------------------------------


def test_a_check_that_is_made_again_takes_the_place_of_the_first(data: Data) -> None:
    first = data.check(key="job/0", retention_days=9, report=report({"A.": BAD, "B.": BAD}))
    review, _ = data.reviews.open_for(ACME, first, "U1")
    second = data.check(key="job/0", report=report({"A.": GOOD}, 0.9), draft=Pasted("A."))
    assert second.id == first.id == review.check
    assert data.checks.open(ACME, first.ticket) is None
    assert data.checks.open_kept(ACME, first.id) is None
    assert data.checks.open(ACME, second.ticket) == second
    assert [row["probability"] for row in data.rows(schema.sentences)] == [GOOD]
    (past,) = data.checks.recent(ACME, "U1")
    assert (past.probability, past.judged) == (0.9, 1)
    assert len(data.rows(schema.sealed)) == 1
    actions = [entry["action"] for entry in data.privacy.audit(ACME)]
    assert sorted(actions) == ["check", "review"]


def test_other_drafts_and_other_workspaces_have_checks_of_their_own(data: Data) -> None:
    checks = [data.check(tenant, key=key) for tenant in (ACME, OTHER) for key in ("a/0", "a/1")]
    assert len({check.ticket for check in checks}) == 4
    assert len(data.rows(schema.checks)) == 4
    for tenant, check in zip((ACME, ACME, OTHER, OTHER), checks, strict=True):
        assert data.checks.open(tenant, check.ticket) == check
    assert data.checks.open(OTHER, checks[0].ticket) is None


# --- drafts that wait for their brand -----------------------------------------------------------

HELD = HeldDraft(Pasted(DRAFT), Source.MENTION, "plan.txt", MessageAt("C1", "17.01"))


def test_a_draft_that_waits_is_no_check(data: Data) -> None:
    ticket = data.checks.hold(ACME, "U1", HELD)
    assert data.checks.held(ACME, ticket) == HELD
    assert data.checks.open(ACME, ticket) is None
    assert data.checks.recent(ACME, "U1") == list(data.privacy.audit(ACME)) == []
    for table in (schema.checks, schema.sentences):
        assert data.rows(table) == []


def test_only_the_ticket_opens_a_draft_that_waits_for_a_day(data: Data) -> None:
    ticket = data.checks.hold(ACME, "U1", HELD)
    other = Ticket(ticket.partition(".")[0], Ticket.new().key)
    for wrong in (str(other), "nonsense", data.check().ticket):
        assert data.checks.held(ACME, wrong) is None
    assert data.checks.held(OTHER, ticket) is None
    data.pass_time(WORKING_TIME)
    assert data.checks.held(ACME, ticket) is None
    assert data.privacy.purge(datetime.now(UTC))["sealed"] == 2


def test_a_draft_that_waits_is_its_authors_to_delete(data: Data) -> None:
    mine, others = (data.checks.hold(ACME, user, HELD) for user in ("U1", "U2"))
    data.privacy.forget_user(ACME, "U1")
    assert data.checks.held(ACME, mine) is None
    assert data.checks.held(ACME, others) == HELD


def test_a_job_that_is_run_again_may_have_found_its_brand(data: Data) -> None:
    first, second = (data.checks.hold(ACME, "U1", HELD, "job/0") for _ in range(2))
    assert data.checks.held(ACME, first) is None
    assert data.checks.held(ACME, second) == HELD
    check = data.check(key="job/0")
    assert data.checks.held(ACME, second) is None
    assert data.checks.open(ACME, check.ticket) == check


# --- what changed -------------------------------------------------------------------------------


def test_comparing_counts_sentences_that_stand_twice() -> None:
    once, twice = report([sentence("A.", BAD)]), report([sentence("A.", BAD)] * 2)
    assert compare(once, twice) == Change(0.4, "review", 0, 1, 1)
    assert compare(twice, once) == Change(0.4, "review", 1, 1, 0)
    worse = compare(report({"A.": GOOD}, None), once)
    assert worse == Change(None, "not judged", 0, 0, 1)
