"""Sentences that a project ignores: an item of ``ignore`` in its configuration file."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from onbrand.config import load_config
from onbrand.errors import OnbrandError
from onbrand.files import read_text, write_atomic
from onbrand.installation import data_folder
from onbrand.labels.normalization import normalise_text, text_key

KEY = "ignore"
LOCK_TIMEOUT = 10.0
"""Seconds to wait for another server that writes to the same file."""
_PYPROJECT = ("tool", "onbrand")
_INDENT = re.compile(r"\n([ \t]*)[^\s\]]")
"""What stands before the first item, or comment, that has a line of its own."""


def ignore_in_project(place: Path, sentence: str) -> Path:
    """Add a sentence to those that a project ignores.

    Args:
        place: the configuration file nearest to the draft, or the folder to make one in.
        sentence: the sentence as it was judged.

    Returns:
        The file, which holds the sentence now.

    Raises:
        OnbrandError: the file is broken, read-only or of a kind that only people can edit.
    """
    file = place / "onbrand.toml" if place.is_dir() else place
    with _locked(file):
        return _add(file, sentence)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold other servers of this user off a file that is read, changed and written.

    The lock is no file in the project: one that stays behind would be committed.
    """
    import filelock

    name = hashlib.sha256(os.fsencode(os.path.realpath(file))).hexdigest()[:32]
    path = data_folder() / "locks" / f"{name}.lock"
    lock = filelock.FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=LOCK_TIMEOUT)
    except filelock.Timeout:
        raise OnbrandError("another editor is writing to it; try again", path=file) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OnbrandError(f"cannot be locked ({reason}); check the folder", path=path) from None
    try:
        yield
    finally:
        lock.release()


def _add(file: Path, sentence: str) -> Path:
    if file.exists():
        load_config(file)  # what is broken already gets its own error
        old = read_text(file)
    else:
        old = ""
    try:
        new = add_ignored(old, sentence, pyproject=file.name == "pyproject.toml")
    except OnbrandError as error:
        raise OnbrandError(error.message, path=file) from None
    if new != old:
        write_atomic(file, new)
    return file


def add_ignored(toml_text: str, sentence: str, *, pyproject: bool = False) -> str:
    """Return a configuration file's text with a sentence among those it ignores.

    Comments, order and line ends stay as they are. A sentence that is there already (white space
    and Unicode form aside) is not added twice.

    Args:
        toml_text: the file's text, valid TOML.
        sentence: the sentence as it was judged.
        pyproject: whether the settings stand in ``[tool.onbrand]``.

    Raises:
        OnbrandError: the text is no TOML, or its settings are written in a way (an inline table,
            say) that cannot be added to without rewriting it.
    """
    table = _PYPROJECT if pyproject else ()
    item = normalise_text(sentence)
    if not item:
        raise OnbrandError("there is no sentence to ignore; put the cursor in one")
    try:
        settings = _table(tomllib.loads(toml_text), table)
        ignored = settings.get(KEY, [])
        if any(text_key(known) == text_key(item) for known in ignored):
            return toml_text
        if KEY in settings:
            new = _append(toml_text, table, item)
        else:
            new = _insert(toml_text, table, settings, item)
        made = _table(tomllib.loads(new), table)
    except (ValueError, TypeError, AttributeError, LookupError, TOMLKitError):
        raise _by_hand() from None
    if made != {**settings, KEY: [*ignored, item]}:
        raise _by_hand()
    return new


def _append(text: str, table: tuple[str, ...], item: str) -> str:
    document = tomlkit.parse(text)
    array = _table(document, table)[KEY]
    if not isinstance(array, Array):
        raise TypeError(KEY)
    indent = _INDENT.search(array.as_string())
    if indent:
        array.add_line(item, indent=indent[1])
    else:
        array.append(item)
        array.multiline(True)
    return _with_line_ends_of(text, tomlkit.dumps(document))


def _insert(text: str, table: tuple[str, ...], settings: dict[str, Any], item: str) -> str:
    """Put the key after the last plain one, for what follows a table's header is that table's.

    tomlkit would put it just before the next header, under the comment that belongs to that.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    plain = {key: value for key, value in settings.items() if not _is_tables(value)}
    at = _end_of(plain, lines, table)
    if not plain and not table:
        at = _above_first_table(lines)
    array = tomlkit.array()
    array.append(item)
    array.multiline(True)
    added = f"{KEY} = {array.as_string()}\n"
    if at and not lines[at - 1].endswith("\n"):
        added = "\n" + added
    if at < len(lines) and lines[at].strip():
        added += "\n"
    return "".join([*lines[:at], _with_line_ends_of(text, added), *lines[at:]])


def _end_of(plain: dict[str, Any], lines: list[str], table: tuple[str, ...]) -> int:
    """Return how many lines it takes until our table is open and all its plain keys are set."""
    for count in range(len(lines) + 1):
        try:
            head = _table(tomllib.loads("".join(lines[:count])), table)
        except (ValueError, LookupError):
            continue
        if all(key in head and head[key] == value for key, value in plain.items()):
            return count
    raise LookupError(table)


def _above_first_table(lines: list[str]) -> int:
    """Return the line of the first table's header, or of the comment that stands right above."""
    at = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    if at == len(lines):
        return at
    while at and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _table(document: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - tomllib's or tomlkit's
    for key in path:
        document = document[key]
    return document


def _with_line_ends_of(text: str, made: str) -> str:
    if "\r\n" in text and not re.search(r"(?<!\r)\n", text):
        return re.sub(r"(?<!\r)\n", "\r\n", made)
    return made


def _by_hand() -> OnbrandError:
    return OnbrandError(f"cannot be edited safely; add the sentence to {KEY} = [] by hand")
