"""Which settings hold for a document: ``onbrand.toml`` over the editor's, a folder at a time."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

from onbrand.config import ConfigCache, Settings, settings_for
from onbrand.config.load import Config, FindingLimit, Name, Place, Probability, Underline, absolute
from onbrand.config.trust import is_trusted
from onbrand.errors import OnbrandError
from onbrand.files import FileSignature, file_signature
from onbrand.installation import STATE_FILE
from onbrand_lsp.rpc.capabilities import IDENTIFIER

SECTION = IDENTIFIER
Severity = Literal["auto", "error", "warning", "information", "hint"]


class EditorSettings(Struct, frozen=True, rename="camel"):
    """The editor's own settings; ``onbrand.toml`` beats them where both speak."""

    enable: bool = True
    brand: Name | None = None
    voices: tuple[Place, ...] = ()
    """Folders; relative ones start at the workspace folder."""
    encoder: Place | None = None
    gate: Probability | None = None
    threshold: Probability | None = None
    debounce: Annotated[int, Meta(ge=0, le=10_000)] = 150
    """Milliseconds after the last change before a document is checked."""
    typing_pause: Annotated[int, Meta(ge=0, le=10_000)] = 1000
    """Milliseconds without a change from which on the writer is not typing; until then a sentence
    that is being edited gets no new finding. 0: it gets them at once."""
    severity: Severity = "auto"
    underline: Underline = "sentence"
    max_findings: FindingLimit = 5
    """Findings that are shown in full on about a screen of text, the worst ones; 0: all."""
    code_lens: bool = True
    author: Name | None = None
    """Whose labels the editor writes."""
    rewriters: bool = False
    """Whether installed rewriters are asked for fixes. The user's to set: a checkout cannot."""
    workspace_diagnostics: bool = False
    """Read by the client, which asks for them when it starts the server."""


_ALLOWED = {
    "enable": "true or false",
    "brand": 'the name of a voice, say "acme"',
    "voices": 'a list of folders, say ["voices"]',
    "encoder": "the folder of an encoder bundle",
    "gate": "a number from 0 to 1",
    "threshold": "a number from 0 to 1",
    "debounce": "milliseconds from 0 to 10000",
    "typingPause": "milliseconds from 0 to 10000",
    "severity": "auto, error, warning, information or hint",
    "underline": "sentence or words",
    "maxFindings": "a number from 0 (no limit) to 1000",
    "codeLens": "true or false",
    "author": "a name or an e-mail address",
    "rewriters": "true or false",
    "workspaceDiagnostics": "true or false",
}


def editor_settings(data: object) -> tuple[EditorSettings, tuple[str, ...]]:
    """Read the section; a value that is wrong counts as not set, and is told in one line.

    Keys that are not ours are the client's own.
    """
    given = section_of(data) or {}
    values: dict[str, object] = {}
    problems: list[str] = []
    if SECTION in given:
        problems.append(f"the editor's settings {SECTION} must be an object; they are ignored")
    for field in fields(EditorSettings):
        key = field.encode_name
        value = given.get(key)
        if value is None or value == "":  # how editors spell "not set"
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type)
        except msgspec.ValidationError:
            problems.append(
                f"the editor setting {SECTION}.{key} must be {_ALLOWED[key]}; it is ignored"
            )
    return EditorSettings(**values), tuple(problems)  # type: ignore[arg-type]


def section_of(data: object) -> dict[str, object] | None:
    """Return our section of an editor's settings, however they are laid out.

    Editors send the section itself, all of their settings with the section as ``onbrand``, or flat
    keys such as ``onbrand.brand``. None: there is nothing of ours in them.
    """
    if not isinstance(data, Mapping):
        return None
    prefix = f"{SECTION}."
    nested, ours = data.get(SECTION), {field.encode_name for field in fields(EditorSettings)}
    found = {key: value for key, value in data.items() if key in ours}
    if isinstance(nested, Mapping):
        found |= section_of(nested) or {}
    elif nested is not None:
        found[SECTION] = nested  # told as a mistake
    for key, value in data.items():
        if isinstance(key, str) and key.startswith(prefix):
            found[key.removeprefix(prefix)] = value
    return found if found or isinstance(nested, Mapping) else None


WRITTEN = frozenset({"", "file", "inmemory", "untitled", "vscode-remote", "vscode-vfs"})
"""Schemes of what people write. All others, such as ``git:`` or ``vscode-notebook-cell:``, show a
part or an earlier state of something else."""
_DRIVE = re.compile(r"/[A-Za-z]:(?=/|$)")


