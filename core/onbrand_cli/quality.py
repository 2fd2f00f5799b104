"""What the report of a voice says, in lines for people, what matters most first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onbrand.voice.model import DoubtfulLine, Manifest, Share, TrainingReport

WIDTH = 78
SHOWN_DOUBTFUL = 10
DOUBT = 0.8
"""A line is worth a look where P speaks against its label as much as this."""


def quality_lines(manifest: Manifest, doubtful: int = SHOWN_DOUBTFUL) -> Iterator[str]:
    """Yield the lines of a report; there are none in a voice of before there were such reports.

    Args:
        manifest: of the voice.
        doubtful: how many of the doubtful lines to show at the most.
    """
    report = manifest.report
    if report.pages is not None:
        yield _line("own pages", f"{_so_many(report.pages)} go forward ({_pages(report)})")
    if report.stopped is not None:
        yield _line("wrong voices", f"{_so_many(report.stopped)} stopped (pages it never saw)")
        yield from _passed(report.probes)
    for warning in report.warnings:
        yield from _wrapped("warning", warning)
    if report.collect:
        yield from _wrapped("collect next", report.collect)
    if report.right is not None:
        beside = "" if report.baseline is None else f"; bag of words {report.baseline.accuracy:.0%}"
        yield _line("lines", f"{_so_many(report.right)} told right{beside}")
    for source, found in report.sources.items():
        yield _line("", f"off-brand from {source}: {_so_many(found)}")
    labelled = manifest.labels.on + manifest.labels.off > 0
    said = "the other lines contradict these" if labelled else "least like the rest of the copy"
    worst = [line for line in report.doubtful if _against(line) >= DOUBT][:doubtful]
    if worst:
        yield _line("look again", f"{said}, the worst first:")
        yield from _doubtful(worst)


def _passed(probes: dict[str, Share]) -> Iterator[str]:
    """Tell the wrong voices of which pages slip through, those with most of them first."""
    from onbrand.voice.registers import read_as

    told = [
        f"{read_as(name)} {found.count} of {found.of}"
        for name, found in sorted(probes.items(), key=lambda item: item[1].count / item[1].of)
        if found.count < found.of
    ]
    if told:
        yield from _wrapped("", f"not all of: {', '.join(told)}")


def _doubtful(worst: Sequence[DoubtfulLine]) -> Iterator[str]:
    from onbrand.report.snippet import crop

    for line in worst:
        yield f"    {line.place}  {line.label}, but P {line.p:.2f}"
        if line.text:
            yield f"      {crop(line.text, WIDTH - 6)}"


def _against(line: DoubtfulLine) -> float:
    return 1 - line.p if line.label == "on" else line.p


def _pages(report: TrainingReport) -> str:
    if not report.page_lines:
        return "held-out documents"
    return f"each {report.page_lines} held-out lines"


def _so_many(found: Share) -> str:
    return (
        f"{found.count} of {found.of} ({found.count / found.of:.0%}, likely "
        f"{100 * found.low:.0f}-{found.high:.0%})"
    )


def _line(name: str, text: str) -> str:
    return f"  {name:13}{text}"


def _wrapped(name: str, text: str) -> Iterator[str]:
    for i, part in enumerate(wrap(text, WIDTH - 15, break_on_hyphens=False)):
        yield _line("" if i else name, part)
