"""The formats of drafts: the one list that the command line, the servers and the editors read.

A new format is a module beside this one and an entry in `FORMATS`. What cannot import Python is
checked against it by a test: the extension's ``package.json`` and ``drafts.ts``, the commit hook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from onbrand.document import directives, docx, html, markdown, mdx, plain
from onbrand.document.blocks import Extracted
from onbrand.document.dialects import Dialect, is_mdx
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
    extract_dialect: Callable[[str, bool, Dialect], Extracted] | None = None
    """The same parser for a format that has dialects; it takes the one of the draft's site too."""
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

    def parse(self, text: str, quotes: bool, dialect: Dialect) -> Extracted:
        """Return the blocks and comments of a text in this format."""
        if self.extract_dialect:
            return self.extract_dialect(text, quotes, dialect)
        return self.extract(text, quotes)


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
            suffixes=(
                ".md",
                ".markdown",
                ".mkd",
                ".mdown",
                ".mkdn",
                ".mdwn",
                ".mdc",
                ".qmd",
                ".rmd",
            ),
            extract=markdown.extract,
            extract_dialect=markdown.extract,
            languages=("markdown", "gfm", "pandoc", "quarto", "rmd"),
            slack_types=("markdown",),
            comment=CommentSyntax(nests=True, rendered=markdown.rendered),
            heading_level=markdown.heading_level,
        ),
        InputFormat(
            name="mdx",
            suffixes=(".mdx",),
            extract=mdx.extract,
            extract_dialect=mdx.extract,
            languages=("mdx", "markdown.mdx"),
            comment=CommentSyntax("{{/* {} */}}", nests=True, rendered=mdx.rendered),
            heading_level=markdown.heading_level,
        ),
        InputFormat(
            name="html",
            suffixes=(".html", ".htm", ".xhtml"),
            extract=html.extract,
            extract_dialect=html.extract,
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


def in_dialect(name: str, source: str, dialect: Dialect) -> str:
    """Return the format in which a Markdown document of a site is written: MDX for some sites.

    Args:
        name: the format that its name or an editor says.
        source: the document; one that begins with imports is MDX, whatever the site.
        dialect: that of its site.
    """
    if name != "markdown" or dialect.mdx is False:
        return name
    begin = directives.read_front_matter(source).end
    return "mdx" if dialect.mdx or is_mdx(source[begin : begin + _MAX_IMPORT]) else name


_MAX_IMPORT = 2000
"""Characters in which the first import of an MDX document ends."""


def of_document(language: str, path: str) -> InputFormat | None:
    """Return the format of a document that is open in an editor.

    The language id decides, unless it is plain text: an editor without the right plug-in says that
    of a README.md, so the suffix decides first. An id that nobody knows says that the document is
    no plain text, whatever its suffix: a ``requirements.txt`` is "pip-requirements".
    """
    said = next((one for one in FORMATS.values() if language.lower() in one.languages), None)
    if said is not None and said.name != "text":
        return said
    named = of_path(path)
    if said is None and language and named is not None and named.name == "text":
        return None
    return named or said


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
