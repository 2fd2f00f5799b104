"""``onbrand demo``: trains voices of the example brands and checks the example drafts."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from onbrand.results import Report


LABELS = "brands/quillpot.jsonl"
DRAFT = "drafts/quillpot-tax-season.md"
GENUINE = "rewrites/tax-season.md"
"""A page as the brand wrote it; files beside it have the same page in wrong voices."""
NAMED = 2
"""Limit on the registers that are named for a draft."""


def demo(
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep the trained voice in this folder.", show_default=False
        ),
    ] = None,
) -> None:
    """Train an example voice in seconds, and check one page in it and in three wrong ones.

    The brand does not exist: Quillpot, a bank for freelancers.
    """
    from onbrand.labels.files import group_by_brand, read_labels
    from onbrand.training.train import train_voices
    from onbrand_cli.check import check
    from onbrand_cli.common import new_console, progress_bar
    from onbrand_cli.train import print_report

    console = new_console()
    voices = Path("voices") if keep is None else keep.resolve()
    # In a temporary folder, so that the printed commands and paths look as they do for users.
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        for part in ("brands", "drafts", "rewrites"):
            shutil.copytree(examples_folder() / part, part)
        console.print(f"$ onbrand train {LABELS} -o {voices}\n", style="bold")
        brands = group_by_brand(read_labels([Path(LABELS)]))
        with progress_bar("Training") as progress:
            trained = train_voices(brands, voices, progress=progress)
        print_report(trained, voices)
        console.print(f"\n$ onbrand check {DRAFT} --voices {voices}\n", style="bold")
        with contextlib.suppress(typer.Exit):  # the draft has findings, the demo has not failed
            check([DRAFT], voices=[voices])
        console.print("\nA page as the brand wrote it, and as others might have:\n", style="bold")
        console.print(overview(rewrites(voices)))
        console.print("\nThey are in examples/rewrites; onbrand check says which sentences.")


def rewrites(voices: Path) -> list[Report]:
    """Judge the genuine page, then the same page in each wrong voice.

    Args:
        voices: folder of the voice that they are judged by.
    """
    from onbrand.files import read_text
    from onbrand.scorer import Scorer

    genuine = Path(GENUINE)
    others = sorted(path for path in genuine.parent.glob("*.md") if path != genuine)
    scorer = Scorer.load(voices, brands=[Path(LABELS).stem])
    return [scorer.check(read_text(path), path=str(path)) for path in (genuine, *others)]


def overview(reports: Sequence[Report]) -> Table:
    """Return a line for each draft: its verdict, and what it reads like."""
    from rich.text import Text

    from onbrand.report.message import format_probability
    from onbrand.report.text import VERDICTS
    from onbrand_cli.common import new_table

    table = new_table("draft")
    table.show_edge = False  # so that two registers fit into 80 columns
    table.add_column("verdict", no_wrap=True)
    table.add_column("P", justify="right", no_wrap=True)
    table.add_column("flagged", justify="right", no_wrap=True)
    table.add_column("reads like")
    for report in reports:
        style = f"bold {VERDICTS[report.verdict]}"
        judged = sum(sentence.probability is not None for sentence in report.sentences)
        p = (
            "–"
            if report.probability is None
            else format_probability(report.probability, report.gate)
        )
        table.add_row(
            Path(report.path).stem,
            Text(report.verdict, style),
            Text(p, style),
            f"{len(report.flagged)} of {judged}",
            _reads_like(report),
        )
    return table


def _reads_like(report: Report) -> str:
    from onbrand.report.message import reads_most_like

    if report.probability is None:
        return "–"
    if report.verdict == "forward":
        return report.brand
    return ", ".join(reads_most_like(report)[:NAMED]) or "another voice"


PACKAGED = Path(__file__).parent / "_examples"
CHECKOUT = Path(__file__).parents[2] / "examples"


def examples_folder() -> Path:
    """Return the folder with ``brands``, ``drafts`` and ``rewrites``."""
    return PACKAGED if PACKAGED.is_dir() else CHECKOUT


def brand_files() -> list[Path]:
    """Return the label files of the example brands."""
    return sorted((examples_folder() / "brands").glob("*.jsonl"))


def draft_files() -> list[Path]:
    """Return the example drafts."""
    return sorted((examples_folder() / "drafts").glob("*.md"))
