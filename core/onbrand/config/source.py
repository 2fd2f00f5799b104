"""A TOML text that can say on which line a key stands."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onbrand.errors import OnbrandError

Key = str | int
"""A step into a TOML document: the name of a key, or the place in an array."""

# What closes a TOML text that was cut at the end of a line: nothing, an array, a long string, both.
_ENDS = ("", "]", "]]", '"""', "'''", '"""]', "''']")


@dataclass(frozen=True, slots=True)
class TomlSource:
    """The text of a configuration file, and the name of the table in it that is ours."""

    file: Path
    text: str
    table: tuple[str, ...] = ()

    def parse(self) -> Any:  # noqa: ANN401 - whatever TOML can hold
        """Return our table, None when the file has none.

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
        """Return the line, counted from 1, on which a key of our table or an array's item stands.

        tomllib keeps no positions. But the first n lines of the text hold a key exactly if they
        can be parsed and have it; where they break off inside a value, an ending is tried.
        """
        path = (*self.table, *keys)
        head = ""
        for number, line in enumerate(self.text.split("\n"), start=1):
            head += line + "\n"
            if any(_holds(head + end, path) for end in _ENDS):
                return number
        return 1

    def error(self, message: str, *keys: Key) -> OnbrandError:
        """Return an error about the value at ``keys`` of our table."""
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