def path_of(uri: str) -> Path | None:
    """Return the path that a ``file:`` URI names; None for any other URI."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.scheme != "file" or "\0" in path:
        return None
    if os.name == "nt":
        host = parts.netloc if parts.netloc.lower() != "localhost" else ""
        return Path(f"//{host}{path}" if host else path.removeprefix("/"))
    return Path(path)


def uri_key(uri: str) -> str:
    """Return what all spellings of a URI have in common.

    Clients differ, and some do from message to message, in what they escape (``c%3A`` and ``c:``),
    in the case of a drive's letter, in ``file://localhost/``, and in slashes at the end.
    """
    key = unquote(uri, errors="surrogateescape")
    scheme, colon, rest = key.partition(":")
    if not colon or scheme.lower() != "file":
        return key
    rest = re.sub(r"^//localhost(?=/)", "", rest, flags=re.IGNORECASE)
    rest = "/" + rest.strip("/") if not rest.startswith("//") or rest[2:3] == "/" else rest
    return "file:" + _DRIVE.sub(lambda drive: drive[0].lower(), rest, count=1).rstrip("/")


def is_view(uri: str) -> bool:
    """Return whether a document is no text of its own: a diff, a cell of a notebook, a log."""
    scheme, colon, _ = uri.partition(":")
    return bool(colon) and len(scheme) > 1 and scheme.lower() not in WRITTEN


class ProblemReporter:
    """The problems that stand, by where they come from.

    Two origins may have the same line (ten documents under one broken file): it is told once, and
    forgotten when the last of them has mended it.
    """

    def __init__(self) -> None:
        self._standing: dict[Hashable, frozenset[str]] = {}
        self._tell: Callable[[str], None] | None = None

    def subscribe(self, tell: Callable[[str], None]) -> None:
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


CONFIG_NAMES = ("onbrand.toml", "pyproject.toml", STATE_FILE)
"""The last one comes when the voices are installed that a URL in the others stands for."""
VOICES = "voices"
"""The folder beside a configuration file that holds the voices when nobody names one."""

UNCONFIGURED = "no onbrand.toml and no voices in the editor's settings"
"""Why a document is not judged where nobody has set onbrand up."""


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """What holds for one document."""

    settings: Settings
    """The editor's folded in."""
    editor: EditorSettings
    folder: Path | None = None
    """The project: the folder of its configuration, else the workspace folder."""
    brand_override: str | None = None
    """The brand that the writer chose for this document, whatever the document says."""
    problem: str | None = None
    """Why the document cannot be judged, one line with the fix."""
    disabled_reason: str | None = None
    """Why it is not to be judged, if so; nothing is wrong."""
    brand_source: str | None = None
    """Who sets the brand: "configuration" or "editor"."""
    vouched: bool = False
    """The editor or the user answers for what is chosen, encoders of its own included."""


