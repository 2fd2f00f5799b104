"""Configuration files: their schema, finding, reading and checking them, and their globs.

Globs are those of ``.gitignore``, matched in bounded time. pathspec turns a glob into a regular
expression that backtracks: a name of 120 letters against ``a*a*a*a*a*a*b`` takes years, and a
checkout may hold both. Here every star but the last of a name, and every ``**`` but the last of a
path, takes the first position at which the text after it matches. That finds every match of a glob,
and no star is tried a second time.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct
from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from onbrand.document.formats import FORMATS
from onbrand.errors import OnbrandError
from onbrand.files import CONFIG_FILE, read_text
from onbrand.installation import is_url, redact_url

Name = Annotated[str, Meta(min_length=1)]
Place = Annotated[str, Meta(pattern=r"^[^\x00]+$")]
Language = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?$")]
Probability = Annotated[float, Meta(ge=0, le=1)]
Underline = Literal["sentence", "words"]
"""What editors underline: the whole sentence, or the word in it that speaks most against it."""
FindingLimit = Annotated[int, Meta(ge=0, le=1000)]
Exit = Literal["review", "any", "never"]


class PathRule(Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[paths]]`` table: settings for the files that its glob matches."""

    glob: Name
    brand: Name | None = None
    avoid: tuple[Name, ...] | None = None
    gate: Probability | None = None
    threshold: Probability | None = None
    quotes: bool | None = None
    brand_key: Name | None = None
    exit: Exit | None = None
    format: Name | None = None
    language: Language | None = None
    code_blocks: tuple[Name, ...] | None = None
    prose_blocks: tuple[Name, ...] | None = None
    front_matter: tuple[Name, ...] | None = None


class ConfigFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``onbrand.toml``, or of ``[tool.onbrand]`` in ``pyproject.toml``."""

    root: bool = False
    brand: Name | None = None
    avoid: tuple[Name, ...] | None = None
    voices: tuple[Place, ...] | None = None
    encoder: Place | None = None
    exclude: tuple[Name, ...] = ()
    gate: Probability | None = None
    threshold: Probability | None = None
    quotes: bool | None = None
    brand_key: Name | None = None
    exit: Exit | None = None
    language: Language | None = None
    code_blocks: tuple[Name, ...] | None = None
    prose_blocks: tuple[Name, ...] | None = None
    front_matter: tuple[Name, ...] | None = None
    ignore: tuple[Name, ...] = ()
    underline: Underline | None = None
    max_findings: FindingLimit | None = None
    labels_db: Place | None = None
    paths: tuple[PathRule, ...] = ()


ALLOWED = {
    "onbrand": "a table of settings",
    "root": "true (look no further up for configuration) or false",
    "brand": 'the name of a voice, say "acme"',
    "avoid": 'a list of voices that drafts must not read like, say ["corporate", "hype"]',
    "voices": 'a list of folders or URLs, say ["voices"]',
    "encoder": "the folder of an encoder bundle",
    "exclude": 'a list of globs as in .gitignore, say ["drafts/**"]',
    "gate": "a number from 0 to 1",
    "threshold": "a number from 0 to 1",
    "quotes": "true (judge block quotes too) or false",
    "brand_key": 'the key of front matter that names the brand, say "onbrand_brand"',
    "exit": '"review", "any" or "never": what makes onbrand check exit with 1',
    "format": "the name of a format of drafts",
    "language": 'the code of a language, say "en" or "pt-BR"',
    "code_blocks": 'a list of shortcodes and components whose content is code, say ["demo"]',
    "prose_blocks": 'a list of shortcodes and components whose content is prose, say ["aside"]',
    "front_matter": 'a list of keys whose values are judged, say ["title", "description"]',
    "ignore": 'a list of sentences that are never underlined, say ["Dear carton, stop it."]',
    "underline": '"sentence" or "words"',
    "max_findings": "a number from 0 (no limit) to 1000",
    "labels_db": "a file or a database URL (sqlite:///…, postgresql://…)",
    "paths": "tables, each begun by the line [[paths]]",
    "glob": 'a glob as in .gitignore, say "docs/**"',
}
"""Key → the end of the message "KEY must be …", for every key of both schemas."""


def describe(error: msgspec.ValidationError, data: Any) -> tuple[str, tuple[Key, ...]]:  # noqa: ANN401
    """Describe a failed validation of ``data`` to users.

    Returns:
        The message, and the keys that lead to the wrong value.
    """
    what, _, where = str(error).partition(" - at `$")
    keys: tuple[Key, ...] = tuple(
        int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", where)
    )
    if match := re.search(r"unknown field `(.*)`", what, re.DOTALL):
        return _unknown(match[1], PathRule if keys else ConfigFile), (*keys, match[1])
    if match := re.search(r"missing required field `(.*)`", what):
        return f'"{match[1]}" is missing; it must be {ALLOWED[match[1]]}', keys
    for key in keys:
        data = data[key]
    name = next((key for key in reversed(keys) if isinstance(key, str)), "onbrand")
    what = "it" if keys[-1:] in ((), (name,)) else f"item {int(keys[-1]) + 1}"
    return f'"{name}" must be {ALLOWED[name]}; {what} is {_as_toml(data)}', keys


def _unknown(key: str, schema: type[Struct]) -> str:
    known = schema.__struct_fields__
    near = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    guess = f'; did you mean "{near[0]}"?' if near else ""
    return f"unknown key {_as_toml(key)}{guess} (known: {', '.join(known)})"


def _as_toml(value: object) -> str:
    """Return a value in TOML, shortened, for messages."""
    match value:
        case dict():
            return "a table"
        case list():
            return "an array"
        case bool():
            return str(value).lower()
        case str():
            shown = redact_url(value)
            return json.dumps(shown if len(shown) <= 40 else shown[:39] + "…", ensure_ascii=False)
        case _:
            return str(value)


Key = str | int
"""A step into a TOML document: the name of a key, or an index into an array."""

# Possible ends of a TOML text that was cut after a line, inside an array, a long string or both.
_ENDS = ("", "]", "]]", '"""', "'''", '"""]', "''']")


