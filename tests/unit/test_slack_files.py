"""Uploaded files: fetched from Slack alone, and in words for the user where they cannot be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from slack_documents import OLE, written

from onbrand import discovery as drafts
from onbrand_slack.drafts import DraftProblem, files
from onbrand_slack.drafts.files import FileDraft, fetch

TOKEN = "xoxb-test"
PAGE = b"<!DOCTYPE html><html><head><title>Sign in | Slack</title></head></html>"
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Host:
    """A stand-in for Slack's file server."""

    url: str = ""
    answer: Answer = field(default=lambda request: None)
    tokens: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def sends(self, body: bytes, status: int = 200, **headers: str) -> None:
        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()
            request.wfile.write(body)

        self.answer = answer

    def fetch(self, name: str, **info: Any) -> FileDraft:
        url = f"{self.url}/files/F1/download"
        file = {"id": "F1", "name": name, "mode": "hosted", "url_private_download": url}
        return fetch(file | info, TOKEN, f"{self.url}/api/")

    def problem(self, name: str = "draft.md", **info: Any) -> str:
        with pytest.raises(DraftProblem) as caught:
            self.fetch(name, **info)
        message = caught.value.message
        assert "\n" not in message and message.endswith(".")
        assert TOKEN not in message and name not in message
        return message


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.paths.append(self.path)
            host.tokens.append(self.headers["Authorization"])
            host.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        host.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield host
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "body", "text", "format_"),
    [
        ("draft.md", b"# Our pumps", "# Our pumps", "markdown"),
        ("DRAFT.MARKDOWN", b"Our pumps", "Our pumps", "markdown"),
        ("draft.txt", b"\xef\xbb\xbfOur p\xc3\xbcmps", "Our pümps", "text"),
        ("draft.txt", "Our pümps".encode("utf-16"), "Our pümps", "text"),
        ("draft.html", PAGE, PAGE.decode(), "html"),
        ("draft.docx", written("Our pumps run."), "Our pumps run.", "text"),
        ("draft.txt", written("It says .txt."), "It says .txt.", "text"),
    ],
)
def test_drafts_are_read_by_name_and_content(
    host: Host, name: str, body: bytes, text: str, format_: str
) -> None:
    host.sends(body)
    assert host.fetch(name, size=len(body)) == FileDraft(name, text, format_)
    assert host.tokens == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    ("filetype", "format_"), [("markdown", "markdown"), ("text", "text"), ("html", "html")]
)
def test_a_snippet_without_an_ending_is_what_slack_says_it_is(
    host: Host, filetype: str, format_: str
) -> None:
    host.sends(b"Our pumps")
    assert host.fetch("Untitled", mode="snippet", filetype=filetype).format == format_


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"name": "a.pdf", "filetype": "pdf"}, "reads .txt, .md, .html and .docx"),
        ({"name": "a.py", "mode": "snippet", "filetype": "python"}, "reads .txt"),
        ({"name": None, "filetype": None}, "reads .txt"),
        ({"name": ["odd"], "mode": 7, "filetype": {}}, "reads .txt"),
        ({"mode": "tombstone"}, "deleted"),
        ({"mode": "hidden_by_limit"}, "older"),
        ({"mode": "external", "is_external": True}, "outside Slack"),
        ({"is_external": True, "external_type": "gdrive"}, "outside Slack"),
        ({"mode": "post", "filetype": "post"}, "canvas"),
        ({"mode": "quip", "filetype": "quip"}, "canvas"),
        ({"filetype": "canvas"}, "canvas"),
        ({"file_access": "access_denied"}, "member"),
        ({"url_private_download": None}, "member"),
        ({"size": 30 * 1024**2}, "30 MB, more than the 4 MB"),
        ({"name": "a.docx", "size": 30 * 1024**2}, "30 MB, more than the 10 MB"),
    ],
)
def test_what_is_known_beforehand_is_not_asked_for(
    host: Host, info: dict[str, Any], says: str
) -> None:
    file = {"name": "draft.md", "mode": "hosted", "url_private_download": f"{host.url}/a"} | info
    with pytest.raises(DraftProblem, match=says):
        fetch(file, TOKEN, f"{host.url}/api/")
    assert host.paths == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.md",
        "http://files.slack.com/a.md",
        "https://evil-slack.com/a.md",
        "https://slack.com.evil.example/a.md",
        "https://evil.example\\@files.slack.com/a.md",
        "https://files.slack.com@evil.example/a.md",
        "https://files.slack.com:8443/a.md",
        "https://files.slack.com/a.md\r\nX: y",
        "file:///etc/hostname",
        "ftp://files.slack.com/a.md",
    ],
)
def test_the_token_goes_nowhere_else(host: Host, url: str) -> None:
    assert "outside Slack" in host.problem(url_private_download=url)
    assert host.paths == []


