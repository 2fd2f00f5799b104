"""From what the user names to drafts: files, folders and standard input, with their settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from onbrand.config import ConfigCache, Settings, settings_for
from onbrand.drafts import MAX_DRAFT_BYTES, SUFFIXES, find_drafts
from onbrand.errors import OnbrandError
from onbrand.files import read_standard_input, read_text
from onbrand.text.document import Document, format_of, parse
from onbrand_cli.options import warn

STDIN = "-"


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


def read_drafts(names: list[str], stdin_path: str | None, config: Path | None) -> list[Draft]:
    """Read the drafts that the user names; those that the configuration excludes are left out.

    Args:
        names: files, folders, or ``-`` for standard input.
        stdin_path: what to call the draft on standard input.
        config: the one configuration file to use.

    Raises:
        OnbrandError: a draft cannot be read, or a configuration file is wrong.
    """
    cache: ConfigCache = {}
    told: set[str] = set()
    drafts = []
    for name in _expand(names):
        path = (stdin_path or "stdin.md") if name == STDIN else name
        settings = settings_for(Path(path), explicit=config, cache=cache)
        for warning in settings.warnings:
            if warning not in told:
                warn(warning)
            told.add(warning)
        if settings.excluded:
            if name in names:
                warn(f"{path}: not judged; {settings.source} excludes it")
            continue
        if name == STDIN:
            source = read_standard_input(path, max_bytes=MAX_DRAFT_BYTES)
        else:
            source = read_text(Path(name), max_bytes=MAX_DRAFT_BYTES)
        document = parse(source, format_of(path), quotes=settings.quotes)
        drafts.append(Draft(path, source, document, settings))
    return drafts


def _expand(names: list[str]) -> list[str]:
    """Replace folders by the drafts in them; what is named twice stays once."""
    found: dict[str, None] = {}
    for name in names:
        folder = Path(name)
        if name == STDIN or not folder.is_dir():
            found[name] = None
            continue
        inside = find_drafts(folder, lambda file: warn(f"{file}: left out; it is no regular file"))
        if not inside:
            raise OnbrandError(
                f"holds no drafts (files that end in {', '.join(SUFFIXES)}); name another folder",
                path=folder,
            )
        found.update(dict.fromkeys(map(str, inside)))
    return list(found)
