"""``onbrand registers``: what each paragraph of a draft reads like, compared with good copy."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onbrand.errors import OnbrandError
from onbrand.progress import Progress, scaled
from onbrand_cli.common import (
    ConfigFile,
    EncoderFolder,
    OutputFormat,
    ReadAs,
    StdinPath,
    print_json,
    progress_bar,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from onbrand.checking import Draft
    from onbrand.document.document import Sentence
    from onbrand.encoder import Encoder
    from onbrand.voice.registers import Registers

EXAMPLES = """\b
Examples:
  onbrand registers draft.md
  onbrand registers content/ --format json
"""
NOTABLE, STRONG = 1.0, 2.0
"""Standard deviations from good copy from which a scale is mentioned, and with "much"."""
SHOWN = 3
"""Limit on the registers that are named for a paragraph."""
EXCERPT = 60
"""Terminal cells of a paragraph that are shown."""
SIDES = {
    "formal": ("more formal", "less formal"),
    "warm": ("warmer", "cooler"),
    "plain": ("plainer", "less plain"),
    "confident": ("more confident", "less confident"),
}
"""Scale → the words for a text above and below most copy."""


def registers(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Drafts, or folders of them; - for standard input.", show_default=False
        ),
    ] = None,
    form: OutputFormat = "text",
    stdin_path: StdinPath = None,
    read_as: ReadAs = None,
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
) -> None:
    """Print how a draft reads, paragraph by paragraph. Needs no voice."""
    from onbrand.config.trust import check_trust
    from onbrand_cli.common import STDIN, read_drafts

    if not files and sys.stdin is not None and sys.stdin.isatty():
        raise OnbrandError("nothing to read; name drafts or folders, or - for standard input")
    drafts = read_drafts(files or [STDIN], stdin_path, config, read_as)
    readers: dict[Path | None, _Reader] = {}
    total = sum(len(draft.document.sentences) for draft in drafts)
    done, read = 0, []
    with progress_bar("Reading") as progress:
        for draft in drafts:
            bundle = encoder or check_trust(draft.settings.encoder, draft.settings.source)
            if bundle not in readers:
                readers[bundle] = _Reader.load(bundle)
            size = len(draft.document.sentences)
            part = scaled(progress, draft.path, start=done, size=size, total=total)
            read.append(readers[bundle].read(draft, part))
            done += size
    if form == "json":
        print_json({"version": 1, "files": read})
        return
    for n, found in enumerate(read):
        _print(found, gap=n > 0)


class _Reader:
    """Compares drafts with the range of good copy."""

    def __init__(self, encoder: Encoder, registers: Registers) -> None:
        from onbrand.voice.avoid import avoid_voice
        from onbrand.voice.model import VoiceStack

        self._encoder = encoder
        self._registers = registers
        # Leaves out what --avoid does not judge, as text in other languages.
        self._stack = VoiceStack([avoid_voice(encoder, registers.names)])

    @classmethod
    def load(cls, bundle: Path | None) -> _Reader:
        from onbrand.encoder import Encoder
        from onbrand.voice.registers import load_registers

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
        from onbrand.scorer import why_not_judged
        from onbrand.voice.lexical import words_of

        sentences = draft.document.sentences
        counts = [len(words_of(sentence.text)) for sentence in sentences]
        vectors = self._encoder.encode([one.text for one in sentences], progress=progress)
        familiar = self._stack.familiarity(vectors)[:, 0].tolist()
        voices = {voice.brand: voice for voice in self._stack.voices}
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
        from onbrand.voice.registers import SCALES, read_as

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


def _print(found: dict[str, Any], *, gap: bool) -> None:
    from onbrand.report.snippet import sanitize, truncate
    from onbrand_cli.common import new_console

    console = new_console()
    if gap:
        console.print()
    width = max((len(str(one["line"])) for one in found["paragraphs"]), default=1)
    for one in found["paragraphs"]:
        head = f"{one['line']:>{width}} | "
        notes = [*_said(one)]
        console.print(head + truncate(one["text"], EXCERPT), style="" if notes else "dim")
        for said in notes:
            console.print(f"{' ' * width} = {said}")
    if found["paragraphs"]:
        console.print()
    console.print(f"{sanitize(found['path'])}: {summary(found)}")


def _said(found: dict[str, Any]) -> Iterator[str]:
    """Yield a line on the registers of a paragraph, and one on its scales, where notable."""
    from onbrand.report.message import plural

    if found["outside"]:
        foremost = [one for one in found["registers"] if one["foremost"]]
        few = [f"{one['reads_like']} ({one['foremost']})" for one in foremost]
        if len(foremost) == 1:
            few = [foremost[0]["reads_like"]]
        listed = ", ".join(few[:SHOWN]) + (" and more" if len(few) > SHOWN else "")
        verb = "reads" if found["outside"] == 1 else "read"
        of = plural(found["sentences"], "sentence")
        yield f"{found['outside']} of {of} {verb} like {listed}"
    if scales := scale_words(found["scales"]):
        yield f"{scales} than most copy"


def scale_words(scales: dict[str, float | None]) -> str:
    """Return "much more formal, less plain"; nothing where all scales are as in most copy."""
    said = []
    for name, value in sorted(scales.items(), key=lambda item: -abs(item[1] or 0.0)):
        if value is not None and abs(value) >= NOTABLE:
            side = SIDES[name][value < 0]
            said.append(f"much {side}" if abs(value) >= STRONG else side)
    return ", ".join(said)


def summary(found: dict[str, Any]) -> str:
    """Return a line on what a draft reads like."""
    unread = found["not_judged"]
    rest = [f"{sum(unread.values()):,} not judged ({', '.join(sorted(unread))})"] if unread else []
    if not found["sentences"]:
        return "; ".join(["no sentence to read", *rest]) + "."
    said = [*_said(found)]
    if not found["outside"]:
        of = found["sentences"]
        many = "both sentences read" if of == 2 else f"all {of:,} sentences read"
        first = many if of > 1 else "its one sentence reads"
        said.insert(0, f"{first} like good copy")
    said += rest
    return "; ".join(said) + "."
