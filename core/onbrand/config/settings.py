"""The settings for one file, and the origin of each of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from onbrand.config.load import (
    Config,
    ConfigCache,
    Exit,
    Underline,
    absolute,
    configs_above,
    load_config,
)
from onbrand.document import directives
from onbrand.document.dialects import PLAIN, Dialect, find_dialect
from onbrand.errors import OnbrandError
from onbrand.files import read_text
from onbrand.installation import STATE_FILE, default_root, is_url, redact_url
from onbrand.labels.normalization import text_key

KEYS = (
    "brand",
    "avoid",
    "voices",
    "encoder",
    "gate",
    "threshold",
    "quotes",
    "brand_key",
    "exit",
    "underline",
    "max_findings",
    "format",
    "language",
    "code_blocks",
    "prose_blocks",
    "front_matter",
    "labels_db",
)


class Uninstalled(NamedTuple):
    """A URL in ``voices`` from which nothing is installed yet."""

    root: Path
    """The folder into which they will be installed."""
    message: str
    """``file:line: message``, one line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings for one file from configuration files; None where no file sets one.

    These win over them, strongest first: a command-line option, a comment in the document, the
    document's front matter.
    """

    brand: str | None = None
    avoid: tuple[str, ...] = ()
    """Registers that a draft for which no brand is set must not read like."""
    voices: tuple[Path, ...] = ()
    """Folders of voices, and installations for the URLs from which something is installed."""
    uninstalled: tuple[Uninstalled, ...] = ()
    """The other URLs: not among the voices; a warning where there are other voices."""
    gate: float | None = None
    threshold: float | None = None
    excluded: bool = False
    quotes: bool = False
    brand_key: str = directives.BRAND_KEY
    """The key of a draft's front matter that names its brand."""
    exit: Exit | None = None
    """What makes ``onbrand check`` exit with 1."""
    format: str | None = None
    """How to read the file, whatever its name says."""
    language: str | None = None
    """The language whose abbreviations hold where a document names none, as in ``pt-BR``."""
    code_blocks: tuple[str, ...] = ()
    """Names of shortcodes, tags, directives and components whose content is code."""
    prose_blocks: tuple[str, ...] = ()
    """Names of those whose content is prose."""
    site: Dialect = PLAIN
    """What the site that the file belongs to adds to Markdown."""
    front_matter: tuple[str, ...] = ()
    """Keys of front matter whose values readers see, and which are judged."""
    ignore: frozenset[str] = frozenset()
    """`text_key` of the sentences that must not be flagged, from all configuration files."""
    underline: Underline | None = None
    """What editors underline; the command line marks both."""
    max_findings: int | None = None
    """How many findings editors show in full on about a screen of text; 0: all."""
    encoder: Path | None = None
    labels_db: str | None = None
    """A database URL, or an absolute path."""
    source: Path | None = None
    """The configuration file nearest to the file; None when the project has none."""
    files: tuple[Path, ...] = ()
    """All configuration files that hold for the file, nearest first."""
    matched: tuple[str, ...] = ()
    """The globs of ``[[paths]]`` that match the file, strongest first."""
    warnings: tuple[str, ...] = ()
    """``file:line: message``, one line each."""

    @property
    def dialect(self) -> Dialect:
        """How a document is read: as on its site, and by the names that are set."""
        return replace(
            self.site,
            mdx=self.site.mdx if self.format is None else False,
            language=self.language or self.site.language,
            code=frozenset(map(str.lower, self.code_blocks)),
            prose=frozenset(map(str.lower, self.prose_blocks)),
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """A value, and its place in a configuration file."""

    key: str
    value: Any
    config: Config
    rule: int | None = None
    """The number of the ``[[paths]]`` table; None for a key at the top."""

    @property
    def glob(self) -> str | None:
        """The glob of the ``[[paths]]`` table."""
        return None if self.rule is None else self.config.content.paths[self.rule].glob

    @property
    def line(self) -> int:
        """The line of the key, counted from 1."""
        above = () if self.rule is None else ("paths", self.rule)
        return self.config.source.line_of(*above, self.key)


def settings_for(
    path: Path, *, explicit: Path | None = None, cache: ConfigCache | None = None
) -> Settings:
    """Return the settings for ``path``.

    Args:
        path: the file; it need not exist.
        explicit: the one configuration file to use (``--config``) instead of looking upwards.
        cache: keeps the parsed configuration of folders between calls.

    Raises:
        OnbrandError: see `load_config`.
    """
    path = absolute(path)
    configs = configs_for(path, explicit, cache)
    values: dict[str, Any] = {}
    uninstalled: list[Uninstalled] = []
    for origin in origins(path, configs):
        if origin.key not in values:
            values[origin.key] = _resolve(origin, uninstalled)
    excluding = exclusion(path, configs)
    return Settings(
        **values,
        site=find_dialect(path),
        excluded=excluding is not None and excluding[0],
        ignore=frozenset(text_key(text) for config in configs for text in config.content.ignore),
        source=configs[0].file if configs else None,
        files=tuple(config.file for config in configs),
        matched=tuple(
            config.content.paths[rule].glob
            for config in configs
            for rule in _matching_rules(path, config)
        ),
        uninstalled=tuple(uninstalled),
        warnings=tuple(one.message for one in uninstalled if values["voices"]),
    )


def configs_for(
    path: Path, explicit: Path | None = None, cache: ConfigCache | None = None
) -> Sequence[Config]:
    """Return the configuration files that hold for ``path``, nearest first."""
    if explicit is not None:
        return (load_config(explicit),)
    return tuple(configs_above(path, cache))


def origins(path: Path, configs: Sequence[Config]) -> Iterator[Origin]:
    """Yield every value that the files set for ``path``; the first of each key wins."""
    for config in configs:
        for rule in _matching_rules(path, config):
            yield from _set_keys(config, config.content.paths[rule], rule)
        yield from _set_keys(config, config.content, None)


def exclusion(path: Path, configs: Sequence[Config]) -> tuple[bool, Config, int] | None:
    """Return whether ``path`` is excluded, and the file and index of the glob that decides.

    As with nested ``.gitignore`` files the nearest file that has a glob for the path decides, and
    in it the last such glob. None: there is no glob for the path.
    """
    for config in configs:
        relative = config.relative(path)
        if relative is None:
            continue
        result = config.exclude.check_file(relative)
        if result.include is not None and result.index is not None:
            return result.include, config, result.index
    return None


def _matching_rules(path: Path, config: Config) -> list[int]:
    """Return the indices of the ``[[paths]]`` tables that match, the last and strongest first."""
    relative = config.relative(path)
    if relative is None:
        return []
    return [n for n, glob in enumerate(config.globs) if glob.match_file(relative)][::-1]


def _set_keys(config: Config, table: object, rule: int | None) -> Iterator[Origin]:
    for key in KEYS:
        value = getattr(table, key, None)
        if value is not None:
            yield Origin(key, value, config, rule)


def _resolve(origin: Origin, uninstalled: list[Uninstalled]) -> Any:  # noqa: ANN401
    """Make the paths in a value absolute; they are relative to the configuration file's folder."""
    folder = origin.config.folder
    match origin.key:
        case "voices":
            places = []
            for voice in origin.value:
                place = default_root(voice) if is_url(voice) else _place(folder, voice)
                if is_url(voice) and not (place / STATE_FILE).is_file():
                    uninstalled.append(_uninstalled(origin, voice, place))
                else:
                    places.append(place)
            return tuple(places)
        case "encoder":
            return _place(folder, origin.value)
        case "labels_db" if not is_url(origin.value):
            return str(_place(folder, origin.value))
        case _:
            return origin.value


def _uninstalled(origin: Origin, url: str, root: Path) -> Uninstalled:
    shown = redact_url(url)
    return Uninstalled(
        root,
        f"{origin.config.file}:{origin.line}: no voices installed from {shown}; "
        f"run: onbrand voices install {shown} --key KEY",
    )


def _place(folder: Path, value: str) -> Path:
    return absolute(folder / os.path.expanduser(value))  # noqa: PTH111 - raises without a home


Kind = Literal["default", "top level", "paths", "exclude", "front matter"]
Value = str | float | bool | tuple[str, ...] | None


class Setting(Struct, frozen=True):
    """The value of one key for a file, and where it was set."""

    key: str
    value: Value
    """As it was written, without passwords in URLs; None when it was not set."""
    kind: Kind = "default"
    file: str | None = None
    line: int | None = None
    """Counted from 1; None for front matter, which stands at the top of its file."""
    glob: str | None = None
    """The glob of the ``[[paths]]`` table or of ``exclude`` that matched the file."""


def explain(
    path: Path, *, explicit: Path | None = None, cache: ConfigCache | None = None
) -> list[Setting]:
    """Return the settings for ``path`` with their origins, in a fixed order.

    There is one for each key, and of ``ignore``, which adds up, one for each file that sets it.

    Raises:
        OnbrandError: see `onbrand.config.load_config`.
    """
    path = absolute(path)
    configs = configs_for(path, explicit, cache)
    found: dict[str, Setting] = {}
    for origin in origins(path, configs):
        if origin.key not in found:
            found[origin.key] = Setting(
                origin.key,
                _shown(origin),
                "top level" if origin.rule is None else "paths",
                str(origin.config.file),
                origin.line,
                origin.glob,
            )
    if brand := _front_matter_brand(path, found.get("brand_key")):
        found["brand"] = Setting("brand", brand, "front matter", str(path))
    settings = [found.get(key) or Setting(key, None) for key in KEYS]
    settings += _ignored(configs)
    decision = exclusion(path, configs)
    if decision is None:
        return [*settings, Setting("excluded", False)]
    excluded, config, item = decision
    line, glob = config.source.line_of("exclude", item), config.content.exclude[item]
    return [*settings, Setting("excluded", excluded, "exclude", str(config.file), line, glob)]


def _shown(origin: Origin) -> Value:
    if origin.key == "voices":
        return tuple(map(redact_url, origin.value))
    value: Value = origin.value
    return value


def _ignored(configs: Sequence[Config]) -> list[Setting]:
    """Return a setting of ``ignore`` for each file that sets it: they add up."""
    settings = [
        Setting(
            "ignore",
            config.content.ignore,
            "top level",
            str(config.file),
            config.source.line_of("ignore"),
        )
        for config in configs
        if config.content.ignore
    ]
    return settings or [Setting("ignore", None)]


def _front_matter_brand(path: Path, key: Setting | None) -> str | None:
    with contextlib.suppress(OnbrandError):  # the file need not exist, nor be a text
        name = directives.BRAND_KEY if key is None else str(key.value)
        return directives.read_front_matter(read_text(path), name).brand
    return None
