"""Reads the drafts that a command line names, and tells what is not among them, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from onbrand.errors import OnbrandError
from onbrand.report.message import plural
from onbrand.results import FileError, Report
from onbrand_cli.common import STDIN, tell, warn

if TYPE_CHECKING:
    from onbrand.changes import Changes
    from onbrand.checking import Draft
    from onbrand.config import ConfigCache, Settings
    from onbrand.discovery import DraftText, Search
    from onbrand.document.formats import InputFormat
    from onbrand.document.positions import Span

MAX_KINDS = 5
"""Limit on the suffixes that a line on files left out names."""
MAX_ERRORS = 20
"""Limit on the files that lines on errors name."""
MIN_SKIPPED, MIN_SKIPPED_SHARE = 500, 0.1
"""Characters that are not judged, and their share of all, from which a line says so."""


@dataclass(slots=True)
class DraftFiles:
    """The drafts that a user names, and what else is there."""

    drafts: list[Draft] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)
    """The files that could not be read."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How many files in folders are in no known format, by suffix."""
    no_drafts: int = 0
    """How many files are no drafts by their names or content."""
    unchanged: int = 0
    """How many drafts are not here, as no sentence in them differs."""
    touched: dict[str, frozenset[Span]] = field(default_factory=dict)
    """With changes: a draft's path → the sentences that differ."""

    def fail(self, errors: Sequence[FileError]) -> None:
        """Note drafts that cannot be judged, and take them away."""
        self.errors += errors
        bad = {error.path for error in errors}
        self.drafts = [draft for draft in self.drafts if draft.path not in bad]

    def tell_errors(self) -> None:
        """Print a line for each file that could not be read or judged.

        Raises:
            OnbrandError: there is no draft beside them; it is about the last of them.
        """
        if not self.errors:
            return
        nothing = not (self.drafts or self.unchanged)
        told = self.errors[:-1] if nothing else self.errors
        for error in told[:MAX_ERRORS]:
            tell("error", str(error))
        if len(told) > MAX_ERRORS:
            more = plural(len(told) - MAX_ERRORS, "more file")
            tell("error", f"{more} could not be judged; --format json lists all")
        if nothing:
            last = self.errors[-1]
            raise OnbrandError(last.message, path=last.path or None, line=last.line)


class _Reader:
    """Reads named files into a `DraftFiles`."""

    def __init__(
        self,
        stdin_path: str | None,
        config: Path | None,
        read_as: str | None,
        changes: Changes | None,
        quiet: bool,
    ) -> None:
        from onbrand.document import formats

        self.files = DraftFiles()
        self._stdin_path, self._config, self._changes = stdin_path, config, changes
        self._chosen = formats.get(read_as) if read_as else None
        self._quiet = quiet
        self._cache: ConfigCache = {}
        self._shown: set[str] = set()
        self._failed: set[FileError] = set()

    def fail(self, error: OnbrandError, path: str) -> None:
        """Note an error; one in a configuration file is the same for many drafts."""
        failed = FileError(str(error.path or path), error.message, error.line)
        if failed not in self._failed:
            self.files.errors.append(failed)
        self._failed.add(failed)

    def read(self, name: str, *, named: bool) -> None:
        """Read a draft, or note why it is none."""
        try:
            self._read(name, named=named)
        except OnbrandError as error:
            self.fail(error, name)

    def _read(self, name: str, *, named: bool) -> None:
        from onbrand.config import settings_for
        from onbrand.files import read_bytes

        path = (self._stdin_path or "stdin.md") if name == STDIN else name
        change = None if self._changes is None else self._changes.of(path)
        if self._changes is not None and change is None:
            if named and not Path(path).exists():
                read_bytes(Path(path), max_bytes=0)  # raises
            self.files.unchanged += 1
            return
        settings = settings_for(Path(path), explicit=self._config, cache=self._cache)
        for warning in settings.warnings:
            self._warn(warning)
        if settings.excluded:
            if named:
                self._warn(f"{path}: not judged; {settings.source} excludes it")
            return
        found = self._source(name, path, settings.format, named=named)
        if found is not None:
            self._add(path, *found, settings)

    def _source(
        self, name: str, path: str, configured: str | None, *, named: bool
    ) -> tuple[InputFormat | None, DraftText] | None:
        """Return the format and text of a draft; None for a file that is no draft.

        Args:
            name: what to read.
            path: what it is called.
            configured: the format that the configuration sets for it.
            named: whether the user named it, rather than a folder that holds it.
        """
        from onbrand.discovery import decode_draft, is_key_block, is_no_draft, max_bytes
        from onbrand.document import formats
        from onbrand.files import read_bytes, read_standard_input

        set_format = formats.get(configured) if configured else None
        form = (self._chosen if named else None) or set_format or formats.of_path(path)
        if name == STDIN:
            read = form or formats.get("text")
            raw = read_standard_input(path, max_bytes=max_bytes(read))
            return form, decode_draft(raw, path, read, legacy=True)
        judged_anyway = named and self._chosen is not None
        if named and not judged_anyway and is_no_draft(Path(name).name):
            read_bytes(Path(name), max_bytes=0)  # raises if there is no such file
            self._no_draft(path, "it is no draft by its name")
            return None
        if form is None:
            read_bytes(Path(name), max_bytes=0)
            raise formats.unknown_format(path, "say how to read it, as in --read-as text")
        raw = read_bytes(Path(name), max_bytes=max_bytes(form))
        if is_key_block(raw) and not judged_anyway:
            self._no_draft(path if named else None, "it holds a key")
            return None
        return form, decode_draft(raw, path, form, legacy=True)

    def _no_draft(self, path: str | None, why: str) -> None:
        self.files.no_drafts += 1
        if path is not None:
            self._warn(f"{path}: not judged; {why} (--read-as text judges it)")

    def _add(
        self, path: str, form: InputFormat | None, text: DraftText, settings: Settings
    ) -> None:
        from onbrand.changes import touched_sentences
        from onbrand.checking import Draft
        from onbrand.document.document import parse_named

        document = parse_named(
            text.text,
            path,
            read_as=form.name if form else None,
            quotes=settings.quotes,
            brand_key=settings.brand_key,
            dialect=settings.dialect,
            front_keys=settings.front_matter,
        )
        if text.encoding is not None:
            told = f"is not UTF-8, and was read as {text.encoding}, which it looks like"
            document = replace(document, warnings=(f"{told}; save it as UTF-8", *document.warnings))
        if self._changes is not None and (change := self._changes.of(path)) is not None:
            change.whole |= form is not None and form.decode is not None
            sentences = touched_sentences(
                document, change, quotes=settings.quotes, brand_key=settings.brand_key
            )
            if not sentences:
                self.files.unchanged += 1
                return
            self.files.touched[path] = frozenset(sentence.span for sentence in sentences)
        self.files.drafts.append(Draft(path, text.text, document, settings, has_mark=text.has_mark))

    def _warn(self, message: str) -> None:
        if message not in self._shown and not self._quiet:
            warn(message)
        self._shown.add(message)