@dataclass(frozen=True, slots=True)
class TomlLines:
    """The text of a configuration file, and the lines on which its values stand."""

    file: Path
    text: str
    table: tuple[str, ...] = ()
    """The name of the table in it that is onbrand's."""

    def parse(self) -> Any:  # noqa: ANN401 - whatever TOML can hold
        """Return onbrand's table, None when the file has none.

        Raises:
            OnbrandError: the text is not TOML.
        """
        try:
            data: Any = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise self._syntax_error(str(error)) from None
        except (ValueError, RecursionError):  # a number of 5,000 digits, 1,000 nested arrays
            raise OnbrandError(
                "is nested too deeply or has too long a number; is it a configuration file?",
                path=self.file,
            ) from None
        for key in self.table:
            data = data.get(key) if isinstance(data, dict) else None
        return data

    def line_of(self, *keys: Key) -> int:
        """Return the line, counted from 1, of a key of onbrand's table or of an array's item.

        tomllib gives no positions. So this finds the smallest number of lines that, with an ending
        where they break off inside a value, can be parsed and have the key.
        """
        path = (*self.table, *keys)
        head = ""
        for number, line in enumerate(self.text.split("\n"), start=1):
            head += line + "\n"
            if any(_holds(head + end, path) for end in _ENDS):
                return number
        return 1

    def error(self, message: str, *keys: Key) -> OnbrandError:
        """Return an error about the value at ``keys`` of onbrand's table."""
        return OnbrandError(message, path=self.file, line=self.line_of(*keys))

    def _syntax_error(self, message: str) -> OnbrandError:
        what, _, where = message.rpartition(" (at ")
        place = re.match(r"line (\d+), column (\d+)", where)
        line = int(place[1]) if place else self.text.count("\n") + 1
        column = f" in column {place[2]}" if place else ""
        return OnbrandError(f"is not valid TOML{column}: {what}", path=self.file, line=line)


def _holds(text: str, path: tuple[Key, ...]) -> bool:
    try:
        data: Any = tomllib.loads(text)
        for key in path:
            data = data[key]
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    return True


MAX_CONFIG_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration file, checked."""

    source: TomlLines
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
        """The folder that the file's paths and globs are relative to."""
        return self.source.file.parent

    def relative(self, path: Path) -> str | None:
        """Return ``path`` relative to this file's folder, with slashes; None when it is outside."""
        try:
            return path.relative_to(self.folder).as_posix()
        except ValueError:
            return None


