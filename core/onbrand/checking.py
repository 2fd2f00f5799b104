"""Checks several drafts, each with the brand, voices, encoder and limits of its settings.

This is what ``onbrand check`` does with the drafts that a user names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from onbrand.config import Settings
from onbrand.config.trust import check_trust
from onbrand.document.document import Document
from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand.progress import Progress, scaled, silent
from onbrand.results import Report
from onbrand.scorer import Scorer
from onbrand.voice.storage import (
    DEFAULT_VOICES,
    encoder_for,
    find_voices,
    load_voices,
    read_current,
    unknown_brand,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft to check, with the settings that hold for it."""

    path: str
    source: str
    document: Document
    settings: Settings

    def brands(self, chosen: str | None) -> dict[str, int | None] | None:
        """Return the brands that the draft needs, and the line that first names each, if one does.

        None: nothing names a brand.

        Args:
            chosen: the brand that the user wants, whatever the draft says.
        """
        main = chosen or self.document.brand or self.settings.brand
        if main is None:
            return None
        named: dict[str, int | None] = {main: None}
        if chosen is None:
            for sentence in self.document.sentences:
                if sentence.brand and sentence.brand not in named:
                    line, _ = self.document.lines.position(sentence.span.start)
                    named[sentence.brand] = line + 1
        return named

    def avoids(self, chosen: str | None) -> tuple[str, ...]:
        """Return the registers to avoid by the settings; none where something names a brand.

        Args:
            chosen: the brand that the user wants, if any.
        """
        return self.settings.avoid if self.brands(chosen) is None else ()


def resolve_voice_dirs(chosen: Sequence[Path] | None, settings: Settings) -> list[Path]:
    """Return where voices are: the chosen folders, else the configured ones, else ``./voices``.

    Raises:
        OnbrandError: there is none, or nothing is installed from the URL that is configured.
    """
    folders = list(chosen or settings.voices)
    if folders:
        return folders
    for missing in settings.uninstalled:
        raise OnbrandError(missing.message)
    if DEFAULT_VOICES.is_dir():
        return [DEFAULT_VOICES]
    raise OnbrandError(
        "no voices: name their folder with --voices, or voices in onbrand.toml, "
        "or train some with onbrand train"
    )


def required_brands(
    drafts: Sequence[Draft], chosen: str | None, folders: Sequence[Path]
) -> list[str] | None:
    """Return the brands that drafts need; None, all of them, where one draft does not say.

    Args:
        drafts: what is to be checked.
        chosen: the brand that the user wants, whatever the drafts say.
        folders: where the voices are.

    Raises:
        OnbrandError: a draft asks for a brand that has no voice; the error names the draft.
    """
    known = find_voices(folders)
    needed: set[str] = set()
    every = False
    for draft in drafts:
        named = draft.brands(chosen)
        every |= named is None
        for name, line in (named or {}).items():
            if name not in known:
                path = None if chosen else draft.path
                raise unknown_brand(name, known, path=path, line=line)
            needed.add(name)
    return None if every else sorted(needed)


def check_drafts(
    drafts: Sequence[Draft],
    *,
    voices: Sequence[Path] | None = None,
    brand: str | None = None,
    encoder: Path | None = None,
    avoid: Sequence[str] | None = None,
    gate: float | None = None,
    progress: Progress = silent,
) -> list[Report]:
    """Check drafts, loading each set of voices and each encoder once.

    Args:
        drafts: what to check; their settings hold where no argument says otherwise.
        voices: folders of voices.
        brand: the brand to judge as, whatever the drafts say.
        encoder: the folder of the encoder.
        avoid: registers that the drafts must not read like; then no voice judges.
        gate: P at which a draft goes forward.
        progress: takes the current draft, and how many sentences are done.

    Raises:
        OnbrandError: there is no voice of a brand, an encoder may not be used, …
    """
    loader = _ScorerLoader(voices, brand, encoder)
    scorers = loader.load(drafts, tuple(avoid or ()))
    reports: list[Report] = []
    total = sum(len(draft.document.sentences) for draft in drafts)
    done = 0
    for draft in drafts:
        size = len(draft.document.sentences)
        scorer, named = scorers[draft.path]
        report = scorer.check_document(
            draft.document,
            path=draft.path,
            brand=named,
            default_brand=draft.settings.brand,
            gate=draft.settings.gate if gate is None else gate,
            threshold=draft.settings.threshold,
            ignored=draft.settings.ignore,
            progress=scaled(progress, draft.path, start=done, size=size, total=total),
        )
        reports.append(report)
        done += size
    return reports


class _ScorerLoader:
    """Loads the scorers that drafts need, and each encoder once.

    Args:
        voices: the folders of voices that the user chose; encoders in them count as trusted.
        brand: the brand that the user wants.
        encoder: the encoder that the user chose.
    """

    def __init__(
        self, voices: Sequence[Path] | None, brand: str | None, encoder: Path | None
    ) -> None:
        self._voices = voices
        self._brand = brand
        self._bundle = encoder
        self._encoders: dict[Path | None, Encoder] = {}

    def load(
        self, drafts: Sequence[Draft], avoid: tuple[str, ...]
    ) -> dict[str, tuple[Scorer, str | None]]:
        """Return each draft's scorer and the brand to judge as, by the draft's path."""
        by_voices: dict[tuple[tuple[Path, ...], Path | None], list[Draft]] = {}
        by_registers: dict[tuple[tuple[str, ...], Path | None], list[Draft]] = {}
        for draft in drafts:
            bundle = self._bundle or check_trust(draft.settings.encoder, draft.settings.source)
            configured = () if self._voices else draft.avoids(self._brand)
            if names := avoid or configured:
                by_registers.setdefault((names, bundle), []).append(draft)
                continue
            folders = tuple(resolve_voice_dirs(self._voices, draft.settings))
            by_voices.setdefault((folders, bundle), []).append(draft)
        scorers: dict[str, tuple[Scorer, str | None]] = {}
        for (names, bundle), group in by_registers.items():
            scorer = Scorer.avoiding(self._encoder(bundle), names)
            scorers |= {draft.path: (scorer, scorer.brands[0]) for draft in group}
        for (folders, bundle), group in by_voices.items():
            scorer = read_current(folders, partial(self._with_voices, group, bundle))
            scorers |= {draft.path: (scorer, self._brand) for draft in group}
        return scorers

    def _with_voices(
        self, drafts: Sequence[Draft], bundle: Path | None, folders: Sequence[Path]
    ) -> Scorer:
        """Load the voices in ``folders`` that the drafts, which share them, need."""
        brands = required_brands(drafts, self._brand, folders)
        voices = load_voices(folders, brands)
        if bundle is None:
            bundle = encoder_for(folders, brands)
            if not self._voices:
                check_trust(bundle, drafts[0].settings.source)
        return Scorer(self._encoder(bundle), voices)

    def _encoder(self, bundle: Path | None) -> Encoder:
        if bundle not in self._encoders:
            self._encoders[bundle] = Encoder.load(bundle)
        return self._encoders[bundle]
