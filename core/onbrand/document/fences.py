"""Finds the code in Markdown before it is parsed: fences, code spans, scripts and style sheets.

What spans several lines (comments of template languages, formulas) must not begin in code, and a
fence of MyST may hold prose.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from typing import NamedTuple

from onbrand.document.masking import REMOVED, Ranges, Replacement, mask

_FENCE = re.compile(
    r"(?<![^\r\n])(?P<indent>[ \t>]*+)(?P<item>(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+)"
    r"(?:(?P<ticks>`{3,}+)(?P<info>[^`\r\n]*+)|(?P<tildes>~{3,}+)(?P<words>[^\r\n]*+))(?![^\r\n])"
)
_DIRECTIVE = re.compile(r"\{(?P<name>[\w:.-]+)\}[ \t]*(?P<argument>[^\r\n]*)")
_TICKS = re.compile(r"`++")
_BLANK_LINE = re.compile(r"(?>\r\n|\n|\r)[ \t]*+(?=[\r\n])")
_RAW = re.compile(r"<(?P<slash>/?)(?P<name>script|style)\b[^<>]*+>", re.IGNORECASE)
_RAW_MARKS = ("</script", "</style", "</SCRIPT", "</STYLE", "</Script", "</Style")
_MAX_TOP_INDENT = 3

_PROSE_DIRECTIVES = """
note warning tip hint important attention caution danger error seealso todo admonition dropdown
versionadded versionchanged versionremoved deprecated topic sidebar margin aside epigraph highlights
pull-quote card grid grid-item grid-item-card tab-set tab-item tabbed tab panels div container
exercise solution theorem lemma proof definition remark example corollary proposition
prf:theorem prf:lemma prf:proof prf:definition prf:remark prf:example admonition-title
list-table glossary table hlist figure figure-md only details rubric centered line-block callout
tab-body
"""
PROSE_DIRECTIVES = frozenset(_PROSE_DIRECTIVES.split())
"""Directives of MyST whose content is prose."""
_UNTITLED = """
figure figure-md only grid grid-item tab-set hlist div container versionadded versionchanged
versionremoved deprecated panels tab-body
"""
UNTITLED_DIRECTIVES = frozenset(_UNTITLED.split())
"""Those whose argument is a path, a number or the like; of the others it is prose."""
OPTIONS = re.compile(
    r"(?:(?>\r\n|\n|\r)[ \t>]*:[\w-]+:(?![^\s])[^\r\n]*)+"
    r"|(?>\r\n|\n|\r)[ \t>]*---[ \t]*(?![^\r\n])(?:(?>\r\n|\n|\r)(?![ \t>]*---)[^\r\n]*){0,40}+"
    r"(?>\r\n|\n|\r)[ \t>]*---[ \t]*(?![^\r\n])"
)
"""The options of a directive, from the end of its first line."""

_CODE_DIRECTIVES = """
toctree code-block sourcecode code-cell image include literalinclude autosummary automodule
autoclass
autofunction automethod autodata autoexception bibliography index eval-rst raw plot iframe contents
parsed-literal doctest testcode highlight currentmodule module tableofcontents embed video youtube
eval_rst list-of-figures inheritance-diagram program-output button-link button-ref glue
"""
CODE_DIRECTIVES = frozenset(_CODE_DIRECTIVES.split())
"""Directives of MyST whose content is not prose."""


class ProseFence(NamedTuple):
    """A fence that holds prose: ```` ```{note} ````."""

    start: int
    """Where the line's backticks begin."""
    argument: int
    """Where its argument begins."""
    end: int
    """Where the line ends."""
    closer: tuple[int, int] | None
    """The backticks that close it."""
    name: str


class Fences(NamedTuple):
    """The fences of a document."""

    code: list[tuple[int, int]]
    """From the first backtick to the end of the closing line; to the text's end without one."""
    prose: list[ProseFence]


def find_fences(text: str, prose_names: Collection[str] = ()) -> Fences:
    """Return the fences of a Markdown document.

    Args:
        text: the document.
        prose_names: names of directives that hold prose, beside `PROSE_DIRECTIVES`.
    """
    if "```" not in text and "~~~" not in text:
        return Fences([], [])
    code: list[tuple[int, int]] = []
    prose: list[ProseFence] = []
    outer: list[tuple[str, int]] = []  # open prose fences: marks, index in `prose`
    opened: tuple[str, int, int] | None = None  # marks, offset, indent
    for found in _FENCE.finditer(text):
        marks = found["ticks"] or found["tildes"]
        info = (found["info"] or found["words"] or "").strip()
        start = found.start("ticks") if found["ticks"] else found.start("tildes")
        closes = not info and not found["item"]
        if opened:
            if closes and marks.startswith(opened[0]):
                code.append((opened[1], found.end()))
                opened = None
        elif closes and outer and marks.startswith(outer[-1][0]):
            _, index = outer.pop()
            prose[index] = prose[index]._replace(closer=(start, found.end()))
        elif (said := _DIRECTIVE.match(info)) and (
            said["name"].lower() in PROSE_DIRECTIVES or said["name"].lower() in prose_names
        ):
            argument = found.end() - len(said["argument"])
            outer.append((marks, len(prose)))
            prose.append(ProseFence(start, argument, found.end(), None, said["name"].lower()))
        else:
            opened = marks, start, len(found["indent"].expandtabs(4)) + len(found["item"])
    if opened and opened[2] <= _MAX_TOP_INDENT:
        code.append((opened[1], len(text)))
    return Fences(code, prose)


