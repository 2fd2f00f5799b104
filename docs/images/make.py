"""Make check.svg again: train an example voice, check an example draft, draw what was printed.

Run from the repository's root, in an environment with the extra `train`:

    python docs/images/make.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
BRAND = "quillpot"
DRAFT = "examples/drafts/quillpot-tax-season.md"
SHOWN = ("Quillpot harnesses", "Get ready to")
"""What the findings that are shown begin with; the others are left out, and marked as such."""
COLUMNS = 92
PITCH, MARGIN = 24.4, 20
"""Height of a line as Rich draws it, and room around the text, in pixels."""
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 WIDTH HEIGHT">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
}}
{styles}
</style>
<defs>
{lines}
</defs>
<rect fill="#1b1e24" width="WIDTH" height="HEIGHT" rx="10"/>
<g class="{unique_id}-matrix" transform="translate(MARGIN, MARGIN)" xml:space="preserve">
{matrix}
</g>
</svg>
"""
"""Rich's own without the window around it, and without fonts from the network."""


def onbrand(*arguments: str) -> str:
    """Run the command line as a terminal would and return what it prints."""
    colours = {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-m", "onbrand", *arguments]
    done = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=os.environ | colours, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return done.stdout


def cropped(output: str) -> Text:
    """Return the findings to show and the verdict, with a dotted line where some are left out."""
    *findings, verdict = output.strip().split("\n\n")
    parts: list[Text] = []
    for finding in map(Text.from_ansi, findings):
        if any(words in finding.plain for words in SHOWN):
            parts += [finding, Text()]
        elif not parts or parts[-1].plain != "⋮\n":
            parts.append(Text("⋮\n", "bright_black"))
    prompt = Text.assemble(("$ ", "bright_black"), (f"onbrand check {DRAFT}\n", "bold"))
    return Text("\n").join([prompt, *parts, Text.from_ansi(verdict)])


def picture(text: Text) -> str:
    """Return the text as an SVG."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(text)
    svg = console.export_svg(code_format=FORMAT, unique_id="onbrand")
    lines = svg.count("<clipPath") + 1
    sizes = {"WIDTH": COLUMNS * 12.2 + 2 * MARGIN, "HEIGHT": lines * PITCH + 2 * MARGIN}
    for name, size in {**sizes, "MARGIN": MARGIN}.items():
        svg = svg.replace(name, f"{size:g}")
    return svg


def main() -> None:
    """Write check.svg beside this file."""
    with tempfile.TemporaryDirectory() as voices:
        onbrand("train", f"examples/brands/{BRAND}.jsonl", "-o", voices)
        output = onbrand("check", DRAFT, "--voices", voices)
    Path(__file__).with_name("check.svg").write_text(picture(cropped(output)), encoding="utf-8")


if __name__ == "__main__":
    main()
