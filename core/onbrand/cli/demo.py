"""``onbrand demo``: see it work, on brands that do not exist."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

DRAFT = "drafts/oatfolk-launch.md"
OTHER_BRAND = "varnholt-pumps"


def demo(
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep the trained voices in this folder.", show_default=False
        ),
    ] = None,
) -> None:
    """Train the example voices in seconds and check an example draft.

    The brands do not exist: an oat drink, a bank for freelancers, a museum and a pump maker.
    """
    from onbrand.cli.check import check, gate
    from onbrand.cli.tables import new_console
    from onbrand.cli.train import print_report, train_all
    from onbrand.examples import examples_folder
    from onbrand.labels.files import read_labels
    from onbrand.labels.grouping import group_by_brand

    console = new_console()
    voices = Path("voices") if keep is None else keep.resolve()
    # In a folder of its own, so that what is printed are commands and paths as a user has them.
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        for part in ("brands", "drafts"):
            shutil.copytree(examples_folder() / part, part)
        console.print(f"$ onbrand train brands/ -o {voices}\n", style="bold")
        print_report(train_all(group_by_brand(read_labels([Path("brands")])), voices), voices)
        console.print(f"\n$ onbrand check {DRAFT} --voices {voices}\n", style="bold")
        with contextlib.suppress(typer.Exit):  # the draft has findings, the demo has not failed
            check([DRAFT], voices=[voices])
        command = f"onbrand gate {DRAFT} --brand {OTHER_BRAND} --voices {voices}"
        console.print(f"\n$ {command}\n", style="bold")
        with contextlib.suppress(typer.Exit):  # it does not sound like that brand, rightly
            gate(DRAFT, voices=[voices], brand=OTHER_BRAND)
