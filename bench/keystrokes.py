"""Somebody types drafts into the language server, key by key, and watches the underlines.

The server is the real one, in this process, on an event loop that skips the time in which nothing
happens: an hour of typing takes as long as its checks. Data: a folder with drafts a brand, one with
the same content in wrong voices, and tasks to train the voices from. `bench/lsp.py` runs it, alone
with ``--only typing``.
"""

from __future__ import annotations

import asyncio
import json
import random
import selectors
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from figures import Row, write
from rewrites import MODES, voice_of

from onbrand.document.directives import read_front_matter
from onbrand.encoder import Encoder
from onbrand.voice.storage import save_voice
from onbrand_lsp.handlers import build_server
from onbrand_lsp.models import begin

T = TypeVar("T")
Message = dict[str, Any]
Place = tuple[int, int]
SEED = 20261201
KINDS = ("pulled", "pushed", "no pause")
FOUND = 0.6
"""Seconds from an end mark within which a check finds what is to be found."""
WRONG = ("chatbot", "corporate", "hype", "legalese")
INTRO = """# What a writer sees of the language server while typing

Made by `python bench/lsp.py --only typing`: drafts typed key by key into the server, at a human
rhythm, by a client that pulls diagnostics and by one that is told. The time is simulated, but for
what the checks take.

"""


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop that skips the time in which nothing happens and no thread works for it."""

    def __init__(self) -> None:
        selector = _Selector()
        super().__init__(selector)
        selector.loop = self
        self.skipped = 0.0
        self.working = 0

    def time(self) -> float:
        """Return the real time and all that was skipped."""
        return super().time() + self.skipped

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: object
    ) -> asyncio.Future[T]:
        """Run something in a thread, meanwhile skipping nothing."""
        done = super().run_in_executor(executor, func, *args)
        self.working += 1
        done.add_done_callback(self._worked)
        return done

    def _worked(self, _done: object) -> None:
        self.working -= 1


class _Selector(selectors.DefaultSelector):
    loop: SkippingLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None or self.loop.working:
            return super().select(timeout)
        self.loop.skipped += timeout or 0.0
        return []


def rhythm(text: str, rng: random.Random) -> Iterator[float]:
    """Yield the seconds before each key of a text, as somebody types who thinks in between.

    Some 45 words a minute within words; a writer stops before some words, more often before a
    sentence or a paragraph, and now and then in the middle of a word.
    """
    before = "\n"
    for letter in text:
        gap = rng.lognormvariate(-1.75, 0.45)
        if letter == "\n" or before == "\n":
            gap += rng.uniform(0.5, 6.0) if rng.random() < 0.4 else 0.2
        elif before == " ":
            gap += rng.uniform(0.6, 4.0) if rng.random() < 0.06 else 0.05
        elif before in ".!?":
            gap += rng.uniform(0.6, 5.0) if rng.random() < 0.35 else 0.0
        elif rng.random() < 0.004:
            gap += rng.uniform(0.6, 2.5)
        yield gap
        before = letter


@dataclass
class FileResult:
    """What the writer saw."""

    keys: int = 0
    appeared: int = 0
    vanished: int = 0
    on_half_words: int = 0
    """Messages that came, or changed, while the last word they are about was half typed."""
    changed: int = 0
    """Messages that changed on a sentence that was being typed."""
    at_the_end: int = 0
    waits: dict[tuple[str, Place], float] = field(default_factory=dict)
    """Seconds from the end mark of a sentence to its underline, by draft and start."""

    def per_10_000(self, count: int) -> float:
        """Return a count for 10,000 keys."""
        return 10_000 * count / self.keys


class Page:
    """The text in the editor, written at its end, and the underlines there."""

    def __init__(self, begun: str) -> None:
        self.text, self.line, self.column = "", 0, 0
        self.underlines: dict[tuple[Place, Place], str] = {}
        self.first_seen: dict[Place, float] = {}
        for letter in begun:
            self.add(letter)

    def add(self, letter: str) -> None:
        """Take in a key."""
        self.text += letter
        self.line, self.column = (
            (self.line + 1, 0)
            if letter == "\n"
            else (self.line, self.column + 1 + (ord(letter) > 0xFFFF))
        )

    def show(self, found: Sequence[Message], now: float, following: str, seen: FileResult) -> None:
        """Take in the diagnostics, and count how the underlines differ."""
        new = {
            (_place(one["range"]["start"]), _place(one["range"]["end"])): one["message"]
            for one in found
            if one.get("code") == "off-brand"
        }
        half = self.text[-1:].isalnum() and following.isalnum()
        for span, message in new.items():
            before = [said for other, said in self.underlines.items() if _meet(span, other)]
            at_cursor = span[1] >= (self.line, self.column)
            seen.appeared += not before
            news = message not in before
            seen.changed += bool(before) and news and at_cursor
            seen.on_half_words += news and at_cursor and half
        gone = [span for span in self.underlines if not any(_meet(span, one) for one in new)]
        seen.vanished += len(gone)
        self.first_seen = {
            span[0]: self.first_seen.get(span[0], now) for span in sorted(new, reverse=True)
        }
        self.underlines = new


def _place(position: Message) -> Place:
    return position["line"], position["character"]


def _meet(one: tuple[Place, Place], other: tuple[Place, Place]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


class Client:
    """An editor in the server's own process; it pulls after each change, or is told."""

    def __init__(self, folder: Path, *, pulls: bool, pause: int | None) -> None:
        text: Message = {"publishDiagnostics": {"versionSupport": True}}
        if pulls:
            text["diagnostic"] = {}
        watching = {"dynamicRegistration": True, "relativePatternSupport": True}
        params = {
            "rootUri": folder.as_uri(),
            "capabilities": {
                "textDocument": text,
                "workspace": {
                    "didChangeWatchedFiles": watching,
                    "diagnostics": {"refreshSupport": True},
                },
            },
            "initializationOptions": {"settings": {} if pause is None else {"typingPause": pause}},
        }
        self.pulls, self.folder = pulls, folder
        self.uri, self.version = "", 0
        self.on_diagnostics: Callable[[list[Message]], None] = lambda _: None
        self.given = asyncio.Event()
        self._asked, self._known = 0, None
        self.server = build_server(begin(params))
        self.server.begin(self, params, lambda: None)  # type: ignore[arg-type]
        self._notify("initialized")

    def send(self, message: Any, default: Callable[[Any], Any] | None = None) -> None:  # noqa: ANN401
        """Take what the server sends."""
        got = json.loads(json.dumps(message, default=default))
        if got.get("method") == "textDocument/publishDiagnostics":
            if (got["params"]["uri"], got["params"].get("version")) == (self.uri, self.version):
                self._show(got["params"]["diagnostics"])
        elif got.get("method") == "workspace/diagnostic/refresh":
            self._pull()
        if "method" in got:
            if "id" in got:
                self._receive({"id": got["id"], "result": None})
        elif got["id"] == self._asked:
            self._answered(got)

    def open(self, name: str, text: str) -> None:
        """Open a document."""
        self.uri, self.version, self._known = (self.folder / name).as_uri(), 1, None
        item = {"uri": self.uri, "languageId": "markdown", "version": 1, "text": text}
        self._notify("textDocument/didOpen", textDocument=item)
        self._pull()

    def type(self, page: Page, letter: str) -> None:
        """Type a key at the end."""
        at = {"line": page.line, "character": page.column}
        page.add(letter)
        self.version += 1
        self._notify(
            "textDocument/didChange",
            textDocument={"uri": self.uri, "version": self.version},
            contentChanges=[{"range": {"start": at, "end": at}, "text": letter}],
        )
        self._pull()

    def close(self) -> None:
        """Close the document."""
        self._notify("textDocument/didClose", textDocument={"uri": self.uri})
        self.uri = ""

    async def stop(self) -> None:
        """End the server."""
        self.server.close()
        await asyncio.gather(*self.server._tasks, return_exceptions=True)

    def _pull(self) -> None:
        if self.pulls and self.uri:
            self._asked += 1
            params: Message = {"textDocument": {"uri": self.uri}, "previousResultId": self._known}
            message = {"id": self._asked, "method": "textDocument/diagnostic", "params": params}
            self._receive(message)

    def _answered(self, message: Message) -> None:
        """Take the answer to the last request; to older ones nobody listens any more."""
        if "error" in message or not self.uri:
            return
        report = message["result"]
        self._known = report.get("resultId")
        if report["kind"] == "full":
            self._show(report["items"])
        self.given.set()

    def _show(self, found: list[Message]) -> None:
        self.on_diagnostics(found)
        self.given.set()

    def _notify(self, method: str, **params: object) -> None:
        self._receive({"method": method, "params": params})

    def _receive(self, message: Message) -> None:
        self.server.receive({"jsonrpc": "2.0", **message})


