"""Checks several drafts, each with the brand, voices, encoder and limits of its settings.

This is what ``onbrand check``, ``gate`` and ``registers`` do with the drafts that a user names, and
what ``score`` and ``explain`` load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onbrand.config import Settings
from onbrand.config.load import Exit
from onbrand.config.trust import check_trust
from onbrand.document.document import Document, Sentence
from onbrand.document.positions import Span
from onbrand.encoder import Encoder
from onbrand.errors import OnbrandError
from onbrand.progress import Progress, scaled, silent
from onbrand.report.message import severity
from onbrand.results import FileError, Report
from onbrand.scorer import Scorer, why_not_judged
from onbrand.voice.avoid import avoid_voice
from onbrand.voice.lexical import words_of
from onbrand.voice.model import VoiceBank
from onbrand.voice.registers import SCALES, Registers, load_registers, read_as
from onbrand.voice.storage import (
    DEFAULT_VOICES,
    encoder_for,
    find_voices,
    load_voices,
    unknown_brand,
    with_consistent_release,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft to check, with the settings that hold for it."""

    path: str
    source: str
    document: Document
    settings: Settings
    has_mark: bool = False
    """Whether a byte order mark stands before ``source`` in the file."""

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


Errors = dict[str, OnbrandError]
"""The path of a draft that cannot be checked, while others can → why."""


def required_brands(
    drafts: Sequence[Draft],
    chosen: str | None,
    folders: Sequence[Path],
    errors: Errors | None = None,
) -> list[str] | None:
    """Return the brands that drafts need; None, all of them, where one draft does not say.

    Args:
        drafts: what is to be checked.
        chosen: the brand that the user wants, whatever the drafts say.
        folders: where the voices are.
        errors: takes the drafts that ask for a brand without a voice, which then do not count.

    Raises:
        OnbrandError: the brand that the user wants has no voice; or a draft asks for such a brand,
            and there is no ``errors``; the error names the draft.
    """
    known = find_voices(folders)
    needed: set[str] = set()
    every = False
    for draft in drafts:
        named = draft.brands(chosen)
        unknown = next((name for name in named or () if name not in known), None)
        if named is None or unknown is None:
            every |= named is None
            needed.update(named or ())
            continue
        path = None if chosen else draft.path
        error = unknown_brand(unknown, known, path=path, line=named[unknown])
        if chosen or errors is None:
            raise error
        errors[draft.path] = error
    return None if every else sorted(needed)


