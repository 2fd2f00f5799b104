"""Blocks that Markdown's dialects add line by line: admonitions, tabs, callouts, fenced divs.

One regular expression finds the lines that begin, end or describe such blocks, and one function per
kind says what stands for them: a heading where readers see a title, else nothing. A block whose
content is indented becomes an item of a list, for CommonMark would take the content for code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from onbrand.document.dialects import Dialect
from onbrand.document.fences import (
    CODE_DIRECTIVES,
    OPTIONS,
    PROSE_DIRECTIVES,
    UNTITLED_DIRECTIVES,
    title_or_nothing,
)
from onbrand.document.masking import (
    CODE_NAMES,
    PLACEHOLDER,
    REMOVED,
    Ranges,
    Replacement,
    Skipped,
    apply_replacements,
    looks_like_code,
    mask,
)

_LINE = re.compile(
    r"(?<![^\r\n])[ \t>]*+(?:"
    r"(?P<indented>!!!|\?\?\?\+?|===[!+]?)(?P<heading>[^\r\n]*)"
    r"|(?P<slashes>/{3,}+)(?P<block>[^\r\n]*)"
    r"|(?P<colons>:{2,}+)(?P<div>[^\r\n]*)"
    r"|(?P<definition>:(?=[ \t]++\S))(?P<meaning>[^\r\n]*)"
    r"|(?P<snippet>;?-+8<-+)(?P<file>[^\r\n]*)"
    r"|(?P<target>\([\w .:/+-]+\)=[ \t]*)(?![^\r\n])"
    r"|(?P<percent>%+)(?P<said>[^\r\n]*)"
    r"|(?P<grid>\+[-=:+]{3,}\+[ \t]*)(?![^\r\n])"
    r"|(?P<rule>-{2,}+(?:[ ]++-{2,}+)++[ \t]*)(?![^\r\n])"
    r"|(?P<break>\+{3,})(?=[ \t{]|(?![^\r\n]))[^\r\n]*"
    r"|(?P<callout>\[![\w\u0080-\uffff :/|-]+\][+-]?[ \t]*)(?P<title>[^\r\n]*)"
    r"|(?P<aside>\*\[[^\[\]\r\n]+\]:|<<<[ \t]*[@/.]|@\[[\w-]*\]\(|@include\b"
    r"|\{::?/?\w|\\[a-z]{3,}(?:\{[^{}\r\n]*\})*+"
    r"|\[\[?_?toc_?\]\]?|\[!(?:include|code|video)\b[^\r\n]*\]\(|\(ref:[\w-]+\)[ \t]"
    r"|\{\{[<%]|@import[ \t])"
    r"(?P<rest>[^\r\n]*)"
    r")(?![^\r\n])",
    re.IGNORECASE,
)
_MARKS = (
    "!!!",
    "???",
    "===",
    "///",
    "::",
    "8<-",
    ")=",
    "%",
    "+++",
    "[!",
    "*[",
    "<<<",
    "@",
    "{:",
    "\n:",
    "\r:",
    "+-",
    "-- -",
)
_MARKS_TOO = ("\\", "toc", "TOC", "(ref:")
_ARGUMENTS = re.compile(
    r"[ \t]*+(?:[\w-]++(?:[ \t]++[\w-]++)*+)?[ \t]*+(?:[\"“](?P<title>[^\r\n]*)[\"”])?[ \t]*"
)
_BLOCK = re.compile(r"[ \t]+[\w-]+[ \t]*(?:\|[ \t]*(?P<title>[^\r\n]*))?")
_BLOCK_OPTION = re.compile(r"(?:(?>\r\n|\n|\r)(?:[ ]{4,}|\t)[ \t]*[\w-]+:(?![^\s])[^\r\n]*)+")
_DIV = re.compile(
    r"[ \t]*+(?:\{(?P<directive>[\w:.-]+)\}|(?P<attributes>\{[^{}]*\})|(?P<name>[\w.:/-]+))?"
    r"(?P<label>\[(?P<inner>[^\[\]]*)\])?(?P<more>\{[^{}]*\})?[ \t]*+(?P<title>[^\r\n]*+)"
)
_CLOSERS = re.compile(r"(?<![^\r\n])[ \t>]*+(?P<colons>:{3,}+)[ \t]*+(?![^\r\n])")
_SNIPPET_END = re.compile(r"(?<![^\r\n])[ \t>]*;?-+8<-+[ \t]*(?![^\r\n])")
_NOT_TITLE = re.compile(r"[={}]|\A[\w./:-]+\Z")
_NO_TITLE_BLOCKS = ("html", "define")
_ADMONITIONS = """
note tip info warning danger caution important success details question hint example quote abstract
todo bug failure theorem warn check error secondary primary
"""
_TITLED_NAMES = frozenset(_ADMONITIONS.split())
_INDENTED = re.compile(r"(?:(?>\r\n|\n|\r)(?:[ ]{4}|\t)[^\r\n]*)++")
_GRID_ROWS = re.compile(r"(?:(?>\r\n|\n|\r)[ \t>]*[+|][^\r\n]*)*+")
_TABLE_ROWS = re.compile(r"(?:(?>\r\n|\n|\r)(?=[ \t]*[^\s])[^\r\n]*)*+")
_MAX_ABOVE = 300
_LIST_ITEM = re.compile(r"(?<![^\r\n])[ \t]*(?:[*+-]|\d{1,3}[.)])[ \t]+[^\r\n]*\Z")


class Containers(NamedTuple):
    """A document in which the markers of blocks are masked."""

    text: str
    items: frozenset[int]
    """Where an item of a list stands for a block with indented content."""


def mask_containers(text: str, code: Ranges, dialect: Dialect, skipped: Skipped) -> Containers:
    """Mask the lines that begin, end or describe blocks of Markdown's dialects.

    Args:
        text: the document.
        code: its ranges of code.
        dialect: what its site adds to Markdown.
        skipped: what is left out is counted in it.
    """
    lowered = any(mark in text for mark in _MARKS) or any(mark in text for mark in _MARKS_TOO)
    if not lowered and "[[" not in text and not text.lstrip().startswith(":"):
        return Containers(text, frozenset())
    masker = _Masker(text, code, dialect, skipped)
    masker.run()
    return Containers(apply_replacements(text, masker.replacements), frozenset(masker.items))


class _Masker:
    def __init__(self, text: str, code: Ranges, dialect: Dialect, skipped: Skipped) -> None:
        self.replacements: list[Replacement] = []
        self.items: list[int] = []
        self._text, self._code, self._dialect, self._skipped = text, code, dialect, skipped
        self._at = 0
        self._unclosed = len(text) + 1
        """Colons of the shortest fence that nothing closes; longer ones are not looked for."""

    def run(self) -> None:
        """Find the lines of markup."""
        for found in _LINE.finditer(self._text):
            kind = next(kind for kind in _KINDS if found[kind] is not None)
            if found.start(kind) >= self._at and found.start(kind) not in self._code:
                _KINDS[kind](self, found)

    def _hide(self, start: int, end: int, reason: str | None = None) -> None:
        self.replacements.append(Replacement(start, end, mask(self._text[start:end], REMOVED)))
        self._at = end
        if reason:
            self._skipped[reason] += end - start

    def _heading(self, start: int, title: int, end: int, line_end: int) -> None:
        """Show a title as a heading, and hide the rest of its line."""
        self.replacements.append(title_or_nothing(self._text, start, title, end))
        if end < line_end:
            self._hide(end, line_end)
        self._at = line_end

    def indented(self, found: re.Match[str]) -> None:
        """``!!! note "Title"`` and ``=== "Tab"`` of Python-Markdown."""
        start, end = found.start("indented"), found.end()
        said = _ARGUMENTS.fullmatch(self._text, found.start("heading"), end)
        title = said and said["title"]
        if not said or not found["heading"].strip() or (found["indented"][0] == "=" and not title):
            return
        self.items.append(start)
        body = start + 2
        if title and title.strip():
            self.replacements.append(Replacement(start, body, "- "))
            self._heading(body, said.start("title"), said.end("title"), end)
        else:
            self.replacements.append(Replacement(start, end, "- " + REMOVED * (end - body)))
            self._at = end

    def slashes(self, found: re.Match[str]) -> None:
        """``/// note | Title`` of the blocks of PyMdown."""
        start, end = found.start("slashes"), found.end()
        said = _BLOCK.fullmatch(self._text, found.start("block"), end)
        if not said:
            if not found["block"].strip():
                self._hide(start, end)
            return
        if said["title"] and not found["block"].strip().startswith(_NO_TITLE_BLOCKS):
            self._heading(start, said.start("title"), end, end)
        else:
            self._hide(start, end)
        if options := _BLOCK_OPTION.match(self._text, end):
            self._hide(end, options.end())

    def colons(self, found: re.Match[str]) -> None:
        """``:::note[Title]`` of Docusaurus, Pandoc, VitePress and MyST."""
        start, end = found.start("colons"), found.end()
        said = _DIV.fullmatch(self._text, found.start("div"), end)
        many = len(found["colons"])
        if said is None or (many == 2 and not self._is_component(found, said)):
            return
        name = (said["directive"] or said["name"] or "").lower()
        if name and self._is_left_out(name, start, end, many, directive=bool(said["directive"])):
            return
        titled = name not in UNTITLED_DIRECTIVES or not said["directive"]
        title = said["title"].rstrip(" \t:")
        title_end = said.start("title") + len(title)
        if said["inner"] and many > 2:
            self._heading(start, said.start("inner"), said.end("inner"), end)
        elif (
            title
            and titled
            and (said["directive"] or name in _TITLED_NAMES or not _NOT_TITLE.search(title))
        ):
            self._heading(start, said.start("title"), title_end, end)
        else:
            self._hide(start, end)
        if "." in name and not said["directive"] and (more := _INDENTED.match(self._text, end)):
            self._hide(end, more.end())  # what mkdocstrings is told
        if said["directive"] and (options := OPTIONS.match(self._text, end)):
            self._hide(end, options.end())

    def _is_left_out(self, name: str, start: int, end: int, many: int, *, directive: bool) -> bool:
        """Hide a block whose content is not prose, and tell whether it is one."""
        if name in self._dialect.prose or (directive and name in PROSE_DIRECTIVES):
            return False
        known = name in self._dialect.code or name in CODE_NAMES or name in CODE_DIRECTIVES
        if not (known or directive):
            return False
        hidden = self._closer(end, many)
        if hidden is None:
            return False
        if not known and not looks_like_code(self._text[end : hidden - many]):
            return False
        self._hide(start, hidden, "code" if known else "unknown blocks")
        return True

    @staticmethod
    def _is_component(found: re.Match[str], said: re.Match[str]) -> bool:
        """Tell whether a line of two colons is a component of MDC, and no prose."""
        touching = not found["div"][:1].isspace()
        return not found["div"].strip() or bool(touching and said["name"] and not said["title"])

    def _closer(self, start: int, many: int) -> int | None:
        """Return the end of the line that closes a fence of so many colons."""
        if many >= self._unclosed:
            return None
        for found in _CLOSERS.finditer(self._text, start):
            if len(found["colons"]) >= many:
                return found.end()
        self._unclosed = many
        return None

    def definition(self, found: re.Match[str]) -> None:
        """``:   Text`` below a comment or a macro, which CommonMark takes for no term."""
        above = _last_line(self._text, found.start())
        if not above or above[0] in f"<#{REMOVED}{PLACEHOLDER}":
            start = found.start("definition")
            self.items.append(start)
            self.replacements.append(Replacement(start, start + 1, "-"))

    def snippet(self, found: re.Match[str]) -> None:
        """``--8<-- "file"``, or a list of files between two such lines."""
        end = found.end()
        if not found["file"].strip():
            closing = _SNIPPET_END.search(self._text, end, end + _MAX_SNIPPET)
            end = closing.end() if closing else end
        self._hide(found.start("snippet"), end)

    def target(self, found: re.Match[str]) -> None:
        """``(target)=`` of MyST."""
        self._hide(found.start("target"), found.end())

    def percent(self, found: re.Match[str]) -> None:
        """``% comment`` of MyST, ``%% comment`` of Obsidian, at the start of a paragraph."""
        begins = not _last_line(self._text, found.start(), blank=False).strip()
        said = found["said"]
        follows = self._at and found.start() - self._at <= 2
        is_comment = said[:1].isspace() or not said or found["percent"] == "%%"
        if is_comment and (follows or begins or not found.start() or self._dialect.comments):
            self._hide(found.start("percent"), found.end())

    def callout(self, found: re.Match[str]) -> None:
        """``> [!question]- Title`` of GitHub and Obsidian."""
        if ">" not in self._text[found.start() : found.start("callout")]:
            return
        start = found.start("callout")
        self._heading(start, found.start("title"), found.end(), found.end())

    def aside(self, found: re.Match[str]) -> None:
        """Lines that are no prose at all: abbreviations, includes, tables of contents."""
        said = found["aside"]
        if said.startswith("\\") and found["rest"].strip():
            return
        if said.lower().endswith(("toc]", "toc]]")) and found["rest"].strip():
            return
        if said.startswith("{") and not found["rest"].rstrip().endswith("}"):
            return
        if said.startswith("{:") and "toc" in found[0]:
            self._hide_item_above(found)
        if said.startswith("(ref:"):
            self._hide(found.start("aside"), found.end("aside"))
        else:
            self._hide(found.start("aside"), found.end())

    def grid(self, found: re.Match[str]) -> None:
        """A grid table of Pandoc, whose cells may span lines."""
        rows = _GRID_ROWS.match(self._text, found.end())
        if rows and rows[0].count("+") > 1:
            self._hide(found.start("grid"), rows.end(), "unknown blocks")

    def rule(self, found: re.Match[str]) -> None:
        """The line below the header of a simple table of Pandoc."""
        above = _last_line(self._text, found.start(), blank=False)
        rows = _TABLE_ROWS.match(self._text, found.end())
        start = found.start("rule") - (len(above) + 1 if above else 0)
        self._hide(max(start, self._at), rows.end() if rows else found.end(), "unknown blocks")

    def _hide_item_above(self, found: re.Match[str]) -> None:
        """Hide the item that kramdown replaces by the table of contents."""
        above = self._text[max(0, found.start() - 200) : found.start()].rstrip("\r\n")
        item = _LIST_ITEM.search(above)
        start = max(0, found.start() - 200) + item.start() if item else found.start()
        if item and start >= self._at:
            self._hide(start, start + len(item[0]))

    def line(self, found: re.Match[str]) -> None:
        """``+++ {"meta": "data"}``, the line between two blocks of MyST."""
        self._hide(found.start("break"), found.end())


def _last_line(text: str, end: int, *, blank: bool = True) -> str:
    """Return the last line with text before an offset, or the one just before it, without space."""
    before = text[max(0, end - _MAX_ABOVE) : end]
    before = before.rstrip() if blank else before.removesuffix("\n").removesuffix("\r")
    return before[max(before.rfind("\n"), before.rfind("\r")) + 1 :].lstrip(" \t" if blank else "")


_MAX_SNIPPET = 4000
_KINDS: dict[str, Callable[[_Masker, re.Match[str]], None]] = {
    "indented": _Masker.indented,
    "slashes": _Masker.slashes,
    "colons": _Masker.colons,
    "definition": _Masker.definition,
    "snippet": _Masker.snippet,
    "target": _Masker.target,
    "percent": _Masker.percent,
    "callout": _Masker.callout,
    "aside": _Masker.aside,
    "grid": _Masker.grid,
    "rule": _Masker.rule,
    "break": _Masker.line,
}