async def type_draft(
    client: Client, name: str, text: str, rng: random.Random, seen: FileResult
) -> Page:
    """Type a draft under its front matter, wait at its end, and count what is seen."""
    begun = text[: len(text) - len(text[read_front_matter(text).end :].lstrip())]
    page, following = Page(begun), ""

    def show(found: list[Message]) -> None:
        page.show(found, loop.time(), following, seen)

    loop = asyncio.get_running_loop()
    client.on_diagnostics = show
    client.given.clear()
    client.open(name, begun)
    await client.given.wait()
    body = text[len(begun) :]
    typed_at = []
    for number, (letter, gap) in enumerate(zip(body, rhythm(body, rng), strict=True)):
        await asyncio.sleep(gap)
        following = body[number + 1 : number + 2]
        client.type(page, letter)
        typed_at.append(loop.time())
    following = ""
    await asyncio.sleep(5)
    seen.keys += len(body)
    seen.at_the_end += len(page.underlines)
    seen.waits |= {(name, start): wait for start, wait in _waits(page, len(begun), typed_at)}
    client.close()
    return page


def _waits(page: Page, begun: int, typed_at: list[float]) -> Iterator[tuple[Place, float]]:
    """Yield where each underlined sentence starts, and its seconds from end mark to underline."""
    starts = [0]
    starts += [at + 1 for at, letter in enumerate(page.text) if letter == "\n"]
    for start, end in page.underlines:
        line = page.text[starts[end[0]] :]
        units = line.encode("utf-16-le")[: 2 * end[1]].decode("utf-16-le")
        at = starts[end[0]] + len(units)
        marks = [n for n in range(max(0, at - 3), at) if page.text[n] in ".!?"]
        if marks and marks[-1] >= begun:
            yield start, max(0.0, page.first_seen[start] - typed_at[marks[-1] - begun])


