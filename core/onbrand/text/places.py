"""Which source each character of a text without markup stands for."""

from __future__ import annotations

from bisect import bisect_right

from onbrand.text.span import Span


class Places:
    """Source offsets of the characters of a text.

    Most text is copied as it stands, so runs of characters are kept and not every one of them;
    a lookup is a bisection.
    """

    __slots__ = ("_ats", "_copied", "_ends", "_length", "_starts")

    def __init__(self) -> None:
        self._ats: list[int] = []
        """Where each run begins in the text; the source that it stands for is in the others."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._copied: list[bool] = []
        self._length = 0

    def add(self, length: int, start: int, end: int, *, copied: bool = False) -> None:
        """Append characters that stand for the source between two offsets.

        Args:
            length: how many characters.
            start: where the source begins.
            end: where it ends.
            copied: each character stands for one of the source, and not for all of it.
        """
        copied = copied or length == end - start == 1
        if copied and self._copied and self._copied[-1] and self._ends[-1] == start:
            self._ends[-1] = end  # as at the ends of lines
        else:
            self._ats.append(self._length)
            self._starts.append(start)
            self._ends.append(end)
            self._copied.append(copied)
        self._length += length

    def take(self, other: Places, first: int, last: int) -> None:
        """Append characters ``first`` to ``last`` of another text, with what they stand for."""
        run = other._run(first)
        while first < last:
            following = other._ats[run + 1] if run + 1 < len(other._ats) else other._length
            stop = min(last, following)
            start, end = other.start(first), other.end(stop - 1)
            self.add(stop - first, start, end, copied=other._copied[run])
            first, run = stop, run + 1

    def start(self, index: int) -> int:
        """Return where the source of a character begins."""
        run = self._run(index)
        return self._starts[run] + (index - self._ats[run] if self._copied[run] else 0)

    def end(self, index: int) -> int:
        """Return where the source of a character ends; an entity is one character, many there."""
        run = self._run(index)
        if self._copied[run]:
            return self._starts[run] + index - self._ats[run] + 1
        return self._ends[run]

    def span(self, first: int, last: int) -> Span:
        """Return the source of characters ``first`` to ``last``, at least one."""
        shift = self.shift(first, last)
        if shift is None:
            return Span(self.start(first), self.end(last - 1))
        return Span(first + shift, last + shift)

    def shift(self, first: int, last: int) -> int | None:
        """Return how far the source is ahead of characters ``first`` to ``last``.

        None: not the same for all of them.
        """
        run = self._run(first)
        following = self._ats[run + 1] if run + 1 < len(self._ats) else self._length
        if self._copied[run] and last <= following:
            return self._starts[run] - self._ats[run]
        return None

    def _run(self, index: int) -> int:
        return bisect_right(self._ats, index) - 1
