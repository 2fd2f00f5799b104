"""Which setting holds for a file and why: the data behind ``onbrand config show``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from onbrand.config.load import Config, ConfigCache, absolute
from onbrand.config.settings import KEYS, Origin, configs_for, exclusion, origins
from onbrand.errors import OnbrandError
from onbrand.files import read_text
from onbrand.installation import without_secrets
from onbrand.text import frontmatter

Kind = Literal["default", "top level", "paths", "exclude", "front matter"]
Value = str | float | bool | tuple[str, ...] | None


class Setting(Struct, frozen=True):
    """The value of one key that is in force, and the place where it was set."""

    key: str
    value: Value
    """As it was written, but for passwords in URLs; None when it was not."""
    kind: Kind = "default"
    file: str | None = None
    line: int | None = None
    """Counted from 1; None for front matter, which stands at the top of its file."""
    glob: str | None = None
    """The glob of the ``[[paths]]`` table or of ``exclude`` that matched the file."""


def explain(
    path: Path, *, explicit: Path | None = None, cache: ConfigCache | None = None
) -> list[Setting]:
    """Return every setting that holds for ``path`` with its origin, in a fixed order.

    Of each key there is one, but ``ignore`` adds up over the files and has one for each.

    Raises:
        OnbrandError: see `onbrand.config.load_config`.
    """
    path = absolute(path)
    configs = configs_for(path, explicit, cache)
    found: dict[str, Setting] = {}
    if brand := _front_matter_brand(path):
        found["brand"] = Setting("brand", brand, "front matter", str(path))
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
        return tuple(map(without_secrets, origin.value))
    value: Value = origin.value
    return value


def _ignored(configs: Sequence[Config]) -> list[Setting]:
    """Return ``ignore`` once for each file that sets it, as all of them hold."""
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


def _front_matter_brand(path: Path) -> str | None:
    with contextlib.suppress(OnbrandError):  # the file need not exist, nor be a text
        return frontmatter.read(read_text(path)).brand
    return None