@pytest.mark.parametrize(
    "url",
    ["https://files.slack.com/files-pri/T1-F1/download/a.md", "https://x.slack-files.com/a%20b.md"],
)
def test_slacks_own_hosts_may_have_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    asked: list[str] = []

    def download(address: str, token: str, limit: int) -> bytes:
        asked.append(address)
        return b"Our pumps"

    monkeypatch.setattr(files, "_download", download)
    fetch({"name": "a.md", "url_private": url}, TOKEN, "https://slack.com/api/")
    assert asked == [url]


@pytest.mark.parametrize("place", ["/elsewhere", "http://localhost:1/", "https://evil.example/"])
def test_redirects_are_not_followed(host: Host, place: str) -> None:
    host.sends(b"", 302, Location=place)
    assert "files:read" in host.problem()
    assert len(host.paths) == 1


@pytest.mark.parametrize(
    ("name", "info"),
    [("a.md", {}), ("a.txt", {"size": len(PAGE)}), ("a.docx", {}), ("a.html", {"size": 99_999})],
)
def test_a_sign_in_page_is_no_draft(host: Host, name: str, info: dict[str, int]) -> None:
    host.sends(b"\n" + PAGE, Content_Type="text/html")
    assert "files:read" in host.problem(name, **info)


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "files:read"), (403, "member"), (404, "deleted"), (429, "HTTP 429"), (500, "try again")],
)
def test_what_slack_refuses(host: Host, status: int, says: str) -> None:
    host.sends(b"secret words", status)
    assert says in host.problem()


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.md", b"", "no text"),
        ("a.txt", b" \n\n", "no text"),
        ("a.docx", written(), "no text"),
        ("a.txt", b"Our p\xfcmps", "not UTF-8"),
        ("a.txt", b"\xff\xfeO\x00u", "UTF-16"),
        ("a.txt", bytes(range(256)) * 4, "binary"),
        ("a.docx", b"Our pumps", "damaged"),
        ("a.md", OLE + b"old", "old Word"),
    ],
)
def test_files_without_a_draft(host: Host, name: str, body: bytes, says: str) -> None:
    host.sends(body)
    assert says in host.problem(name, size=len(body))


@pytest.mark.parametrize("promised", ["12", None])
def test_no_more_is_read_than_the_limit_whatever_was_promised(
    host: Host, promised: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MAX_DRAFT_BYTES", 1024**2)
    sent = 0

    def answer(request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.send_response(200)
        if promised is None:
            request.send_header("Content-Length", str(1024**3))
        request.end_headers()
        for _ in range(1024):
            request.wfile.write(b"x" * 1024**2)
            sent += 1

    host.answer = answer
    size = {} if promised is None else {"size": int(promised)}
    assert "more than the 1 MB" in host.problem(**size)
    assert sent < 100


def test_a_file_that_was_cut_off_is_not_judged(host: Host) -> None:
    host.sends(b"Our pumps", Content_Length="500")
    assert "part" in host.problem(size=500)
    host.sends(b"Our pumps", Content_Length="500")
    assert (
        host.fetch("a.md", size=9).text == "Our pumps"
    )  # that header lied, and nothing is missing


def test_a_host_that_does_not_answer(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TIMEOUT", 0.1)
    over = threading.Event()
    host.answer = lambda request: over.wait(60) and None
    assert "too long" in host.problem()
    over.set()


def test_a_host_that_trickles(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "DEADLINE", 0.0)
    host.sends(b"Our pumps")
    assert "too long" in host.problem()


def test_a_host_that_hangs_up_or_is_not_there(host: Host) -> None:
    host.answer = lambda request: None
    assert "no connection" in host.problem()
    nobody = {"name": "a.md", "url_private": "http://127.0.0.1:1/a"}
    with pytest.raises(DraftProblem, match="no connection"):
        fetch(nobody, TOKEN, "http://127.0.0.1:1/api/")


def test_a_document_with_more_text_than_a_draft_may_have(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.sends(written("Our pumps run. " * 100))
    monkeypatch.setattr(drafts, "MAX_DRAFT_BYTES", 1024)
    assert "split" in host.problem("a.docx")
