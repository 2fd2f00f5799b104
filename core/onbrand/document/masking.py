"""Masking: replaces what a parser must not see by as many characters, so that offsets stay true."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

PLACEHOLDER = "\ufffc"
"""Stands in a sentence for what is not prose: code, a URL, the output of a template. The encoder
reads it as its unknown token; word counts and n-grams skip it."""
REMOVED = "\uffff"
"""Stands for markup that leaves nothing behind. It is no space, which would indent a line."""
LINE_SEPARATOR = "\u2028"
"""Stands for a line break that the writer asked for, until sentences are split."""

_NOT_BREAK = re.compile(r"[^\r\n]")
_MASKED_LINES = re.compile(
    rf"(?<![^\r\n])(?:[ \t]*+[{PLACEHOLDER}{REMOVED}]"
    rf"[ \t{PLACEHOLDER}{REMOVED}]*+(?:\r\n|\n|\r|\Z))++"
)
_ROW_END = re.compile(r"\|[ \t]?(?:\r\n|\n|\r)\Z")
_EMPTY_LINE = re.compile(r"[^\r\n]+")
# Each alternative stops at its own next opener: time stays linear where tags are not closed.
_TEMPLATE = re.compile(
    r"(?P<comment>\{#(?![\w:.-]++(?:\s+[.#\w][^{}\r\n]*+)?\})(?:[^#{]|#(?!\})|\{(?!#))*+#\})"
    r"|\{\{[<%]-?\s*+(?P<closes>/?)\s*+(?P<shortcode>[\w./-]*+)(?:[^{}]|\{(?!\{)|\}(?!\}))*+\}\}"
    r"|\{\{\{?(?P<output>(?:[^{}]|\{(?!\{)|\}(?!\}))*+)\}\}\}?"
    r"|\{%[-+~]?\s*+(?P<slash>/?)\s*+(?P<name>[\w-]*+)(?:[^%{]|%(?!\})|\{(?!%))*+%\}"
    r"|<%(?:[^%<]|%(?!>)|<(?!%))*+%>"
    r"|<\?(?:[^?<]|\?(?!>)|<(?!\?))*+\?>"
    r"|\*\|[^|*\r\n]{1,200}\|\*"
)
_TEMPLATE_MARKS = ("{{", "{%", "{#", "<%", "<?", "*|")
_CODE_NAMES = """
asciinema chart chem code comment d2 embed-code filename filetree file-tree goat graphviz javascript
jupyter katex kroki math mathjax mermaid plantuml pre schema script sql style stylesheet svg swagger
typeit vega
"""
CODE_NAMES = frozenset(_CODE_NAMES.split())
"""Tags, shortcodes and components whose content is not prose, in lower case."""
_CODE_NAME = re.compile(
    r"code|highl|pygm|prism|diagram|console|terminal|shell|snippet|latex|mermaid|plantuml|graphviz"
)
_CODE_ARGUMENT = re.compile(
    r"\b(?:code[-_]?)?lang(?:uage)?\s*[=:]|\bcode\s*=\s*\"?true|\bsyntax\s*=", re.IGNORECASE
)
_LOGIC_NAMES = """
if elsif elif else unless case when for while break continue assign capture set block
extends include import load macro raw verbatim tabs tab call with hint translate trans
blocktrans blocktranslate filter autoescape spaceless apply embed cache paginate form
"""
_TEMPLATE_LOGIC = frozenset(_LOGIC_NAMES.split())
_OUTPUT_LOGIC = re.compile(
    r"[-~\s]*(?:[!#/^&>]|(?:if|else|end|range|with|define|block|template|each|unless)\b)"
)
_MARKUP_LOGIC = re.compile(r"<%(?![=-])|<\?(?!=|php\s+echo)")
_TRANSLATED = re.compile(
    r"(?:\{%[-+]?\s*(?:translate|trans)\s+|\b(?:_|__|t|gettext|translate|trans)\(\s*)"
    r"(?:\"(?P<double>[^\"\\]*+)\"|'(?P<single>[^'\\]*+)')"
    r"|\{\{\s*(?:\"(?P<left>[^\"\\]*+)\"|'(?P<piped>[^'\\]*+)')\s*\|\s*(?:trans|translate|t)\b"
)
_WORDS = re.compile(r"[^\W\d_]{2,}[^\w\s]?\s+[^\W\d_]")
# What a line of code ends or begins with, and prose does not.
_CODE_LINE = re.compile(
    r"\s*(?:[$#>]\s|//|/\*|\.[\w-]+\s|(?:def|import|from|const|let|var|function|return|class|public|"
    r"select|insert|export|sudo|npm|pip|git|docker|curl|cd)\s|</?\w+|[\w.\"'\[\]-]+\s*(?:=|:=|:)\s*\S)"
    r"[^\r\n]*|[^\r\n]*(?:[{};,(\[>\\]|\)|\b\w+\(.*\).*)[ \t]*"
    r"|\s*(?:if|elif|else|for|while|try|except|with|match|case)\b[^\r\n]*:[ \t]*",
    re.IGNORECASE,
)
_MIN_CODE_LINES = 2
_NON_ASCII = re.compile(r"[^\x01-\x7f]+")


class Replacement(NamedTuple):
    """``text`` to put in place of what is between two offsets; both have the same length."""

    start: int
    end: int
    text: str


def mask(text: str, char: str) -> str:
    """Return ``text`` with every character but the line breaks replaced by ``char``."""
    return _NOT_BREAK.sub(char, text)


def apply_replacements(text: str, replacements: Iterable[Replacement]) -> str:
    """Return ``text`` after the replacements, which are sorted and disjoint."""
    parts: list[str] = []
    at = 0
    for start, end, replacement in replacements:
        parts += text[at:start], replacement
        at = end
    return "".join(parts) + text[at:] if parts else text


def blank_masked_lines(text: str) -> str:
    """Make lines on which all is masked blank: blank lines separate paragraphs.

    Between two rows of a table they become rows without text: a blank line would end the table.
    """
    return _MASKED_LINES.sub(lambda found: _blank(text, found), text)


def _blank(text: str, found: re.Match[str]) -> str:
    run = mask(found[0], " ")
    is_row = text.startswith("|", found.end()) and _ROW_END.search(
        text, max(0, found.start() - 4), found.start()
    )
    return (
        _EMPTY_LINE.sub(lambda line: ("|" + REMOVED + line[0][2:])[: len(line[0])], run)
        if is_row
        else run
    )


class Ranges:
    """Sorted, disjoint ranges of a text, such as its code; of two that overlap the first counts."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            if not self._ends or start >= self._ends[-1]:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, offset: int) -> bool:
        """Tell whether an offset is in one of the ranges."""
        index = bisect_right(self._starts, offset) - 1
        return index >= 0 and offset < self._ends[index]

    def hold_whole(self, start: int, end: int) -> bool:
        """Tell whether a stretch that begins in a range ends in it; others do."""
        index = bisect_right(self._starts, start) - 1
        return index < 0 or start >= self._ends[index] or end <= self._ends[index]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)


