"""Markup that Markdown's dialects add inside of paragraphs, as a table of rules.

Each rule is a regular expression that stays on its line or ends at its own next opener, so that
time is linear, and what takes the place of what it finds, which is as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from onbrand.document.dialects import Dialect
from onbrand.document.masking import PLACEHOLDER, REMOVED, Ranges, Replacement, mask

_Replace = Callable[[re.Match[str]], str]


class Rule(NamedTuple):
    """A kind of markup."""

    marks: tuple[str, ...]
    """Without any of these in a document the rule is passed over."""
    pattern: re.Pattern[str]
    replace: _Replace
    """Returns as many characters as the match has."""


def _removed(found: re.Match[str]) -> str:
    return mask(found[0], REMOVED)


def _placeholder(found: re.Match[str]) -> str:
    return mask(found[0], PLACEHOLDER)


def _attributes(found: re.Match[str]) -> str:
    """Return what stands for ``{.class}``; after ``[text]`` it becomes the target of a link."""
    if found.string[found.start() - 1 : found.start()] == "]":
        return "(" + "x" * (len(found[0]) - 2) + ")"
    return mask(found[0], REMOVED)


def _label(found: re.Match[str]) -> str:
    """Keep the group ``label`` of a match and remove the rest."""
    first, last = (at - found.start() for at in found.span("label"))
    text = found[0]
    return REMOVED * first + text[first:last] + REMOVED * (len(text) - last)


def _ends(found: re.Match[str]) -> str:
    """Keep all but the marks at both ends, two characters each."""
    return REMOVED * 2 + found[0][2:-2] + REMOVED * 2


_TWO_WORDS = re.compile(r"(?<![\\\w])[A-Za-z]{3,}[,.]?\s+[a-z]{2,}")
_LOOKS_LIKE_MATHS = re.compile(r"[\\^_=+<>|{}*/]|\A\W*\w{1,2}\W*\Z")
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|operatorname|label|mbox)\w*\{[^{}]*\}")


def _maths(found: re.Match[str]) -> str:
    """Return what stands for a formula; brackets that were only escaped stay."""
    inner = _TEXT_COMMAND.sub("", found["inner"])
    if found["open"].startswith("\\\\"):
        return mask(found[0], PLACEHOLDER)
    if _TWO_WORDS.search(inner) or not _LOOKS_LIKE_MATHS.search(inner):
        return found[0]
    return mask(found[0], PLACEHOLDER)


_VALUE = r"(?:\"[^\"\r\n]*+\"|'[^'\r\n]*+'|[^\s{}\"'=]++)"
_ITEM = rf"(?:[#.][\w:.@/!-]++|[\w:@.-]++={_VALUE}|-)"
_ATTRIBUTES = rf"\{{:?[ \t]*+{_ITEM}(?:[ \t]++{_ITEM})*+[ \t]*+\}}"

# What may span lines, in the order in which it is looked for.
_SPANS = (
    Rule(("%%",), re.compile(r"%%(?<![\w%]%%)(?:[^%]|%(?!%))++%%(?!\w)"), _removed),
    Rule(
        ("{::",),
        re.compile(r"\{::comment\}(?:[^{]|\{(?![:/]))*+\{:/(?:comment)?\}", re.I),
        _removed,
    ),
    Rule(("{>>",), re.compile(r"\{>>(?:[^<{]|<(?!<)|\{(?!>))*+<<\}"), _removed),
    Rule(
        ("$$",),
        re.compile(r"(?<![^\r\n])[ \t>]*\$\$(?:[^$\r\n]|\$(?!\$)|(?>\r\n|\n|\r))*+\$\$"),
        _placeholder,
    ),
    Rule(
        ("\\begin{",),
        re.compile(
            r"\\begin\{(?P<name>[\w*]+)\}(?:[^\\]|\\(?!begin\{|end\{(?P=name)\}))*+\\end\{(?P=name)\}"
        ),
        _placeholder,
    ),
    Rule(
        ("\\(", "\\["),
        re.compile(
            r"(?P<open>\\{1,2})(?:\((?P<round>)|\[)(?P<inner>(?:[^\\\r\n]|\\(?![()\[\]])(?!\\[()\[\]])|"
            r"(?>\r\n|\n|\r)(?![ \t]*[\r\n]))*+)\\{1,2}(?(round)\)|\])"
        ),
        _maths,
    ),
)
_LINES = (
    # Roles of MyST and reStructuredText before code: {ref}`x`, :ref:`x`.
    Rule(("}`",), re.compile(r"\{[\w:.+-]+\}(?=`)"), _removed),
    Rule((":`",), re.compile(r":(?<![\w:]:)[a-z][\w:+.-]*:(?=`)"), _removed),
    # Components of MDC and directives of remark: :abbr[HTML]{title="…"}.
    Rule(
        ("[",),
        re.compile(r":(?<![\w:\\/]:)[A-Za-z][\w-]*\[(?P<label>[^\[\]\r\n]*)\](?:\{[^{}\r\n]*\})?"),
        _label,
    ),
    # Icons and emoji: :material-clock:, :tada:, :+1:.
    Rule(
        (":",),
        re.compile(r":(?<![\w:/\\]:)(?=[\w+-]*[A-Za-z+])[A-Za-z0-9+_-]++:(?![\w:/])"),
        _removed,
    ),
    Rule(
        ("{",),
        re.compile(rf"{_ATTRIBUTES}|\{{:[^{{}}\r\n]*+\}}"),
        _attributes,
    ),
    Rule(("`{=",), re.compile(r"\{=(?<=`\{=)\w+\}"), _removed),
    # Keys, marks and insertions of PyMdown: ++ctrl+c++, ==marked==, ^^inserted^^.
    Rule(
        ("++",),
        re.compile(r"\+\+(?<![\w+]\+\+)(?=[\w\"])[\w\"-]+(?:\+[\w\"-]+)*\+\+(?![\w+])"),
        _placeholder,
    ),
    Rule(("==",), re.compile(r"==(?<![=\w]==)(?=[^\s=])[^=\r\n]*[^\s=]==(?![=\w])"), _ends),
    Rule(
        ("^^",),
        re.compile(r"\^\^(?<![\^\w]\^\^)(?=[^\s^])[^^\r\n]*[^\s^]\^\^(?![\^\w])"),
        _ends,
    ),
    Rule(
        ("{++", "{--", "{==", "{~~"),
        re.compile(r"\{(?:\+\+|--|==|~~)|(?:\+\+|--|==|~~)\}"),
        _removed,
    ),
    # Citations of Pandoc, references of bookdown and Quarto.
    Rule(
        ("@",),
        re.compile(r"\[(?:[^\[\]@\r\n]{0,60}?[\s;(-])?-?@[\w{][^\[\]\r\n]*\](?![(\[])"),
        _placeholder,
    ),
    Rule(
        ("@",),
        re.compile(
            r"@(?<![\w@/.]@)(?:ref\([^()\r\n]*\)|(?:fig|tbl|sec|eq|lst|thm|lem|def|exm|nte|tip|wrn)"
            r"-[\w:-]*\w|[A-Za-z]\w*\d{4}[a-z]?\w*)(?![\w/@])"
        ),
        _placeholder,
    ),
    Rule(("^",), re.compile(r"[ \t]\^[\w-]+[ \t]*(?![^\r\n])"), _removed),
)
_CITATION = re.compile(r"@(?<![\w@/.]@)[\w{][\w:.#$%&+?<>~/-]*\w")
_DEFINED = re.compile(r"(?<![^\r\n])[ >]{0,12}\[([^\[\]\r\n]{1,999})\]:")
_REFERENCE = re.compile(r"\](?P<space>[ ]?)\[(?P<id>[^\[\]\r\n]*+)\](?![(:])")
_IDENTIFIER = re.compile(r"[\w.:/-]*[._:/][\w.:/-]*")


def mask_spans(text: str, code: Ranges) -> list[Replacement]:
    """Return what stands for comments and formulas, which may span lines but begin in no code."""
    found: list[Replacement] = []
    end = 0
    for start, stop, new in sorted(_apply(text, _SPANS)):
        if start >= end and start not in code:
            found.append(Replacement(start, stop, new))
            end = stop
    return found


def mask_inline(text: str, dialect: Dialect) -> str:
    """Mask the markup inside of paragraphs, and make links of references to other files."""
    text = _resolve_references(text)
    for rule in _LINES:
        if any(mark in text for mark in rule.marks):
            text = rule.pattern.sub(rule.replace, text)
    if dialect.citations and "@" in text:
        text = _CITATION.sub(_placeholder, text)
    return text


def _apply(text: str, rules: tuple[Rule, ...]) -> Iterator[Replacement]:
    for rule in rules:
        if any(mark in text for mark in rule.marks):
            for found in rule.pattern.finditer(text):
                yield Replacement(*found.span(), rule.replace(found))


def _resolve_references(text: str) -> str:
    """Make links of ``[label][id]`` where another file defines the id: the label stays."""
    if "][" not in text and "] [" not in text:
        return text
    defined = {_key(found[1]) for found in _DEFINED.finditer(text)}

    def link(found: re.Match[str]) -> str:
        name = _key(found["id"])
        # Python-Markdown knows a reference after a space, too.
        ours = (name in defined) == bool(found["space"]) and not name.startswith("^")
        if not ours and not (found["space"] and _IDENTIFIER.fullmatch(name)):
            return found[0]
        return "](" + "x" * (len(found[0]) - 3) + ")"

    return _REFERENCE.sub(link, text)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
