from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError

import pytest
from slack_server import Reply, SlackServer, slack_server
from slack_work import TEAM, FakeInstallations, config, locked, post

from onbrand.errors import OnbrandError
from onbrand_slack.work import clients as clients_module
from onbrand_slack.work.calls import RESPOND, UPLOAD, Call
from onbrand_slack.work.clients import Clients
from onbrand_slack.work.deliver import AGAIN, again, deliver
from onbrand_slack.work.errors import LONGEST_WAIT, Kind, classify, words

POST = "/api/chat.postMessage"


@pytest.fixture
def server() -> Iterator[SlackServer]:
    yield from slack_server()


@pytest.fixture
def clients(server: SlackServer) -> Clients:
    return Clients(config(server.api_url), FakeInstallations())


# --- what an answer means ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ratelimited", Kind.LATER),
        ("internal_error", Kind.LATER),
        ("fatal_error", Kind.LATER),
        ("service_unavailable", Kind.LATER),
        ("request_timeout", Kind.LATER),
        ("team_added_to_org", Kind.LATER),
        ("msg_blocks_too_long", Kind.TOO_LONG),
        ("msg_too_long", Kind.TOO_LONG),
        ("invalid_blocks", Kind.TOO_LONG),
        ("view_too_large", Kind.TOO_LONG),
        ("channel_not_found", Kind.UNREACHABLE),
        ("not_in_channel", Kind.UNREACHABLE),
        ("is_archived", Kind.UNREACHABLE),
        ("user_not_in_channel", Kind.UNREACHABLE),
        ("cannot_dm_bot", Kind.UNREACHABLE),
        ("restricted_action_read_only_channel", Kind.UNREACHABLE),
        ("not_found", Kind.UNREACHABLE),
        ("invalid_auth", Kind.TOKEN_GONE),
        ("token_revoked", Kind.TOKEN_GONE),
        ("account_inactive", Kind.TOKEN_GONE),
        ("team_access_not_granted", Kind.TOKEN_GONE),
        ("missing_scope", Kind.MISSING_SCOPE),
        ("invalid_arguments", Kind.REFUSED),
        ("a_code_of_next_year", Kind.REFUSED),
    ],
)
def test_codes_of_slack(clients: Clients, server: SlackServer, code: str, kind: Kind) -> None:
    server.refuse("chat.postMessage", code)
    outcome = deliver(clients, TEAM, post())
    assert (outcome.kind, outcome.code) == (kind, code)


@pytest.mark.parametrize(
    ("reply", "doubtful"),
    [
        (Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}), False),
        (Reply(429, b"slow down"), False),
        (Reply(500, b"oops"), True),
        (Reply(500, b'{"ok": false, "error": "internal_error"}'), True),
        (Reply(502, b"<html>bad gateway</html>"), True),
        (Reply(503, b""), False),
        (Reply(504, b""), True),
        (Reply(200, b"<html>sign in</html>"), True),
        (Reply(200, b""), True),
        (Reply(200, b"[]"), True),
        (Reply(200, b'["ok"]'), True),
        (Reply(200, b'"ok"'), True),
        (Reply(200, b"null"), True),
        (Reply(200, b"\xff\xfe\x00"), True),
        (Reply(200, b'{"ok": false}'), True),
        (Reply(200, b'{"ok": false, "error": {"why": 1}}'), True),
        (Reply(200, b'{"ok": false, "error": "<html>"}'), True),
        (Reply(200, b'{"ok": true', {"Content-Encoding": "gzip"}), True),
        (Reply(200, b'{"ok": true}', {"Content-Type": "text/plain; charset=klingon"}), True),
    ],
)
def test_answers_that_are_none(
    clients: Clients, server: SlackServer, reply: Reply, doubtful: bool
) -> None:
    server.answer(POST, reply)
    outcome = deliver(clients, TEAM, post())
    assert outcome.kind is Kind.LATER
    assert outcome.doubtful is doubtful
    assert deliver(clients, TEAM, post()).kind is Kind.DELIVERED


def test_a_server_that_hangs(
    clients: Clients, server: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_module, "TIMEOUT", 0.2)
    over = threading.Event()
    for path, call in ((POST, post()), ("/hooks/1", _respond(server))):
        server.answer(path, Reply(until=over))
        outcome = deliver(clients, TEAM, call)
        assert outcome.kind is Kind.LATER and outcome.doubtful
    over.set()


def test_a_server_that_is_not_there() -> None:
    clients = Clients(config("http://127.0.0.1:9/api/"), FakeInstallations())
    outcome = deliver(clients, TEAM, post())
    assert outcome.kind is Kind.LATER
    assert not outcome.doubtful, "nothing was sent"


@pytest.mark.parametrize(
    ("error", "kind", "doubtful"),
    [
        (URLError(ConnectionRefusedError()), Kind.LATER, False),
        (http.client.RemoteDisconnected(), Kind.LATER, True),
        (http.client.IncompleteRead(b""), Kind.LATER, True),
        (ConnectionResetError(), Kind.LATER, True),
        (TimeoutError(), Kind.LATER, True),
        (AttributeError("'list' object has no attribute 'get'"), Kind.LATER, True),
        (TypeError("not JSON serializable"), Kind.REFUSED, False),
    ],
)
def test_exceptions(error: Exception, kind: Kind, doubtful: bool) -> None:
    outcome = classify(error)
    assert (outcome.kind, outcome.doubtful) == (kind, doubtful)
    assert outcome.code == type(error).__name__


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("30", 30.0), ("0", 0.0), ("1e9", LONGEST_WAIT), ("-1", None), ("nan", None), ("soon", None)],
)
def test_how_long_slack_asks_to_wait(
    clients: Clients, server: SlackServer, header: str, seconds: float | None
) -> None:
    server.answer(POST, Reply(429, b"{}", {"retry-after": header}))
    assert deliver(clients, TEAM, post()).retry_after == seconds


