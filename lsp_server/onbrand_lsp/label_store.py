"""Labels from the editor: writing them, and remembering what people said is fine.

The label store, and SQLAlchemy with it, is touched only where a store is there or a label is
written; never on the loop.
"""

from __future__ import annotations

import asyncio
import getpass
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from onbrand.errors import OnbrandError
from onbrand.files import FileSignature, file_signature
from onbrand.labels.model import location_for
from onbrand.labels.normalization import text_key
from onbrand_lsp.settings import EffectiveSettings, ProblemReporter

STORE_TIMEOUT = 1.0
"""Seconds that a check waits for a slow store; what it says then counts from the next one on."""
_GIT_SECONDS = 5
_MAX_AUTHOR = 256


@dataclass(frozen=True, slots=True)
class AcceptedSentences:
    """What people marked as on-brand: by brand, the `text_key` of each text."""

    on: Mapping[str, frozenset[str]] = field(default_factory=dict)
    id: str = ""
    """Equal ids, equal marks."""
    editors: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """Whose latest label of a text came from an editor, by brand and `text_key`."""

    def by(self, brand: str, text: str) -> frozenset[str]:
        """Return the authors who marked a text from an editor, and have not said more since."""
        return self.editors.get((brand, text_key(text)), frozenset())

    def has(self, brand: str, text: str) -> bool:
        """Tell whether a text was marked as on-brand for a brand."""
        keys = self.on.get(brand)
        return keys is not None and text_key(text) in keys


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What somebody says of a sentence."""

    text: str
    brand: str
    label: Literal["on", "off"]
    document: str
    """Where the sentence stands, as the project names it."""


class LabelStoreCache:
    """The label stores of the projects. For the loop's thread."""

    def __init__(self, problems: ProblemReporter, changed: Callable[[], None]) -> None:
        """Call ``changed`` when marks arrive that checks have not seen."""
        self._problems = problems
        self._changed = changed
        self._pool = ThreadPoolExecutor(1, "onbrand-labels")
        self._known: dict[str, tuple[FileSignature, AcceptedSentences]] = {}
        self._reading: dict[str, asyncio.Task[AcceptedSentences]] = {}

    async def marks(self, rules: EffectiveSettings) -> AcceptedSentences:
        """Return what is marked as on-brand in the store of a project, if it has one."""
        place = _store_of(rules)
        now = _stamp(place)
        known = self._known.get(place)
        if known is not None and known[0] == now:
            return known[1]
        if place not in self._reading:
            task = asyncio.create_task(self._read(place, now))
            self._reading[place] = task
            task.add_done_callback(lambda _: self._reading.pop(place, None))
        task = self._reading[place]
        await asyncio.wait([task], timeout=STORE_TIMEOUT)
        if not task.done():
            task.add_done_callback(lambda _: self._changed())
            return known[1] if known else AcceptedSentences()
        return task.result()

    def known(self, rules: EffectiveSettings) -> AcceptedSentences:
        """Return what is known of the marks by now."""
        known = self._known.get(_store_of(rules))
        return known[1] if known else AcceptedSentences()

    async def add(self, rules: EffectiveSettings, spoken: NewLabel) -> str:
        """Store a label, and return where.

        Raises:
            OnbrandError: the store cannot be written, or its optional part is missing.
        """
        loop = asyncio.get_running_loop()
        place = _store_of(rules)
        shown = await loop.run_in_executor(
            self._pool, _write, place, rules.editor.author, rules.folder, spoken
        )
        await self._read(place, _stamp(place))
        return shown

    async def take_back(self, rules: EffectiveSettings, text: str, brand: str) -> bool:
        """Delete the user's latest label of a text, if an editor wrote it; return whether it did.

        Raises:
            OnbrandError: the store cannot be written, or its optional part is missing.
        """
        loop = asyncio.get_running_loop()
        place = _store_of(rules)
        done = await loop.run_in_executor(
            self._pool, _take_back, place, rules.editor.author, rules.folder, text, brand
        )
        await self._read(place, _stamp(place))
        return done

    def forget(self) -> None:
        """Read the stores again when they are next asked for."""
        self._known.clear()

    def close(self) -> None:
        """Write and read no more; a label that is being written is written."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _read(self, place: str, now: FileSignature) -> AcceptedSentences:
        loop = asyncio.get_running_loop()
        try:
            marks = await loop.run_in_executor(self._pool, _marks_in, place)
        except OnbrandError as error:
            self._problems.set(("labels", place), [str(error)])
            marks = AcceptedSentences()
        else:
            self._problems.set(("labels", place), ())
        self._known[place] = now, marks
        return marks


def _store_of(rules: EffectiveSettings) -> str:
    return location_for(rules.folder or Path.home(), rules.settings.labels_db)


def author_of(setting: str | None, folder: Path | None) -> str:
    """Return who labels: as the editor says, else git, else the system; empty if nobody knows."""
    if setting:
        return setting[:_MAX_AUTHOR]
    where = ["-C", str(folder)] if folder else []
    for key in ("user.email", "user.name"):
        try:
            said = subprocess.run(  # noqa: S603 - a fixed command
                ["git", *where, "config", key],  # noqa: S607 - the user's own git
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_GIT_SECONDS,
                text=True,
                errors="replace",
                check=False,
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            break
        if said:
            return said[:_MAX_AUTHOR]
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user, as in a container
        return ""


def _stamp(place: str) -> FileSignature:
    """Return what changes when somebody writes to a store; nothing does for a database server."""
    return file_signature([Path(place), Path(place + "-wal")]) if "://" not in place else ()


def _marks_in(place: str) -> AcceptedSentences:
    if "://" not in place and not Path(place).is_file():
        return AcceptedSentences()
    from onbrand.labels.store import LabelStore

    on: dict[str, set[str]] = {}
    last: dict[tuple[str, str, str], str] = {}
    with LabelStore.open(place, create=False) as store:
        for label in store.current():
            if label.label == "on":
                on.setdefault(label.brand, set()).add(text_key(label.text))
        for said in store.history():
            last[said.brand, text_key(said.text), said.author] = said.source
    editors: dict[tuple[str, str], set[str]] = {}
    for (brand, key, author), source in last.items():
        if source == "editor":
            editors.setdefault((brand, key), set()).add(author)
    digest = blake2b(digest_size=8)
    for brand, keys in sorted(on.items()):
        digest.update(" ".join((brand, *sorted(keys))).encode())
    return AcceptedSentences(
        {brand: frozenset(keys) for brand, keys in on.items()},
        digest.hexdigest(),
        {text: frozenset(authors) for text, authors in editors.items()},
    )


def _take_back(place: str, author: str | None, folder: Path | None, text: str, brand: str) -> bool:
    if "://" not in place and not Path(place).is_file():
        return False
    from onbrand.labels.store import LabelStore

    with LabelStore.open(place, create=False) as store:
        return store.take_back(brand, text, author_of(author, folder), "editor")


def _write(place: str, author: str | None, folder: Path | None, spoken: NewLabel) -> str:
    from onbrand.labels.model import Label
    from onbrand.labels.store import LabelStore

    label = Label(
        text=spoken.text,
        brand=spoken.brand,
        label=spoken.label,
        author=author_of(author, folder),
        source="editor",
        document=spoken.document,
    )
    with LabelStore.open(place) as store:
        store.add([label])
        return store.display_name
