"""What the writer should mend: each line is told once, and again only when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable


class Problems:
    """The problems that stand, by where they come from.

    Two origins may have the same line (ten documents under one broken file): it is told once, and
    forgotten when the last of them has mended it.
    """

    def __init__(self) -> None:
        self._standing: dict[Hashable, frozenset[str]] = {}
        self._tell: Callable[[str], None] | None = None

    def listen(self, tell: Callable[[str], None]) -> None:
        """Pass new lines on to ``tell``, after those that stand."""
        self._tell = tell
        for line in sorted(self._lines()):
            tell(line)

    def forget(self) -> None:
        """Forget what stands, so that it is told again."""
        self._standing.clear()

    def set(self, origin: Hashable, lines: Iterable[str]) -> None:
        """Say what is wrong at ``origin`` now; nothing: it is mended."""
        now = frozenset(lines)
        if not now:
            self._standing.pop(origin, None)
            return
        known = self._lines()
        self._standing[origin] = now
        if self._tell is not None:
            for line in sorted(now - known):
                self._tell(line)

    def _lines(self) -> frozenset[str]:
        return frozenset().union(*self._standing.values())
