"""MDX to Markdown of the same length: modules, expressions and component tags are masked."""

from __future__ import annotations

import re
from functools import lru_cache

from onbrand.document import markdown
from onbrand.document.blocks import Comment, Extracted
from onbrand.document.dialects import PLAIN, Dialect
from onbrand.document.html import BLOCKS, HIDDEN
from onbrand.document.masking import (
    CODE_NAMES,
    LINE_SEPARATOR,
    PLACEHOLDER,
    REMOVED,
    Replacement,
    ScriptBraces,
    Skipped,
    apply_replacements,
    blank_masked_lines,
    mask,
)

_NEXT = re.compile(
    r"(?<![^\r\n])(?:"
    r"[ \t>]*(?P<fence>`{3,}|~{3,})[^\r\n]*"
    r"|(?P<module>import\s+(?:[\w$*{},\s]{1,1000}?\sfrom\s*)?[\"']"
    r"|export\s+(?:default|const|let|var|async|function|class|\{|\*)))"
    r"|(?P<ticks>`+)|\\.|(?P<comment><!--)|(?P<brace>\{)"
    r"|(?P<tag></?(?P<name>[A-Za-z][\w.:-]*|(?=>)))",
    re.S,
)
# Strings end on their line and comments stop at the next opener, so that time stays linear.
_TAG_TOKEN = re.compile(r"[<>{]|\"[^\"]*+\"|'[^']*+'")
_BLANK_LINE = re.compile(r"(?:\r\n|\n|\r)[ \t]*(?=[\r\n]|\Z)")
_OURS = re.compile(r"\{/\* (onbrand-[\w-]+) \*/\}")
_SCRIPT_COMMENT = re.compile(r"\s*/\*(.*)\*/\s*", re.S)
_ANCHOR = re.compile(r"\s*[#.][\w:.-]+(?:\s+[#.\w][^{}]*)?\s*")
_DIRECTIVE = re.compile(r"[`~]{3,}\{\w")
_INDENT = re.compile(r"[ \t>]*\Z")
_MAX_CODE_SPAN = 1000
_MARGIN = 200

# Left to the HTML reader, which knows what they hide and where cells and items end.
_HTML_NAMES = """
a b blockquote br dd dl dt em hr i img input li ol strong sub sup
table tbody td tfoot th thead tr ul wbr
"""
_LEFT_TO_HTML = HIDDEN | frozenset(_HTML_NAMES.split())


def extract(text: str, quotes: bool = False, dialect: Dialect = PLAIN) -> Extracted:
    """Return blocks and comments of an MDX document (see `onbrand.document.markdown.extract`)."""
    masker = _mask(text, dialect)
    found = markdown.extract_masked(
        masker.masked(), quotes, dialect, items=masker.items, skipped=masker.skipped, mdx=True
    )
    return found._replace(comments=sorted(masker.comments + found.comments))


@lru_cache(maxsize=64)
def _further_left(indent: int) -> re.Pattern[str]:
    """Return the pattern of a line with text that begins before a column."""
    return re.compile(rf"(?<![^\r\n])[ \t>]{{0,{min(indent, _MARGIN) - 1}}}+[^\s>]")


def rendered(source: str) -> str:
    """Return the Markdown of a document as HTML (see `onbrand.document.markdown.rendered`)."""
    return markdown.rendered(to_markdown(_OURS.sub(r"<!-- \1 -->", source))[0])


def to_markdown(text: str) -> tuple[str, list[Comment]]:
    """Mask what MDX adds to Markdown.

    Returns:
        Text of the same length to be read as Markdown, and the ``{/* comments */}`` in it.
    """
    masker = _mask(text, PLAIN)
    return masker.masked(), masker.comments


def _mask(text: str, dialect: Dialect) -> _Masker:
    masker = _Masker(text, dialect)
    masker.run()
    return masker