def read_drafts(
    names: Sequence[str],
    stdin_path: str | None,
    config: Path | None,
    read_as: str | None = None,
    *,
    ignored: bool = False,
    changes: Changes | None = None,
    quiet: bool = False,
) -> DraftFiles:
    """Read the drafts that the user names, without those that the configuration excludes.

    A file that cannot be read is an error among the others, which are read. Files in folders that
    are in no known format are left out; a line on stderr counts them.

    Args:
        names: files, folders, globs, or ``-`` for standard input.
        stdin_path: what to call the draft on standard input.
        config: the one configuration file to use.
        read_as: the format of named files (not of those in folders) and of standard input. By
            default the suffix decides; standard input is plain text if that is unknown.
        ignored: search folders for what git ignores, too.
        changes: read only the drafts that differ.
        quiet: print no notes and warnings.

    Raises:
        OnbrandError: there is no such format.
    """
    reader = _Reader(stdin_path, config, read_as, changes, quiet)
    files, named = reader.files, set(names)
    unknown: set[Path] = set()
    found: dict[str, None] = {}
    for name in names:
        try:
            inside = _search(name, ignored=ignored)
        except OnbrandError as error:
            reader.fail(error, name)
            continue
        if inside is None:
            found[name] = None
            continue
        found.update(dict.fromkeys(map(str, inside.drafts)))
        unknown |= _changed(inside.unknown, changes)
        files.no_drafts += len(_changed(inside.no_drafts, changes))
        for file in inside.irregular if not quiet else ():
            warn(f"{file}: left out; it is no regular file")
    for name in found:
        reader.read(name, named=name in named)
    files.left_out = count_suffixes(unknown) if quiet else note_left_out(unknown)
    return files


def _changed(files: set[Path], changes: Changes | None) -> set[Path]:
    """Return the files that differ; without changes to compare with, all."""
    if changes is None:
        return files
    return {file for file in files if changes.has(file)}


def _search(name: str, *, ignored: bool) -> Search | None:
    """Return what is in a folder or matches a glob; None for a file.

    Raises:
        OnbrandError: there is no draft.
    """
    from onbrand.discovery import is_glob, search, search_glob
    from onbrand.document import formats

    if name == STDIN:
        return None
    if Path(name).is_dir():
        found, what, hint = search(Path(name), ignored=ignored), "holds", "name another folder"
    elif is_glob(name):
        found, what, hint = search_glob(name, ignored=ignored), "matches", "name files or folders"
    else:
        return None
    if not found.drafts:
        endings = ", ".join(formats.suffixes())
        raise OnbrandError(f"{what} no drafts (files that end in {endings}); {hint}", path=name)
    return found


def count_suffixes(files: Iterable[Path]) -> Counter[str]:
    """Return how many files there are of each suffix."""
    return Counter(sorted(file.suffix.lower() for file in files))


def note_left_out(files: Iterable[Path]) -> Counter[str]:
    """Print how many files were left out to stderr, and return the counts by suffix."""
    kinds = count_suffixes(files)
    if kinds:
        most = kinds.most_common(MAX_KINDS)
        listed = [f"{n:,} {kind or 'without an ending'}" for kind, n in most]
        listed += ["…"] if len(kinds) > MAX_KINDS else []
        count = plural(kinds.total(), "file")
        tell("note", f"{count} left out, in no format that onbrand reads: {', '.join(listed)}")
    return kinds


def note_skipped(reports: Sequence[Report], characters: int) -> None:
    """Print what was not judged of the text of drafts to stderr, if it is more than a little.

    Args:
        reports: the verdicts.
        characters: the length of all drafts.
    """
    skipped = Counter[str]()
    for report in reports:
        skipped.update(report.skipped)
    total = skipped.total()
    if total < MIN_SKIPPED or total < MIN_SKIPPED_SHARE * characters:
        return
    listed = ", ".join(f"{count:,} of {reason}" for reason, count in skipped.most_common(MAX_KINDS))
    share = f"{total / characters:.0%}"
    tell("note", f"{share} of the text was not judged, in characters: {listed}")
