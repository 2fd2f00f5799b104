"""A figure with its bar, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from data import RESULTS

from onbrand.files import write_atomic


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what, how much, and the bar that it must not pass, if there is one."""

    what: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False
    """The bar is the least and not the most that the value may be."""

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        if self.bar is None:
            return True
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    @property
    def limit(self) -> str:
        """The bar as it is printed."""
        if self.bar is None:
            return ""
        return f"{'≥ ' if self.at_least else ''}{self.bar:g} {self.unit}"


def write(name: str, intro: str, table: Sequence[Row]) -> None:
    """Print a table and write it to ``bench/results`` as JSON and Markdown.

    Args:
        name: of the files.
        intro: what stands above the table in Markdown.
        table: the figures.
    """
    lines = ["| what | measured | bar |", "|---|---:|---:|"]
    lines += [
        f"| {row.what} | {row.value:.2f} {row.unit}{'' if row.met else ' **not met**'} "
        f"| {row.limit} |"
        for row in table
    ]
    print("\n".join(lines))
    encoded = msgspec.json.format(msgspec.json.encode(list(table)), indent=2)
    write_atomic(RESULTS / f"{name}.json", encoded + b"\n")
    write_atomic(RESULTS / f"{name}.md", intro + "\n".join(lines) + "\n")