def test_the_missing_scope_is_told(clients: Clients, server: SlackServer) -> None:
    refusal = {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "x"}
    server.answer(POST, Reply(body=refusal))
    assert "(chat:write)" in str(words(deliver(clients, TEAM, post())))
    server.answer(POST, Reply(body=refusal | {"needed": "<!channel>"}))
    assert "(missing_scope)" in str(words(deliver(clients, TEAM, post())))


def test_a_workspace_without_a_token(server: SlackServer) -> None:
    installations = FakeInstallations()
    installations.gone.add("T1")
    clients = Clients(config(server.api_url), installations)
    assert deliver(clients, TEAM, post()).kind is Kind.TOKEN_GONE
    assert deliver(clients, TEAM, _respond(server)).kind is Kind.DELIVERED, "it needs no token"


def test_a_database_that_is_away_is_no_refusal(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise locked()

    monkeypatch.setattr(FakeInstallations, "find", away)
    with pytest.raises(OnbrandError):
        deliver(clients, TEAM, post())


# --- what is sent -----------------------------------------------------------------------------


def test_methods_are_called_as_the_sdk_has_them(clients: Clients, server: SlackServer) -> None:
    view = {"type": "modal", "blocks": []}
    outcome = deliver(clients, TEAM, Call("views.update", {"view_id": "V1", "view": view}))
    deliver(
        clients,
        TEAM,
        Call(
            "functions.completeSuccess",
            {"function_execution_id": "Fx1", "outputs": {"verdict": "forward"}},
        ),
    )
    deliver(clients, TEAM, Call("some.newMethod", {"channel": "C1", "nothing": None}))
    assert outcome.answer["ts"] == "1.0"
    assert [got.path for got in server.got] == [
        "/api/views.update",
        "/api/functions.completeSuccess",
        "/api/some.newMethod",
    ]
    assert b"verdict" in server.got[1].body
    assert server.got[2].json == {"channel": "C1"}


def test_an_upload_takes_its_three_steps(clients: Clients, server: SlackServer) -> None:
    ticket = {"ok": True, "file_id": "F1", "upload_url": f"{server.url}/upload/1"}
    server.answer("/api/files.getUploadURLExternal", Reply(body=ticket))
    server.answer("/api/files.completeUploadExternal", Reply(body={"ok": True, "files": [{}]}))
    content = {"filename": "report.md", "content": "# Report", "initial_comment": "Here"}
    call = Call(UPLOAD, {"channel": "C1", "thread_ts": None, **content})
    assert deliver(clients, TEAM, call).kind is Kind.DELIVERED
    assert [got.path.rpartition("/")[2] for got in server.got] == [
        "files.getUploadURLExternal",
        "1",
        "files.completeUploadExternal",
    ]
    assert server.got[1].body == b"# Report"


@pytest.mark.parametrize("status", [403, 500])
def test_an_upload_that_is_not_taken(clients: Clients, server: SlackServer, status: int) -> None:
    ticket = {"ok": True, "file_id": "F1", "upload_url": f"{server.url}/upload/1"}
    server.answer("/api/files.getUploadURLExternal", Reply(body=ticket))
    server.answer("/upload/1", Reply(status, b"no"))
    outcome = deliver(clients, TEAM, Call(UPLOAD, {"channel": "C1", "content": "x"}))
    assert outcome.kind is (Kind.LATER if status == 500 else Kind.REFUSED)


# --- again ------------------------------------------------------------------------------------


def _respond(server: SlackServer, **body: Any) -> Call:
    return Call(RESPOND, {"url": f"{server.url}/hooks/1", "body": {"text": "hello", **body}})


def test_a_message_that_may_be_there_twice_says_so() -> None:
    block = {"type": "divider"}
    marked = again(Call("chat.postMessage", {"channel": "C1", "text": "hello", "blocks": [block]}))
    assert marked.arguments["text"].startswith(AGAIN)
    assert marked.arguments["text"].endswith("hello")
    assert AGAIN in str(marked.arguments["blocks"][0])
    assert marked.arguments["blocks"][1:] == [block]
    answer = again(Call(RESPOND, {"url": "u", "body": {"text": "hello"}}))
    assert answer.arguments["body"]["text"].startswith(AGAIN)
    assert "blocks" not in answer.arguments["body"]
    upload = again(Call(UPLOAD, {"channel": "C1", "content": "x"}))
    assert upload.arguments["initial_comment"] == AGAIN


def test_marking_keeps_to_slacks_limit_of_blocks() -> None:
    blocks = [{"type": "divider"}] * 50
    marked = again(Call("chat.postEphemeral", {"text": "hello", "blocks": blocks}))
    assert len(marked.arguments["blocks"]) == 50
    assert AGAIN in marked.arguments["text"]


@pytest.mark.parametrize(
    "call",
    [
        Call("chat.update", {"channel": "C1", "ts": "1", "text": "hello"}),
        Call("views.update", {"view_id": "V1", "view": {}}),
        Call("functions.completeSuccess", {"outputs": {}}),
        Call(RESPOND, {"url": "u", "body": {"text": "hello", "replace_original": True}}),
    ],
)
def test_what_looks_the_same_twice_is_not_marked(call: Call) -> None:
    assert again(call) == call
