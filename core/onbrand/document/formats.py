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
    """Whether such a comment may stand on a line with prose."""
    nests: bool = False
    """Whether a comment on a line of its own needs the quote and list markers of its block."""
    visible: bool = False
    """Whether readers see comments, too; editors then write none."""
    rendered: Callable[[str], str] | None = None
    """Returns what readers see of a source without onbrand's comments, which must not change it."""


@dataclass(frozen=True, slots=True)
class InputFormat:
    """A format of drafts."""

    name: str
    suffixes: tuple[str, ...]
    """Lower case, with the dot; the first is the usual one."""
    extract: Callable[[str, bool], Extracted]
    """The parser. Takes the text without its front matter, and whether to judge block quotes."""
    decode: Callable[[bytes], str] | None = None
    """Turns a file's bytes into one line of text per paragraph; None: the file is UTF-8 text.

    Raises `OnbrandError` for bytes that it cannot read."""
    languages: tuple[str, ...] = ()
    """Language ids of editors, lower case; the first is Visual Studio Code's."""
    slack_types: tuple[str, ...] = ()
    """What Slack calls the type of such a file."""
    comment: CommentSyntax | None = None
    """None: a draft in this format is not edited."""
    heading_level: Callable[[str, LineIndex, Span], int] | None = None
    """Returns the level of a heading, 1 to 6, from the source, its lines and the heading's span."""


FORMATS: dict[str, InputFormat] = {
    entry.name: entry
    for entry in (
        InputFormat(
            name="text",
            suffixes=(".txt",),
            extract=plain.extract,
            languages=("plaintext", "text", "txt"),
            slack_types=("text",),
            comment=CommentSyntax(inline=False, visible=True),
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
"""Every format by its name, in the order in which messages list them."""


def get(name: str) -> InputFormat:
    """Return a format by its name.

    Raises:
        OnbrandError: there is none of that name.
    """
    if name not in FORMATS:
        raise OnbrandError(f"{name!r} is no format of drafts; expected {', '.join(FORMATS)}")
    return FORMATS[name]


def of_path(path: str | PurePath) -> InputFormat | None:
    """Return the format by the suffix of a file's name, None for an unknown one."""
    suffix = PurePath(path).suffix.lower()
    return next((one for one in FORMATS.values() if suffix in one.suffixes), None)


def of_document(language: str, path: str) -> InputFormat | None:
    """Return the format of a document that is open in an editor.

    The language id decides, unless it is plain text: an editor without the right plug-in says that
    of a README.md, so the suffix decides first.
    """
    said = next((one for one in FORMATS.values() if language.lower() in one.languages), None)
    if said is None or said.name == "text":
        return of_path(path) or said
    return said


def of_slack_type(filetype: str) -> InputFormat | None:
    """Return the format of a file by its type in Slack, None for an unknown one."""
    return next((one for one in FORMATS.values() if filetype in one.slack_types), None)


def suffixes(*, text_only: bool = False) -> tuple[str, ...]:
    """Return the suffixes of all formats, or of those alone that a text editor can open."""
    known = (one for one in FORMATS.values() if not (text_only and one.decode))
    return tuple(suffix for one in known for suffix in one.suffixes)


def unknown_format(path: str, hint: str) -> OnbrandError:
    """Return the error for a draft that is in none of the formats; ``hint`` says what to do."""
    known = ", ".join(suffixes())
    return OnbrandError(f"is in no format that onbrand reads ({known}); {hint}", path=path)
