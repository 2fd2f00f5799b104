"""``onbrand check`` and ``onbrand gate``: judge whole drafts."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError
from onbrand.progress import scaled
from onbrand.report import Format
from onbrand_cli.common import (
    Avoid,
    Brand,
    ConfigFile,
    EncoderFolder,
    Output,
    ReadAs,
    StdinPath,
    Voices,
    avoided_names,
    progress_bar,
    voice_folders,
    warn,
)

if TYPE_CHECKING:
    from onbrand.encoder import Encoder
    from onbrand.results import Report
    from onbrand.scorer import Scorer
    from onbrand_cli.common import Draft

EXAMPLES = """\b
Examples:
  onbrand check draft.md --brand acme
  onbrand check draft.md --avoid corporate,hype,chatbot
  onbrand check docs/ --format sarif -o onbrand.sarif
  git show :post.mdx | onbrand check - --stdin-path post.mdx
  onbrand check docs/ --baseline known.json --update-baseline
"""
GATE_EXAMPLES = """\b
Example:
  onbrand gate draft.md --brand acme && publish draft.md
"""


def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Drafts, or folders of them; - for standard input.", show_default=False
        ),
    ] = None,
    voices: Voices = None,
    brand: Brand = None,
    avoid: Avoid = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the verdicts.")] = "text",
    output: Output = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Leave out the findings that FILE knows.", show_default=False
        ),
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write today's findings to --baseline.")
    ] = False,
    stdin_path: StdinPath = None,
    read_as: ReadAs = None,
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
) -> None:
    """Underline the sentences that do not sound like the brand, or in a voice to avoid.

    Exit code 0: nothing to underline, 1: something is, 2: error.
    """
    from onbrand import baseline as known
    from onbrand.report import render
    from onbrand_cli.common import STDIN, read_drafts

    if update_baseline and baseline is None:
        raise OnbrandError("--update-baseline needs --baseline FILE to write to")
    if not files and sys.stdin is not None and sys.stdin.isatty():
        raise OnbrandError("nothing to check; name drafts or folders, or - for standard input")
    avoided = avoided_names(avoid, brand=brand, voices=voices)
    old = None if baseline is None or update_baseline else known.load_baseline(baseline)
    left_out: Counter[str] = Counter()
    drafts = read_drafts(files or [STDIN], stdin_path, config, read_as, left_out)
    reports = _judge(drafts, voices, brand, encoder, avoided)
    if update_baseline and baseline is not None:
        count = known.write_baseline(baseline, reports)
        typer.echo(f"{baseline}: {count:,} findings", err=True)
        return
    suppressed = 0
    if old is not None:
        reports, suppressed = known.apply(reports, old)
    sources = {draft.path: draft.source for draft in drafts}
    if form == "text":
        _print_text(reports, sources, output, suppressed)
    else:
        _print(render(form, reports, sources, left_out), output)
        for report in reports:
            _warn_of(report)
    raise typer.Exit(1 if any(report.flagged for report in reports) else 0)


def gate(
    file: Annotated[str, typer.Argument(help="The draft; - for standard input.")],
    voices: Voices = None,
    brand: Brand = None,
    avoid: Avoid = None,
    at: Annotated[
        float | None,
        typer.Option(
            "--gate",
            metavar="P",
            min=0.0,
            max=1.0,
            help="P to reach. Else: what onbrand.toml says, then the voice.",
            show_default=False,
        ),
    ] = None,
    stdin_path: StdinPath = None,
    read_as: ReadAs = None,
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
) -> None:
    """Send a draft forward (exit code 0) or to human review (1).

    A draft may go forward with sentences to mend; they are named then.
    """
    from onbrand.report.message import draft_message
    from onbrand_cli.common import STDIN, read_drafts

    if file != STDIN and Path(file).is_dir():
        raise OnbrandError("is a folder; gate takes one draft", path=file)
    avoided = avoided_names(avoid, brand=brand, voices=voices)
    drafts = read_drafts([file], stdin_path, config, read_as)
    if not drafts:
        raise OnbrandError("cannot be gated, the configuration excludes it", path=file)
    report = _judge(drafts, voices, brand, encoder, avoided, gate=at)[0]
    typer.echo(f"{report.path}: {draft_message(report)}")
    _warn_of(report)
    raise typer.Exit(0 if report.verdict == "forward" else 1)


def _judge(
    drafts: list[Draft],
    voices: list[Path] | None,
    brand: str | None,
    encoder: Path | None,
    avoid: tuple[str, ...] | None,
    *,
    gate: float | None = None,
) -> list[Report]:
    """Judge the drafts, loading each set of voices and each encoder once."""
    from onbrand.config.trust import check_trust
    from onbrand.scorer import Scorer
    from onbrand.voice.storage import with_consistent_release

    encoders: dict[Path | None, Encoder] = {}
    groups: dict[tuple[tuple[Path, ...], Path | None], list[Draft]] = {}
    registers: dict[tuple[tuple[str, ...], Path | None], list[Draft]] = {}
    for draft in drafts:
        bundle = encoder or check_trust(draft.settings.encoder, draft.settings.source)
        configured = () if voices else draft.avoids(brand)
        if names := avoid or configured:
            registers.setdefault((names, bundle), []).append(draft)
            continue
        folders = tuple(voice_folders(voices, draft.settings))
        groups.setdefault((folders, bundle), []).append(draft)
    scorers: dict[str, Scorer] = {}
    whose: dict[str, str] = {}
    for (names, bundle), group in registers.items():
        scorer = Scorer.avoiding(_encoder(bundle, encoders), names)
        scorers |= {draft.path: scorer for draft in group}
        whose |= {draft.path: scorer.brands[0] for draft in group}
    for (folders, bundle), group in groups.items():
        scorer = with_consistent_release(
            folders, partial(_scorer, group, brand, bundle, encoders, voices)
        )
        scorers |= {draft.path: scorer for draft in group}
    reports: list[Report] = []
    total = sum(len(draft.document.sentences) for draft in drafts)
    done = 0
    with progress_bar("Judging") as progress:
        for draft in drafts:
            report = scorers[draft.path].check_document(
                draft.document,
                path=draft.path,
                brand=whose.get(draft.path, brand),
                default_brand=draft.settings.brand,
                gate=draft.settings.gate if gate is None else gate,
                threshold=draft.settings.threshold,
                ignored=draft.settings.ignore,
                progress=scaled(
                    progress,
                    draft.path,
                    start=done,
                    size=len(draft.document.sentences),
                    total=total,
                ),
            )
            reports.append(report)
            done += len(draft.document.sentences)
    return reports


def _scorer(
    drafts: list[Draft],
    brand: str | None,
    encoder: Path | None,
    encoders: dict[Path | None, Encoder],
    chosen: list[Path] | None,
    folders: Sequence[Path],
) -> Scorer:
    """Load the voices that the drafts need, and their encoder unless it is loaded.

    Args:
        drafts: what is judged; the same voices hold for all.
        brand: the brand that the user wants.
        encoder: the bundle that was named.
        encoders: those that are loaded.
        chosen: the folders of voices that the user named, who answers for the encoder in them.
        folders: where the voices are.
    """
    from onbrand.config.trust import check_trust
    from onbrand.scorer import Scorer
    from onbrand.voice.storage import encoder_for, load_voices

    brands = _brands(drafts, brand, folders)
    voices = load_voices(folders, brands)
    if encoder is None:
        encoder = encoder_for(folders, brands)
        if not chosen:
            check_trust(encoder, drafts[0].settings.source)
    return Scorer(_encoder(encoder, encoders), voices)


def _encoder(bundle: Path | None, encoders: dict[Path | None, Encoder]) -> Encoder:
    from onbrand.encoder import Encoder

    if bundle not in encoders:
        encoders[bundle] = Encoder.load(bundle)
    return encoders[bundle]


def _brands(drafts: list[Draft], chosen: str | None, folders: Sequence[Path]) -> list[str] | None:
    """Return the brands that the drafts need; None, all of them, where one draft does not say.

    Raises:
        OnbrandError: a draft asks for a brand that has no voice; the error names the draft.
    """
    from onbrand.voice.storage import find_voices, unknown_brand

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


def _print(rendered: str, output: Path | None) -> None:
    from onbrand.files import write_atomic

    if output is None:
        sys.stdout.write(rendered)
    else:
        write_atomic(output, rendered)


def _print_text(
    reports: list[Report], sources: dict[str, str], output: Path | None, suppressed: int
) -> None:
    import io

    from rich.console import Console

    from onbrand.report import text

    if output is None:
        console = Console(highlight=False, markup=False)
        text.render(reports, sources, console, suppressed=suppressed)
        return
    buffer = io.StringIO()
    console = Console(file=buffer, color_system=None, highlight=False, markup=False, width=100)
    text.render(reports, sources, console, suppressed=suppressed)
    _print(buffer.getvalue(), output)


def _warn_of(report: Report) -> None:
    for warning in report.warnings:
        warn(f"{report.path}: {warning}")
