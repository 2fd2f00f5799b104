"""From what the user names to drafts: files, folders and standard input, with their settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import typer

from onbrand.config import ConfigCache, Settings, settings_for
from onbrand.drafts import decode_draft, find_drafts, max_bytes, read_draft
from onbrand.errors import OnbrandError
from onbrand.files import read_bytes, read_standard_input
from onbrand.report.message import plural, printable
from onbrand.text import formats
from onbrand.text.document import Document, parse_named
from onbrand_cli.options import warn

STDIN = "-"
MAX_KINDS = 5
"""Endings of files left out that a line names."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that is to be judged, with the settings in force for it."""

    path: str
    source: str
    document: Document
    settings: Settings

    def brands(self, chosen: str | None) -> dict[str, int | None] | None:
        """Return the brands to judge as, and the line that first asks for each, if a line does.

        None: nothing names a brand.

        Args:
            chosen: the brand that the user wants, whatever the draft says.
        """
        main = chosen or self.document.brand or self.settings.brand
        if main is None:
            return None
        named: dict[str, int | None] = {main: None}
        if chosen is None:
            for sentence in self.document.sentences:
                if sentence.brand and sentence.brand not in named:
                    line, _ = self.document.lines.position(sentence.span.start)
                    named[sentence.brand] = line + 1
        return named

    def avoids(self, chosen: str | None) -> tuple[str, ...]:
        """Return what the draft must not read like by its settings, where nothing names a brand.

        Args:
            chosen: the brand that the user wants, if any.
        """
        return self.settings.avoid if self.brands(chosen) is None else ()


def read_drafts(
    names: list[str],
    stdin_path: str | None,
    config: Path | None,
    read_as: str | None = None,
    left_out: Counter[str] | None = None,
) -> list[Draft]:
    """Read the drafts that the user names; those that the configuration excludes are left out.

    So are files in folders that are in no known format, and a line on stderr says how many.

    Args:
        names: files, folders, or ``-`` for standard input.
        stdin_path: what to call the draft on standard input.
        config: the one configuration file to use.
        read_as: the format of what is named, folders aside, and of standard input. Without it the
            ending of the name decides; standard input is plain text where that says nothing.
        left_out: counts the files in no known format, by the endings of their names.

    Raises:
        OnbrandError: a draft cannot be read or is in no known format, or a configuration file is
            wrong.
    """
    chosen = formats.get(read_as) if read_as else None
    named = set(names)
    others: set[Path] = set()
    cache: ConfigCache = {}
    told: set[str] = set()
    drafts = []
    for name in _expand(names, others):
        path = (stdin_path or "stdin.md") if name == STDIN else name
        settings = settings_for(Path(path), explicit=config, cache=cache)
        for warning in settings.warnings:
            if warning not in told:
                warn(warning)
            told.add(warning)
        if settings.excluded:
            if name in named:
                warn(f"{path}: not judged; {settings.source} excludes it")
            continue
        form = (chosen if name in named else None) or formats.of_path(path)
        if name == STDIN:
            read = form or formats.get("text")
            source = decode_draft(read_standard_input(path, max_bytes=max_bytes(read)), path, read)
        elif form is None:
            read_bytes(Path(name), max_bytes=0)  # what is not there says so
            raise formats.unknown_format(path, "say how to read it, as in --read-as text")
        else:
            source = read_draft(Path(name), form)
        document = parse_named(
            source, path, read_as=form.name if form else None, quotes=settings.quotes
        )
        drafts.append(Draft(path, source, document, settings))
    kinds = note_left_out(others)
    if left_out is not None:
        left_out.update(kinds)
    return drafts


def note_left_out(files: Iterable[Path]) -> Counter[str]:
    """Say on stderr how many files in folders were in no known format; return how many of which."""
    kinds = Counter(sorted(file.suffix.lower() for file in files))
    if kinds:
        most = kinds.most_common(MAX_KINDS)
        listed = [f"{n:,} {kind or 'without an ending'}" for kind, n in most]
        listed += ["…"] if len(kinds) > MAX_KINDS else []
        count = plural(kinds.total(), "file")
        note = f"note: {count} left out, in no format that onbrand reads: {', '.join(listed)}"
        typer.echo(printable(note), err=True)
    return kinds


def _expand(names: list[str], others: set[Path]) -> list[str]:
    """Replace folders by the drafts in them; what is named twice stays once."""
    found: dict[str, None] = {}
    for name in names:
        folder = Path(name)
        if name == STDIN or not folder.is_dir():
            found[name] = None
            continue
        inside = find_drafts(
            folder, others, lambda file: warn(f"{file}: left out; it is no regular file")
        )
        if not inside:
            raise OnbrandError(
                f"holds no drafts (files that end in {', '.join(formats.suffixes())}); "
                "name another folder",
                path=folder,
            )
        found.update(dict.fromkeys(map(str, inside)))
    return list(found)