def pieces(text: str, keys: int) -> str:
    """Return the beginning of a draft: front matter, and whole paragraphs up to so many keys."""
    begun = read_front_matter(text).end
    body = text[begun:].replace("\r\n", "\n").strip()
    end = len(body) if len(body) <= keys else body.rfind("\n\n", 0, keys)
    body = body[: end if end > 0 else body.rfind(" ", 0, keys)]
    return f"{text[:begun].rstrip()}\n\n{body}" if begun else body


def make_project(folder: Path, brand: str, tasks: Path, encoder: Encoder) -> None:
    """Write a project with the voice of a brand, trained from its labels."""
    voice = voice_of(brand, tasks, MODES["labels"], encoder)
    save_voice(voice, folder / "voices" / voice.brand)
    config = f'root = true\nvoices = ["voices"]\nbrand = "{voice.brand}"\n'
    (folder / "onbrand.toml").write_text(config)


def see(folder: Path, name: str, text: str, kind: str, seen: FileResult) -> None:
    """Type a draft in a project, and count what a kind of client shows."""

    async def session() -> None:
        pause = 0 if kind == "no pause" else None
        client = Client(folder, pulls=kind != "pushed", pause=pause)
        await type_draft(client, name, text, random.Random(SEED), seen)
        await client.stop()

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(session())


def measure(data: Path, keys: int) -> None:
    """Type what each brand published, and what it would never say; write the table.

    Args:
        data: the folder of drafts, rewrites and tasks.
        keys: how much of each draft is typed, and half as much of what is off-brand.
    """
    encoder = Encoder.load()
    own, wrong = ({kind: FileResult() for kind in KINDS} for _ in range(2))
    brands = sorted(folder.name for folder in (data / "drafts").iterdir() if folder.is_dir())
    for number, brand in enumerate(brands):
        published = sorted((data / "drafts" / brand).glob("*.md"))[0]
        rewritten = next((data / "rewrites").glob(f"{brand}--*")) / f"{WRONG[number % 4]}.md"
        drafts = [
            (pieces(published.read_text("utf-8"), keys), own),
            (pieces(rewritten.read_text("utf-8"), keys // 2), wrong),
        ]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            make_project(folder, brand, data / "brands14", encoder)
            for kind in KINDS:
                for text, seen in drafts:
                    see(folder, f"{brand}.md", text, kind, seen[kind])
        print(f"{brand}: {len(wrong['pulled'].waits)} off-brand, {own['pulled']}", flush=True)
    write("lsp_typing", INTRO, [row for kind in KINDS for row in rows(kind, own, wrong)])


def rows(kind: str, own: dict[str, FileResult], wrong: dict[str, FileResult]) -> Iterator[Row]:
    """Yield the figures of one kind of client."""
    calm = kind != "no pause"
    seen = own[kind]

    def bar(most: float | None) -> float | None:
        return most if calm else None

    keys, per = f"{seen.keys:,} keys of on-brand drafts", "per 10,000"
    for what, count, most in (
        (f"underlines that appear, {keys}", seen.appeared, 8),
        ("underlines that vanish", seen.vanished, 2),
        ("underlines of the finished drafts", seen.at_the_end, None),
    ):
        yield Row(f"{kind}: {what}", seen.per_10_000(count), per, bar(most))
    for which, whose in ((own[kind], "on-brand"), (wrong[kind], "off-brand")):
        yield Row(f"{kind}: messages on half-words, {whose}", which.on_half_words, "", bar(0))
        changed = f"{kind}: messages changed on the sentence being typed, {whose}"
        yield Row(changed, which.changed, "")
    # The rest of a draft moves the threshold: some sentences are off-brand only by what follows.
    found = {key for key, wait in wrong["no pause"].waits.items() if wait < FOUND}
    waits = wrong[kind].waits
    for times, what, longest in (
        ([wait for key, wait in waits.items() if key in found], "off-brand sentences", 1.3),
        ([*waits.values()], "them and those that turn off-brand by what follows", None),
    ):
        p95 = sorted(times)[min(len(times) - 1, int(0.95 * len(times)))] if times else 0.0
        name = f"{kind}: end mark to underline, p95 of {len(times)} {what}"
        yield Row(name, p95, "s", bar(longest))