class ProjectSettings:
    """The workspace folders, their configuration, and what the writer chose in this session."""

    def __init__(
        self, problems: ProblemReporter, *, trusted: bool = True, vouched: bool = False
    ) -> None:
        self._problems = problems
        self._trusted = trusted
        self._vouched = vouched
        self._folders: dict[str, Path] = {}
        self._editor: dict[str | None, EditorSettings] = {None: EditorSettings()}
        self._chosen: dict[str, str] = {}
        self._cache: ConfigCache = {}
        self._good: dict[Path, Config] = {}
        self._broken: dict[Path, str] = {}
        self._stamps: dict[Path, FileSignature] = {}
        self._awaited: set[Path] = set()

    @property
    def folders(self) -> dict[str, Path]:
        """The workspace folders by URI, in the editor's order."""
        return dict(self._folders)

    @property
    def trusted(self) -> bool:
        """Whether workspace and editor may choose voices and encoders."""
        return self._trusted

    def add_folder(self, uri: str, path: Path) -> None:
        """Take a workspace folder in."""
        self.remove_folder(uri)
        self._folders[uri] = absolute(path)

    def remove_folder(self, uri: str) -> None:
        """Let a workspace folder go, however its URI is spelt, with its settings."""
        for known in [one for one in self._folders if uri_key(one) == uri_key(uri)]:
            del self._folders[known]
            self.set_editor(known, {})
            self._editor.pop(known, None)

    def set_editor(self, scope: str | None, data: object) -> bool:
        """Take the editor's section ``onbrand`` for a folder (None: for loose files).

        Returns:
            Whether that changed anything.
        """
        settings, problems = editor_settings(data)
        self._problems.set(("editor", scope), problems)
        changed = self._editor.get(scope) != settings
        self._editor[scope] = settings
        return changed

    def choose(self, uri: str, brand: str | None) -> None:
        """Judge a document as ``brand`` in this session; None: as the configuration says."""
        self._chosen.pop(uri, None)
        if brand is not None:
            self._chosen[uri] = brand

    def brand_override(self, uri: str) -> str | None:
        """Return the brand that the writer chose for a document."""
        return self._chosen.get(uri)

    def changed(self) -> None:
        """Forget what was read of configuration files, but for what to go on with if they broke."""
        known = self._good | {folder: config for folder, config in self._cache.items() if config}
        self._good = {folder: config for folder, config in known.items() if config.file.exists()}
        self._cache = {}
        self._stamps = {}
        self._awaited = set()

    def stamps(self) -> dict[Path, FileSignature]:
        """Return what the file system said of each folder's files before they were read."""
        return dict(self._stamps)

    def config_folders(self) -> set[Path]:
        """Return the folders that have a configuration file, or await an installation."""
        return self._awaited | {folder for folder, config in self._cache.items() if config}

    def rules(self, uri: str, path: Path | None) -> EffectiveSettings:
        """Return what holds for a document.

        Args:
            uri: the document.
            path: its file; None for one that was never saved, which counts as lying in the first
                workspace folder.
        """
        scope, base = self._folder_of(path)
        editor = self._editor.get(scope) or self._editor[None]
        place = path or (base / "untitled.md" if base else None)
        if not editor.enable:
            return EffectiveSettings(
                Settings(), editor, base, disabled_reason="onbrand is switched off in the editor"
            )
        try:
            settings = Settings() if place is None else self._configured(place)
            if settings.source is None and path is not None and (real := _real(path)) != path:
                settings = self._configured(real)  # the link to it lies outside the project
        except OnbrandError as error:
            return EffectiveSettings(Settings(), editor, base, problem=str(error))
        self._problems.set(("settings", settings.source), settings.warnings)
        for root, _message in settings.uninstalled:
            self._awaited.add(root)
            self._stamps.setdefault(root, config_stamp(root))
        source = "configuration" if settings.brand else "editor" if editor.brand else None
        settings = self._merge_editor_settings(settings, editor, base)
        folder = settings.source.parent if settings.source else base
        problem, disabled_reason = self._why_unavailable(settings)
        brand_override, vouched = self._chosen.get(uri), self._vouched
        if settings.source and not vouched:
            with contextlib.suppress(OnbrandError):  # told where an encoder is refused
                vouched = is_trusted(settings.source)
        return EffectiveSettings(
            settings, editor, folder, brand_override, problem, disabled_reason, source, vouched
        )

    def _folder_of(self, path: Path | None) -> tuple[str | None, Path | None]:
        """Return the innermost workspace folder that holds a file."""
        if path is None:
            return next(iter(self._folders.items()), (None, None))
        inside = [item for item in self._folders.items() if path.is_relative_to(item[1])]
        if not inside:  # editor and server may know one of them by a link
            real = _real(path)
            folders = self._folders.items()
            inside = [item for item in folders if real.is_relative_to(_real(item[1]))]
        return max(inside, key=lambda item: len(item[1].parts), default=(None, None))

    def _configured(self, path: Path) -> Settings:
        """Read the configuration; a file that broke counts as it was when it was last right."""
        above = path.parents
        for folder in above:
            if folder not in self._cache:
                self._broken.pop(folder, None)
                self._stamps[folder] = config_stamp(folder)
        try:
            while True:
                try:
                    return settings_for(path, cache=self._cache)
                except OnbrandError as error:
                    folder = Path(error.path or path).parent
                    self._broken[folder] = str(error)
                    if folder in self._cache or folder not in self._good:
                        raise
                    self._cache[folder] = self._good[folder]
        finally:
            for folder in above:
                lines = [self._broken[folder]] if folder in self._broken else []
                self._problems.set(("configuration", folder), lines)

    def _merge_editor_settings(
        self, settings: Settings, editor: EditorSettings, base: Path | None
    ) -> Settings:
        """Let the editor speak where the files are silent."""
        voices: tuple[Path, ...] = ()
        encoder: Path | None = None
        if self._trusted:
            voices = settings.voices
            if not settings.uninstalled:
                voices = voices or _beside(settings.files) or _places(base, editor.voices)
            named = _places(base, [editor.encoder] if editor.encoder else [])
            encoder = settings.encoder or next(iter(named), None)
        return replace(
            settings,
            brand=settings.brand or editor.brand,
            voices=voices,
            encoder=encoder,
            gate=editor.gate if settings.gate is None else settings.gate,
            threshold=editor.threshold if settings.threshold is None else settings.threshold,
            underline=settings.underline or editor.underline,
            max_findings=(
                editor.max_findings if settings.max_findings is None else settings.max_findings
            ),
        )

    def _why_unavailable(self, settings: Settings) -> tuple[str | None, str | None]:
        """Return why a document cannot be judged, and why it is not to be."""
        if settings.excluded:
            return None, "the configuration excludes this file"
        if settings.avoid and not settings.brand:  # the registers come with onbrand
            return None, None
        if not self._trusted:
            return None, "the workspace is not trusted; it cannot choose voices"
        if settings.voices:
            return None, None
        if settings.uninstalled:
            return settings.uninstalled[0].message, None
        if settings.source is None:
            return None, UNCONFIGURED
        return (
            f'{settings.source}: no voices; name their folder (voices = ["…"]) or train some '
            "with onbrand train"
        ), None


def config_stamp(folder: Path) -> FileSignature:
    """Return what changes when a configuration file is written, comes or goes."""
    return file_signature(folder / name for name in CONFIG_NAMES)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _beside(files: Iterable[Path]) -> tuple[Path, ...]:
    found = (file.parent / VOICES for file in files)
    return next(((folder,) for folder in found if folder.is_dir()), ())


def _places(base: Path | None, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the paths that the editor names; without a folder to start at, the absolute ones."""
    # Path.expanduser raises where there is no home.
    paths = [Path(os.path.expanduser(name)) for name in names]  # noqa: PTH111
    return tuple(absolute((base or path) / path) for path in paths if base or path.is_absolute())
