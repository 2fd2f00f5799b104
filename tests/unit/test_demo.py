"""The table of ``onbrand demo``, as it looks in terminals, and what it is made of.

`ONBRAND_UPDATE_GOLDEN=1 pytest tests/unit/test_demo.py` writes the files anew; read the difference
before committing it.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from onbrand.document.document import parse
from onbrand.results import Explanation, Report, SentenceVerdict
from onbrand_cli.demo import GENUINE, examples_folder, overview
from report_samples import report, sentence

GOLDEN = Path(__file__).parents[1] / "golden/demo"


def judged(fine: int, *registers: str | None) -> list[SentenceVerdict]:
    """Return sentences that are fine, and flagged ones that read like these registers."""
    return [
        *(sentence("We do.", "We do.", 0.9) for _ in range(fine)),
        *(
            sentence("We do.", "We do.", explanation=Explanation(-2.0, 0.0, (), register=register))
            for register in registers
        ),
    ]


def drafts() -> list[Report]:
    head = [None] * 4
    mixed = judged(19, *head, *["corporate"] * 3, *["chatbot"] * 4, "jargon")
    none = report("rewrites/none.md", probability=None, verdict="not judged")
    return [
        report("rewrites/page.md", *judged(37, "tabloid"), probability=0.9996, verdict="forward"),
        report("rewrites/page-chatbot.md", *mixed, probability=0.002),
        report("rewrites/page-of-corporate.md", *judged(2, *["academic", "corporate"] * 12)),
        report("rewrites/page-near.md", *judged(30, *head), probability=0.6996),
        none,
    ]


@pytest.mark.parametrize(("width", "colours"), [(80, None), (120, None), (80, "standard")])
def test_the_table(width: int, colours: str | None) -> None:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        color_system=colours,  # type: ignore[arg-type]
        force_terminal=colours is not None,
        highlight=False,
    )
    console.print(overview(drafts()))
    path = GOLDEN / f"table-{width}{'-colours' if colours else ''}.txt"
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(out.getvalue(), encoding="utf-8")
    assert out.getvalue() == path.read_text(encoding="utf-8")


def test_the_pages_say_the_same() -> None:
    genuine = examples_folder() / GENUINE
    others = sorted(path for path in genuine.parent.glob("*.md") if path != genuine)
    assert [path.stem for path in others] == [
        "tax-season-chatbot",
        "tax-season-corporate",
        "tax-season-hype",
    ]
    kinds = [block_kinds(path) for path in (genuine, *others)]
    assert all(each == kinds[0] for each in kinds[1:])
    # Figures, code and links are those of the page; a quotation is not the brand's to rewrite.
    kept = [
        "| £54,000    | £9,000            | £8,430          |",
        "curl -O https://api.example.com",
        "/pay-monthly)",
        "forty minutes",
        *("£900", "£1,400", "£500", "£120", "60 ", "1 February"),
    ]
    for path in others:
        text = path.read_text(encoding="utf-8").replace("Sixty of", "60 of")
        assert [one for one in kept if one not in text] == [], path.name


def block_kinds(path: Path) -> list[str]:
    """Return the kind of each block that has sentences."""
    blocks = {one.block: one.kind for one in parse(path.read_text("utf-8"), "markdown").sentences}
    return list(blocks.values())
