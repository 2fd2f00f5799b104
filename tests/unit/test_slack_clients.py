from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from slack_sdk.errors import SlackApiError
from slack_server import Reply, SlackServer, slack_server
from slack_work import TEAM, TOKEN, FakeInstallations, config

from onbrand.errors import OnbrandError
from onbrand_slack.work import clients as module
from onbrand_slack.work.clients import Clients, only_installation
from onbrand_slack.work.errors import Kind, NotInstalledError, ResponseUrlError, classify

SECRET = "the draft nobody may read"
POST = "/api/chat.postMessage"


@pytest.fixture
def server() -> Iterator[SlackServer]:
    yield from slack_server()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


@pytest.fixture
def clients(server: SlackServer) -> Clients:
    return Clients(config(server.api_url), FakeInstallations())


def test_a_client_has_the_workspaces_token_and_is_made_once(
    clients: Clients, server: SlackServer
) -> None:
    clients.of(TEAM).chat_postMessage(channel="C1", text="hello")
    assert server.got[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert clients.of(TEAM) is clients.of(TEAM)
    assert clients.of(TEAM) is not clients.once(TEAM)


def test_a_workspace_without_the_app_has_no_client(server: SlackServer) -> None:
    installations = FakeInstallations()
    installations.gone.add("T1")
    with pytest.raises(NotInstalledError, match="T1"):
        Clients(config(server.api_url), installations).of(TEAM)


def test_handlers_wait_as_long_as_slack_says(
    clients: Clients, server: SlackServer, slept: list[float]
) -> None:
    server.answer(POST, *[Reply(429, b"{}", {"Retry-After": "3"})] * 3)
    clients.of(TEAM).chat_postMessage(channel="C1", text="hello")
    assert len(server.of(POST)) == 4
    assert len(slept) == 3 and all(3 <= seconds < 4 for seconds in slept)


@pytest.mark.parametrize(
    "wait", ["120", "soon", "-1", "nan", "inf", "1e9", "0.5", "3.0", "9" * 5000]
)
def test_handlers_do_not_wait_for_ever_or_for_nonsense(
    clients: Clients, server: SlackServer, slept: list[float], wait: str
) -> None:
    server.answer(POST, Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": wait}))
    with pytest.raises(SlackApiError) as caught:
        clients.of(TEAM).chat_postMessage(channel="C1", text="hello")
    outcome = classify(caught.value)
    assert outcome.kind is Kind.LATER and not outcome.doubtful
    assert slept == []


def test_handlers_try_once_more_after_a_server_error(
    clients: Clients, server: SlackServer, slept: list[float]
) -> None:
    server.answer(POST, Reply(503, b"away"))
    clients.of(TEAM).chat_postMessage(channel="C1", text="hello")
    assert len(server.of(POST)) == 2 and len(slept) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_posters_client_tries_once(
    clients: Clients, server: SlackServer, slept: list[float], status: int
) -> None:
    server.answer(POST, Reply(status, b"{}", {"Retry-After": "1"}))
    with pytest.raises(SlackApiError):
        clients.once(TEAM).chat_postMessage(channel="C1", text="hello")
    assert len(server.of(POST)) == 1 and slept == []


def test_nothing_that_is_sent_or_answered_is_logged(
    clients: Clients, server: SlackServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer(POST, Reply(body=f"<html>{SECRET}</html>".encode()))
    with caplog.at_level(logging.DEBUG), pytest.raises(SlackApiError):
        clients.once(TEAM).chat_postMessage(channel="C1", text=SECRET)
    assert SECRET not in caplog.text and TOKEN not in caplog.text


# --- response_url -----------------------------------------------------------------------------


def test_a_message_is_sent_to_a_response_url(clients: Clients, server: SlackServer) -> None:
    server.answer("/hooks/1", Reply(body=b"ok"))
    assert clients.respond(f"{server.url}/hooks/1", {"text": "hello ü"})["ok"]
    assert server.got[0].json == {"text": "hello ü"}
    assert "Authorization" not in server.got[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/commands/1",
        "https://evil.example/commands/1",
        "https://hooks.slack.com.evil.example/1",
        "https://hooks.slack.com@evil.example/1",
        "https://evil.example\\@hooks.slack.com/1",
        "https://hooks.slack.com /1",
        "https://hooks.sl\u0430ck.com/1",
        "http://127.0.0.1:9/1",
        "https://slack.com/api/chat.postMessage",
        "file:///etc/passwd",
        "hooks.slack.com/1",
        "",
    ],
)
def test_nothing_is_sent_to_other_hosts_than_slacks(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = Clients(config("https://slack.com/api/"), FakeInstallations())
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("it was sent"))
    with pytest.raises(ResponseUrlError) as caught:
        clients.respond(url, {"text": SECRET})
    assert classify(caught.value).kind is Kind.UNREACHABLE
    assert url == "" or url not in str(caught.value)


def test_a_message_does_not_follow_a_redirect(clients: Clients, server: SlackServer) -> None:
    for status in (301, 302, 303, 307, 308):
        server.answer("/hooks/1", Reply(status, b"", {"Location": f"{server.url}/elsewhere"}))
        with pytest.raises(ResponseUrlError) as caught:
            clients.respond(f"{server.url}/hooks/1", {"text": SECRET})
        assert classify(caught.value).kind is Kind.REFUSED
    assert not server.of("/elsewhere")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"ok", None),
        (200, b"", None),
        (200, b'{"ok": true}', None),
        (200, b'{"ok": false, "error": "used_url"}', Kind.UNREACHABLE),
        (404, b'{"ok": false, "error": "expired_url"}', Kind.UNREACHABLE),
        (404, b"no_service", Kind.UNREACHABLE),
        (404, b"<html>", Kind.UNREACHABLE),
        (410, b"channel_is_archived", Kind.UNREACHABLE),
        (400, b"invalid_payload", Kind.TOO_LONG),
        (413, b"", Kind.TOO_LONG),
        (400, b"no_text", Kind.REFUSED),
        (500, b"rollup_error", Kind.LATER),
        (502, b"<html>", Kind.LATER),
        (429, b"rate_limited", Kind.LATER),
        (200, b"<html>a page of somebody's</html>", Kind.LATER),
        (200, b"[1, 2]", Kind.LATER),
        (200, b"\xff\xfe", Kind.LATER),
    ],
)
def test_what_a_response_url_answers(
    clients: Clients, server: SlackServer, status: int, body: bytes, kind: Kind | None
) -> None:
    server.answer("/hooks/1", Reply(status, body))
    if kind is None:
        assert clients.respond(f"{server.url}/hooks/1", {"text": "hello"})["ok"]
        return
    with pytest.raises(ResponseUrlError) as caught:
        clients.respond(f"{server.url}/hooks/1", {"text": "hello"})
    assert classify(caught.value).kind is kind


