"""Front matter: where it ends, and the brand that it names."""

from __future__ import annotations

import re
from typing import NamedTuple

# As Pandoc and Hugo have it: the first line of the file, and no blank line after the fence.
_YAML = re.compile(
    r"\ufeff?---[ \t]*(?:\r\n|\n|\r)(?=[ \t]*\S)(?P<body>.*?)"
    r"(?<![^\r\n])(?:---|\.\.\.)[ \t]*(?![^\r\n])",
    re.S,
)
_TOML = re.compile(
    r"\ufeff?\+\+\+[ \t]*(?:\r\n|\n|\r)(?P<body>.*?)(?<![^\r\n])\+\+\+[ \t]*(?![^\r\n])", re.S
)
_YAML_BRAND = re.compile(
    r"(?<![^\r\n])(?:brand|\"brand\"|'brand')[ \t]*:[ \t]+"
    r"(?:\"(?P<double>[^\"\r\n]*)\"|'(?P<single>[^'\r\n]*)'|(?P<plain>[^\s#\"'][^\r\n]*?))"
    r"[ \t]*(?:[ \t]#[^\r\n]*)?(?![^\r\n])"
)


class FrontMatter(NamedTuple):
    """The metadata at the head of a document."""

    end: int
    """Offset just after its closing fence; 0 when there is none."""
    brand: str | None
    warning: str | None


def read(source: str) -> FrontMatter:
    """Find YAML (``---``) or TOML (``+++``) front matter and the brand it names.

    Only a ``brand`` key at the top level counts, and of YAML only a plain or quoted scalar.
    """
    if source.startswith(("---", "\ufeff---")) and (found := _YAML.match(source)):
        return FrontMatter(found.end(), _yaml_brand(found["body"]), None)
    if source.startswith(("+++", "\ufeff+++")) and (found := _TOML.match(source)):
        return _toml(found.end(), found["body"])
    return FrontMatter(0, None, None)


def _yaml_brand(body: str) -> str | None:
    found = _YAML_BRAND.search(body)
    if not found:
        return None
    value = next(text for text in found.groups() if text is not None).strip()
    return None if not value or value in ("null", "~") else value


def _toml(end: int, body: str) -> FrontMatter:
    import tomllib

    try:
        brand = tomllib.loads(re.sub(r"\r\n?", "\n", body)).get("brand")
    except ValueError as error:
        return FrontMatter(end, None, f"line 1: the front matter is no valid TOML ({error})")
    return FrontMatter(end, brand if isinstance(brand, str) and brand else None, None)
