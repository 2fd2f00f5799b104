"""The formats of drafts: the one list that the command line, the servers and the editors read.

A new format is a module beside this one and an entry in `FORMATS`. What cannot import Python is
checked against it by a test: the extension's ``package.json`` and ``drafts.ts``, the commit hook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath

from onbrand.document import (
    asciidoc,
    catalogues,
    components,
    directives,
    docx,
    gettext,
    html,
    latex,
    mail,
    markdown,
    mdx,
    messages,
    notebook,
    org,
    plain,
    rst,
)
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
    parted: bool = False
    """Whether a blank line has to part such a comment from the prose below it."""
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
    is_named: Callable[[PurePath], bool] | None = None
    """Tells by its path whether a file is in this format, whose suffixes alone do not say it."""
    wraps: bool = False
    """Whether files are templates of files in other formats, as ``README.md.j2`` is."""
    has_front_matter: bool = True
    """Whether a draft may begin with front matter; what is data from end to end has none."""

    def parse(self, text: str, quotes: bool, dialect: Dialect) -> Extracted:
        """Return the blocks and comments of a text in this format."""
        if self.extract_dialect:
            return self.extract_dialect(text, quotes, dialect)
        return self.extract(text, quotes)


_IN_HTML = CommentSyntax(rendered=html.titles)
_NO_PAGE_SUFFIXES = """
.bat .c .cfg .cnf .conf .config .cpp .css .csv .env .go .h .hcl .ini .java .js .json .jsx .list .lua
.php .pl .properties .ps1 .py .rb .repo .rs .rules .scss .service .sh .sql .svg .tf .toml .ts .tsx
.xml .yaml .yml
"""
_NO_PAGES = frozenset(_NO_PAGE_SUFFIXES.split())
"""Suffixes before that of a template language that say that it makes no page: ``nginx.conf.j2``."""


def _markup(
    name: str,
    suffixes: tuple[str, ...],
    extract: Callable[[str, bool], Extracted],
    *languages: str,
) -> InputFormat:
    """Return a format that is HTML but for what a framework adds to it."""
    return InputFormat(
        name,
        suffixes,
        extract,
        languages=languages or (name,),
        comment=_IN_HTML,
        heading_level=html.heading_level,
    )


def _template(name: str, suffixes: tuple[str, ...], *languages: str) -> InputFormat:
    """Return the format of pages in a template language."""
    return replace(_markup(name, suffixes, html.extract, *languages), wraps=True)


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
        InputFormat(
            name="rst",
            suffixes=(".rst", ".rest"),
            extract=rst.extract,
            languages=("restructuredtext", "rst"),
            comment=CommentSyntax(".. {}", inline=False, parted=True),
            heading_level=rst.heading_level,
        ),
        InputFormat(
            name="asciidoc",
            suffixes=(".adoc", ".asciidoc"),
            extract=asciidoc.extract,
            languages=("asciidoc", "asciidoctor"),
            comment=CommentSyntax("// {}", inline=False),
            heading_level=asciidoc.heading_level,
        ),
        InputFormat(
            name="latex",
            suffixes=(".tex", ".ltx", ".latex"),
            extract=latex.extract,
            languages=("latex", "tex", "plaintex"),
            comment=CommentSyntax("% {}"),
            heading_level=latex.heading_level,
        ),
        InputFormat(
            name="org",
            suffixes=(".org",),
            extract=org.extract,
            languages=("org",),
            comment=CommentSyntax("# {}", inline=False),
            heading_level=org.heading_level,
        ),
        InputFormat(
            name="notebook",
            suffixes=(".ipynb",),
            extract=notebook.extract,
            has_front_matter=False,
        ),
        _template(
            "jinja",
            (".jinja", ".jinja2", ".j2", ".twig"),
            *("jinja-html", "jinja", "htmldjango", "django-html", "twig"),
        ),
        _template("nunjucks", (".njk",), "njk", "nunjucks"),
        _template("liquid", (".liquid",), "liquid"),
        _template("erb", (".erb",), "erb", "eruby"),
        _markup("vue", (".vue",), components.extract_vue),
        _markup("svelte", (".svelte",), components.extract_svelte),
        _markup("astro", (".astro",), components.extract_astro),
        InputFormat(
            name="mail",
            suffixes=(".eml",),
            extract=mail.extract,
            languages=("eml", "mail"),
            has_front_matter=False,
        ),
        InputFormat(
            name="gettext",
            suffixes=(".po", ".pot"),
            extract=gettext.extract,
            languages=("po", "gettext"),
            has_front_matter=False,
            comment=CommentSyntax("# {}", inline=False),
        ),
        InputFormat(
            name="json",
            suffixes=(".json", ".arb"),
            extract=catalogues.extract_json,
            is_named=messages.is_catalogue,
            has_front_matter=False,
        ),
        InputFormat(
            name="yaml",
            suffixes=(".yaml", ".yml"),
            extract=catalogues.extract_yaml,
            comment=CommentSyntax("# {}", inline=False),
            is_named=messages.is_catalogue,
            has_front_matter=False,
        ),
        InputFormat(
            name="toml",
            suffixes=(".toml",),
            extract=catalogues.extract_toml,
            comment=CommentSyntax("# {}", inline=False),
            is_named=messages.is_catalogue,
            has_front_matter=False,
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
    """Return the format by a file's name, None for an unknown one.

    The suffix decides, but for templates of files in another format (``README.md.j2`` is Markdown,
    ``nginx.conf.j2`` is unknown), and for data files, which have to be named like catalogues.
    """
    path = PurePath(path)
    suffix = path.suffix.lower()
    found = next((one for one in FORMATS.values() if suffix in one.suffixes), None)
    if found is None or (found.is_named and not found.is_named(path)):
        return None
    if found.wraps:
        inner = PurePath(path.stem).suffix.lower()
        wrapped = next((one for one in FORMATS.values() if inner in one.suffixes), None)
        if inner in _NO_PAGES or (wrapped and wrapped.decode):
            return None
        return wrapped or found
    return found


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
    """Return the suffixes that say a format, or of those alone that a text editor can open."""
    known = (one for one in FORMATS.values() if not (text_only and one.decode) and not one.is_named)
    return tuple(suffix for one in known for suffix in one.suffixes)


def unknown_format(path: str, hint: str) -> OnbrandError:
    """Return the error for a draft that is in none of the formats; ``hint`` says what to do."""
    known = ", ".join(suffixes())
    return OnbrandError(f"is in no format that onbrand reads ({known}); {hint}", path=path)
