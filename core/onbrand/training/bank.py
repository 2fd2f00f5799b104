"""The bank of voices: short pieces of copy, each in a neutral voice and again in wrong ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from onbrand.errors import OnbrandError
from onbrand.files import read_text

NEUTRAL = "neutral"
GOOD_VOICES = (NEUTRAL, "plain", "wry", "warm", "terse", "exact")
"""What an editor would be happy to publish."""
WRONG_VOICES = (
    *("hype", "corporate", "legalese", "chatbot", "chummy", "academic", "bureaucratic", "tabloid"),
    *("hardsell", "motivational", "condescending", "florid", "telegraphic", "jargon"),
    *("apologetic", "slang"),
)
"""The ways in which drafts go wrong."""

_LINE = re.compile(r"(\d+)\. (\S.*)")


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of copy in several voices; line *n* says the same in each of them."""

    name: str
    kind: str
    """Of text, say "help page"."""
    subject: str
    """And whose it is, say "neighbourhood bakery"."""
    lines: dict[str, tuple[str, ...]]
    """Of each voice, the same number for all; the first one is a heading."""


def read_piece(path: Path) -> Piece:
    """Read a piece from its Markdown file (see ``models/voice_bank/README.md``).

    Raises:
        OnbrandError: the file is not of that form; the message names the line.
    """
    head, matter, body = [*read_text(path).split("---\n", 2), "", ""][:3]
    settings = dict(line.split(": ", 1) for line in matter.splitlines() if ": " in line)
    if head or not {"kind", "subject"} <= set(settings):
        raise OnbrandError("needs front matter with kind and subject", path=path)
    lines: dict[str, list[str]] = {}
    voice: list[str] | None = None
    for number, line in enumerate(body.splitlines(), 1 + matter.count("\n") + 2):
        if line.startswith("## "):
            voice = lines.setdefault(line[3:].strip(), [])
        elif line.strip():
            found = _LINE.fullmatch(line.strip())
            if voice is None or not found or int(found[1]) != len(voice) + 1:
                raise OnbrandError(
                    "expected a heading '## voice' or the next numbered line",
                    path=path,
                    line=number,
                )
            voice.append(found[2])
    counts = {len(each) for each in lines.values()}
    if NEUTRAL not in lines or len(counts) != 1:
        raise OnbrandError(
            f"needs a section '## {NEUTRAL}', and as many lines in every other section", path=path
        )
    voices = {name: tuple(each) for name, each in lines.items()}
    return Piece(path.stem, settings["kind"], settings["subject"], voices)


def read_pieces(folder: Path) -> list[Piece]:
    """Read all pieces of a folder, sorted by name (see `read_piece`)."""
    return [read_piece(path) for path in sorted(folder.glob("*.md"))]
