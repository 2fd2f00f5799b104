"""The formats of drafts: the one list that the command line, the servers and the editors read.

A new format is a module beside this one and an entry in `FORMATS`. What cannot import Python is
checked against it by a test: the extension's ``package.json`` and ``drafts.ts``, the commit hook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from onbrand.document import docx, html, markdown, mdx, plain
from onbrand.document.blocks import Extracted
from onbrand.document.positions import LineIndex, Span
from onbrand.errors import OnbrandError


@dataclass(frozen=True, slots=True)
class CommentSyntax:
    """How a comment such as ``onbrand-disable-line`` is written into a draft."""

    template: str = "<!-- {} -->"
    inline: bool = True
    """Whether it may stand on a line with prose."""
    nests: bool = False
    """Whether quote and list markers at the start of a line hold for a comment on its own line."""
    rendered: Callable[[str], str] | None = None
    """What readers are shown of a source, onbrand's comments left out: no comment may change it."""


@dataclass(frozen=True, slots=True)
class InputFormat:
    """A format of drafts."""

    name: str
    suffixes: tuple[str, ...]
    """Lower case, with the dot; the first is the usual one."""
    extract: Callable[[str, bool], Extracted]
    """From a text without its front matter, and whether quotes count, to blocks and comments."""
    decode: Callable[[bytes], str] | None = None
    """From a file's bytes to one line of text per paragraph; None: the file is UTF-8 text.

    Raises `OnbrandError` for bytes that it cannot read."""
    languages: tuple[str, ...] = ()
    """Language ids of editors, lower case; the first is Visual Studio Code's."""
    slack_types: tuple[str, ...] = ()
    """What Slack calls the type of such a file."""
    comment: CommentSyntax | None = None
    """None: a draft in this format is not edited."""
    heading_level: Callable[[str, LineIndex, Span], int] | None = None
    """From a source, its lines and the place of a heading's text to its level, 1 to 6."""


FORMATS: dict[str, InputFormat] = {
    entry.name: entry
    for entry in (
        InputFormat(
            name="text",
            suffixes=(".txt",),
            extract=plain.extract,
            languages=("plaintext", "text", "txt"),
            slack_types=("text",),
            comment=CommentSyntax(inline=False),
        ),
        InputFormat(
            name="markdown",
            suffixes=(".md", ".markdown", ".mkd"),
            extract=markdown.extract,
            languages=("markdown", "gfm", "pandoc", "quarto", "rmd"),
            slack_types=("markdown",),
            comment=CommentSyntax(nests=True, rendered=markdown.rendered),
            heading_level=markdown.heading_level,
        ),
        InputFormat(
            name="mdx",
            suffixes=(".mdx",),
            extract=mdx.extract,
            languages=("mdx", "markdown.mdx"),
            comment=CommentSyntax("{{/* {} */}}", nests=True, rendered=mdx.rendered),
            heading_level=markdown.heading_level,
        ),
        InputFormat(
            name="html",
            suffixes=(".html", ".htm", ".xhtml"),
            extract=html.extract,
            languages=("html", "mhtml", "xhtml"),
            slack_types=("html",),
            comment=CommentSyntax(rendered=html.titles),
            heading_level=html.heading_level,
        ),
        InputFormat(
            name="docx",
            suffixes=(".docx", ".docm"),
            extract=docx.extract,
            decode=docx.decode,
            slack_types=("docx",),
        ),
    )
}
"""By name; the order is the one in which users are told of them."""


def get(name: str) -> InputFormat:
    """Return a format by its name.

    Raises:
        OnbrandError: there is none of that name.
    """
    if name not in FORMATS:
        raise OnbrandError(f"{name!r} is no format of drafts; expected {', '.join(FORMATS)}")
    return FORMATS[name]


def of_path(path: str | PurePath) -> InputFormat | None:
    """Return the format that the ending of a file's name says, None where it says none."""
    suffix = PurePath(path).suffix.lower()
    return next((one for one in FORMATS.values() if suffix in one.suffixes), None)


def of_document(language: str, path: str) -> InputFormat | None:
    """Return the format of a document that is open in an editor.

    A language id of plain text counts last: that is what an editor without the right plug-in makes
    of a README.md.
    """
    said = next((one for one in FORMATS.values() if language.lower() in one.languages), None)
    if said is None or said.name == "text":
        return of_path(path) or said
    return said


def of_slack_type(filetype: str) -> InputFormat | None:
    """Return the format of a file of which Slack says the type."""
    return next((one for one in FORMATS.values() if filetype in one.slack_types), None)


def suffixes(*, text_only: bool = False) -> tuple[str, ...]:
    """Return the endings of all drafts' names, or of those that an editor can open."""
    known = (one for one in FORMATS.values() if not (text_only and one.decode))
    return tuple(suffix for one in known for suffix in one.suffixes)


def unknown_format(path: str, hint: str) -> OnbrandError:
    """Return the error for a draft that is in none of the formats; ``hint`` says what to do."""
    known = ", ".join(suffixes())
    return OnbrandError(f"is in no format that onbrand reads ({known}); {hint}", path=path)
