"""Text for hovers and documents: Markdown in which the customer's own text is only ever text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from onbrand.document.masking import PLACEHOLDER
from onbrand.report.message import printable

# Any of these can be, begin or end markup somewhere: emphasis, code, links, HTML, entities, tables,
# formulas, and addresses that GitHub's Markdown links without being asked.
_MARKUP = re.compile(r"[\\`*_\[\]<>|~$&@^{}]|:(?=//)|(?<=\b[wW]{3})\.|!(?=\[)")
# What would begin a heading, a list, a rule: the text may be the first thing on its line.
_BLOCK = re.compile(r"^(?:(?=[#+=-])|(\d{1,9})(?=[.)](?: |$)))")


@dataclass(frozen=True, slots=True)
class Markup:
    """Writes Markdown, or the same as plain text."""

    markdown: bool

    def text(self, text: str) -> str:
        """Return somebody else's text on one line, so that it reads as it is."""
        line = " ".join(printable(text).replace(PLACEHOLDER, "…").split())
        if not self.markdown:
            return line
        return _BLOCK.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", line))

    def quote(self, text: str) -> str:
        """Return somebody else's text in quotation marks."""
        return f"“{self.text(text)}”"

    def strong(self, text: str) -> str:
        """Return somebody else's text, set off."""
        return f"**{self.text(text)}**" if self.markdown else self.text(text)

    def code(self, text: str) -> str:
        """Return code of our own."""
        return f"`{text}`" if self.markdown else text

    def bullets(self, items: Iterable[str]) -> str:
        """Return a list; the items are written already."""
        return "\n".join(f"- {item}" for item in items)

    def paragraphs(self, parts: Iterable[str]) -> str:
        """Return what is left of the parts when the empty ones are dropped."""
        return "\n\n".join(part for part in parts if part)