Skipped = Counter[str]
"""Characters that are left out, by reason: "code", "quotes", "unknown blocks", "front matter"."""


def mask_templates(
    text: str,
    *,
    code: Callable[[], Ranges] = lambda: Ranges(),
    code_names: Collection[str] = (),
    prose_names: Collection[str] = (),
    skipped: Skipped | None = None,
) -> str:
    """Mask the tags of Liquid, Jinja, Hugo, ERB, PHP and merge tags, and comments.

    What stands between two tags is prose, unless their name says that it is code, as of
    ``{% highlight %}`` and ``{{< mermaid >}}``, or nothing is known of the name and it looks like
    code. Strings to be translated (``{% translate "Buy now" %}``) are prose too.

    Args:
        text: the document.
        code: returns the ranges of it that are code: no tag there has content.
        code_names: names of tags whose content is code, beside `CODE_NAMES`.
        prose_names: names of tags whose content is prose, whatever it looks like.
        skipped: what is left out between two tags is counted in it.
    """
    if not any(mark in text for mark in _TEMPLATE_MARKS):
        return text
    tags = list(_TEMPLATE.finditer(text))
    if not tags:
        return text
    ranges = code()
    outside = [found for found in tags if found.start() not in ranges]
    blocks = _Blocks(outside, frozenset(code_names), frozenset(prose_names))
    left_out = blocks.left_out(text)
    replacements = [
        Replacement(start, end, mask(text[start:end], REMOVED)) for start, end, _ in left_out
    ]
    if skipped is not None:
        for start, end, reason in left_out:
            skipped[reason] += end - start
    inside = Ranges((start, end) for start, end, _ in left_out)
    for found in tags:
        if found.start() not in inside and ranges.hold_whole(*found.span()):
            replacements += _mask_tag(found, blocks.closed)
    return blank_masked_lines(apply_replacements(text, sorted(replacements)))


class _Blocks:
    """The pairs of tags in a document: ``{% if %}`` and ``{% endif %}``."""

    def __init__(
        self, tags: Iterable[re.Match[str]], code: frozenset[str], prose: frozenset[str]
    ) -> None:
        self.closed: set[str] = set()
        """Names that have an end tag somewhere."""
        self._code, self._prose = code, prose
        self._tags = [(found, _name(found)) for found in tags]
        for found, name in self._tags:
            if _is_end(found):
                self.closed.add(name)

    def left_out(self, text: str) -> list[tuple[int, int, str]]:
        """Return start, end and reason of each pair with what is between, where it is no prose."""
        found: list[tuple[int, int, str]] = []
        for opener, closer, name, leaf in self._pairs():
            reason = self._reason(name, opener, text[opener.end() : closer.start()], leaf=leaf)
            if reason:
                while found and found[-1][0] > opener.start():  # inside of this one
                    found.pop()
                found.append((opener.start(), closer.end(), reason))
        return found

    def _pairs(self) -> Iterator[tuple[re.Match[str], re.Match[str], str, bool]]:
        """Yield opener, closer and name of pairs, inner ones first, and whether there are none."""
        opened: list[tuple[re.Match[str], str]] = []
        leaves: list[bool] = []
        waiting: Counter[str] = Counter()
        for found, name in self._tags:
            if not _is_end(found):
                if name in self.closed and not found[0].endswith("/>}}"):
                    opened.append((found, name))
                    leaves.append(True)
                    waiting[name] += 1
            elif waiting[name]:
                while True:
                    opener, inner = opened.pop()
                    leaf = leaves.pop()
                    waiting[inner] -= 1
                    if inner == name:
                        break
                if leaves:
                    leaves[-1] = False
                yield opener, found, name, leaf

    def _reason(self, name: str, opener: re.Match[str], content: str, *, leaf: bool) -> str | None:
        lower = name.lower()
        if lower in self._prose:
            return None
        if lower in self._code or lower in CODE_NAMES or _CODE_NAME.search(lower):
            return "code"
        if _CODE_ARGUMENT.search(opener[0]) or (lower == "tabpane" and "text=" not in opener[0]):
            return "code"
        if leaf and lower not in _TEMPLATE_LOGIC and looks_like_code(content):
            return "unknown blocks"
        return None


