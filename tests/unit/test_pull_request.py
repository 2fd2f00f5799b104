"""The action for pull requests: its command line, its comment, and what its file may not do."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

from onbrand.report.markdown import MARKER

ROOT = Path(__file__).parents[2]
FINDINGS = f"{MARKER}\n### onbrand\n\nWorst sentences:\n\n- **a.md**, line 1: “Bad.”<br>\n  Why.\n"
CLEAN = f"{MARKER}\n### onbrand: 1 draft goes forward\n"
BOT, HUMAN = {"type": "Bot"}, {"type": "User"}


@dataclass
class GitHub:
    """The comments on one pull request."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: bool = False


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    service = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            page = int(re.search(r"[?&]page=(\d+)|$", self.path)[1] or 1)
            more = len(service.comments) > page * 2
            link = f'<{service.url}{self.path.split("&page")[0]}&page={page + 1}>; rel="next"'
            self.answer(service.comments[page * 2 - 2 : page * 2], link if more else "")

        def do_POST(self) -> None:
            comment = {"id": len(service.comments) + 1, "user": BOT, **self.body()}
            service.comments.append(comment)
            self.answer(comment)

        def do_PATCH(self) -> None:
            number = int(self.path.rsplit("/", 1)[1])
            (comment,) = [one for one in service.comments if one["id"] == number]
            comment.update(self.body())
            self.answer(comment)

        def body(self) -> Any:
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, value: object, link: str = "") -> None:
            service.asked.append(f"{self.command} {self.path}")
            assert self.headers["Authorization"] == "Bearer secret"
            self.send_response(403 if service.refused else 200)
            self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name, value in {
        "GITHUB_API_URL": service.url,
        "GITHUB_REPOSITORY": "acme/site",
        "GITHUB_TOKEN": "secret",
        "PULL_REQUEST": "7",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def script() -> Any:
    return load_script(".ci/pull_request.py")


def test_one_comment_is_kept_up_to_date(script: Any, github: GitHub) -> None:
    github.comments = [
        {"id": n, "user": HUMAN, "body": f"{MARKER}\nNot ours." if n == 2 else "Nice."}
        for n in range(1, 6)
    ]
    script.keep_comment(FINDINGS)
    assert github.comments[-1]["body"] == FINDINGS
    assert github.asked[-1] == "POST /repos/acme/site/issues/7/comments"
    github.asked.clear()
    script.keep_comment(FINDINGS)
    assert {one.split()[0] for one in github.asked} == {"GET"}  # it says so already
    script.keep_comment(CLEAN)
    assert github.asked[-1] == "PATCH /repos/acme/site/issues/comments/6"
    assert [one["body"] for one in github.comments if one["user"] == BOT] == [CLEAN]
    assert github.comments[1]["body"] == f"{MARKER}\nNot ours."


def test_there_is_no_first_comment_that_says_nothing(script: Any, github: GitHub) -> None:
    script.keep_comment(CLEAN)
    assert github.comments == []


def test_a_token_that_may_not_comment_is_a_warning(
    script: Any,
    github: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    github.refused = True
    (tmp_path / "a.md").write_text("Our stakeholders leverage synergies at scale.\n")
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "COMMENT": "true",
        "ARGUMENTS": "--avoid\ncorporate,hype\n",
        "PATHS": "\n  a.md\n",
        "BASE": "",
        "EXIT": "any",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "page.md"),
    }.items():
        monkeypatch.setenv(name, value)
    assert script.main() == 1
    printed = capfd.readouterr().out
    assert "file=a.md,line=1" in printed
    assert "::warning title=onbrand::The summary could not be posted (HTTP Error 403" in printed
    assert (tmp_path / "page.md").read_text().startswith(MARKER)


def test_the_command_line(script: Any, tmp_path: Path) -> None:
    given = {"BASE": "abc", "PATHS": "content/**/*.md\n--exit\n", "EXIT": "", "ARGUMENTS": ""}
    _, *rest = script.command(given, tmp_path)
    assert rest == [
        *("-m", "onbrand", "check", "--format", "github", "--summary", str(tmp_path)),
        *("--diff", "abc", "--", "content/**/*.md", "--exit"),
    ]
    assert script.command({}, tmp_path)[-2:] == ["--", "."]


def test_the_action_installs_its_own_source_and_puts_no_input_into_a_shell() -> None:
    action = (ROOT / "action.yml").read_text("utf-8")
    runs = re.findall(r"^( +)run: (?:\|\n((?:\1 +.*\n)+)|(.+)\n)", action, re.MULTILINE)
    assert len(runs) == 2
    for _, block, line in runs:
        assert "${{" not in block + line
    installed = re.findall(r"pip install (.*)", action)
    assert [one.rsplit(" ", 1)[1] for one in installed] == ['"$SOURCE"']
    assert "SOURCE: ${{ inputs.wheel || github.action_path }}" in action
    assert (ROOT / ".ci/pull_request.py").is_file()
    inputs = set(re.findall(r"inputs\.([a-z]+)", action))
    assert inputs == set(re.findall(r"^  ([a-z]+):\n    description", action, re.MULTILINE))
