"""Finding, reading and checking configuration files."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from pathspec import GitIgnoreSpec

from onbrand.config.globs import compile_globs
from onbrand.config.schema import ConfigFile, describe
from onbrand.config.source import TomlSource
from onbrand.errors import OnbrandError
from onbrand.files import CONFIG_FILE, read_text
from onbrand.installation import is_url

MAX_CONFIG_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration file, checked."""

    source: TomlSource
    content: ConfigFile
    exclude: GitIgnoreSpec
    globs: tuple[GitIgnoreSpec, ...]
    """The compiled globs of ``content.paths``, in order."""

    @property
    def file(self) -> Path:
        """The file, absolute."""
        return self.source.file

    @property
    def folder(self) -> Path:
        """The folder that the file's paths and globs start from."""
        return self.source.file.parent

    def relative(self, path: Path) -> str | None:
        """Return ``path`` from this file's folder with slashes, None when it is not inside."""
        try:
            return path.relative_to(self.folder).as_posix()
        except ValueError:
            return None


ConfigCache = dict[Path, Config | None]
"""The configuration of each folder that was looked at. Empty it when a file changes."""


def find_config(path: Path) -> Path | None:
    """Return the configuration file nearest to ``path`` (a file or folder that may not exist).

    Raises:
        OnbrandError: the file found cannot be read or is wrong.
    """
    nearest = next(configs_above(path), None)
    return None if nearest is None else nearest.file


def load_config(file: Path) -> Config:
    """Read and check one configuration file.

    Raises:
        OnbrandError: the file is missing, not TOML, or has an unknown key or a bad value; the
            error names line, key and what is allowed.
    """
    file = absolute(file)
    config = _load(file, read_text(file, max_bytes=MAX_CONFIG_BYTES))
    if config is None:
        raise OnbrandError("has no [tool.onbrand] table; add one", path=file)
    return config


def configs_above(path: Path, cache: ConfigCache | None = None) -> Iterator[Config]:
    """Yield the configuration files that hold for ``path``, nearest first.

    Raises:
        OnbrandError: see `load_config`.
    """
    cache = {} if cache is None else cache
    path = absolute(path)
    folders = (path, *path.parents) if _is(path.is_dir) else path.parents
    for folder in folders:
        if folder not in cache:
            cache[folder] = _config_in(folder)
        config = cache[folder]
        if config is not None:
            yield config
            if config.content.root:
                return


def absolute(path: Path) -> Path:
    """Return ``path`` without ``..``, symbolic links kept: folders count as the user sees them."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links


def _is(check: Callable[[], bool]) -> bool:
    """Ask the file system; what cannot be looked at (permissions, a NUL in the name) is not."""
    with contextlib.suppress(OSError, ValueError):
        return check()
    return False


def _config_in(folder: Path) -> Config | None:
    own = folder / CONFIG_FILE
    if _is(own.is_file):
        return load_config(own)
    shared = folder / "pyproject.toml"
    if _is(shared.is_file):
        text = read_text(shared, max_bytes=MAX_CONFIG_BYTES)
        # Other tools' files are none of our business, broken or not, unless they speak of us.
        return _load(shared, text) if "onbrand" in text else None
    return None


def _load(file: Path, text: str) -> Config | None:
    table = ("tool", "onbrand") if file.name == "pyproject.toml" else ()
    source = TomlSource(file, text, table)
    data = source.parse()
    if data is None:
        return None
    try:
        content = msgspec.convert(data, ConfigFile)
    except msgspec.ValidationError as error:
        message, keys = describe(error, data)
        raise source.error(message, *keys) from None
    _check_avoid(source, content.avoid, "avoid")
    for n, voice in enumerate(content.voices or ()):
        try:
            urlsplit(voice)
        except ValueError as error:
            if is_url(voice):
                message = f'"voices": item {n + 1} is no URL ({error}); write it anew'
                raise source.error(message, "voices", n) from None
    for n, rule in enumerate(content.paths):
        if rule.glob.startswith("!"):
            raise source.error('"glob" must not begin with "!"', "paths", n, "glob")
        _check_avoid(source, rule.avoid, "paths", n, "avoid")
    return Config(
        source,
        content,
        exclude=_compile(source, content.exclude, "exclude"),
        globs=tuple(
            _compile(source, (rule.glob,), "paths", n, "glob")
            for n, rule in enumerate(content.paths)
        ),
    )


def _check_avoid(source: TomlSource, names: tuple[str, ...] | None, *keys: str | int) -> None:
    if not names:
        return
    from onbrand.voice.registers import READS_LIKE

    for n, name in enumerate(names):
        if name not in READS_LIKE:
            known = ", ".join(READS_LIKE)
            raise source.error(f'"avoid": no register is named "{name}" (known: {known})', *keys, n)


def _compile(source: TomlSource, globs: tuple[str, ...], *keys: str | int) -> GitIgnoreSpec:
    for n, glob in enumerate(globs):
        try:
            pattern = compile_globs([glob]).patterns[0]
        except (ValueError, IndexError, re.error):
            pattern = None
        if pattern is None or pattern.include is None:
            where = keys if keys[-1] == "glob" else (*keys, n)
            raise source.error(
                f'"{keys[-1]}": "{glob}" can match nothing; write a glob as in .gitignore, '
                'say "docs/**"',
                *where,
            )
    return compile_globs(globs)
