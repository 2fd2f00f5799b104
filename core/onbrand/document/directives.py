"""Directives to onbrand in a document: comments, and the brand that front matter names.

Comments such as ``<!-- onbrand-disable-next-line -->`` switch it off, or to another brand; front
matter may name the document's brand.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from onbrand.document.blocks import Comment
from onbrand.document.positions import LineIndex, Span

DIRECTIVES = ("disable", "enable", "disable-line", "disable-next-line")

_DIRECTIVE = re.compile(r"\s*onbrand-(?P<name>[\w-]+)(?:\s+--.*)?\s*", re.S)
_BRAND = re.compile(
    r"\s*onbrand\s+brand\s*=\s*(?P<quote>[\"']?)(?P<brand>[^\"'\r\n]*?)(?P=quote)\s*(?:\s--.*)?",
    re.S,
)
_MEANT = re.compile(r"\s*onbrand(?:[-:_]|\s+(?=[\w-]+\s*(?:=|\Z)))\s*(?P<what>[^\r\n]*)")
_MARKUP = re.compile(r"<[^<>]*>|\{/\*(?:[^*]|\*(?!/))*+\*/\}|\[[xX]\]")
_MAX_GAP = 2000


class Directive(NamedTuple):
    """A directive, and the offsets of its comment."""

    start: int
    end: int
    name: str
    brand: str | None = None


def read_directives(
    comments: Iterable[Comment], lines: LineIndex
) -> tuple[list[Directive], list[str]]:
    """Return the directives among the comments, and a warning for each misspelt one."""
    directives, warnings = [], []
    for start, end, body in comments:
        known = _DIRECTIVE.fullmatch(body)
        if known and known["name"] in DIRECTIVES:
            directives.append(Directive(start, end, known["name"]))
        elif brand := _BRAND.fullmatch(body):
            directives.append(Directive(start, end, "brand", brand["brand"].strip() or None))
        elif meant := _MEANT.match(body):
            warnings.append(_unknown(meant["what"].strip(), lines.line_of(start) + 1))
    return directives, warnings


def _unknown(what: str, line: int) -> str:
    import difflib

    word = re.split(r"[\s=]", what, maxsplit=1)[0].lower()
    near = difflib.get_close_matches(word, [*DIRECTIVES, "brand"], 1)
    known = [f"onbrand-{name}" for name in DIRECTIVES] + ["onbrand brand=NAME"]
    name = "" if not near else "onbrand brand=NAME" if near[0] == "brand" else f"onbrand-{near[0]}"
    hint = f"did you mean {name}?" if name else f"known are {', '.join(known)}"
    return f"line {line}: unknown onbrand comment {what[:40]!r}; {hint}"


class DirectiveResult(NamedTuple):
    """What directives say of sentences: one entry per sentence in each list."""

    suppressed: list[bool]
    brands: list[str | None]


def apply_directives(
    directives: Sequence[Directive], spans: Sequence[Span], source: str, lines: LineIndex
) -> DirectiveResult:
    """Return for each sentence whether it is suppressed, and the brand in force at its start.

    Args:
        directives: sorted by their offsets.
        spans: the sentences, sorted.
        source: the document.
        lines: its line index.
    """
    quiet_lines = {lines.line_of(one.start) for one in directives if one.name == "disable-line"}
    quiet_starts = _next_lines(directives, spans, source, lines)
    suppressed, brands = [], []
    pending = iter([*directives, Directive(len(source) + 1, len(source) + 1, "")])
    directive = next(pending)
    off, brand = False, None
    for span in spans:
        while directive.start < span.start:
            off = directive.name == "disable" or (off and directive.name != "enable")
            brand = directive.brand if directive.name == "brand" else brand
            directive = next(pending)
        first, last = lines.line_of(span.start), lines.line_of(span.end - 1)
        quiet = first in quiet_starts or any(
            line in quiet_lines for line in (range(first, last + 1) if quiet_lines else ())
        )
        suppressed.append(off or quiet)
        brands.append(brand)
    return DirectiveResult(suppressed, brands)


def _next_lines(
    directives: Sequence[Directive], spans: Sequence[Span], source: str, lines: LineIndex
) -> set[int]:
    """Return the lines that "disable-next-line" refers to, blank lines and bare markup skipped."""
    starts = [span.start for span in spans]
    found = set()
    for directive in directives:
        if directive.name != "disable-next-line":
            continue
        after = lines.line_start(lines.line_of(directive.end - 1) + 1)
        index = bisect_left(starts, after)
        if index == len(starts) or starts[index] - after > _MAX_GAP:
            continue
        between = _MARKUP.sub("", source[after : starts[index]])
        if not any(map(str.isalpha, between)):
            found.add(lines.line_of(starts[index]))
    return found


# As Pandoc and Hugo have it: the first line of the file, and no blank line after the fence.
_YAML = re.compile(
    r"\ufeff?---[ \t]*(?:\r\n|\n|\r)(?=[ \t]*\S)(?P<body>.*?)"
    r"(?<![^\r\n])(?:---|\.\.\.)[ \t]*(?![^\r\n])",
    re.S,
)
_TOML = re.compile(
    r"\ufeff?\+\+\+[ \t]*(?:\r\n|\n|\r)(?P<body>.*?)(?<![^\r\n])\+\+\+[ \t]*(?![^\r\n])", re.S
)
BRAND_KEY = "brand"
"""The key of front matter that names the brand, unless the configuration names another."""
_LATE_YAML = re.compile(
    r"\ufeff?(?:[ \t]*"
    r"(?:<!--(?:[^-]|-(?!->))*+-->|\{#(?:[^#]|#(?!\}))*+#\})?[ \t]*(?>\r\n|\n|\r)){0,40}+"
    r"---[ \t]*(?>\r\n|\n|\r)"
    r"(?P<body>(?:(?!---)[^\r\n]*+(?>\r\n|\n|\r)){1,400}+)---[ \t]*(?![^\r\n])"
)
_YAML_LINE = re.compile(r"[ \t]|#|- |[\]})]|[\w.\"'/@$-][\w .\"'/@$-]*:(?:\s|\Z)")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:[-_][a-zA-Z]{2,4})?")
_YAML_LANGUAGE = re.compile(
    r"(?<![^\r\n])(?:lang|language|locale)[ \t]*:[ \t]*[\"']?"
    rf"(?P<language>{_LANGUAGE.pattern})[\"']?[ \t]*(?:#[^\r\n]*)?(?![^\r\n])"
)
_JSON = re.compile(r"\ufeff?\{(?=\s*[\"}])")
_BREAKS = ("", "\r", "\n")
_MAX_MARK = 8
_YAML_VALUE = (
    r"[ \t]*:[ \t]+"
    r"(?:\"(?P<double>[^\"\r\n]*)\"|'(?P<single>[^'\r\n]*)'|(?P<plain>[^\s#\"'][^\r\n]*?))"
    r"[ \t]*(?:[ \t]#[^\r\n]*)?(?![^\r\n])"
)


class FrontMatter(NamedTuple):
    """The metadata at the head of a document."""

    end: int
    """Offset just after its closing fence; 0 when there is none."""
    brand: str | None
    warning: str | None
    language: str | None = None
    """The language that it names, as in ``de`` or ``pt-BR``."""


def read_front_matter(source: str, key: str = BRAND_KEY) -> FrontMatter:
    """Find YAML (``---``), TOML (``+++``) or JSON front matter, the brand and language it names.

    Blank lines and comments may stand before it, and in YAML after its fence, if its lines are YAML
    then.

    Args:
        source: the text of the document.
        key: the key that names the brand. It counts at the top level only, and of YAML only with a
            plain or quoted scalar.
    """
    head = source[:_MAX_MARK].lstrip("\ufeff")
    if head.startswith("---") and (found := _YAML.match(source)):
        return _yaml_front_matter(found, key)
    if head.startswith("+++") and (found := _TOML.match(source)):
        return _toml_front_matter(found.end(), found["body"], key)
    if head.startswith("{") and (found := _JSON.match(source)):
        return _json_front_matter(source, found.end() - 1, key)
    if (found := _LATE_YAML.match(source)) and _is_yaml(found["body"]):
        return _yaml_front_matter(found, key)
    return FrontMatter(0, None, None)


def _yaml_front_matter(found: re.Match[str], key: str) -> FrontMatter:
    language = _YAML_LANGUAGE.search(found["body"])
    said = language and language["language"]
    return FrontMatter(found.end(), _yaml_brand(found["body"], key), None, said)


def _is_yaml(body: str) -> bool:
    """Tell whether all lines look like YAML, for two rules of Markdown may hold prose."""
    lines = body.splitlines()
    return bool(lines[-1].strip()) and all(_YAML_LINE.match(line) for line in lines if line.strip())


def _json_front_matter(source: str, start: int, key: str) -> FrontMatter:
    """Read the object with which Hugo's documents may begin."""
    import json

    try:
        data, end = json.JSONDecoder().raw_decode(source, start)
    except (ValueError, RecursionError):
        return FrontMatter(0, None, None)
    if not isinstance(data, dict) or source[end : end + _MAX_MARK].strip(" \t")[:1] not in _BREAKS:
        return FrontMatter(0, None, None)
    brand, language = data.get(key), data.get("lang") or data.get("language")
    return FrontMatter(
        end,
        brand if isinstance(brand, str) and brand else None,
        None,
        language if isinstance(language, str) and _LANGUAGE.fullmatch(language) else None,
    )


@cache
def _yaml_key(key: str) -> re.Pattern[str]:
    name = re.escape(key)
    return re.compile(rf"(?<![^\r\n])(?:{name}|\"{name}\"|'{name}')" + _YAML_VALUE)


def _yaml_brand(body: str, key: str) -> str | None:
    found = _yaml_key(key).search(body)
    if not found:
        return None
    value = next(text for text in found.groups() if text is not None).strip()
    return None if not value or value in ("null", "~") else value


def _toml_front_matter(end: int, body: str, key: str) -> FrontMatter:
    import tomllib

    try:
        data = tomllib.loads(re.sub(r"\r\n?", "\n", body))
    except ValueError as error:
        return FrontMatter(end, None, f"line 1: the front matter is no valid TOML ({error})")
    brand, language = data.get(key), data.get("lang") or data.get("language")
    return FrontMatter(
        end,
        brand if isinstance(brand, str) and brand else None,
        None,
        language if isinstance(language, str) and _LANGUAGE.fullmatch(language) else None,
    )
