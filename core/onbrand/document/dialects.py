"""What a site adds to Markdown, found in the site's own files, which are read and never run.

The generator is known by its configuration file in a folder above the draft: ``mkdocs.yml``,
``docusaurus.config.js``, ``hugo.toml``, ``_config.yml``, ``conf.py``, ``_quarto.yml``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Site = Literal[
    "mkdocs", "docusaurus", "hugo", "jekyll", "sphinx", "quarto", "vitepress", "astro", "obsidian"
]
"""A generator of sites, or a program that keeps notes."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the documents of a site are read."""

    site: Site | None = None
    mdx: bool | None = None
    """Whether ``.md`` files are MDX; None: those are that begin with an import."""
    language: str | None = None
    """The language whose abbreviations hold, as in ``de`` or ``pt-BR``; a document may name its
    own."""
    code: frozenset[str] = frozenset()
    """Names of shortcodes, tags, directives and components whose content is not prose, in lower
    case, beside those that are known."""
    prose: frozenset[str] = frozenset()
    """Names of those whose content is prose, whatever it looks like, in lower case."""

    @property
    def comments(self) -> bool:
        """Whether a line that begins with ``%`` is a comment, wherever it stands."""
        return self.site == "sphinx"

    @property
    def citations(self) -> bool:
        """Whether any ``@key`` is a citation."""
        return self.site == "quarto"


PLAIN = Dialect()
"""That of a document of which nothing is known."""

_FILES: dict[str, Site] = {
    "mkdocs.yml": "mkdocs",
    "mkdocs.yaml": "mkdocs",
    "zensical.toml": "mkdocs",
    "docusaurus.config.js": "docusaurus",
    "docusaurus.config.ts": "docusaurus",
    "docusaurus.config.mjs": "docusaurus",
    "docusaurus.config.cjs": "docusaurus",
    "hugo.toml": "hugo",
    "hugo.yaml": "hugo",
    "hugo.yml": "hugo",
    "hugo.json": "hugo",
    "config.toml": "hugo",
    "config.yaml": "hugo",
    "config.yml": "hugo",
    "_config.yml": "jekyll",
    "_config.yaml": "jekyll",
    "_config.toml": "jekyll",
    "conf.py": "sphinx",
    "myst.yml": "sphinx",
    "_quarto.yml": "quarto",
    "_quarto.yaml": "quarto",
    "_bookdown.yml": "quarto",
    "astro.config.mjs": "astro",
    "astro.config.ts": "astro",
    "astro.config.js": "astro",
}
_FOLDERS: dict[str, Site] = {".vitepress": "vitepress", ".obsidian": "obsidian"}
# Names that other programs use too: what shows that a file is the generator's.
_MARKS = {
    "config.toml": re.compile(
        r"^\s*(?:baseURL|languageCode|defaultContentLanguage)\s*=", re.M | re.I
    ),
    "config.yaml": re.compile(r"^(?:baseURL|languageCode|defaultContentLanguage)\s*:", re.M | re.I),
    "config.yml": re.compile(r"^(?:baseURL|languageCode|defaultContentLanguage)\s*:", re.M | re.I),
    "conf.py": re.compile(r"^\s*(?:extensions|html_theme|project|master_doc)\s*=", re.M),
}
_LANGUAGE = re.compile(
    r"^[ \t]*[\"']?(?:lang|language|languageCode|locale|defaultLocale|defaultContentLanguage)[\"']?"
    r"[ \t]*[:=][ \t]*[\"']?(?P<language>[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?)\b"
    r"[\"']?[ \t]*,?[ \t]*(?:#.*)?\r?$",
    re.M | re.I,
)
_DETECT = re.compile(r"\bformat\s*:\s*[\"'](?:detect|md)[\"']")
_MAX_CONFIG = 256 * 1024
_IMPORT = re.compile(
    r"\s*(?:import\s+(?:[\w$*{},\s]{1,300}?\sfrom\s*)?[\"'][^\"'\r\n]+[\"']|"
    r"export\s+(?:default|const|let|var|function|\{|\*)\s)"
)


def find_dialect(path: Path) -> Dialect:
    """Return the dialect of the site that a document belongs to.

    Looked at are the document's folder and those above it, up to one that has ``.git``, the user's
    home or the root of the file system. The nearest site counts. Nothing is run, and what cannot be
    read counts as missing.
    """
    home = os.path.expanduser("~")  # noqa: PTH111 - raises nothing without a home
    for folder in _above(os.path.abspath(path)):  # noqa: PTH100 - keeps symbolic links
        found = _file_in(folder, _modified(folder))
        if found is not None:
            dialect = _read(found, _modified(found))
            if dialect is not None:
                return dialect
        if folder == home or _is_root(folder, _modified(folder)):
            break
    return PLAIN


def is_mdx(source: str) -> bool:
    """Tell whether a document begins with the imports or exports of MDX."""
    return bool(_IMPORT.match(source))


def _above(path: str) -> Iterator[str]:
    folder = os.path.dirname(path)  # noqa: PTH120 - a string is many times faster here
    while True:
        yield folder
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder:
            return
        folder = parent


def _modified(path: str) -> int:
    """Return when a file or the list of a folder's files changed; 0: there is none."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=4096)
def _names(folder: str, modified: int) -> frozenset[str]:
    if not modified:
        return frozenset()
    try:
        return frozenset(os.listdir(folder)) & _KNOWN  # noqa: PTH208
    except OSError:
        return frozenset()


_KNOWN = frozenset([*_FILES, *_FOLDERS, ".git", "config"])


def _is_root(folder: str, modified: int) -> bool:
    return ".git" in _names(folder, modified)


@lru_cache(maxsize=4096)
def _file_in(folder: str, modified: int) -> str | None:
    """Return the file or folder that tells the site of a folder."""
    names = _names(folder, modified)
    for name in (*_FILES, *_FOLDERS):
        if name in names and _is_marked(os.path.join(folder, name), name):  # noqa: PTH118
            return os.path.join(folder, name)  # noqa: PTH118
    if "config" in names:
        for name in ("hugo.toml", "config.toml", "hugo.yaml", "config.yaml"):
            inner = os.path.join(folder, "config", "_default", name)  # noqa: PTH118
            if _modified(inner):
                return inner
    return None


def _is_marked(file: str, name: str) -> bool:
    return name not in _MARKS or bool(_MARKS[name].search(_text(file)))


@lru_cache(maxsize=256)
def _read(file: str, modified: int) -> Dialect | None:
    if not modified:
        return None
    name = os.path.basename(file)  # noqa: PTH119
    if name in _FOLDERS:
        return Dialect(site=_FOLDERS[name])
    text = _text(file)
    site = _FILES[name]
    if site == "jekyll" and os.path.exists(os.path.join(os.path.dirname(file), "_toc.yml")):  # noqa: PTH110, PTH118, PTH120
        site = "sphinx"  # a Jupyter Book
    said = _LANGUAGE.finditer(text)
    # In `mkdocs.yml` "lang" names the other versions of a site.
    language = next((one for one in said if site != "mkdocs" or "lang:" not in one[0]), None)
    mdx = True if site == "docusaurus" and not _DETECT.search(text) else None
    return Dialect(site, mdx, language and language["language"])


def _text(file: str) -> str:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123
            return stream.read(_MAX_CONFIG).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