def looks_like_code(text: str) -> bool:
    """Tell whether most lines of a text, which are two or more, are no prose; fences are."""
    lines = [line for line in text.splitlines() if not line.isspace() and line]
    if len(lines) < _MIN_CODE_LINES or "```" in text or "~~~" in text:
        return False
    return sum(bool(_CODE_LINE.fullmatch(line[:200])) for line in lines) > 0.6 * len(lines)


def _name(tag: re.Match[str]) -> str:
    name = tag["shortcode"] or tag["name"] or ""
    return name[3:] if tag["name"] and name.startswith("end") else name


def _is_end(tag: re.Match[str]) -> bool:
    return bool(tag["closes"] or tag["slash"] or (tag["name"] or "").startswith("end"))


def _mask_tag(tag: re.Match[str], closed: Collection[str]) -> Iterator[Replacement]:
    """Yield what stands for a tag: its strings to be translated stay, as they are prose."""
    start, end = tag.span()
    translated = _TRANSLATED.search(tag[0])
    group = translated and translated.lastgroup
    if translated and group and _WORDS.search(translated[group]):
        first, last = translated.span(group)
        yield Replacement(start, start + first, REMOVED * first)
        yield Replacement(start + last, end, mask(tag[0][last:], REMOVED))
    elif tag["name"] == "plural":
        yield Replacement(start, end, LINE_SEPARATOR + mask(tag[0][1:], REMOVED))
    else:
        yield Replacement(start, end, mask(tag[0], _mask_for(tag, closed)))


def _mask_for(tag: re.Match[str], closed: Collection[str]) -> str:
    if tag["name"] is not None:
        logic = _is_end(tag) or tag["name"] in _TEMPLATE_LOGIC or tag["name"] in closed
        return REMOVED if logic or not tag["name"] else PLACEHOLDER
    if tag["output"] is not None:
        return REMOVED if _OUTPUT_LOGIC.match(tag["output"]) else PLACEHOLDER
    is_markup = tag["comment"] or tag["shortcode"] is not None
    return REMOVED if is_markup or _MARKUP_LOGIC.match(tag[0]) else PLACEHOLDER


class _AsciiClass(dict[int, str]):
    """Maps a code point to an ASCII one that Markdown treats alike, filled as it goes."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        punctuation = unicodedata.category(char)[0] in "PS"
        self[point] = "\f" if char.isspace() else "," if punctuation else "x"
        return self[point]


_ASCII_CLASS = _AsciiClass({0: "x", ord(REMOVED): ","})


def to_ascii_like(text: str) -> str:
    """Return ``text`` with each character outside ASCII replaced by an ASCII one of its class.

    A parser that counts bytes then counts code points, and meets neither lone surrogates nor NUL.
    Letters become letters, spaces form feeds, the rest commas, so emphasis opens and closes as
    it would have.
    """
    return text if text.isascii() and "\0" not in text else _NON_ASCII.sub(_shadow, text)


def _shadow(found: re.Match[str]) -> str:
    return found[0].translate(_ASCII_CLASS)


_SCRIPT_TOKEN = re.compile(
    r"[{}]|\"(?:[^\"\\\r\n]|\\.)*+\"|'(?:[^'\\\r\n]|\\.)*+'|`(?:[^`\\]|\\.)*+`"
    r"|/\*(?:[^*/]|\*(?!/)|/(?!\*))*+\*/",
    re.DOTALL,
)


class ScriptBraces:
    """Finds the brace that closes another in a text with JavaScript between braces.

    Pairs that are found on the way are kept, so that time stays linear.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._closing: dict[int, int] = {}
        self._matched_to = 0

    def end(self, start: int) -> int | None:
        """Return the offset after the brace that closes the one at ``start``."""
        if start >= self._matched_to:
            open_at = []
            for token in _SCRIPT_TOKEN.finditer(self._text, start):
                if token[0] == "{":
                    open_at.append(token.start())
                elif token[0] == "}" and open_at:
                    self._closing[open_at.pop()] = token.end()
                    if not open_at:
                        break
            self._matched_to = token.end() if not open_at else len(self._text)
        return self._closing.get(start)