def check_drafts(
    drafts: Sequence[Draft],
    *,
    voices: Sequence[Path] | None = None,
    brand: str | None = None,
    encoder: Path | None = None,
    avoid: Sequence[str] | None = None,
    gate: float | None = None,
    failed: list[FileError] | None = None,
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
        failed: takes the drafts that name no brand, or one without a voice; the others are checked.
        progress: takes the current draft, and how many sentences are done.

    Raises:
        OnbrandError: there is no voice of a brand, an encoder may not be used, …
    """
    errors: Errors | None = None if failed is None else {}
    loader = _ScorerLoader(voices, brand, encoder, errors)
    scorers = loader.load(drafts, tuple(avoid or ()))
    reports: list[Report] = []
    for draft, part in _with_progress(drafts, progress):
        if draft.path not in scorers:
            continue
        scorer, named = scorers[draft.path]
        try:
            report = scorer.check_document(
                draft.document,
                path=draft.path,
                brand=named,
                default_brand=draft.settings.brand,
                gate=draft.settings.gate if gate is None else gate,
                threshold=draft.settings.threshold,
                ignored=draft.settings.ignore,
                progress=part,
            )
        except OnbrandError as error:
            if errors is None or error.path != draft.path:
                raise
            errors[draft.path] = error
        else:
            reports.append(report)
    if failed is not None and errors:
        failed += [FileError(path, why.message, why.line) for path, why in errors.items()]
    return reports


def fails(
    report: Report, policy: Exit | None = None, *, only_new: bool = False, known: bool = False
) -> bool:
    """Return whether a draft makes ``onbrand check`` exit with 1.

    Args:
        report: the verdict on the draft.
        policy: "any": a sentence of it is flagged; "never": nothing does; "review", the default: it
            does not go forward, or a new finding is a warning.
        only_new: the flags of findings that are not new are cleared, by a baseline or a diff.
            Otherwise nothing is known to be new, and the verdict alone decides.
        known: all that was flagged in the draft is in the baseline, which forgives its verdict.
    """
    match policy:
        case "never":
            return False
        case "any":
            return bool(report.flagged)
    if report.verdict == "review" and not known:
        return True
    return only_new and any(severity(sentence) == "warning" for sentence in report.flagged)


def only_sentences(report: Report, spans: Collection[Span]) -> Report:
    """Return a report in which the flags of all other sentences are cleared."""
    sentences = tuple(
        replace(one, flagged=False) if one.flagged and one.span not in spans else one
        for one in report.sentences
    )
    return replace(report, sentences=sentences)


def _with_progress(drafts: Sequence[Draft], progress: Progress) -> Iterator[tuple[Draft, Progress]]:
    """Yield each draft with its part of the progress, which counts sentences."""
    total = sum(len(draft.document.sentences) for draft in drafts)
    done = 0
    for draft in drafts:
        size = len(draft.document.sentences)
        yield draft, scaled(progress, draft.path, start=done, size=size, total=total)
        done += size


class _ScorerLoader:
    """Loads the scorers that drafts need, and each encoder once.

    Args:
        voices: the folders of voices that the user chose; encoders in them count as trusted.
        brand: the brand that the user wants.
        encoder: the encoder that the user chose.
        errors: takes the drafts that cannot be checked; None: the first one is an error.
    """

    def __init__(
        self,
        voices: Sequence[Path] | None,
        brand: str | None,
        encoder: Path | None,
        errors: Errors | None = None,
    ) -> None:
        self._errors = errors
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
            load = partial(self._with_voices, group, bundle)
            loaded = with_consistent_release(folders, load)
            if loaded is not None:
                scorers |= {draft.path: (loaded, self._brand) for draft in self._right(group)}
        return scorers

    def _right(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts in which no error was found."""
        return [draft for draft in drafts if draft.path not in (self._errors or {})]

    def _with_voices(
        self, drafts: Sequence[Draft], bundle: Path | None, folders: Sequence[Path]
    ) -> Scorer | None:
        """Load the voices in ``folders`` that the drafts, which share them, need.

        None: no draft is right.
        """
        for draft in drafts:  # a release that came meanwhile may have the voice
            (self._errors or {}).pop(draft.path, None)
        brands = required_brands(drafts, self._brand, folders, self._errors)
        if not self._right(drafts):
            return None
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


def load_scorer(
    settings: Settings,
    *,
    voices: Sequence[Path] | None = None,
    brand: str | None = None,
    encoder: Path | None = None,
    avoid: Sequence[str] | None = None,
    every: bool = False,
) -> Scorer:
    """Load the voices, or the registers to avoid, that options and settings name.

    Args:
        settings: hold where no argument says otherwise.
        voices: folders of voices.
        brand: the only brand whose voice is loaded.
        encoder: the folder of the encoder.
        avoid: registers that texts must not read like; then no voice is loaded.
        every: load the voices of all brands, even if the settings name one.

    Raises:
        OnbrandError: there is no voice of the brand, an encoder may not be used, …
    """
    chosen = None if every else brand or settings.brand
    configured = () if voices or chosen or every else settings.avoid
    encoder = encoder or check_trust(settings.encoder, settings.source)
    if names := avoid or configured:
        return Scorer.avoiding(Encoder.load(encoder), names)
    folders, brands = resolve_voice_dirs(voices, settings), [chosen] if chosen else None
    if encoder is None and not voices:
        check_trust(encoder_for(folders, brands), settings.source)
    return Scorer.load(*folders, brands=brands, encoder=encoder)


def measure_registers(
    drafts: Sequence[Draft], *, encoder: Path | None = None, progress: Progress = silent
) -> list[dict[str, Any]]:
    """Return what each draft and its paragraphs read like, as in ``registers --format json``.

    Args:
        drafts: what to read; no voice is needed.
        encoder: the folder of the encoder; by default what each draft's settings say.
        progress: takes the current draft, and how many sentences are done.

    Raises:
        OnbrandError: an encoder may not be used, or has no registers.
    """
    readers: dict[Path | None, _RegisterReader] = {}
    read = []
    for draft, part in _with_progress(drafts, progress):
        bundle = encoder or check_trust(draft.settings.encoder, draft.settings.source)
        if bundle not in readers:
            readers[bundle] = _RegisterReader.load(bundle)
        read.append(readers[bundle].read(draft, part))
    return read


class _RegisterReader:
    """Compares drafts with the range of good copy."""

    def __init__(self, encoder: Encoder, registers: Registers) -> None:
        self._encoder = encoder
        self._registers = registers
        # Leaves out what --avoid does not judge, as text in other languages.
        self._bank = VoiceBank([avoid_voice(encoder, registers.names)])

    @classmethod
    def load(cls, bundle: Path | None) -> _RegisterReader:
        encoder = Encoder.load(bundle)
        found = load_registers(encoder.fingerprint)
        if found is None:
            raise OnbrandError(
                f"encoder {encoder.name} ({encoder.fingerprint[:12]}) has no registers; "
                "use the one that ships with onbrand"
            )
        return cls(encoder, found)

    def read(self, draft: Draft, progress: Progress) -> dict[str, Any]:
        """Return what a draft and its paragraphs read like, as in the JSON output."""
        sentences = draft.document.sentences
        counts = [len(words_of(sentence.text)) for sentence in sentences]
        vectors = self._encoder.encode([one.text for one in sentences], progress=progress)
        familiar = self._bank.familiarity(vectors)[:, 0].tolist()
        voices = {voice.brand: voice for voice in self._bank.voices}
        (brand,) = voices
        reasons = [
            why_not_judged(voices, brand, one.text, count, near)
            for one, count, near in zip(sentences, counts, familiar, strict=True)
        ]
        kept = [row for row, reason in enumerate(reasons) if reason is None]
        judged, vectors = [sentences[row] for row in kept], vectors[kept]
        words = [counts[row] for row in kept]
        excess = self._registers.excess(vectors, words, self._registers.reference)
        scales = self._registers.scales(vectors)
        blocks = groupby(range(len(judged)), key=lambda row: judged[row].block)
        paragraphs = [
            {**_place(draft, [judged[row] for row in rows]), **self._of(excess, scales, rows)}
            for rows in ([*block] for _, block in blocks)
        ]
        whole = self._of(excess, scales, range(len(judged)))
        unread = dict(Counter(reason for reason in reasons if reason is not None))
        return {"path": draft.path, **whole, "not_judged": unread, "paragraphs": paragraphs}

    def _of(
        self,
        excess: NDArray[np.float64],
        scales: NDArray[np.float32],
        rows: Sequence[int],
    ) -> dict[str, Any]:
        """Return what the sentences of these rows read like, the strongest register first."""
        own = excess[list(rows)]
        outside = (own > 0).sum(axis=0)
        # Registers overlap: a sentence counts for the one that it exceeds most.
        most = [int(row.argmax()) for row in own if row.max() > 0]
        furthest = own.max(axis=0, initial=0.0)
        names = sorted(
            (i for i in range(len(self._registers.names)) if outside[i]),
            key=lambda i: (-most.count(i), -furthest[i]),
        )
        found = [
            {
                "name": (name := self._registers.names[i]),
                "reads_like": read_as(name),
                "sentences": int(outside[i]),
                "foremost": most.count(i),
                "excess": round(float(furthest[i]), 3),
            }
            for i in names
        ]
        means = scales[list(rows)].mean(axis=0).tolist() if len(rows) else [None] * len(SCALES)
        measured = zip(SCALES, means, strict=True)
        return {
            "sentences": len(rows),
            "outside": len(most),
            "registers": found,
            "scales": {name: mean and round(mean, 2) for name, mean in measured},
        }


def _place(draft: Draft, sentences: Sequence[Sentence]) -> dict[str, Any]:
    line, _ = draft.document.lines.position(sentences[0].span.start)
    text = " ".join(sentence.text for sentence in sentences)
    return {"line": line + 1, "kind": sentences[0].kind, "text": text}