def test_proxies_come_from_the_environment(
    server: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    clients = Clients(config("http://slack.invalid/api/"), FakeInstallations())
    assert clients.of(TEAM).proxy == server.url
    clients.respond("http://slack.invalid/hooks/1", {"text": "hello"})
    assert [got.path for got in server.got] == ["http://slack.invalid/hooks/1"]


# --- the one token ----------------------------------------------------------------------------


def test_the_one_workspace_is_asked_for(server: SlackServer) -> None:
    who = {"ok": True, "team_id": "T1", "bot_id": "B1", "user_id": "U0", "enterprise_id": "E1"}
    server.answer("/api/auth.test", Reply(body=who))
    installed = only_installation(config(server.api_url))
    assert (installed.team_id, installed.enterprise_id) == ("T1", "E1")
    assert (installed.bot_token, installed.bot_user_id) == (TOKEN, "U0")


def test_a_bad_token_is_told_without_the_token(server: SlackServer) -> None:
    server.refuse("auth.test", "invalid_auth")
    with pytest.raises(OnbrandError, match=r"SLACK_BOT_TOKEN \(invalid_auth\)") as caught:
        only_installation(config(server.api_url))
    assert TOKEN not in str(caught.value)


def test_slack_out_of_reach_is_told(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.5)
    with pytest.raises(OnbrandError, match="cannot be reached"):
        only_installation(config("http://127.0.0.1:9/api/"))
