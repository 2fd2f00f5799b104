"""Noticing that configuration, voices or encoders have changed: by the client, else by looking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from lsprotocol import types

from onbrand.document import formats
from onbrand_lsp.models import ModelCache
from onbrand_lsp.rpc.protocol import LanguageServer
from onbrand_lsp.settings import CONFIG_NAMES, SECTION, ProjectSettings, config_stamp, path_of

POLL = 2.0
"""Seconds between two looks at the files that no client watches for us."""
RESCAN = 10
"""Of so many looks one is at the workspace's drafts."""
_ENGINE_FILES = "**/{voice.json,head.safetensors,examples.jsonl,encoder.json}"
_GLOBS = (*(f"**/{name}" for name in CONFIG_NAMES), _ENGINE_FILES)
_IN_USE = "onbrand.in-use"


class OnChange(Protocol):
    """What a `FileWatcher` calls when files have changed."""

    def configuration_changed(self) -> None:
        """Read the configuration files again."""

    def models_changed(self) -> None:
        """Load voices and encoders again."""

    def drafts_changed(self) -> None:
        """Look at the workspace's drafts again."""

    async def reload_models(self) -> None:
        """Load voices and encoders again if they have changed."""


class FileWatcher:
    """Has files watched, and passes on what has changed. For the loop's thread.

    Args:
        ls: the connection to the client, which is asked to watch files.
        projects: the configuration files in use.
        models: the voices and encoders in use.
        on_change: called when files have changed.
    """

    def __init__(
        self, ls: LanguageServer, projects: ProjectSettings, models: ModelCache, on_change: OnChange
    ) -> None:
        self._ls, self._projects, self._models = ls, projects, models
        self._on_change = on_change
        self._patterns: list[tuple[Path, str]] = []
        self._polling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Ask the client to tell of changed settings and files."""
        client = self._ls.client
        registrations = []
        if client.configuration_dynamic:
            registrations.append(
                types.Registration(
                    "onbrand.configuration",
                    types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                    types.DidChangeConfigurationRegistrationOptions(section=SECTION),
                )
            )
        if client.watched_files_dynamic:
            drafts = "**/*{" + ",".join(formats.suffixes(text_only=True)) + "}"
            # Pushed diagnostics of files that are not open have to be taken back, too.
            shown = client.workspace_diagnostics or not client.pulls
            globs = (*_GLOBS, drafts) if shown else _GLOBS
            registrations.append(_registration("onbrand.files", globs))
        if registrations:
            self._ls.ask(types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams(registrations))
        self.update()

    def update(self) -> None:
        """Watch the voices in use, and what configuration lies outside the workspace, too."""
        client = self._ls.client
        folders = self._projects.folders.values()

        def is_outside(path: Path) -> bool:
            return not any(path.is_relative_to(folder) for folder in folders)

        configs = sorted(filter(is_outside, self._projects.config_folders()))
        patterns = [(path, name) for path in configs for name in CONFIG_NAMES]
        patterns += [(path, "**/*") for path in sorted(self._models.folders())]
        able = client.watched_files_dynamic and client.relative_patterns
        outside = any(is_outside(path) for path, _ in patterns)
        if not able and (outside or not client.watched_files_dynamic):
            self._poll()
        elif able and patterns != self._patterns:
            self._watch(patterns)

    def on_files_changed(self, uris: Iterable[str]) -> None:
        """Act on the files that the client says have changed."""
        paths = [path for uri in uris if (path := path_of(uri)) is not None]
        names = {path.name for path in paths}
        if names & set(CONFIG_NAMES):
            self._on_change.configuration_changed()
        # A folder of voices may go or come in one piece, which some clients tell of alone.
        are_drafts = [formats.of_path(path) is not None for path in paths]
        if not all(are_drafts):
            self._on_change.models_changed()
        if any(are_drafts):
            self._on_change.drafts_changed()

    def close(self) -> None:
        """Look no more."""
        if self._polling is not None:
            self._polling.cancel()

    def _watch(self, patterns: list[tuple[Path, str]]) -> None:
        ls = self._ls
        before, self._patterns = self._patterns, patterns
        if before:
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            ls.ask(
                types.CLIENT_UNREGISTER_CAPABILITY,
                types.UnregistrationParams([types.Unregistration(_IN_USE, method)]),
            )
        if patterns:
            relative = [types.RelativePattern(path.as_uri(), glob) for path, glob in patterns]
            ls.ask(
                types.CLIENT_REGISTER_CAPABILITY,
                types.RegistrationParams([_registration(_IN_USE, relative)]),
            )

    def _poll(self) -> None:
        if self._polling is None:
            self._polling = self._ls.spawn(self._look(), "looking for changed files")

    async def _look(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(POLL)
            turn += 1
            before = self._projects.stamps()
            now = await asyncio.to_thread(lambda known: {f: config_stamp(f) for f in known}, before)
            if now != before:
                self._on_change.configuration_changed()
            await self._on_change.reload_models()
            if turn % RESCAN == 0:
                self._on_change.drafts_changed()


def _registration(name: str, globs: Iterable[str | types.RelativePattern]) -> types.Registration:
    watchers = [types.FileSystemWatcher(glob) for glob in globs]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
    return types.Registration(name, types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
