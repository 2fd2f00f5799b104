from __future__ import annotations

import pytest
from slack_work import job, post

from onbrand_slack.work.calls import RESPOND, Call
from onbrand_slack.work.deliver import AGAIN
from onbrand_slack.work.errand import LONGEST_BACKOFF, NICETY_PATIENCE, PATIENCE, Errand
from onbrand_slack.work.errors import Kind, Outcome

OK = Outcome(Kind.DELIVERED, "ok")
BUSY = Outcome(Kind.LATER, "ratelimited", retry_after=3.0)
SILENT = Outcome(Kind.LATER, "TimeoutError", doubtful=True)
LONG = Outcome(Kind.TOO_LONG, "msg_blocks_too_long")
CLOSED = Outcome(Kind.UNREACHABLE, "not_in_channel")
GONE = Outcome(Kind.TOKEN_GONE, "token_revoked")


def test_calls_follow_each_other_and_what_they_lead_to_comes_next() -> None:
    errand = Errand(job(), [post(text="1"), post(text="4")])
    errand.settle(OK, 0, [post(text="2"), post(text="3")])
    texts = []
    while errand.call is not None:
        texts.append(errand.call.arguments["text"])
        errand.settle(OK, 0)
    assert texts == ["2", "3", "4"]
    assert errand.ending == "done"


def test_a_shorter_message_is_tried_at_the_same_place_and_then_another_place() -> None:
    short, other = post("C1", "short"), post("U1", "long")
    call = post("C1", "long", instead=(short, other))
    errand = Errand(job(), [call])
    errand.settle(LONG, 0)
    assert errand.call == short
    errand = Errand(job(), [call])
    errand.settle(CLOSED, 0)
    assert errand.call == other, "the same place is closed to a shorter message, too"
    errand.settle(OK, 0)
    assert errand.ending == "done"


def test_a_refusal_fails_the_job_and_what_follows_is_carried_out_all_the_same() -> None:
    told: list[str] = []

    def complain(sentence: str) -> list[Call]:
        told.append(sentence)
        return [post("U1", sentence)]

    errand = Errand(job(), [post("C1"), post("C2"), post("C3", "last")], complain=complain)
    errand.settle(CLOSED, 0)
    assert errand.call is not None and errand.call.channel == "U1"
    errand.settle(CLOSED, 0)
    assert errand.call is not None and errand.call.channel == "C2"
    errand.settle(LONG, 0)
    assert errand.call is not None and errand.call.channel == "C3"
    errand.settle(OK, 0)
    assert errand.ending == "failed"
    assert errand.reason == "chat.postMessage: not_in_channel"
    assert len(told) == 1 and "not_in_channel" in told[0], "the user is told once"


def test_a_nicety_fails_nothing() -> None:
    errand = Errand(job(), [post(optional=True), post("C2")])
    errand.settle(CLOSED, 0)
    errand.settle(OK, 0)
    assert errand.ending == "done"


def test_a_revoked_token_leaves_only_what_needs_none() -> None:
    answer = Call(RESPOND, {"url": "u", "body": {"text": "hello"}})
    errand = Errand(job(), [post(instead=(post("U1"), answer)), post("C2"), answer])
    errand.settle(GONE, 0)
    assert errand.call == answer
    errand.settle(OK, 0)
    assert errand.call == answer
    errand.settle(OK, 0)
    assert errand.ending == "done"
    errand = Errand(job(), [post(), post("C2")], complain=lambda _: pytest.fail("nobody hears it"))
    errand.settle(GONE, 0)
    assert (errand.ending, errand.reason) == ("failed", "chat.postMessage: token_revoked")


def test_waits_grow_and_heed_slack() -> None:
    errand = Errand(job(), [post()])
    waits = [errand.settle(SILENT, 0) for _ in range(9)]
    for number, wait in enumerate(waits):
        least = min(2.0**number, LONGEST_BACKOFF)
        assert least <= wait <= 1.25 * least
    assert 3 <= Errand(job(), [post()]).settle(BUSY, 0) <= 3.75


def test_patience_begins_anew_with_every_call() -> None:
    errand = Errand(job(), [post("C1"), post("C2")])
    for _ in range(5):
        errand.settle(SILENT, 0)
    errand.settle(OK, PATIENCE - 1)
    assert errand.settle(BUSY, PATIENCE) < 4 and errand.tries == 1


def test_after_fifteen_minutes_the_job_is_put_back_plain_or_marked() -> None:
    for outcome, sent in ((BUSY, False), (SILENT, True)):
        errand = Errand(job(attempts=1), [post(), post("C2")])
        now = tries = 0.0
        while errand.call is not None:
            now += errand.settle(outcome, now)
            tries += 1
        assert errand.ending == "retry" and errand.touched is sent
        assert now <= PATIENCE and 10 < tries < 100
        assert errand.retry_after >= LONGEST_BACKOFF


def test_the_last_attempt_goes_on_without_the_call() -> None:
    errand = Errand(job(attempts=3), [post(), post("C2")])
    now = 0.0
    while errand.call is not None and errand.call.channel == "C1":
        now += errand.settle(BUSY, now)
    assert errand.call is not None and errand.call.channel == "C2"
    errand.settle(OK, now)
    assert (errand.ending, errand.reason) == ("failed", "chat.postMessage: ratelimited")


def test_a_nicety_holds_up_its_channel_for_no_more_than_a_moment() -> None:
    errand = Errand(job(), [post(optional=True)])
    now = 0.0
    while errand.call is not None:
        now += errand.settle(SILENT, now)
    assert errand.ending == "done" and now <= NICETY_PATIENCE


def test_a_second_try_in_the_dark_shows_that_it_is_one() -> None:
    errand = Errand(job(), [post(instead=(post("U1"),))])
    for outcome in (BUSY, SILENT, SILENT):
        errand.settle(outcome, 0)
    assert errand.call is not None and errand.call.arguments["text"].count(AGAIN) == 1
    errand.settle(CLOSED, 0)
    assert errand.call.arguments["text"].count(AGAIN) == 1, "elsewhere it may be the second, too"
    plain = Errand(job(), [post()])
    plain.settle(BUSY, 0)
    assert plain.call == post(), "it was not made"
    marked = Errand(job(again=True), [post()])
    marked.settle(SILENT, 0)
    assert marked.call == post(), "its handler has marked it"


def test_the_line_it_stands_in() -> None:
    other = Errand(job(2), [Call("views.update", {"view_id": "V1"})])
    assert Errand(job(), [post("C1")]).key == ("T1", "C1")
    assert Errand(job(2), [post("C1")]).key == ("T1", "C1")
    assert other.key != Errand(job(3), [Call("views.update", {"view_id": "V1"})]).key
    other.settle(OK, 0)
    assert other.key == 2
