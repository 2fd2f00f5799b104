"""Files that are not what they should be: one clear line each, no harm, and no token for others."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from slack_documents import OLE, main_part, package, written
from slack_peer import LOGIN_PAGE, SlackPeer
from slack_process import SlackProcess
from slack_talk import FLAGGED
from slack_trouble import Troubled, check_log

NewTalk = Callable[[], Troubled]
MB = 1024 * 1024
NOISE = random.Random(4).randbytes(5000)
DOCUMENT = written(FLAGGED, "The end.")
KINDS = "reads .txt, .md, .html and .docx files"


@dataclass(frozen=True)
class Hostile:
    """A file, and the words that its sender gets."""

    name: str
    content: bytes
    says: str
    info: dict[str, Any] = field(default_factory=dict)
    downloads: int = 1
    """How often it may be asked for."""


def _unseen(name: str, says: str, **info: Any) -> Hostile:
    return Hostile(name, FLAGGED.encode(), says, info, downloads=0)


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    doctype = f'<!DOCTYPE w [<!ENTITY l0 "ha">{entities}]>'
    return package([("word/document.xml", main_part("<w:p>&l19;</w:p>", prolog=doctype))])


BOMB = package([("word/document.xml", main_part(" " * 30 * MB))])
HOSTILE = {
    "login page": Hostile("draft.txt", LOGIN_PAGE, "sign-in page", {"open": True, "size": 999}),
    "zip bomb": Hostile("draft.docx", BOMB, "unusual way"),
    "zip bomb of pictures": Hostile(
        "draft.docx",
        package([("word/document.xml", main_part("")), ("media/1.bmp", bytes(64 * MB))]),
        "unpacks to more than 32 MB",
    ),
    "many entries": Hostile(
        "draft.docx", package((f"{n}.xml", b"") for n in range(3000)), "unusual way"
    ),
    "billion laughs": Hostile("draft.docx", _laughs(), "unusual way"),
    "encrypted": Hostile(
        "draft.docx", OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"), "password"
    ),
    "old Word": Hostile("draft.docx", OLE + bytes(2000), "old Word document (.doc)"),
    "old Word by name": _unseen("draft.doc", KINDS),
    "cut off": Hostile("draft.docx", DOCUMENT[: len(DOCUMENT) // 2], "damaged"),
    "noise": Hostile("draft.docx", NOISE, "damaged"),
    "spreadsheet": Hostile("draft.docx", package([("xl/a.xml", b"<a/>")]), "no Word document"),
    "30 MB": _unseen("draft.txt", "30 MB, more than the 4 MB", size=30 * MB),
    "30 MB of Word": _unseen("draft.docx", "30 MB, more than the 10 MB", size=30 * MB),
    "30 MB, said to be small": Hostile(
        "draft.txt", b"Words. " * (30 * MB // 7), "more than the 4 MB", {"size": 100}
    ),
    "unknown kind": _unseen("draft.pdf", KINDS),
    "program": _unseen("setup.exe", KINDS),
    "no ending": _unseen("draft", KINDS, filetype="binary"),
    "empty": Hostile("draft.txt", b"", "no text in the file"),
    "blank": Hostile("draft.md", b" \n\t\r\n" * 100, "no text in the file"),
    "binary": Hostile("draft.txt", b"\x7fELF" + bytes(200) + NOISE, "binary file"),
    "Latin-1": Hostile("draft.txt", "Füße und Bäume.".encode("latin-1"), "not UTF-8"),
    "half UTF-16": Hostile("draft.txt", FLAGGED.encode("utf-16")[:-1], "not whole UTF-16"),
    "less than known": Hostile("draft.txt", FLAGGED.encode(), "Only a part", {"size": 5000}),
    "not there": Hostile("draft.txt", b"", "was deleted", {"status": 404, "size": 9}),
    "not for us": Hostile("draft.txt", b"", "does not show the file", {"status": 403, "size": 9}),
    "server error": Hostile("draft.txt", b"", "HTTP 500", {"status": 500, "size": 9}),
    "elsewhere": _unseen("draft.txt", "outside Slack", mode="external", is_external=True),
    "deleted": _unseen("draft.txt", "was deleted in Slack", mode="tombstone"),
    "hidden": _unseen("draft.txt", "older than your plan", mode="hidden_by_limit"),
    "canvas": _unseen("Plan", "canvas", mode="canvas", filetype="quip"),
    "of another channel": _unseen("draft.txt", "not show the file", file_access="access_denied"),
}


@pytest.fixture(scope="module")
def peer() -> Iterator[SlackPeer]:
    with SlackPeer() as peer:
        yield peer


@pytest.fixture(scope="module")
def app(
    peer: SlackPeer, tmp_path_factory: pytest.TempPathFactory, example_voices: Path
) -> Iterator[SlackProcess]:
    folder = tmp_path_factory.mktemp("files")
    with SlackProcess(peer, folder, example_voices) as app:
        yield app
        check_log(app, "draft.txt", "draft.docx")


@pytest.fixture(scope="module")
def new_talk(peer: SlackPeer, app: SlackProcess) -> Iterator[NewTalk]:
    """Makes users with files of their own."""
    talks: list[Troubled] = []
    numbers = itertools.count(1)

    def new() -> Troubled:
        talks.append(Troubled(peer, app, next(numbers)))
        return talks[-1]

    yield new
    for talk in talks:
        talk.close()


def upload(talk: Troubled, *names: str, content: bytes = b"", **info: Any) -> list[str]:
    """Send files in a direct message and return their ids."""
    ids = [talk.peer.add_file(name, content, **info) for name in names]
    files = [{"id": file, "name": name} for file, name in zip(ids, names, strict=True)]
    assert talk.write("oatfolk", subtype="file_share", files=files).status == 200
    return ids


def memory(app: SlackProcess, what: str = "VmHWM") -> int:
    """Return the app's resident bytes, at most or now (``VmRSS``)."""
    status = Path(f"/proc/{app.process.pid}/status").read_text()
    return int(re.search(rf"{what}:\s*(\d+) kB", status)[1]) * 1024


