"""How tables look in a terminal: they must fit 80 columns."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table


def new_table(first: str, *figures: str) -> Table:
    """Return a table with a column of names, which are never cut, and columns of figures."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def new_console(width: int | None = None) -> Console:
    """Return a console that prints text as it is: copy is full of brackets and figures.

    Args:
        width: in characters; by default the terminal's, or 80 where there is none.
    """
    return Console(width=width, highlight=False, markup=False, soft_wrap=True)
