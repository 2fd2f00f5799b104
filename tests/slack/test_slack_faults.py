"""Slack fails in every way that it knows: users get their answer or a clear word, once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_trouble import AGAIN, ROUTES, Troubled, check_log

SURE = ("429", "429 in words", "503")
"""Troubles that say that nothing was done."""
PASSING: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "headers": {"Retry-After": "1"}},
    "429 in words": {"status": 429, "body": {"ok": False, "error": "ratelimited"}},
    "500": {"status": 500, "body": b"<h1>Oops</h1>", "headers": {"Content-Type": "text/html"}},
    "503": {"status": 503},
    "internal error": {"body": {"ok": False, "error": "internal_error"}},
    "empty": {},
    "a page": {"body": b"<html>Down</html>", "headers": {"Content-Type": "text/html"}},
    "no object": {"body": b"[1]"},
    "cut": {"reset": True},
    "answer lost": {"after": True, "reset": True},
    "answer spoilt": {"after": True, "status": 502},
}
"""What a second try mends."""
REFUSALS: dict[str, tuple[str, ...]] = {
    "chat.postEphemeral": (
        *("channel_not_found", "not_in_channel", "is_archived", "user_not_in_channel"),
        *("restricted_action", "missing_scope", "an_error_of_next_year"),
    ),
    "views.update": ("not_found", "view_not_found", "hash_conflict", "missing_scope"),
}
"""What only another way to the user mends."""
TOO_LONG = ("msg_blocks_too_long", "invalid_blocks", "msg_too_long")
GONE = ("token_revoked", "account_inactive", "invalid_auth", "not_authed")
USED_UP = {
    "404": {"status": 404, "body": b"no_service", "headers": {"Content-Type": "text/html"}},
    "expired": {"status": 404, "body": {"ok": False, "error": "expired_url"}},
    "used": {"status": 404, "body": {"ok": False, "error": "used_url"}},
    "used, politely": {"body": {"ok": False, "error": "used_url"}},
    "gone": {"status": 410},
    "moved": {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}},
}
"""How a response_url says that it takes no more."""

Talks = dict[tuple[str, str], Troubled]


@pytest.fixture(scope="module")
def peer() -> Iterator[SlackPeer]:
    with SlackPeer() as peer:
        yield peer


@pytest.fixture(scope="module")
def app(
    peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    folder = tmp_path_factory.mktemp("faults")
    with SlackProcess(peer, folder, example_voices, "--workers", "4") as app:
        yield app
        check_log(app)


@pytest.fixture(scope="module")
def new_talk(peer: SlackPeer, app: SlackProcess) -> Iterator[Callable[[], Troubled]]:
    """Makes users, each with a place of their own in which things go wrong."""
    talks: list[Troubled] = []
    numbers = itertools.count(1)

    def new() -> Troubled:
        talks.append(Troubled(peer, app, next(numbers)))
        return talks[-1]

    yield new
    for talk in talks:
        talk.close()


@pytest.fixture
def works_afterwards(peer: SlackPeer, new_talk: Callable[[], Troubled]) -> Iterator[None]:
    """Whatever went wrong, the next command is answered."""
    yield
    peer.mend()
    talk = new_talk()
    talk.send("response_url")
    peer.wait(lambda _: talk.told(), what="the answer to the next command")


# --- what passes --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def retried(peer: SlackPeer, new_talk: Callable[[], Troubled]) -> Talks:
    """Every passing trouble on every way to the user, all at the same time."""
    talks = {(trouble, route): new_talk() for trouble in PASSING for route in ROUTES}
    for (trouble, route), talk in talks.items():
        peer.fail(route, only=talk.place(route), **PASSING[trouble])
        talk.send(route)
    talk.settle()
    return talks


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("trouble", PASSING)
def test_what_passes_is_tried_again_and_shown_as_a_repetition_where_it_may_be_one(
    retried: Talks, trouble: str, route: str
) -> None:
    calls = retried[trouble, route].made(*ROUTES)
    if (trouble, route) == ("empty", "response_url"):
        assert len(calls) == 1  # so it may say yes
        return
    assert [call.method for call in calls] == [route, route]
    assert calls[-1].ok
    doubtful = trouble not in SURE and route != "views.update"  # a view looks the same twice
    assert [AGAIN in call.body for call in calls] == [False, doubtful]


def test_a_retry_waits_as_long_as_slack_says(retried: Talks) -> None:
    for route in ROUTES:
        first, second = retried["429", route].made(*ROUTES)
        assert second.time - first.time >= 1.0


@pytest.mark.slow
def test_slack_that_does_not_answer_at_all_is_asked_again(
    peer: SlackPeer, new_talk: Callable[[], Troubled]
) -> None:
    talks = {route: new_talk() for route in ROUTES}
    for route, talk in talks.items():
        peer.fail(route, only=talk.place(route), delay=11.0)  # the app waits for 10 seconds
        talk.send(route)
    talk.settle()
    for route, talk in talks.items():
        assert [call.method for call in talk.made(*ROUTES)] == [route, route]
        assert len(talk.told()) == 1


# --- what does not ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def refused(peer: SlackPeer, new_talk: Callable[[], Troubled]) -> Talks:
    """Every refusal of every way that has another one behind it."""
    cases = [(route, error) for route, errors in REFUSALS.items() for error in errors]
    cases += [("response_url", trouble) for trouble in USED_UP]
    talks = {case: new_talk() for case in cases}
    for (route, error), talk in talks.items():
        fault = USED_UP.get(error) or {"body": {"ok": False, "error": error}}
        peer.fail(route, only=talk.place(route), times=100, **fault)
        talk.send(route)
    talk.settle()
    return talks


@pytest.mark.parametrize("trouble", USED_UP)
def test_a_used_response_url_is_left_for_a_message_in_the_channel(
    refused: Talks, trouble: str
) -> None:
    talk = refused["response_url", trouble]
    others = talk.made(*ROUTES)[1:]
    assert [call.method for call in others[-1:]] == ["chat.postEphemeral"]
    assert len(others) <= 3  # a shorter answer may be tried before
    assert "off-brand" in "".join(talk.told())


@pytest.mark.parametrize(
    ("route", "error"), [(route, error) for route in REFUSALS for error in REFUSALS[route]]
)
def test_a_refused_answer_reaches_the_user_in_direct_messages(
    refused: Talks, route: str, error: str
) -> None:
    talk = refused[route, error]
    calls = talk.made(*ROUTES)
    assert [call.method for call in calls if call.ok] == ["chat.postMessage"]
    assert calls[-1].arguments["channel"] == talk.user
    assert len(calls) <= 4
    assert "off-brand" in "".join(talk.told())


@pytest.mark.parametrize("error", TOO_LONG)
@pytest.mark.parametrize("route", ROUTES)
def test_an_answer_that_is_too_long_is_sent_shorter(
    peer: SlackPeer, new_talk: Callable[[], Troubled], route: str, error: str
) -> None:
    talk = new_talk()
    peer.refuse(route, error, only=talk.place(route))
    talk.send(route)
    peer.wait(lambda _: talk.told(), what="a shorter answer")
    long, short = talk.made(*ROUTES)
    assert long.method == short.method == route
    assert len(short.body) < len(long.body)
    assert "Review: 1 of 1 sentence off-brand" in "".join(talk.told())


@pytest.mark.usefixtures("works_afterwards")
@pytest.mark.parametrize("error", ["channel_not_found", "missing_scope", "msg_blocks_too_long"])
def test_what_nobody_takes_ends_after_a_few_calls(
    peer: SlackPeer, new_talk: Callable[[], Troubled], error: str
) -> None:
    talk = new_talk()
    for method in ROUTES:
        peer.refuse(method, error, times=1000)
    talk.send("response_url")
    state, reason = talk.ending()
    assert state == "failed"
    assert error in reason
    assert talk.told() == []
    calls = talk.made(*ROUTES)
    assert 2 <= len(calls) <= 12
    assert f"({error})" in calls[-1].body  # words about it, in case that they get through


@pytest.mark.usefixtures("works_afterwards")
@pytest.mark.parametrize("error", GONE)
def test_a_revoked_token_ends_the_job_at_the_first_call(
    peer: SlackPeer, new_talk: Callable[[], Troubled], error: str
) -> None:
    talk = new_talk()
    peer.refuse("chat.postEphemeral", error, only=talk.channel)
    talk.send("chat.postEphemeral")
    assert talk.ending()[0] == "failed"
    assert [call.answer["error"] for call in talk.made()] == [error]


@pytest.mark.usefixtures("works_afterwards")
def test_a_revoked_token_still_lets_a_response_url_be_answered(
    peer: SlackPeer, new_talk: Callable[[], Troubled]
) -> None:
    for method in ("chat.postMessage", "chat.postEphemeral", "users.info"):
        peer.refuse(method, "token_revoked", times=1000)
    talk = new_talk()
    talk.send("response_url")
    peer.wait(lambda _: talk.told(), what="the answer")
    assert [call.method for call in talk.made()] == ["response_url"]