@pytest.fixture(scope="module")
def received(app: SlackProcess, new_talk: NewTalk) -> dict[str, tuple[Troubled, str]]:
    """All hostile files, sent at once: who sent them, and their ids."""
    first = new_talk()
    upload(first, "draft.txt", content=FLAGGED.encode())
    first.settle()
    before = memory(app)
    sent = {}
    for name, hostile in HOSTILE.items():
        talk = new_talk()
        [file] = upload(talk, hostile.name, content=hostile.content, **hostile.info)
        sent[name] = talk, file
    first.settle()
    assert memory(app) - before < 150 * MB
    return sent


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_answered_with_one_line(
    peer: SlackPeer, received: dict[str, tuple[Troubled, str]], name: str
) -> None:
    talk, file = received[name]
    [told] = talk.told()
    assert HOSTILE[name].says in told
    [call] = talk.made("chat.postMessage")
    assert "\n" not in call.arguments["text"]
    asked = [call for call in peer.of("file") if call.arguments["id"] == file]
    assert len(asked) == HOSTILE[name].downloads


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_any_unicode_is_read(new_talk: NewTalk, encoding: str) -> None:
    talk = new_talk()
    upload(talk, "draft.txt", content=f"{FLAGGED} Füße.".encode(encoding))
    assert "Füße" in str(talk.written()) or "off-brand" in talk.told()[0]


@pytest.mark.parametrize(("times", "length"), [(9, len(FLAGGED)), (1, 5000)])
def test_slack_knows_a_files_size_better_than_its_server(
    new_talk: NewTalk, times: int, length: int
) -> None:
    talk = new_talk()
    said = {"Content-Length": str(length)}
    upload(talk, "draft.txt", content=FLAGGED.encode() * times, size=len(FLAGGED), headers=said)
    assert "1 of 1 sentence" in talk.written()["text"]


# --- where a token may go -----------------------------------------------------------------------


@pytest.fixture
def stranger() -> Iterator[SlackPeer]:
    """Somebody else's server, which would gladly have a token."""
    with SlackPeer() as stranger:
        yield stranger


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    peer: SlackPeer, stranger: SlackPeer, new_talk: NewTalk, status: int
) -> None:
    talk = new_talk()
    secret = stranger.add_file("draft.txt", FLAGGED.encode(), open=True)
    target = stranger.files[secret].info["url_private"]
    upload(talk, "draft.txt", content=b"", size=9, status=status, headers={"Location": target})
    assert "sign-in page" in talk.written()["text"]
    assert stranger.calls == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "files.slack.com@127.0.0.1"])
def test_a_token_goes_to_no_other_server(stranger: SlackPeer, new_talk: NewTalk, host: str) -> None:
    talk = new_talk()
    url = f"http://{host}:{stranger.port}/files-pri/F1/draft.txt"
    upload(talk, "draft.txt", content=b"", size=9, url_private=url, url_private_download=url)
    assert "outside Slack" in talk.written()["text"]
    assert stranger.calls == []


# --- many, slow, and oddly named ----------------------------------------------------------------


def test_of_six_files_five_are_checked_and_the_sixth_is_named(new_talk: NewTalk) -> None:
    talk = new_talk()
    names = [f"draft-{number}.txt" for number in range(6)]
    upload(talk, *names, content=FLAGGED.encode())
    talk.settle()
    told = talk.told()
    assert len(told) == 6
    assert [name in "".join(told) for name in names] == [True] * 5 + [False]
    assert "send the other 1 file again" in told[-1]


@pytest.mark.slow
def test_a_file_that_does_not_come_is_given_up(peer: SlackPeer, new_talk: NewTalk) -> None:
    talk = new_talk()
    peer.fail("file", delay=11.0)  # the app waits for 10 seconds
    upload(talk, "draft.txt", content=FLAGGED.encode())
    assert "too long to send the file" in talk.written()["text"]


@pytest.mark.parametrize(
    "name",
    [
        *("../../../../etc/passwd.txt", "..\\..\\boot.txt", "/etc/passwd.txt", "~root/a.txt"),
        *(
            "a\x00b\x1b[31m\x07\r\nc.txt",
            "\u202etxt.exe.txt",
            "<!channel> *b*.txt",
            "😀" * 200 + ".txt",
        ),
        "<@U000000001|x>.md",
    ],
)
@pytest.mark.parametrize("content", [FLAGGED.encode(), b""], ids=["draft", "empty"])
def test_an_odd_name_is_shown_and_does_nothing(
    app: SlackProcess, new_talk: NewTalk, name: str, content: bytes
) -> None:
    talk = new_talk()
    file = talk.peer.add_file("plain.txt", content)
    talk.peer.files[file].info.update(name=name, title=name)
    talk.write("oatfolk", subtype="file_share", files=[{"id": file, "name": name}])
    message = talk.written()
    text = message["text"]
    assert "<!" not in text and "<@" not in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", str(talk.told()))
    assert talk.ending() == ("done", "")
    created = {path.name for path in app.log_path.parent.iterdir()}
    assert {name.partition(".")[0] for name in created} <= {"slack", app.log_path.stem}
