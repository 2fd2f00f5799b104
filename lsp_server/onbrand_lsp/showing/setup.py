"""Where nobody has set onbrand up: what is missing, and who is told, once in a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from onbrand.files import CONFIG_FILE
from onbrand_lsp.checking.projects import UNCONFIGURED

if TYPE_CHECKING:
    from onbrand_lsp.checking.judging import Checked

TITLE = "Set up onbrand…"
_COMMAND = "onbrand.showConfiguration"


class SetUpOffer:
    """Picks one document of each workspace folder to offer the set-up above its text."""

    def __init__(self) -> None:
        self._offered: dict[Path | None, str] = {}

    def line(self, uri: str, folder: Path | None) -> str | None:
        """Return what to log about a document that nothing is set up for; None: it was said."""
        if folder in self._offered:
            return None
        self._offered[folder] = uri
        place = folder or "files outside a folder"
        return f"{place}: {UNCONFIGURED}, so nothing is judged; {_COMMAND} says what to do"

    def lenses(self, checked: Checked) -> list[types.CodeLens]:
        """Return the lens that offers it, for the document that was picked."""
        uri = checked.snapshot.uri
        if uri not in self._offered.values():
            return []
        start = types.Position(0, 0)
        command = types.Command(TITLE, _COMMAND, arguments=[{"uri": uri}])
        return [types.CodeLens(types.Range(start, start), command)]


def is_missing(checked: Checked) -> bool:
    """Return whether a document is not judged because nothing is set up for it."""
    return checked.silent == UNCONFIGURED


def steps(folder: Path | None) -> str:
    """Return what to do, as Markdown."""
    file = f"`{folder / CONFIG_FILE}`" if folder else f"`{CONFIG_FILE}` beside the drafts"
    return (
        "To set onbrand up:\n\n"
        "1. Get the folder `voices` of your team, or train a voice from pages that the brand has "
        "published: `onbrand train --published PAGES --brand NAME -o voices`\n"
        f"2. Write into {file}:\n\n"
        '   ```toml\n   brand = "NAME"\n   voices = ["voices"]\n   ```\n'
    )