ConfigCache = dict[Path, Config | None]
"""Folder → its configuration, for folders looked at so far. Clear it when a file changes."""


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
    """Return the absolute path without ``..``; symbolic links stay, as users see the folders."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links


def _is(check: Callable[[], bool]) -> bool:
    """Return the result of a check of a path; False where it fails, as for lack of permission."""
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
        # A pyproject.toml that does not name onbrand is not parsed, as it may be broken.
        return _load(shared, text) if "onbrand" in text else None
    return None


def _load(file: Path, text: str) -> Config | None:
    table = ("tool", "onbrand") if file.name == "pyproject.toml" else ()
    source = TomlLines(file, text, table)
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
        if rule.format is not None and rule.format not in FORMATS:
            known = ", ".join(FORMATS)
            message = f'"format": "{rule.format}" is no format of drafts (known: {known})'
            raise source.error(message, "paths", n, "format")
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


def _check_avoid(source: TomlLines, names: tuple[str, ...] | None, *keys: str | int) -> None:
    if not names:
        return
    from onbrand.voice.registers import READS_LIKE

    for n, name in enumerate(names):
        if name not in READS_LIKE:
            known = ", ".join(READS_LIKE)
            raise source.error(f'"avoid": no register is named "{name}" (known: {known})', *keys, n)


def _compile(source: TomlLines, globs: tuple[str, ...], *keys: str | int) -> GitIgnoreSpec:
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


_STAR, _LEADING, _INNER = "[^/]*", "(?:.+/)?", "(?:/.+)?"
_GLOB_ENDS = ("(?P<ps_d>/)", "(?:(?P<ps_d>/)|$)")
_WHOLE = (_STAR, _LEADING, _INNER, *_GLOB_ENDS, "[^/]+", "[^/]")
_TOKEN = re.compile("|".join(map(re.escape, _WHOLE)) + r"|\[\^?\]?[^\]]*\]|\\.|.", re.DOTALL)
"""The parts of which pathspec builds regular expressions."""


def compile_globs(globs: Iterable[str]) -> GitIgnoreSpec:
    """Compile globs; the last one that matches a path decides.

    Raises:
        ValueError: one of them is no glob.
        re.error: the same.
    """
    # The other backends would compile regular expressions of their own.
    return GitIgnoreSpec.from_lines(globs, _Glob, backend="simple")


class _Glob(GitIgnoreSpecPattern):
    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: str) -> tuple[str | None, bool | None]:  # type: ignore[override]
        regex, include = super().pattern_to_regex(pattern)
        return regex and _bounded(regex), include


def _bounded(regex: str) -> str:
    """Rewrite a regular expression made by pathspec so that it does not backtrack."""
    tokens: list[str] = _TOKEN.findall(regex)
    parts = ["".join(map(_bounded_name, _names(run))) for run in _runs(tokens)]
    # Each run but the first begins with a ``**``; the last one decides what the whole matches.
    for n, part in enumerate(parts[:-1]):
        for begin, lazy in ((_LEADING, "(?:.+?/)??"), (_INNER, "(?:/.+?)??")):
            if part.startswith(begin):
                parts[n] = f"(?>{lazy}{part.removeprefix(begin)}(?=/))"
    return "".join(parts)


def _runs(tokens: list[str]) -> list[list[str]]:
    """Split tokens before each ``**``."""
    runs: list[list[str]] = [[]]
    for token in tokens:
        if token in (_LEADING, _INNER):
            runs.append([])
        runs[-1].append(token)
    return runs


def _names(tokens: list[str]) -> list[list[str]]:
    """Split tokens into the names of folders and files, and the separators between them."""
    between = ("/", _LEADING, _INNER, *_GLOB_ENDS)
    return [list(group) for _, group in groupby(tokens, key=lambda token: token in between)]


def _bounded_name(tokens: list[str]) -> str:
    """Make every star of a name but the last take the first position where the rest matches."""
    first, *others = _split(tokens)
    if not others:
        return first
    *middle, last = others
    inner = "".join(f"(?>{_STAR}?{text})" for text in middle if text)
    return f"{first}{inner}{_STAR}{last}"


def _split(tokens: list[str]) -> list[str]:
    """Return the texts before, between and after the stars."""
    texts = [""]
    for token in tokens:
        if token == _STAR:
            texts.append("")
        else:
            texts[-1] += token
    return texts
