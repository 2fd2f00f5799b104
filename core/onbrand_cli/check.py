"""``onbrand check``, ``gate``, ``score`` and ``explain``: judge drafts, and single sentences."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onbrand.errors import OnbrandError
from onbrand.report import FORMATS, ReportFormat
from onbrand.results import CheckResults, DiffScope
from onbrand_cli.common import (
    STDIN,
    Avoid,
    Brand,
    ConfigFile,
    EncoderFolder,
    NoIgnore,
    Output,
    OutputFormat,
    ReadAs,
    StdinPath,
    Voices,
    avoided_names,
    one_of,
    print_json,
    progress_bar,
    warn,
)

if TYPE_CHECKING:
    from onbrand.changes import Changes
    from onbrand.results import Explanation, FileError, Report
    from onbrand.scorer import Scorer
    from onbrand.voice.model import Voice
    from onbrand.voice.reasons import WordReason
    from onbrand_cli.drafts import DraftFiles

CHECK_EXAMPLES = """\b
Examples:
  onbrand check draft.md --brand acme
  onbrand check draft.md --avoid corporate,hype,chatbot
  onbrand check docs/ --format sarif -o onbrand.sarif
  git show :post.mdx | onbrand check - --stdin-path post.mdx
  onbrand check docs/ --baseline known.json --update-baseline
  onbrand check --diff origin/main --format github
"""
GATE_EXAMPLES = """\b
Examples:
  onbrand gate draft.md --brand acme && publish draft.md
  onbrand gate content/ "blog/**/*.md"
"""
SCORE_EXAMPLES = """\b
Examples:
  onbrand score "Hello. Do sit down." --brand acme
  onbrand score - --all --format json < sentences.txt
  onbrand score "We leverage synergies." --avoid corporate,hype
"""
EXPLAIN_EXAMPLES = """\b
Examples:
  onbrand explain "Hello. Do sit down." --brand acme
  onbrand explain "We leverage synergies." --avoid corporate,hype
