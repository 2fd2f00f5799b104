"""Golden tests of the text pipeline: passages and the sentences that shall be judged.

Each file of tests/golden/text holds passages of this form, and is named after their format:

    ===== name of the passage
    source, as many lines as it takes
    ----- judged
    line:column kind (brand) | text

Run this file as a script to write what the code does now, then read the difference.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onbrand.document.document import Document, parse

FOLDER = Path(__file__).parents[1] / "golden" / "text"
NEWER = (
    *("rst", "asciidoc", "latex", "org", "notebook", "liquid", "vue", "svelte", "astro"),
    *("mail", "gettext", "json", "yaml", "toml"),
)
FORMATS: dict[str, str] = {
    "markdown": "markdown",
    "dialects": "markdown",
    "languages": "markdown",
    "sentences": "markdown",
    "suppress": "markdown",
    "mdx": "mdx",
    "html": "html",
    "plain": "text",
} | dict(zip(NEWER, NEWER, strict=True))
HEAD, JUDGED = "===== ", "----- judged\n"


def passages(path: Path) -> list[tuple[str, str, str]]:
    """Return name, source and expected sentences of each passage in a file."""
    found = []
    for part in re.split(f"^{HEAD}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        source, _, expected = rest.partition(JUDGED)
        found.append((name, source, expected.strip("\n")))
    return found


def render(document: Document) -> str:
    lines = []
    for sentence in document.sentences:
        line, column = document.lines.position(sentence.span.start)
        brand = f" ({sentence.brand})" if sentence.brand else ""
        lines.append(f"{line + 1}:{column + 1} {sentence.kind}{brand} | {sentence.text}")
    if document.brand:
        lines.append(f"brand: {document.brand}")
    if document.suppressed:
        lines.append(f"suppressed: {document.suppressed}")
    return "\n".join([*lines, *(f"warning: {warning}" for warning in document.warnings)])


CASES = [
    pytest.param(FORMATS[path.stem], source, expected, id=f"{path.stem}-{name}")
    for path in sorted(FOLDER.glob("*.txt"))
    for name, source, expected in passages(path)
]


def test_there_are_passages_of_every_kind() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(FORMATS)


@pytest.mark.parametrize(("read_as", "source", "expected"), CASES)
def test_golden(read_as: str, source: str, expected: str) -> None:
    assert render(parse(source, read_as)) == expected


@pytest.mark.parametrize(
    ("read_as", "source"),
    [pytest.param(*case.values[:2], id=case.id) for case in CASES if case.values[0] in NEWER],
)
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_make_no_difference(read_as: str, source: str, end: str) -> None:
    def found(text: str) -> list[tuple[str, str]]:
        return [(one.kind, one.text) for one in parse(text, read_as).sentences]

    if (read_as, end) != ("toml", "\r"):  # which ends no line in TOML
        assert found(source.replace("\n", end)) == found(source)


def update() -> None:
    for path in FOLDER.glob("*.txt"):
        text = "".join(
            f"{HEAD}{name}\n{source}{JUDGED}{render(parse(source, FORMATS[path.stem]))}\n\n"
            for name, source, _ in passages(path)
        )
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    update()