def find_code(text: str, fences: Fences) -> Ranges:
    """Return the ranges of code in a Markdown document: its fences and code spans."""
    fenced = Ranges(fences.code)
    return Ranges([*fences.code, *_code_spans(text, fenced)])


def _code_spans(text: str, fenced: Ranges) -> Iterator[tuple[int, int]]:
    if "`" not in text:
        return
    runs = [found.span() for found in _TICKS.finditer(text) if found.start() not in fenced]
    following: list[int | None] = [None] * len(runs)
    last: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        start, end = runs[index]
        following[index] = last.get(end - start)
        last[end - start] = index
    blanks = [found.start() for found in _BLANK_LINE.finditer(text)]
    index = 0
    while index < len(runs):
        start = runs[index][0]
        closer = following[index]
        if closer is not None:
            end = runs[closer][1]
            if bisect_right(blanks, start) == bisect_right(blanks, end):
                yield start, end
                index = closer
        index += 1


def mask_scripts(text: str, code: Ranges) -> tuple[str, int]:
    """Mask scripts and style sheets, which may stand inside of other elements.

    Returns:
        The text, and how many characters of it are masked.
    """
    if not any(mark in text for mark in _RAW_MARKS):
        return text, 0
    parts: list[str] = []
    at = masked = 0
    opened: re.Match[str] | None = None
    for found in _RAW.finditer(text):
        if found.start() < at or found.start() in code:
            continue
        if not found["slash"]:
            opened = opened or found
        elif opened and opened["name"].lower() == found["name"].lower():
            start, end = opened.start(), found.end()
            parts += text[at:start], mask(text[start:end], REMOVED)
            at, opened = end, None
            masked += end - start
    return "".join(parts) + text[at:], masked


def replace_fences(fences: Fences, text: str) -> list[Replacement]:
    """Return what takes the fences of directives away, so that their content is prose."""
    found: list[Replacement] = []
    for start, argument, end, closer, name in fences.prose:
        if closer is None:
            continue
        if name in UNTITLED_DIRECTIVES:
            argument = end
        found.append(title_or_nothing(text, start, argument, end))
        if options := OPTIONS.match(text, end):
            found.append(Replacement(end, options.end(), mask(options[0], REMOVED)))
        found.append(Replacement(*closer, REMOVED * (closer[1] - closer[0])))
    return found


def title_or_nothing(text: str, start: int, title: int, end: int) -> Replacement:
    """Return what stands for the first line of a block: a heading, or nothing without a title.

    Args:
        text: the document.
        start: where the block's markers begin, at least three characters before the title.
        title: where its title begins.
        end: where the title ends.
    """
    words = text[title:end]
    if not words.strip():
        return Replacement(start, end, mask(text[start:end], REMOVED))
    return Replacement(start, end, "# " + REMOVED * (title - start - 2) + words)