class _Masker:
    def __init__(self, text: str, dialect: Dialect) -> None:
        self.replacements: list[Replacement] = []
        self.items: list[int] = []
        """Where an item of a list stands for a component with indented content."""
        self.skipped = Skipped()
        self._code = {*map(str.lower, dialect.code)} | CODE_NAMES
        self._code -= dialect.prose
        self.comments: list[Comment] = []
        self._text = text
        self._braces = ScriptBraces(text)
        self._unclosed: set[str] = set()
        """Components whose content is code and that no tag closes any more."""

    def masked(self) -> str:
        """Return the text to be read as Markdown."""
        return blank_masked_lines(apply_replacements(self._text, self.replacements))

    def run(self) -> None:
        """Find what MDX adds."""
        at = 0
        while found := _NEXT.search(self._text, at):
            start, at = found.span()
            if found["fence"]:
                at = self._fence(found.start("fence"), found["fence"], at)
            elif found["ticks"]:
                at = self._after_code(found["ticks"], at)
            elif found["comment"]:
                at = self._text.find("-->", at) + 3
                if at < 3:
                    return
            elif found["module"]:
                at = self._module(start)
            elif found["brace"]:
                at = self._expression(start)
            elif found["tag"]:
                at = self._tag(start, at, found["name"])

    def _fence(self, start: int, fence: str, at: int) -> int:
        """Pass over a fence; mask one with code that stands further left than the fence.

        Markdown would end such a fence with the component that it stands in, which MDX does not.
        """
        closing = re.compile(rf"(?<![^\r\n])[ \t>]*{fence[0]}{{{len(fence)},}}[ \t]*(?![^\r\n])")
        found = closing.search(self._text, at)
        if found is None:
            return len(self._text)
        indent = len(_INDENT.search(self._text, max(0, start - _MARGIN), start)[0])  # type: ignore[index]
        if indent and _further_left(indent).search(self._text, at, found.end()):
            code = self._text[start : found.end()]
            if not _DIRECTIVE.match(code):
                self.skipped["code"] += len(code)
                self.replacements.append(Replacement(start, found.end(), mask(code, REMOVED)))
        return found.end()

    def _after_code(self, ticks: str, at: int) -> int:
        closing = re.compile(rf"(?<!`){ticks}(?!`)")
        found = closing.search(self._text, at, at + _MAX_CODE_SPAN)
        return found.end() if found else at

    def _module(self, start: int) -> int:
        """Mask an import or export, which ends at a blank line outside of braces."""
        at, end = start, -1
        while True:
            if end < at:
                blank = _BLANK_LINE.search(self._text, at)
                end = blank.start() if blank else len(self._text)
            brace = self._text.find("{", at, end)
            after = self._braces.end(brace) if brace >= 0 else None
            if after is None:
                break
            at = after
        self.replacements.append(Replacement(start, end, mask(self._text[start:end], REMOVED)))
        return end

    def _expression(self, start: int) -> int:
        end = self._braces.end(start)
        if end is None:
            return start + 1
        inner = self._text[start + 1 : end - 1]
        comment = _SCRIPT_COMMENT.fullmatch(inner)
        if comment:
            self.comments.append(Comment(start, end, comment[1]))
        space = inner.strip("\"'`").isspace()
        nothing = comment or _ANCHOR.fullmatch(inner)
        char = " " if space else REMOVED if nothing else PLACEHOLDER
        self.replacements.append(Replacement(start, end, mask(self._text[start:end], char)))
        return end

    def _tag(self, start: int, at: int, name: str) -> int:
        """Mask a tag; what stands between two tags is Markdown and stays."""
        if name in _LEFT_TO_HTML:
            return at
        end = self._tag_end(at)
        if end is None:
            return at
        tag = self._text[start:end]
        if name.lower() in self._code and tag[1] != "/" and tag[-2] != "/":
            closer = self._text.find(f"</{name}>", end) if name not in self._unclosed else -1
            if closer >= 0:
                end = closer + len(name) + 3
                self.skipped["code"] += end - start
                code = mask(self._text[start:end], REMOVED)
                self.replacements.append(Replacement(start, end, code))
                return end
            self._unclosed.add(name)
        masked = mask(tag, REMOVED)
        if self._is_alone(start, end):
            if name and tag[1] != "/" and tag[-2] != "/":
                # A list item, so that its indented children are content and not indented code.
                masked = "- " + masked[2:]
                self.items.append(start)
        elif tag[-2] == "/":
            masked = mask(tag, PLACEHOLDER)
        elif name in BLOCKS:
            masked = LINE_SEPARATOR + masked[1:]
        self.replacements.append(Replacement(start, end, masked))
        return end

    def _is_alone(self, start: int, end: int) -> bool:
        before = self._text[max(0, start - _MARGIN) : start].rstrip(" \t")
        after = self._text[end : end + _MARGIN].lstrip(" \t")
        return before[-1:] in ("", "\r", "\n") and after[:1] in ("", "\r", "\n")

    def _tag_end(self, at: int) -> int | None:
        while token := _TAG_TOKEN.search(self._text, at):
            if token[0] == ">":
                return token.end()
            after = self._braces.end(token.start()) if token[0] == "{" else token.end()
            if token[0] == "<" or after is None:
                return None
            at = after
        return None
