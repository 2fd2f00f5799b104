"""What is no request of Slack's at all: other addresses, too much, too slow, no text."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from slack_process import SlackProcess
from slack_sender import FORM, signed
from slack_talk import FLAGGED, Talk, read


@pytest.fixture(scope="module", autouse=True)
def stalled(shared_app: SlackProcess) -> Iterator[socket.socket]:
    """A request whose body never ends; the other tests are done beside it."""
    with connected(shared_app) as open_:
        open_.sendall(head("POST", "/slack/events", {"Content-Length": "1000"}) + b"{")
        yield open_


def command(talk: Talk, **more: str) -> str:
    payload = talk.command_payload(f"oatfolk {FLAGGED}", user=talk.user, channel=talk.channel)
    return urlencode(payload | more)


def connected(app: SlackProcess) -> socket.socket:
    place = urlsplit(str(app.url))
    return socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60)


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def status_of(open_: socket.socket) -> int:
    return int(open_.recv(65_536).split(b" ", 2)[1])


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *((method, "/slack/events", 405) for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD")),
        *(("POST", path, 404) for path in ("/", "/slack/events/", "/slack", "/slack//events")),
        *(("GET", path, 404) for path in ("/", "/metrics", "/readyz", "/slack/install", "/../x")),
        ("POST", "/healthz", 404),
        ("GET", "/healthz", 200),
    ],
)
def test_there_is_one_address_and_one_method(
    talk: Talk, method: str, path: str, status: int
) -> None:
    body = command(talk)
    headers = signed(body, FORM)
    answer = httpx.request(method, f"{talk.app.url}{path}", content=body, headers=headers)
    assert answer.status_code == status


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("chunked", [False, True])
def test_two_megabytes_are_refused_unread(talk: Talk, chunked: bool) -> None:
    body = command(talk, text="x" * 2_000_000)
    headers = signed(body, FORM)
    sized = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
    with connected(talk.app) as open_:
        size = f"{len(body):x}\r\n".encode() if chunked else b""
        with suppress(ConnectionError):  # it may have answered before the end
            open_.sendall(head("POST", "/slack/events", headers | sized) + size + body.encode())
        assert status_of(open_) == 413


@pytest.mark.usefixtures("nothing_runs")
def test_bytes_that_are_no_text(talk: Talk) -> None:
    body = b"\xff\xfe\x00payload=%FF%FE" + command(talk).encode()
    text = body.decode("utf-8", "replace")
    for signed_as in (text, body.decode("latin-1")):
        url, headers = f"{talk.app.url}/slack/events", signed(signed_as, FORM)
        assert httpx.post(url, content=body, headers=headers).status_code in (400, 401)


@pytest.mark.usefixtures("nothing_runs")
def test_a_header_that_is_no_text(talk: Talk) -> None:
    body = command(talk)
    headers = signed(body, FORM) | {"Content-Length": str(len(body))}
    for name in ("X-Slack-Signature", "X-Slack-Request-Timestamp"):
        with connected(talk.app) as open_:
            odd = head("POST", "/slack/events", {**headers, name: "v0=ÿ²"})
            open_.sendall(odd + body.encode())
            assert status_of(open_) in (400, 401)


def test_a_body_that_never_ends_is_given_up_and_holds_up_nobody(
    talk: Talk, stalled: socket.socket
) -> None:
    assert status_of(stalled) == 408
    assert "not quite oatfolk yet" in read(talk.check())