"""


def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Drafts, folders or globs of them; - for standard input.", show_default=False
        ),
    ] = None,
    voices: Voices = None,
    brand: Brand = None,
    avoid: Avoid = None,
    form: Annotated[str, one_of(FORMATS, "How to print the verdicts.")] = "text",
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
    diff: Annotated[
        str | None,
        typer.Option(
            metavar="BASE",
            help="Report only sentences that differ, in git, from where BASE was left.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[
        Literal["review", "any", "never"] | None,
        typer.Option(
            "--exit",
            help="Exit with 1 for drafts to review and new warnings, for any finding, or never. "
            "Else: what onbrand.toml says, then review.",
            show_default=False,
        ),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the summary for a pull request to FILE, too.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print findings and errors, nothing else.")
    ] = False,
    no_ignore: NoIgnore = False,
    stdin_path: StdinPath = None,
    read_as: ReadAs = None,
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
) -> None:
    """Underline the sentences that do not sound like the brand, or in a voice to avoid.

    Exit code 0: fine, 1: a draft needs a review, or a new finding is a warning, 2: error.
    """
    from onbrand import baseline as known
    from onbrand.checking import fails, only_sentences
    from onbrand_cli.drafts import note_skipped, read_drafts

    if update_baseline and (baseline is None or diff is not None):
        where = (
            "--baseline FILE to write to, and no --diff" if diff else "--baseline FILE to write to"
        )
        raise OnbrandError(f"--update-baseline needs {where}")
    if not files and diff is None and sys.stdin is not None and sys.stdin.isatty():
        raise OnbrandError("nothing to check; name drafts or folders, or - for standard input")
    avoided = avoided_names(avoid, brand=brand, voices=voices)
    old = None if baseline is None or update_baseline else known.load_baseline(baseline)
    names = files or [STDIN if diff is None else "."]
    changes = None if diff is None else _changes(diff, names)
    found = read_drafts(
        names, stdin_path, config, read_as, ignored=no_ignore, changes=changes, quiet=quiet
    )
    reports = _check(found, voices, brand, encoder, avoided, quiet=quiet)
    found.tell_errors()
    if update_baseline and baseline is not None:
        count = known.write_baseline(baseline, reports)
        typer.echo(f"{baseline}: {count:,} findings", err=True)
        raise typer.Exit(2 if found.errors else 0)
    suppressed, forgiven = 0, frozenset[str]()
    if old is not None:
        before = {report.path for report in reports if report.flagged}
        reports, suppressed = known.apply_baseline(reports, old)
        forgiven = frozenset(before - {report.path for report in reports if report.flagged})
    scope = None
    if changes is not None:
        flagged = sum(len(report.flagged) for report in reports)
        reports = [only_sentences(report, found.touched[report.path]) for report in reports]
        elsewhere = flagged - sum(len(report.flagged) for report in reports)
        scope = DiffScope(changes.base, changes.commit, found.unchanged, elsewhere)
    results = CheckResults(
        reports,
        {draft.path: draft.source for draft in found.drafts},
        found.left_out,
        suppressed,
        errors=found.errors,
        no_drafts=found.no_drafts,
        marked=frozenset(draft.path for draft in found.drafts if draft.has_mark),
        scope=scope,
        quiet=quiet,
    )
    _print(FORMATS[form], results, output, summary)
    if not quiet:
        note_skipped(reports, sum(len(draft.source) for draft in found.drafts))
    policies = {draft.path: policy or draft.settings.exit for draft in found.drafts}
    only_new = old is not None or changes is not None
    failing = any(
        fails(report, policies[report.path], only_new=only_new, known=report.path in forgiven)
        for report in reports
    )
    raise typer.Exit(2 if found.errors else int(failing))


def _changes(base: str, names: Sequence[str]) -> Changes:
    """Return what differs from ``base`` in the repository of the first name."""
    from onbrand.changes import changes_since

    if STDIN in names:
        raise OnbrandError("--diff compares files; name some, or folders, instead of -")
    first = Path(names[0]).absolute()
    return changes_since(base, next(place for place in (first, *first.parents) if place.is_dir()))


def gate(
    files: Annotated[
        list[str],
        typer.Argument(help="Drafts, folders or globs of them; - for standard input."),
    ],
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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print errors alone; the exit code says it.")
    ] = False,
    no_ignore: NoIgnore = False,
    stdin_path: StdinPath = None,
    read_as: ReadAs = None,
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
) -> None:
    """Send drafts forward (exit code 0) or to human review (1, for one of them too).

    A draft may go forward with sentences to mend; they are named then. Of several drafts those that
    go forward without a word are only counted.
    """
    from onbrand.report.text import gate_lines
    from onbrand_cli.drafts import read_drafts

    avoided = avoided_names(avoid, brand=brand, voices=voices)
    found = read_drafts(files, stdin_path, config, read_as, ignored=no_ignore, quiet=quiet)
    reports = _check(found, voices, brand, encoder, avoided, gate=at, quiet=quiet)
    found.tell_errors()
    if not found.drafts:
        raise OnbrandError(
            "cannot be gated, the configuration excludes it or it is no draft", path=files[0]
        )
    if not quiet:
        for line in gate_lines(reports):
            typer.echo(line)
        for report in reports:
            _warn_of(report)
    forward = all(report.verdict == "forward" for report in reports)
    raise typer.Exit(2 if found.errors else int(not forward))


def _check(
    found: DraftFiles,
    voices: list[Path] | None,
    brand: str | None,
    encoder: Path | None,
    avoid: tuple[str, ...] | None,
    *,
    gate: float | None = None,
    quiet: bool = False,
) -> list[Report]:
    """Check the drafts; those that cannot be are added to the errors, and taken from the drafts."""
    from onbrand.checking import check_drafts
    from onbrand.progress import silent

    if not found.drafts:
        return []
    failed: list[FileError] = []
    with progress_bar("Judging") as shown:
        progress = silent if quiet else shown
        reports = check_drafts(
            found.drafts,
            voices=voices,
            brand=brand,
            encoder=encoder,
            avoid=avoid,
            gate=gate,
            failed=failed,
            progress=progress,
        )
    found.fail(failed)
    return reports


def _print(
    form: ReportFormat, results: CheckResults, output: Path | None, summary: Path | None
) -> None:
    from rich.console import Console

    from onbrand.files import write_atomic

    if summary is not None:
        write_atomic(summary, FORMATS["markdown"].render(results))

    if output is not None:
        write_atomic(output, form.render(results))
    elif form.print_to is not None:
        form.print_to(results, Console(highlight=False, markup=False))
    else:
        sys.stdout.write(form.render(results))
    if form.print_to is None and not results.quiet:
        for report in results.reports:
            _warn_of(report)


def _warn_of(report: Report) -> None:
    for warning in report.warnings:
        warn(f"{report.path}: {warning}")


def score(
    sentence: Annotated[
        str, typer.Argument(help="The sentence; - reads one a line from standard input.")
    ],
    voices: Voices = None,
    brand: Brand = None,
    avoid: Avoid = None,
    every: Annotated[bool, typer.Option("--all", help="Score against every brand.")] = False,
    form: OutputFormat = "text",
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
) -> None:
    """Print P(on-brand) of a sentence, for one brand or all of them."""
    if brand and every:
        raise OnbrandError("--brand and --all exclude each other; give one of them")
    avoided = avoided_names(avoid, brand=brand, voices=voices, every=every)
    sentences = _sentences(sentence)
    scorer = _load_scorer(voices, brand, encoder, config, avoided, every=every)
    if not every and len(scorer.brands) > 1:
        raise OnbrandError(f"which brand? Give --brand or --all ({', '.join(scorer.brands)})")
    probabilities = scorer.score(sentences)
    if form == "json":
        rows = [
            {
                "text": text,
                "probabilities": {
                    name: round(float(p), 4) for name, p in zip(scorer.brands, row, strict=True)
                },
            }
            for text, row in zip(sentences, probabilities, strict=True)
        ]
        print_json({"version": 1, "sentences": rows})
        return
    for text, row in zip(sentences, probabilities, strict=True):
        if len(sentences) > 1:
            typer.echo(text)
        for p, name in sorted(zip(row, scorer.brands, strict=True), reverse=True):
            typer.echo(f"{p:.2f}  {name}")


def explain(
    sentence: Annotated[str, typer.Argument(help="The sentence.")],
    voices: Voices = None,
    brand: Brand = None,
    avoid: Avoid = None,
    form: OutputFormat = "text",
    encoder: EncoderFolder = None,
    config: ConfigFile = None,
) -> None:
    """Say why a sentence gets its P: words, habits, nearest lines."""
    if not sentence.strip():
        raise OnbrandError("there is no sentence to explain; give one in quotes")
    avoided = avoided_names(avoid, brand=brand, voices=voices)
    scorer = _load_scorer(voices, brand, encoder, config, avoided)
    if len(scorer.brands) > 1:
        raise OnbrandError(f"which brand? Give --brand ({', '.join(scorer.brands)})")
    text = " ".join(sentence.split())
    voice = scorer.voice(scorer.brands[0])
    why = scorer.explain(text, voice.brand)
    if form == "json":
        _print_explanation_json(text, why, voice)
    else:
        _print_explanation(text, why, voice)


def _load_scorer(
    voices: list[Path] | None,
    brand: str | None,
    encoder: Path | None,
    config: Path | None,
    avoid: tuple[str, ...] | None,
    *,
    every: bool = False,
) -> Scorer:
    from onbrand.checking import load_scorer
    from onbrand.config import settings_for

    # The working folder's configuration: there is no file to start from.
    settings = settings_for(Path.cwd() / "sentence.md", explicit=config)
    for warning in settings.warnings:
        warn(warning)
    return load_scorer(
        settings, voices=voices, brand=brand, encoder=encoder, avoid=avoid, every=every
    )


def _sentences(argument: str) -> list[str]:
    from onbrand.files import decode_text, read_standard_input

    name = "standard input"
    text = decode_text(read_standard_input(name), name) if argument == STDIN else argument
    # Not str.splitlines: U+2028 and its like do not end a line for the tools that write lists.
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    if not lines:
        raise OnbrandError("there is no sentence to judge; give one in quotes")
    return lines if argument == STDIN else [argument]


def _print_explanation_json(text: str, why: Explanation, voice: Voice) -> None:
    from onbrand.report.json import explanation
    from onbrand.voice.model import probability

    document = {
        "version": 1,
        "text": text,
        "brand": voice.brand,
        "probability": probability(why.logit),
        "threshold": voice.manifest.threshold,
        **explanation(why),
    }
    print_json(document)


def _print_explanation(text: str, why: Explanation, voice: Voice) -> None:
    from rich.text import Text

    from onbrand.report.message import finding, format_probability
    from onbrand.voice.model import probability
    from onbrand.voice.reasons import strongest_words
    from onbrand_cli.common import new_console

    console = new_console()
    p, threshold = probability(why.logit), voice.manifest.threshold
    style = "red" if p < threshold else "green"
    head = (f"P {format_probability(p, threshold)}", f"bold {style}")
    console.print(Text.assemble(head, f"  {voice.brand}, flagged below {threshold:.2f}"))
    shaded = Text(text)
    words = strongest_words(why)
    for word in words:
        for start, end in word.spans:
            shaded.stylize(f"bold {_tone(word)}", start, end)
    console.print(Text.assemble("  ", shaded))
    if p < threshold:
        console.print(f"  {finding(voice.brand, why)}")
    console.print("\n  log-odds")
    for word in words:
        bar = ("█" * round(min(abs(word.share) * 8, 24))) or "▏"
        console.print(Text.assemble(f"  {word.share:+6.2f}  {word.text:<18} ", (bar, _tone(word))))
    rest = why.logit - sum(word.share for word in words)
    console.print(f"  {rest:+6.2f}  everything else (of it the base: {why.base:+.2f})")
    console.print(f"  {why.logit:+6.2f}  in all")
    if why.habits:
        console.print()
    for habit in why.habits:
        console.print(f"  {habit.message}")
    for example in (why.nearest_on, why.nearest_off):
        if example is not None:
            where = f" ({example.source})" if example.source else ""
            console.print(
                f"\n  nearest {example.label}-brand line, cosine {example.similarity:.2f}{where}:\n"
                f"    {example.text}"
            )


def _tone(word: WordReason) -> str:
    return "red" if word.share < 0 else "green"
